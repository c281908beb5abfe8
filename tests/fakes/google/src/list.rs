//! Lists: calendars, and events page by page, from a sync token on or within a window.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::error::Error;
use crate::event::{Fields, instant};
use crate::mask;
use crate::oauth::get;
use crate::recurrence;
use crate::world::{Calendar, Listed, Pairs, World};

/// What may be asked of a list of events.
const KNOWN: [&str; 13] = [
    "singleEvents",
    "showDeleted",
    "maxResults",
    "maxAttendees",
    "fields",
    "syncToken",
    "pageToken",
    "timeMin",
    "timeMax",
    "orderBy",
    "timeZone",
    // Of all calls; the vendor's libraries send them.
    "alt",
    "prettyPrint",
];
/// How far ahead a reading of changes tells of the instances of a recurring event.
const TOLD_AHEAD: TimeDelta = TimeDelta::days(180);
/// What does not go with a sync token.
const NARROWING: [&str; 3] = ["timeMin", "timeMax", "orderBy"];

/// What a sync token stands for.
#[derive(Debug, Clone)]
pub(crate) struct SyncState {
    calendar: String,
    version: u64,
    is_single: bool,
}

/// What a page token stands for: what is left of a reading.
#[derive(Debug, Clone)]
pub(crate) struct PageState {
    asked: Pairs,
    items: Vec<Value>,
    sync: SyncState,
}

impl World {
    pub fn list_calendars(&mut self, account: &str, query: &Pairs) -> Result<Value, Error> {
        let offset: usize = match get(query, "pageToken") {
            None => 0,
            Some(token) => token
                .strip_prefix("after-")
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Error::invalid("Invalid page token value."))?,
        };
        let size = page_size(query, 100)?.min(self.page_max).min(250);
        let all = self.accounts.get(account).cloned().unwrap_or_default();
        let entries = all.iter().skip(offset).take(size).map(|listed| {
            let calendar = self.calendars.get(&listed.calendar);
            let name = calendar.map_or("", |calendar| calendar.name.as_str());
            let mut entry = json!({
                "kind": "calendar#calendarListEntry", "etag": "\"1\"", "id": listed.calendar, "summary": name,
                "timeZone": calendar.map(|calendar| calendar.time_zone.clone()), "accessRole": listed.role
            });
            if listed.is_primary {
                entry["primary"] = true.into();
            }
            entry
        });
        let mut answer = json!({
            "kind": "calendar#calendarList", "etag": "\"1\"", "items": entries.collect::<Vec<_>>()
        });
        if offset + size < all.len() {
            answer["nextPageToken"] = format!("after-{}", offset + size).into();
        } else {
            answer["nextSyncToken"] = "calendars".into();
        }
        Ok(answer)
    }

    pub fn list_events(&mut self, listed: &Listed, query: &Pairs) -> Result<Value, Error> {
        for (name, _) in query {
            if !KNOWN.contains(&name.as_str()) {
                let message = format!("Unknown name \"{name}\": Cannot bind query parameter.");
                return Err(Error::invalid(&message));
            }
        }
        let size = page_size(query, 250)?.min(self.page_max);
        let asked: Pairs = query
            .iter()
            .filter(|(name, _)| name != "pageToken")
            .cloned()
            .collect();
        let mut state = match get(query, "pageToken") {
            Some(token) => {
                let state = self.page_tokens.get(token).cloned();
                let state = state
                    .filter(|state| state.asked == asked && state.sync.calendar == listed.calendar);
                state.ok_or_else(|| Error::invalid("Invalid page token value."))?
            }
            None => self.begin_reading(listed, asked)?,
        };
        let rest = state.items.split_off(size.min(state.items.len()));
        let page = std::mem::replace(&mut state.items, rest);
        let calendar = self.calendar(&listed.calendar)?;
        let mut answer = json!({
            "kind": "calendar#events", "etag": format!("\"p{}\"", calendar.version), "summary": calendar.name,
            "timeZone": calendar.time_zone, "accessRole": listed.role, "defaultReminders": [], "items": page
        });
        if state.items.is_empty() {
            let token = self.name("sync-");
            self.sync_tokens.insert(token.clone(), state.sync);
            answer["nextSyncToken"] = token.into();
        } else {
            let token = self.name("page-");
            self.page_tokens.insert(token.clone(), state);
            answer["nextPageToken"] = token.into();
        }
        match get(query, "fields") {
            Some(fields) => mask::apply(fields, &answer),
            None => Ok(answer),
        }
    }

    fn begin_reading(&mut self, listed: &Listed, asked: Pairs) -> Result<PageState, Error> {
        let is = |name: &str| get(&asked, name) == Some("true");
        let is_single = is("singleEvents");
        let since = match get(&asked, "syncToken") {
            None => None,
            Some(token) => {
                if let Some(name) = NARROWING.iter().find(|name| get(&asked, name).is_some()) {
                    let message =
                        format!("Sync token cannot be used with other query restrictions: {name}.");
                    return Err(Error::invalid(&message));
                }
                let state = self.sync_tokens.get(token);
                let state = state.filter(|state| state.calendar == listed.calendar);
                let state = state.ok_or_else(|| {
                    let message = "Sync token is no longer valid, a full sync is required.";
                    Error::api(410, "calendar", "fullSyncRequired", message)
                })?;
                if state.is_single != is_single || get(&asked, "showDeleted") == Some("false") {
                    return Err(Error::invalid("Invalid sync token value."));
                }
                Some(state.version)
            }
        };
        let window = (time(&asked, "timeMin")?, time(&asked, "timeMax")?);
        let told_until = since.map(|_| self.now() + TOLD_AHEAD);
        let calendar = self.calendar(&listed.calendar)?;
        let reading = Reading {
            since,
            told_until,
            window,
            is_single,
            with_deleted: since.is_some() || is("showDeleted"),
        };
        Ok(PageState {
            items: reading.items(calendar),
            sync: SyncState {
                calendar: listed.calendar.clone(),
                version: calendar.version,
                is_single,
            },
            asked,
        })
    }
}

