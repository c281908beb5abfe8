//! Sessions, with the resources they take.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{
    BusinessId, CalendarId, Id, LocationId, ProviderId, ResourceId, ServiceId, SessionId,
};
use domain::session::Session;
use serde::Serialize;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::{allocation, session};
use crate::{Conn, Result, StoreError};

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

/// A session as it was agreed on: the time that the clocks were to show.
#[derive(Debug, Clone)]
pub struct WallRow {
    /// The session.
    pub id: SessionId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// The wall-clock time that was booked.
    pub wall_start: NaiveDateTime,
    /// Its zone.
    pub time_zone: String,
}

/// The sessions in which anybody has a seat, by start, after a place in that order: as many as the limit says.
pub async fn session_list_walls(
    mut conn: &Conn,
    business: BusinessId,
    (at, id): (DateTime<Utc>, Uuid),
    limit: i64,
) -> Result<Vec<WallRow>> {
    let further = session::starts_at
        .gt(at)
        .or(session::starts_at.eq(at).and(session::id.gt(id)));
    let rows = session::table
        .filter(session::business_id.eq(business.uuid()))
        .filter(session::starts_at.ge(at))
        .filter(further)
        .filter(session::seats_taken.gt(0))
        .order((session::starts_at, session::id))
        .limit(limit)
        .select((
            session::id,
            session::starts_at,
            session::wall_start,
            session::time_zone,
        ))
        .load::<(Uuid, DateTime<Utc>, NaiveDateTime, String)>(&mut conn)
        .await?;
    let row = |(id, starts_at, wall_start, time_zone)| WallRow {
        id: SessionId::from_uuid(id),
        starts_at,
        wall_start,
        time_zone,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A session that goes to another time.
#[derive(Debug, Clone, Serialize)]
pub struct MovedSessionRow {
    /// The session.
    pub id: Uuid,
    /// When it begins now.
    pub starts_at: DateTime<Utc>,
    /// When it ends now.
    pub ends_at: DateTime<Utc>,
}

/// Moves sessions, which let go of their calendars: what they take at their new time is for the caller to add. The wall-clock time
/// that was booked stays what it was.
pub(crate) async fn session_move_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    rows: &[MovedSessionRow],
) -> Result<()> {
    #[derive(QueryableByName)]
    struct Moved {
        #[diesel(sql_type = BigInt)]
        sessions: i64,
    }
    let moved: Moved = Prepared(
        diesel::sql_query(
            "WITH moved AS ( \
               UPDATE session s SET starts_at = x.starts_at, ends_at = x.ends_at \
               FROM jsonb_to_recordset($2) AS x (id uuid, starts_at timestamptz, ends_at timestamptz) \
               WHERE s.business_id = $1 AND s.id = x.id AND s.seats_taken > 0 RETURNING s.id \
             ), freed AS ( \
               DELETE FROM allocation a USING moved m WHERE a.business_id = $1 AND a.session_id = m.id \
             ) SELECT count(*) AS sessions FROM moved",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(rows)?),
    )
    .get_result(&mut conn)
    .await?;
    if usize::try_from(moved.sessions) == Ok(rows.len()) {
        Ok(())
    } else {
        Err(StoreError::Race("a session was given up".to_owned()))
    }
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
