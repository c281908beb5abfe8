//! The plugin as the server sees it, in conversation with a server that speaks Twilio's API.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and says what it leaves out; the whole crate is tests"
)]

mod checking;
mod contract;
mod faults;
mod inbound;
mod npm;
mod sending;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::event::EventKind;
use domain::id::{BusinessId, Id, NotificationId};
use fake_twilio::{ACCOUNT, AUTH_TOKEN, FROM, FakeTwilio, TIME};
use outbound::{Outbound, OutboundOptions};
use plugin_api::{Failure, Message, MessageChannel, PluginSettings, Sent, sample};
use serde_json::{Value, json};
use sms_twilio::{Options, SmsTwilio};
use uuid::Uuid;

const TO: &str = "+447400123456";
const CALLBACK: &str = "https://book.example/plugins/sms-twilio/salon-aurora";

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Clock(Arc<Mutex<DateTime<Utc>>>);

impl Clock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(start())))
    }

    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    fn pass(&self, time: TimeDelta) {
        *self.0.lock().unwrap() += time;
    }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(TIME, 250_000_000).unwrap()
}

/// The plugin; calls may take this long, and go to this machine or not.
fn plugin_with(clock: &Clock, timeout: Duration, allow_private: bool) -> SmsTwilio {
    let options = OutboundOptions {
        allow_private,
        roots: Vec::new(),
    };
    let clock = clock.clone();
    SmsTwilio::new(Options {
        outbound: Outbound::new(options).unwrap(),
        timeout,
        now: Arc::new(move || clock.now()),
    })
}

fn plugin(clock: &Clock) -> SmsTwilio {
    plugin_with(clock, Duration::from_secs(30), true)
}

/// A Twilio, and a business that uses it.
struct Shop {
    twilio: FakeTwilio,
    plugin: SmsTwilio,
    settings: PluginSettings,
    clock: Clock,
}

impl Shop {
    async fn open() -> Self {
        Self::with(json!({})).await
    }

    async fn with(more: Value) -> Self {
        let clock = Clock::new();
        let told = clock.clone();
        let twilio = FakeTwilio::start_with(move || told.now()).await.unwrap();
        let settings = settings(&twilio, more);
        Self {
            plugin: plugin(&clock),
            twilio,
            settings,
            clock,
        }
    }

    async fn send(&self, message: &Message) -> Result<Sent, Failure> {
        self.plugin.send(&self.settings, message).await
    }

    /// A later attempt at the same message, half a minute after the one before.
    async fn again(&self, message: &mut Message) -> Result<Sent, Failure> {
        self.clock.pass(TimeDelta::seconds(30));
        message.attempt += 1;
        message.may_have_been_sent = true;
        self.send(message).await
    }
}

fn settings(twilio: &FakeTwilio, more: Value) -> PluginSettings {
    let mut settings = json!({
        "accountSid": ACCOUNT, "authToken": AUTH_TOKEN, "from": FROM, "apiBase": twilio.base()
    });
    if let Value::Object(more) = more {
        settings.as_object_mut().unwrap().extend(more);
    }
    PluginSettings::new(1, settings)
}

/// The first attempt at a message that says this, now.
fn message(clock: &Clock, number: u128, text: &str) -> Message {
    let event = sample::delivery(EventKind::BookingConfirmed, "customer", json!({})).event;
    Message {
        id: NotificationId::from_uuid(Uuid::from_u128(number)),
        business_id: BusinessId::from_uuid(Uuid::from_u128(9)),
        attempt: 1,
        may_have_been_sent: false,
        since: clock.now(),
        others: Vec::new(),
        to: TO.to_owned(),
        to_name: "Jo Smith".to_owned(),
        subject: None,
        text: text.to_owned(),
        language: "en-GB".to_owned(),
        event,
        callback_url: Some(CALLBACK.to_owned()),
        letter: plugin_api::Letter::default(),
    }
}
