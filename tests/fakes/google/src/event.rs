//! Events: written as a client wishes, with ids of its own, etags, and the sequence number that must not fall behind.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::recurrence;
use crate::world::{Calendar, Listed, Stored, World};

/// What a client may write; what it may not is refused, so that a slip is found.
const WRITABLE: [&str; 16] = [
    "id",
    "status",
    "summary",
    "description",
    "location",
    "start",
    "end",
    "transparency",
    "visibility",
    "reminders",
    "extendedProperties",
    "attendees",
    "recurrence",
    "sequence",
    "eventType",
    "colorId",
];
/// What Google sets itself, and takes back as it was given.
const ECHOED: [&str; 9] = [
    "kind",
    "etag",
    "created",
    "updated",
    "creator",
    "organizer",
    "iCalUID",
    "htmlLink",
    "originalStartTime",
];

pub(crate) type Fields = Map<String, Value>;

impl World {
    pub fn insert(&mut self, listed: &Listed, body: &Value) -> Result<Value, Error> {
        let mut fields = writable(listed, body)?;
        let now = self.now();
        let id = match fields.get("id").and_then(Value::as_str) {
            Some(id) if is_id(id) => id.to_owned(),
            Some(_) => return Err(Error::invalid("Invalid resource id value.")),
            None => self.name("made").to_ascii_lowercase().replace("fake", "0"),
        };
        let calendar = self.calendar(&listed.calendar)?;
        if calendar.events.contains_key(&id) {
            let message = "The requested identifier already exists.";
            return Err(Error::api(409, "global", "duplicate", message));
        }
        fields.insert("id".to_owned(), id.clone().into());
        fields.entry("sequence").or_insert(0.into());
        finish(&mut fields, None, &listed.calendar, now);
        check(&mut fields, &calendar.time_zone)?;
        self.store(&listed.calendar, &id, fields)
    }

    pub fn get(&mut self, listed: &Listed, id: &str) -> Result<Value, Error> {
        Ok(Value::Object(self.stored(&listed.calendar, id)?.json))
    }

    /// Replaces an event, whole; one that was deleted is there again.
    pub fn update(
        &mut self,
        listed: &Listed,
        id: &str,
        body: &Value,
        if_match: Option<&str>,
    ) -> Result<Value, Error> {
        let fields = writable(listed, body)?;
        self.change(listed, id, fields, if_match)
    }

    /// Changes the fields that are given; null takes one away.
    pub fn patch(
        &mut self,
        listed: &Listed,
        id: &str,
        body: &Value,
        if_match: Option<&str>,
    ) -> Result<Value, Error> {
        let changes = writable(listed, body)?;
        let mut fields = self.stored(&listed.calendar, id)?.json;
        for (name, value) in changes {
            merge(&mut fields, name, value);
        }
        self.change(listed, id, fields, if_match)
    }

    pub fn delete(
        &mut self,
        listed: &Listed,
        id: &str,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        may_write(listed)?;
        let mut there = self.stored(&listed.calendar, id)?;
        matches(&there, if_match)?;
        if there.json["status"] == "cancelled" {
            return Err(Error::api(
                410,
                "global",
                "deleted",
                "Resource has been deleted",
            ));
        }
        there.json.insert("status".to_owned(), "cancelled".into());
        self.store(&listed.calendar, id, there.json).map(drop)
    }

    fn change(
        &mut self,
        listed: &Listed,
        id: &str,
        mut fields: Fields,
        if_match: Option<&str>,
    ) -> Result<Value, Error> {
        may_write(listed)?;
        let there = self.stored(&listed.calendar, id)?;
        matches(&there, if_match)?;
        if fields.get("id").is_some_and(|given| given != id) {
            return Err(Error::invalid("Invalid resource id value."));
        }
        fields.insert("id".to_owned(), id.into());
        let known = there.json["sequence"].as_i64().unwrap_or_default();
        // A number that is not given counts as 0.
        let given = fields.get("sequence").and_then(Value::as_i64).unwrap_or(0);
        if given < known {
            let message = "Invalid sequence value. The specified sequence number is below the current sequence number of the resource. \
                           Re-fetch the resource and use its sequence number on the following request.";
            return Err(Error::invalid(message));
        }
        let now = self.now();
        let calendar = self.calendar(&listed.calendar)?;
        finish(&mut fields, Some(&there.json), &listed.calendar, now);
        check(&mut fields, &calendar.time_zone)?;
        let is_moved = fields["start"] != there.json["start"]
            || fields["end"] != there.json["end"]
            || fields["status"] != there.json["status"];
        fields.insert("sequence".to_owned(), (given + i64::from(is_moved)).into());
        self.store(&listed.calendar, id, fields)
    }

