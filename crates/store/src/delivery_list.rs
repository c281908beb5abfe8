//! Deliveries as staff see them: listed with every attempt, and sent on their way again by hand.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BookingId, BusinessId, DeliveryId, Id};
use uuid::Uuid;

use crate::schema::{delivery, delivery_attempt, event};
use crate::{Conn, Result};

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// On its way, or waiting for its next attempt.
    Waiting,
    /// There.
    Delivered,
    /// Nobody tries any more, unless asked to.
    Parked,
}

impl DeliveryStatus {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Parked];

    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Parked => "parked",
        }
    }

    /// The check on the column allows no other status than these.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Which deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Of this plugin.
    pub plugin: Option<String>,
    /// In one of these states.
    pub statuses: Option<Vec<DeliveryStatus>>,
    /// Of this booking.
    pub booking_id: Option<BookingId>,
    /// This one.
    pub id: Option<DeliveryId>,
}

/// A page of deliveries, the latest first.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryPage {
    /// Older than this one.
    pub after: Option<DeliveryId>,
    /// Newer than this one.
    pub before: Option<DeliveryId>,
    /// From the end: the oldest that fit.
    pub backward: bool,
    /// At most so many.
    pub limit: i64,
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// To which plugin.
    pub plugin: String,
    /// What happened, `booking.confirmed`.
    pub event: String,
    /// To which booking.
    pub booking_id: Option<BookingId>,
    /// Where it is.
    pub status: DeliveryStatus,
    /// When it is tried next; none where nobody tries any more.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// These deliveries, the latest first.
pub async fn delivery_list(
    mut conn: &Conn,
    business: BusinessId,
    filter: &DeliveryFilter,
    page: DeliveryPage,
) -> Result<Vec<Delivery>> {
    let query = paged(filtered(with_event().into_boxed(), business, filter), page).select((
        delivery::id,
        delivery::plugin,
        event::kind,
        delivery::booking_id,
        delivery::status,
        delivery::next_attempt_at,
        delivery::created_at,
    ));
    let rows = query.load::<Columns>(&mut conn).await?;
    let mut deliveries: Vec<Delivery> = rows.into_iter().filter_map(shown).collect();
    if page.backward {
        deliveries.reverse();
    }
    Ok(deliveries)
}

#[diesel::dsl::auto_type]
fn with_event() -> _ {
    delivery::table.inner_join(
        event::table.on(event::business_id
            .eq(delivery::business_id)
            .and(event::id.eq(delivery::event_id))),
    )
}

type Listed<'f> = diesel::dsl::IntoBoxed<'f, with_event, diesel::pg::Pg>;

fn filtered<'f>(query: Listed<'f>, business: BusinessId, filter: &'f DeliveryFilter) -> Listed<'f> {
    let mut query = query.filter(delivery::business_id.eq(business.uuid()));
    if let Some(plugin) = &filter.plugin {
        query = query.filter(delivery::plugin.eq(plugin));
    }
    if let Some(statuses) = &filter.statuses {
        let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
        query = query.filter(delivery::status.eq_any(names));
    }
    if let Some(booking) = filter.booking_id {
        query = query.filter(delivery::booking_id.eq(booking.uuid()));
    }
    if let Some(id) = filter.id {
        query = query.filter(delivery::id.eq(id.uuid()));
    }
    query
}

/// The page's stretch, from the end that it begins at.
fn paged(mut query: Listed<'_>, page: DeliveryPage) -> Listed<'_> {
    query = query.limit(page.limit);
    if let Some(after) = page.after {
        query = query.filter(delivery::id.lt(after.uuid()));
    }
    if let Some(before) = page.before {
        query = query.filter(delivery::id.gt(before.uuid()));
    }
    if page.backward {
        query.order(delivery::id.asc())
    } else {
        query.order(delivery::id.desc())
    }
}

type Columns = (
    Uuid,
    String,
    String,
    Option<Uuid>,
    String,
    DateTime<Utc>,
    DateTime<Utc>,
);

fn shown((id, plugin, event, booking, status, next, created_at): Columns) -> Option<Delivery> {
    let status = DeliveryStatus::from_name(&status)?;
    Some(Delivery {
        id: DeliveryId::from_uuid(id),
        plugin,
        event,
        booking_id: booking.map(BookingId::from_uuid),
        status,
        next_attempt_at: (status == DeliveryStatus::Waiting).then_some(next),
        created_at,
    })
}

/// One attempt at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Of which.
    pub delivery_id: DeliveryId,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether it was delivered.
    pub ok: bool,
    /// What went wrong, or why there was nothing to do.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
}

