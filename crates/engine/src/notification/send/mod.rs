//! Sending: what a delivery carries is looked at once more (the booking, the rule, the recipient), put into words, noted, handed to the channel,
//! and how that ended is recorded. Nothing is sent inside a transaction; a repeat bears the same id.

mod ended;
mod reach;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::booking::Span;
use domain::event::{BookingFacts, Event, EventKind};
use domain::notification::{Channel, Notification, NotificationStatus, Recipient, Rule};
use plugin_api::{
    Compose, Composed, Delivery, Done, Failure, Letter, Message, MessageChannel, Plugin,
};
use store::notification::{Attempt, Tried};

pub(super) use self::reach::was_tried;
use super::{Words, away, languages, name_of, system};
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Error};

/// Where the messages of one delivery are sent.
struct Desk<'a> {
    engine: &'a Engine,
    caller: Caller,
    plugin: &'a dyn Plugin,
    channel: &'a dyn MessageChannel,
    delivery: &'a Delivery,
    catalogue: Arc<Catalogue>,
    is_last: bool,
}

/// How it ended for one message.
enum Ended {
    /// The other side has it.
    Sent,
    /// It is not sent, and this is why.
    Not(String),
    /// It is not sent now.
    Failed(Failure),
}

impl Engine {
    /// Sends what a delivery carries.
    pub(super) async fn send_notifications(
        &self,
        plugin: &dyn Plugin,
        channel: &dyn MessageChannel,
        delivery: &Delivery,
        is_last: bool,
    ) -> Result<Done, Failure> {
        let desk = self
            .message_desk((plugin, channel), delivery, is_last)
            .await;
        desk.map_err(|error| away(&error))?.work().await
    }

    async fn message_desk<'a>(
        &'a self,
        (plugin, channel): (&'a dyn Plugin, &'a dyn MessageChannel),
        delivery: &'a Delivery,
        is_last: bool,
    ) -> Result<Desk<'a>, Error> {
        let caller = system(delivery.business_id);
        Ok(Desk {
            engine: self,
            caller,
            plugin,
            channel,
            delivery,
            catalogue: self.catalogue(&caller).await?,
            is_last,
        })
    }
}

