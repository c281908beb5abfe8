//! Planning notifications: written, moved with the deliveries that carry them, or not to be sent after all.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, DeliveryId, Id, NotificationId, NotificationRuleId};
use domain::notification::Notification;
use serde::Serialize;
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::notification;
use crate::{Conn, Result};

#[derive(Serialize)]
struct NewRow<'a> {
    id: Uuid,
    booking_id: Uuid,
    rule_id: Uuid,
    occasion_id: Uuid,
    booking_version: i64,
    recipient: &'static str,
    channel: &'static str,
    plugin: &'a str,
    address: &'a str,
    due_at: DateTime<Utc>,
    status: &'static str,
    error: Option<&'a str>,
    delivery_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

/// Plans notifications. One of its rule, occasion, recipient and channel that is there already and was neither sent nor tried is planned
/// anew; any other stays as it is.
pub async fn notification_plan_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    new: &[Notification],
) -> Result<()> {
    let rows: Vec<NewRow<'_>> = new
        .iter()
        .map(|new| NewRow {
            id: new.id.uuid(),
            booking_id: new.booking_id.uuid(),
            rule_id: new.rule_id.uuid(),
            occasion_id: new.occasion_id,
            booking_version: new.booking_version,
            recipient: new.recipient.name(),
            channel: new.channel.name(),
            plugin: &new.plugin,
            address: &new.to,
            due_at: new.due_at,
            status: new.status.name(),
            error: new.error.as_deref(),
            delivery_id: new.delivery_id.map(Id::uuid),
            created_at: new.created_at,
        })
        .collect();
    Prepared(
        diesel::sql_query(
            "INSERT INTO notification AS n (business_id, id, booking_id, rule_id, occasion_id, booking_version, recipient, \
               channel, plugin, address, due_at, status, error, delivery_id, created_at) \
             SELECT $1, x.* FROM jsonb_to_recordset($2) AS x (id uuid, booking_id uuid, rule_id uuid, occasion_id uuid, \
               booking_version bigint, recipient text, channel text, plugin text, address text, due_at timestamptz, \
               status text, error text, delivery_id uuid, created_at timestamptz) \
             ON CONFLICT (business_id, occasion_id, rule_id, recipient, channel) DO UPDATE SET plugin = excluded.plugin, \
               address = excluded.address, due_at = excluded.due_at, status = excluded.status, error = excluded.error, \
               delivery_id = excluded.delivery_id, booking_version = excluded.booking_version \
             WHERE n.status IN ('planned', 'suppressed') AND n.tried_at IS NULL",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(rows)?),
    )
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// A planned notification that is due at another time, or not at all any more.
#[derive(Debug, Clone, Serialize)]
pub struct Replanned {
    /// Which.
    pub id: Uuid,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Why it is not sent, where it is not.
    pub error: Option<String>,
    /// The delivery that carries it.
    pub delivery_id: Uuid,
    /// To which plugin.
    #[serde(skip)]
    pub plugin: String,
}

/// Has planned notifications be due at other times, or not sent at all, and their deliveries with them. Answers the deliveries that nobody has
/// begun: they come at the new time; of the others a new one is needed.
pub async fn notification_move_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    rows: &[Replanned],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Moved {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let moved: Vec<Moved> = Prepared(
        diesel::sql_query(
            "WITH x AS (SELECT * FROM jsonb_to_recordset($2) AS x (id uuid, due_at timestamptz, error text, delivery_id uuid)), \
             n AS (UPDATE notification n SET due_at = x.due_at, error = x.error, \
                 status = CASE WHEN x.error IS NULL THEN n.status ELSE 'suppressed' END \
               FROM x WHERE n.business_id = $1 AND n.id = x.id AND n.status = 'planned') \
             UPDATE delivery d SET next_attempt_at = CASE WHEN x.error IS NULL THEN x.due_at ELSE $3 END \
             FROM x WHERE d.business_id = $1 AND d.id = x.delivery_id AND d.status = 'waiting' \
               AND (d.leased_until IS NULL OR d.leased_until <= $3) RETURNING d.id",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<Jsonb, _>(serde_json::to_value(rows)?)
        .bind::<Timestamptz, _>(now),
    )
    .load(&mut conn)
    .await?;
    Ok(moved.into_iter().map(|row| row.id).collect())
}

/// Has one other delivery carry a notification.
pub async fn notification_carry_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    delivery: DeliveryId,
) -> Result<()> {
    diesel::update(notification::table.find((business.uuid(), id.uuid())))
        .set(notification::delivery_id.eq(delivery.uuid()))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// A reminder that a rule has planned and nobody has tried, with what its time follows from.
#[derive(Debug, Clone, QueryableByName)]
pub struct PlannedReminder {
    /// Which.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// When it is due.
    #[diesel(sql_type = Timestamptz)]
    pub due_at: DateTime<Utc>,
    /// To whom, by its name.
    #[diesel(sql_type = Text)]
    pub recipient: String,
    /// To which plugin.
    #[diesel(sql_type = Text)]
    pub plugin: String,
    /// The delivery that carries it.
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: Uuid,
    /// When the booking begins.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    #[diesel(sql_type = Timestamptz)]
    pub ends_at: DateTime<Utc>,
    /// The zone of where it takes place.
    #[diesel(sql_type = Text)]
    pub location_zone: String,
    /// The customer's own.
    #[diesel(sql_type = Nullable<Text>)]
    pub customer_zone: Option<String>,
}

/// The reminders that a rule has planned and nobody has tried, with their deliveries locked; without those that somebody has in hand.
pub async fn notification_lock_planned_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    rule: NotificationRuleId,
    now: DateTime<Utc>,
) -> Result<Vec<PlannedReminder>> {
    Ok(Prepared(
        diesel::sql_query(
            "SELECT n.id, n.due_at, n.recipient, n.plugin, d.id AS delivery_id, s.starts_at, s.ends_at, \
               l.time_zone AS location_zone, c.time_zone AS customer_zone \
             FROM notification n \
             JOIN delivery d ON d.business_id = $1 AND d.id = n.delivery_id \
             JOIN booking b ON b.business_id = $1 AND b.id = n.booking_id \
             JOIN session s ON s.business_id = $1 AND s.id = b.session_id \
             JOIN location l ON l.business_id = $1 AND l.id = s.location_id \
             JOIN customer c ON c.business_id = $1 AND c.id = b.customer_id \
             WHERE n.business_id = $1 AND n.rule_id = $2 AND n.status = 'planned' AND n.tried_at IS NULL \
               AND n.occasion_id = n.booking_id AND d.status = 'waiting' \
               AND (d.leased_until IS NULL OR d.leased_until <= $3) \
             ORDER BY d.id FOR NO KEY UPDATE OF d",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(rule.uuid())
        .bind::<Timestamptz, _>(now),
    )
    .load(&mut conn)
    .await?)
}
