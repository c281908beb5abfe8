//! Several processes: they compete, they die, they do not all have the plugin; and what is said while one of them reads is not forgotten.

use chrono::TimeDelta;
use jobs::Jobs;
use plugin_api::Failure;
use test_support::BadCall;

use super::stage::{Stage, options, plugins, restore};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_reads_and_one_that_dies_is_stepped_in_for() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    // The process dies in the middle of a reading: it has the lease, and no answer comes.
    let engine = stage.world.engine.clone();
    let other = stage.world.another_node(plugins(&stage.diary));
    let diary = stage.diary.clone();
    stage.app.stop().await;
    stage.world.clock.advance(TimeDelta::minutes(2));
    diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    let due = engine.calendars_due(&[], 10).await.unwrap();
    assert_eq!(due.len(), 1);
    let lease = TimeDelta::seconds(90);
    let taken = engine.take_calendar(due[0], lease).await.unwrap().unwrap();
    let second = other.engine.take_calendar(due[0], lease).await.unwrap();
    assert!(second.is_none(), "it is read by one");
    assert!(
        other
            .engine
            .calendars_due(&[], 10)
            .await
            .unwrap()
            .is_empty()
    );
    stage.world.clock.advance(TimeDelta::seconds(91));
    let again = other.engine.calendars_due(&[], 10).await.unwrap();
    let again = other
        .engine
        .take_calendar(again[0], lease)
        .await
        .unwrap()
        .unwrap();
    // Both read: what counts is what the one says who holds the lease.
    diary.gone("anna", "dentist");
    other.engine.read_calendar(&again).await.unwrap();
    diary.busy(
        "anna",
        "late",
        "2027-03-02T12:00:00Z",
        "2027-03-02T13:00:00Z",
    );
    engine.read_calendar(&taken).await.unwrap();
    engine
        .put_off_calendar(&taken, &Failure::retry("late"))
        .await
        .unwrap();
    let rows = stage
        .database
        .query("SELECT external_id FROM external_event", &[])
        .await
        .unwrap();
    assert!(rows.is_empty(), "whoever lost the lease writes nothing");
    // Two processes at once, for a while: each change is read, and nobody is busy twice.
    let jobs = [&engine, &other.engine].map(|engine| Jobs::start(engine.clone(), options()));
    for minute in 0..10 {
        diary.busy(
            "anna",
            &format!("e{minute}"),
            "2027-03-03T10:00:00Z",
            "2027-03-03T11:00:00Z",
        );
        stage.world.clock.advance(TimeDelta::minutes(2));
        let now = stage.world.clock.now().to_rfc3339();
        let due = format!("SELECT count(*) FROM calendar_source WHERE next_sync_at <= '{now}'");
        stage.changes.until_counted(0, &due).await;
    }
    let row = stage
        .database
        .query_one("SELECT count(*) FROM external_event", &[])
        .await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 11);
    for jobs in jobs {
        jobs.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_while_a_calendar_is_read_has_it_read_again() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    let channel = stage.diary.channels("anna").pop().unwrap();
    let secret = secrecy::ExposeSecret::expose_secret(&channel.secret).to_owned();
    let engine = stage.world.engine.clone();
    let app = stage.app;
    let other = stage.world.another_node(plugins(&stage.diary));
    app.stop().await;
    let call = plugin_api::InboundRequest {
        url: String::new(),
        headers: [
            ("diary-channel", channel.id.as_str()),
            ("diary-secret", &secret),
            ("diary-number", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        body: Vec::new(),
        at: stage.world.clock.now(),
        business_name: String::new(),
    };
    let nudge = async |number: &str| {
        let mut call = call.clone();
        number.clone_into(&mut call.headers[2].1);
        engine
            .take_call("test", "calendar-diary", call)
            .await
            .unwrap();
    };
    nudge("1").await;
    let due = other.engine.calendars_due(&[], 10).await.unwrap();
    let taken = other
        .engine
        .take_calendar(due[0], TimeDelta::seconds(90))
        .await
        .unwrap();
    nudge("2").await;
    other.engine.read_calendar(&taken.unwrap()).await.unwrap();
    let due = other.engine.calendars_due(&[], 10).await.unwrap();
    assert_eq!(due.len(), 1, "what was said meanwhile is not forgotten");
    let taken = other
        .engine
        .take_calendar(due[0], TimeDelta::seconds(90))
        .await
        .unwrap();
    other.engine.read_calendar(&taken.unwrap()).await.unwrap();
    assert!(
        other
            .engine
            .calendars_due(&[], 10)
            .await
            .unwrap()
            .is_empty()
    );
    stage.changes.until(0, "status = 'waiting'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_delivery_told_of_is_found_by_the_next_reading() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    // A process that does not have the plugin: nothing is on its way to the calendar.
    let other = stage.world.another_node(Vec::new());
    let mut input = other.booking(stage.service, "2027-03-05T10:00:00Z", "Eve");
    input.provider_id = Some(stage.anna);
    let booked = other.engine.book(&other.visitor, input, None);
    let booking = booked.await.unwrap().made.booking.id;
    stage.settled().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    stage.later().await;
    assert_eq!(stage.there("anna"), ["05T10:00"]);
    let cancelled = other.engine.cancel(&other.owner, booking, None, None, None);
    cancelled.await.unwrap();
    stage.later().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    // What was given up on is tried again, a day later.
    let refused = Failure::give_up("the calendar is read only today");
    stage.diary.bad_call(BadCall::Refused(refused.into()));
    stage.book("2027-03-05T12:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.later().await;
    assert_eq!(stage.count("delivery WHERE status = 'parked'").await, 1);
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    stage.world.clock.advance(TimeDelta::hours(25));
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["05T12:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_between_its_writing_and_the_record_of_that_is_put_back() {
    let lease = TimeDelta::seconds(90);
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let booking = stage.book("2027-03-05T10:00:00Z", stage.anna).await;
    stage.settled().await;
    let world = stage.world.clone();
    stage.app.stop().await;
    // It is written, and the process has not said so yet.
    let taken = "UPDATE delivery SET status = 'waiting', finished_at = NULL, lease_id = gen_random_uuid(), \
        leased_until = '2027-03-01T09:00:00Z' WHERE part LIKE 'calendar:%'";
    assert_eq!(stage.database.execute(taken, &[]).await.unwrap(), 1);
    stage.diary.delete_booking("anna", booking);
    world.clock.advance(TimeDelta::minutes(2));
    let read = async || {
        let due = world.engine.calendars_due(&[], 10).await.unwrap();
        assert_eq!(due.len(), 1);
        let taken = world.engine.take_calendar(due[0], lease).await;
        let taken = taken.unwrap().unwrap();
        world.engine.read_calendar(&taken).await.unwrap();
    };
    read().await;
    let due = world.engine.calendars_due(&[], 10).await.unwrap();
    assert!(due.is_empty(), "it is left alone for a while");
    let ended = "UPDATE delivery SET status = 'delivered', finished_at = next_attempt_at, lease_id = NULL, \
        leased_until = NULL WHERE part LIKE 'calendar:%'";
    stage.database.execute(ended, &[]).await.unwrap();
    world.clock.advance(TimeDelta::seconds(6));
    read().await;
    let jobs = Jobs::start(world.engine.clone(), options());
    stage.changes.until(0, "status = 'waiting'").await;
    let there = stage.diary.bookings("anna");
    assert_eq!(there.keys().collect::<Vec<_>>(), [&booking]);
    jobs.stop().await;
}
