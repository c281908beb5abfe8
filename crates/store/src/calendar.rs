//! Calendars: their versions, their locks, and what makes them busy.
//!
//! Versions are read before what they stand for, so a timeline may be newer than the version it is kept under, never older.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Int4, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::calendar::Versions;
use domain::id::{BusinessId, CalendarId, HoldId, Id, SessionId};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::{allocation, calendar};
use crate::{Conn, Result};

/// Whose calendar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarKind {
    /// A provider's.
    Provider,
    /// A resource's.
    Resource,
    /// A service's, on which its sessions are counted.
    Service,
}

/// Adds a calendar.
pub async fn calendar_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: CalendarId,
    kind: CalendarKind,
) -> Result<()> {
    let kind = match kind {
        CalendarKind::Provider => "provider",
        CalendarKind::Resource => "resource",
        CalendarKind::Service => "service",
    };
    diesel::insert_into(calendar::table)
        .values((
            calendar::business_id.eq(business.uuid()),
            calendar::id.eq(id.uuid()),
            calendar::kind.eq(kind),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The versions of these calendars now; those that do not exist are missing.
pub async fn calendar_versions(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[Uuid],
) -> Result<Versions> {
    let rows = calendar::table
        .filter(calendar::business_id.eq(business.uuid()))
        .filter(calendar::id.eq_any(ids))
        .select((calendar::id, calendar::version))
        .load::<(Uuid, i64)>(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, version)| (CalendarId::from_uuid(id), version))
        .collect())
}

/// Locks these calendars against other writers, in the one order used everywhere, and answers their versions.
pub async fn calendar_lock_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[Uuid],
) -> Result<Versions> {
    let rows = calendar::table
        .filter(calendar::business_id.eq(business.uuid()))
        .filter(calendar::id.eq_any(ids))
        .order(calendar::id)
        .select((calendar::id, calendar::version))
        .for_no_key_update()
        .load::<(Uuid, i64)>(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, version)| (CalendarId::from_uuid(id), version))
        .collect())
}

/// One allocation of a calendar with the session it is for.
#[derive(Debug, Clone, QueryableByName)]
pub struct BusyRow {
    /// The calendar.
    #[diesel(sql_type = SqlUuid)]
    pub calendar_id: Uuid,
    /// The unit of it.
    #[diesel(sql_type = Int4)]
    pub unit: i32,
    /// The session.
    #[diesel(sql_type = SqlUuid)]
    pub session_id: Uuid,
    /// What takes place.
    #[diesel(sql_type = SqlUuid)]
    pub service_id: Uuid,
    /// Where.
    #[diesel(sql_type = SqlUuid)]
    pub location_id: Uuid,
    /// When it begins.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    /// From when the calendar is kept, buffer included.
    #[diesel(sql_type = Timestamptz)]
    pub kept_from: DateTime<Utc>,
    /// Until when.
    #[diesel(sql_type = Timestamptz)]
    pub kept_to: DateTime<Utc>,
    /// Seats.
    #[diesel(sql_type = Int4)]
    pub capacity: i32,
    /// Seats taken.
    #[diesel(sql_type = Int4)]
    pub seats_taken: i32,
}

/// Seats of a session that a hold keeps.
#[derive(Debug, Clone, QueryableByName)]
pub struct HeldRow {
    /// The hold.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// The session.
    #[diesel(sql_type = SqlUuid)]
    pub session_id: Uuid,
    /// Until when.
    #[diesel(sql_type = Timestamptz)]
    pub expires_at: DateTime<Utc>,
    /// How many.
    #[diesel(sql_type = Int4)]
    pub party_size: i32,
}

/// What is allocated of these calendars after an instant. Each session is looked up by its key (OFFSET 0 keeps it so): left alone, the
/// planner reads every session of the business to find those of one calendar.
pub async fn calendar_busy(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
    after: DateTime<Utc>,
) -> Result<Vec<BusyRow>> {
    let rows = Prepared(diesel::sql_query(
        "SELECT a.calendar_id, a.unit, a.session_id, s.service_id, s.location_id, s.starts_at, s.ends_at, \
                lower(a.during) AS kept_from, upper(a.during) AS kept_to, s.capacity, s.seats_taken \
         FROM allocation a CROSS JOIN LATERAL (SELECT * FROM session t WHERE t.business_id = a.business_id \
              AND t.id = a.session_id OFFSET 0) s \
         WHERE a.business_id = $1 AND a.calendar_id = ANY ($2) AND upper(a.during) > $3",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Array<SqlUuid>, _>(calendars)
    .bind::<Timestamptz, _>(after))
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// Sessions of these services that begin after an instant, as rows of the services' own calendars.
pub async fn calendar_service_busy(
    mut conn: &Conn,
    business: BusinessId,
    services: &[Uuid],
    after: DateTime<Utc>,
) -> Result<Vec<BusyRow>> {
    let rows = Prepared(diesel::sql_query(
        "SELECT service_id AS calendar_id, 0 AS unit, id AS session_id, service_id, location_id, starts_at, ends_at, \
                starts_at AS kept_from, ends_at AS kept_to, capacity, seats_taken \
         FROM session WHERE business_id = $1 AND service_id = ANY ($2) AND starts_at > $3 AND seats_taken > 0",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Array<SqlUuid>, _>(services)
    .bind::<Timestamptz, _>(after))
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// The active holds in the sessions on these calendars (and of the services among them).
pub async fn calendar_held(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
) -> Result<Vec<HeldRow>> {
    let rows = Prepared(diesel::sql_query(
        "SELECT h.id, h.session_id, h.expires_at, h.party_size FROM hold h \
         WHERE h.business_id = $1 AND h.status = 'active' AND \
               (EXISTS (SELECT FROM allocation a WHERE a.business_id = h.business_id AND a.session_id = h.session_id \
                        AND a.calendar_id = ANY ($2)) \
                OR EXISTS (SELECT FROM session s WHERE s.business_id = h.business_id AND s.id = h.session_id \
                           AND s.service_id = ANY ($2)))",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Array<SqlUuid>, _>(calendars))
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// The calendars that a session takes.
pub async fn calendar_list_of_session(
    mut conn: &Conn,
    business: BusinessId,
    session: SessionId,
) -> Result<Vec<Uuid>> {
    let own = allocation::table
        .filter(allocation::business_id.eq(business.uuid()))
        .filter(allocation::session_id.eq(session.uuid()));
    Ok(own
        .select(allocation::calendar_id)
        .distinct()
        .load(&mut conn)
        .await?)
}

/// The holds in sessions on these calendars (or of the services among them) whose time has run out and that still keep their seats.
pub async fn calendar_overdue(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<HoldId>> {
    #[derive(QueryableByName)]
    struct Overdue {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<Overdue> = Prepared(diesel::sql_query(
        "SELECT h.id FROM hold h JOIN session s ON s.business_id = h.business_id AND s.id = h.session_id \
         WHERE h.business_id = $1 AND h.status = 'active' AND h.expires_at <= $3 \
           AND (s.service_id = ANY ($2) OR EXISTS (SELECT FROM allocation a WHERE a.business_id = h.business_id \
                AND a.session_id = h.session_id AND a.calendar_id = ANY ($2))) \
         ORDER BY h.expires_at",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Array<SqlUuid>, _>(calendars)
    .bind::<Timestamptz, _>(now))
    .load(&mut conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| HoldId::from_uuid(row.id))
        .collect())
}
