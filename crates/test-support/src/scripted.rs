//! A plugin that does as it is told and remembers what it was handed.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use domain::event::EventKind;
use domain::id::BusinessId;
use plugin_api::{
    Check, Delivery, Done, Failure, Plugin, PluginSettings, Reaction, SettingsError, Want,
    async_trait,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Obstacle;

/// The plugin. Its settings are an `endpoint` and a secret `apiKey`, which the other side takes if it is `right`.
pub struct Scripted {
    name: &'static str,
    /// Whether a business that has set nothing uses it; then the settings may be empty, too.
    on_by_default: bool,
    /// What it is to do with the next deliveries.
    script: Mutex<Vec<Result<Done, Failure>>>,
    seen: watch::Sender<Vec<Delivery>>,
    /// How long it says that an attempt may take.
    pub time_limit: OnceLock<Duration>,
    /// Where those go who are told to block their thread.
    pub obstacle: Obstacle,
}

impl Scripted {
    /// One that everybody uses.
    pub fn new(name: &'static str, script: Vec<Result<Done, Failure>>) -> Arc<Self> {
        Self::made(name, true, script)
    }

    /// One that is used by those who have set it up.
    pub fn set_up(name: &'static str, script: Vec<Result<Done, Failure>>) -> Arc<Self> {
        Self::made(name, false, script)
    }

    fn made(
        name: &'static str,
        on_by_default: bool,
        script: Vec<Result<Done, Failure>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            on_by_default,
            script: Mutex::new(script),
            seen: watch::Sender::new(Vec::new()),
            time_limit: OnceLock::new(),
            obstacle: Obstacle::default(),
        })
    }

    /// Waits until it was handed so many deliveries; answers all of them.
    pub async fn seen(&self, count: usize) -> Vec<Delivery> {
        let mut seen = self.seen.subscribe();
        let wait = seen.wait_for(|seen| seen.len() >= count);
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("deliveries in time")
            .unwrap()
            .clone()
    }
}

impl Plugin for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        "Scripted"
    }

    fn description(&self) -> &'static str {
        "Does as it is told."
    }

    fn settings_schema(&self) -> Value {
        json!({
            "type": "object", "additionalProperties": false, "required": ["endpoint"],
            "properties": {
                "endpoint": { "type": "string", "description": "Where it goes." },
                "apiKey": { "type": "string", "description": "The key.", "writeOnly": true }
            }
        })
    }

    fn on_by_default(&self) -> bool {
        self.on_by_default
    }

    fn validate(&self, settings: &Value) -> Result<(), SettingsError> {
        let fields = settings.as_object().expect("settings are an object");
        if self.on_by_default && fields.is_empty() {
            return Ok(());
        }
        if let Some(unknown) = fields
            .keys()
            .find(|name| !["endpoint", "apiKey"].contains(&name.as_str()))
        {
            return Err(SettingsError::field(unknown, "is not a setting"));
        }
        if let Some((wrong, _)) = fields.iter().find(|(_, value)| !value.is_string()) {
            return Err(SettingsError::field(wrong, "expected a string"));
        }
        match fields.get("endpoint") {
            Some(_) => Ok(()),
            None => Err(SettingsError::field("endpoint", "is required")),
        }
    }

    fn check(&self) -> Option<&dyn Check> {
        Some(self)
    }

    fn time_limit(&self) -> Option<Duration> {
        self.time_limit.get().copied()
    }

    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Check for Scripted {
    async fn check(&self, _: BusinessId, settings: &PluginSettings) -> Result<String, Failure> {
        match settings.json()["endpoint"].as_str() {
            Some("block") => self.obstacle.block(),
            Some("panic") => panic!("as it was told"),
            _ => {}
        }
        if settings.json()["apiKey"] == "right" {
            Ok("the key is right".to_owned())
        } else {
            Err(Failure::misconfigured("apiKey: the key is wrong"))
        }
    }
}

#[async_trait]
impl Reaction for Scripted {
    fn wants(&self) -> &[Want] {
        const {
            &[
                Want::all(EventKind::BookingConfirmed),
                Want::all(EventKind::BookingCancelled),
            ]
        }
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        let next = {
            let mut script = self.script.lock().unwrap();
            if script.is_empty() {
                Ok(Done::Delivered)
            } else {
                script.remove(0)
            }
        };
        self.seen.send_modify(|seen| seen.push(delivery.clone()));
        if matches!(&next, Err(Failure::GiveUp { reason }) if reason == "panic") {
            panic!("as it was told");
        }
        if matches!(&next, Err(Failure::GiveUp { reason }) if reason == "hang") {
            std::future::pending::<()>().await;
        }
        if matches!(&next, Err(Failure::GiveUp { reason }) if reason == "block") {
            self.obstacle.block();
        }
        next
    }
}
