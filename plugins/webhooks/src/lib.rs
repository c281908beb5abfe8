//! Posts events to the endpoints that a business chose, signed as Standard Webhooks say (<https://www.standardwebhooks.com>).
//!
//! The way of an event: `payload` turns it into what is posted, the same bytes each time; `signature` signs it; `client` posts it. What the
//! other side answers matters by its status alone: 2xx is taken, anything else is not.

mod client;
mod payload;
mod signature;

use outbound::{Outbound, Url};
use plugin_api::{
    Failure, Plugin, SettingsError, WebhookMessage, WebhookSender, async_trait, read_settings,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use payload::{Payload, schema};

/// With the runner's waits (10 s, tripled each time up to 4 hours, a fifth either way) so many attempts take more than 72 hours.
const ATTEMPTS: u32 = 31;

/// A business sets nothing: endpoints have operations of their own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {}

/// The plugin. It reaches endpoints by `Outbound`, which keeps it away from private addresses and follows no redirect.
pub struct Webhooks(pub Outbound);

impl Plugin for Webhooks {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn title(&self) -> &'static str {
        "Webhooks"
    }

    fn description(&self) -> &'static str {
        "Posts what happens to addresses of your own, signed. Endpoints are set by setWebhookEndpoint."
    }

    fn settings_schema(&self) -> Value {
        plugin_api::settings_schema::<Settings>()
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, settings: &Value) -> Result<(), SettingsError> {
        read_settings::<Settings>(settings.clone()).map(drop)
    }

    fn webhooks(&self) -> Option<&dyn WebhookSender> {
        Some(self)
    }

    fn attempts(&self) -> Option<u32> {
        Some(ATTEMPTS)
    }
}

#[async_trait]
impl WebhookSender for Webhooks {
    fn address(&self, url: &str) -> Result<(), String> {
        let url: Url = url
            .parse()
            .map_err(|_| "must be an address: https://…".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must hold no credentials: the signature says who posts".to_owned());
        }
        self.0.vetted(&url).map_err(|refused| refused.to_string())
    }

    fn payload_schema(&self) -> Value {
        schema()
    }

    async fn post(&self, message: &WebhookMessage) -> Result<(), Failure> {
        let payload = Payload::of(message.business_id, &message.event);
        let body = serde_json::to_vec(&payload)
            .map_err(|error| Failure::give_up(format!("the event cannot be written: {error}")))?;
        let id = message.event.id.to_string();
        let timestamp = message.at.timestamp();
        let signature = signature::header(&message.secrets, &id, timestamp, &body)?;
        let post = client::Post {
            url: &message.url,
            id: &id,
            timestamp,
            signature,
            body,
        };
        post.send(&self.0).await
    }
}
