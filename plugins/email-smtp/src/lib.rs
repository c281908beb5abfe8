//! Mail to customers and providers when a booking is made, moved or called off, with an invitation that their calendars
//! understand. At least once, and every repeat is the same mail to the byte, under the same Message-ID.
//!
//! The way of a mail: `map` turns the event into a mail (`view` says what its recipient is shown, `templates` puts
//! it into words, `ics` writes the invitation), `mime` writes it down, `client` sends it: over SMTP (`smtp`) or,
//! where no server is set up, into files (`outbox`).

mod clean;
mod client;
mod error;
mod ics;
mod language;
mod local_time;
mod map;
mod mime;
mod outbox;
mod settings;
mod smtp;
mod templates;
mod view;
mod wire;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use domain::zone::ZoneDatabase;
use plugin_api::{Delivery, Done, Failure, Plugin, Reaction, Want, async_trait};

pub use crate::error::StartError;
pub use crate::settings::{Security, Settings};

use crate::client::Client;
use crate::map::{NoMail, Translator, WANTS};
use crate::outbox::Outbox;
use crate::settings::Sender;
use crate::smtp::Smtp;
use crate::templates::Templates;

/// What the plugin is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server that takes the mail; none: the mail goes to `outbox`.
    pub settings: Option<Settings>,
    /// The directory for `.eml` files; made when the first one is written.
    pub outbox: PathBuf,
    /// The rules of time zones.
    pub zones: ZoneDatabase,
}

/// The plugin.
pub struct EmailSmtp {
    client: Client,
    sender: Sender,
    templates: Templates,
    zones: ZoneDatabase,
}

impl EmailSmtp {
    /// Makes the plugin. Nothing is connected or written yet.
    ///
    /// # Errors
    /// [`StartError`] naming the setting that is wrong.
    pub fn new(options: Options) -> Result<Self, StartError> {
        let (client, sender) = match options.settings {
            Some(settings) => {
                let account = settings.account()?;
                let sender = account.sender.clone();
                (Client::Smtp(Box::new(Smtp::new(account)?)), sender)
            }
            None => (
                Client::Files(Outbox::new(options.outbox)),
                Sender::of_files(),
            ),
        };
        Ok(Self {
            client,
            sender,
            templates: Templates::load()?,
            zones: options.zones,
        })
    }
}

impl Plugin for EmailSmtp {
    fn name(&self) -> &'static str {
        "email-smtp"
    }

    fn title(&self) -> &'static str {
        "Email"
    }

    fn description(&self) -> &'static str {
        "Sends customers and providers a mail with a calendar invitation when a booking is made, changed or cancelled."
    }

    fn settings_schema(&self) -> serde_json::Value {
        plugin_api::settings_schema::<Settings>()
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, settings: &serde_json::Value) -> Result<(), plugin_api::SettingsError> {
        if settings.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        Settings::from_json(settings.clone()).map(drop)
    }

    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for EmailSmtp {
    fn wants(&self) -> &[Want] {
        &WANTS
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let translator = Translator {
            templates: &self.templates,
            zones: &self.zones,
            sender: &self.sender,
        };
        match translator.mail(delivery) {
            Ok(mail) => self
                .client
                .send(&mail, delivery.attempt)
                .await
                .map(|()| Done::Delivered),
            Err(NoMail::Nothing(reason)) => Ok(Done::Skipped { reason }),
            Err(NoMail::Impossible(reason)) => Err(Failure::GiveUp { reason }),
        }
    }
}
