use chrono::{DateTime, TimeDelta, Utc};
use plugin_api::{CalendarError, CalendarSync, ExternalChange, ExternalState, Next, PullFrom};
use serde_json::json;

use crate::{MARIA, Salon, all, event, noon};

/// Reads until there is no more, and answers what was read and what to go on from.
async fn read(salon: &Salon, mut from: PullFrom) -> (Vec<ExternalChange>, PullFrom) {
    let mut changes = Vec::new();
    loop {
        let page = salon.pull(&from).await.unwrap();
        changes.extend(page.changes);
        match page.next {
            Next::Page(token) => from.page_token = Some(token),
            Next::Done { sync_token } => {
                from.page_token = None;
                from.sync_token = Some(sync_token);
                return (changes, from);
            }
        }
    }
}

fn busy(starts_at: DateTime<Utc>, minutes: i64) -> ExternalState {
    let ends_at = starts_at + TimeDelta::minutes(minutes);
    ExternalState::Busy { starts_at, ends_at }
}

fn states(changes: &[ExternalChange]) -> Vec<ExternalState> {
    changes.iter().map(|change| change.state).collect()
}

fn put_busy(salon: &Salon, hours: i64) -> String {
    let starts_at = noon() + TimeDelta::hours(hours);
    let ends_at = starts_at + TimeDelta::minutes(30);
    salon.google.put_busy(MARIA, starts_at, ends_at).unwrap()
}

#[tokio::test]
async fn what_lies_ahead_is_read_and_then_what_changes() {
    let salon = Salon::open().await;
    put_busy(&salon, -100);
    let id = put_busy(&salon, 2);
    let (changes, from) = read(&salon, all()).await;
    assert_eq!(states(&changes), [busy(noon() + TimeDelta::hours(2), 30)]);
    assert_eq!(changes[0].id, id);
    assert_eq!(changes[0].booking_id, None);

    let (changes, from) = read(&salon, from).await;
    assert!(changes.is_empty());

    let moved = noon() + TimeDelta::hours(5);
    let google = &salon.google;
    google
        .move_event(MARIA, &id, moved, moved + TimeDelta::hours(1))
        .unwrap();
    let (changes, from) = read(&salon, from).await;
    assert_eq!(states(&changes), [busy(moved, 60)]);

    google.decline_event(MARIA, &id).unwrap();
    let (changes, from) = read(&salon, from).await;
    assert_eq!(states(&changes), [ExternalState::Free]);

    google.delete_event(MARIA, &id).unwrap();
    let (changes, from) = read(&salon, from).await;
    assert_eq!(states(&changes), [ExternalState::Gone]);
    assert_eq!(changes[0].id, id);
    assert!(read(&salon, from).await.0.is_empty());
}

#[tokio::test]
async fn our_own_writing_comes_back_as_its_echo() {
    let salon = Salon::open().await;
    let (_, from) = read(&salon, all()).await;
    let written = salon.put(&event(1)).await.unwrap();
    let (changes, from) = read(&salon, from).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].etag, written.etag);
    assert_eq!(changes[0].booking_id, Some(event(1).booking_id));
    assert_eq!(changes[0].state, busy(noon(), 45));

    salon.delete(event(1).booking_id).await.unwrap();
    let (changes, _) = read(&salon, from).await;
    assert_eq!(changes[0].booking_id, Some(event(1).booking_id));
    assert_eq!(changes[0].state, ExternalState::Gone);
}

#[tokio::test]
async fn pages_are_read_to_the_end() {
    let salon = Salon::open().await;
    salon.google.limit_pages(2);
    for hours in 0..5 {
        put_busy(&salon, hours);
    }
    let (changes, from) = read(&salon, all()).await;
    assert_eq!(changes.len(), 5);
    for hours in 5..10 {
        put_busy(&salon, hours);
    }
    // Pages of changes bear the sync token on.
    let (changes, _) = read(&salon, from).await;
    assert_eq!(changes.len(), 5);
}

#[tokio::test]
async fn tokens_that_ran_out_say_so() {
    let salon = Salon::open().await;
    put_busy(&salon, 1);
    let (_, from) = read(&salon, all()).await;
    salon.google.expire_sync_tokens();
    let expired = salon.pull(&from).await;
    assert_eq!(expired, Err(CalendarError::TokenExpired));

    let garbage = PullFrom {
        sync_token: None,
        page_token: Some("garbage".to_owned()),
        ..from.clone()
    };
    assert_eq!(salon.pull(&garbage).await, Err(CalendarError::TokenExpired));
    let (changes, _) = read(&salon, all()).await;
    assert_eq!(changes.len(), 1);
}

#[tokio::test]
async fn recurring_events_come_as_single_ones() {
    let salon = Salon::open().await;
    // Every Monday at noon by London's clocks, which are moved on 28 March.
    let weekly = json!({
        "summary": "Team", "start": { "dateTime": "2027-03-15T12:00:00", "timeZone": "Europe/London" },
        "end": { "dateTime": "2027-03-15T13:00:00", "timeZone": "Europe/London" }, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]
    });
    let id = salon.google.put_event(MARIA, &weekly).unwrap();
    let (changes, from) = read(&salon, all()).await;
    let starts = [
        "2027-03-15T12:00:00Z",
        "2027-03-22T12:00:00Z",
        "2027-03-29T11:00:00Z",
    ];
    let expected = starts.map(|start| busy(start.parse().unwrap(), 60));
    assert_eq!(states(&changes), expected);

    let second = format!("{id}_20270322T120000Z");
    salon.google.delete_event(MARIA, &second).unwrap();
    let (changes, from) = read(&salon, from).await;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].id.as_str(), changes[0].state),
        (second.as_str(), ExternalState::Gone)
    );

    let shorter = json!({ "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=1"] });
    salon.google.change_event(MARIA, &id, &shorter).unwrap();
    let (changes, _) = read(&salon, from).await;
    let third = format!("{id}_20270329T110000Z");
    let gone = changes.iter().find(|change| change.id == third).unwrap();
    assert_eq!(gone.state, ExternalState::Gone);
}

#[tokio::test]
async fn whole_days_are_those_of_the_calendar() {
    let salon = Salon::open().await;
    let calendar = "team@group.calendar.google.com";
    let google = &salon.google;
    google.add_calendar(MARIA, calendar, "Team", "reader", "America/New_York");
    let holiday = json!({ "start": { "date": "2027-03-14" }, "end": { "date": "2027-03-15" } });
    google.put_event(calendar, &holiday).unwrap();
    let page = salon.plugin.pull(&salon.access, calendar, &all()).await;
    let starts_at = "2027-03-14T05:00:00Z".parse().unwrap();
    assert_eq!(states(&page.unwrap().changes), [busy(starts_at, 23 * 60)]);
}

#[tokio::test]
async fn what_events_are_about_is_not_asked_for() {
    let salon = Salon::open().await;
    put_busy(&salon, 1);
    read(&salon, all()).await;
    let calls = salon.google.calls();
    let fields = calls.iter().flat_map(|called| &called.query);
    let fields: Vec<&str> = fields
        .filter(|(name, _)| name == "fields")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(fields.len(), 1);
    for private in ["summary", "description", "location", "email"] {
        assert!(!fields[0].contains(private), "{private}");
    }
}
