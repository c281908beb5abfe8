//! What providers do to our events in their calendars: they are put back, or the bookings follow.

use chrono::TimeDelta;
use domain::id::{BookingId, Id};
use engine::calendar::ConnectCalendar;
use engine::catalogue::service::ServiceInput;
use test_support::at;

use super::stage::{Stage, follow, restore};

/// The last line of a booking's history: who, what, why.
async fn history(stage: &Stage, booking: BookingId) -> String {
    let (engine, owner) = (&stage.world.engine, &stage.world.owner);
    let lines = engine.booking_history(owner, &[booking]).await.unwrap();
    let last = lines.last().unwrap();
    let reason = last.reason.as_deref().unwrap_or("no reason");
    format!("{} {}: {reason}", last.by, last.kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_moved_or_deleted_is_put_back() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let first = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    let second = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.settled().await;
    stage
        .diary
        .move_booking("anna", first, at("2027-03-02T15:00:00Z"));
    stage.diary.delete_booking("anna", second);
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00"]);
    assert_eq!(stage.starts_of(first).await, "02T10:00");
    // Also one that went while nobody could say since when.
    stage.diary.delete_booking("anna", second);
    stage.diary.expire_tokens();
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00"]);
    assert_eq!(
        stage.reasons("2027-03-02T15:00:00Z").await,
        "[]",
        "ours is never busy time"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_follows_its_event_where_that_can_be() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let first = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    let second = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.settled().await;
    stage
        .diary
        .move_booking("anna", first, at("2027-03-02T15:00:00Z"));
    stage.later().await;
    assert_eq!(stage.starts_of(first).await, "02T15:00");
    assert_eq!(
        history(&stage, first).await,
        "calendar booking.rescheduled: moved in the calendar of Anna"
    );
    assert_eq!(stage.there("anna"), ["02T12:00", "02T15:00"]);
    stage.diary.delete_booking("anna", second);
    stage.later().await;
    assert_eq!(
        history(&stage, second).await,
        "calendar booking.cancelled: deleted in the calendar of Anna"
    );
    assert_eq!(stage.there("anna"), ["02T15:00"]);
    let puts = stage.diary.calls("put");
    stage.later().await;
    assert_eq!(stage.diary.calls("put"), puts);
    assert_eq!(
        stage.count("event WHERE kind = 'calendar.conflict'").await,
        0
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_cannot_follow_stays_and_staff_are_told() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let strict = ServiceInput {
        reschedule_notice_minutes: Some(7 * 24 * 60),
        cancellation_notice_minutes: Some(7 * 24 * 60),
        ..ServiceInput::default()
    };
    let strict = stage.world.service(60, &[stage.anna], strict).await;
    let taken = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    let second = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    let input = stage.world.booking(strict, "2027-03-02T14:00:00Z", "Bob");
    let engine = stage.world.engine.clone();
    let third = engine
        .book(&stage.world.visitor, input, None)
        .await
        .unwrap();
    let third = third.made.booking.id;
    stage.settled().await;
    for (booking, starts_at) in [
        (second, "2027-03-02T10:30:00Z"),
        (third, "2027-03-02T16:00:00Z"),
        (taken, "2027-03-02T22:00:00Z"),
    ] {
        stage.diary.move_booking("anna", booking, at(starts_at));
        stage.later().await;
        let shown = engine.booking(&stage.world.owner, booking).await.unwrap();
        let reference = shown.unwrap().0.reference;
        let said = stage.connection().await.unwrap().last_error.unwrap();
        assert!(said.contains(&reference), "{said}");
        assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00", "02T14:00"]);
    }
    stage.diary.delete_booking("anna", third);
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00", "02T14:00"]);
    let facts = "event WHERE kind = 'calendar.conflict' AND payload->'booking'->>'reference' <> ''";
    assert_eq!(stage.count(facts).await, 4);
    let flagged = stage.connection().await.unwrap();
    assert!(flagged.last_error.unwrap().contains("too late to cancel"));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_follows_to_where_its_owner_is_free_since() {
    let mut stage = Stage::new(follow()).await;
    let (two, three, four) = (
        "2027-03-02T14:00:00Z",
        "2027-03-02T15:00:00Z",
        "2027-03-02T16:00:00Z",
    );
    stage.diary.busy("anna", "dentist", two, three);
    stage.connect(stage.input()).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    // Both at once: they are read together.
    stage
        .diary
        .busy("anna", "dentist", four, "2027-03-02T17:00:00Z");
    stage.diary.move_booking("anna", booking, at(two));
    stage.later().await;
    assert_eq!(stage.starts_of(booking).await, "02T14:00");
    assert_eq!(stage.there("anna"), ["02T14:00"]);
    let conflicts = "event WHERE kind = 'calendar.conflict'";
    assert_eq!(stage.count(conflicts).await, 0);
    // And not to where they are busy since.
    stage.diary.busy("anna", "golf", three, four);
    stage.diary.move_booking("anna", booking, at(three));
    stage.later().await;
    assert_eq!(stage.starts_of(booking).await, "02T14:00");
    assert_eq!(stage.there("anna"), ["02T14:00"]);
    assert_eq!(stage.count(conflicts).await, 1);
    assert_eq!(stage.reasons(three).await, "[ProviderBlocked]");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_no_standing_booking_goes_and_a_stranger_s_is_busy_time() {
    let mut stage = Stage::new(restore()).await;
    let everything = ConnectCalendar {
        read_from: Some(vec![
            "anna".to_owned(),
            "private".to_owned(),
            "team".to_owned(),
        ]),
        ..stage.input()
    };
    stage.connect(everything).await;
    let (mine, bens) = (
        stage.book("2027-03-02T10:00:00Z", stage.anna).await,
        stage.book("2027-03-02T10:00:00Z", stage.ben).await,
    );
    let cancelled = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.cancel(cancelled).await;
    stage.settled().await;
    let stranger = BookingId::from_uuid(uuid::Uuid::now_v7());
    let span = ("2027-03-02T15:00:00Z", "2027-03-02T16:00:00Z");
    for (calendar, booking) in [
        ("private", mine),
        ("anna", cancelled),
        ("anna", bens),
        ("team", mine),
        ("anna", stranger),
    ] {
        stage.diary.plant(calendar, booking, span.0, span.1);
    }
    stage.later().await;
    let left = stage.diary.bookings("anna");
    assert_eq!(left.keys().copied().collect::<Vec<_>>(), {
        let mut both = vec![mine, stranger];
        both.sort();
        both
    });
    assert_eq!(stage.diary.bookings("private").len(), 0);
    assert_eq!(
        stage.diary.bookings("team").len(),
        1,
        "what can only be read stays"
    );
    assert_eq!(stage.reasons(span.0).await, "[ProviderBlocked]");
    stage.diary.delete_booking("anna", stranger);
    stage.later().await;
    assert_eq!(stage.reasons(span.0).await, "[]");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_share_a_calendar_do_not_take_each_other_s_bookings_away() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.account("bens", "ben@example.com", &["anna"]);
    stage.connect(stage.input()).await;
    let bens = ConnectCalendar {
        provider_id: stage.ben,
        refresh_token: Some("bens".into()),
        ..stage.input()
    };
    stage.connect(bens).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.book("2027-03-02T10:00:00Z", stage.ben).await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T10:00"]);
    assert_eq!(stage.reasons("2027-03-02T12:00:00Z").await, "[]");
    stage
        .reschedule(booking, "2027-03-02T12:00:00Z", stage.ben)
        .await;
    stage.later().await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_no_move_to_follow() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.diary.bad_call(test_support::BadCall::AnswerLost);
    stage
        .reschedule(booking, "2027-03-02T12:00:00Z", stage.anna)
        .await;
    let tried = "status = 'waiting' AND last_error IS NOT NULL";
    stage.changes.until(1, tried).await;
    stage
        .reschedule(booking, "2027-03-02T15:00:00Z", stage.anna)
        .await;
    stage.world.clock.advance(TimeDelta::minutes(61));
    stage.settled().await;
    stage.later().await;
    assert_eq!(stage.starts_of(booking).await, "02T15:00");
    assert_eq!(stage.there("anna"), ["02T15:00"]);
    stage.end().await;
}
