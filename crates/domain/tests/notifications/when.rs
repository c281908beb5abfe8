//! When a message is due, and how it fares, by tables.

use chrono::{DateTime, NaiveTime, Utc};
use domain::booking::Span;
use domain::event::EventKind;
use domain::notification::{Moment, NotificationStatus, QuietHours};
use domain::zone::{Zone, ZoneDatabase};
use proptest::prelude::*;

use super::reminder;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    ZoneDatabase::bundled().get(name).unwrap()
}

fn quiet(from: &str, to: &str) -> QuietHours {
    QuietHours {
        from: from.parse::<NaiveTime>().unwrap(),
        to: to.parse().unwrap(),
        for_events: false,
    }
}

fn span(starts_at: &str) -> Span {
    let starts_at = at(starts_at);
    Span {
        starts_at,
        ends_at: starts_at + chrono::TimeDelta::hours(1),
    }
}

#[test]
fn reminders_are_due_at_their_offset_and_not_in_quiet_hours() {
    let night = quiet("21:00:00", "08:00:00");
    let lunch = quiet("12:00:00", "13:00:00");
    let never = quiet("08:00:00", "08:00:00");
    let (start, end) = (Moment::Start, Moment::End);
    for (moment, offset, quiet, zone_name, starts_at, due) in [
        (
            start,
            -1440,
            None,
            "Europe/London",
            "2027-03-05T10:00:00Z",
            "2027-03-04T10:00:00Z",
        ),
        (
            end,
            1440,
            None,
            "Europe/London",
            "2027-03-05T10:00:00Z",
            "2027-03-06T11:00:00Z",
        ),
        (
            start,
            -1440,
            Some(night),
            "Europe/London",
            "2027-03-05T10:00:00Z",
            "2027-03-04T10:00:00Z",
        ),
        // In the morning part of the night, and in its evening part.
        (
            start,
            -1440,
            Some(night),
            "Europe/London",
            "2027-03-05T07:00:00Z",
            "2027-03-04T08:00:00Z",
        ),
        (
            start,
            -1440,
            Some(night),
            "Europe/London",
            "2027-03-05T22:00:00Z",
            "2027-03-05T08:00:00Z",
        ),
        // On the recipient's clock: five in the morning in New York.
        (
            start,
            -1440,
            Some(night),
            "America/New_York",
            "2027-03-05T10:00:00Z",
            "2027-03-04T13:00:00Z",
        ),
        // The end is after the beginning of the booking, or at it: before the night.
        (
            start,
            -120,
            Some(night),
            "Europe/London",
            "2027-03-05T07:30:00Z",
            "2027-03-04T21:00:00Z",
        ),
        (
            start,
            -120,
            Some(night),
            "Europe/London",
            "2027-03-05T08:00:00Z",
            "2027-03-04T21:00:00Z",
        ),
        (
            start,
            -120,
            Some(night),
            "Europe/London",
            "2027-03-05T08:01:00Z",
            "2027-03-05T08:00:00Z",
        ),
        // What comes after waits, however long.
        (
            end,
            720,
            Some(night),
            "Europe/London",
            "2027-03-05T10:00:00Z",
            "2027-03-06T08:00:00Z",
        ),
        (
            start,
            -1440,
            Some(lunch),
            "Europe/London",
            "2027-03-05T12:00:00Z",
            "2027-03-04T13:00:00Z",
        ),
        (
            start,
            -1440,
            Some(lunch),
            "Europe/London",
            "2027-03-05T13:00:00Z",
            "2027-03-04T13:00:00Z",
        ),
        (
            start,
            -1440,
            Some(never),
            "Europe/London",
            "2027-03-05T08:00:00Z",
            "2027-03-04T08:00:00Z",
        ),
        // The night in which the clocks go forward is an hour shorter.
        (
            start,
            -240,
            Some(night),
            "Europe/London",
            "2027-03-28T08:00:00Z",
            "2027-03-28T07:00:00Z",
        ),
    ] {
        let rule = reminder(moment, offset);
        let found = rule.due(span(starts_at), quiet.as_ref(), &zone(zone_name));
        assert_eq!(
            found,
            at(due),
            "{moment:?} {offset} {zone_name} {starts_at}"
        );
    }
}