struct Reading {
    since: Option<u64>,
    /// Until when instances are told of; none: all of them.
    told_until: Option<DateTime<Utc>>,
    window: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    is_single: bool,
    with_deleted: bool,
}

impl Reading {
    fn items(&self, calendar: &Calendar) -> Vec<Value> {
        let mut stored: Vec<_> = calendar.events.values().collect();
        stored.sort_by_key(|stored| stored.version);
        let mut items = Vec::new();
        for stored in stored {
            if self.since.is_some_and(|since| stored.version <= since) {
                continue;
            }
            if self.is_single && stored.json.contains_key("recurrence") {
                self.singly(calendar, &stored.json, &mut items);
            } else {
                self.push(calendar, stored.json.clone(), &mut items);
            }
            let gone = stored.vanished.iter();
            let gone = gone.filter(|(id, version)| {
                self.since.is_some_and(|since| **version > since) && self.tells(id)
            });
            items.extend(gone.map(|(id, _)| cancelled(id, &stored.json["etag"])));
        }
        items
    }

    /// The instances of a recurring event, but for those that have an event of their own.
    fn singly(&self, calendar: &Calendar, event: &Fields, items: &mut Vec<Value>) {
        for instance in recurrence::instances(event, &calendar.time_zone) {
            if calendar.events.contains_key(&instance.id) || !self.tells(&instance.id) {
                continue;
            }
            let mut fields = event.clone();
            fields.remove("recurrence");
            let id = event["id"].clone();
            fields.insert("recurringEventId".to_owned(), id);
            fields.insert("originalStartTime".to_owned(), instance.start.clone());
            fields.insert("id".to_owned(), instance.id.into());
            fields.insert("start".to_owned(), instance.start);
            fields.insert("end".to_owned(), instance.end);
            self.push(calendar, fields, items);
        }
    }

    /// Whether an instance is told of.
    fn tells(&self, instance: &str) -> bool {
        let until = self.told_until.map(|until| until.date_naive());
        until.is_none_or(|until| recurrence::day(instance).is_none_or(|day| day <= until))
    }

    fn push(&self, calendar: &Calendar, fields: Fields, items: &mut Vec<Value>) {
        let at = |name: &str| instant(&fields[name], &calendar.time_zone);
        let (after, before) = self.window;
        let is_outside = after.is_some_and(|after| at("end").is_some_and(|end| end <= after))
            || before.is_some_and(|before| at("start").is_some_and(|start| start >= before));
        if is_outside {
            return;
        }
        if fields["status"] != "cancelled" {
            items.push(Value::Object(fields));
        } else if self.with_deleted {
            let id = fields["id"].as_str().unwrap_or_default();
            items.push(cancelled(id, &fields["etag"]));
        }
    }
}

/// Of an event that was deleted no more is promised than this.
fn cancelled(id: &str, etag: &Value) -> Value {
    json!({ "kind": "calendar#event", "etag": etag, "id": id, "status": "cancelled" })
}

fn page_size(query: &Pairs, usual: usize) -> Result<usize, Error> {
    let Some(text) = get(query, "maxResults") else {
        return Ok(usual);
    };
    let size = text.parse().ok().filter(|size| (1..=2500).contains(size));
    size.ok_or_else(|| Error::invalid("Invalid value for maxResults."))
}

fn time(query: &Pairs, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let text = get(query, name);
    let parsed = text.map(DateTime::parse_from_rfc3339).transpose();
    let parsed = parsed.map_err(|_| Error::invalid(&format!("Bad Request: {name}")))?;
    Ok(parsed.map(|at| at.to_utc()))
}
