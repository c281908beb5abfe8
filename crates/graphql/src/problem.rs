//! Problems: what stood in the way of a mutation, as data that a client can act on.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Interface, SimpleObject};
use domain::id::{BookingId, ServiceId};
use domain::policy;
use domain::problem as refusal;
use engine::catalogue::Catalogue;

use crate::failure::{Failure, Result};
use crate::id;
use crate::request::Asked;
use crate::slot::Slot;

/// What stood in the way of a mutation: something the client has caused and can mend. Ask for `code` and `message` of any, and for
/// more with a fragment on the type, as in `... on SlotUnavailable { reasons alternatives { startsAt } }`.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "code", ty = "ProblemCode", desc = "What kind of problem it is, for the program."),
    field(name = "message", ty = "String", desc = "What is wrong and what was expected, in English, for people and logs."),
    field(
        name = "path",
        ty = "Option<Vec<String>>",
        desc = "Where in the arguments it lies, from the outside in, as in `[\"input\", \"customer\", \"email\"]`. Null where it lies in no single place."
    )
)]
pub enum Problem {
    InvalidInput(InvalidInput),
    NotFound(NotFound),
    Conflict(Conflict),
    VersionConflict(VersionConflict),
    IdempotencyConflict(IdempotencyConflict),
    SlotUnavailable(SlotUnavailable),
    PolicyViolation(PolicyViolation),
    HoldExpired(HoldExpired),
    PluginRefused(PluginRefused),
}

/// What kind of problem it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemCode {
    /// The input cannot be right: `path` says where, `message` what was expected.
    Invalid,
    /// There is no such thing in this business, or not for the bearer of this token.
    NotFound,
    /// The state of the thing does not allow it, as when a cancelled booking is checked in.
    Conflict,
    /// The thing has changed since you read it: read it again, then decide again.
    VersionConflict,
    /// The idempotency key was used with another input: use a new key.
    IdempotencyConflict,
    /// The slot cannot be had: the problem says why, and which others can.
    SlotUnavailable,
    /// The policy under which the booking was made forbids it.
    PolicyViolation,
    /// The hold has run out, was given back or was redeemed: hold the slot again.
    HoldExpired,
    /// The payment did not come about.
    PaymentFailed,
    /// A plugin of the business refused the booking.
    PluginRefused,
}

/// Why a start time cannot be booked.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "refusal::UnavailableReason")]
pub enum UnavailableReason {
    /// No working window of the provider, or none of the location, holds the whole service.
    OutsideWorkingHours,
    /// Inside a window, but not at one of its start times.
    OffGrid,
    /// Another session or a hold takes the provider, buffers counted.
    ProviderBusy,
    /// Time off, a break or an external calendar.
    ProviderBlocked,
    /// Too few units of a required resource are free.
    ResourceBusy,
    /// Too few seats are left.
    Full,
    /// Inside the minimum notice, or in the past.
    TooSoon,
    /// Past the maximum advance.
    TooFarAhead,
    /// The limit of the service or the provider for that day is reached.
    DailyLimit,
    /// Kept for urgent bookings, or for another customer tier.
    Reserved,
    /// The provider does not offer this service, or not there.
    ProviderDoesNotOffer,
}

/// A rule of a booking's policy.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "policy::PolicyRule")]
pub enum PolicyRule {
    /// It is too late to reschedule.
    RescheduleNotice,
    /// It was rescheduled too often.
    RescheduleLimit,
    /// It is too late to cancel.
    CancellationNotice,
    /// The business takes no bookings then.
    Blackout,
    /// The customer has too many bookings open.
    ActiveBookingsLimit,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* })*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject, Clone)]
        pub struct $name {
            /// What kind of problem it is, for the program.
            #[graphql(owned)]
            code: ProblemCode,
            /// What is wrong and what was expected, in English, for people and logs.
            #[graphql(owned)]
            message: String,
            /// Where in the arguments it lies, from the outside in. Null where it lies in no single place.
            #[graphql(owned)]
            path: Option<Vec<String>>,
            $($(#[$field_doc])* $field: $type,)*
        }
    )*};
}

