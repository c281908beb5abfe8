//! Events: the log of what happened, read in an order that misses none.
//!
//! A transaction draws its number when it first writes and becomes visible when it commits, in any order. A reader therefore takes
//! only what lies below the oldest transaction still running (the horizon): nothing can appear there any more.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::event::Event;
use domain::id::{BusinessId, Id};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Conn, Result};

/// How far a reader has come: it has seen every transaction below.
pub type Horizon = i64;

/// The oldest transaction still running, and the first one not begun.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Running {
    /// Everything below has ended.
    #[diesel(sql_type = BigInt)]
    pub horizon: Horizon,
    /// Nothing from here on has begun. Equal to the horizon when nobody writes.
    #[diesel(sql_type = BigInt)]
    pub next: Horizon,
    /// When the server was started, in microseconds. See [`event_horizon_at_start`].
    #[diesel(sql_type = BigInt)]
    pub started: i64,
}

/// Which transactions are running.
pub async fn event_running(mut conn: &Conn) -> Result<Running> {
    Ok(Prepared(diesel::sql_query(
        "SELECT pg_snapshot_xmin(s)::text::bigint AS horizon, pg_snapshot_xmax(s)::text::bigint AS next, \
         (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started \
         FROM pg_current_snapshot() AS s",
    ))
    .get_result(&mut conn)
    .await?)
}

/// Where transactions were numbered on from when the server came up again; asked soon after it did. A crash forgets the numbers of
/// transactions that left nothing behind, and they are given out again, though a reader may have come beyond them. All that was written
/// before the crash has lower ones.
pub async fn event_horizon_at_start(mut conn: &Conn) -> Result<Horizon> {
    #[derive(QueryableByName)]
    struct Start {
        #[diesel(sql_type = BigInt)]
        horizon: Horizon,
    }
    let start: Start = Prepared(diesel::sql_query(
        // An epoch and a number of 32 bits: the whole number. The end of a recovery is a checkpoint.
        "SELECT (split_part(next_xid, ':', 1)::bigint << 32) + split_part(next_xid, ':', 2)::bigint AS horizon \
         FROM pg_control_checkpoint()",
    ))
    .get_result(&mut conn)
    .await?;
    Ok(start.horizon)
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = SqlUuid)]
    business_id: Uuid,
    #[diesel(sql_type = Jsonb)]
    payload: serde_json::Value,
}

/// Everything that was written from one horizon up to another in these businesses, in the order in which it happened. One that
/// cannot be read is passed over: the others are not held up for it.
pub async fn event_list_between(
    mut conn: &Conn,
    businesses: &[Uuid],
    from: Horizon,
    to: Horizon,
) -> Result<Vec<(BusinessId, Event)>> {
    let rows: Vec<EventRow> = Prepared(
        diesel::sql_query(
            "SELECT business_id, payload FROM event WHERE txid >= $1 AND txid < $2 AND business_id = ANY ($3) \
             ORDER BY seq",
        )
        .bind::<BigInt, _>(from)
        .bind::<BigInt, _>(to)
        .bind::<Array<SqlUuid>, _>(businesses),
    )
    .load(&mut conn)
    .await?;
    let read = |row: EventRow| match serde_json::from_value(row.payload) {
        Ok(event) => Some((BusinessId::from_uuid(row.business_id), event)),
        Err(error) => {
            tracing::error!(business = %row.business_id, %error, "an event cannot be read: nobody is told of it");
            None
        }
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Tells every node that this one committed something. Outside any transaction: inside, it would make all commits wait in one line.
pub async fn event_notify(mut conn: &Conn, node: &str) -> Result<()> {
    Prepared(diesel::sql_query("SELECT pg_notify('bookable', $1)").bind::<Text, _>(node))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Asks to be told, on this connection, whenever any node has committed something.
pub async fn event_listen(mut conn: &Conn) -> Result<()> {
    Prepared(diesel::sql_query("LISTEN bookable"))
        .execute(&mut conn)
        .await?;
    Ok(())
}
