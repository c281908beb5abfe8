//! The contract tests themselves: a plugin that keeps the contract passes, and each way to break it is found.

#![allow(
    clippy::unwrap_used,
    reason = "a test may panic; the whole crate is tests"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use domain::event::{Event, EventKind};
use domain::id::Id;
use plugin_api::{
    Delivery, Done, Failure, Plugin, PluginSettings, Reaction, SettingsError, Want, async_trait,
    contract,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A plugin to break.
struct Sample {
    name: &'static str,
    schema: Value,
    wants: Vec<Want>,
    accepts_anything: bool,
    said: AtomicU32,
}

const WANTED: Want = Want::all(EventKind::BlockCreated);

fn sound() -> Sample {
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "apiKey": { "type": "string", "description": "The key.", "writeOnly": true },
            "apiBase": { "type": "string", "description": "Where it is sent.", "x-destination": true }
        }
    });
    Sample {
        name: "sample",
        schema,
        wants: vec![WANTED],
        accepts_anything: false,
        said: AtomicU32::new(0),
    }
}

impl Plugin for Sample {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        "Sample"
    }

    fn description(&self) -> &'static str {
        "Does nothing."
    }

    fn settings_schema(&self) -> Value {
        self.schema.clone()
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, _: &Value) -> Result<(), SettingsError> {
        Ok(())
    }

    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for Sample {
    fn wants(&self) -> &[Want] {
        &self.wants
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        if !self.accepts_anything
            && (delivery.event.kind, delivery.part.as_str()) != (WANTED.event, WANTED.part)
        {
            return Err(Failure::give_up("not wanted"));
        }
        self.said.store(delivery.attempt, Ordering::Relaxed);
        Ok(Done::Delivered)
    }
}

fn delivery() -> Delivery {
    Delivery {
        id: Id::from_uuid(Uuid::from_u128(1)),
        business_id: Id::from_uuid(Uuid::from_u128(2)),
        attempt: 1,
        part: "all".to_owned(),
        event: Event {
            id: Id::from_uuid(Uuid::from_u128(3)),
            kind: EventKind::BlockCreated,
            at: "2027-03-01T09:00:00Z".parse().unwrap(),
            calendar_ids: Vec::new(),
            booking: None,
            hold_id: None,
            payment_id: None,
            webhook_endpoint_id: None,
            customer_id: None,
        },
        settings: PluginSettings::none(),
    }
}

#[tokio::test]
async fn a_plugin_that_keeps_it_passes() {
    contract::plugin(&sound());
    contract::reaction(&sound(), &delivery()).await;
    contract::repeats(&sound(), &delivery(), || "the same").await;
}

#[test]
#[should_panic(expected = "kebab-case")]
fn a_name_in_capitals_is_found() {
    contract::plugin(&Sample {
        name: "Sample",
        ..sound()
    });
}

#[test]
#[should_panic(expected = "unknown settings are refused")]
fn an_open_schema_is_found() {
    contract::plugin(&Sample {
        schema: json!({ "type": "object" }),
        ..sound()
    });
}

#[test]
#[should_panic(expected = "`apiKey` is a secret")]
fn a_secret_that_can_be_read_is_found() {
    let mut plugin = sound();
    *plugin
        .schema
        .pointer_mut("/properties/apiKey/writeOnly")
        .unwrap() = json!(false);
    contract::plugin(&plugin);
}

#[test]
#[should_panic(expected = "`apiBase` says where secrets are sent")]
fn a_place_that_secrets_are_sent_to_unnoticed_is_found() {
    let mut plugin = sound();
    *plugin
        .schema
        .pointer_mut("/properties/apiBase/x-destination")
        .unwrap() = json!(false);
    contract::plugin(&plugin);
}

#[test]
#[should_panic(expected = "a reaction wants something")]
fn a_reaction_without_wants_is_found() {
    contract::plugin(&Sample {
        wants: Vec::new(),
        ..sound()
    });
}

#[test]
#[should_panic(expected = "block.created is wanted for `all` once")]
fn a_want_that_stands_twice_is_found() {
    contract::plugin(&Sample {
        wants: vec![WANTED, WANTED],
        ..sound()
    });
}

#[tokio::test]
#[should_panic(expected = "booking.confirmed is skipped or given up on")]
async fn a_success_with_what_was_not_asked_for_is_found() {
    contract::reaction(
        &Sample {
            accepts_anything: true,
            ..sound()
        },
        &delivery(),
    )
    .await;
}

#[tokio::test]
#[should_panic(expected = "a repeat says the same")]
async fn a_repeat_that_says_something_else_is_found() {
    let plugin = sound();
    contract::repeats(&plugin, &delivery(), || plugin.said.load(Ordering::Relaxed)).await;
}

#[test]
#[should_panic(expected = "settings that are wrong are refused")]
fn settings_that_take_unknown_fields_are_found() {
    contract::settings(|json| Ok(json.to_string()), json!({}), []);
}
