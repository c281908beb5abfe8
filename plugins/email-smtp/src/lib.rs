//! Mail to customers and providers when a booking is made, moved or called off, with an invitation that their calendars
//! understand. At least once, and every repeat is the same mail to the byte, under the same Message-ID.
//!
//! The way of a mail: `map` turns the event into a mail (`view` says what its recipient is shown, `templates` puts
//! it into words, `ics` writes the invitation), `mime` writes it down, `client` sends it: over SMTP (`smtp`) or,
//! where no server is set up, into files (`outbox`).
//!
//! A business that has set a server of its own sends by that one (`accounts`); the others by the operator's, if there is one. The
//! operator's may be anywhere, also on this machine; a business's is reached by the rules of [`outbound`].

mod accounts;
mod clean;
mod client;
mod connection;
mod error;
mod handshake;
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
use std::sync::Arc;

use domain::id::BusinessId;
use domain::zone::ZoneDatabase;
use outbound::Outbound;
use plugin_api::{
    Check, Delivery, Done, Failure, Plugin, PluginSettings, Reaction, Want, async_trait,
};

pub use crate::error::StartError;
pub use crate::settings::{Security, Settings};

use crate::accounts::Accounts;
use crate::client::Client;
use crate::map::{NoMail, Translator, WANTS};
use crate::outbox::Outbox;
use crate::settings::Sender;
use crate::smtp::Smtp;
use crate::templates::Templates;

/// What the plugin is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The operator's server, which takes the mail of businesses that have none of their own; none: that mail goes to `outbox`.
    pub settings: Option<Settings>,
    /// The directory for `.eml` files; made when the first one is written.
    pub outbox: PathBuf,
    /// The rules of time zones.
    pub zones: ZoneDatabase,
    /// The way to the servers.
    pub outbound: Outbound,
}

/// The plugin.
pub struct EmailSmtp {
    /// For businesses that have set nothing.
    shared: Client,
    accounts: Accounts,
    templates: Templates,
    zones: ZoneDatabase,
}

impl EmailSmtp {
    /// Makes the plugin. Nothing is connected or written yet.
    ///
    /// # Errors
    /// [`StartError`] naming the setting that is wrong.
    pub fn new(options: Options) -> Result<Self, StartError> {
        let Options {
            settings,
            outbox,
            zones,
            outbound,
        } = options;
        let shared = match settings {
            Some(settings) => {
                let smtp = Smtp::new(settings.account()?, outbound.for_operator());
                Client::Smtp(Arc::new(smtp))
            }
            None => Client::Files(Outbox::new(outbox), Sender::of_files()),
        };
        Ok(Self {
            shared,
            accounts: Accounts::new(outbound),
            templates: Templates::load()?,
            zones,
        })
    }

    /// Where the mail of a business goes.
    fn client(&self, business: BusinessId, settings: &PluginSettings) -> Result<Client, Failure> {
        if settings.is_empty() {
            return Ok(self.shared.clone());
        }
        let own = self.accounts.of(business, settings);
        own.map(Client::Smtp)
            .map_err(|error| Failure::misconfigured(error.to_string()))
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

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Check for EmailSmtp {
    async fn check(
        &self,
        business: BusinessId,
        settings: &PluginSettings,
    ) -> Result<String, Failure> {
        self.client(business, settings)?.check().await
    }
}

#[async_trait]
impl Reaction for EmailSmtp {
    fn wants(&self) -> &[Want] {
        &WANTS
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let client = self.client(delivery.business_id, &delivery.settings)?;
        let translator = Translator {
            templates: &self.templates,
            zones: &self.zones,
            sender: client.sender(),
        };
        match translator.mail(delivery) {
            Ok(mail) => client
                .send(&mail, delivery.attempt)
                .await
                .map(|()| Done::Delivered),
            Err(NoMail::Nothing(reason)) => Ok(Done::Skipped { reason }),
            Err(NoMail::Impossible(reason)) => Err(Failure::GiveUp { reason }),
        }
    }
}
