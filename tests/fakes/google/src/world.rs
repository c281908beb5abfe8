//! Everything that the server knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;

use crate::error::Error;
use crate::fault::{Call, Fault};
use crate::hold::Holding;
use crate::list::{PageState, SyncState};
use crate::push::{Notification, Open, Post};

pub(crate) const CLIENT_ID: &str = "123456789012-fake.apps.googleusercontent.com";
pub(crate) const CLIENT_SECRET: &str = "GOCSPX-FakeSecretOfTheTests";

/// Names and values of a query or a form, in order.
pub(crate) type Pairs = Vec<(String, String)>;

/// A call that came in, faults or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Called {
    /// Which.
    pub call: Call,
    /// Its path, as it came.
    pub path: String,
    /// Its query, names and values as they came.
    pub query: Vec<(String, String)>,
    /// Its body: JSON, or a form as an object; null where there is none.
    pub body: Value,
    /// In whose name it came, where it bore an access token that counts.
    pub account: Option<String>,
}

/// What somebody may do with a calendar: `owner`, `writer`, `reader`, `freeBusyReader`.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub calendar: String,
    pub role: String,
    pub is_primary: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Calendar {
    pub name: String,
    pub time_zone: String,
    /// Rises with every change.
    pub version: u64,
    pub events: BTreeMap<String, Stored>,
}

/// An event, cancelled ones included.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub json: Map<String, Value>,
    pub version: u64,
    /// Instances of a recurring event that were there once, and since which change they are not.
    pub vanished: BTreeMap<String, u64>,
}

/// Who gave what to whom.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub account: String,
    pub scope: String,
}

/// A consent that waits for its code to be redeemed.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub granted: Granted,
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub is_lasting: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    pub origin: String,
    pub now: Option<DateTime<Utc>>,
    sequence: u64,
    /// What each account sees, in order.
    pub accounts: BTreeMap<String, Vec<Listed>>,
    pub calendars: BTreeMap<String, Calendar>,
    /// Who sits at the browser.
    pub signed_in: Option<String>,
    pub refuses_consent: bool,
    /// Boxes of the consent page that are not ticked.
    pub unticked: BTreeSet<String>,
    pub codes: BTreeMap<String, Code>,
    pub refresh_tokens: BTreeMap<String, Granted>,
    pub access_tokens: BTreeMap<String, Granted>,
    pub token_seconds: u64,
    pub is_delegated: bool,
    pub sync_tokens: BTreeMap<String, SyncState>,
    pub page_tokens: BTreeMap<String, PageState>,
    pub page_max: usize,
    pub channels: BTreeMap<String, Open>,
    pub outbox: UnboundedSender<Post>,
    pub is_silent: bool,
    pub notifications: Vec<Notification>,
    pub faults: VecDeque<(Call, Fault)>,
    pub holding: Holding,
    pub calls: Vec<Called>,
}

impl World {
    pub fn new(origin: String, outbox: UnboundedSender<Post>) -> Self {
        Self {
            origin,
            now: None,
            sequence: 0,
            accounts: BTreeMap::new(),
            calendars: BTreeMap::new(),
            signed_in: None,
            refuses_consent: false,
            unticked: BTreeSet::new(),
            codes: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            token_seconds: 3599,
            is_delegated: true,
            sync_tokens: BTreeMap::new(),
            page_tokens: BTreeMap::new(),
            page_max: 2500,
            channels: BTreeMap::new(),
            outbox,
            is_silent: false,
            notifications: Vec::new(),
            faults: VecDeque::new(),
            holding: Holding::default(),
            calls: Vec::new(),
        }
    }

    /// A new name.
    pub fn name(&mut self, prefix: &str) -> String {
        self.sequence += 1;
        format!("{prefix}Fake{:08}", self.sequence)
    }

    /// The time: the machine's, or the one that the test has set.
    pub fn now(&self) -> DateTime<Utc> {
        self.now.unwrap_or_else(machine_time)
    }

    /// The calendar that an account calls by this name, and what the account may do with it.
    pub fn listed(&self, account: &str, calendar: &str) -> Result<Listed, Error> {
        let listed = self.accounts.get(account).into_iter().flatten();
        let calendar = if calendar == "primary" {
            account
        } else {
            calendar
        };
        let mut found = listed.filter(|listed| listed.calendar == calendar);
        found.next().cloned().ok_or_else(Error::not_found)
    }

    pub fn calendar(&mut self, id: &str) -> Result<&mut Calendar, Error> {
        self.calendars.get_mut(id).ok_or_else(Error::not_found)
    }

    pub fn take_fault(&mut self, call: Call) -> Option<Fault> {
        let meant = |(named, _): &(Call, Fault)| [call, Call::Any].contains(named);
        let index = self.faults.iter().position(meant)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }
}

/// The time of the world, in which assertions are dated.
#[expect(
    clippy::disallowed_methods,
    reason = "a vendor's server has a clock of its own"
)]
pub(crate) fn machine_time() -> DateTime<Utc> {
    Utc::now()
}
