//! Events on their way from the booking that they tell of to the plugins that want them: handed on in order, many at a time.

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Conn, Result};

/// An event that is still to be handed on.
#[derive(Debug, Clone, QueryableByName)]
pub struct PendingDispatch {
    /// The business.
    #[diesel(sql_type = SqlUuid)]
    pub business_id: Uuid,
    /// Its place in the order.
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    /// The event.
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    /// The plugins that want it,
    #[diesel(sql_type = Array<Text>)]
    pub plugins: Vec<String>,
    /// and which part of each.
    #[diesel(sql_type = Array<Text>)]
    pub parts: Vec<String>,
}

/// A delivery that a pending event becomes.
#[derive(Debug, Clone)]
pub struct Handover<'a> {
    /// The event's place in the order.
    pub seq: i64,
    /// The delivery.
    pub id: Uuid,
    /// To which plugin,
    pub plugin: &'a str,
    /// and to which part of it.
    pub part: &'a str,
}

/// The first that are still to be handed on, over all businesses.
pub async fn dispatch_pending(mut conn: &Conn, limit: i64) -> Result<Vec<PendingDispatch>> {
    let rows = Prepared(
        diesel::sql_query(
            "SELECT business_id, seq, event_id, plugins, parts FROM dispatch ORDER BY seq LIMIT $1",
        )
        .bind::<BigInt, _>(limit),
    )
    .load(&mut conn)
    .await?;
    Ok(rows)
}

/// Hands events of a business on: those at these places are pending no more, and become these deliveries. What somebody else hands on at the same
/// moment is waited for and left to them, so the deliveries of one booking come into being in order.
///
/// The commit is not waited for to reach the disk: what a crash of the database loses of it is still pending then, and becomes the same deliveries.
pub async fn dispatch_hand_on(
    mut conn: &Conn,
    business: BusinessId,
    pending: &[i64],
    handovers: &[Handover<'_>],
) -> Result<()> {
    let (mut seqs, mut ids, mut plugins, mut parts) = <(Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    for handover in handovers {
        seqs.push(handover.seq);
        ids.push(handover.id);
        plugins.push(handover.plugin);
        parts.push(handover.part);
    }
    Prepared(
        diesel::sql_query(
            "WITH gone AS (DELETE FROM dispatch WHERE business_id = $1 AND seq = ANY ($2) \
               RETURNING seq, event_id, booking_id, booking_version, at), \
             quick AS (SELECT set_config('synchronous_commit', 'off', true)) \
             INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, \
               next_attempt_at, created_at) \
             SELECT $1, w.id, g.event_id, w.plugin, w.part, g.booking_id, g.booking_version, 'waiting', g.at, g.at \
             FROM unnest($3, $4, $5, $6) AS w (seq, id, plugin, part) JOIN gone g ON g.seq = w.seq, quick \
             ORDER BY w.seq ON CONFLICT DO NOTHING",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Array<BigInt>, _>(pending)
        .bind::<Array<BigInt>, _>(seqs)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(plugins)
        .bind::<Array<Text>, _>(parts),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}
