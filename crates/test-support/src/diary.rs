//! Another side that keeps calendars, in memory: accounts, events with etags, sync tokens that expire, channels, consents, and bad days on
//! request.

mod calls;
mod events;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use chrono::{DateTime, Utc};
use domain::id::{BookingId, Id};
use engine::Clock;
use plugin_api::{
    CalendarAccess, CalendarAccount, CalendarError, CalendarSync, ChannelRequest, DESTINATION,
    ExternalCalendar, ExternalState, Failure, InboundWebhook, Plugin, SettingsError,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::Obstacle;

/// What goes wrong with the next call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCall {
    /// It is refused before anything is done.
    Refused(CalendarError),
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It never ends.
    Hangs,
    /// The plugin blocks its thread.
    Blocks,
    /// The plugin panics.
    Panics,
}

/// An event there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryEvent {
    /// The booking it was written for.
    pub booking: Option<BookingId>,
    /// The name of this state of it.
    pub etag: String,
    /// What it is.
    pub state: ExternalState,
    /// Its title.
    pub summary: String,
    changed: u64,
}

#[derive(Default)]
struct Account {
    name: String,
    calendars: Vec<ExternalCalendar>,
    is_revoked: bool,
}

struct Channel {
    calendar: String,
    request: ChannelRequest,
}

#[derive(Default)]
struct State {
    /// By refresh token, and those that the business's own access stands in for by address.
    accounts: HashMap<String, Account>,
    events: BTreeMap<String, BTreeMap<String, DiaryEvent>>,
    /// Counts changes.
    seq: u64,
    /// Sync tokens of an earlier one are not good any more.
    epoch: u64,
    /// What goes wrong, and with a call of which method, where only that.
    bad_calls: VecDeque<(Option<&'static str>, BadCall)>,
    /// What was called, by name.
    calls: HashMap<&'static str, usize>,
    channels: BTreeMap<String, Channel>,
    /// Codes that consents brought: to which challenge, for which token.
    codes: HashMap<String, (String, String)>,
    page: usize,
}

/// The plugin, and its other side. Every business uses it.
pub struct Diary {
    state: Mutex<State>,
    told: watch::Sender<u64>,
    clock: OnceLock<Clock>,
    /// Where it blocks.
    pub obstacle: Obstacle,
}

/// The token of Anna's account at a new diary.
pub const ANNAS_TOKEN: &str = "1//annas-refresh-token";

impl Diary {
    /// A diary with an account for Anna, who has a calendar `anna`, one `private` and one that she may only read, `team`.
    pub fn new() -> Arc<Self> {
        let diary = Self {
            state: Mutex::default(),
            told: watch::Sender::new(0),
            clock: OnceLock::new(),
            obstacle: Obstacle::default(),
        };
        diary.state().page = 3;
        diary.account(
            ANNAS_TOKEN,
            "anna@example.com",
            &["anna", "private", "team!"],
        );
        Arc::new(diary)
    }

    /// Has channels last from the time that this clock shows.
    pub fn go_by(&self, clock: &Clock) {
        assert!(
            self.clock.set(clock.clone()).is_ok(),
            "it goes by one clock"
        );
    }

    fn now(&self) -> DateTime<Utc> {
        let start = || crate::at("2027-03-01T08:00:00Z");
        self.clock.get().map_or_else(start, Clock::now)
    }

    /// Opens an account that is reached by this token (or by this address); a calendar with `!` behind its name can only be read.
    pub fn account(&self, token: &str, name: &str, calendars: &[&str]) {
        let calendar = |id: &&str| ExternalCalendar {
            id: id.trim_end_matches('!').to_owned(),
            name: id.to_uppercase(),
            writable: !id.ends_with('!'),
        };
        let account = Account {
            name: name.to_owned(),
            calendars: calendars.iter().map(calendar).collect(),
            is_revoked: false,
        };
        self.state().accounts.insert(token.to_owned(), account);
    }

