use super::confirmation;
use super::facts::{at, booking, rescheduled};
use crate::tests::translate;
use domain::event::BookingFacts;
use domain::event::EventKind::BookingRescheduled;

fn from_to(
    start: &str,
    end: &str,
    location_zone: &str,
    customer_zone: Option<&str>,
) -> BookingFacts {
    let mut facts = booking();
    facts.starts_at = at(start);
    facts.ends_at = at(end);
    location_zone.clone_into(&mut facts.location.time_zone);
    facts.customer_time_zone = customer_zone.map(str::to_owned);
    facts
}

fn times(part: &str, facts: BookingFacts) -> String {
    let text = confirmation(part, facts).texts.text;
    let is_time = |line: &&str| line.starts_with("When:") || line.starts_with("At the location:");
    text.lines().filter(is_time).collect::<Vec<_>>().join("\n")
}

const MORNING: (&str, &str) = ("2027-03-01T09:00:00Z", "2027-03-01T09:30:00Z");

#[test]
fn the_customer_reads_their_own_zone_and_the_locations() {
    let facts = from_to(
        MORNING.0,
        MORNING.1,
        "Europe/London",
        Some("America/New_York"),
    );
    insta::assert_snapshot!(times("customer", facts.clone()), @"
    When: Monday 1 March 2027, 04:00–04:30 (America/New_York, UTC-05:00)
    At the location: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    ");
    insta::assert_snapshot!(times("provider", facts), @"When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)");
}

#[test]
fn the_date_is_the_one_in_the_recipients_zone() {
    let facts = from_to(
        MORNING.0,
        MORNING.1,
        "Pacific/Honolulu",
        Some("Pacific/Kiritimati"),
    );
    insta::assert_snapshot!(times("customer", facts), @"
    When: Monday 1 March 2027, 23:00–23:30 (Pacific/Kiritimati, UTC+14:00)
    At the location: Sunday 28 February 2027, 23:00–23:30 (Pacific/Honolulu, UTC-10:00)
    ");
}

#[test]
fn offsets_need_not_be_whole_hours() {
    insta::assert_snapshot!(times("customer", from_to(MORNING.0, MORNING.1, "Asia/Kathmandu", None)), @"When: Monday 1 March 2027, 14:45–15:15 (Asia/Kathmandu, UTC+05:45)");
}

#[test]
fn a_session_past_midnight_shows_both_dates() {
    let facts = from_to(
        "2027-06-01T22:30:00Z",
        "2027-06-01T23:30:00Z",
        "Europe/London",
        None,
    );
    insta::assert_snapshot!(times("customer", facts), @"When: Tuesday 1 June 2027, 23:30 – Wednesday 2 June 2027, 00:30 (Europe/London, UTC+01:00)");
}

#[test]
fn a_session_over_a_clock_change_shows_both_offsets() {
    let facts = from_to(
        "2027-03-28T00:30:00Z",
        "2027-03-28T01:30:00Z",
        "Europe/London",
        None,
    );
    insta::assert_snapshot!(times("customer", facts), @"When: Sunday 28 March 2027, 00:30–02:30 (Europe/London, UTC+00:00, then UTC+01:00)");
}

#[test]
fn an_unknown_zone_gives_way_to_the_locations_and_that_to_utc() {
    insta::assert_snapshot!(times("customer", from_to(MORNING.0, MORNING.1, "Europe/Paris", Some("Mars/Olympus"))), @"When: Monday 1 March 2027, 10:00–10:30 (Europe/Paris, UTC+01:00)");
    insta::assert_snapshot!(times("customer", from_to(MORNING.0, MORNING.1, "Mars/Olympus", None)), @"When: Monday 1 March 2027, 09:00–09:30 (UTC, UTC+00:00)");
}

#[test]
fn the_time_before_a_change_is_in_the_same_zone() {
    let mut facts = rescheduled();
    facts.customer_time_zone = Some("Asia/Tokyo".to_owned());
    let text = translate(BookingRescheduled, "customer", facts)
        .unwrap()
        .texts
        .text;
    assert!(
        text.contains("Before: Monday 1 March 2027, 18:00\n"),
        "{text}"
    );
}
