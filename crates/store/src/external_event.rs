//! When providers are busy elsewhere.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, ProviderId};
use serde::Serialize;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::{Conn, Result};

/// A time at which a calendar's owner is busy elsewhere.
#[derive(Debug, Clone, QueryableByName)]
pub struct ExternalBusy {
    /// The calendar.
    #[diesel(sql_type = SqlUuid)]
    pub calendar_id: Uuid,
    /// From.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// To.
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
}

/// When these calendars are busy elsewhere, after an instant. What was read with a plugin that is switched off does not count. Whether it is
/// this statement itself looks up: a catalogue that the caller read may be older than the versions under which the answer is kept.
pub async fn external_event_list(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
    after: DateTime<Utc>,
) -> Result<Vec<ExternalBusy>> {
    Ok(Prepared(
        diesel::sql_query(LIST)
            .bind::<SqlUuid, _>(business.uuid())
            .bind::<Array<SqlUuid>, _>(calendars)
            .bind::<Timestamptz, _>(after),
    )
    .load(&mut conn)
    .await?)
}

const LIST: &str = "\
SELECT e.calendar_id, e.starts_at, e.ends_at FROM external_event e
WHERE e.business_id = $1 AND e.calendar_id = ANY ($2) AND e.ends_at > $3 AND e.source_id NOT IN (
  SELECT s.id FROM plugin_setting p
  JOIN calendar_connection c ON c.business_id = p.business_id AND c.plugin = p.plugin
  JOIN calendar_source s ON s.business_id = c.business_id AND s.connection_id = c.id
  WHERE p.business_id = $1 AND NOT p.enabled)";

/// A busy time as it was read.
#[derive(Debug, Clone, Serialize)]
pub struct ExternalEventRow {
    /// The other side's id of it.
    pub external_id: String,
    /// From.
    pub starts_at: DateTime<Utc>,
    /// To.
    pub ends_at: DateTime<Utc>,
}

/// Whose events they are, for [`external_event_apply_in_tx`].
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// Of which source.
    pub source: Uuid,
    /// On whose calendar.
    pub provider: ProviderId,
}

/// Writes what was read of a source: these are busy, these are not any more, and where everything was read nothing else is. Answers how many
/// rows are other than before.
pub async fn external_event_apply_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    owner: Owner,
    busy: &[ExternalEventRow],
    gone: &[String],
    is_all: bool,
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Changed {
        #[diesel(sql_type = BigInt)]
        changed: i64,
    }
    let changed: Changed = Prepared(
        diesel::sql_query(APPLY)
            .bind::<SqlUuid, _>(business.uuid())
            .bind::<SqlUuid, _>(owner.source)
            .bind::<SqlUuid, _>(owner.provider.uuid())
            .bind::<Jsonb, _>(serde_json::to_value(busy)?)
            .bind::<Array<Text>, _>(gone)
            .bind::<Bool, _>(is_all),
    )
    .get_result(&mut conn)
    .await?;
    Ok(changed.changed)
}

const APPLY: &str = "\
WITH busy AS (
  SELECT * FROM jsonb_to_recordset($4) AS x (external_id text, starts_at timestamptz, ends_at timestamptz)
), put AS (
  INSERT INTO external_event AS e (business_id, source_id, external_id, calendar_id, starts_at, ends_at)
  SELECT $1, $2, x.external_id, $3, x.starts_at, x.ends_at FROM busy x
  ON CONFLICT (business_id, source_id, external_id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at
    WHERE e.starts_at <> excluded.starts_at OR e.ends_at <> excluded.ends_at
  RETURNING 1
), taken AS (
  DELETE FROM external_event e WHERE e.business_id = $1 AND e.source_id = $2
    AND (e.external_id = ANY ($5) OR ($6 AND NOT EXISTS (SELECT FROM busy x WHERE x.external_id = e.external_id)))
  RETURNING 1
)
SELECT (SELECT count(*) FROM put) + (SELECT count(*) FROM taken) AS changed";

/// Forgets everything that was read of sources that are not to make anybody busy: those of a connection that are retired or written to alone, or
/// all of them. Answers how many rows that were.
pub async fn external_event_free_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    connection: Uuid,
    all: bool,
) -> Result<usize> {
    Ok(Prepared(
        diesel::sql_query(
            "DELETE FROM external_event e USING calendar_source s WHERE e.business_id = $1 AND s.business_id = $1 \
             AND s.connection_id = $2 AND e.source_id = s.id AND ($3 OR NOT s.is_busy OR s.next_sync_at IS NULL)",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(connection)
        .bind::<Bool, _>(all),
    )
    .execute(&mut conn)
    .await?)
}
