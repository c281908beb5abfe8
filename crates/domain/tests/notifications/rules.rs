//! The rules themselves, by tables.

use domain::booking::BookingStatus;
use domain::event::EventKind;
use domain::id::{Id, NotificationRuleId};
use domain::notification::{Channel, Moment, Rule, changes_reminders, default_rules};
use uuid::Uuid;

use super::reminder;

#[test]
fn rules_speak_at_what_tells_of_a_booking() {
    for name in [
        "booking.start",
        "booking.end",
        "booking.confirmed",
        "payment.refunded",
    ] {
        assert_eq!(Moment::from_name(name).unwrap().name(), name);
        assert!(Moment::names().contains(name));
    }
    for name in [
        "booking.held",
        "block.created",
        "catalogue.changed",
        "booking",
        "",
    ] {
        assert_eq!(Moment::from_name(name), None, "{name}");
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let confirmed = Moment::Event(EventKind::BookingConfirmed);
    let with = |channels: &[Channel]| Rule {
        channels: channels.to_vec(),
        ..reminder(Moment::Start, -60)
    };
    assert!(reminder(Moment::Start, -60).check().is_ok());
    assert!(reminder(confirmed, 0).check().is_ok());
    for wrong in [
        reminder(confirmed, 5),
        reminder(Moment::Start, 600_000),
        reminder(Moment::End, i32::MIN + 1),
        with(&[]),
        with(&[Channel::Sms, Channel::Sms]),
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
}

#[test]
fn reminders_fall_silent_with_their_booking() {
    let rule = reminder(Moment::Start, -60);
    for status in BookingStatus::ALL {
        let speaks = matches!(
            status,
            BookingStatus::Confirmed | BookingStatus::CheckedIn | BookingStatus::Completed
        );
        assert_eq!(rule.silenced_by(status).is_none(), speaks, "{status:?}");
    }
    let silencing = [EventKind::BookingCancelled, EventKind::BookingNoShow];
    assert!(silencing.into_iter().all(changes_reminders));
    assert!(changes_reminders(EventKind::CustomerChanged));
}

#[test]
fn the_usual_rules_make_sense() {
    let rules = default_rules(|| NotificationRuleId::from_uuid(Uuid::nil()));
    assert!(rules.iter().all(|rule| rule.check().is_ok()));
    let disabled = rules.iter().filter(|rule| !rule.enabled);
    assert_eq!((rules.len(), disabled.count()), (15, 2));
}