problems! {
    /// The input cannot be right. Code INVALID.
    InvalidInput {}
    /// There is no such thing. Code NOT_FOUND.
    NotFound {}
    /// The state of the thing does not allow it. Code CONFLICT.
    Conflict {}
    /// The thing has changed since you read it. Code VERSION_CONFLICT.
    VersionConflict {
        /// The version it has now.
        current_version: i32
    }
    /// The idempotency key was used with another input. Code IDEMPOTENCY_CONFLICT.
    IdempotencyConflict {}
    /// The slot cannot be had: why, and the nearest slots that can. Code SLOT_UNAVAILABLE.
    SlotUnavailable {
        /// Every reason there is; never empty.
        reasons: Vec<UnavailableReason>,
        /// The nearest free starts before and after, and the same time with another provider; by start. They are not held.
        alternatives: Vec<Slot>
    }
    /// The policy of the booking forbids it. Code POLICY_VIOLATION.
    PolicyViolation {
        /// Which of its rules.
        rule: PolicyRule
    }
    /// The hold does not keep its slot any more. Code HOLD_EXPIRED.
    HoldExpired {}
    /// A plugin of the business refused the booking; the message is the plugin's. Code PLUGIN_REFUSED.
    PluginRefused {}
}

impl ProblemCode {
    /// The code of a refusal.
    pub(crate) fn of(refused: &refusal::Problem) -> Self {
        use refusal::Problem;
        match refused {
            Problem::Invalid { .. } => Self::Invalid,
            Problem::NotFound { .. } => Self::NotFound,
            Problem::Conflict { .. } => Self::Conflict,
            Problem::VersionConflict { .. } => Self::VersionConflict,
            Problem::IdempotencyConflict => Self::IdempotencyConflict,
            Problem::SlotUnavailable { .. } => Self::SlotUnavailable,
            Problem::PolicyViolation { .. } => Self::PolicyViolation,
            Problem::HoldExpired => Self::HoldExpired,
            Problem::PluginRefused { .. } => Self::PluginRefused,
        }
    }

    /// The code as the API writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::VersionConflict => "VERSION_CONFLICT",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::SlotUnavailable => "SLOT_UNAVAILABLE",
            Self::PolicyViolation => "POLICY_VIOLATION",
            Self::HoldExpired => "HOLD_EXPIRED",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::PluginRefused => "PLUGIN_REFUSED",
        }
    }
}

/// Where in the arguments a refusal lies.
pub(crate) fn path(refused: &refusal::Problem) -> Option<Vec<String>> {
    use refusal::Problem;
    let fixed = |path: [&str; 2]| Some(path.map(str::to_owned).to_vec());
    match refused {
        Problem::Invalid { path, .. } | Problem::NotFound { path, .. } => Some(path.clone()),
        Problem::SlotUnavailable { .. } => fixed(["input", "startsAt"]),
        Problem::HoldExpired => fixed(["input", "holdId"]),
        _ => None,
    }
}

/// A refusal in words.
pub(crate) fn message(refused: &refusal::Problem) -> String {
    use refusal::Problem;
    match refused {
        Problem::Invalid { path, message } => named(path, message),
        Problem::NotFound { message, .. }
        | Problem::Conflict { message }
        | Problem::PolicyViolation { message, .. }
        | Problem::PluginRefused { message } => message.clone(),
        Problem::VersionConflict { current_version } => {
            format!("it has changed since you read it: its version is {current_version} now")
        }
        Problem::IdempotencyConflict => "this idempotency key was used with another input".to_owned(),
        Problem::SlotUnavailable { reasons, .. } => {
            let reasons: Vec<&str> = reasons.iter().map(|reason| in_words(*reason)).collect();
            format!("this time cannot be booked: {}", reasons.join("; "))
        }
        Problem::HoldExpired => "the hold does not keep its slot any more: it ran out, was given back or was redeemed".to_owned(),
    }
}

/// A message that says something of a field begins with the field's name.
fn named(path: &[String], message: &str) -> String {
    let says_of = ["must ", "is ", "names ", "needs "].iter().any(|verb| message.starts_with(verb));
    match path.last() {
        Some(field) if says_of => format!("`{field}` {message}"),
        _ => message.to_owned(),
    }
}

fn in_words(reason: refusal::UnavailableReason) -> &'static str {
    use refusal::UnavailableReason as Reason;
    match reason {
        Reason::OutsideWorkingHours => "it lies outside working hours",
        Reason::OffGrid => "no session starts at that minute",
        Reason::ProviderBusy => "the provider is busy",
        Reason::ProviderBlocked => "the provider is not available",
        Reason::ResourceBusy => "a room or resource that it needs is taken",
        Reason::Full => "too few seats are left",
        Reason::TooSoon => "it is too soon or in the past",
        Reason::TooFarAhead => "it is too far ahead",
        Reason::DailyLimit => "no more sessions are taken on that day",
        Reason::Reserved => "it is reserved",
        Reason::ProviderDoesNotOffer => "the provider does not offer this service",
    }
}

/// What a mutation was about: whose slots the alternatives are.
pub(crate) enum About {
    /// Nothing that has slots.
    Other,
    /// A slot of a service for a party.
    Service(ID, i32),
    /// A booking that was to move.
    Booking(ID),
}

