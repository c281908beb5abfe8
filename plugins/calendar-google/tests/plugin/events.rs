use chrono::TimeDelta;
use fake_google::{Call, Fault};
use plugin_api::{CalendarError, CalendarSync, Failure};
use serde_json::json;

use crate::{MARIA, Salon, event, later, noon};

#[tokio::test]
async fn a_booking_is_written_once_however_often_it_is_written() {
    let salon = Salon::open().await;
    let first = salon.put(&event(1)).await.unwrap();
    let events = salon.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["summary"], "Cut and finish: Jo Smith");
    assert_eq!(events[0]["location"], "Main Street");
    assert_eq!(events[0]["start"]["dateTime"], "2027-03-01T12:00:00Z");
    assert_eq!(events[0]["start"]["timeZone"], "Europe/London");
    assert_eq!(events[0]["etag"], first.etag.as_str());
    // A repeat sees that it stands, and changes nothing: the etag is the same.
    assert_eq!(salon.put(&event(1)).await.unwrap(), first);
    assert_eq!(salon.google.count(Call::UpdateEvent), 0);
    salon.put(&event(2)).await.unwrap();
    assert_eq!(salon.events().len(), 2);
}

#[tokio::test]
async fn an_event_moves_as_often_as_its_booking() {
    let salon = Salon::open().await;
    let mut seen = vec![salon.put(&event(1)).await.unwrap()];
    for hours in 1..=4 {
        let moved = later(&event(1), hours);
        seen.push(salon.put(&moved).await.unwrap());
        let start = &salon.events()[0]["start"]["dateTime"];
        assert_eq!(*start, format!("2027-03-01T{}:00:00Z", 12 + hours));
    }
    seen.dedup();
    assert_eq!(seen.len(), 5, "each state has a name of its own");
    assert_eq!(salon.events().len(), 1);
}

#[tokio::test]
async fn an_event_that_its_owner_deleted_is_there_again() {
    let salon = Salon::open().await;
    let before = salon.put(&event(1)).await.unwrap();
    let id = salon.events()[0]["id"].as_str().unwrap().to_owned();
    salon.google.delete_event(MARIA, &id).unwrap();
    assert!(salon.events().is_empty());
    let after = salon.put(&event(1)).await.unwrap();
    assert_ne!(before, after);
    assert_eq!(salon.events()[0]["id"], id.as_str());
}

#[tokio::test]
async fn an_event_that_its_owner_changed_is_put_right() {
    let salon = Salon::open().await;
    salon.put(&event(1)).await.unwrap();
    let id = salon.events()[0]["id"].as_str().unwrap().to_owned();
    for change in [
        json!({ "summary": "Mine" }),
        json!({ "start": { "date": "2027-03-01", "dateTime": null }, "end": { "date": "2027-03-02", "dateTime": null } }),
        json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"] }),
        json!({ "transparency": "transparent" }),
        json!({ "extendedProperties": null }),
        json!({ "attendees": [{ "email": MARIA, "self": true, "responseStatus": "declined" }] }),
    ] {
        salon.google.change_event(MARIA, &id, &change).unwrap();
        salon.put(&event(1)).await.unwrap();
        let there = &salon.events()[0];
        assert_eq!(there["summary"], "Cut and finish: Jo Smith", "{change}");
        assert_eq!(there["start"]["dateTime"], "2027-03-01T12:00:00Z");
        assert!(there["recurrence"].is_null() && there["transparency"].is_null());
        assert!(there["attendees"].is_null());
        let mark = &there["extendedProperties"]["private"]["bookableBooking"];
        assert_eq!(*mark, event(1).booking_id.to_string());
    }
}

#[tokio::test]
async fn what_is_not_there_is_taken_away_already() {
    let salon = Salon::open().await;
    salon.put(&event(1)).await.unwrap();
    for _ in 0..2 {
        salon.delete(event(1).booking_id).await.unwrap();
        assert!(salon.events().is_empty());
    }
    salon.delete(event(7).booking_id).await.unwrap();
    // Cancelled and booked again.
    salon.put(&event(1)).await.unwrap();
    assert_eq!(salon.events().len(), 1);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_written_is_named_for_staff() {
    let salon = Salon::open().await;
    let calendar = "en.uk#holiday@group.v.calendar.google.com";
    let google = &salon.google;
    google.add_calendar(MARIA, calendar, "Holidays", "reader", "Europe/London");
    let put = salon.plugin.put(&salon.access, calendar, &event(1)).await;
    let Err(CalendarError::Failed(Failure::Misconfigured { reason })) = put else {
        panic!("{put:?}");
    };
    assert!(reason.contains("writer access"), "{reason}");
    let put = salon.plugin.put(&salon.access, "nowhere", &event(1)).await;
    let Err(CalendarError::Failed(Failure::Misconfigured { reason })) = put else {
        panic!("{put:?}");
    };
    assert!(reason.contains("no such calendar"), "{reason}");
}

#[tokio::test]
async fn what_may_not_be_taken_away_stays_and_is_not_tried_again() {
    let salon = Salon::open().await;
    let calendar = "team@group.calendar.google.com";
    let google = &salon.google;
    google.add_calendar(MARIA, calendar, "Team", "reader", "Europe/London");
    let booking = event(1).booking_id;
    let deleted = salon.plugin.delete(&salon.access, calendar, booking).await;
    let Err(CalendarError::Failed(Failure::GiveUp { reason })) = deleted else {
        panic!("{deleted:?}");
    };
    assert!(reason.contains("writer access"), "{reason}");
}

#[tokio::test]
async fn what_changes_at_the_same_time_is_tried_again() {
    let salon = Salon::open().await;
    salon.put(&event(1)).await.unwrap();
    for hours in 1..=8 {
        let moved = later(&event(1), hours);
        let other = later(&event(1), -hours);
        let (one, two) = tokio::join!(salon.put(&moved), salon.put(&other));
        for result in [one, two] {
            let is_right = matches!(
                result,
                Ok(_) | Err(CalendarError::Failed(Failure::Retry { .. }))
            );
            assert!(is_right, "{result:?}");
        }
        salon.put(&moved).await.unwrap();
        let expected = (noon() + TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M:%SZ");
        let start = &salon.events()[0]["start"]["dateTime"];
        assert_eq!(*start, expected.to_string());
    }
}

#[tokio::test]
async fn answers_that_are_always_lost() {
    let salon = Salon::open().await;
    for _ in 0..5 {
        salon.google.fault(Call::InsertEvent, Fault::AnswerLost);
        let lost = salon.put(&event(1)).await;
        assert!(matches!(
            lost,
            Err(CalendarError::Failed(Failure::Retry { .. }))
        ));
    }
    let written = salon.put(&event(1)).await.unwrap();
    assert_eq!(salon.events().len(), 1);
    assert_eq!(salon.events()[0]["etag"], written.etag.as_str());
    assert_eq!(salon.google.count(Call::UpdateEvent), 0);
}