impl Desk<'_> {
    async fn work(&self) -> Result<Done, Failure> {
        let carried = self.carried().await.map_err(|error| away(&error))?;
        let (mut sent, mut reason, mut failures) = (false, None, Vec::new());
        for known in &carried {
            match self.say(known).await {
                Ok(Ended::Sent) => sent = true,
                Ok(Ended::Not(why)) => reason = Some(why),
                Ok(Ended::Failed(failure)) => failures.push(failure),
                Err(error) => failures.push(away(&error)),
            }
        }
        // What may still work is tried again; of what failed for good staff are told.
        let is_over = |failure: &Failure| matches!(failure, Failure::GiveUp { .. });
        failures.sort_by_key(is_over);
        match failures.into_iter().next() {
            Some(failure) => Err(failure),
            None if sent => Ok(Done::Delivered),
            None => Ok(Done::Skipped {
                reason: reason.unwrap_or_else(|| "there is nothing to send any more".to_owned()),
            }),
        }
    }

    /// What is still to be sent of what the delivery carries.
    async fn carried(&self) -> Result<Vec<Notification>, Error> {
        let (business, id) = (self.caller.business, self.delivery.id);
        let conn = self.engine.0.database.conn().await?;
        let mut all =
            store::notification::notification_list_of_delivery(&conn, business, id).await?;
        all.retain(|known| known.status == NotificationStatus::Planned);
        Ok(all)
    }

    async fn say(&self, known: &Notification) -> Result<Ended, Error> {
        let (engine, now) = (self.engine, self.engine.clock().now());
        let Some(rule) = self.catalogue.notification_rule(known.rule_id) else {
            return self.suppress(known, "the rule was deleted", None).await;
        };
        if !rule.enabled {
            return self.suppress(known, "the rule is switched off", None).await;
        }
        let Some(words) = engine.words(&self.catalogue) else {
            let why = "the business says nothing: the plugin that composes is switched off";
            return self.suppress(known, why, None).await;
        };
        if let Some(why) = rule.disowns(known, self.delivery.event.kind) {
            return self.suppress(known, why, None).await;
        }
        let event = self.event(known).await?;
        let Some(facts) = &event.booking else {
            return self.suppress(known, "the event has no booking", None).await;
        };
        let against = not_of(rule, facts);
        if let Some(why) = against.or_else(|| out_of_time(rule, known, facts, now)) {
            return self.suppress(known, why, None).await;
        }
        let due = self.due(rule, known, &words, facts);
        if due > now {
            return self.put_off(known, due, now).await;
        }
        if self.is_overtaken(known).await? {
            let why = "a later message is on its way";
            return self.suppress(known, why, None).await;
        }
        if let Some(until) = self.quiet_until(rule, known, &words, facts) {
            return Ok(Ended::Failed(not_before(
                until,
                now,
                "these are quiet hours",
            )));
        }
        // What may be out already is not said by another.
        if !rule.channels.contains(&known.channel) && known.tried_at.is_none() {
            let noun = known.channel.noun();
            let why = format!("the rule does not speak by {noun} any more");
            return self.suppress(known, &why, Some(&event)).await;
        }
        if let Some(channel) = self.rather(known, rule, &words.house, facts).await? {
            return self.pass_on(known, channel, &event).await;
        }
        let way = (self.plugin, self.channel);
        let to = self.address(way, known.recipient, &words.house, facts);
        match to.await? {
            Ok(to) => self.hand_over(known, &words, &event, facts, &to).await,
            Err(why) => self.suppress(known, &why, Some(&event)).await,
        }
    }

    /// What is told: the event as it was, or of a reminder the booking as it is.
    async fn event(&self, known: &Notification) -> Result<Event, Error> {
        let event = self.delivery.event.clone();
        if !known.is_reminder() {
            return Ok(event);
        }
        let (caller, id) = (&self.caller, known.booking_id);
        let facts = self.engine.facts_of(caller, &self.catalogue, id).await?;
        // Whatever had it planned, it tells of a booking that stands.
        let kind = match event.kind {
            EventKind::CustomerChanged => EventKind::BookingConfirmed,
            kind => kind,
        };
        Ok(Event {
            kind,
            booking: Some(facts),
            ..event
        })
    }

    /// It comes later than was planned.
    async fn put_off(
        &self,
        known: &Notification,
        due: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Ended, Error> {
        let conn = self.engine.0.database.conn().await?;
        let business = self.caller.business;
        store::notification::notification_put_off(&conn, business, known.id, due).await?;
        Ok(Ended::Failed(not_before(due, now, "it is not due yet")))
    }

    /// Until when nobody is to be disturbed, where it is such a time now. It stays due when it was: what could not be sent before is owed.
    fn quiet_until(
        &self,
        rule: &Rule,
        known: &Notification,
        words: &Words<'_>,
        facts: &BookingFacts,
    ) -> Option<DateTime<Utc>> {
        let quiet = words.house.quiet_hours.as_ref();
        let zone = self.engine.zone_of(facts, known.recipient)?;
        rule.waits_until(self.engine.clock().now(), span(facts), quiet, &zone)
    }

    /// When it is to be said.
    fn due(
        &self,
        rule: &Rule,
        known: &Notification,
        words: &Words<'_>,
        facts: &BookingFacts,
    ) -> DateTime<Utc> {
        if !known.is_reminder() {
            return known.due_at;
        }
        let quiet = words.house.quiet_hours.as_ref();
        match self.engine.zone_of(facts, known.recipient) {
            Some(zone) => rule.due(span(facts), quiet, &zone),
            None => known.due_at,
        }
    }

    /// Whether something later was said or will be to the same recipient: only what goes another way than planned can be overtaken.
    async fn is_overtaken(&self, known: &Notification) -> Result<bool, Error> {
        if known.is_reminder() || !self.delivery.part.contains(&known.id.to_string()) {
            return Ok(false);
        }
        let all = self.said_of_booking(known).await?;
        Ok(all.iter().any(|other| is_later(known, other)))
    }

    async fn hand_over(
        &self,
        known: &Notification,
        words: &Words<'_>,
        event: &Event,
        facts: &BookingFacts,
        to: &str,
    ) -> Result<Ended, Error> {
        let (engine, languages) = (self.engine, languages(facts, known.recipient));
        let rule = self.catalogue.notification_rule(known.rule_id);
        let request = Compose {
            template: rule.map(|rule| rule.template.as_str()).unwrap_or_default(),
            languages: &languages,
            channel: known.channel,
            recipient: known.recipient,
            event,
            is_reminder: known.is_reminder(),
            at: known.due_at,
            is_entered: known.recipient == Recipient::Provider
                && engine.is_entered(&self.catalogue, facts.provider.id),
        };
        let composed = match words.composer.compose(&words.settings, &request) {
            Ok(composed) => composed,
            // Another channel would say the same.
            Err(error) => return self.lose(known, error.to_string()).await,
        };
        let Some(tried) = self.note(known, &composed, to).await? else {
            return Ok(Ended::Not("it is not to be sent any more".to_owned()));
        };
        let mut message = self.message(known, composed, event, facts, to, &tried);
        if tried.before {
            message.others = self.others(known, to).await?;
        }
        match self.channel.send(&self.delivery.settings, &message).await {
            Ok(sent) => self.record(known, event, sent).await,
            Err(failure) => {
                if matches!(failure, Failure::NotYet { .. }) {
                    self.take_back(known, &tried).await?;
                }
                self.failed(known, event, failure).await
            }
        }
    }

    /// Notes what is about to be said; answers since when it may have been, and none where it is not to be said any more. Only what is noted
    /// tells whether it is a repeat: the attempts of a delivery are counted anew when staff send it on its way again, and one that a
    /// stopping process cut off does not count.
    async fn note(
        &self,
        known: &Notification,
        composed: &Composed,
        to: &str,
    ) -> Result<Option<Tried>, Error> {
        let attempt = Attempt {
            id: known.id,
            delivery_id: self.delivery.id,
            to,
            subject: composed.subject.as_deref(),
            body: &composed.text,
            now: self.engine.clock().now(),
        };
        let conn = self.engine.0.database.conn().await?;
        let business = self.caller.business;
        Ok(store::notification::notification_try(&conn, business, &attempt).await?)
    }

    fn message(
        &self,
        known: &Notification,
        composed: Composed,
        event: &Event,
        facts: &BookingFacts,
        to: &str,
        tried: &Tried,
    ) -> Message {
        let slug = &self.catalogue.business.slug;
        let callback_url = match self.plugin.inbound() {
            Some(_) => self.engine.inbound_url(self.plugin.name(), slug),
            None => None,
        };
        Message {
            id: known.id,
            business_id: self.caller.business,
            attempt: self.delivery.attempt,
            may_have_been_sent: tried.before,
            since: tried.since,
            others: Vec::new(),
            to: to.to_owned(),
            to_name: name_of(facts, known.recipient),
            subject: composed.subject,
            text: composed.text,
            language: composed.language.to_owned(),
            event: event.clone(),
            callback_url,
            letter: Letter {
                html: composed.html,
                invitation: composed.invitation,
                recipient: known.recipient,
                from_name: String::new(),
                about: composed.about,
                date: known.is_reminder().then_some(known.due_at),
            },
        }
    }
}