proptest! {
    #[test]
    fn a_reminder_comes_before_the_booking_whatever_the_quiet_hours(
        minutes in 0..600_000_i64, offset in -3_000..-1_i32, from in 0..1440_u32, to in 0..1440_u32, zone_index in 0..4_usize,
    ) {
        let names = ["Europe/London", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"];
        let zone = zone(names.get(zone_index).unwrap());
        let time = |minutes: u32| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap();
        let quiet = QuietHours { from: time(from), to: time(to), for_events: false };
        let starts_at = at("2027-01-01T00:00:00Z") + chrono::TimeDelta::minutes(minutes);
        let span = Span { starts_at, ends_at: starts_at + chrono::TimeDelta::hours(1) };
        let rule = reminder(Moment::Start, offset);
        let due = rule.due(span, Some(&quiet), &zone);
        prop_assert!(due < starts_at);
        prop_assert_eq!(rule.waits_until(due, span, Some(&quiet), &zone), None);
        // What did not get out then waits at most so long that it still comes before.
        let later = due + (starts_at - due) / 2;
        let until = rule.waits_until(later, span, Some(&quiet), &zone);
        prop_assert!(until.is_none_or(|until| later < until && until < starts_at));
    }
}

#[test]
fn what_was_due_before_quiet_hours_waits_for_their_end_unless_that_is_too_late() {
    let night = Some(quiet("21:00:00", "08:00:00"));
    let all = night.map(|night| QuietHours {
        for_events: true,
        ..night
    });
    let confirmed = Moment::Event(EventKind::BookingConfirmed);
    let (evening, morning) = ("2027-03-04T23:50:00Z", "2027-03-05T08:00:00Z");
    for (moment, offset, quiet, now, starts_at, until) in [
        (
            Moment::Start,
            -810,
            None,
            evening,
            "2027-03-05T10:00:00Z",
            None,
        ),
        (
            Moment::Start,
            -810,
            night,
            evening,
            "2027-03-05T10:00:00Z",
            Some(morning),
        ),
        (
            Moment::Start,
            -810,
            night,
            "2027-03-04T20:59:00Z",
            "2027-03-05T10:00:00Z",
            None,
        ),
        (
            Moment::Start,
            -810,
            night,
            morning,
            "2027-03-05T10:00:00Z",
            None,
        ),
        // At their end the booking has begun.
        (
            Moment::Start,
            -810,
            night,
            evening,
            "2027-03-05T08:00:00Z",
            None,
        ),
        (
            Moment::Start,
            -810,
            night,
            evening,
            "2027-03-05T08:01:00Z",
            Some(morning),
        ),
        // What comes after the booking has time.
        (
            Moment::End,
            60,
            night,
            evening,
            "2027-03-04T18:00:00Z",
            Some(morning),
        ),
        (confirmed, 0, night, evening, "2027-03-05T10:00:00Z", None),
        (
            confirmed,
            0,
            all,
            evening,
            "2027-03-05T10:00:00Z",
            Some(morning),
        ),
        (
            confirmed,
            0,
            all,
            evening,
            "2027-03-05T06:00:00Z",
            Some(morning),
        ),
    ] {
        let rule = reminder(moment, offset);
        let zone = zone("Europe/London");
        let found = rule.waits_until(at(now), span(starts_at), quiet.as_ref(), &zone);
        assert_eq!(found, until.map(at), "{moment:?} {now} {starts_at}");
    }
}

#[test]
fn how_it_fares_only_moves_forward() {
    use NotificationStatus::{Delivered, Failed, Planned, Sent, Suppressed};
    for (before, heard, after) in [
        (Planned, Sent, Sent),
        (Planned, Suppressed, Suppressed),
        (Planned, Failed, Failed),
        (Sent, Delivered, Delivered),
        (Sent, Failed, Failed),
        (Sent, Planned, Sent),
        (Sent, Suppressed, Sent),
        (Delivered, Failed, Delivered),
        (Delivered, Sent, Delivered),
        (Failed, Delivered, Failed),
        (Failed, Sent, Failed),
        (Suppressed, Sent, Sent),
        (Suppressed, Planned, Suppressed),
    ] {
        assert_eq!(before.hearing(heard), after, "{before:?} {heard:?}");
        assert_eq!(
            after == heard && before != heard,
            heard.reached_from().contains(&before)
        );
    }
    for status in NotificationStatus::ALL {
        assert_eq!(NotificationStatus::from_name(status.name()), Some(status));
    }
}
