//! Payments through a business's own Stripe account: deposits and prices are charged, reserved or paid back, cards are saved.
//!
//! `payments` is the capability (and says which object at Stripe is the truth), `webhook` what Stripe calls with, `client` HTTP and
//! nothing else, `map` and `amount` pure translation. The engine decides; nothing here knows what a booking is.

mod amount;
mod answer;
mod client;
mod dispute;
mod map;
mod payments;
mod refunds;
mod saved;
mod settings;
mod webhook;

use std::time::Duration;

use domain::id::BusinessId;
use outbound::Outbound;
use plugin_api::{
    Check, Failure, InboundWebhook, Payments, Plugin, PluginSettings, SettingsError, async_trait,
};
use serde_json::Value;

pub use crate::settings::Settings;

use crate::answer::Balance;
use crate::client::{Client, Form};

/// What the plugin is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The way to Stripe: businesses set `apiBase` themselves.
    pub outbound: Outbound,
    /// How long one call may take.
    pub timeout: Duration,
}

/// The plugin.
pub struct PaymentsStripe {
    client: Client,
}

impl PaymentsStripe {
    /// Makes the plugin. Nothing is connected yet.
    pub fn new(options: Options) -> Self {
        let client = Client {
            outbound: options.outbound,
            timeout: options.timeout,
        };
        Self { client }
    }
}

impl Plugin for PaymentsStripe {
    fn name(&self) -> &'static str {
        "payments-stripe"
    }

    fn title(&self) -> &'static str {
        "Stripe"
    }

    fn description(&self) -> &'static str {
        "Takes deposits and payments through your own Stripe account, in your frontend or on Stripe's page, and pays them back."
    }

    fn settings_schema(&self) -> Value {
        plugin_api::settings_schema::<Settings>()
    }

    fn validate(&self, settings: &Value) -> Result<(), SettingsError> {
        Settings::from_json(settings.clone()).map(drop)
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn payments(&self) -> Option<&dyn Payments> {
        Some(self)
    }

    /// Over two days: Stripe repeats an error of its own under the key of a call for one day, or somewhat more.
    fn attempts(&self) -> Option<u32> {
        Some(20)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}

#[async_trait]
impl Check for PaymentsStripe {
    async fn check(&self, _: BusinessId, settings: &PluginSettings) -> Result<String, Failure> {
        let account = payments::account(settings)?;
        let balance: Balance = self.client.get(&account, "balance", &Form::new()).await?;
        let mode = if balance.livemode { "live" } else { "test" };
        let accepts = format!("Stripe accepts the key, in {mode} mode");
        Ok(if account.webhook_secret.is_some() {
            accepts
        } else {
            format!("{accepts}; without a webhookSecret it cannot tell when a payment is made")
        })
    }
}
