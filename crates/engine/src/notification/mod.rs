//! Notifications: the one home of everything that is said to people.
//!
//! An event of a booking becomes one delivery to the plugin that composes ([`plan`]); the work on it looks at the business's rules and writes what
//! is to be said, each to one recipient by one channel, with a delivery to the channel's plugin ([`send`]). Guaranteed: of one event a rule
//! speaks to one recipient once, and of one booking it reminds once, however often it moves (a unique key); what is said of one booking
//! to one person by one plugin goes out in order; nothing is reminded of that was called off; what one channel cannot carry goes by the next
//! ([`fail_over`]); how a message fares only moves forward. What is said of an event goes by the customer as they were then (tier, preferred
//! channel), a reminder by the customer as they are when it is sent: [`follow`] has what is planned follow them.

mod again;
mod fail_over;
mod follow;
mod inbound;
mod notice;
mod plan;
mod preview;
mod rule;
mod send;

use chrono::{DateTime, Utc};
use domain::event::{BookingFacts, EventKind};
use domain::id::{BookingId, BusinessId, Id, NotificationId};
use domain::notification::{
    Channel, Notification, NotificationStatus, Recipient, Rule, changes_reminders,
};
use domain::zone::Zone;
use plugin_api::{Composer, Delivery, Done, Failure, HouseRules, Plugin, PluginSettings};
use uuid::Uuid;

pub(crate) use again::{send_what_waited_in_tx, to_say_again_in_tx};
pub(crate) use inbound::Heard;
pub(crate) use notice::NOTICE;
pub use plugin_api::{TemplateProblem, Variable};
pub use preview::{Previewed, Sample};
pub use rule::SetRule;

use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Error, Result};

/// The part of a delivery that plans what is said of its event.
pub(crate) const PLAN: &str = "plan";
/// What the part of a delivery begins with that sends messages; behind it stands whom to, or which.
const MESSAGE: &str = "notification:";

/// Whether the part of a delivery asks for messages to be sent.
pub(crate) fn is_message(part: &str) -> bool {
    part.starts_with(MESSAGE)
}

/// The composer that a business uses, with what it has set of it.
struct Words<'a> {
    composer: &'a dyn Composer,
    settings: PluginSettings,
    house: HouseRules,
}

/// Something to say to one recipient.
struct Saying<'a> {
    rule: &'a Rule,
    recipient: Recipient,
    /// The event, or of a reminder the booking.
    occasion_id: Uuid,
    facts: &'a BookingFacts,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Engine {
    /// Plans what is said of a delivery's event; none: the plugin puts nothing into words.
    pub(crate) async fn work_on_plan(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
    ) -> Option<Result<Done, Failure>> {
        plugin.composer()?;
        Some(self.plan_notifications(delivery).await)
    }

    /// Sends the messages of a delivery; none: the plugin carries none.
    pub(crate) async fn work_on_messages(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        is_last: bool,
    ) -> Option<Result<Done, Failure>> {
        let channel = plugin.messages()?;
        Some(
            self.send_notifications(plugin, channel, delivery, is_last)
                .await,
        )
    }

    /// The notifications of bookings, to staff who have come by the ids through what they may see; to others none.
    pub async fn notifications_of(
        &self,
        caller: &Caller,
        bookings: &[BookingId],
    ) -> Result<Vec<Notification>> {
        if !caller.actor.is_staff() {
            return Ok(Vec::new());
        }
        let conn = self.0.database.conn().await?;
        Ok(store::notification::notification_list(&conn, caller.business, bookings).await?)
    }

    /// The notification with this id, to staff who may see its booking.
    pub async fn notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<Option<Notification>> {
        if !caller.actor.is_staff() {
            return Ok(None);
        }
        let conn = self.0.database.conn().await?;
        let found = store::notification::notification_find(&conn, caller.business, id).await?;
        drop(conn);
        let Some(found) = found else { return Ok(None) };
        let booking = self.booking(caller, found.booking_id).await?;
        Ok(booking.map(|_| found))
    }

    /// The plugin that plans what is said of events of this kind, where a rule of the business could say anything of them.
    pub(crate) fn planner(&self, catalogue: &Catalogue, kind: EventKind) -> Option<&'static str> {
        let moment = domain::notification::Moment::Event(kind);
        let concerns =
            |rule: &Rule| rule.moment == moment || (rule.is_reminder() && changes_reminders(kind));
        let mut rules = catalogue.notification_rules.iter();
        if !rules.any(|rule| rule.enabled && concerns(rule)) {
            return None;
        }
        let mut plugins = self.plugins_in_use(catalogue);
        let plugin = plugins.find(|plugin| plugin.composer().is_some())?;
        Some(plugin.name())
    }

    /// The composer that the business uses.
    fn words(&self, catalogue: &Catalogue) -> Option<Words<'_>> {
        let mut plugins = self.plugins_in_use(catalogue);
        let plugin = plugins.find(|plugin| plugin.composer().is_some())?;
        let composer = plugin.composer()?;
        let settings = self.settings_of(catalogue, plugin.name()).ok()?;
        // They were found right when they were set.
        let house = composer.house_rules(&settings).unwrap_or_default();
        Some(Words {
            composer,
            settings,
            house,
        })
    }

    /// The plugin by which a business uses a channel.
    fn channel_of(&self, catalogue: &Catalogue, channel: Channel) -> Option<&dyn Plugin> {
        self.plugins_in_use(catalogue)
            .map(|plugin| &**plugin)
            .find(|plugin| carries(*plugin, channel))
    }

    /// What is said by the first of these channels that reaches the recipient, and before it what is not said by those that do not, and why.
    /// Channels that the business does not use are passed over in silence.
    fn drafts(
        &self,
        catalogue: &Catalogue,
        house: &HouseRules,
        saying: &Saying<'_>,
        channels: &[Channel],
    ) -> Vec<Notification> {
        let mut drafts = Vec::new();
        for &channel in channels {
            let Some(plugin) = self.channel_of(catalogue, channel) else {
                continue;
            };
            let contact = contact(house, saying.facts, saying.recipient, channel);
            if contact.is_none() && saying.recipient == Recipient::Business {
                continue;
            }
            let address = match (&contact, plugin.messages()) {
                (Some(given), Some(messages)) => messages
                    .address(given, region(&saying.facts.business.locale))
                    .map_err(|none| none.reason),
                _ => Err(no_address(saying.recipient, channel)),
            };
            let reached = address.is_ok();
            drafts.push(saying.draft(channel, plugin.name(), address));
            if reached {
                break;
            }
        }
        drafts
    }

    /// The zone in which somebody reads times.
    fn zone_of(&self, facts: &BookingFacts, recipient: Recipient) -> Option<Zone> {
        let own = facts.customer_time_zone.as_deref();
        let own = own.filter(|_| recipient == Recipient::Customer);
        self.zone_among(own, &facts.location.time_zone)
    }

    fn zone_among(&self, own: Option<&str>, location: &str) -> Option<Zone> {
        own.into_iter()
            .chain([location])
            .find_map(|name| self.zones().get(name))
            .or_else(|| self.zones().get("UTC"))
    }
}

