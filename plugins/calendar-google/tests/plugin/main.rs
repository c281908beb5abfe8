//! The plugin as the server sees it, in conversation with a server that speaks Google's API.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

mod access;
mod channels;
mod contract;
mod events;
mod faults;
mod reading;

use std::time::Duration;

use calendar_google::{CalendarGoogle, Options};
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{BookingId, BusinessId, Id, ProviderId};
use domain::zone::ZoneDatabase;
use fake_google::FakeGoogle;
use outbound::{Outbound, OutboundOptions};
use plugin_api::{
    BookingEvent, CalendarAccess, CalendarError, CalendarSync, Page, PluginSettings, PullFrom,
    Written,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

const MARIA: &str = "maria@aurora.example";

/// The plugin; calls may take this long, and go to this machine or not.
fn plugin_with(timeout: Duration, allow_private: bool) -> CalendarGoogle {
    let options = OutboundOptions {
        allow_private,
        roots: Vec::new(),
    };
    CalendarGoogle::new(Options {
        outbound: Outbound::new(options).unwrap(),
        timeout,
        zones: ZoneDatabase::bundled(),
    })
}

fn plugin() -> CalendarGoogle {
    plugin_with(Duration::from_secs(30), true)
}

/// Maria's calendar at Google, and a business that keeps it in step.
struct Salon {
    google: FakeGoogle,
    plugin: CalendarGoogle,
    settings: PluginSettings,
    access: CalendarAccess,
}

impl Salon {
    /// By Maria's consent.
    async fn open() -> Self {
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(MARIA, "Europe/London");
        let settings = settings(&google, json!({}));
        let token = google.refresh_token(MARIA);
        Self {
            access: access(&settings, Some(&token)),
            plugin: plugin(),
            settings,
            google,
        }
    }

    /// By the business's service account.
    async fn with_service_account() -> Self {
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(MARIA, "Europe/London");
        let key = json!({ "serviceAccount": google.service_account(), "clientId": null, "clientSecret": null });
        let settings = settings(&google, key);
        Self {
            access: access(&settings, None),
            plugin: plugin(),
            settings,
            google,
        }
    }

    async fn put(&self, event: &BookingEvent) -> Result<Written, CalendarError> {
        self.plugin.put(&self.access, MARIA, event).await
    }

    async fn delete(&self, booking: BookingId) -> Result<(), CalendarError> {
        self.plugin.delete(&self.access, MARIA, booking).await
    }

    async fn pull(&self, from: &PullFrom) -> Result<Page, CalendarError> {
        self.plugin.pull(&self.access, MARIA, from).await
    }

    /// What stands in Maria's calendar.
    fn events(&self) -> Vec<Value> {
        self.google.events(MARIA)
    }
}

fn settings(google: &FakeGoogle, more: Value) -> PluginSettings {
    let mut settings = json!({
        "clientId": google.client_id(), "clientSecret": google.client_secret(), "apiBase": google.api_base(), "tokenUrl": google.token_url()
    });
    if let Value::Object(more) = more {
        settings.as_object_mut().unwrap().extend(more);
    }
    PluginSettings::new(1, settings)
}

fn access(settings: &PluginSettings, refresh_token: Option<&str>) -> CalendarAccess {
    CalendarAccess {
        business_id: BusinessId::from_uuid(Uuid::from_u128(1)),
        provider_id: ProviderId::from_uuid(Uuid::from_u128(2)),
        settings: settings.clone(),
        refresh_token: refresh_token.map(SecretString::from),
        subject: Some(MARIA.to_owned()),
    }
}

/// A Monday in March 2027.
fn noon() -> DateTime<Utc> {
    "2027-03-01T12:00:00Z".parse().unwrap()
}

fn event(number: u128) -> BookingEvent {
    BookingEvent {
        booking_id: BookingId::from_uuid(Uuid::from_u128(number)),
        starts_at: noon(),
        ends_at: noon() + TimeDelta::minutes(45),
        time_zone: "Europe/London".to_owned(),
        summary: "Cut and finish: Jo Smith".to_owned(),
        description: "K7QF3MXR".to_owned(),
        location: "Main Street".to_owned(),
    }
}

fn later(event: &BookingEvent, hours: i64) -> BookingEvent {
    BookingEvent {
        starts_at: event.starts_at + TimeDelta::hours(hours),
        ends_at: event.ends_at + TimeDelta::hours(hours),
        ..event.clone()
    }
}

/// All of the half year around.
fn all() -> PullFrom {
    PullFrom {
        sync_token: None,
        page_token: None,
        after: noon() - TimeDelta::days(1),
        before: noon() + TimeDelta::days(180),
    }
}
