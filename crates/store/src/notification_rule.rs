//! The rules by which a business speaks to people, and who wants to hear no more.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, NotificationRuleId, ServiceId};
use domain::notification::{Audience, Channel, Moment, Rule};
use serde::Serialize;
use uuid::Uuid;

use crate::schema::{message_opt_out, notification_rule};
use crate::{Conn, Result, StoreError};

/// A rule as it is stored.
#[derive(Serialize)]
pub(crate) struct RuleRow<'a> {
    id: Uuid,
    moment: &'static str,
    offset_minutes: i32,
    audience: &'static str,
    channels: Vec<&'static str>,
    template: &'a str,
    enabled: bool,
    service_ids: Vec<Uuid>,
    customer_tiers: &'a [String],
}

impl<'a> RuleRow<'a> {
    pub(crate) fn of(rule: &'a Rule) -> Self {
        Self {
            id: rule.id.uuid(),
            moment: rule.moment.name(),
            offset_minutes: rule.offset_minutes,
            audience: rule.audience.name(),
            channels: rule.channels.iter().map(|channel| channel.name()).collect(),
            template: &rule.template,
            enabled: rule.enabled,
            service_ids: rule.service_ids.iter().map(|id| id.uuid()).collect(),
            customer_tiers: &rule.customer_tiers,
        }
    }
}

type Columns = (
    Uuid,
    String,
    i32,
    String,
    Vec<String>,
    String,
    bool,
    Vec<Uuid>,
    Vec<String>,
);

fn rule(columns: Columns) -> Result<Rule> {
    let (
        id,
        moment,
        offset_minutes,
        audience,
        channels,
        template,
        enabled,
        service_ids,
        customer_tiers,
    ) = columns;
    let odd = |what: &str| StoreError::Fault(format!("{what} of notification rule {id}"));
    let channels = channels.iter().map(|name| Channel::from_name(name));
    Ok(Rule {
        id: NotificationRuleId::from_uuid(id),
        moment: Moment::from_name(&moment).ok_or_else(|| odd("moment"))?,
        offset_minutes,
        audience: Audience::from_name(&audience).ok_or_else(|| odd("audience"))?,
        channels: channels
            .collect::<Option<_>>()
            .ok_or_else(|| odd("channels"))?,
        template,
        enabled,
        service_ids: service_ids.into_iter().map(ServiceId::from_uuid).collect(),
        customer_tiers,
    })
}

/// The rules of a business, the oldest first.
pub async fn notification_rule_list(mut conn: &Conn, business: BusinessId) -> Result<Vec<Rule>> {
    let rows = notification_rule::table
        .filter(notification_rule::business_id.eq(business.uuid()))
        .order((notification_rule::created_at, notification_rule::id))
        .select((
            notification_rule::id,
            notification_rule::moment,
            notification_rule::offset_minutes,
            notification_rule::audience,
            notification_rule::channels,
            notification_rule::template,
            notification_rule::enabled,
            notification_rule::service_ids,
            notification_rule::customer_tiers,
        ))
        .load::<Columns>(&mut conn)
        .await?;
    rows.into_iter().map(rule).collect()
}

/// Adds a rule, or puts it in the place of the one with its id.
pub async fn notification_rule_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    new: &Rule,
    at: DateTime<Utc>,
) -> Result<()> {
    let row = RuleRow::of(new);
    let values = (
        notification_rule::moment.eq(row.moment),
        notification_rule::offset_minutes.eq(row.offset_minutes),
        notification_rule::audience.eq(row.audience),
        notification_rule::channels.eq(row.channels),
        notification_rule::template.eq(row.template),
        notification_rule::enabled.eq(row.enabled),
        notification_rule::service_ids.eq(row.service_ids),
        notification_rule::customer_tiers.eq(row.customer_tiers),
    );
    diesel::insert_into(notification_rule::table)
        .values((
            notification_rule::business_id.eq(business.uuid()),
            notification_rule::id.eq(row.id),
            notification_rule::created_at.eq(at),
            values.clone(),
        ))
        .on_conflict((notification_rule::business_id, notification_rule::id))
        .do_update()
        .set(values)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Takes a rule away; answers whether it was there.
pub async fn notification_rule_delete_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: NotificationRuleId,
) -> Result<bool> {
    let own = notification_rule::table.find((business.uuid(), id.uuid()));
    Ok(diesel::delete(own).execute(&mut conn).await? == 1)
}

/// Remembers that an address wants no more messages by a channel.
pub async fn opt_out_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    channel: Channel,
    address: &str,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(message_opt_out::table)
        .values((
            message_opt_out::business_id.eq(business.uuid()),
            message_opt_out::channel.eq(channel.name()),
            message_opt_out::address.eq(address),
            message_opt_out::since.eq(at),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Forgets it: messages are wanted again.
pub async fn opt_out_delete_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    channel: Channel,
    address: &str,
) -> Result<()> {
    let own = message_opt_out::table.find((business.uuid(), channel.name(), address));
    diesel::delete(own).execute(&mut conn).await?;
    Ok(())
}

/// Whether an address wants no messages by a channel.
pub async fn opt_out_exists(
    mut conn: &Conn,
    business: BusinessId,
    channel: Channel,
    address: &str,
) -> Result<bool> {
    let own = message_opt_out::table.find((business.uuid(), channel.name(), address));
    Ok(diesel::select(diesel::dsl::exists(own))
        .get_result(&mut conn)
        .await?)
}
