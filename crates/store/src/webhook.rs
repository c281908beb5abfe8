//! Endpoints for webhooks: where a business has its events posted, how those fare that fail, and events that are posted again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, EventId, Id, WebhookEndpointId};
use domain::webhook::{WebhookEndpoint, WebhookHealth};
use serde::Serialize;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::{webhook_endpoint, webhook_health};
use crate::{Conn, Result};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_endpoint)]
struct Row {
    id: Uuid,
    url: String,
    events: Vec<String>,
    enabled: bool,
    sealed: Vec<u8>,
    secret_version: i32,
    paused_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
}

/// An endpoint with its secrets, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEndpoint {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// Its secrets.
    pub sealed: Vec<u8>,
    /// Which secret is the current one, from 1.
    pub secret_version: i32,
    /// Rises with every change, from 1.
    pub version: i64,
}

impl From<Row> for SealedEndpoint {
    fn from(row: Row) -> Self {
        Self {
            endpoint: WebhookEndpoint {
                id: WebhookEndpointId::from_uuid(row.id),
                url: row.url,
                events: row.events,
                enabled: row.enabled,
                paused_at: row.paused_at,
                created_at: row.created_at,
            },
            sealed: row.sealed,
            secret_version: row.secret_version,
            version: row.version,
        }
    }
}

/// All endpoints of a business, in the order in which they were made.
pub async fn webhook_endpoint_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<SealedEndpoint>> {
    let rows = webhook_endpoint::table
        .filter(webhook_endpoint::business_id.eq(business.uuid()))
        .order(webhook_endpoint::id)
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(SealedEndpoint::from).collect())
}

/// The endpoint with this id.
pub async fn webhook_endpoint_find(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
) -> Result<Option<SealedEndpoint>> {
    let found = webhook_endpoint::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .first(&mut conn)
        .await
        .optional()?;
    Ok(found.map(SealedEndpoint::from))
}

/// Writes an endpoint: a new one at version 1, else over the version just below. Answers whether that is what was there.
pub async fn webhook_endpoint_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &SealedEndpoint,
) -> Result<bool> {
    let endpoint = &row.endpoint;
    let values = (
        webhook_endpoint::url.eq(&endpoint.url),
        webhook_endpoint::events.eq(&endpoint.events),
        webhook_endpoint::enabled.eq(endpoint.enabled),
        webhook_endpoint::sealed.eq(&row.sealed),
        webhook_endpoint::secret_version.eq(row.secret_version),
        webhook_endpoint::paused_at.eq(endpoint.paused_at),
        webhook_endpoint::version.eq(row.version),
    );
    let written = if row.version == 1 {
        diesel::insert_into(webhook_endpoint::table)
            .values((
                webhook_endpoint::business_id.eq(business.uuid()),
                webhook_endpoint::id.eq(endpoint.id.uuid()),
                webhook_endpoint::created_at.eq(endpoint.created_at),
                values,
            ))
            .execute(&mut conn)
            .await?
    } else {
        let own = webhook_endpoint::table
            .find((business.uuid(), endpoint.id.uuid()))
            .filter(webhook_endpoint::version.eq(row.version - 1));
        diesel::update(own).set(values).execute(&mut conn).await?
    };
    Ok(written == 1)
}

/// Takes an endpoint away; answers whether it was there.
pub async fn webhook_endpoint_delete_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
) -> Result<bool> {
    let own = webhook_endpoint::table.find((business.uuid(), id.uuid()));
    Ok(diesel::delete(own).execute(&mut conn).await? == 1)
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = webhook_health)]
struct HealthRow {
    endpoint_id: Uuid,
    failures_in_row: i32,
    failing_since: DateTime<Utc>,
    resting_until: Option<DateTime<Utc>>,
    last_error: String,
}

impl From<HealthRow> for WebhookHealth {
    fn from(row: HealthRow) -> Self {
        Self {
            failures_in_row: u32::try_from(row.failures_in_row).unwrap_or(1),
            failing_since: row.failing_since,
            resting_until: row.resting_until,
            last_error: row.last_error,
        }
    }
}

/// How the endpoints of a business fare that fail.
pub async fn webhook_health_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<(WebhookEndpointId, WebhookHealth)>> {
    let rows = webhook_health::table
        .filter(webhook_health::business_id.eq(business.uuid()))
        .select(HealthRow::as_select())
        .load(&mut conn)
        .await?;
    let health = |row: HealthRow| (WebhookEndpointId::from_uuid(row.endpoint_id), row.into());
    Ok(rows.into_iter().map(health).collect())
}

/// How an endpoint fares, if it fails.
pub async fn webhook_health_find(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
) -> Result<Option<WebhookHealth>> {
    let found = webhook_health::table
        .find((business.uuid(), id.uuid()))
        .select(HealthRow::as_select())
        .first(&mut conn)
        .await
        .optional()?;
    Ok(found.map(WebhookHealth::from))
}

/// Notes that an endpoint works.
pub async fn webhook_health_clear(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
) -> Result<()> {
    let own = webhook_health::table.find((business.uuid(), id.uuid()));
    diesel::delete(own).execute(&mut conn).await?;
    Ok(())
}

