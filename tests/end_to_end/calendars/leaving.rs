//! Connections end also where the other side does not let us clear up, or only later.

use std::time::Duration;

use jobs::JobOptions;
use plugin_api::Failure;
use test_support::{ANNAS_TOKEN, BadCall};

use super::stage::{Stage, options, restore};

impl Stage {
    pub(super) async fn disconnect(&self) {
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        let disconnected = engine.disconnect_calendar(owner, self.anna, None);
        disconnected.await.unwrap();
    }

    /// Nothing is kept of a connection that has ended but that there was one.
    pub(super) async fn assert_forgotten(&self) {
        for left in [
            "calendar_source",
            "calendar_link",
            "external_event",
            "calendar_connection WHERE sealed IS NOT NULL",
            "delivery WHERE status <> 'delivered'",
        ] {
            assert_eq!(self.count(left).await, 0, "{left}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_cleared_up_however_often_that_fails() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    stage.book("2027-03-05T10:00:00Z", stage.anna).await;
    stage.book("2027-03-05T12:00:00Z", stage.anna).await;
    stage.settled().await;
    for bad in [
        BadCall::AnswerLost,
        BadCall::Refused(Failure::retry("not now").into()),
        BadCall::Panics,
        BadCall::AnswerLost,
    ] {
        stage.diary.bad_call(bad);
    }
    stage.disconnect().await;
    for _ in 0..5 {
        stage.later().await;
    }
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    assert!(stage.diary.channels("anna").is_empty());
    stage.assert_forgotten().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_that_was_taken_back_is_forgotten_and_what_is_there_stays() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    stage.book("2027-03-05T10:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.diary.revoke(ANNAS_TOKEN, true);
    stage.disconnect().await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["05T10:00"], "it is its owner's");
    stage.assert_forgotten().await;
    assert_eq!(
        stage.count("event WHERE kind = 'calendar.broken'").await,
        0,
        "nobody has to connect anew what they have disconnected"
    );
    // Connected anew, it is ours again.
    stage.diary.revoke(ANNAS_TOKEN, false);
    stage.connect(stage.input()).await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["05T10:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_when_a_connection_ends_is_taken_away_too() {
    let jobs = JobOptions {
        time_limit: Duration::from_millis(400),
        ..options()
    };
    let mut stage = Stage::with(restore(), None, jobs).await;
    stage.connect(stage.input()).await;
    stage.diary.bad_call(BadCall::Hangs);
    stage.book("2027-03-05T10:00:00Z", stage.anna).await;
    stage.diary.until_called("put", 1).await;
    stage.disconnect().await;
    stage.later().await;
    stage.later().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    stage.assert_forgotten().await;
    stage.end().await;
}