impl Saying<'_> {
    fn draft(
        &self,
        channel: Channel,
        plugin: &str,
        address: Result<String, String>,
    ) -> Notification {
        let (to, error) = match address {
            Ok(to) => (to, None),
            Err(reason) => (String::new(), Some(reason)),
        };
        let status = match error {
            None => NotificationStatus::Planned,
            Some(_) => NotificationStatus::Suppressed,
        };
        Notification {
            id: NotificationId::from_uuid(Uuid::now_v7()),
            booking_id: self.facts.booking_id,
            rule_id: self.rule.id,
            occasion_id: self.occasion_id,
            booking_version: self.facts.version,
            recipient: self.recipient,
            channel,
            plugin: plugin.to_owned(),
            to,
            due_at: self.due_at,
            status,
            subject: None,
            body: None,
            error,
            external_id: None,
            delivery_id: None,
            created_at: self.now,
            tried_at: None,
        }
    }
}

/// Whether messages go through this channel by this plugin.
fn carries(plugin: &dyn Plugin, channel: Channel) -> bool {
    let messages = plugin.messages();
    messages.is_some_and(|messages| messages.channel() == channel)
}

/// Where somebody is reached by a channel, as given.
fn contact(
    house: &HouseRules,
    facts: &BookingFacts,
    recipient: Recipient,
    channel: Channel,
) -> Option<String> {
    let (email, phone) = match recipient {
        Recipient::Customer => (&facts.customer.email, &facts.customer.phone),
        Recipient::Provider => (&facts.provider.email, &facts.provider.phone),
        Recipient::PreviousProvider => {
            let previous = facts.previous_provider.as_ref()?;
            (&previous.email, &previous.phone)
        }
        Recipient::Business => (&house.business_email, &house.business_phone),
    };
    let given = match channel {
        Channel::Email => email,
        Channel::Sms => phone,
        Channel::Push => &None,
    };
    let given = given.as_deref().map(str::trim);
    given.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn no_address(recipient: Recipient, channel: Channel) -> String {
    format!("the {} has no {}", recipient.noun(), channel.address_noun())
}

/// The name of whom it is for.
fn name_of(facts: &BookingFacts, recipient: Recipient) -> String {
    match (recipient, &facts.previous_provider) {
        (Recipient::Customer, _) => facts.customer.name.clone(),
        (Recipient::PreviousProvider, Some(previous)) => previous.name.clone(),
        (Recipient::Business, _) => facts.business.name.clone(),
        _ => facts.provider.name.clone(),
    }
}

/// Whom deliveries are kept in order for: a provider is one person, whether they have the booking or had it.
fn person(facts: &BookingFacts, recipient: Recipient) -> String {
    match (recipient, &facts.previous_provider) {
        (Recipient::Customer | Recipient::Business, _) => recipient.name().to_owned(),
        (Recipient::PreviousProvider, Some(previous)) => previous.id.to_string(),
        _ => facts.provider.id.to_string(),
    }
}

/// The languages in which somebody is written to, the best first.
fn languages(facts: &BookingFacts, recipient: Recipient) -> Vec<&str> {
    let own = facts.customer_locale.as_deref();
    let own = own.filter(|_| recipient == Recipient::Customer);
    own.into_iter()
        .chain([facts.business.locale.as_str()])
        .collect()
}

/// The region in a language tag: `GB` of `en-GB`.
fn region(locale: &str) -> Option<&str> {
    let is_region = |part: &&str| part.len() == 2 && part.chars().all(|c| c.is_ascii_alphabetic());
    locale.split(['-', '_']).skip(1).find(is_region)
}

/// Trouble of our own: it passes.
fn away(error: &Error) -> Failure {
    Failure::retry(match error {
        Error::Unavailable(_) => "the database was away".to_owned(),
        _ => {
            tracing::error!(%error, "a notification could not be worked on");
            "something went wrong inside: see the log".to_owned()
        }
    })
}

/// The software itself, at work for a business.
fn system(business: BusinessId) -> Caller {
    Caller::system(business)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_a_language_is_its_subtag_of_two_letters() {
        assert_eq!(region("en-GB"), Some("GB"));
        assert_eq!(region("zh-Hans-CN"), Some("CN"));
        assert_eq!(region("de"), None);
    }
}
