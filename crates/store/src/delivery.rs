//! Deliveries: events on their way to plugins, under leases.
//!
//! What is due is read without a lock ([`crate::delivery_due`]); rows are then taken by a conditional UPDATE that names their business,
//! and their results recorded only by whoever still holds the lease. Many at a time: a row costs no round trip and no commit of its own.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Int4, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::event::Event;
use domain::id::{BusinessId, DeliveryId, Id};
use serde::Serialize;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::delivery;
use crate::{Conn, Result};

/// A delivery that was taken: what to do, and under which lease.
#[derive(Debug, Clone)]
pub struct TakenDelivery {
    /// The business.
    pub business_id: BusinessId,
    /// The delivery.
    pub id: DeliveryId,
    /// The event, or why it cannot be read: one such holds up no other.
    pub event: std::result::Result<Event, String>,
    /// Which effect of the plugin.
    pub part: String,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// The lease, which the result must bear.
    pub lease_id: Uuid,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct TakenRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Jsonb)]
    payload: serde_json::Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// Takes deliveries of a business under one lease: those of them that are still waiting and that nobody else has.
///
/// The commit is not waited for to reach the disk: a lease that a crash of the database loses is taken again, as one that has run out.
pub async fn delivery_take(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[Uuid],
    lease_id: Uuid,
    now: DateTime<Utc>,
    leased_until: DateTime<Utc>,
) -> Result<Vec<TakenDelivery>> {
    let rows: Vec<TakenRow> = Prepared(
        diesel::sql_query(
            "WITH free AS (SELECT id FROM delivery WHERE business_id = $1 AND id = ANY ($2) AND status = 'waiting' \
               AND next_attempt_at <= $4 AND (leased_until IS NULL OR leased_until <= $4) FOR UPDATE SKIP LOCKED), \
             taken AS (UPDATE delivery d SET attempts = attempts + 1, lease_id = $3, leased_until = $5 FROM free f \
               WHERE d.business_id = $1 AND d.id = f.id \
               RETURNING d.id, d.event_id, d.part, d.attempts, d.created_at), \
             quick AS (SELECT set_config('synchronous_commit', 'off', true)) \
             SELECT t.id, t.part, t.attempts, t.created_at, e.payload FROM taken t \
               JOIN event e ON e.business_id = $1 AND e.id = t.event_id, quick ORDER BY t.id",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<SqlUuid, _>(lease_id)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(leased_until),
    )
    .load(&mut conn)
    .await?;
    let taken = rows.into_iter().map(|row| TakenDelivery {
        business_id: business,
        id: DeliveryId::from_uuid(row.id),
        event: serde_json::from_value(row.payload).map_err(|error| error.to_string()),
        part: row.part,
        attempt: row.attempts,
        lease_id,
        created_at: row.created_at,
    });
    Ok(taken.collect())
}

/// Has the lease of a delivery last until then; answers whether it is still held.
pub async fn delivery_renew(
    mut conn: &Conn,
    taken: &TakenDelivery,
    leased_until: DateTime<Utc>,
) -> Result<bool> {
    let own = delivery::table
        .find((taken.business_id.uuid(), taken.id.uuid()))
        .filter(delivery::lease_id.eq(taken.lease_id));
    let renewed = diesel::update(own)
        .set(delivery::leased_until.eq(leased_until))
        .execute(&mut conn)
        .await?;
    Ok(renewed == 1)
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The plugin did it.
    Delivered,
    /// There was nothing to do: that says nothing of how the plugin fares.
    Skipped,
    /// Again, not before.
    Waiting {
        /// When.
        next_attempt_at: DateTime<Utc>,
    },
    /// Again, not before, and as often as if this attempt had not been: the other side asks for it.
    Deferred {
        /// When.
        next_attempt_at: DateTime<Utc>,
    },
    /// Never again by itself.
    Parked,
    /// It was not tried after all (the process stops), or the other side has not decided yet: the lease goes back, the attempt does not
    /// count, and it is not tried before.
    Returned {
        /// When.
        next_attempt_at: DateTime<Utc>,
    },
}

/// An attempt that has ended.
#[derive(Debug, Clone)]
pub struct EndedAttempt {
    /// Of which delivery.
    pub id: DeliveryId,
    /// Under which lease.
    pub lease_id: Uuid,
    /// How.
    pub ending: Ending,
    /// Whether it was the settings that it failed at.
    pub misconfigured: bool,
    /// What is noted about it.
    pub note: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
}

#[derive(Serialize)]
struct EndedRow<'a> {
    id: Uuid,
    lease_id: Uuid,
    status: &'static str,
    next_attempt_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    misconfigured: bool,
    note: Option<&'a str>,
    /// Whether there was an attempt.
    counts: bool,
    /// Whether it is one of those after which the delivery is parked.
    spent: bool,
    /// Whether the plugin fares well by it; none: it does not tell.
    fares: Option<bool>,
    attempt_id: Uuid,
    at: DateTime<Utc>,
    duration_ms: i32,
}

