//! A message before anybody gets it: shown, or sent to an address of one's own. It tells of a booking that nobody made.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::event::{BookingFacts, Event, EventKind};
use domain::id::{EventId, Id, NotificationId};
use domain::notification::{Audience, Channel, Moment};
use domain::problem::Problem;
use plugin_api::{
    Compose, Composed, Composer, Failure, Letter, Message, Plugin, PluginSettings, TemplateProblem,
    Variable,
};
use uuid::Uuid;

use super::carries;
use super::region;
use super::rule::{may_speak, no_composer};
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
        let event = self.sample_event(&catalogue, sample)?;
        let (engine, sample) = (self.clone(), sample.clone());
        let previewed = self.ask_plugin(self.any_composer()?, caller.business, move |plugin| {
            let composer = plugin.composer().ok_or_else(no_composer)?;
            let variables = composer.variables().to_vec();
            let said = engine.composed(composer, &catalogue, &sample, &event);
            let (words, problems) = match said {
                Ok(words) => (Some(words), Vec::new()),
                Err(problems) => (None, problems),
            };
            Ok(Previewed {
                composed: words,
                problems,
                variables,
            })
        });
        previewed.await?
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
        let mut plugins = self.plugins_in_use(&catalogue);
        let plugin = plugins.find(|plugin| carries(&***plugin, sample.channel));
        let Some(plugin) = plugin else {
            let message = "the business uses no plugin for this channel";
            return Err(Problem::invalid(&["input", "channel"], message).into());
        };
        let settings = match self.settings_in_use(&catalogue, &**plugin) {
            Ok(settings) => settings,
            Err(not) => return Ok(Err(not.to_string())),
        };
        let (given, locale) = (to.to_owned(), catalogue.business.locale.clone());
        let address = self.ask_plugin(plugin, caller.business, move |plugin| {
            let messages = plugin.messages().ok_or_else(no_channel)?;
            let address = messages.address(&given, region(&locale));
            address.map_err(|none| none.reason)
        });
        let to = address.await?;
        let to = to.map_err(|reason| Problem::invalid(&["input", "to"], reason))?;
        let event = self.sample_event(&catalogue, sample)?;
        let (engine, asked, trial) = (self.clone(), event.clone(), sample.clone());
        let words = self.ask_plugin(self.any_composer()?, caller.business, {
            let catalogue = catalogue.clone();
            move |plugin| {
                let composer = plugin.composer().ok_or_else(no_composer)?;
                Ok::<_, Error>(engine.composed(composer, &catalogue, &trial, &asked))
            }
        });
        let words = match words.await?? {
            Ok(words) => words,
            Err(problems) => {
                let problem = problems.into_iter().next();
                return Ok(Err(
                    problem.map_or_else(String::new, |problem| problem.message)
                ));
            }
        };
        let message = self.sample_message(caller, sample, event, words, to);
        Ok(self.send_sample(caller, plugin, settings, message).await)
    }

    async fn send_sample(
        &self,
        caller: &Caller,
        plugin: &Arc<dyn Plugin>,
        settings: PluginSettings,
        message: Message,
    ) -> Result<String, String> {
        let asked = plugin.clone();
        let work = async move {
            let messages = asked
                .messages()
                .ok_or_else(|| Failure::give_up(no_channel()))?;
            messages.send(&settings, &message).await
        };
        let sent = self
            .ask_other_side(plugin, caller.business, LIMIT, work)
            .await;
        match sent.unwrap_or_else(|none| Err(none.into())) {
            Ok(_) => Ok(format!("{} has taken it", plugin.title())),
            Err(failure) => Err(failure.reason().to_owned()),
        }
    }

    /// The words of a sample, or what is wrong with its template.
    fn composed(
        &self,
        composer: &dyn Composer,
        catalogue: &Catalogue,
        sample: &Sample,
        event: &Event,
    ) -> Result<Composed, Vec<TemplateProblem>> {
        let problems = composer.problems(&sample.template);
        if !problems.is_empty() {
            return Err(problems);
        }
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
            is_entered: false,
        };
        composer.compose(&settings, &request).map_err(|error| {
            vec![TemplateProblem {
                line: None,
                message: error.to_string(),
            }]
        })
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
            others: Vec::new(),
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

fn no_channel() -> String {
    "the plugin carries no messages any more".to_owned()
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
