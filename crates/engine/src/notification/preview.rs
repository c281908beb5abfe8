//! A message before anybody gets it: shown, or sent to an address of one's own. It tells of a booking that nobody made.

use std::time::Duration;

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::event::{BookingFacts, Event, EventKind};
use domain::id::{EventId, Id, NotificationId};
use domain::notification::{Audience, Channel, Moment};
use domain::problem::Problem;
use plugin_api::{Compose, Composed, Letter, Message, PluginSettings, TemplateProblem, Variable};
use uuid::Uuid;

use super::region;
use super::rule::may_speak;
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Error, Result};

/// How long the other side may take over a message that is tried out.
const LIMIT: Duration = Duration::from_secs(20);

/// A message to try out.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The name of a text, or a text.
    pub template: String,
    /// At what it would be said: an event, or `booking.start` or `booking.end`.
    pub event: String,
    /// To whom.
    pub audience: Audience,
    /// By which channel.
    pub channel: Channel,
    /// In which language; none: the business's.
    pub language: Option<String>,
}

/// A message as it would be.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// Its words; none where it has none.
    pub composed: Option<Composed>,
    /// What is wrong with the template.
    pub problems: Vec<TemplateProblem>,
    /// What a template may show.
    pub variables: Vec<Variable>,
}

impl Engine {
    /// What a template says.
    pub async fn preview_notification(
        &self,
        caller: &Caller,
        sample: &Sample,
    ) -> Result<Previewed> {
        may_speak(caller)?;
        let catalogue = self.catalogue(caller).await?;
        let composer = self.any_composer()?;
        let event = self.sample_event(&catalogue, sample)?;
        let mut problems = composer.problems(&sample.template);
        let mut words = None;
        if problems.is_empty() {
            match self.composed(&catalogue, sample, &event) {
                Ok(said) => words = Some(said),
                Err(error) => problems.push(TemplateProblem {
                    line: None,
                    message: error,
                }),
            }
        }
        Ok(Previewed {
            composed: words,
            problems,
            variables: composer.variables().to_vec(),
        })
    }

    /// Sends what a template says to an address; answers what came of it.
    pub async fn test_notification(
        &self,
        caller: &Caller,
        sample: &Sample,
        to: &str,
    ) -> Result<Result<String, String>> {
        may_speak(caller)?;
        let catalogue = self.catalogue(caller).await?;
        let plugin = self.channel_of(&catalogue, sample.channel);
        let channel = plugin.and_then(|plugin| Some((plugin, plugin.messages()?)));
        let Some((plugin, messages)) = channel else {
            let message = "the business uses no plugin for this channel";
            return Err(Problem::invalid(&["input", "channel"], message).into());
        };
        let wrong = |reason: String| Problem::invalid(&["input", "to"], reason);
        let to = messages.address(to, region(&catalogue.business.locale));
        let to = to.map_err(|none| wrong(none.reason))?;
        let problems = self.any_composer()?.problems(&sample.template);
        if let Some(problem) = problems.into_iter().next() {
            return Ok(Err(problem.message));
        }
        let event = self.sample_event(&catalogue, sample)?;
        let composed = match self.composed(&catalogue, sample, &event) {
            Ok(composed) => composed,
            Err(error) => return Ok(Err(error)),
        };
        let settings = match self.settings_in_use(&catalogue, plugin) {
            Ok(settings) => settings,
            Err(not) => return Ok(Err(not.to_string())),
        };
        let message = self.sample_message(caller, sample, event, composed, to);
        let sending = messages.send(&settings, &message);
        Ok(match tokio::time::timeout(LIMIT, sending).await {
            Ok(Ok(_)) => Ok(format!("{} has taken it", plugin.title())),
            Ok(Err(failure)) => Err(failure.reason().to_owned()),
            Err(_) => Err("the other side did not answer in time".to_owned()),
        })
    }