/// Counts one more failure of an endpoint, whoever counts others at the same time, and from one on where the last one was before `forgotten`;
/// answers how it fares then, none where it has gone meanwhile. Of few failures it is the first that tells when they were.
pub async fn webhook_health_fail(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
    (at, error): (DateTime<Utc>, &str),
    forgotten: DateTime<Utc>,
) -> Result<Option<WebhookHealth>> {
    let found: Option<HealthRow> = Prepared(
        diesel::sql_query(
            "INSERT INTO webhook_health AS h (business_id, endpoint_id, failures_in_row, failing_since, last_error) \
             SELECT $1, e.id, 1, $3, $4 FROM webhook_endpoint e WHERE e.business_id = $1 AND e.id = $2 \
             ON CONFLICT (business_id, endpoint_id) DO UPDATE SET (failures_in_row, failing_since, resting_until) = ( \
                 SELECT CASE WHEN over THEN 1 ELSE h.failures_in_row + 1 END, \
                   CASE WHEN over THEN excluded.failing_since ELSE least(h.failing_since, excluded.failing_since) END, \
                   CASE WHEN over THEN NULL ELSE h.resting_until END \
                 FROM (SELECT coalesce(h.resting_until, h.failing_since) < $5) AS silence (over)), \
               last_error = excluded.last_error \
             RETURNING endpoint_id, failures_in_row, failing_since, resting_until, last_error",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(at)
        .bind::<Text, _>(error)
        .bind::<Timestamptz, _>(forgotten),
    )
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(found.map(WebhookHealth::from))
}

/// Leaves an endpoint alone until then, or for longer where that is said already. One that works meanwhile is not.
pub async fn webhook_health_rest(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
    until: DateTime<Utc>,
) -> Result<()> {
    Prepared(
        diesel::sql_query(
            "UPDATE webhook_health SET resting_until = greatest(resting_until, $3) \
             WHERE business_id = $1 AND endpoint_id = $2",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(until),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Ends the rest of an endpoint: somebody says that it works again.
pub async fn webhook_health_wake_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: WebhookEndpointId,
) -> Result<()> {
    diesel::update(webhook_health::table.find((business.uuid(), id.uuid())))
        .set(webhook_health::resting_until.eq(None::<DateTime<Utc>>))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// An event that can be posted again.
#[derive(Debug, Clone, QueryableByName)]
pub struct PostableEvent {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// What happened.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The booking it happened to,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub booking_id: Option<Uuid>,
    /// and its version after that.
    #[diesel(sql_type = BigInt)]
    pub booking_version: i64,
}

const POSTABLE: &str = "SELECT id, kind, booking_id, coalesce((payload -> 'booking' ->> 'version')::bigint, 0) AS booking_version FROM event";

/// Events of a business of these kinds in a span of time, the end exclusive, in their order.
pub async fn event_list_between(
    mut conn: &Conn,
    business: BusinessId,
    kinds: &[&str],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<PostableEvent>> {
    let query = diesel::sql_query(format!(
        "{POSTABLE} WHERE business_id = $1 AND kind = ANY ($2) AND at >= $3 AND at < $4 ORDER BY at, seq LIMIT $5"
    ))
    .bind::<SqlUuid, _>(business.uuid())
    .bind::<diesel::sql_types::Array<Text>, _>(kinds)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<BigInt, _>(limit);
    Ok(query.load(&mut conn).await?)
}

/// The event with this id.
pub async fn event_find_postable(
    mut conn: &Conn,
    business: BusinessId,
    id: EventId,
) -> Result<Option<PostableEvent>> {
    let query = diesel::sql_query(format!("{POSTABLE} WHERE business_id = $1 AND id = $2"))
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(id.uuid());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// A delivery that is to be made, whether or not it was made before.
#[derive(Debug, Clone, Serialize)]
pub struct AgainRow {
    /// Its id, if it is new.
    pub id: Uuid,
    /// Of which event.
    pub event_id: Uuid,
    /// The booking it happened to,
    pub booking_id: Option<Uuid>,
    /// and its version after that.
    pub booking_version: i64,
}

/// Sends deliveries to one part of a plugin on their way, with all their attempts before them, those that were there before too; answers
/// their ids. One that somebody works on at this moment is left alone.
pub async fn delivery_again_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    part: &str,
    rows: &[AgainRow],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Sent {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let sent: Vec<Sent> = Prepared(
        diesel::sql_query(
            "WITH wanted AS (SELECT * FROM jsonb_to_recordset($2) AS x (id uuid, event_id uuid, booking_id uuid, booking_version bigint)), \
             free AS (SELECT d.id FROM delivery d JOIN wanted x ON d.event_id = x.event_id AND d.booking_id = x.booking_id \
                 WHERE d.business_id = $1 AND d.plugin = $3 AND d.part = $4 \
               UNION ALL SELECT d.id FROM delivery d JOIN wanted x ON d.event_id = x.event_id AND x.booking_id IS NULL \
                 WHERE d.business_id = $1 AND d.plugin = $3 AND d.part = $4 AND d.booking_id IS NULL), \
             again AS (UPDATE delivery d SET status = 'waiting', attempts = 0, next_attempt_at = $5, finished_at = NULL \
               FROM free f WHERE d.business_id = $1 AND d.id = f.id AND (d.leased_until IS NULL OR d.leased_until <= $5) \
               RETURNING d.id), \
             fresh AS (INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, \
                 next_attempt_at, created_at) \
               SELECT $1, x.id, x.event_id, $3, $4, x.booking_id, x.booking_version, 'waiting', $5, $5 FROM wanted x \
               ON CONFLICT DO NOTHING RETURNING id) \
             SELECT id FROM again UNION ALL SELECT id FROM fresh",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(rows)?)
        .bind::<Text, _>(plugin)
        .bind::<Text, _>(part)
        .bind::<Timestamptz, _>(now),
    )
    .load(&mut conn)
    .await?;
    Ok(sent.into_iter().map(|row| row.id).collect())
}
