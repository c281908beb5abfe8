//! Sources: calendars elsewhere that are read, each under a lease by whoever reads it, as deliveries are.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, ProviderId};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::calendar_source;
use crate::{Conn, Result};

/// A calendar elsewhere.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = calendar_source)]
pub struct SourceRow {
    /// Its id.
    pub id: Uuid,
    /// By which connection.
    pub connection_id: Uuid,
    /// Whose.
    pub provider_id: Uuid,
    /// The other side's id of it.
    pub calendar: String,
    /// Whether what is in it makes its owner busy.
    pub is_busy: bool,
    /// What the last reading left.
    pub sync_token: Option<String>,
    /// When all of it was last read.
    pub full_read_at: Option<DateTime<Utc>>,
    /// When it was last read.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// When it is to be read; none: never again.
    pub next_sync_at: Option<DateTime<Utc>>,
    /// How often somebody said that it changed.
    pub nudges: i64,
    /// How often in a row it could not be read.
    pub failures: i32,
    /// Why.
    pub last_error: Option<String>,
    /// Our name for the channel that tells of changes.
    pub channel_id: Option<Uuid>,
    /// The other side's name for what that watches.
    pub channel_resource: Option<String>,
    /// The digest of its secret.
    pub channel_digest: Option<Vec<u8>>,
    /// Until when it tells.
    pub channel_expires_at: Option<DateTime<Utc>>,
    /// When another takes its place.
    pub channel_renew_at: Option<DateTime<Utc>>,
    /// Where it calls, or the one that was asked for last would.
    pub channel_address: Option<String>,
    /// When what lies ahead was last compared with what was written by its connection; none: it is to be.
    pub compared_at: Option<DateTime<Utc>>,
    /// When all of it is to be read anew, sooner than otherwise.
    pub whole_due_at: Option<DateTime<Utc>>,
}

/// The sources of these connections, retired ones too.
pub async fn source_list(
    mut conn: &Conn,
    business: BusinessId,
    connections: &[Uuid],
) -> Result<Vec<SourceRow>> {
    Ok(calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::connection_id.eq_any(connections))
        .order(calendar_source::calendar)
        .select(SourceRow::as_select())
        .load(&mut conn)
        .await?)
}

/// Has these calendars read by a connection, at once, and no others. Whether one makes busy may have changed: it is read anew then.
pub async fn source_set_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    (connection, provider): (Uuid, ProviderId),
    wanted: &[(String, bool)],
    now: DateTime<Utc>,
) -> Result<()> {
    let (calendars, busy): (Vec<&str>, Vec<bool>) = wanted
        .iter()
        .map(|(calendar, is_busy)| (calendar.as_str(), *is_busy))
        .unzip();
    let ids: Vec<Uuid> = wanted.iter().map(|_| Uuid::now_v7()).collect();
    Prepared(
        diesel::sql_query(
            "INSERT INTO calendar_source AS s (business_id, id, connection_id, provider_id, calendar, is_busy, next_sync_at) \
             SELECT $1, w.id, $2, $3, w.calendar, w.is_busy, $7 FROM unnest($4, $5, $6) AS w (id, calendar, is_busy) \
             ON CONFLICT (business_id, connection_id, calendar) DO UPDATE SET is_busy = excluded.is_busy, failures = 0, \
               last_error = NULL, next_sync_at = excluded.next_sync_at, nudges = s.nudges + 1, compared_at = NULL, \
               lease_id = NULL, leased_until = NULL, \
               sync_token = CASE WHEN s.is_busy = excluded.is_busy AND s.next_sync_at IS NOT NULL THEN s.sync_token END",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(connection)
        .bind::<SqlUuid, _>(provider.uuid())
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Text>, _>(&calendars)
        .bind::<Array<Bool>, _>(busy)
        .bind::<Timestamptz, _>(now),
    )
    .execute(&mut conn)
    .await?;
    let others = calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::connection_id.eq(connection))
        .filter(calendar_source::calendar.ne_all(calendars));
    diesel::update(others)
        .set((
            calendar_source::next_sync_at.eq(None::<DateTime<Utc>>),
            calendar_source::lease_id.eq(None::<Uuid>),
            calendar_source::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// A source that may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct DueSource {
    /// The business.
    #[diesel(sql_type = SqlUuid)]
    pub business_id: Uuid,
    /// The source.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
}

/// What is due, over all businesses but these.
pub async fn source_due(
    mut conn: &Conn,
    but: &[Uuid],
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<DueSource>> {
    Ok(Prepared(
        diesel::sql_query(
            "SELECT business_id, id FROM calendar_source WHERE next_sync_at <= $1 AND business_id <> ALL ($3) \
             AND (leased_until IS NULL OR leased_until <= $1) ORDER BY next_sync_at LIMIT $2",
        )
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(limit)
        .bind::<Array<SqlUuid>, _>(but),
    )
    .load(&mut conn)
    .await?)
}

/// When the next one may become due, of all businesses but these.
pub async fn source_next(mut conn: &Conn, but: &[Uuid]) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Next {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let next: Next = Prepared(
        diesel::sql_query(
            "SELECT min(greatest(next_sync_at, leased_until)) AS at FROM calendar_source \
             WHERE next_sync_at IS NOT NULL AND business_id <> ALL ($1)",
        )
        .bind::<Array<SqlUuid>, _>(but),
    )
    .get_result(&mut conn)
    .await?;
    Ok(next.at)
}

/// Takes a source under a lease, if it is due still and nobody has it.
pub async fn source_take(
    mut conn: &Conn,
    business: BusinessId,
    id: Uuid,
    lease_id: Uuid,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<SourceRow>> {
    let free = calendar_source::leased_until
        .is_null()
        .or(calendar_source::leased_until.le(now));
    let own = calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::id.eq(id))
        .filter(calendar_source::next_sync_at.le(now))
        .filter(free);
    let taken = diesel::update(own)
        .set((
            calendar_source::lease_id.eq(lease_id),
            calendar_source::leased_until.eq(until),
        ))
        .returning(SourceRow::as_returning())
        .get_result(&mut conn)
        .await;
    Ok(taken.optional()?)
}

/// A source under a lease.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// The source.
    pub source: Uuid,
    /// The lease.
    pub id: Uuid,
}

/// Whether the lease is still held; the source is locked then.
pub async fn source_hold_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    lease: Lease,
) -> Result<bool> {
    let held = calendar_source::table
        .find((business.uuid(), lease.source))
        .filter(calendar_source::lease_id.eq(lease.id))
        .select(calendar_source::id)
        .for_no_key_update()
        .first::<Uuid>(&mut conn)
        .await;
    Ok(held.optional()?.is_some())
}

/// How a reading ended well.
#[derive(Debug, Clone)]
pub struct ReadingEnd<'a> {
    /// What the next one goes on from; none: it reads everything.
    pub sync_token: Option<&'a str>,
    /// Whether everything was read.
    pub is_all: bool,
    /// When everything is to be read anew, sooner than otherwise.
    pub whole_due_at: Option<DateTime<Utc>>,
    /// Whether what lies ahead was compared with what was written.
    pub is_compared: bool,
    /// How often somebody had said that the calendar changed when it began.
    pub nudges: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// When the next one is due, if nobody says sooner.
    pub next_sync_at: DateTime<Utc>,
}

