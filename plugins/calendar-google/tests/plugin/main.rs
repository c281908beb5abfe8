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

/// The way out, to this machine too or not.
fn way_out(allow_private: bool) -> Outbound {
    let options = OutboundOptions {
        allow_private,
        roots: Vec::new(),
    };
    Outbound::new(options).unwrap()
}

/// The plugin; calls may take this long.
fn plugin_by(outbound: &Outbound, timeout: Duration) -> CalendarGoogle {
    CalendarGoogle::new(Options {
        outbound: outbound.clone(),
        timeout,
        zones: ZoneDatabase::bundled(),
    })
}

fn plugin() -> CalendarGoogle {
    plugin_by(&way_out(true), Duration::from_secs(30))
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
        Self::by(&way_out(true), false).await
    }

    /// By the business's service account.
    async fn with_service_account() -> Self {
        Self::by(&way_out(true), true).await
    }

    async fn by(outbound: &Outbound, is_service: bool) -> Self {
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(MARIA, "Europe/London");
        let (more, token) = if is_service {
            let key = google.service_account();
            let more = json!({ "serviceAccount": key, "clientId": null, "clientSecret": null });
            (more, None)
        } else {
            (json!({}), Some(google.refresh_token(MARIA)))
        };
        let settings = settings(&google, more);
        Self {
            access: access(&settings, token.as_deref()),
            plugin: plugin_by(outbound, Duration::from_secs(30)),
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
