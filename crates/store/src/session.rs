//! Sessions, with the resources they take.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{
    BusinessId, CalendarId, Id, LocationId, ProviderId, ResourceId, ServiceId, SessionId,
};
use domain::session::Session;
use uuid::Uuid;

use crate::schema::{allocation, session};
use crate::{Conn, Result};

type Columns = (
    Uuid,
    Uuid,
    Uuid,
    Uuid,
    DateTime<Utc>,
    DateTime<Utc>,
    i32,
    i32,
);
const COLUMNS: (
    session::id,
    session::service_id,
    session::provider_id,
    session::location_id,
    session::starts_at,
    session::ends_at,
    session::capacity,
    session::seats_taken,
) = (
    session::id,
    session::service_id,
    session::provider_id,
    session::location_id,
    session::starts_at,
    session::ends_at,
    session::capacity,
    session::seats_taken,
);

fn row(
    (id, service, provider, location, starts_at, ends_at, capacity, seats_taken): Columns,
) -> Session {
    Session {
        id: SessionId::from_uuid(id),
        service_id: ServiceId::from_uuid(service),
        provider_id: ProviderId::from_uuid(provider),
        location_id: LocationId::from_uuid(location),
        starts_at,
        ends_at,
        capacity: u32::try_from(capacity).unwrap_or(0),
        seats_taken: u32::try_from(seats_taken).unwrap_or(0),
        resource_ids: Vec::new(),
    }
}

/// The sessions with these ids, with the resources they take.
pub async fn session_list(
    conn: &Conn,
    business: BusinessId,
    ids: &[SessionId],
) -> Result<Vec<Session>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let (mut first, mut second) = (conn, conn);
    let rows = session::table
        .filter(session::business_id.eq(business.uuid()))
        .filter(session::id.eq_any(&ids))
        .select(COLUMNS)
        .load::<Columns>(&mut first);
    let taken = allocation::table
        .filter(allocation::business_id.eq(business.uuid()))
        .filter(allocation::session_id.eq_any(&ids))
        .order((allocation::session_id, allocation::calendar_id))
        .select((allocation::session_id, allocation::calendar_id))
        .distinct()
        .load::<(Uuid, Uuid)>(&mut second);
    let (rows, taken) = futures_util::try_join!(rows, taken)?;
    let mut calendars: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (session, calendar) in taken {
        calendars.entry(session).or_default().push(calendar);
    }
    let with_resources = |columns: Columns| {
        let mut session = row(columns);
        let provider = session.provider_id.uuid();
        let taken = calendars.remove(&columns.0).unwrap_or_default();
        session.resource_ids = taken
            .into_iter()
            .filter(|id| *id != provider)
            .map(ResourceId::from_uuid)
            .collect();
        session
    };
    Ok(rows.into_iter().map(with_resources).collect())
}

/// The session with this id.
pub async fn session_find(
    conn: &Conn,
    business: BusinessId,
    id: SessionId,
) -> Result<Option<Session>> {
    Ok(session_list(conn, business, &[id]).await?.pop())
}

/// The sessions on a calendar that overlap a span, where anybody has a seat in them.
pub async fn session_list_over(
    mut conn: &Conn,
    business: BusinessId,
    calendar: CalendarId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<SessionId>> {
    let rows = allocation::table
        .inner_join(
            session::table.on(session::business_id
                .eq(allocation::business_id)
                .and(session::id.eq(allocation::session_id))),
        )
        .filter(allocation::business_id.eq(business.uuid()))
        .filter(allocation::calendar_id.eq(calendar.uuid()))
        .filter(session::starts_at.lt(to))
        .filter(session::ends_at.gt(from))
        .select(session::id)
        .distinct()
        .load::<Uuid>(&mut conn)
        .await?;
    Ok(rows.into_iter().map(SessionId::from_uuid).collect())
}