/// It is to be tried again, not before.
fn not_before(at: DateTime<Utc>, now: DateTime<Utc>, reason: &str) -> Failure {
    Failure::NotYet {
        after: (at - now).to_std().ok(),
        reason: reason.to_owned(),
    }
}

fn span(facts: &BookingFacts) -> Span {
    Span {
        starts_at: facts.starts_at,
        ends_at: facts.ends_at,
    }
}

/// Why a rule does not speak of such a booking, as the rule is now.
fn not_of(rule: &Rule, facts: &BookingFacts) -> Option<&'static str> {
    let other = (!rule.is_for(facts.service.id)).then_some("the rule is for other services");
    other.or_else(|| rule.passes_over(facts.customer_tier.as_deref()))
}

/// Why a booking is not reminded of any more.
fn out_of_time(
    rule: &Rule,
    known: &Notification,
    facts: &BookingFacts,
    now: DateTime<Utc>,
) -> Option<&'static str> {
    if !known.is_reminder() {
        return None;
    }
    let late = rule.is_ahead() && now >= facts.starts_at;
    let late = late.then_some("the booking has begun");
    rule.silenced_by(facts.status).or(late)
}

/// The channels of a rule that are tried after the one of a message; all of them where that is none of the rule's any more.
pub(super) fn after(rule: &Rule, known: &Notification, facts: &BookingFacts) -> Vec<Channel> {
    let all = rule.channels_for(known.recipient, facts.customer_channel);
    let before = all.iter().position(|channel| *channel == known.channel);
    let next = before.map_or(0, |place| place + 1);
    all.into_iter().skip(next).collect()
}

/// Whether another message to the same recipient tells of something that happened later.
pub(super) fn is_later(known: &Notification, other: &Notification) -> bool {
    !other.is_reminder()
        && other.recipient == known.recipient
        && other.booking_version > known.booking_version
        && other.status != NotificationStatus::Suppressed
}
