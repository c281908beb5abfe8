//! Where a recipient is reached, and whether a customer would rather be reached another way by now.

use domain::event::BookingFacts;
use domain::notification::{Channel, Notification, NotificationStatus, Recipient, Rule};
use plugin_api::{HouseRules, MessageChannel, Plugin};

use super::super::{contact, no_address, region};
use super::Desk;
use crate::Error;
use crate::plugin::is_in_use;

/// A plugin, and the channel that it is.
type Way<'a> = (&'a dyn Plugin, &'a dyn MessageChannel);

impl Desk<'_> {
    /// Where to; or why it goes nowhere.
    pub(super) async fn address(
        &self,
        (plugin, messages): Way<'_>,
        recipient: Recipient,
        house: &HouseRules,
        facts: &BookingFacts,
    ) -> Result<Result<String, String>, Error> {
        if !is_in_use(&self.catalogue, plugin) {
            let title = plugin.title();
            return Ok(Err(format!("the business does not use {title} any more")));
        }
        let channel = messages.channel();
        let Some(given) = contact(house, facts, recipient, channel) else {
            return Ok(Err(no_address(recipient, channel)));
        };
        let to = match messages.address(&given, region(&facts.business.locale)) {
            Ok(to) => to,
            Err(none) => return Ok(Err(none.reason)),
        };
        let conn = self.engine.0.database.conn().await?;
        let business = self.caller.business;
        let out = store::notification_rule::opt_out_exists(&conn, business, channel, &to).await?;
        Ok(if out {
            Err("opted out".to_owned())
        } else {
            Ok(to)
        })
    }

    /// The channel of the rule that the customer has come to prefer since a reminder was planned; none of what is said of an event, where it was
    /// planned for that one, where it does not reach them, and once either was tried.
    pub(super) async fn rather(
        &self,
        known: &Notification,
        rule: &Rule,
        house: &HouseRules,
        facts: &BookingFacts,
    ) -> Result<Option<Channel>, Error> {
        let preferred = facts.customer_channel.filter(|channel| {
            known.is_reminder()
                && known.recipient == Recipient::Customer
                && known.channel != *channel
                && known.tried_at.is_none()
                && rule.channels.contains(channel)
        });
        let Some(channel) = preferred else {
            return Ok(None);
        };
        let plugin = self.engine.channel_of(&self.catalogue, channel);
        let Some(way) = plugin.and_then(|plugin| Some((plugin, plugin.messages()?))) else {
            return Ok(None);
        };
        let (business, booking) = (self.caller.business, known.booking_id);
        let conn = self.engine.0.database.conn().await?;
        let all = store::notification::notification_list(&conn, business, &[booking]).await?;
        drop(conn);
        if was_tried(&all, known, channel) {
            return Ok(None);
        }
        let to = self.address(way, known.recipient, house, facts).await?;
        Ok(to.ok().map(|_| channel))
    }
}

/// Whether what a message says was on its way by a channel: one that was passed over before anything was tried is still open.
pub(in super::super) fn was_tried(
    all: &[Notification],
    known: &Notification,
    channel: Channel,
) -> bool {
    let key = |one: &Notification| (one.rule_id, one.occasion_id, one.recipient);
    let is_open =
        |one: &Notification| one.status == NotificationStatus::Suppressed && one.tried_at.is_none();
    let mut own = all.iter().filter(|other| key(other) == key(known));
    own.any(|other| other.channel == channel && !is_open(other))
}
