//! Connections of providers to their calendars elsewhere. A provider has one at a time; one that has ended is kept until its traces at the
//! other side are gone.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BookingId, BusinessId, Id, ProviderId};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::calendar_connection;
use crate::{Conn, Result};

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendar_connection)]
pub struct ConnectionRow {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub provider_id: Uuid,
    /// By which plugin.
    pub plugin: String,
    /// The account, as its owner knows it.
    pub account: String,
    /// Whom the business's own access stands in for.
    pub subject: Option<String>,
    /// The refresh token, sealed; none: by the business's own access.
    pub sealed: Option<Vec<u8>>,
    /// What is read for when the provider is busy.
    pub read_from: Vec<String>,
    /// Where bookings are written.
    pub write_to: Option<String>,
    /// Rises with every new access.
    pub version: i64,
    /// Since when the access does not work any more.
    pub broken_at: Option<DateTime<Utc>>,
    /// Why.
    pub last_error: Option<String>,
    /// The booking that could not follow its event.
    pub conflict: Option<String>,
    /// Since when that is said.
    pub conflict_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The connection with this id, ended or not.
pub async fn connection_find(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
) -> Result<Option<ConnectionRow>> {
    let found = calendar_connection::table
        .find((business.uuid(), id))
        .select(ConnectionRow::as_select())
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// The connections of these providers that have not ended.
pub async fn connection_list(
    mut conn: &Conn,
    business: BusinessId,
    providers: &[Uuid],
) -> Result<Vec<ConnectionRow>> {
    Ok(calendar_connection::table
        .filter(calendar_connection::business_id.eq(business.uuid()))
        .filter(calendar_connection::provider_id.eq_any(providers))
        .filter(calendar_connection::ended_at.is_null())
        .select(ConnectionRow::as_select())
        .load(&mut conn)
        .await?)
}

/// Adds a connection.
pub async fn connection_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ConnectionRow,
) -> Result<()> {
    diesel::insert_into(calendar_connection::table)
        .values((calendar_connection::business_id.eq(business.uuid()), row))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Gives a connection that has not ended its choice of calendars and, where there is one, a new access: it works again. Answers whether it
/// was as it was read.
pub async fn connection_renew_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ConnectionRow,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), row.id))
        .filter(calendar_connection::ended_at.is_null())
        .filter(calendar_connection::version.eq(row.version - 1));
    let written = diesel::update(own)
        .set((
            calendar_connection::sealed.eq(&row.sealed),
            calendar_connection::subject.eq(&row.subject),
            calendar_connection::read_from.eq(&row.read_from),
            calendar_connection::write_to.eq(&row.write_to),
            calendar_connection::version.eq(row.version),
            calendar_connection::broken_at.eq(None::<DateTime<Utc>>),
            calendar_connection::last_error.eq(None::<String>),
            calendar_connection::conflict.eq(None::<String>),
            calendar_connection::conflict_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut conn)
        .await?;
    Ok(written == 1)
}

/// Ends a connection: what was read by it is forgotten, and nothing more is. Answers whether it had not ended before.
pub async fn connection_end_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::ended_at.is_null());
    let ended = diesel::update(own)
        .set(calendar_connection::ended_at.eq(at))
        .execute(&mut conn)
        .await?;
    Ok(ended == 1)
}

/// Says that the access does not work any more; answers whether that is news of this version of it.
pub async fn connection_break_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    (id, version): (Uuid, i64),
    at: DateTime<Utc>,
    reason: &str,
) -> Result<bool> {
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::version.eq(version))
        .filter(calendar_connection::ended_at.is_null())
        .filter(calendar_connection::broken_at.is_null());
    let broken = diesel::update(own)
        .set((
            calendar_connection::broken_at.eq(at),
            calendar_connection::last_error.eq(reason),
        ))
        .execute(&mut conn)
        .await?;
    Ok(broken == 1)
}

