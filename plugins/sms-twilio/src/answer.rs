//! Twilio's answers, as far as they are read. Everything that is not needed is let be, so that other versions can be read too.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A message, sent or received.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TwilioMessage {
    pub sid: String,
    pub status: String,
    pub body: Option<String>,
    pub to: Option<String>,
    pub direction: Option<String>,
    /// When Twilio took it, by its own clock, to the second: `Thu, 24 Aug 2023 05:01:45 +0000`.
    pub date_created: Option<String>,
    pub error_code: Option<i64>,
    pub num_segments: Option<String>,
}

impl TwilioMessage {
    /// When Twilio took it.
    pub fn created_at(&self) -> Option<DateTime<Utc>> {
        let created = self.date_created.as_deref()?;
        let created = DateTime::parse_from_rfc2822(created).ok()?;
        Some(created.to_utc())
    }
}

/// One page of messages, the latest first.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MessagePage {
    pub messages: Vec<TwilioMessage>,
    /// Path and query of the next page.
    pub next_page_uri: Option<String>,
}

/// The account.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TwilioAccount {
    pub status: String,
    pub friendly_name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The numbers of an account.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NumberPage {
    pub incoming_phone_numbers: Vec<TwilioNumber>,
}

/// A number of the account.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TwilioNumber {
    pub phone_number: Option<String>,
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// What a number can do.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Capabilities {
    pub sms: Option<bool>,
}

/// A messaging service.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TwilioService {
    pub sid: String,
}
