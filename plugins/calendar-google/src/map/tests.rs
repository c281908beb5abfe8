use serde_json::json;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn booking() -> BookingId {
    BookingId::from_uuid(Uuid::from_u128(0x0193_4d3c_0000_7000_8000_0000_0000_0001))
}

fn event() -> BookingEvent {
    BookingEvent {
        booking_id: booking(),
        starts_at: at("2027-03-01T12:00:00Z"),
        ends_at: at("2027-03-01T12:45:00Z"),
        time_zone: "Europe/London".to_owned(),
        summary: "Cut and finish: Jo Smith".to_owned(),
        description: "K7QF3MXR\nTea & cake".to_owned(),
        location: "Main Street".to_owned(),
    }
}

fn list(items: &Value) -> Page {
    let answer = json!({ "timeZone": "America/New_York", "items": items, "nextSyncToken": "s" });
    let list = serde_json::from_value(answer).unwrap();
    page(list, &ZoneDatabase::bundled()).unwrap()
}

fn state(item: &Value) -> ExternalState {
    let changes = list(&json!([item])).changes;
    assert_eq!(changes.len(), 1);
    changes[0].state
}

fn busy(starts_at: &str, ends_at: &str) -> ExternalState {
    ExternalState::Busy {
        starts_at: at(starts_at),
        ends_at: at(ends_at),
    }
}

#[test]
fn an_event_has_one_id_that_google_takes() {
    let id = event_id(booking());
    assert_eq!(id, "bkbl069kqf0001o010000000000004");
    assert!((5..=1024).contains(&id.len()));
    assert!(
        id.chars()
            .all(|c| c.is_ascii_digit() || ('a'..='v').contains(&c))
    );
    assert_eq!(booking_of(&id), Some(booking()));
    for other in [
        "",
        "bkbl",
        "bkbl0",
        "abc123def456",
        &id[1..],
        &format!("{id}0"),
        // Not what anything is encoded as: the last bits are not zero.
        &format!("{}1", &id[..id.len() - 1]),
        &format!("{id}_20270301T120000Z"),
    ] {
        assert_eq!(booking_of(other), None, "{other}");
    }
}

#[test]
fn a_booking_is_written_whole() {
    assert_eq!(
        body(&event()),
        json!({
            "id": event_id(booking()), "status": "confirmed", "summary": "Cut and finish: Jo Smith",
            "description": "K7QF3MXR\nTea & cake", "location": "Main Street",
            "start": { "dateTime": "2027-03-01T12:00:00Z", "timeZone": "Europe/London" },
            "end": { "dateTime": "2027-03-01T12:45:00Z", "timeZone": "Europe/London" },
            "transparency": "opaque", "reminders": { "useDefault": true },
            "extendedProperties": { "private": { "bookableBooking": booking().to_string() } }
        })
    );
}

#[test]
fn what_customers_wrote_is_text() {
    let mut event = event();
    "See <a href=\"https://evil.example\">here</a> & pay".clone_into(&mut event.description);
    assert_eq!(
        description(&event),
        "See &lt;a href=\"https://evil.example\"&gt;here&lt;/a&gt; &amp; pay"
    );
    event.description = "<".repeat(20_000);
    event.summary = "é".repeat(20_000);
    assert_eq!(description(&event).chars().count(), TEXT_MAX);
    assert_eq!(title(&event).chars().count(), TITLE_MAX);
}

/// As Google answers what was written: by the clocks of the calendar, without what is usual.
fn recorded() -> Value {
    json!({
        "kind": "calendar#event", "etag": "\"3600000000000001\"", "id": event_id(booking()), "status": "confirmed",
        "htmlLink": "https://www.google.com/calendar/event?eid=x", "created": "2027-02-01T10:00:00.000Z", "updated": "2027-02-01T10:00:00.000Z",
        "summary": "Cut and finish: Jo Smith", "description": "K7QF3MXR\nTea & cake", "location": "Main Street",
        "creator": { "email": "maria@aurora.example", "self": true }, "organizer": { "email": "maria@aurora.example", "self": true },
        "start": { "dateTime": "2027-03-01T07:00:00-05:00", "timeZone": "Europe/London" },
        "end": { "dateTime": "2027-03-01T07:45:00-05:00", "timeZone": "Europe/London" },
        "iCalUID": "x@google.com", "sequence": 0, "reminders": { "useDefault": true }, "eventType": "default",
        "extendedProperties": { "private": { "bookableBooking": booking().to_string() } }
    })
}