    fn composed(
        &self,
        catalogue: &Catalogue,
        sample: &Sample,
        event: &Event,
    ) -> Result<Composed, String> {
        let own = self.words(catalogue).map(|words| words.settings);
        let settings = own.unwrap_or_else(PluginSettings::none);
        let language = sample.language.as_deref();
        let languages: Vec<&str> = language
            .into_iter()
            .chain([catalogue.business.locale.as_str()])
            .collect();
        let request = Compose {
            template: sample.template.trim(),
            languages: &languages,
            channel: sample.channel,
            recipient: sample.audience.recipient(),
            event,
            is_reminder: !matches!(Moment::from_name(&sample.event), Some(Moment::Event(_))),
            at: event.at,
        };
        let composer = self.any_composer().map_err(|error| error.to_string())?;
        composer
            .compose(&settings, &request)
            .map_err(|error| error.to_string())
    }

    fn sample_message(
        &self,
        caller: &Caller,
        sample: &Sample,
        event: Event,
        composed: Composed,
        to: String,
    ) -> Message {
        let facts = event.booking.as_ref();
        let recipient = sample.audience.recipient();
        let name = facts.map(|facts| super::name_of(facts, recipient));
        Message {
            id: NotificationId::from_uuid(Uuid::now_v7()),
            business_id: caller.business,
            attempt: 1,
            may_have_been_sent: false,
            since: self.clock().now(),
            to,
            to_name: name.unwrap_or_default(),
            subject: composed.subject,
            text: composed.text,
            language: composed.language.to_owned(),
            callback_url: None,
            letter: Letter {
                html: composed.html,
                // Nobody is to enter it.
                invitation: None,
                recipient,
                from_name: String::new(),
                about: "test".to_owned(),
                date: Some(self.clock().now()),
            },
            event,
        }
    }

    /// What happened to a booking that nobody made, of this business.
    fn sample_event(&self, catalogue: &Catalogue, sample: &Sample) -> Result<Event> {
        let moment = Moment::from_name(&sample.event).ok_or_else(|| {
            let message = format!("must be one of {}", Moment::names());
            Error::from(Problem::invalid(&["input", "event"], message))
        })?;
        let kind = match moment {
            Moment::Event(kind) => kind,
            Moment::Start | Moment::End => EventKind::BookingConfirmed,
        };
        let now = self.clock().now();
        let mut facts = plugin_api::sample::booking();
        dress(catalogue, &mut facts);
        facts.starts_at = now + TimeDelta::days(1);
        facts.ends_at = facts.starts_at + TimeDelta::minutes(45);
        match kind {
            EventKind::BookingRescheduled => {
                facts.previous_starts_at = Some(now + TimeDelta::hours(20));
            }
            EventKind::BookingCancelled => facts.status = BookingStatus::Cancelled,
            _ => {}
        }
        Ok(Event {
            id: EventId::from_uuid(Uuid::now_v7()),
            kind,
            at: now,
            calendar_ids: Vec::new(),
            booking: Some(facts),
            hold_id: None,
            payment_id: None,
            webhook_endpoint_id: None,
            customer_id: None,
        })
    }
}

/// Has a sample speak of the business and of what it has.
fn dress(catalogue: &Catalogue, facts: &mut BookingFacts) {
    let business = &catalogue.business;
    facts.business.name.clone_from(&business.name);
    facts.business.slug.clone_from(&business.slug);
    facts.business.locale.clone_from(&business.locale);
    facts.price.currency = business.currency;
    facts.location.time_zone.clone_from(&business.time_zone);
    if let Some(service) = catalogue.services.values().find(|known| !known.archived) {
        facts.service.name.clone_from(&service.name);
    }
    if let Some(provider) = catalogue.providers.values().find(|known| !known.archived) {
        facts.provider.name.clone_from(&provider.name);
    }
    if let Some(location) = catalogue.locations.values().find(|known| !known.archived) {
        facts.location.name.clone_from(&location.name);
        location
            .zone
            .name()
            .clone_into(&mut facts.location.time_zone);
    }
}
