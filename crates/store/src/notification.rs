//! Notifications: what was or will be said, to one recipient by one channel.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::event::Event;
use domain::id::{BookingId, BusinessId, DeliveryId, Id, NotificationId, NotificationRuleId};
use domain::notification::{Channel, Notification, NotificationStatus, Recipient};
use uuid::Uuid;

use crate::prepared::Prepared;
use crate::schema::notification;
use crate::{Conn, Result, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = notification)]
struct Row {
    id: Uuid,
    booking_id: Uuid,
    rule_id: Uuid,
    occasion_id: Uuid,
    booking_version: i64,
    recipient: String,
    channel: String,
    plugin: String,
    address: String,
    due_at: DateTime<Utc>,
    status: String,
    subject: Option<String>,
    body: Option<String>,
    error: Option<String>,
    external_id: Option<String>,
    delivery_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    tried_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Notification {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let odd = |what: &str| StoreError::Fault(format!("{what} of notification {}", row.id));
        Ok(Self {
            id: NotificationId::from_uuid(row.id),
            booking_id: BookingId::from_uuid(row.booking_id),
            rule_id: NotificationRuleId::from_uuid(row.rule_id),
            occasion_id: row.occasion_id,
            booking_version: row.booking_version,
            recipient: Recipient::from_name(&row.recipient).ok_or_else(|| odd("recipient"))?,
            channel: Channel::from_name(&row.channel).ok_or_else(|| odd("channel"))?,
            status: NotificationStatus::from_name(&row.status).ok_or_else(|| odd("status"))?,
            plugin: row.plugin,
            to: row.address,
            due_at: row.due_at,
            subject: row.subject,
            body: row.body,
            error: row.error,
            external_id: row.external_id,
            delivery_id: row.delivery_id.map(DeliveryId::from_uuid),
            created_at: row.created_at,
            tried_at: row.tried_at,
        })
    }
}

fn all(rows: Vec<Row>) -> Result<Vec<Notification>> {
    rows.into_iter().map(Notification::try_from).collect()
}

/// The notifications of bookings, in the order in which they were planned.
pub async fn notification_list(
    mut conn: &Conn,
    business: BusinessId,
    bookings: &[BookingId],
) -> Result<Vec<Notification>> {
    let bookings: Vec<Uuid> = bookings.iter().map(|id| id.uuid()).collect();
    let rows = notification::table
        .filter(notification::business_id.eq(business.uuid()))
        .filter(notification::booking_id.eq_any(bookings))
        .order((notification::created_at, notification::id))
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    all(rows)
}

/// The notification with this id.
pub async fn notification_find(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
) -> Result<Option<Notification>> {
    let found = notification::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Notification::try_from).transpose()
}

/// The notification that the other side of a plugin calls so.
pub async fn notification_by_external_id(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    external_id: &str,
) -> Result<Option<Notification>> {
    let found = notification::table
        .filter(notification::business_id.eq(business.uuid()))
        .filter(notification::plugin.eq(plugin))
        .filter(notification::external_id.eq(external_id))
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Notification::try_from).transpose()
}

/// The notifications that a delivery carries.
pub async fn notification_list_of_delivery(
    mut conn: &Conn,
    business: BusinessId,
    delivery: DeliveryId,
) -> Result<Vec<Notification>> {
    let rows = notification::table
        .filter(notification::business_id.eq(business.uuid()))
        .filter(notification::delivery_id.eq(delivery.uuid()))
        .order(notification::id)
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    all(rows)
}

