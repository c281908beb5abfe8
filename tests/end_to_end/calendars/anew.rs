//! Connected anew to the same calendar while what the connection before wrote there is still cleared up: what is taken away by that is no wish of
//! the calendar's owner, and no booking follows it.

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::id::BookingId;
use plugin_api::Failure;
use test_support::BadCall;

use super::stage::{Stage, follow};

/// A booking, written by a connection to which bookings follow their events.
async fn booked() -> (Stage, BookingId) {
    let mut stage = Stage::public(follow()).await;
    stage.connect(stage.input()).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    (stage, booking)
}

impl Stage {
    /// The other side says that Anna's calendar changed: it is read.
    async fn tell(&mut self, number: u32) {
        let channel = self.diary.channels("anna").pop().unwrap();
        let secret = secrecy::ExposeSecret::expose_secret(&channel.secret).to_owned();
        assert_eq!(self.call(&channel.id, &secret, number).await, 200);
        self.settled().await;
    }

    async fn assert_stands(mut self, booking: BookingId) {
        for _ in 0..2 {
            self.later().await;
        }
        assert_eq!(self.status_of(booking).await, BookingStatus::Confirmed);
        assert_eq!(self.there("anna"), ["02T10:00"]);
        let left = self.count("calendar_link").await;
        assert_eq!(left, 1, "the connection before is cleared up");
        self.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_new_connection_has_written_is_not_taken_away() {
    let (mut stage, booking) = booked().await;
    // It cannot be cleared up at once: the new connection writes the event before that.
    let later = Failure::retry("not now");
    stage
        .diary
        .bad_call_of("delete", BadCall::Refused(later.into()));
    stage.disconnect().await;
    stage.diary.until_called("delete", 1).await;
    stage.connect(stage.input()).await;
    stage.diary.bad_call_of("delete", BadCall::AnswerLost);
    stage.world.clock.advance(TimeDelta::minutes(5));
    stage.settled().await;
    stage.tell(1).await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    assert_eq!(stage.diary.calls("delete"), 1);
    stage.assert_stands(booking).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_ours_that_comes_late_is_no_wish_of_the_owner() {
    let (mut stage, booking) = booked().await;
    stage.diary.bad_call_of("delete", BadCall::AnswerLost);
    stage.disconnect().await;
    stage.settled().await;
    stage.connect(stage.input()).await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    // It was asked for before the event was written, and is carried out after that.
    stage.diary.delete_booking("anna", booking);
    stage.tell(1).await;
    assert_eq!(stage.status_of(booking).await, BookingStatus::Confirmed);
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    stage.assert_stands(booking).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_it_is_cleared_up_bookings_follow_their_events_again() {
    let (mut stage, booking) = booked().await;
    stage.disconnect().await;
    stage.connect(stage.input()).await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    stage.diary.delete_booking("anna", booking);
    stage.tell(1).await;
    assert_eq!(stage.status_of(booking).await, BookingStatus::Cancelled);
    stage.end().await;
}
