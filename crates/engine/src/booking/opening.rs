//! Opening a session: what a plan that joins none becomes in the database.

use chrono::{DateTime, Utc};
use domain::availability::{Plan, Seats, Taken};
use domain::id::{CalendarId, Id, ResourceId, SessionId};
use domain::interval::Interval;
use domain::session::Session;
use store::changes::{AllocationRow, Changes, SessionRow};
use uuid::Uuid;

use crate::availability::scope::Scope;
use crate::tx::TxError;

/// Adds the session that the plan opens, and what it takes, to the changes.
pub(super) fn open(
    scope: &Scope,
    plan: &Plan,
    now: DateTime<Utc>,
    changes: &mut Changes,
) -> Result<Session, TxError> {
    let Seats::Open { kept, taken } = &plan.seats else {
        return Err(TxError::race("nothing to open"));
    };
    let session = Session {
        id: SessionId::from_uuid(Uuid::now_v7()),
        service_id: scope.service.id,
        provider_id: plan.provider_id,
        location_id: plan.location_id,
        starts_at: plan.span.start().instant(),
        ends_at: plan.span.end().instant(),
        capacity: scope.service.capacity,
        seats_taken: scope.party_size,
        resource_ids: resources(plan, taken),
    };
    let overlap = taken.iter().any(|taken| taken.overlap);
    changes
        .sessions
        .push(session_row(scope, &session, overlap, now)?);
    let allocation = |taken: &Taken| allocation_row(session.id, *kept, taken);
    changes.allocations.extend(taken.iter().map(allocation));
    Ok(session)
}

/// The resources among the calendars that are taken, each once; they are sorted.
fn resources(plan: &Plan, taken: &[Taken]) -> Vec<ResourceId> {
    let provider = CalendarId::from(plan.provider_id);
    let mut resource_ids: Vec<ResourceId> = taken
        .iter()
        .filter(|taken| taken.calendar_id != provider)
        .map(|taken| ResourceId::from_uuid(taken.calendar_id.uuid()))
        .collect();
    resource_ids.dedup();
    resource_ids
}

fn session_row(
    scope: &Scope,
    session: &Session,
    overlap: bool,
    now: DateTime<Utc>,
) -> Result<SessionRow, TxError> {
    let location = scope
        .catalogue
        .location(session.location_id)
        .ok_or_else(|| TxError::race("the location is gone"))?;
    Ok(SessionRow {
        id: session.id.uuid(),
        service_id: session.service_id.uuid(),
        provider_id: session.provider_id.uuid(),
        location_id: session.location_id.uuid(),
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        wall_start: location.zone.to_wall(session.starts_at),
        time_zone: location.zone.name().to_owned(),
        capacity: session.capacity,
        seats_taken: session.seats_taken,
        overlap,
        created_at: now,
    })
}

fn allocation_row(session_id: SessionId, kept: Interval, taken: &Taken) -> AllocationRow {
    AllocationRow {
        calendar_id: taken.calendar_id.uuid(),
        unit: taken.unit,
        session_id: session_id.uuid(),
        kept_from: kept.start().instant(),
        kept_to: kept.end().instant(),
        overlap: taken.overlap,
    }
}
