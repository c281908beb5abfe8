//! From bookings to Google's events and back. Pure.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};
use data_encoding::BASE32HEX_NOPAD;
use domain::id::{BookingId, Id};
use domain::zone::{Zone, ZoneDatabase};
use plugin_api::{
    BookingEvent, ExternalCalendar, ExternalChange, ExternalState, Failure, Invitation, Next, Page,
    PullFrom,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Attendee, CalendarEntry, Event, EventList, When};
use crate::client::Form;

/// What the ids of our events begin with; ids at Google are of a-v and 0-9.
const PREFIX: &str = "bkbl";
/// The private property of our events that holds the booking's id: private ones are seen by this program alone, and stay when an event
/// is moved. Copies of an event (an owner duplicates it) have it too, but not the id.
const PROPERTY: &str = "bookableBooking";
/// What is taken over of texts, in characters: less than Google's limits.
const TITLE_MAX: usize = 1000;
const TEXT_MAX: usize = 8000;
const PAGE_SIZE: u32 = 250;
/// What is read of events: when they are, and not what they are about or with whom.
const FIELDS: &str = "timeZone,nextPageToken,nextSyncToken,items(id,iCalUID,recurringEventId,etag,status,start,end,transparency,eventType,attendees(self,responseStatus),extendedProperties/private)";

/// The id of a booking's event.
pub(crate) fn event_id(booking: BookingId) -> String {
    let encoded = BASE32HEX_NOPAD.encode(booking.uuid().as_bytes());
    format!("{PREFIX}{}", encoded.to_ascii_lowercase())
}

/// The booking whose event this is, by its id.
pub(crate) fn booking_of(event_id: &str) -> Option<BookingId> {
    let encoded = event_id.strip_prefix(PREFIX)?.to_ascii_uppercase();
    let bytes = BASE32HEX_NOPAD.decode(encoded.as_bytes()).ok()?;
    Some(BookingId::from_uuid(Uuid::from_slice(&bytes).ok()?))
}

/// The event of a booking, whole.
pub(crate) fn body(event: &BookingEvent) -> Value {
    let when = |at: DateTime<Utc>| {
        let text = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({ "dateTime": text, "timeZone": event.time_zone })
    };
    json!({
        "id": event_id(event.booking_id),
        "status": "confirmed",
        "summary": title(event),
        "description": description(event),
        "location": location(event),
        "start": when(event.starts_at),
        "end": when(event.ends_at),
        "transparency": "opaque",
        "reminders": { "useDefault": true },
        "extendedProperties": { "private": { PROPERTY: event.booking_id.to_string() } },
    })
}

/// What an owner may add to an event of ours, and keeps when it is written again.
const OWNERS: [&str; 4] = ["attendees", "colorId", "visibility", "reminders"];

/// The event of a booking in place of the one that is there. Google wants the sequence number that it has, and takes a missing one for 0.
pub(crate) fn body_over(there: &Event, event: &BookingEvent) -> Value {
    let mut body = body(event);
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    fields.insert("sequence".to_owned(), there.sequence.into());
    // What was deleted is made anew; who declined it themselves is busy all the same.
    let is_kept = |name: &str| {
        there.status.as_deref() != Some("cancelled") && !(name == "attendees" && is_declined(there))
    };
    for name in OWNERS.into_iter().filter(|name| is_kept(name)) {
        if let Some(own) = there.rest.get(name) {
            fields.insert(name.to_owned(), own.clone());
        }
    }
    body
}

/// Whether the event is there as the booking wants it.
pub(crate) fn stands(there: &Event, event: &BookingEvent) -> bool {
    let is_at = |when: Option<&When>, at: DateTime<Utc>| when.and_then(instant) == Some(at);
    let is_text = |text: Option<&str>, wanted: &str| text.unwrap_or_default() == wanted;
    there.status.as_deref() == Some("confirmed")
        && is_at(there.start.as_ref(), event.starts_at)
        && is_at(there.end.as_ref(), event.ends_at)
        && is_text(there.summary.as_deref(), &title(event))
        && is_text(there.description.as_deref(), &description(event))
        && is_text(there.location.as_deref(), &location(event))
        && !is_free(there)
        && there.recurrence.is_none()
        && is_marked(there, event.booking_id)
        && !there.etag.is_empty()
}

/// What to ask a page of changes by. A sync token goes with nothing that narrows what is read.
pub(crate) fn query(from: &PullFrom) -> Form {
    let mut query = vec![
        ("singleEvents", "true".to_owned()),
        ("showDeleted", "true".to_owned()),
        ("maxResults", PAGE_SIZE.to_string()),
        ("maxAttendees", "1".to_owned()),
        ("fields", FIELDS.to_owned()),
    ];
    match &from.sync_token {
        Some(token) => query.push(("syncToken", token.clone())),
        None => {
            let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
            query.push(("timeMin", text(from.after)));
            query.push(("timeMax", text(from.before)));
        }
    }
    if let Some(token) = &from.page_token {
        query.push(("pageToken", token.clone()));
    }
    query
}

