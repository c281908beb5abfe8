//! Deliveries that carry bookings to a calendar elsewhere: which are missing, which are on their way, and by whom they are worked on.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BookingId, BusinessId, Id, ProviderId};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Conn, Result};

/// Has what waits for a connection, or was given up on, go out at once: what it waited for has come.
pub async fn calendar_delivery_wake_in_tx(
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

/// Where bookings of a provider are written, for [`calendar_delivery_missing`].
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
pub async fn calendar_delivery_missing(
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
pub async fn calendar_delivery_pending(
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
pub async fn calendar_delivery_is_worked_on(
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
pub async fn calendar_delivery_booking(
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
