//! Everything that the server knows.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::fault::{Call, Fault};

/// The one account.
pub const ACCOUNT: &str = "ACfa4e0000000000000000000000000001";
/// The token of the account.
pub const AUTH_TOKEN: &str = "fa4e70ce40f7e57500000000deadbeef";
/// The number of the account, which is that of Twilio's test credentials.
pub const FROM: &str = "+15005550006";
/// The messaging service of the account; it sends from [`FROM`].
pub const SERVICE: &str = "MGfa4e0000000000000000000000000001";
/// When a server starts that is told nothing else, in seconds since 1970.
pub const TIME: i64 = 1_803_898_800;

/// A call that came in, faults or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Which.
    pub call: Call,
    /// Its form or query, names and values as they came.
    pub form: Vec<(String, String)>,
}

impl Called {
    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A message that was really taken to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its name, `SM…`.
    pub sid: String,
    /// To whom.
    pub to: String,
    /// What it says.
    pub body: String,
    /// From whom; none before a messaging service has chosen.
    pub from: Option<String>,
    /// By which messaging service.
    pub service: Option<String>,
    /// How it fares.
    pub status: String,
    /// Where that is told.
    pub callback: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub sid: String,
    pub to: String,
    pub from: Option<String>,
    pub service: Option<String>,
    pub body: String,
    pub status: String,
    pub is_incoming: bool,
    pub created: DateTime<Utc>,
    /// None while it waits.
    pub sent: Option<DateTime<Utc>>,
    pub error_code: Option<u32>,
    pub callback: Option<String>,
}

pub(crate) struct World {
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    /// How far its clock is ahead of the one it was given.
    pub ahead: TimeDelta,
    sequence: u64,
    /// In the order in which they were made.
    pub messages: Vec<Message>,
    /// Who wants no messages.
    pub opted_out: BTreeSet<String>,
    pub account_status: String,
    pub faults: VecDeque<(Call, Fault)>,
    pub calls: Vec<Called>,
}

impl World {
    pub fn new(now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>) -> Self {
        Self {
            now,
            ahead: TimeDelta::zero(),
            sequence: 0,
            messages: Vec::new(),
            opted_out: BTreeSet::new(),
            account_status: "active".to_owned(),
            faults: VecDeque::new(),
            calls: Vec::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.now)() + self.ahead
    }

    /// A new name.
    pub fn sid(&mut self) -> String {
        self.sequence += 1;
        format!("SMfa4e{:028x}", self.sequence)
    }

    pub fn message(&self, sid: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.sid == sid)
    }
}

/// A time as the API writes it.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

impl Message {
    pub fn json(&self) -> Value {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}", self.sid);
        let direction = if self.is_incoming {
            "inbound"
        } else {
            "outbound-api"
        };
        let is_chosen = self.from.is_some();
        json!({
            "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": self.body, "date_created": time(self.created),
            "date_sent": self.sent.map(time), "date_updated": time(self.sent.unwrap_or(self.created)), "direction": direction,
            "error_code": self.error_code, "error_message": null, "from": self.from, "messaging_service_sid": self.service,
            "num_media": "0", "num_segments": if is_chosen { "1" } else { "0" }, "price": null, "price_unit": "USD", "sid": self.sid,
            "status": self.status, "subresource_uris": { "media": format!("{path}/Media.json") }, "to": self.to,
            "uri": format!("{path}.json")
        })
    }

    pub fn outgoing(&self) -> Outgoing {
        Outgoing {
            sid: self.sid.clone(),
            to: self.to.clone(),
            body: self.body.clone(),
            from: self.from.clone(),
            service: self.service.clone(),
            status: self.status.clone(),
            callback: self.callback.clone(),
        }
    }
}