/// Records that a reading ended well, and gives the lease back; the caller holds it.
pub async fn source_finish_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    source: Uuid,
    end: &ReadingEnd<'_>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE calendar_source SET sync_token = $3, last_sync_at = $5, failures = 0, last_error = NULL, \
               full_read_at = CASE WHEN $4 THEN $5 ELSE full_read_at END, lease_id = NULL, leased_until = NULL, \
               compared_at = CASE WHEN $8 THEN $5 ELSE compared_at END, whole_due_at = $9, \
               next_sync_at = CASE WHEN nudges = $6 THEN $7 ELSE $5 END \
             WHERE business_id = $1 AND id = $2",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(source)
        .bind::<Nullable<Text>, _>(end.sync_token)
        .bind::<Bool, _>(end.is_all)
        .bind::<Timestamptz, _>(end.at)
        .bind::<BigInt, _>(end.nudges)
        .bind::<Timestamptz, _>(end.next_sync_at)
        .bind::<Bool, _>(end.is_compared)
        .bind::<Nullable<Timestamptz>, _>(end.whole_due_at),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Records that a reading failed, or was not tried, and gives the lease back if it is still held.
pub async fn source_put_off(
    mut conn: &Conn,
    business: BusinessId,
    lease: Lease,
    error: Option<&str>,
    next_sync_at: DateTime<Utc>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE calendar_source SET failures = failures + CASE WHEN $4 IS NULL THEN 0 ELSE 1 END, \
               last_error = coalesce($4, last_error), lease_id = NULL, leased_until = NULL, \
               next_sync_at = CASE WHEN next_sync_at IS NOT NULL THEN $5 END \
             WHERE business_id = $1 AND id = $2 AND lease_id = $3",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(lease.source)
        .bind::<SqlUuid, _>(lease.id)
        .bind::<Nullable<Text>, _>(error)
        .bind::<Timestamptz, _>(next_sync_at),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Somebody says that a source changed: it is read at once, or when it is to be tried again where it could not be read.
pub async fn source_nudge_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    source: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE calendar_source SET nudges = nudges + 1, \
               next_sync_at = CASE WHEN failures = 0 THEN $3 ELSE next_sync_at END \
             WHERE business_id = $1 AND id = $2 AND next_sync_at IS NOT NULL",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(source)
        .bind::<Timestamptz, _>(now),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Has all that is read with a plugin read at once: it is switched on again. Whoever reads one of them now, or leaves it for later, began before.
pub async fn source_wake_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE calendar_source s SET next_sync_at = $3, nudges = s.nudges + 1, compared_at = NULL, \
               lease_id = NULL, leased_until = NULL \
             FROM calendar_connection c WHERE c.business_id = $1 AND c.plugin = $2 AND c.ended_at IS NULL \
             AND s.business_id = $1 AND s.connection_id = c.id AND s.next_sync_at IS NOT NULL",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Text, _>(plugin)
        .bind::<Timestamptz, _>(now),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Takes a retired source away, whose channel is closed; one that is read again by now stays, without that channel.
pub async fn source_retire(
    mut conn: &Conn,
    business: BusinessId,
    source: Uuid,
    channel: Option<Uuid>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "WITH gone AS (DELETE FROM calendar_source WHERE business_id = $1 AND id = $2 AND next_sync_at IS NULL \
               RETURNING id) \
             UPDATE calendar_source SET channel_id = NULL, channel_resource = NULL, channel_digest = NULL, \
               channel_expires_at = NULL, channel_renew_at = NULL, channel_address = NULL \
             WHERE business_id = $1 AND id = $2 AND channel_id = $3 AND NOT EXISTS (SELECT FROM gone)",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(source)
        .bind::<Nullable<SqlUuid>, _>(channel),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}
