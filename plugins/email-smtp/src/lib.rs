//! Mail: carries what others have put into words, with an invitation that calendars understand where it tells of a booking. Every repeat is the
//! same mail to the byte, under the same Message-ID.
//!
//! The way of a mail: `map` makes it of the message, `ics` writes the invitation, `mime` writes it down, `client` sends it: over SMTP
//! (`smtp`) or, where no server is set up, into files (`outbox`).
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
mod map;
mod mime;
mod outbox;
mod settings;
mod smtp;
mod wire;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::id::BusinessId;
use lettre::Address;
use outbound::Outbound;
use plugin_api::{
    Channel, Check, Failure, Message, MessageChannel, MessageStatus, NoAddress, Plugin,
    PluginSettings, Sent, async_trait,
};

pub use crate::error::StartError;
pub use crate::settings::{Security, Settings};

use crate::accounts::Accounts;
use crate::client::Client;
use crate::outbox::Outbox;
use crate::settings::Sender;
use crate::smtp::Smtp;

/// What the plugin is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The operator's server, which takes the mail of businesses that have none of their own; none: that mail goes to `outbox`.
    pub settings: Option<Settings>,
    /// The directory for `.eml` files; made when the first one is written.
    pub outbox: PathBuf,
    /// The way to the servers.
    pub outbound: Outbound,
}

/// The plugin.
pub struct EmailSmtp {
    /// For businesses that have set nothing.
    shared: Client,
    accounts: Accounts,
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
        })
    }

    /// Where the mail of a business goes.
    fn client(&self, business: BusinessId, settings: &PluginSettings) -> Result<Client, Failure> {
        if settings.is_empty() {
            return Ok(self.shared.clone());
        }
        Ok(Client::Smtp(self.accounts.of(business, settings)?))
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
        "Carries messages as mail: by a mail server of the business or the operator, else into files. Confirmations, changes and cancellations bear a calendar invitation."
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

    fn time_limit(&self) -> Option<Duration> {
        Some(connection::WHOLE_LIMIT)
    }

    fn messages(&self) -> Option<&dyn MessageChannel> {
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
impl MessageChannel for EmailSmtp {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn address(&self, given: &str, _: Option<&str>) -> Result<String, NoAddress> {
        let wrong = || NoAddress::because("the email address is not one that mail can be sent to");
        let given = given.trim();
        let (local, host) = given.rsplit_once('@').ok_or_else(wrong)?;
        // Hosts are the same in capitals; who is meant by the rest only the host knows.
        let written = format!("{local}@{}", host.to_lowercase());
        written.parse::<Address>().map_err(|_| wrong())?;
        Ok(written)
    }

    async fn send(&self, settings: &PluginSettings, message: &Message) -> Result<Sent, Failure> {
        let client = self.client(message.business_id, settings)?;
        let mail = map::mail(message, client.sender()).map_err(Failure::give_up)?;
        client.send(&mail, message.attempt).await?;
        Ok(Sent {
            external_id: None,
            status: MessageStatus::Sent,
        })
    }
}