fn recorded_with(name: &str, value: Value) -> Value {
    let mut json = recorded();
    json[name] = value;
    json
}

#[test]
fn an_event_that_stands_as_it_should_is_known() {
    let is_right = |json: Value| stands(&serde_json::from_value(json).unwrap(), &event());
    assert!(is_right(recorded()));
    for (name, value) in [
        ("status", json!("cancelled")),
        ("status", json!("tentative")),
        ("summary", json!("Something else")),
        ("description", json!(null)),
        ("location", json!("Elsewhere")),
        ("transparency", json!("transparent")),
        (
            "attendees",
            json!([{ "self": true, "responseStatus": "declined" }]),
        ),
        ("start", json!({ "dateTime": "2027-03-01T07:05:00-05:00" })),
        ("end", json!({ "date": "2027-03-02" })),
        ("recurrence", json!(["RRULE:FREQ=DAILY"])),
        ("extendedProperties", json!({})),
    ] {
        assert!(
            !is_right(recorded_with(name, value.clone())),
            "{name}: {value}"
        );
    }
}

#[test]
fn what_an_owner_added_is_kept() {
    let guest = json!({ "email": "jo@customer.example", "responseStatus": "accepted" });
    let mut there = recorded_with("attendees", json!([guest]));
    there["colorId"] = json!("7");
    there["sequence"] = json!(3);
    there["summary"] = json!("Mine");
    there["recurrence"] = json!(["RRULE:FREQ=DAILY"]);
    let over = |there: &Value| {
        let there = serde_json::from_value(there.clone()).unwrap();
        body_over(&there, &event())
    };
    let kept = over(&there);
    assert_eq!(kept["attendees"], json!([guest]));
    assert_eq!(
        (&kept["colorId"], &kept["sequence"]),
        (&json!("7"), &json!(3))
    );
    assert_eq!(kept["summary"], "Cut and finish: Jo Smith");
    assert!(kept["recurrence"].is_null() && kept["etag"].is_null());

    there["attendees"] = json!([guest, { "self": true, "responseStatus": "declined" }]);
    assert!(over(&there)["attendees"].is_null());
    there["status"] = json!("cancelled");
    assert!(over(&there)["colorId"].is_null());
}

#[test]
fn our_own_events_are_known_by_id_and_mark() {
    let ours = |json: Value| list(&json!([json])).changes[0].booking_id;
    assert_eq!(ours(recorded()), Some(booking()));
    // Of a deleted one no more than the id is promised.
    let deleted = json!({ "id": event_id(booking()), "status": "cancelled" });
    assert_eq!(ours(deleted), Some(booking()));
    // The owner's copy of it bears the mark, and is an event like any other.
    assert_eq!(ours(recorded_with("id", json!("4f3c2b1a0"))), None);
    assert_eq!(ours(recorded_with("extendedProperties", json!({}))), None);
    let change = &list(&json!([recorded()])).changes[0];
    assert_eq!(change.etag, "\"3600000000000001\"");
    assert_eq!(
        change.state,
        busy("2027-03-01T12:00:00Z", "2027-03-01T12:45:00Z")
    );
}

#[test]
fn events_of_a_series_are_known_for_such_deleted_or_not() {
    let is_of_series = |json: Value| list(&json!([json])).changes[0].is_of_series;
    assert!(!is_of_series(recorded()));
    assert!(is_of_series(recorded_with(
        "recurringEventId",
        json!("weekly")
    )));
    let deleted = |id: &str| is_of_series(json!({ "id": id, "status": "cancelled" }));
    for one in [
        "4f3c2b1a0_20270322T120000Z",
        "4f3c2b1a0_20270322",
        "4f3c2b1a0_R20270301T120000_20270322T120000Z",
    ] {
        assert!(deleted(one), "{one}");
    }
    for alone in [
        "4f3c2b1a0",
        "_60q30c1g60o30e1i",
        "a_20271322",
        &event_id(booking()),
    ] {
        assert!(!deleted(alone), "{alone}");
    }
}

