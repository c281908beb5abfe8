//! Text messages through a business's own Twilio account: sent once, their fate heard, and the wishes of those who answer STOP, START and HELP.
//!
//! `channel` is the capability, `webhook` what Twilio calls with (`signature` says whether it is Twilio), `client` HTTP and nothing else, `map`,
//! `code`, `keyword` and `address` pure translation, `segments` what a text costs, `pace` how fast one person is written to. When, whether and in
//! what words something is said is the engine's matter.

mod address;
mod answer;
mod channel;
mod checking;
mod client;
mod code;
mod keyword;
mod map;
mod pace;
mod segments;
mod settings;
mod signature;
mod webhook;

use std::time::Duration;

use outbound::Outbound;
use plugin_api::{
    Check, Failure, InboundWebhook, MessageChannel, Plugin, PluginSettings, SettingsError,
};
use serde_json::Value;

pub use crate::pace::Now;
pub use crate::segments::{Alphabet, Segments, plain, segments};
pub use crate::settings::Settings;

use crate::client::Client;
use crate::pace::Pace;
use crate::settings::Account;

/// What the plugin is made of.
#[derive(Clone)]
pub struct Options {
    /// The way to Twilio: businesses set `apiBase` themselves.
    pub outbound: Outbound,
    /// How long one call may take.
    pub timeout: Duration,
    /// The server's clock.
    pub now: Now,
}

/// The plugin.
pub struct SmsTwilio {
    client: Client,
    pace: Pace,
    now: Now,
}

impl SmsTwilio {
    /// Makes the plugin. Nothing is connected yet.
    pub fn new(options: Options) -> Self {
        let Options {
            outbound,
            timeout,
            now,
        } = options;
        Self {
            client: Client { outbound, timeout },
            pace: Pace::new(now.clone()),
            now,
        }
    }
}

/// The account that these settings describe.
fn account(settings: &PluginSettings) -> Result<Account, Failure> {
    Ok(settings.read::<Settings>()?.account()?)
}

impl Plugin for SmsTwilio {
    fn name(&self) -> &'static str {
        "sms-twilio"
    }

    fn title(&self) -> &'static str {
        "Twilio"
    }

    fn description(&self) -> &'static str {
        "Sends text messages through your own Twilio account, and hears whether they arrive and who wants no more of them."
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

    fn messages(&self) -> Option<&dyn MessageChannel> {
        Some(self)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}