/// What a mutation came to: done, or what stood in the way. Anything else is an error of the response.
pub(crate) async fn settled<T>(
    ctx: &Context<'_>,
    outcome: engine::Result<T>,
    about: &About,
) -> Result<Result<T, Vec<Problem>>> {
    let refused = match outcome {
        Ok(done) => return Ok(Ok(done)),
        Err(engine::Error::Refused(refused)) => refused,
        Err(error) => return Err(error.into()),
    };
    let mut problems = Vec::with_capacity(refused.len());
    for problem in refused {
        problems.push(shown(ctx, problem, about).await?);
    }
    Ok(Err(problems))
}

/// The same of a mutation of the catalogue: the engine answers an id, and the thing is found in the catalogue as it is since.
pub(crate) async fn changed<I, T>(
    ctx: &Context<'_>,
    outcome: engine::Result<I>,
    find: impl FnOnce(&Arc<Catalogue>, I) -> Option<T>,
) -> Result<(Option<T>, Vec<Problem>)> {
    match settled(ctx, outcome, &About::Other).await? {
        Ok(id) => {
            let catalogue = Asked::of(ctx)?.catalogue_now().await?;
            let thing = find(&catalogue, id).ok_or_else(|| Failure::fault("what was changed is not in the catalogue"))?;
            Ok((Some(thing), Vec::new()))
        }
        Err(problems) => Ok((None, problems)),
    }
}

/// What the engine answers to arguments that stand outside an `input`: their paths have none.
pub(crate) fn bare<T>(outcome: engine::Result<T>) -> engine::Result<T> {
    use refusal::Problem;
    let cut = |path: Vec<String>| match path.split_first() {
        Some((head, rest)) if head == "input" => rest.to_vec(),
        _ => path,
    };
    outcome.map_err(|error| match error {
        engine::Error::Refused(problems) => {
            let bare = problems.into_iter().map(|problem| match problem {
                Problem::Invalid { path, message } => Problem::Invalid { path: cut(path), message },
                Problem::NotFound { path, message } => Problem::NotFound { path: cut(path), message },
                other => other,
            });
            engine::Error::Refused(bare.collect())
        }
        other => other,
    })
}

async fn shown(ctx: &Context<'_>, refused: refusal::Problem, about: &About) -> Result<Problem> {
    use refusal::Problem as Refused;
    let (code, message, path) = (ProblemCode::of(&refused), message(&refused), path(&refused));
    Ok(match refused {
        Refused::Invalid { .. } => InvalidInput { code, message, path }.into(),
        Refused::NotFound { .. } => NotFound { code, message, path }.into(),
        Refused::Conflict { .. } => Conflict { code, message, path }.into(),
        Refused::VersionConflict { current_version } => {
            let current_version = i32::try_from(current_version).unwrap_or(i32::MAX);
            VersionConflict { code, message, path, current_version }.into()
        }
        Refused::IdempotencyConflict => IdempotencyConflict { code, message, path }.into(),
        Refused::SlotUnavailable { reasons, alternatives } => {
            let reasons = reasons.into_iter().map(UnavailableReason::from).collect();
            let alternatives = slots(ctx, alternatives, about).await?;
            SlotUnavailable { code, message, path, reasons, alternatives }.into()
        }
        Refused::PolicyViolation { rule, .. } => PolicyViolation { code, message, path, rule: rule.into() }.into(),
        Refused::HoldExpired => HoldExpired { code, message, path }.into(),
        Refused::PluginRefused { .. } => PluginRefused { code, message, path }.into(),
    })
}

/// Slots of what the mutation was about.
async fn slots(ctx: &Context<'_>, slots: Vec<domain::availability::Slot>, about: &About) -> Result<Vec<Slot>> {
    let asked = Asked::of(ctx)?;
    let (service_id, party_size) = match about {
        About::Service(service, party_size) => {
            (id::parsed::<ServiceId>(&["input", "serviceId"], service)?, u32::try_from(*party_size).unwrap_or(1))
        }
        About::Booking(booking) => {
            let booking = id::parsed::<BookingId>(&["input", "bookingId"], booking)?;
            match asked.engine.booking(&asked.caller, booking).await? {
                Some((booking, session)) => (session.service_id, booking.party_size),
                None => return Ok(Vec::new()),
            }
        }
        About::Other => return Ok(Vec::new()),
    };
    let catalogue = asked.catalogue_now().await?;
    let Some(service) = catalogue.service(service_id) else { return Ok(Vec::new()) };
    Ok(slots.into_iter().map(|slot| Slot::new(&catalogue, service, party_size, None, slot)).collect())
}