/// Every attempt at these deliveries, in order.
pub async fn delivery_attempt_list(
    mut conn: &Conn,
    business: BusinessId,
    deliveries: &[DeliveryId],
) -> Result<Vec<DeliveryAttempt>> {
    let ids: Vec<Uuid> = deliveries.iter().map(|id| id.uuid()).collect();
    let rows = delivery_attempt::table
        .filter(delivery_attempt::business_id.eq(business.uuid()))
        .filter(delivery_attempt::delivery_id.eq_any(ids))
        .order(delivery_attempt::id)
        .select((
            delivery_attempt::delivery_id,
            delivery_attempt::at,
            delivery_attempt::ok,
            delivery_attempt::error,
            delivery_attempt::duration_ms,
        ))
        .load::<(Uuid, DateTime<Utc>, bool, Option<String>, i32)>(&mut conn)
        .await?;
    let attempt = |(delivery, at, ok, error, duration_ms)| DeliveryAttempt {
        delivery_id: DeliveryId::from_uuid(delivery),
        at,
        ok,
        error,
        duration_ms,
    };
    Ok(rows.into_iter().map(attempt).collect())
}

/// How a delivery stands, for whoever is to send it on its way again.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Where it is.
    pub status: DeliveryStatus,
    /// How many attempts count.
    pub attempts: i32,
    /// What is noted about the last attempt, also one that does not count.
    pub note: Option<String>,
    /// When it is tried next.
    pub next_attempt_at: DateTime<Utc>,
    /// How long whoever has it in hand may take.
    pub leased_until: Option<DateTime<Utc>>,
}

/// Locks a delivery, so that nobody takes it in hand; answers how it stands.
pub async fn delivery_lock_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: DeliveryId,
) -> Result<Option<Standing>> {
    type Row = (
        String,
        i32,
        Option<String>,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
    );
    let found = delivery::table
        .find((business.uuid(), id.uuid()))
        .select((
            delivery::status,
            delivery::attempts,
            delivery::last_error,
            delivery::next_attempt_at,
            delivery::leased_until,
        ))
        .for_no_key_update()
        .first::<Row>(&mut conn)
        .await
        .optional()?;
    let Some((status, attempts, note, next_attempt_at, leased_until)) = found else {
        return Ok(None);
    };
    Ok(DeliveryStatus::from_name(&status).map(|status| Standing {
        status,
        attempts,
        note,
        next_attempt_at,
        leased_until,
    }))
}

/// Sends a delivery on its way again, from its first attempt on.
pub async fn delivery_retry_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: DeliveryId,
    now: DateTime<Utc>,
) -> Result<()> {
    let own = delivery::table
        .filter(delivery::business_id.eq(business.uuid()))
        .filter(delivery::id.eq(id.uuid()));
    diesel::update(own)
        .set((
            delivery::status.eq("waiting"),
            delivery::attempts.eq(0),
            delivery::next_attempt_at.eq(now),
            delivery::finished_at.eq(None::<DateTime<Utc>>),
            delivery::misconfigured.eq(false),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Deliveries of a plugin to a business whose part begins so and whose last attempt failed at the settings, of bookings that are not over: those
/// that wait, and those that nobody tries any more. In the order in which their bookings are locked.
pub async fn delivery_list_misconfigured(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    part: &str,
    now: DateTime<Utc>,
) -> Result<Vec<DeliveryId>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let found: Vec<Found> = diesel::sql_query(
        "SELECT d.id FROM delivery d \
           JOIN booking b ON b.business_id = $1 AND b.id = d.booking_id \
           JOIN session s ON s.business_id = $1 AND s.id = b.session_id \
         WHERE d.business_id = $1 AND d.plugin = $2 AND starts_with(d.part, $3) AND d.status <> 'delivered' \
           AND d.misconfigured AND s.ends_at > $4 ORDER BY b.id, d.id",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Text, _>(plugin)
    .bind::<Text, _>(part)
    .bind::<Timestamptz, _>(now)
    .load(&mut conn)
    .await?;
    let found = found.into_iter();
    Ok(found.map(|row| DeliveryId::from_uuid(row.id)).collect())
}

/// Sends deliveries of a plugin to a business on their way again whose part begins so, from their first attempt on: those that are parked (but for
/// parts that begin as `but_parked`), and those that wait after an attempt or are worked on after one that failed. What is under way loses its
/// lease: how it ends, by what was known when it began, is not recorded.
pub async fn delivery_retry_all_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    (part, but_parked): (&str, &str),
    now: DateTime<Utc>,
) -> Result<usize> {
    Ok(diesel::sql_query(
        "UPDATE delivery SET status = 'waiting', attempts = 0, next_attempt_at = $4, finished_at = NULL, \
           lease_id = NULL, leased_until = NULL \
         WHERE business_id = $1 AND plugin = $2 AND starts_with(part, $3) \
           AND CASE status WHEN 'waiting' THEN attempts > 0 OR last_error IS NOT NULL \
             WHEN 'parked' THEN NOT starts_with(part, $5) ELSE false END",
    )
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<Text, _>(plugin)
    .bind::<Text, _>(part)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(but_parked)
    .execute(&mut conn)
    .await?)
}