/// A page of changes. An event that cannot be read is left out: it holds up no other.
///
/// # Errors
/// [`Failure::Retry`] where it does not say how to go on.
pub(crate) fn page(list: EventList, zones: &ZoneDatabase) -> Result<Page, Failure> {
    let zone = zones.get(&list.time_zone);
    if zone.is_none() {
        tracing::warn!(
            zone = list.time_zone,
            "a calendar at Google is in a zone that is not known: its whole days are read as UTC"
        );
    }
    let next = match (list.next_page_token, list.next_sync_token) {
        (Some(token), _) => Next::Page(token),
        (None, Some(sync_token)) => Next::Done { sync_token },
        (None, None) => {
            return Err(Failure::retry(
                "Google's answer does not say how to go on; is apiBase right?",
            ));
        }
    };
    let read = |item: Value| {
        let change = serde_json::from_value(item).ok();
        let change = change.and_then(|event| change_of(event, zone.as_ref()));
        if change.is_none() {
            tracing::warn!("an event at Google cannot be read: it is left out");
        }
        change
    };
    let changes = list.items.into_iter().filter_map(read).collect();
    Ok(Page { changes, next })
}

/// A calendar as staff choose it.
pub(crate) fn calendar(entry: CalendarEntry) -> ExternalCalendar {
    let name = entry.summary_override.or(entry.summary);
    ExternalCalendar {
        name: name.unwrap_or_else(|| entry.id.clone()),
        writable: ["owner", "writer"].contains(&entry.access_role.as_str()),
        id: entry.id,
    }
}

/// What an event says; none where it cannot be read.
fn change_of(event: Event, zone: Option<&Zone>) -> Option<ExternalChange> {
    if event.id.is_empty() {
        return None;
    }
    let is_gone = event.status.as_deref() == Some("cancelled");
    let booking_id = booking_of(&event.id).filter(|booking| is_gone || is_marked(&event, *booking));
    let state = if is_gone {
        ExternalState::Gone
    } else if is_free(&event) {
        ExternalState::Free
    } else {
        let starts_at = start_of(event.start.as_ref()?, zone)?;
        let ends_at = start_of(event.end.as_ref()?, zone)?;
        if starts_at < ends_at {
            ExternalState::Busy { starts_at, ends_at }
        } else {
            ExternalState::Free
        }
    };
    let uid = event.ical_uid.as_deref();
    Some(ExternalChange {
        invited_to: uid.and_then(Invitation::booking_of),
        is_of_series: event.recurring_event_id.is_some() || is_instance(&event.id),
        id: event.id,
        booking_id,
        etag: event.etag,
        state,
    })
}

/// Whether an id is of one event of a series, which ends in when it was to begin: `4f3c2b1a0_20270322T120000Z`. Of one that was deleted no more
/// than the id is promised.
fn is_instance(id: &str) -> bool {
    let stamp = id.rsplit_once('_').map(|(_, stamp)| stamp);
    stamp.is_some_and(|stamp| {
        NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%SZ").is_ok()
            || NaiveDate::parse_from_str(stamp, "%Y%m%d").is_ok()
    })
}

/// Whether an event takes no time of its owner: out of office and focus time do, where somebody works does not.
fn is_free(event: &Event) -> bool {
    event.transparency.as_deref() == Some("transparent")
        || event.kind.as_deref() == Some("workingLocation")
        || is_declined(event)
}

/// Whether the calendar's owner said no.
fn is_declined(event: &Event) -> bool {
    let attendees = event.rest.get("attendees").cloned().unwrap_or_default();
    let attendees: Vec<Attendee> = serde_json::from_value(attendees).unwrap_or_default();
    attendees
        .iter()
        .any(|attendee| attendee.is_self && attendee.response_status.as_deref() == Some("declined"))
}

fn is_marked(event: &Event, booking: BookingId) -> bool {
    event.extended_properties.private.get(PROPERTY) == Some(&booking.to_string())
}

/// The instant; of a day its midnight in the calendar's zone.
fn start_of(when: &When, zone: Option<&Zone>) -> Option<DateTime<Utc>> {
    let Some(date) = &when.date else {
        return instant(when);
    };
    let midnight = NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .ok()?
        .and_time(NaiveTime::MIN);
    Some(zone.map_or_else(|| midnight.and_utc(), |zone| zone.to_instant(midnight)))
}

fn instant(when: &When) -> Option<DateTime<Utc>> {
    let text = when.date_time.as_deref()?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

fn title(event: &BookingEvent) -> String {
    event.summary.chars().take(TITLE_MAX).collect()
}

fn location(event: &BookingEvent) -> String {
    event.location.chars().take(TITLE_MAX).collect()
}

/// Google reads descriptions as HTML: what a customer wrote is not to become a link there.
fn description(event: &BookingEvent) -> String {
    let text: String = event.description.chars().take(TEXT_MAX).collect();
    let shown = if text.contains('<') {
        let text = text.replace('&', "&amp;");
        Cow::Owned(text.replace('<', "&lt;").replace('>', "&gt;"))
    } else {
        Cow::Borrowed(&text)
    };
    shown.chars().take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests;
