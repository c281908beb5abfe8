//! Webhooks: events posted to addresses that a business chose. Which events go where, and under which secrets, is kept by the engine; the
//! plugin signs and posts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::event::Event;
use domain::id::BusinessId;
use secrecy::SecretString;
use serde_json::Value;

use crate::delivery::Failure;

/// Posts events.
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Whether an event could ever be posted to this address.
    ///
    /// # Errors
    /// What is wrong with it, for staff.
    fn address(&self, url: &str) -> Result<(), String>;

    /// The JSON Schema (draft 2020-12) of what is posted.
    fn payload_schema(&self) -> Value;

    /// Posts one event to one address. A repeat bears the same id and says the same, so that the other side knows it for one.
    ///
    /// # Errors
    /// [`Failure`]: the other side did not say that it has it.
    async fn post(&self, message: &WebhookMessage) -> Result<(), Failure>;
}

/// An event to post.
#[derive(Debug, Clone)]
pub struct WebhookMessage {
    /// The business in which it happened.
    pub business_id: BusinessId,
    /// Where to.
    pub url: String,
    /// The secrets to sign with, the newest first: more than one while one takes another's place.
    pub secrets: Vec<SecretString>,
    /// What happened.
    pub event: Event,
    /// When it is sent.
    pub at: DateTime<Utc>,
}
