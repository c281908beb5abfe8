//! Google Calendar: bookings are written to the calendars of providers, and what they are busy with there is read.
//!
//! `calendar` is the capability, `inbound` what Google calls with, `access` and `token` who is let in, `client` HTTP and nothing else, `map`
//! and `refusal` pure translation. The engine keeps what was read and decides what follows; nothing here knows what is free.

mod access;
mod answer;
mod calendar;
mod check;
mod client;
mod inbound;
mod key;
mod map;
mod refusal;
mod settings;
mod token;

use std::time::Duration;

use domain::zone::ZoneDatabase;
use outbound::Outbound;
use plugin_api::{CalendarSync, Check, InboundWebhook, Plugin, SettingsError};
use serde_json::Value;

pub use crate::settings::{OnExternalMove, Settings};

use crate::access::Api;
use crate::client::Client;

/// What the plugin is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The way to Google: businesses set `apiBase` and `tokenUrl` themselves.
    pub outbound: Outbound,
    /// How long one call may take.
    pub timeout: Duration,
    /// The rules of time zones: whole days are those of the calendar's zone.
    pub zones: ZoneDatabase,
}

/// The plugin.
pub struct CalendarGoogle {
    api: Api,
    zones: ZoneDatabase,
}

impl CalendarGoogle {
    /// Makes the plugin. Nothing is connected yet.
    pub fn new(options: Options) -> Self {
        let client = Client {
            outbound: options.outbound,
            timeout: options.timeout,
        };
        Self {
            api: Api::new(client),
            zones: options.zones,
        }
    }
}

impl Plugin for CalendarGoogle {
    fn name(&self) -> &'static str {
        "calendar-google"
    }

    fn title(&self) -> &'static str {
        "Google Calendar"
    }

    fn description(&self) -> &'static str {
        "Writes bookings to the Google calendars of your providers, and takes no booking while they are busy there."
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

    fn calendar(&self) -> Option<&dyn CalendarSync> {
        Some(self)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}
