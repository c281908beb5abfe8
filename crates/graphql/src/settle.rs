//! What a mutation comes to: done, or what stood in the way, translated into the problems of the API.

use std::sync::Arc;

use async_graphql::{Context, ID};
use domain::id::{BookingId, ServiceId};
use domain::problem as refusal;
use engine::catalogue::Catalogue;

use crate::failure::{Failure, Result};
use crate::id;
use crate::problem::{
    Conflict, HoldExpired, IdempotencyConflict, InvalidInput, NotFound, PluginRefused,
    PolicyViolation, Problem, ProblemCode, SlotUnavailable, UnavailableReason, VersionConflict,
    message, path,
};
use crate::request::Asked;
use crate::slot::Slot;

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
            let thing = find(&catalogue, id)
                .ok_or_else(|| Failure::fault("what was changed is not in the catalogue"))?;
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
                Problem::Invalid { path, message } => Problem::Invalid {
                    path: cut(path),
                    message,
                },
                Problem::NotFound { path, message } => Problem::NotFound {
                    path: cut(path),
                    message,
                },
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
        Refused::Invalid { .. } => InvalidInput {
            code,
            message,
            path,
        }
        .into(),
        Refused::NotFound { .. } => NotFound {
            code,
            message,
            path,
        }
        .into(),
        Refused::Conflict { .. } => Conflict {
            code,
            message,
            path,
        }
        .into(),
        Refused::VersionConflict { current_version } => {
            let current_version = i32::try_from(current_version).unwrap_or(i32::MAX);
            VersionConflict {
                code,
                message,
                path,
                current_version,
            }
            .into()
        }
        Refused::IdempotencyConflict => IdempotencyConflict {
            code,
            message,
            path,
        }
        .into(),
        Refused::SlotUnavailable {
            reasons,
            alternatives,
        } => {
            let reasons = reasons.into_iter().map(UnavailableReason::from).collect();
            let alternatives = slots(ctx, alternatives, about).await?;
            SlotUnavailable {
                code,
                message,
                path,
                reasons,
                alternatives,
            }
            .into()
        }
        Refused::PolicyViolation { rule, .. } => PolicyViolation {
            code,
            message,
            path,
            rule: rule.into(),
        }
        .into(),
        Refused::HoldExpired => HoldExpired {
            code,
            message,
            path,
        }
        .into(),
        Refused::PluginRefused { .. } | Refused::PaymentFailed { .. } => PluginRefused {
            code,
            message,
            path,
        }
        .into(),
    })
}

/// Slots of what the mutation was about.
async fn slots(
    ctx: &Context<'_>,
    slots: Vec<domain::availability::Slot>,
    about: &About,
) -> Result<Vec<Slot>> {
    let asked = Asked::of(ctx)?;
    let (service_id, party_size) = match about {
        About::Service(service, party_size) => (
            id::parsed::<ServiceId>(&["input", "serviceId"], service)?,
            u32::try_from(*party_size).unwrap_or(1),
        ),
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
    let Some(service) = catalogue.service(service_id) else {
        return Ok(Vec::new());
    };
    Ok(slots
        .into_iter()
        .map(|slot| Slot::new(&catalogue, service, party_size, None, slot))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_outside_an_input_have_no_input_in_their_path() {
        let refused = vec![
            refusal::Problem::invalid(&["input", "idempotencyKey"], "is too long"),
            refusal::Problem::not_found(&["id"], "booking"),
            refusal::Problem::HoldExpired,
        ];
        let Err(engine::Error::Refused(bare)) = bare::<()>(Err(engine::Error::Refused(refused)))
        else {
            panic!("it is still refused");
        };
        let paths: Vec<_> = bare.iter().map(path).collect();
        let one = |name: &str| Some(vec![name.to_owned()]);
        assert_eq!(
            paths.get(..2),
            Some([one("idempotencyKey"), one("id")].as_slice())
        );
    }
}