    fn stored(&mut self, calendar: &str, id: &str) -> Result<Stored, Error> {
        let found = self.calendar(calendar)?.events.get(id);
        found.cloned().ok_or_else(Error::not_found)
    }

    /// Keeps an event as it is now, and tells whoever watches the calendar.
    pub fn store(
        &mut self,
        calendar_id: &str,
        id: &str,
        mut fields: Fields,
    ) -> Result<Value, Error> {
        let now = self.now();
        let calendar = self.calendar(calendar_id)?;
        calendar.version += 1;
        let version = calendar.version;
        fields.insert("etag".to_owned(), etag(version).into());
        let updated = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        fields.insert("updated".to_owned(), updated.into());
        let vanished = vanished(calendar, id, &fields, version);
        let stored = Stored {
            json: fields.clone(),
            version,
            vanished,
        };
        calendar.events.insert(id.to_owned(), stored);
        self.tell(calendar_id);
        Ok(Value::Object(fields))
    }
}

/// The instances that a change takes away from a recurring event, beside those that went before.
fn vanished(calendar: &Calendar, id: &str, fields: &Fields, version: u64) -> BTreeMap<String, u64> {
    let Some(before) = calendar.events.get(id) else {
        return BTreeMap::new();
    };
    let instances = |fields: &Fields| -> BTreeSet<String> {
        let found = recurrence::instances(fields, &calendar.time_zone);
        found.into_iter().map(|instance| instance.id).collect()
    };
    let now = instances(fields);
    let mut vanished = before.vanished.clone();
    for gone in instances(&before.json) {
        if !now.contains(&gone) {
            vanished.insert(gone, version);
        }
    }
    vanished.retain(|instance, _| !now.contains(instance));
    vanished
}

/// An event's etag at a version of its calendar.
fn etag(version: u64) -> String {
    format!("\"{:016}\"", 3_600_000_000_000_000 + version)
}

fn matches(there: &Stored, if_match: Option<&str>) -> Result<(), Error> {
    match if_match {
        Some(etag) if etag != "*" && there.json["etag"] != etag => Err(Error::api(
            412,
            "global",
            "conditionNotMet",
            "Precondition Failed",
        )),
        _ => Ok(()),
    }
}

fn may_write(listed: &Listed) -> Result<(), Error> {
    if ["owner", "writer"].contains(&listed.role.as_str()) {
        return Ok(());
    }
    let message = "You need to have writer access to this calendar.";
    Err(Error::api(403, "calendar", "requiredAccessLevel", message))
}

fn writable(listed: &Listed, body: &Value) -> Result<Fields, Error> {
    may_write(listed)?;
    let fields = body
        .as_object()
        .cloned()
        .ok_or_else(|| Error::api(400, "global", "parseError", "Parse Error"))?;
    for name in fields.keys() {
        if !WRITABLE.contains(&name.as_str()) && !ECHOED.contains(&name.as_str()) {
            let message = format!("Unknown name \"{name}\": Cannot find field.");
            return Err(Error::invalid(&message));
        }
    }
    Ok(fields)
}

fn merge(fields: &mut Fields, name: String, value: Value) {
    match (fields.get_mut(&name), value) {
        (_, Value::Null) => {
            fields.remove(&name);
        }
        (Some(Value::Object(there)), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(there, name, value);
            }
        }
        (_, value) => {
            fields.insert(name, value);
        }
    }
}

