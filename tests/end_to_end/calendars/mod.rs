//! Calendars elsewhere: what is busy there blocks slots here, and bookings stand there as they stand here, whatever fails in between.

mod absence;
mod address;
mod anew;
mod api;
mod channels;
mod consent;
mod edits;
mod leaving;
mod nudges;
mod processes;
mod reading;
mod refusals;
pub(crate) mod stage;
mod switching;
mod trouble;

use chrono::TimeDelta;
use engine::calendar::ConnectCalendar;

use self::stage::{Stage, restore};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_busy_elsewhere_blocks_slots_until_it_is_not() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:20:30Z",
        "2027-03-02T10:40:00Z",
    );
    stage.diary.busy(
        "private",
        "party",
        "2027-03-02T14:00:00Z",
        "2027-03-02T15:00:00Z",
    );
    stage.connect(stage.input()).await;
    assert_eq!(
        stage.reasons("2027-03-02T10:00:00Z").await,
        "[ProviderBlocked]"
    );
    assert_eq!(
        stage.reasons("2027-03-02T14:00:00Z").await,
        "[]",
        "only the main one is read"
    );
    let changed = stage.count("event WHERE kind = 'calendar.changed'").await;
    let before = stage.version().await;
    stage.later().await;
    stage.later().await;
    assert_eq!(
        (
            stage.count("event WHERE kind = 'calendar.changed'").await,
            stage.version().await
        ),
        (changed, before),
        "what has not changed is not told"
    );
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T12:00:00Z",
        "2027-03-02T13:00:00Z",
    );
    stage.later().await;
    assert_eq!(stage.reasons("2027-03-02T10:00:00Z").await, "[]");
    assert_eq!(
        stage.reasons("2027-03-02T12:00:00Z").await,
        "[ProviderBlocked]"
    );
    stage.diary.free("anna", "dentist");
    stage.later().await;
    assert_eq!(stage.reasons("2027-03-02T12:00:00Z").await, "[]");
    let both = ConnectCalendar {
        read_from: Some(vec!["anna".to_owned(), "private".to_owned()]),
        refresh_token: None,
        ..stage.input()
    };
    stage.connect(both).await;
    assert_eq!(
        stage.reasons("2027-03-02T14:00:00Z").await,
        "[ProviderBlocked]"
    );
    let none = ConnectCalendar {
        read_from: Some(Vec::new()),
        refresh_token: None,
        ..stage.input()
    };
    stage.connect(none).await;
    assert_eq!(stage.reasons("2027-03-02T14:00:00Z").await, "[]");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_is_not_refused_by_busy_time_and_staff_may_book_over_it() {
    let mut stage = Stage::new(restore()).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T12:00:00Z",
    );
    stage.connect(stage.input()).await;
    assert_eq!(stage.starts_of(booking).await, "02T10:00");
    let mut input = stage
        .world
        .booking(stage.service, "2027-03-02T11:00:00Z", "Bob");
    input.provider_id = Some(stage.anna);
    let (engine, owner) = (&stage.world.engine, &stage.world.owner);
    assert!(engine.book(owner, input.clone(), None).await.is_err());
    input.override_reason = Some("she said yes".to_owned());
    engine.book(owner, input, None).await.unwrap();
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T11:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_stand_there_as_they_stand_here() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.account("bens", "ben@example.com", &["ben"]);
    stage.connect(stage.input()).await;
    let bens = ConnectCalendar {
        provider_id: stage.ben,
        refresh_token: Some("bens".into()),
        ..stage.input()
    };
    stage.connect(bens).await;
    let first = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    let second = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00"]);
    let event = stage.diary.event("anna", first).unwrap();
    assert_eq!(event.summary, "Haircut: Eve");
    stage
        .reschedule(first, "2027-03-02T15:00:00Z", stage.anna)
        .await;
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T12:00", "02T15:00"]);
    stage
        .reschedule(first, "2027-03-02T15:00:00Z", stage.ben)
        .await;
    stage.cancel(second).await;
    stage.settled().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    assert_eq!(stage.there("ben"), ["02T15:00"]);
    let puts = stage.diary.calls("put");
    stage.later().await;
    assert_eq!(
        stage.diary.calls("put"),
        puts,
        "our own writes are not news"
    );
    assert_eq!(stage.reasons("2027-03-02T12:00:00Z").await, "[]");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_waits_for_its_payment_is_not_written() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let deposit = "UPDATE service SET deposit = '{\"kind\": \"full\"}'";
    stage.database.execute(deposit, &[]).await.unwrap();
    let raise = "UPDATE business SET catalogue_version = catalogue_version + 1";
    stage.database.execute(raise, &[]).await.unwrap();
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.later().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_writes_what_lies_ahead_and_disconnecting_takes_it_away() {
    let mut stage = Stage::public(restore()).await;
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.book("2027-03-02T12:00:00Z", stage.ben).await;
    let past = stage.book("2027-03-01T09:00:00Z", stage.anna).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T14:00:00Z",
        "2027-03-02T15:00:00Z",
    );
    stage.world.clock.advance(TimeDelta::hours(3));
    stage.connect(stage.input()).await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    assert!(stage.diary.event("anna", past).is_none());
    assert_eq!(stage.diary.channels("anna").len(), 1);
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    engine
        .disconnect_calendar(&owner, stage.anna, None)
        .await
        .unwrap();
    assert_eq!(
        stage.reasons("2027-03-02T14:00:00Z").await,
        "[]",
        "free at once"
    );
    assert_eq!(stage.connection().await, None);
    stage.settled().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    assert_eq!(stage.diary.channels("anna").len(), 0);
    for left in ["calendar_source", "calendar_link", "external_event"] {
        assert_eq!(stage.count(left).await, 0, "{left}");
    }
    let kept = "calendar_connection WHERE sealed IS NOT NULL";
    assert_eq!(stage.count(kept).await, 0, "the access is forgotten");
    engine
        .disconnect_calendar(&owner, stage.anna, None)
        .await
        .unwrap();
    stage.connect(stage.input()).await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_anew_at_once_loses_nothing_whatever_is_cleared_up_meanwhile() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    for _ in 0..5 {
        engine
            .disconnect_calendar(&owner, stage.anna, None)
            .await
            .unwrap();
        engine
            .connect_calendar(&owner, stage.input(), None)
            .await
            .unwrap();
    }
    stage.settled().await;
    stage.later().await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bookings_go_where_they_are_to_be_written() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    let to = |calendar: Option<&str>| ConnectCalendar {
        write_to: Some(calendar.map(str::to_owned)),
        refresh_token: None,
        ..stage.input()
    };
    let (private, nowhere) = (to(Some("private")), to(None));
    stage.connect(private).await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    assert_eq!(stage.there("private"), ["02T10:00"]);
    stage.connect(nowhere).await;
    assert_eq!(stage.there("private"), Vec::<String>::new());
    stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.later().await;
    assert_eq!(
        (stage.there("anna"), stage.there("private")),
        (vec![], vec![])
    );
    // Another account: what stood in the first one is taken away.
    let first = ConnectCalendar {
        write_to: Some(Some("anna".to_owned())),
        ..stage.input()
    };
    stage.connect(first).await;
    assert_eq!(stage.there("anna"), ["02T10:00", "02T12:00"]);
    stage
        .diary
        .account("new", "anna@elsewhere.com", &["elsewhere"]);
    let other = ConnectCalendar {
        refresh_token: Some("new".into()),
        ..stage.input()
    };
    stage.connect(other).await;
    // What is being written at that moment is waited for.
    stage.later().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    assert_eq!(stage.there("elsewhere"), ["02T10:00", "02T12:00"]);
    assert_eq!(
        stage.connection().await.unwrap().account,
        "anna@elsewhere.com"
    );
    stage.end().await;
}
