//! Recurring events as single ones: daily and weekly rules, at the same time of day whatever the clocks do.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::event::{Fields, instant};

/// How many instances of an endless rule are known.
const ENDLESS: u64 = 730;

/// One of a recurring event.
pub(crate) struct Instance {
    pub id: String,
    pub start: Value,
    pub end: Value,
}

struct Rule {
    days: u64,
    count: u64,
    until: Option<DateTime<Utc>>,
}

/// The instances of a recurring event; none where it is not.
pub(crate) fn instances(fields: &Fields, calendar_zone: &str) -> Vec<Instance> {
    let rules = fields.get("recurrence").and_then(Value::as_array);
    let rule = rules
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find_map(rule);
    let (Some(rule), Some(start), Some(end)) = (rule, fields.get("start"), fields.get("end"))
    else {
        return Vec::new();
    };
    let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
    let made = (0..rule.count).map_while(|index| {
        let days = index * rule.days;
        let (start, end) = (
            later(start, days, calendar_zone)?,
            later(end, days, calendar_zone)?,
        );
        let at = instant(&start, calendar_zone)?;
        if rule.until.is_some_and(|until| at > until) {
            return None;
        }
        let stamp = match start["date"].as_str() {
            Some(date) => date.replace('-', ""),
            None => at.format("%Y%m%dT%H%M%SZ").to_string(),
        };
        let id = format!("{id}_{stamp}");
        Some(Instance { id, start, end })
    });
    made.collect()
}

/// The day of an instance, as its id says.
pub(crate) fn day(instance: &str) -> Option<NaiveDate> {
    let (_, stamp) = instance.rsplit_once('_')?;
    NaiveDate::parse_from_str(stamp.get(..8)?, "%Y%m%d").ok()
}

/// `RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3`.
fn rule(text: &str) -> Option<Rule> {
    let parts = text.strip_prefix("RRULE:")?;
    let part = |name: &str| {
        let mut pairs = parts.split(';').filter_map(|part| part.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    };
    let step = match part("FREQ")? {
        "DAILY" => 1,
        "WEEKLY" => 7,
        _ => return None,
    };
    let until =
        part("UNTIL").and_then(|text| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok());
    let number = |name: &str| part(name).and_then(|text| text.parse::<u64>().ok());
    Some(Rule {
        days: step * number("INTERVAL").unwrap_or(1),
        count: number("COUNT").unwrap_or(ENDLESS).min(ENDLESS),
        until: until.map(|until| until.and_utc()),
    })
}

/// The same time of day, so many days later.
fn later(when: &Value, days: u64, calendar_zone: &str) -> Option<Value> {
    if let Some(date) = when["date"].as_str() {
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        let date = date.checked_add_days(Days::new(days))?;
        return Some(json!({ "date": date.to_string() }));
    }
    let name = when["timeZone"].as_str().unwrap_or(calendar_zone);
    let zone: Tz = name.parse().ok()?;
    let at = instant(when, calendar_zone)?.with_timezone(&zone);
    let wall = at.naive_local().checked_add_days(Days::new(days))?;
    let at = zone.from_local_datetime(&wall).earliest()?;
    let shown: Tz = calendar_zone.parse().ok()?;
    let text = at
        .with_timezone(&shown)
        .to_rfc3339_opts(SecondsFormat::Secs, true);
    Some(json!({ "dateTime": text, "timeZone": name }))
}
