//! What is not there when all of a calendar is read: that is no deletion. What was deleted is told of as such.

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use test_support::at;

use super::stage::{Stage, follow};

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beyond_what_is_read_is_left_alone() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let mut input = stage
        .world
        .booking(stage.service, "2028-05-25T10:00:00Z", "Eve");
    input.provider_id = Some(stage.anna);
    input.override_reason = Some("far ahead, on purpose".to_owned());
    let booked = stage.world.engine.book(&stage.world.owner, input, None);
    let booking = booked.await.unwrap().made.booking.id;
    stage.settled().await;
    let puts = stage.diary.calls("put");
    stage.world.clock.advance(TimeDelta::days(8));
    stage.settled().await;
    assert_eq!(stage.status_of(booking).await, BookingStatus::Confirmed);
    assert_eq!(stage.there("anna"), ["25T10:00"]);
    assert_eq!(stage.diary.calls("put"), puts);
    // Once it comes into sight it is followed.
    stage.diary.delete_booking("anna", booking);
    stage.later().await;
    assert_eq!(stage.status_of(booking).await, BookingStatus::Cancelled);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_and_was_not_deleted_is_put_back_and_staff_are_told() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let repeats = stage.book("2027-03-05T10:00:00Z", stage.anna).await;
    let dragged = stage.book("2027-03-05T12:00:00Z", stage.anna).await;
    let deleted = stage.book("2027-03-05T14:00:00Z", stage.anna).await;
    stage.settled().await;
    // Its owner made the one an event that repeats: it is listed by other ids. The other lies out of sight.
    stage.diary.vanish("anna", repeats);
    stage
        .diary
        .move_booking("anna", dragged, at("2027-02-01T12:00:00Z"));
    stage.diary.delete_booking("anna", deleted);
    stage.diary.expire_tokens();
    stage.later().await;
    for booking in [repeats, dragged] {
        assert_eq!(stage.status_of(booking).await, BookingStatus::Confirmed);
    }
    assert_eq!(stage.status_of(deleted).await, BookingStatus::Cancelled);
    assert_eq!(stage.there("anna"), ["05T10:00", "05T12:00"]);
    let said = stage.connection().await.unwrap().last_error.unwrap();
    assert!(said.contains("could not be found"), "{said}");
    assert_eq!(
        stage.count("event WHERE kind = 'calendar.conflict'").await,
        2
    );
    stage.end().await;
}
