//! What of the deliveries is due, and what comes next: read without a lock, over all businesses, and at a cost that does not grow with how much waits.
//!
//! The oldest of a plugin's queue are looked at, in the order of their index. Where these are a crowd that may not be begun (of a business that is left
//! alone, or of bookings that wait for an earlier delivery), the queue of each other business is looked at by itself. Left to itself, the planner
//! takes what may be begun for rare, and reads and sorts all that waits: hence `MATERIALIZED`, and `OFFSET 0` so that it makes no join of the look
//! at what comes before.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Conn, Result};

/// How many of the oldest are looked at; the number stands in the statements, too, for a plan that knows it.
const OLDEST: i64 = 256;

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
/// one of the same booking and part still waiting. Some businesses may be left out.
pub async fn delivery_due(
    mut conn: &Conn,
    plugin: &str,
    but: &[Uuid],
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    #[derive(QueryableByName)]
    struct Oldest {
        #[diesel(sql_type = BigInt)]
        seen: i64,
        #[diesel(sql_type = Array<SqlUuid>)]
        businesses: Vec<Uuid>,
        #[diesel(sql_type = Array<SqlUuid>)]
        ids: Vec<Uuid>,
    }
    let oldest: Oldest = Prepared(
        diesel::sql_query(DUE_OF_OLDEST)
            .bind::<Text, _>(plugin)
            .bind::<Timestamptz, _>(now)
            .bind::<BigInt, _>(limit)
            .bind::<Array<SqlUuid>, _>(but),
    )
    .get_result(&mut conn)
    .await?;
    let is_all = oldest.seen < OLDEST || oldest.ids.len() >= usize::try_from(limit).unwrap_or(0);
    if is_all {
        let due = oldest.businesses.into_iter().zip(oldest.ids);
        let due = due.map(|(business_id, id)| DueDelivery { business_id, id });
        return Ok(due.collect());
    }
    let rows = Prepared(
        diesel::sql_query(DUE_BY_BUSINESS)
            .bind::<Text, _>(plugin)
            .bind::<Timestamptz, _>(now)
            .bind::<BigInt, _>(limit)
            .bind::<Array<SqlUuid>, _>(but),
    )
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// Whether it may be begun: nobody has it in hand, and none of the same booking and part before it is still waiting.
macro_rules! may_begin {
    () => {
        "(d.leased_until IS NULL OR d.leased_until <= $2) \
           AND NOT EXISTS (SELECT FROM delivery e WHERE e.business_id = d.business_id AND e.booking_id = d.booking_id \
             AND e.plugin = $1 AND e.part = d.part AND e.booking_version < d.booking_version AND e.status = 'waiting' OFFSET 0)"
    };
}

const DUE_OF_OLDEST: &str = concat!(
    "WITH oldest AS MATERIALIZED (SELECT business_id, id, booking_id, part, booking_version, leased_until FROM delivery \
       WHERE plugin = $1 AND status = 'waiting' AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT 256), \
     due AS MATERIALIZED (SELECT d.business_id, d.id FROM oldest d WHERE d.business_id <> ALL ($4) AND ",
    may_begin!(),
    " LIMIT $3) \
     SELECT (SELECT count(*) FROM oldest) AS seen, ARRAY(SELECT business_id FROM due) AS businesses, ARRAY(SELECT id FROM due) AS ids"
);

const DUE_BY_BUSINESS: &str = concat!(
    "SELECT b.id AS business_id, due.id FROM business b CROSS JOIN LATERAL ( \
       SELECT d.id, d.next_attempt_at FROM delivery d \
       WHERE d.business_id = b.id AND d.plugin = $1 AND d.status = 'waiting' AND d.next_attempt_at <= $2 AND ",
    may_begin!(),
    " ORDER BY d.next_attempt_at LIMIT $3) due \
     WHERE b.id <> ALL ($4) ORDER BY due.next_attempt_at LIMIT $3"
);

/// When the next delivery of a plugin that is not due yet may become so: its time, or the end of somebody's lease on it. Only the oldest leases
/// and the first to come are looked at: whoever asks looks again now and then anyway.
pub async fn delivery_next(
    mut conn: &Conn,
    plugin: &str,
    but: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let next: Next = Prepared(
        diesel::sql_query(
            "SELECT least( \
               (SELECT min(next_attempt_at) FROM (SELECT business_id, next_attempt_at FROM delivery \
                   WHERE plugin = $1 AND status = 'waiting' AND next_attempt_at > $3 \
                   ORDER BY next_attempt_at LIMIT 256) first \
                 WHERE business_id <> ALL ($2)), \
               (SELECT min(leased_until) FROM (SELECT business_id, leased_until FROM delivery \
                   WHERE plugin = $1 AND status = 'waiting' AND next_attempt_at <= $3 \
                   ORDER BY next_attempt_at LIMIT 256) oldest \
                 WHERE leased_until > $3 AND business_id <> ALL ($2))) AS at",
        )
        .bind::<Text, _>(plugin)
        .bind::<Array<SqlUuid>, _>(but)
        .bind::<Timestamptz, _>(now),
    )
    .get_result(&mut conn)
    .await?;
    Ok(next.at)
}
