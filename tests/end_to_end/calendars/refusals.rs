//! Calendars in which this or that may not be done: the rest is done all the same.

use engine::calendar::ConnectCalendar;
use plugin_api::Failure;
use test_support::{ANNAS_TOKEN, BadCall};

use super::stage::{Stage, restore};

fn forbidden() -> BadCall {
    let failure = Failure::misconfigured("the account may not do this in this calendar");
    BadCall::Refused(failure.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_away_keeps_no_calendar_from_being_read() {
    let mut stage = Stage::new(restore()).await;
    let both = ConnectCalendar {
        read_from: Some(vec!["anna".to_owned(), "private".to_owned()]),
        ..stage.input()
    };
    stage.connect(both).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    let (from, to) = ("2027-03-02T12:00:00Z", "2027-03-02T13:00:00Z");
    stage.diary.plant("private", booking, from, to);
    let (from, to) = ("2027-03-02T15:00:00Z", "2027-03-02T16:00:00Z");
    stage.diary.busy("private", "dentist", from, to);
    stage.diary.bad_call_of("delete", forbidden());
    stage.later().await;
    assert_eq!(stage.reasons(from).await, "[ProviderBlocked]");
    assert_eq!(stage.diary.calls("delete"), 1);
    assert_eq!(stage.there("private"), ["02T12:00"]);
    assert_eq!(stage.connection().await.unwrap().last_error, None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_away_leaves_nothing_else_behind() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    for hour in 10..13 {
        let starts_at = format!("2027-03-02T{hour}:00:00Z");
        stage.book(&starts_at, stage.anna).await;
    }
    stage.settled().await;
    stage.diary.bad_call_of("delete", forbidden());
    let passes = Failure::retry("not now");
    stage
        .diary
        .bad_call_of("delete", BadCall::Refused(passes.into()));
    stage.diary.bad_call_of("delete", forbidden());
    stage.disconnect().await;
    stage.diary.until_called("delete", 3).await;
    stage.settled().await;
    assert_eq!(stage.there("anna").len(), 3);
    stage.diary.bad_call_of("delete", forbidden());
    stage.later().await;
    assert_eq!(stage.there("anna").len(), 1);
    stage.assert_forgotten().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_calendar_that_is_gone_keeps_nobody_else_s_from_being_written() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.account("bens", "ben@example.com", &["ben"]);
    stage.connect(stage.input()).await;
    let bens = ConnectCalendar {
        provider_id: stage.ben,
        refresh_token: Some("bens".into()),
        ..stage.input()
    };
    stage.connect(bens).await;
    // Anna has deleted the calendar that her bookings are written to.
    let diary = &stage.diary;
    diary.account(ANNAS_TOKEN, "anna@example.com", &["private"]);
    for hour in 9..17 {
        let starts_at = format!("2027-03-02T{hour:02}:00:00Z");
        stage.book(&starts_at, stage.anna).await;
    }
    stage.settled().await;
    assert_eq!(stage.count("delivery WHERE status = 'waiting'").await, 8);
    stage.book("2027-03-02T10:00:00Z", stage.ben).await;
    stage.settled().await;
    assert_eq!(stage.there("ben"), ["02T10:00"]);
    stage.diary.account(
        ANNAS_TOKEN,
        "anna@example.com",
        &["anna", "private", "team!"],
    );
    stage.later().await;
    assert_eq!(stage.there("anna").len(), 8);
    stage.end().await;
}
