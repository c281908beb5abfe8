//! Events on their way to plugins: at least once, in order for one booking, none lost, none in the way of another.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::event::EventKind;
use engine::catalogue::service::ServiceInput;
use engine::delivery::{EndedAttempt, Ending};
use jobs::{JobOptions, Jobs};
use plugin_api::{Failure, Plugin};
use test_support::{Deliveries, Scripted, World, WorldOptions};

/// Deliveries that failed and wait for their time.
const FAILED: &str = "status = 'waiting' AND last_error IS NOT NULL AND lease_id IS NULL";

struct Stage {
    world: World,
    service: domain::id::ServiceId,
}

async fn stage(plugins: Vec<Arc<dyn Plugin>>) -> Stage {
    let world = World::with(WorldOptions {
        plugins,
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    Stage { world, service }
}

fn options() -> JobOptions {
    JobOptions {
        poll: Duration::from_millis(50),
        time_limit: Duration::from_millis(300),
        ..JobOptions::default()
    }
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_and_the_next_of_its_booking_waits_for_it() {
    let plugin = Scripted::new("scripted", vec![Err(Failure::retry("not now"))]);
    let Stage { world, service } = stage(vec![plugin.clone()]).await;
    let booked = world
        .engine
        .book(
            &world.owner,
            world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await;
    world
        .engine
        .cancel(
            &world.owner,
            booked.unwrap().made.booking.id,
            None,
            None,
            None,
        )
        .await
        .unwrap();
    let mut deliveries = Deliveries::watch(&world.url).await;
    let jobs = Jobs::start(world.engine.clone(), options());
    deliveries.until(1, FAILED).await;
    assert_eq!(
        plugin.seen(1).await[0].event.kind,
        EventKind::BookingConfirmed
    );
    world.clock.advance(TimeDelta::minutes(1));
    let seen = plugin.seen(3).await;
    let kinds: Vec<_> = seen
        .iter()
        .map(|delivery| (delivery.event.kind, delivery.attempt))
        .collect();
    let expected = [
        (EventKind::BookingConfirmed, 1),
        (EventKind::BookingConfirmed, 2),
        (EventKind::BookingCancelled, 1),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        (seen[0].id, &seen[0].event),
        (seen[1].id, &seen[1].event),
        "a repeat says the same"
    );
    jobs.stop().await;
}

#[tokio::test]
async fn a_plugin_that_panics_or_hangs_is_tried_again_and_holds_up_no_other() {
    let bad = Scripted::new(
        "bad",
        vec![
            Err(Failure::give_up("panic")),
            Err(Failure::give_up("hang")),
        ],
    );
    let good = Scripted::new("good", Vec::new());
    let Stage { world, service } = stage(vec![bad.clone(), good.clone()]).await;
    let mut deliveries = Deliveries::watch(&world.url).await;
    let jobs = Jobs::start(world.engine.clone(), options());
    for hour in ["10", "11"] {
        let starts = format!("2027-03-02T{hour}:00:00Z");
        world
            .engine
            .book(&world.owner, world.booking(service, &starts, "Eve"), None)
            .await
            .unwrap();
    }
    assert_eq!(good.seen(2).await.len(), 2);
    // Both failed once; when their time comes they are tried again.
    deliveries.until(2, FAILED).await;
    assert_eq!(bad.seen(2).await.len(), 2);
    world.clock.advance(TimeDelta::minutes(1));
    let attempts = bad.seen(4).await;
    assert!(attempts[2..].iter().all(|delivery| delivery.attempt == 2));
    deliveries.until(4, "status = 'delivered'").await;
    jobs.stop().await;
}

#[tokio::test]
async fn two_processes_share_the_work_and_one_that_dies_loses_nothing() {
    let first = Scripted::new("scripted", vec![Err(Failure::give_up("hang"))]);
    let Stage { world, service } = stage(vec![first.clone()]).await;
    world
        .engine
        .book(
            &world.owner,
            world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await
        .unwrap();
    let long = JobOptions {
        time_limit: Duration::from_secs(3600),
        ..options()
    };
    let dying = Jobs::start(world.engine.clone(), long);
    first.seen(1).await;
    let second = Scripted::new("scripted", Vec::new());
    let other = world.another_node(vec![second.clone()]);
    let living = Jobs::start(other.engine.clone(), options());
    // The first dies with the delivery in its hands: nobody records anything, the lease runs out.
    std::mem::drop(dying);
    world.clock.advance(TimeDelta::hours(2));
    let seen = second.seen(1).await;
    assert_eq!(
        (seen[0].id, seen[0].attempt),
        (first.seen(1).await[0].id, 2)
    );
    living.stop().await;
}

#[tokio::test]
async fn a_plugin_that_says_how_long_it_may_take_is_cut_off_then() {
    let plugin = Scripted::new("scripted", vec![Err(Failure::give_up("hang"))]);
    plugin.time_limit.set(Duration::from_millis(300)).unwrap();
    let Stage { world, service } = stage(vec![plugin.clone()]).await;
    let booking = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    let booked = world.engine.book(&world.owner, booking, None).await;
    booked.unwrap();
    let mut deliveries = Deliveries::watch(&world.url).await;
    let long = JobOptions {
        time_limit: Duration::from_secs(3600),
        ..options()
    };
    let jobs = Jobs::start(world.engine.clone(), long);
    plugin.seen(1).await;
    let cut_off = "last_error = 'the plugin took too long' AND lease_id IS NULL";
    deliveries.until(1, cut_off).await;
    jobs.stop().await;
}

#[tokio::test]
async fn an_attempt_that_may_take_long_keeps_its_lease() {
    let plugin = Scripted::new("scripted", vec![Err(Failure::give_up("hang"))]);
    plugin.time_limit.set(Duration::from_secs(3600)).unwrap();
    let Stage { world, service } = stage(vec![plugin.clone()]).await;
    let booking = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    let booked = world.engine.book(&world.owner, booking, None).await;
    booked.unwrap();
    let mut deliveries = Deliveries::watch(&world.url).await;
    let options = JobOptions {
        grace: Duration::ZERO,
        ..options()
    };
    let jobs = Jobs::start(world.engine.clone(), options);
    plugin.seen(1).await;
    // Each renewal comes before the lease has run out.
    for _ in 0..3 {
        world.clock.advance(TimeDelta::seconds(20));
        let until = world.clock.now() + TimeDelta::seconds(30);
        let renewed = format!("leased_until > '{}'", until.to_rfc3339());
        deliveries.until(1, &renewed).await;
    }
    assert_eq!(plugin.seen(1).await.len(), 1);
    jobs.stop().await;
}

/// The runtime of this test has one thread: whoever blocked that would block all.
#[tokio::test]
async fn a_plugin_that_blocks_its_threads_holds_up_nobody_else() {
    let block = || Err(Failure::give_up("block"));
    let blocking = Scripted::new("blocking", vec![block(), block(), block()]);
    let other = Scripted::new("other", Vec::new());
    let Stage { world, service } = stage(vec![blocking.clone(), other.clone()]).await;
    let jobs = JobOptions {
        concurrency: 2,
        ..options()
    };
    let jobs = Jobs::start(world.engine.clone(), jobs);
    for hour in 10..16 {
        let starts_at = format!("2027-03-02T{hour}:00:00Z");
        let booking = world.booking(service, &starts_at, "Eve");
        let booked = world.engine.book(&world.owner, booking, None).await;
        booked.unwrap();
    }
    assert_eq!(other.seen(6).await.len(), 6);
    assert_eq!(
        blocking.seen(2).await.len(),
        2,
        "it has no more than its own places"
    );
    blocking.obstacle.clear();
    blocking.seen(6).await;
    jobs.stop().await;
}

#[tokio::test]
async fn what_comes_next_is_the_first_that_is_not_due_yet_or_whose_lease_ends() {
    let plugin = Scripted::new("scripted", Vec::new());
    let Stage { world, service } = stage(vec![plugin.clone()]).await;
    let next = async || {
        let next = world.engine.delivery_next("scripted", &[]).await.unwrap();
        next.map(|at| at - world.clock.now())
    };
    assert_eq!(next().await, None, "nothing waits");
    for hour in 9..12 {
        let input = world.booking(service, &format!("2027-03-02T{hour:02}:00:00Z"), "Eve");
        world.engine.book(&world.owner, input, None).await.unwrap();
    }
    assert_eq!(world.engine.dispatch(10).await.unwrap(), 3);
    assert_eq!(next().await, None, "what is due is not to come");
    let due = world.engine.deliveries_due("scripted", &[], 10).await;
    let due = due.unwrap();
    assert_eq!(due.len(), 3);
    let lease = TimeDelta::minutes(2);
    let taken = world.engine.take_deliveries(&*plugin, &due[..1], lease);
    let taken = taken.await.unwrap();
    assert_eq!(next().await, Some(lease), "then its lease has run out");
    let (taken, _) = &taken[0];
    let ended = [EndedAttempt {
        id: taken.id,
        lease_id: taken.lease_id,
        ending: Ending::Waiting {
            next_attempt_at: world.clock.now() + TimeDelta::minutes(1),
        },
        misconfigured: false,
        note: Some("not now".to_owned()),
        at: world.clock.now(),
        duration_ms: 1,
    }];
    let business = taken.business_id;
    let finished = world.engine.finish_deliveries("scripted", business, &ended);
    assert_eq!(finished.await.unwrap(), [taken.id]);
    assert_eq!(next().await, Some(TimeDelta::minutes(1)));
    let but = world.engine.delivery_next("scripted", &[business]).await;
    assert_eq!(but.unwrap(), None, "but for this business");
}

#[tokio::test]
async fn while_many_write_deliveries_go_on_in_small_steps() {
    let plugin = Scripted::new("scripted", Vec::new());
    let Stage { world, service } = stage(vec![plugin.clone()]).await;
    for hour in 9..14 {
        let input = world.booking(service, &format!("2027-03-02T{hour:02}:00:00Z"), "Eve");
        world.engine.book(&world.owner, input, None).await.unwrap();
    }
    // None is many: it always stands back.
    let options = JobOptions {
        many_writes: 0,
        step: 2,
        ..options()
    };
    let jobs = Jobs::start(world.engine.clone(), options);
    let seen = plugin.seen(5).await;
    assert!(seen.iter().all(|delivery| delivery.attempt == 1));
    jobs.stop().await;
}