/// What Google adds to an event.
fn finish(fields: &mut Fields, before: Option<&Fields>, calendar: &str, now: DateTime<Utc>) {
    let id = fields["id"].as_str().unwrap_or_default().to_owned();
    let created = before.and_then(|before| before.get("created").cloned());
    // It may be given where an event is made, and is never changed.
    let uid = before.unwrap_or(fields).get("iCalUID").cloned();
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let person = json!({ "email": calendar, "self": true });
    let added = json!({
        "kind": "calendar#event",
        "created": created.unwrap_or_else(|| now.into()),
        "creator": person, "organizer": person,
        "iCalUID": uid.unwrap_or_else(|| format!("{id}@google.com").into()),
        "htmlLink": format!("https://www.google.com/calendar/event?eid={id}"),
    });
    for (name, value) in added.as_object().into_iter().flatten() {
        fields.insert(name.clone(), value.clone());
    }
    fields.entry("status").or_insert("confirmed".into());
    fields.entry("eventType").or_insert("default".into());
    // The usual is not said.
    if fields.get("transparency") == Some(&Value::from("opaque")) {
        fields.remove("transparency");
    }
    for text in ["summary", "description", "location"] {
        if fields.get(text) == Some(&Value::from("")) {
            fields.remove(text);
        }
    }
}

fn check(fields: &mut Fields, calendar_zone: &str) -> Result<(), Error> {
    let status = fields["status"].as_str().unwrap_or_default();
    if !["confirmed", "tentative", "cancelled"].contains(&status) {
        return Err(Error::invalid("Invalid status value."));
    }
    for name in ["start", "end"] {
        let when = fields.get(name).cloned().unwrap_or_default();
        let when = normal(name, &when, calendar_zone)?;
        fields.insert(name.to_owned(), when);
    }
    let (start, end) = (
        instant(&fields["start"], calendar_zone),
        instant(&fields["end"], calendar_zone),
    );
    let is_day = |name: &str| fields[name]["date"].is_string();
    if start > end || is_day("start") != is_day("end") {
        let message = "The specified time range is empty.";
        return Err(Error::api(400, "calendar", "timeRangeEmpty", message));
    }
    Ok(())
}

/// A start or an end as Google gives it back: by the clocks of the calendar.
fn normal(name: &str, when: &Value, calendar_zone: &str) -> Result<Value, Error> {
    let text = |field: &str| when[field].as_str();
    if let Some(zone) = text("timeZone")
        && zone.parse::<Tz>().is_err()
    {
        let message = format!("Invalid time zone definition for {name} time.");
        return Err(Error::invalid(&message));
    }
    match (text("date"), text("dateTime")) {
        (Some(date), None) => {
            NaiveDate::parse_from_str(date, "%Y-%m-%d")
                .map_err(|_| Error::invalid(&format!("Invalid {name} date.")))?;
            Ok(json!({ "date": date }))
        }
        (None, Some(_)) => {
            let at = instant(when, calendar_zone)
                .ok_or_else(|| Error::invalid(&format!("Invalid {name} time.")))?;
            let zone: Tz = calendar_zone.parse().unwrap_or(Tz::UTC);
            let shown = at
                .with_timezone(&zone)
                .to_rfc3339_opts(SecondsFormat::Secs, true);
            Ok(json!({ "dateTime": shown, "timeZone": text("timeZone").unwrap_or(calendar_zone) }))
        }
        (None, None) => Err(Error::required(&format!("{name} time"))),
        (Some(_), Some(_)) => Err(Error::invalid(&format!("Invalid {name} time."))),
    }
}

/// The instant that a start or an end means.
pub(crate) fn instant(when: &Value, calendar_zone: &str) -> Option<DateTime<Utc>> {
    let zone = when["timeZone"].as_str().unwrap_or(calendar_zone);
    let local = |wall: NaiveDateTime, zone: &str| {
        let zone: Tz = zone.parse().ok()?;
        Some(zone.from_local_datetime(&wall).earliest()?.to_utc())
    };
    if let Some(date) = when["date"].as_str() {
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        return local(date.and_hms_opt(0, 0, 0)?, calendar_zone);
    }
    let text = when["dateTime"].as_str()?;
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Some(at.to_utc()),
        Err(_) => local(
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?,
            zone,
        ),
    }
}

/// Ids are of base32hex's characters, 5 to 1024 of them.
fn is_id(id: &str) -> bool {
    (5..=1024).contains(&id.len())
        && id
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='v').contains(&c))
}
