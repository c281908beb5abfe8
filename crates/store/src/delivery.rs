//! Deliveries: events on their way to plugins, under leases.
//!
//! What is due is read without a lock, over all businesses; each row is then taken by one conditional UPDATE that names its
//! business, and its result is recorded only by whoever still holds the lease.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Int4, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, DeliveryId, EventId, Id};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::delivery;
use crate::{Conn, Result};

/// A delivery that may be taken.
#[derive(Debug, Clone, QueryableByName)]
pub struct DueDelivery {
    /// The business.
    #[diesel(sql_type = SqlUuid)]
    pub business_id: Uuid,
    /// The delivery.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
}

/// What is due for a plugin, over all businesses: whose time has come, whose lease is free or has run out, and that has no earlier
/// one of the same booking and part still waiting.
pub async fn delivery_due(
    mut conn: &Conn,
    plugin: &str,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    let rows = Prepared(diesel::sql_query(
        "SELECT d.business_id, d.id FROM delivery d \
         WHERE d.plugin = $1 AND d.status = 'waiting' AND d.next_attempt_at <= $2 \
           AND (d.leased_until IS NULL OR d.leased_until <= $2) \
           AND NOT EXISTS (SELECT FROM delivery e WHERE e.business_id = d.business_id AND e.booking_id = d.booking_id \
               AND e.plugin = d.plugin AND e.part = d.part AND e.booking_version < d.booking_version \
               AND e.status = 'waiting') \
         ORDER BY d.next_attempt_at LIMIT $3",
    )
    .bind::<Text, _>(plugin)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit))
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// When the next delivery of a plugin may become due: its time, or the end of somebody's lease on it.
pub async fn delivery_next(mut conn: &Conn, plugin: &str) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let next: Next = Prepared(
        diesel::sql_query(
            "SELECT min(greatest(next_attempt_at, leased_until)) AS at FROM delivery \
         WHERE plugin = $1 AND status = 'waiting'",
        )
        .bind::<Text, _>(plugin),
    )
    .get_result(&mut conn)
    .await?;
    Ok(next.at)
}

/// A delivery that was taken: what to do, and under which lease.
#[derive(Debug, Clone)]
pub struct TakenDelivery {
    /// The business.
    pub business_id: BusinessId,
    /// The delivery.
    pub id: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// Which effect of the plugin.
    pub part: String,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// The lease, which the result must bear.
    pub lease_id: Uuid,
    /// When the delivery was written.
    pub created_at: DateTime<Utc>,
}

/// Takes a delivery, if it is still waiting and nobody else has it.
pub async fn delivery_take(
    mut conn: &Conn,
    due: &DueDelivery,
    lease_id: Uuid,
    now: DateTime<Utc>,
    leased_until: DateTime<Utc>,
) -> Result<Option<TakenDelivery>> {
    let free = delivery::table
        .filter(delivery::business_id.eq(due.business_id))
        .filter(delivery::id.eq(due.id))
        .filter(delivery::status.eq("waiting"))
        .filter(delivery::next_attempt_at.le(now))
        .filter(
            delivery::leased_until
                .is_null()
                .or(delivery::leased_until.le(now)),
        );
    let taken = diesel::update(free)
        .set((
            delivery::attempts.eq(delivery::attempts + 1),
            delivery::lease_id.eq(lease_id),
            delivery::leased_until.eq(leased_until),
        ))
        .returning((
            delivery::event_id,
            delivery::part,
            delivery::attempts,
            delivery::created_at,
        ))
        .get_result::<(Uuid, String, i32, DateTime<Utc>)>(&mut conn)
        .await
        .optional()?;
    Ok(
        taken.map(|(event, part, attempt, created_at)| TakenDelivery {
            business_id: BusinessId::from_uuid(due.business_id),
            id: DeliveryId::from_uuid(due.id),
            event_id: EventId::from_uuid(event),
            part,
            attempt,
            lease_id,
            created_at,
        }),
    )
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The plugin did it.
    Delivered,
    /// Again, not before.
    Waiting {
        /// When.
        next_attempt_at: DateTime<Utc>,
    },
    /// Never again by itself.
    Parked,
    /// It was not tried after all (the process stops): the lease goes back and the attempt does not count.
    Returned,
}

/// Records how an attempt ended, if the lease is still held; answers whether it was. The attempt is kept with it.
pub async fn delivery_finish(
    mut conn: &Conn,
    taken: &TakenDelivery,
    ending: &Ending,
    note: Option<&str>,
    now: DateTime<Utc>,
    duration_ms: i32,
) -> Result<bool> {
    let (status, next, finished) = match ending {
        Ending::Delivered => ("delivered", now, Some(now)),
        Ending::Waiting { next_attempt_at } => ("waiting", *next_attempt_at, None),
        Ending::Parked => ("parked", now, Some(now)),
        Ending::Returned => ("waiting", now, None),
    };
    let recorded = Prepared(diesel::sql_query(
        "WITH held AS (UPDATE delivery SET status = $4, next_attempt_at = $5, finished_at = $6, last_error = $7, \
             lease_id = NULL, leased_until = NULL, attempts = attempts - $8 \
           WHERE business_id = $1 AND id = $2 AND lease_id = $3 RETURNING 1) \
         INSERT INTO delivery_attempt (business_id, id, delivery_id, at, ok, error, duration_ms) \
         SELECT $1, $9, $2, $10, $11, $7, $12 FROM held WHERE $8 = 0",
    )
    .bind::<SqlUuid, _>(taken.business_id.uuid())
    .bind::<SqlUuid, _>(taken.id.uuid())
    .bind::<SqlUuid, _>(taken.lease_id)
    .bind::<Text, _>(status)
    .bind::<Timestamptz, _>(next)
    .bind::<Nullable<Timestamptz>, _>(finished)
    .bind::<Nullable<Text>, _>(note)
    .bind::<Int4, _>(i32::from(matches!(ending, Ending::Returned)))
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Timestamptz, _>(now)
    .bind::<Bool, _>(matches!(ending, Ending::Delivered))
    .bind::<Int4, _>(duration_ms))
    .execute(&mut conn)
    .await?;
    Ok(recorded > 0)
}
