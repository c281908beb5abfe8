//! Links: the events of bookings in calendars elsewhere, as we last wrote them. A link stands before its event is written.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BookingId, BusinessId, Id};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::calendar_link;
use crate::{Conn, Result};

/// An event that we wrote.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = calendar_link)]
pub struct LinkRow {
    /// The booking.
    pub booking_id: Uuid,
    /// In which calendar.
    pub calendar: String,
    /// The other side's name for what we wrote; none: it is being written.
    pub etag: Option<String>,
    /// When it begins, as we wrote it.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Rises whenever we write.
    pub revision: i64,
}

/// Every link of a connection.
pub async fn link_list(
    mut conn: &Conn,
    business: BusinessId,
    connection: Uuid,
) -> Result<Vec<LinkRow>> {
    Ok(calendar_link::table
        .filter(calendar_link::business_id.eq(business.uuid()))
        .filter(calendar_link::connection_id.eq(connection))
        .select(LinkRow::as_select())
        .load(&mut conn)
        .await?)
}

/// The link of a booking.
pub async fn link_find(
    mut conn: &Conn,
    business: BusinessId,
    connection: Uuid,
    booking: BookingId,
) -> Result<Option<LinkRow>> {
    let found = calendar_link::table
        .find((business.uuid(), connection, booking.uuid()))
        .select(LinkRow::as_select())
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// Of these bookings those that other connections of the plugin have written to a calendar too, and whether one of them has not ended.
pub async fn link_others(
    mut conn: &Conn,
    business: BusinessId,
    (plugin, connection, calendar): (&str, Uuid, &str),
    bookings: &[BookingId],
) -> Result<Vec<(BookingId, bool)>> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = SqlUuid)]
        booking_id: Uuid,
        #[diesel(sql_type = Bool)]
        is_active: bool,
    }
    let ids: Vec<Uuid> = bookings.iter().map(|id| id.uuid()).collect();
    let rows: Vec<Other> = Prepared(
        diesel::sql_query(
            "SELECT l.booking_id, bool_or(c.ended_at IS NULL) AS is_active FROM calendar_link l \
             JOIN calendar_connection c ON c.business_id = l.business_id AND c.id = l.connection_id \
             WHERE l.business_id = $1 AND l.booking_id = ANY ($2) AND l.calendar = $3 AND l.connection_id <> $4 \
               AND c.plugin = $5 GROUP BY l.booking_id",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Text, _>(calendar)
        .bind::<SqlUuid, _>(connection)
        .bind::<Text, _>(plugin),
    )
    .load(&mut conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (BookingId::from_uuid(row.booking_id), row.is_active))
        .collect())
}

/// An event that is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct Intended<'a> {
    /// By which connection.
    pub connection: Uuid,
    /// For which booking.
    pub booking: BookingId,
    /// To which calendar.
    pub calendar: &'a str,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

/// Says that an event is about to be written by a connection that has not ended; answers the revision, none where it has.
pub async fn link_intend(
    mut conn: &Conn,
    business: BusinessId,
    event: Intended<'_>,
) -> Result<Option<i64>> {
    #[derive(QueryableByName)]
    struct Intention {
        #[diesel(sql_type = BigInt)]
        revision: i64,
    }
    let intended: Option<Intention> = Prepared(
        diesel::sql_query(
            "INSERT INTO calendar_link AS l (business_id, connection_id, booking_id, calendar, starts_at, ends_at) \
             SELECT c.business_id, c.id, $3, $4, $5, $6 FROM calendar_connection c \
             WHERE c.business_id = $1 AND c.id = $2 AND c.ended_at IS NULL \
             ON CONFLICT (business_id, connection_id, booking_id) DO UPDATE SET calendar = excluded.calendar, etag = NULL, \
               starts_at = excluded.starts_at, ends_at = excluded.ends_at, revision = l.revision + 1 \
             RETURNING revision",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(event.connection)
        .bind::<SqlUuid, _>(event.booking.uuid())
        .bind::<Text, _>(event.calendar)
        .bind::<Timestamptz, _>(event.starts_at)
        .bind::<Timestamptz, _>(event.ends_at),
    )
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(intended.map(|intended| intended.revision))
}

/// Says that an event was written as it was intended, unless somebody has intended anew since.
pub async fn link_written(
    mut conn: &Conn,
    business: BusinessId,
    (connection, booking): (Uuid, BookingId),
    revision: i64,
    etag: &str,
) -> Result<()> {
    let own = calendar_link::table
        .find((business.uuid(), connection, booking.uuid()))
        .filter(calendar_link::revision.eq(revision));
    diesel::update(own)
        .set((
            calendar_link::etag.eq(etag),
            calendar_link::revision.eq(revision + 1),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Takes a link away: its event is gone.
pub async fn link_delete(
    mut conn: &Conn,
    business: BusinessId,
    connection: Uuid,
    booking: BookingId,
) -> Result<()> {
    diesel::delete(calendar_link::table.find((business.uuid(), connection, booking.uuid())))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Forgets links to events that are long over.
pub async fn link_forget_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    connection: Uuid,
    before: DateTime<Utc>,
) -> Result<()> {
    let over = calendar_link::table
        .filter(calendar_link::business_id.eq(business.uuid()))
        .filter(calendar_link::connection_id.eq(connection))
        .filter(calendar_link::ends_at.lt(before));
    diesel::delete(over).execute(&mut conn).await?;
    Ok(())
}