/// The event of a delivery; none where it cannot be read any more.
pub async fn notification_event(
    mut conn: &Conn,
    business: BusinessId,
    delivery: DeliveryId,
) -> Result<Option<Event>> {
    #[derive(QueryableByName)]
    struct Payload {
        #[diesel(sql_type = Jsonb)]
        payload: serde_json::Value,
    }
    let found: Vec<Payload> = Prepared(
        diesel::sql_query(
            "SELECT e.payload FROM delivery d JOIN event e ON e.business_id = d.business_id AND e.id = d.event_id \
             WHERE d.business_id = $1 AND d.id = $2",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(delivery.uuid()),
    )
    .load(&mut conn)
    .await?;
    let event = found.into_iter().next();
    Ok(event.and_then(|row| serde_json::from_value(row.payload).ok()))
}

/// What is about to be sent.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// Which notification.
    pub id: NotificationId,
    /// Carried by which delivery.
    pub delivery_id: DeliveryId,
    /// To which address.
    pub to: &'a str,
    /// About what.
    pub subject: Option<&'a str>,
    /// What it says.
    pub body: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// What is known of attempts to send a notification.
#[derive(Debug, Clone, QueryableByName)]
pub struct Tried {
    /// When it was first tried.
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
    /// Whether it was tried before this time.
    #[diesel(sql_type = Bool)]
    pub before: bool,
    /// Which attempt this is, of all that were ever begun.
    #[diesel(sql_type = BigInt)]
    pub attempt: i64,
}

/// Notes what is about to be sent, if it still is to be; answers since when it is tried, and whether it was before.
pub async fn notification_try(
    mut conn: &Conn,
    business: BusinessId,
    attempt: &Attempt<'_>,
) -> Result<Option<Tried>> {
    let tried: Vec<Tried> = Prepared(
        diesel::sql_query(
            "WITH old AS (SELECT id, tried_at FROM notification WHERE business_id = $1 AND id = $2 AND delivery_id = $3 \
               AND due_at <= $7 AND status = 'planned' FOR UPDATE) \
             UPDATE notification n SET address = $4, subject = $5, body = $6, error = NULL, \
               tried_at = coalesce(old.tried_at, $7), attempts = n.attempts + 1 \
             FROM old WHERE n.business_id = $1 AND n.id = old.id \
             RETURNING n.tried_at AS since, old.tried_at IS NOT NULL AS before, n.attempts AS attempt",
        )
        .bind::<SqlUuid, _>(business.uuid())
        .bind::<SqlUuid, _>(attempt.id.uuid())
        .bind::<SqlUuid, _>(attempt.delivery_id.uuid())
        .bind::<Text, _>(attempt.to)
        .bind::<Nullable<Text>, _>(attempt.subject)
        .bind::<Text, _>(attempt.body)
        .bind::<Timestamptz, _>(attempt.now),
    )
    .load(&mut conn)
    .await?;
    Ok(tried.into_iter().next())
}

/// Takes an attempt back that sent nothing: where it was the first, and none was made since, the notification was never tried.
pub async fn notification_untry(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    tried: &Tried,
) -> Result<()> {
    if tried.before {
        return Ok(());
    }
    let own = notification::table
        .find((business.uuid(), id.uuid()))
        .filter(notification::attempts.eq(tried.attempt))
        .filter(notification::status.eq("planned"));
    diesel::update(own)
        .set(notification::tried_at.eq(None::<DateTime<Utc>>))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// What the other side of a plugin calls the other notifications that it has taken to an address.
pub async fn notification_taken(
    mut conn: &Conn,
    business: BusinessId,
    (plugin, address): (&str, &str),
    but: NotificationId,
) -> Result<Vec<String>> {
    let names = notification::table
        .filter(notification::business_id.eq(business.uuid()))
        .filter(notification::plugin.eq(plugin))
        .filter(notification::address.eq(address))
        .filter(notification::external_id.is_not_null())
        .filter(notification::id.ne(but.uuid()))
        .select(notification::external_id.assume_not_null())
        .load(&mut conn)
        .await?;
    Ok(names)
}

/// Records how a notification fares, if that is further on than what is known; answers whether it was.
pub async fn notification_hear(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    status: NotificationStatus,
    error: Option<&str>,
) -> Result<bool> {
    let from = status.reached_from();
    let from: Vec<&str> = from.iter().map(|status| status.name()).collect();
    let own = notification::table
        .find((business.uuid(), id.uuid()))
        .filter(notification::status.eq_any(from));
    let changed = diesel::update(own)
        .set((
            notification::status.eq(status.name()),
            notification::error.eq(error),
        ))
        .execute(&mut conn)
        .await?;
    Ok(changed == 1)
}

/// Remembers the other side's name for a notification, if none is known.
pub async fn notification_name(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    external_id: &str,
) -> Result<()> {
    let own = notification::table
        .find((business.uuid(), id.uuid()))
        .filter(notification::external_id.is_null());
    diesel::update(own)
        .set(notification::external_id.eq(external_id))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Notes what went wrong with one that will be tried again.
pub async fn notification_note(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    error: &str,
) -> Result<()> {
    let own = notification::table
        .find((business.uuid(), id.uuid()))
        .filter(notification::status.eq("planned"));
    diesel::update(own)
        .set(notification::error.eq(error))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Plans again what failed.
pub async fn notification_again_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[NotificationId],
) -> Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let failed = notification::table
        .filter(notification::business_id.eq(business.uuid()))
        .filter(notification::id.eq_any(ids))
        .filter(notification::status.eq("failed"));
    diesel::update(failed)
        .set(notification::status.eq("planned"))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Has a planned notification be due later.
pub async fn notification_put_off(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationId,
    due_at: DateTime<Utc>,
) -> Result<()> {
    let own = notification::table
        .find((business.uuid(), id.uuid()))
        .filter(notification::status.eq("planned"));
    diesel::update(own)
        .set(notification::due_at.eq(due_at))
        .execute(&mut conn)
        .await?;
    Ok(())
}