    /// Takes the access back, or gives it again.
    pub fn revoke(&self, token: &str, is_revoked: bool) {
        self.state().accounts.get_mut(token).unwrap().is_revoked = is_revoked;
    }

    /// What goes wrong with the next call.
    pub fn bad_call(&self, call: BadCall) {
        self.state().bad_calls.push_back((None, call));
    }

    /// What goes wrong with the next call of this method.
    pub fn bad_call_of(&self, method: &'static str, call: BadCall) {
        self.state().bad_calls.push_back((Some(method), call));
    }

    /// Nothing goes wrong any more.
    pub fn good_again(&self) {
        self.state().bad_calls.clear();
    }

    /// Every sync token given out so far is not good any more.
    pub fn expire_tokens(&self) {
        self.state().epoch += 1;
    }

    /// How often a method was called.
    pub fn calls(&self, method: &str) -> usize {
        self.state().calls.get(method).copied().unwrap_or_default()
    }

    /// Waits until a method was called so often.
    pub async fn until_called(&self, method: &str, count: usize) {
        let mut told = self.told.subscribe();
        let wait = told.wait_for(|_| self.calls(method) >= count);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "{method} was not called {count} times");
    }

    /// The events of bookings in a calendar that are there.
    pub fn bookings(&self, calendar: &str) -> BTreeMap<BookingId, (DateTime<Utc>, DateTime<Utc>)> {
        let state = self.state();
        let events = state.events.get(calendar).into_iter().flatten();
        let span = |event: &DiaryEvent| match event.state {
            ExternalState::Busy { starts_at, ends_at } => {
                Some((event.booking?, (starts_at, ends_at)))
            }
            _ => None,
        };
        events.filter_map(|(_, event)| span(event)).collect()
    }

    /// An event of a booking, gone or not.
    pub fn event(&self, calendar: &str, booking: BookingId) -> Option<DiaryEvent> {
        let state = self.state();
        state.events.get(calendar)?.get(&event_id(booking)).cloned()
    }

    /// The owner puts an event of their own into a calendar, or moves it.
    pub fn busy(&self, calendar: &str, id: &str, from: &str, to: &str) {
        let state = ExternalState::Busy {
            starts_at: from.parse().unwrap(),
            ends_at: to.parse().unwrap(),
        };
        self.change(calendar, id, state);
    }

    /// Whether an event is there that makes its owner busy.
    pub fn is_busy(&self, calendar: &str, id: &str) -> bool {
        let state = self.state();
        let event = state.events.get(calendar).and_then(|events| events.get(id));
        event.is_some_and(|event| matches!(event.state, ExternalState::Busy { .. }))
    }

    /// The owner has an event take no time.
    pub fn free(&self, calendar: &str, id: &str) {
        self.change(calendar, id, ExternalState::Free);
    }

    /// The owner deletes an event.
    pub fn gone(&self, calendar: &str, id: &str) {
        self.change(calendar, id, ExternalState::Gone);
    }

    /// The owner moves the event of a booking to another start, if it is there.
    pub fn move_booking(&self, calendar: &str, booking: BookingId, starts_at: DateTime<Utc>) {
        let known = self.event(calendar, booking);
        if let Some(ExternalState::Busy {
            starts_at: was,
            ends_at,
        }) = known.map(|event| event.state)
        {
            let ends_at = starts_at + (ends_at - was);
            self.change(
                calendar,
                &event_id(booking),
                ExternalState::Busy { starts_at, ends_at },
            );
        }
    }

    /// The owner deletes the event of a booking, if it is there.
    pub fn delete_booking(&self, calendar: &str, booking: BookingId) {
        if self.event(calendar, booking).is_some() {
            self.gone(calendar, &event_id(booking));
        }
    }

    /// The event of a booking is not listed any more, and nobody has deleted it.
    pub fn vanish(&self, calendar: &str, booking: BookingId) {
        let mut state = self.state();
        let events = state.events.get_mut(calendar).unwrap();
        events.remove(&event_id(booking));
    }

