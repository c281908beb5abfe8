//! A channel that carries messages, in memory: it remembers what it carried, and does with the next messages as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plugin_api::{
    Channel, Failure, Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook,
    Message, MessageChannel, MessageStatus, NoAddress, Plugin, PluginSettings, Sent, SettingsError,
    Wish, async_trait,
};
use serde_json::{Value, json};
use tokio::sync::watch;

/// The plugin, and its other side. Every business uses it.
pub struct Courier {
    name: &'static str,
    channel: Channel,
    /// What comes of the next messages; those behind it are taken.
    script: Mutex<VecDeque<Result<MessageStatus, Failure>>>,
    /// Every attempt, also those that failed.
    carried: watch::Sender<Vec<Message>>,
}

impl Courier {
    /// One that carries mail.
    pub fn of_mail() -> Arc<Self> {
        Self::new("courier-mail", Channel::Email)
    }

    /// One that carries text messages.
    pub fn of_texts() -> Arc<Self> {
        Self::new("courier-texts", Channel::Sms)
    }

    fn new(name: &'static str, channel: Channel) -> Arc<Self> {
        Arc::new(Self {
            name,
            channel,
            script: Mutex::default(),
            carried: watch::Sender::new(Vec::new()),
        })
    }

    /// What comes of the next message. Given up with the words `panic` or `hang`, it does that instead.
    pub fn next(&self, outcome: Result<MessageStatus, Failure>) {
        self.script.lock().unwrap().push_back(outcome);
    }

    /// What it was handed so far.
    pub fn carried(&self) -> Vec<Message> {
        self.carried.borrow().clone()
    }

    /// Waits until it was handed so many messages; answers all of them.
    pub async fn until(&self, count: usize) -> Vec<Message> {
        let mut carried = self.carried.subscribe();
        let wait = carried.wait_for(|carried| carried.len() >= count);
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        waited.expect("messages in time").unwrap().clone()
    }
}

impl Plugin for Courier {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        "Courier"
    }

    fn description(&self) -> &'static str {
        "Carries messages in memory."
    }

    fn settings_schema(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false,
            "properties": { "password": { "type": "string", "writeOnly": true } } })
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, _: &Value) -> Result<(), SettingsError> {
        Ok(())
    }

    fn messages(&self) -> Option<&dyn MessageChannel> {
        Some(self)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}

#[async_trait]
impl MessageChannel for Courier {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn address(&self, given: &str, region: Option<&str>) -> Result<String, NoAddress> {
        match self.channel {
            Channel::Sms if given.starts_with('+') => Ok(given.replace(' ', "")),
            Channel::Sms if region == Some("GB") && given.starts_with('0') => {
                Ok(format!("+44{}", given[1..].replace(' ', "")))
            }
            Channel::Sms => Err(NoAddress::because("the number has no country")),
            _ => Ok(given.to_owned()),
        }
    }

    async fn send(&self, _: &PluginSettings, message: &Message) -> Result<Sent, Failure> {
        let outcome = self.script.lock().unwrap().pop_front();
        self.carried
            .send_modify(|carried| carried.push(message.clone()));
        match &outcome {
            Some(Err(failure)) if failure.reason() == "panic" => panic!("as it was told"),
            Some(Err(failure)) if failure.reason() == "hang" => std::future::pending().await,
            _ => {}
        }
        let status = outcome.unwrap_or(Ok(MessageStatus::Sent))?;
        Ok(Sent {
            external_id: Some(format!("msg_{}", message.id)),
            status,
        })
    }
}

impl InboundWebhook for Courier {
    fn verify(
        &self,
        _: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        let unreadable = || InboundRefused::Unreadable("expected a call".to_owned());
        let call: Value = serde_json::from_slice(&request.body).map_err(|_| unreadable())?;
        let text = |field: &str| call[field].as_str().map(str::to_owned);
        let about = match (text("wish"), text("address")) {
            (Some(wish), Some(address)) => InboundAbout::Wish {
                channel: self.channel,
                address,
                wish: if wish == "stop" {
                    Wish::Stop
                } else {
                    Wish::Start
                },
            },
            _ => InboundAbout::Message {
                id: text("message").and_then(|id| id.parse().ok()),
                external_id: text("external").unwrap_or_default(),
                status: match text("status").as_deref() {
                    Some("delivered") => MessageStatus::Delivered,
                    Some("failed") => MessageStatus::Failed {
                        reason: "nobody there".to_owned(),
                    },
                    _ => MessageStatus::Sent,
                },
            },
        };
        Ok(Inbound::new(text("id").ok_or_else(unreadable)?, about))
    }
}
