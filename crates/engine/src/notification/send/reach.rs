//! Where a recipient is reached, whether another channel reaches them, and whether a customer would rather be reached by it now.

use domain::event::{BookingFacts, Event};
use domain::notification::{Channel, Notification, NotificationStatus, Recipient, Rule};
use plugin_api::{HouseRules, MessageChannel, Plugin};

use super::super::{contact, no_address, region};
use super::{Desk, after, is_later};
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
        let all = self.said_of_booking(known).await?;
        let is_open = !was_tried(&all, known, channel)
            && self.reaches(channel, known.recipient, house, facts).await?;
        Ok(is_open.then_some(channel))
    }

    /// What the other side calls the other messages that it has taken to an address.
    pub(super) async fn others(
        &self,
        known: &Notification,
        to: &str,
    ) -> Result<Vec<String>, Error> {
        let conn = self.engine.0.database.conn().await?;
        let (business, way) = (self.caller.business, (self.plugin.name(), to));
        Ok(store::notification::notification_taken(&conn, business, way, known.id).await?)
    }

    /// Whether another channel is to carry what its own does not, and reaches whom it is for; or a later message says it.
    pub(super) async fn has_another_way(
        &self,
        known: &Notification,
        event: &Event,
    ) -> Result<bool, Error> {
        let rule = self.catalogue.notification_rule(known.rule_id);
        let words = self.engine.words(&self.catalogue);
        let (Some(rule), Some(words), Some(facts)) = (rule, words, &event.booking) else {
            return Ok(false);
        };
        let all = self.said_of_booking(known).await?;
        if !known.is_reminder() && all.iter().any(|other| is_later(known, other)) {
            // It is said by that, which waits until this is over.
            return Ok(true);
        }
        for channel in after(rule, known, facts) {
            if !was_tried(&all, known, channel)
                && self
                    .reaches(channel, known.recipient, &words.house, facts)
                    .await?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a channel reaches somebody.
    async fn reaches(
        &self,
        channel: Channel,
        recipient: Recipient,
        house: &HouseRules,
        facts: &BookingFacts,
    ) -> Result<bool, Error> {
        let plugin = self.engine.channel_of(&self.catalogue, channel);
        let Some(way) = plugin.and_then(|plugin| Some((plugin, plugin.messages()?))) else {
            return Ok(false);
        };
        let to = self.address(way, recipient, house, facts).await?;
        Ok(to.is_ok())
    }

    /// All that was or will be said of the booking of a message.
    pub(super) async fn said_of_booking(
        &self,
        known: &Notification,
    ) -> Result<Vec<Notification>, Error> {
        let (business, booking) = (self.caller.business, known.booking_id);
        let conn = self.engine.0.database.conn().await?;
        Ok(store::notification::notification_list(&conn, business, &[booking]).await?)
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