impl<'a> EndedRow<'a> {
    fn of(attempt: &'a EndedAttempt) -> Self {
        let at = attempt.at;
        let (status, next_attempt_at, finished_at) = match &attempt.ending {
            Ending::Delivered | Ending::Skipped => ("delivered", at, Some(at)),
            Ending::Waiting { next_attempt_at }
            | Ending::Deferred { next_attempt_at }
            | Ending::Returned { next_attempt_at } => ("waiting", *next_attempt_at, None),
            Ending::Parked => ("parked", at, Some(at)),
        };
        Self {
            id: attempt.id.uuid(),
            lease_id: attempt.lease_id,
            status,
            next_attempt_at,
            finished_at,
            misconfigured: attempt.misconfigured,
            note: attempt.note.as_deref(),
            counts: !matches!(attempt.ending, Ending::Returned { .. }),
            spent: !matches!(
                attempt.ending,
                Ending::Returned { .. } | Ending::Deferred { .. }
            ),
            fares: match &attempt.ending {
                Ending::Delivered => Some(true),
                Ending::Waiting { .. } | Ending::Deferred { .. } | Ending::Parked => Some(false),
                Ending::Returned { .. } | Ending::Skipped => None,
            },
            attempt_id: Uuid::now_v7(),
            at,
            duration_ms: attempt.duration_ms,
        }
    }
}

/// Records how attempts of a business ended, of those whose lease is still held, and answers which those were. The attempts are kept
/// with their deliveries, and how the plugin fares with the business.
pub async fn delivery_finish(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    attempts: &[EndedAttempt],
) -> Result<Vec<DeliveryId>> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<EndedRow<'_>> = attempts.iter().map(EndedRow::of).collect();
    let held: Vec<Held> = Prepared(
        diesel::sql_query(
            "WITH ended AS (SELECT *, status = 'delivered' AS ok FROM jsonb_to_recordset($2) AS x (id uuid, lease_id uuid, status text, \
               next_attempt_at timestamptz, finished_at timestamptz, misconfigured boolean, note text, counts boolean, spent boolean, \
               fares boolean, attempt_id uuid, at timestamptz, duration_ms int)), \
             held AS (UPDATE delivery d SET status = x.status, next_attempt_at = x.next_attempt_at, \
                 finished_at = x.finished_at, misconfigured = x.misconfigured, last_error = x.note, lease_id = NULL, leased_until = NULL, \
                 attempts = d.attempts - CASE WHEN x.spent THEN 0 ELSE 1 END \
               FROM ended x WHERE d.business_id = $1 AND d.id = x.id AND d.lease_id = x.lease_id RETURNING d.id), \
             noted AS (INSERT INTO delivery_attempt (business_id, id, delivery_id, at, ok, error, duration_ms) \
               SELECT $1, x.attempt_id, x.id, x.at, x.ok, x.note, x.duration_ms \
               FROM ended x JOIN held h ON h.id = x.id WHERE x.counts), \
             fared AS (INSERT INTO plugin_health (business_id, plugin, last_success_at, last_error_at, last_error, \
                 failures_in_row) \
               SELECT $1, $3, max(x.at) FILTER (WHERE x.fares), max(x.at) FILTER (WHERE NOT x.fares), \
                 (array_agg(x.note ORDER BY x.at DESC) FILTER (WHERE NOT x.fares))[1], \
                 CASE WHEN bool_or(x.fares) THEN 0 ELSE count(*) END \
               FROM ended x JOIN held h ON h.id = x.id WHERE x.fares IS NOT NULL HAVING count(*) > 0 \
               ON CONFLICT (business_id, plugin) DO UPDATE SET \
                 last_success_at = coalesce(excluded.last_success_at, plugin_health.last_success_at), \
                 last_error_at = coalesce(excluded.last_error_at, plugin_health.last_error_at), \
                 last_error = coalesce(excluded.last_error, plugin_health.last_error), \
                 failures_in_row = CASE WHEN excluded.failures_in_row = 0 THEN 0 \
                   ELSE plugin_health.failures_in_row + excluded.failures_in_row END) \
             SELECT id FROM held",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(rows)?)
        .bind::<Text, _>(plugin),
    )
    .load(&mut conn)
    .await?;
    Ok(held
        .into_iter()
        .map(|row| DeliveryId::from_uuid(row.id))
        .collect())
}

/// Forgets deliveries that went well before an instant, with their attempts, over all businesses and so many at most; answers how many. They are found
/// in the order of their ids, which begin with the time of their event, so nothing is read but what is old.
pub async fn delivery_forget(mut conn: &Conn, before: DateTime<Utc>, limit: i64) -> Result<usize> {
    let millis = u64::try_from(before.timestamp_millis()).unwrap_or(0);
    let first_kept = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    let forgotten = Prepared(
        diesel::sql_query(
            "WITH old AS MATERIALIZED (SELECT b.id AS business_id, d.id FROM business b CROSS JOIN LATERAL ( \
                 SELECT id FROM delivery WHERE business_id = b.id AND id < $1 AND status = 'delivered' AND finished_at < $2 \
                 ORDER BY id LIMIT $3) d LIMIT $3), \
               attempts AS (DELETE FROM delivery_attempt a USING old WHERE a.business_id = old.business_id AND a.delivery_id = old.id) \
             DELETE FROM delivery d USING old WHERE d.business_id = old.business_id AND d.id = old.id",
        )
        .bind::<SqlUuid, _>(first_kept)
        .bind::<Timestamptz, _>(before)
        .bind::<diesel::sql_types::BigInt, _>(limit),
    )
    .execute(&mut conn)
    .await?;
    Ok(forgotten)
}