    /// An event as a booking of ours has it, put there by nobody here.
    pub fn plant(&self, calendar: &str, booking: BookingId, from: &str, to: &str) {
        self.busy(calendar, &event_id(booking), from, to);
        let mut state = self.state();
        let events = state.events.get_mut(calendar).unwrap();
        events.get_mut(&event_id(booking)).unwrap().booking = Some(booking);
    }

    fn change(&self, calendar: &str, id: &str, becomes: ExternalState) {
        let mut state = self.state();
        state.seq += 1;
        let (seq, etag) = (state.seq, format!("e{}", state.seq));
        let events = state.events.entry(calendar.to_owned()).or_default();
        let event = events.entry(id.to_owned()).or_insert_with(|| DiaryEvent {
            booking: None,
            etag: String::new(),
            state: becomes,
            summary: "private".to_owned(),
            changed: 0,
        });
        (event.state, event.etag, event.changed) = (becomes, etag, seq);
    }

    /// The provider gives consent on the page at this address: the state and the code that they come back with.
    pub fn consent(&self, url: &str, token: &str) -> (String, String) {
        let part = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let mut state = self.state();
        let code = format!("code-{}", state.codes.len());
        state
            .codes
            .insert(code.clone(), (part("challenge"), token.to_owned()));
        (part("state"), code)
    }

    /// The channels that are open on a calendar: what a call of each bears.
    pub fn channels(&self, calendar: &str) -> Vec<ChannelRequest> {
        let state = self.state();
        let open = state.channels.values();
        let own = open.filter(|channel| channel.calendar == calendar);
        own.map(|channel| channel.request.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The id of a booking's event: it follows from the booking, so a repeat never doubles.
fn event_id(booking: BookingId) -> String {
    format!("booking{}", booking.uuid().simple())
}

fn account_of<'a>(state: &'a State, access: &CalendarAccess) -> Result<&'a Account, CalendarError> {
    use secrecy::ExposeSecret;
    let token = access
        .refresh_token
        .as_ref()
        .map(ExposeSecret::expose_secret);
    let key = token.or(access.subject.as_deref()).unwrap_or_default();
    let revoked = |reason: &str| CalendarError::Revoked {
        reason: reason.to_owned(),
    };
    let account = state.accounts.get(key);
    let account = account.ok_or_else(|| revoked("invalid_grant: there is no such access"))?;
    if account.is_revoked {
        return Err(revoked("invalid_grant: the access was taken back"));
    }
    Ok(account)
}

fn known(account: &Account) -> CalendarAccount {
    CalendarAccount {
        name: account.name.clone(),
        calendars: account.calendars.clone(),
    }
}

/// What cannot be written to is chosen anew by staff; what is there already stays there.
fn writable(
    account: &Account,
    calendar: &str,
    refused: impl FnOnce(&'static str) -> Failure,
) -> Result<(), CalendarError> {
    let mut calendars = account.calendars.iter();
    match calendars.find(|known| known.id == calendar) {
        Some(known) if known.writable => Ok(()),
        _ => Err(refused("the calendar cannot be written to").into()),
    }
}

impl Plugin for Diary {
    fn name(&self) -> &'static str {
        "calendar-diary"
    }

    fn title(&self) -> &'static str {
        "Diary"
    }

    fn description(&self) -> &'static str {
        "Keeps calendars in memory."
    }

    fn settings_schema(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false, "properties": {
            "onExternalMove": { "type": "string" }, "pollSeconds": { "type": "integer" },
            "ownAccess": { "type": "boolean" }, "apiBase": { "type": "string", DESTINATION: true } } })
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, _: &Value) -> Result<(), SettingsError> {
        Ok(())
    }

    fn calendar(&self) -> Option<&dyn CalendarSync> {
        Some(self)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}
