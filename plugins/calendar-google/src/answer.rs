//! Google's answers, as far as they are read. Everything that is not needed is let be.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a token is worth.
#[derive(Debug, Deserialize)]
pub(crate) struct Granted {
    pub access_token: SecretString,
    pub expires_in: u64,
    pub refresh_token: Option<SecretString>,
    /// What was really consented to, separated by blanks.
    pub scope: Option<String>,
}

/// The token endpoint's no (RFC 6749, 5.2).
#[derive(Debug, Deserialize)]
pub(crate) struct TokenError {
    pub error: String,
    #[serde(default)]
    pub error_description: String,
}

/// The API's no.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ErrorDetail {
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub errors: Vec<ErrorItem>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ErrorItem {
    pub reason: Option<String>,
}

/// A page of the calendars that an account sees.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalendarList {
    pub items: Vec<CalendarEntry>,
    pub next_page_token: Option<String>,
}

/// A calendar that an account sees.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalendarEntry {
    pub id: String,
    pub summary: Option<String>,
    /// What its viewer calls it.
    pub summary_override: Option<String>,
    #[serde(default)]
    pub primary: bool,
    pub access_role: String,
}

/// A page of events. They are read one by one, so that one that cannot be read holds up no other.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventList {
    /// The calendar's zone.
    pub time_zone: String,
    #[serde(default)]
    pub items: Vec<Value>,
    pub next_page_token: Option<String>,
    pub next_sync_token: Option<String>,
}

/// An event. Of one that was deleted no more than the id is promised.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub id: String,
    /// The same in the calendars of all who are invited.
    #[serde(rename = "iCalUID")]
    pub ical_uid: Option<String>,
    /// The series that it is one of.
    pub recurring_event_id: Option<String>,
    #[serde(default)]
    pub etag: String,
    pub status: Option<String>,
    pub start: Option<When>,
    pub end: Option<When>,
    pub transparency: Option<String>,
    #[serde(rename = "eventType")]
    pub kind: Option<String>,
    #[serde(default)]
    pub extended_properties: ExtendedProperties,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub recurrence: Option<Vec<String>>,
    #[serde(default)]
    pub sequence: i64,
    /// Who is invited, and what an owner may add.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A day, or an instant.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct When {
    pub date: Option<String>,
    pub date_time: Option<String>,
}

/// Somebody invited.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attendee {
    /// Whether it is the calendar's owner.
    #[serde(default, rename = "self")]
    pub is_self: bool,
    pub response_status: Option<String>,
}

/// What programs keep at an event.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ExtendedProperties {
    #[serde(default)]
    pub private: BTreeMap<String, String>,
}

/// An event that was written.
#[derive(Debug, Deserialize)]
pub(crate) struct WrittenEvent {
    pub etag: String,
}

/// A channel that was opened.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    pub resource_id: String,
    /// Milliseconds since 1970; a number in a text, as Google writes long ones.
    pub expiration: Value,
}