/// Forgets the access of every connection of a plugin, and every consent that is under way; answers the providers whose calendars that cuts off.
pub async fn connection_forget_all_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    at: DateTime<Utc>,
    reason: &str,
) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct CutOff {
        #[diesel(sql_type = SqlUuid)]
        provider_id: Uuid,
    }
    let rows: Vec<CutOff> = diesel::sql_query(
        "WITH known AS (SELECT id, provider_id, ended_at IS NULL AND broken_at IS NULL AS is_used FROM calendar_connection \
           WHERE business_id = $1 AND plugin = $2 AND sealed IS NOT NULL ORDER BY id FOR UPDATE), \
         forgotten AS (UPDATE calendar_connection c SET sealed = NULL, broken_at = coalesce(c.broken_at, $3), last_error = $4 \
           FROM known k WHERE c.business_id = $1 AND c.id = k.id), \
         consents AS (DELETE FROM calendar_consent WHERE business_id = $1 AND plugin = $2) \
         SELECT provider_id FROM known WHERE is_used",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Text, _>(plugin)
    .bind::<Timestamptz, _>(at)
    .bind::<Text, _>(reason)
    .load(&mut conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.provider_id).collect())
}

/// Says of which booking the event was put back, for staff.
pub async fn connection_flag_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
    at: DateTime<Utc>,
    conflict: &str,
) -> Result<()> {
    diesel::update(calendar_connection::table.find((business.uuid(), id)))
        .set((
            calendar_connection::conflict.eq(conflict),
            calendar_connection::conflict_at.eq(at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Forgets the access of a connection that has ended, what was written by it and what was read.
pub async fn connection_forget_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
) -> Result<()> {
    use crate::schema::{calendar_link, calendar_source};
    let links = calendar_link::table
        .filter(calendar_link::business_id.eq(business.uuid()))
        .filter(calendar_link::connection_id.eq(id));
    diesel::delete(links).execute(&mut conn).await?;
    let sources = calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::connection_id.eq(id))
        .filter(calendar_source::next_sync_at.is_null());
    diesel::delete(sources).execute(&mut conn).await?;
    let own = calendar_connection::table
        .find((business.uuid(), id))
        .filter(calendar_connection::ended_at.is_not_null());
    diesel::update(own)
        .set(calendar_connection::sealed.eq(None::<Vec<u8>>))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Has what waits for a connection, or was given up on, go out at once: what it waited for has come.
pub async fn connection_wake_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    (plugin, part): (&str, &str),
    at: DateTime<Utc>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE delivery SET next_attempt_at = $4, status = 'waiting', finished_at = NULL, \
               attempts = CASE WHEN lease_id IS NULL THEN 0 ELSE attempts END \
             WHERE business_id = $1 AND plugin = $2 AND part = $3 AND (status = 'parked' OR status = 'waiting' AND next_attempt_at > $4)",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Text, _>(plugin)
        .bind::<Text, _>(part)
        .bind::<Timestamptz, _>(at),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// A booking whose event does not stand elsewhere as it should, and nothing is on its way to mend that.
#[derive(Debug, Clone, QueryableByName)]
pub struct OutOfStep {
    /// The booking.
    #[diesel(sql_type = SqlUuid)]
    pub booking_id: Uuid,
    /// Its version.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

/// Where bookings of a provider are written, for [`connection_out_of_step`].
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    /// By which connection.
    pub connection: Uuid,
    /// Whose bookings.
    pub provider: ProviderId,
    /// To which calendar; none: nowhere.
    pub write_to: Option<&'a str>,
    /// By which plugin.
    pub plugin: &'a str,
    /// By which part deliveries of it are told.
    pub part: &'a str,
}

/// The bookings ahead of which a calendar elsewhere says something else than it should, and no delivery is waiting (or was
/// given up on today, as the booking is now).
pub async fn connection_out_of_step(
    mut conn: &Conn,
    business: BusinessId,
    desired: Desired<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<OutOfStep>> {
    let rows = Prepared(
        diesel::sql_query(OUT_OF_STEP)
            .bind::<SqlUuid, _>(business.uuid())
            .bind::<SqlUuid, _>(desired.connection)
            .bind::<SqlUuid, _>(desired.provider.uuid())
            .bind::<Nullable<Text>, _>(desired.write_to)
            .bind::<Text, _>(desired.plugin)
            .bind::<Text, _>(desired.part)
            .bind::<Timestamptz, _>(now),
    )
    .load(&mut conn)
    .await?;
    Ok(rows)
}

const OUT_OF_STEP: &str = "\
WITH wrong AS (
  SELECT b.id, b.version FROM session s
  JOIN booking b ON b.business_id = s.business_id AND b.session_id = s.id
  LEFT JOIN calendar_link l ON l.business_id = s.business_id AND l.connection_id = $2 AND l.booking_id = b.id
  WHERE s.business_id = $1 AND s.provider_id = $3 AND s.starts_at > $7 AND $4 IS NOT NULL
    AND b.status IN ('confirmed', 'checked_in')
    AND (l.etag IS NULL OR l.calendar <> $4 OR l.starts_at <> s.starts_at OR l.ends_at <> s.ends_at)
  UNION
  SELECT b.id, b.version FROM calendar_link l
  JOIN booking b ON b.business_id = l.business_id AND b.id = l.booking_id
  JOIN session s ON s.business_id = b.business_id AND s.id = b.session_id
  WHERE l.business_id = $1 AND l.connection_id = $2 AND l.ends_at > $7
    AND ($4 IS NULL OR s.provider_id <> $3 OR b.status IN ('pending', 'cancelled', 'expired'))
)
SELECT w.id AS booking_id, w.version FROM wrong w
WHERE NOT EXISTS (SELECT FROM delivery d WHERE d.business_id = $1 AND d.booking_id = w.id AND d.plugin = $5
  AND d.part = $6 AND (d.status = 'waiting' OR (d.status = 'parked' AND d.booking_version = w.version
    AND d.finished_at > $7 - interval '1 day')))
  AND NOT EXISTS (SELECT FROM dispatch p, unnest(p.plugins, p.parts) AS x (plugin, part)
    WHERE p.business_id = $1 AND p.booking_id = w.id AND x.plugin = $5 AND x.part = $6)";

/// Of these bookings those that have a delivery of this part on its way (or an event that becomes one), and whether somebody has taken one: what it
/// writes may be there already.
pub async fn connection_pending(
    mut conn: &Conn,
    business: BusinessId,
    (plugin, part): (&str, &str),
    bookings: &[BookingId],
) -> Result<Vec<(BookingId, bool)>> {
    #[derive(QueryableByName)]
    struct Pending {
        #[diesel(sql_type = SqlUuid)]
        booking_id: Uuid,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        is_taken: bool,
    }
    let ids: Vec<Uuid> = bookings.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Pending> = Prepared(
        diesel::sql_query(
            "SELECT booking_id, bool_or(is_taken) AS is_taken FROM ( \
               SELECT booking_id, lease_id IS NOT NULL AS is_taken FROM delivery WHERE business_id = $1 \
                 AND booking_id = ANY ($2) AND plugin = $3 AND part = $4 AND status = 'waiting' \
               UNION ALL SELECT booking_id, false FROM dispatch, unnest(plugins, parts) AS x (plugin, part) \
                 WHERE business_id = $1 AND booking_id = ANY ($2) AND x.plugin = $3 AND x.part = $4) d \
             GROUP BY booking_id",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Text, _>(plugin)
        .bind::<Text, _>(part),
    )
    .load(&mut conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (BookingId::from_uuid(row.booking_id), row.is_taken))
        .collect())
}

/// Whether anybody works on a delivery of this part at the moment.
pub async fn connection_is_worked_on(
    mut conn: &Conn,
    business: BusinessId,
    (plugin, part): (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Worked {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        worked: bool,
    }
    let found: Worked = Prepared(
        diesel::sql_query(
            "SELECT EXISTS (SELECT FROM delivery WHERE business_id = $1 AND plugin = $2 AND part = $3 AND status = 'waiting' \
             AND leased_until > $4) AS worked",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Text, _>(plugin)
        .bind::<Text, _>(part)
        .bind::<Timestamptz, _>(now),
    )
    .get_result(&mut conn)
    .await?;
    Ok(found.worked)
}

/// The booking that a delivery is about.
pub async fn connection_delivery_booking(
    mut conn: &Conn,
    business: BusinessId,
    delivery: Uuid,
) -> Result<Option<BookingId>> {
    use crate::schema::delivery as table;
    let found = table::table
        .find((business.uuid(), delivery))
        .select(table::booking_id)
        .first::<Option<Uuid>>(&mut conn)
        .await;
    Ok(found.optional()?.flatten().map(BookingId::from_uuid))
}
