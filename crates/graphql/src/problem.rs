//! Problems: what stood in the way of a mutation, as data that a client can act on.

use async_graphql::{Enum, Interface, SimpleObject};
use domain::policy;
use domain::problem as refusal;

use crate::slot::Slot;

/// What stood in the way of a mutation: something the client has caused and can mend. Ask for `code` and `message` of any, and for
/// more with a fragment on the type, as in `... on SlotUnavailable { reasons alternatives { startsAt } }`.
#[derive(Interface, Clone)]
#[graphql(
    field(
        name = "code",
        ty = "ProblemCode",
        desc = "What kind of problem it is, for the program."
    ),
    field(
        name = "message",
        ty = "String",
        desc = "What is wrong and what was expected, in English, for people and logs."
    ),
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
            pub(crate) code: ProblemCode,
            /// What is wrong and what was expected, in English, for people and logs.
            #[graphql(owned)]
            pub(crate) message: String,
            /// Where in the arguments it lies, from the outside in. Null where it lies in no single place.
            #[graphql(owned)]
            pub(crate) path: Option<Vec<String>>,
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }
    )*};
}

problems! {
    /// The input cannot be right. Code `INVALID`.
    InvalidInput {}
    /// There is no such thing. Code `NOT_FOUND`.
    NotFound {}
    /// The state of the thing does not allow it. Code `CONFLICT`.
    Conflict {}
    /// The thing has changed since you read it. Code `VERSION_CONFLICT`.
    VersionConflict {
        /// The version it has now.
        current_version: i32
    }
    /// The idempotency key was used with another input. Code `IDEMPOTENCY_CONFLICT`.
    IdempotencyConflict {}
    /// The slot cannot be had: why, and the nearest slots that can. Code `SLOT_UNAVAILABLE`.
    SlotUnavailable {
        /// Every reason there is; never empty.
        reasons: Vec<UnavailableReason>,
        /// The nearest free starts before and after, and the same time with another provider; by start. They are not held.
        alternatives: Vec<Slot>
    }
    /// The policy of the booking forbids it. Code `POLICY_VIOLATION`.
    PolicyViolation {
        /// Which of its rules.
        rule: PolicyRule
    }
    /// The hold does not keep its slot any more. Code `HOLD_EXPIRED`.
    HoldExpired {}
    /// A plugin of the business refused the booking; the message is the plugin's. Code `PLUGIN_REFUSED`, or `PAYMENT_FAILED` where the payment
    /// that it asks for could not be begun.
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
            Problem::PaymentFailed { .. } => Self::PaymentFailed,
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
        | Problem::PaymentFailed { message }
        | Problem::PluginRefused { message } => message.clone(),
        Problem::VersionConflict { current_version } => {
            format!("it has changed since you read it: its version is {current_version} now")
        }
        Problem::IdempotencyConflict => {
            "this idempotency key was used with another input".to_owned()
        }
        Problem::SlotUnavailable { reasons, .. } => {
            let reasons: Vec<&str> = reasons.iter().map(|reason| in_words(*reason)).collect();
            format!("this time cannot be booked: {}", reasons.join("; "))
        }
        Problem::HoldExpired => {
            "the hold does not keep its slot any more: it ran out, was given back or was redeemed"
                .to_owned()
        }
    }
}

/// A message that says something of a field begins with the field's name.
fn named(path: &[String], message: &str) -> String {
    let says_of = ["must ", "is ", "names ", "needs "]
        .iter()
        .any(|verb| message.starts_with(verb));
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

#[cfg(test)]
mod tests {
    use super::*;
    use refusal::Problem as Refused;

    #[test]
    fn every_refusal_has_its_code_as_the_api_writes_it() {
        let text = || "why".to_owned();
        let slot = Refused::SlotUnavailable {
            reasons: Vec::new(),
            alternatives: Vec::new(),
        };
        let policy = Refused::PolicyViolation {
            rule: policy::PolicyRule::CancellationNotice,
            message: text(),
        };
        let refusals = [
            (Refused::invalid(&["input"], "is required"), "INVALID"),
            (Refused::not_found(&["id"], "booking"), "NOT_FOUND"),
            (Refused::conflict("why"), "CONFLICT"),
            (
                Refused::VersionConflict { current_version: 2 },
                "VERSION_CONFLICT",
            ),
            (Refused::IdempotencyConflict, "IDEMPOTENCY_CONFLICT"),
            (slot, "SLOT_UNAVAILABLE"),
            (policy, "POLICY_VIOLATION"),
            (Refused::HoldExpired, "HOLD_EXPIRED"),
            (Refused::PaymentFailed { message: text() }, "PAYMENT_FAILED"),
            (Refused::PluginRefused { message: text() }, "PLUGIN_REFUSED"),
        ];
        for (refused, name) in refusals {
            let code = ProblemCode::of(&refused);
            assert_eq!(code.name(), name);
            assert_eq!(
                async_graphql::resolver_utils::enum_value(code).to_string(),
                name
            );
            assert!(!message(&refused).is_empty());
        }
    }

    #[test]
    fn a_message_names_the_field_that_it_speaks_of() {
        assert_eq!(
            message(&Refused::invalid(&["input", "name"], "must not be empty")),
            "`name` must not be empty"
        );
        let other = Refused::invalid(&["input", "startsAt"], "the hold is for another time");
        assert_eq!(message(&other), "the hold is for another time");
        let reasons = vec![
            refusal::UnavailableReason::ProviderBusy,
            refusal::UnavailableReason::TooSoon,
        ];
        let slot = Refused::SlotUnavailable {
            reasons,
            alternatives: Vec::new(),
        };
        let expected =
            "this time cannot be booked: the provider is busy; it is too soon or in the past";
        assert_eq!(message(&slot), expected);
        assert_eq!(
            path(&slot),
            Some(vec!["input".to_owned(), "startsAt".to_owned()])
        );
        assert_eq!(path(&Refused::IdempotencyConflict), None);
    }
}