#[test]
fn who_is_busy_when_is_read() {
    let timed = busy("2027-03-01T12:00:00Z", "2027-03-01T12:45:00Z");
    let of = |changes: Value| {
        let mut json = recorded_with("id", json!("external01"));
        for (name, value) in changes.as_object().unwrap() {
            json[name] = value.clone();
        }
        state(&json)
    };
    for (changes, expected) in [
        (json!({}), timed),
        (json!({ "status": "tentative" }), timed),
        (json!({ "transparency": "opaque" }), timed),
        (
            json!({ "transparency": "transparent" }),
            ExternalState::Free,
        ),
        (json!({ "eventType": "outOfOffice" }), timed),
        (json!({ "eventType": "focusTime" }), timed),
        (
            json!({ "eventType": "workingLocation" }),
            ExternalState::Free,
        ),
        (
            json!({ "attendees": [{ "self": true, "responseStatus": "declined" }] }),
            ExternalState::Free,
        ),
        (
            json!({ "attendees": [{ "self": true, "responseStatus": "needsAction" }] }),
            timed,
        ),
        (
            json!({ "attendees": [{ "responseStatus": "declined" }] }),
            timed,
        ),
        (json!({ "status": "cancelled" }), ExternalState::Gone),
        // It takes no time.
        (
            json!({ "end": { "dateTime": "2027-03-01T07:00:00-05:00" } }),
            ExternalState::Free,
        ),
    ] {
        assert_eq!(of(changes.clone()), expected, "{changes}");
    }
}

#[test]
fn whole_days_are_those_of_the_calendar() {
    // New York's clocks are moved on 14 March 2027: that day has 23 hours.
    let days = json!({ "id": "holiday01", "start": { "date": "2027-03-13" }, "end": { "date": "2027-03-15" } });
    assert_eq!(
        state(&days),
        busy("2027-03-13T05:00:00Z", "2027-03-15T04:00:00Z")
    );
}

#[test]
fn what_cannot_be_read_holds_up_nothing() {
    let items = json!([
        { "id": "a0001", "start": { "dateTime": "soon" }, "end": { "dateTime": "later" } },
        { "id": "a0002", "start": { "date": "2027-02-30" }, "end": { "date": "2027-03-30" } },
        { "id": "a0003" },
        { "id": "" },
        { "start": {} },
        7,
        { "id": "a0004", "status": "cancelled" }
    ]);
    let page = list(&items);
    let read: Vec<&str> = page
        .changes
        .iter()
        .map(|change| change.id.as_str())
        .collect();
    assert_eq!(read, ["a0004"]);
    let sync_token = "s".to_owned();
    assert_eq!(page.next, Next::Done { sync_token });
}

#[test]
fn a_page_says_how_to_go_on() {
    let read = |answer: Value| {
        page(
            serde_json::from_value(answer).unwrap(),
            &ZoneDatabase::bundled(),
        )
    };
    let more = read(json!({ "timeZone": "Etc/UTC", "nextPageToken": "p" })).unwrap();
    assert_eq!(more.next, Next::Page("p".to_owned()));
    let nothing = read(json!({ "timeZone": "Nowhere/City", "items": [] }));
    assert!(matches!(nothing, Err(Failure::Retry { .. })));
}

#[test]
fn a_sync_token_goes_with_no_window() {
    let mut from = PullFrom {
        sync_token: None,
        page_token: None,
        after: at("2027-03-01T00:00:00Z"),
        before: at("2027-09-01T00:00:00Z"),
    };
    let names = |from: &PullFrom| -> Vec<&str> {
        let query = query(from).into_iter();
        query.map(|(name, _)| name).skip(5).collect()
    };
    assert_eq!(names(&from), ["timeMin", "timeMax"]);
    from.page_token = Some("p".to_owned());
    assert_eq!(names(&from), ["timeMin", "timeMax", "pageToken"]);
    from.sync_token = Some("s".to_owned());
    assert_eq!(names(&from), ["syncToken", "pageToken"]);
}

#[test]
fn a_calendar_is_called_what_its_viewer_calls_it() {
    let read = |entry: Value| calendar(serde_json::from_value(entry).unwrap());
    let own = read(
        json!({ "id": "a@b", "summary": "a@b", "summaryOverride": "Maria", "accessRole": "owner", "primary": true }),
    );
    assert_eq!((own.name.as_str(), own.writable), ("Maria", true));
    let holidays = read(json!({ "id": "h", "summary": "Holidays", "accessRole": "reader" }));
    assert_eq!(
        (holidays.name.as_str(), holidays.writable),
        ("Holidays", false)
    );
    assert_eq!(read(json!({ "id": "x", "accessRole": "writer" })).name, "x");
}
