//! Events are handed on to plugins after their commit: each once, in order, and what is due is found however much waits beside it.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::id::{BookingId, Id};
use engine::catalogue::service::ServiceInput;
use plugin_api::Plugin;
use test_support::{Scripted, World, WorldOptions, invariants};

async fn world(plugins: Vec<Arc<dyn Plugin>>) -> World {
    World::with(WorldOptions {
        plugins,
        ..WorldOptions::default()
    })
    .await
}

async fn count(world: &World, sql: &str) -> i64 {
    let database = test_support::connect(&world.url).await;
    database.query_one(sql, &[]).await.unwrap().get(0)
}

/// Books on so many days.
async fn booked(world: &World, days: i64) -> Vec<BookingId> {
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let mut booked = Vec::new();
    for day in 1..=days {
        let starts_at = format!("2027-03-{:02}T10:00:00Z", 1 + day);
        let input = world.booking(service, &starts_at, "Eve");
        let made = world.engine.book(&world.owner, input, None).await.unwrap();
        booked.push(made.made.booking.id);
    }
    booked
}

#[tokio::test]
async fn a_booking_writes_one_row_however_many_plugins_want_it() {
    let names = ["one", "two", "three"];
    let plugins = names.map(|name| -> Arc<dyn Plugin> { Scripted::new(name, Vec::new()) });
    let world = world(plugins.to_vec()).await;
    booked(&world, 1).await;
    assert_eq!(count(&world, "SELECT count(*) FROM dispatch").await, 1);
    assert_eq!(count(&world, "SELECT count(*) FROM delivery").await, 0);
    let waiting = async || -> Vec<i64> {
        let plugins = world.engine.plugins_of_business(&world.owner).await;
        let plugins = plugins.unwrap().into_iter();
        plugins.map(|plugin| plugin.health.waiting).collect()
    };
    assert_eq!(waiting().await, [1, 1, 1], "as staff see it");
    assert!(world.engine.is_dispatch_pending().await.unwrap());
    assert_eq!(world.engine.dispatch(10).await.unwrap(), 1);
    assert_eq!(count(&world, "SELECT count(*) FROM delivery").await, 3);
    assert_eq!(waiting().await, [1, 1, 1]);
    assert!(!world.engine.is_dispatch_pending().await.unwrap());
    for name in names {
        let due = world.engine.deliveries_due(name, &[], 10).await;
        assert_eq!(due.unwrap().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_was_sent_again_before_it_was_handed_on_is_there_once() {
    let world = world(vec![Scripted::new("scripted", Vec::new())]).await;
    booked(&world, 2).await;
    let database = test_support::connect(&world.url).await;
    let sent_again = "INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, next_attempt_at, created_at) \
        SELECT business_id, gen_random_uuid(), event_id, plugins[1], parts[1], booking_id, booking_version, 'waiting', at, at \
        FROM dispatch ORDER BY seq LIMIT 1";
    database.batch_execute(sent_again).await.unwrap();
    assert_eq!(world.engine.dispatch(10).await.unwrap(), 2);
    assert_eq!(count(&world, "SELECT count(*) FROM delivery").await, 2);
    assert_eq!(world.engine.dispatch(10).await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_crash_of_the_database_forgets_becomes_the_same_deliveries_again() {
    let names = ["one", "two"];
    let plugins = names.map(|name| -> Arc<dyn Plugin> { Scripted::new(name, Vec::new()) });
    let world = world(plugins.to_vec()).await;
    booked(&world, 2).await;
    let database = test_support::connect(&world.url).await;
    let ids = async || -> Vec<String> {
        assert_eq!(world.engine.dispatch(10).await.unwrap(), 2);
        let sql = "SELECT id::text FROM delivery ORDER BY booking_id, plugin, part";
        let rows = database.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let keep = "CREATE TABLE kept AS SELECT * FROM dispatch";
    database.batch_execute(keep).await.unwrap();
    let first = ids().await;
    let forget =
        "DELETE FROM delivery; INSERT INTO dispatch OVERRIDING SYSTEM VALUE SELECT * FROM kept";
    database.batch_execute(forget).await.unwrap();
    assert_eq!(ids().await, first);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 4, "each has its own");
    assert!(
        first.iter().all(|id| id.as_bytes()[14] == b'7'),
        "{first:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_hand_on_at_once_hand_on_each_event_once_and_in_order() {
    let plugin = Scripted::new("scripted", Vec::new());
    let world = world(vec![plugin.clone()]).await;
    let nodes: Vec<World> = (0..4)
        .map(|_| world.another_node(vec![plugin.clone()]))
        .collect();
    let handing = nodes.iter().cloned().map(|node| {
        tokio::spawn(async move {
            let mut handed_on = 0;
            while handed_on < 200 {
                // Other numbers, so that some see the whole of a booking and others a part.
                node.engine.dispatch(1 + handed_on % 3).await.unwrap();
                handed_on += 1;
            }
        })
    });
    let handing: Vec<_> = handing.collect();
    let booking = (0..4).map(async |_| {
        for booking in booked(&world, 4).await {
            let cancelled = world.engine.cancel(&world.owner, booking, None, None, None);
            cancelled.await.unwrap();
        }
    });
    futures_util::future::join_all(booking).await;
    for handing in handing {
        handing.await.unwrap();
    }
    while world.engine.dispatch(100).await.unwrap() > 0 {}
    assert_eq!(
        count(&world, "SELECT count(*) FROM delivery").await,
        4 * 4 * 2
    );
    // Whoever wrote the later one did not begin before the earlier one was written.
    let overtaken = "SELECT count(*) FROM delivery d JOIN delivery e USING (business_id, booking_id, plugin, part) \
        WHERE d.booking_version < e.booking_version AND d.xmin::text::bigint > e.xmin::text::bigint";
    assert_eq!(count(&world, overtaken).await, 0);
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn an_event_on_its_way_to_others_is_not_on_its_way_to_a_calendar() {
    let world = world(vec![Scripted::new("scripted", Vec::new())]).await;
    let booking = booked(&world, 1).await[0];
    let database =
        store::Database::new(&world.url, store::database::DatabaseOptions::default()).unwrap();
    let pending = async |plugin, part| {
        let (conn, of) = (database.conn().await.unwrap(), (plugin, part));
        let business = world.owner.business;
        let found =
            store::calendar_delivery::calendar_delivery_pending(&conn, business, of, &[booking])
                .await;
        found.unwrap()
    };
    let is_pending = vec![(booking, false)];
    for handed_on in [false, true] {
        assert_eq!(pending("scripted", "all").await, is_pending, "{handed_on}");
        assert_eq!(pending("scripted", "calendar").await, [], "{handed_on}");
        assert_eq!(pending("another", "all").await, [], "{handed_on}");
        world.engine.dispatch(10).await.unwrap();
    }
}

/// Deliveries of one event of a business, so many of them, due since then.
async fn crowd(world: &World, parts: &str, since: &str) {
    let database = test_support::connect(&world.url).await;
    let sql = format!(
        "INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, next_attempt_at, created_at) \
         SELECT e.business_id, gen_random_uuid(), e.id, 'scripted', {parts}, 'waiting', \
           CASE WHEN n = 0 THEN '{until}'::timestamptz ELSE '{since}'::timestamptz END, e.at \
         FROM generate_series(0, 400) AS n, event e WHERE e.business_id = '{business}' AND e.kind = 'booking.confirmed'",
        business = world.owner.business.uuid(),
        until = (world.clock.now() + TimeDelta::hours(1)).to_rfc3339(),
    );
    database.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn what_may_not_be_begun_hides_nothing_that_may() {
    let plugin = Scripted::new("scripted", Vec::new());
    let world = world(vec![plugin.clone()]).await;
    let other = world.another_business("other").await;
    for world in [&world, &other] {
        booked(world, 1).await;
    }
    world.engine.dispatch(10).await.unwrap();
    let due = async |but: &[&World], limit| {
        let but: Vec<_> = but.iter().map(|world| world.owner.business).collect();
        let due = world.engine.deliveries_due("scripted", &but, limit).await;
        let due = due.unwrap();
        let of = |world: &World| {
            let id = world.owner.business.uuid();
            due.iter().filter(|due| due.business_id == id).count()
        };
        (of(&world), of(&other))
    };
    assert_eq!(due(&[], 10).await, (1, 1));

    // Each by itself, and all of them due before the other business's.
    crowd(&world, "'part ' || n, NULL, 0", "2027-01-01T00:00:00Z").await;
    assert_eq!(due(&[], 10).await, (10, 0), "who waits longest comes first");
    assert_eq!(due(&[&world], 10).await, (0, 1), "the crowd is left alone");
    assert_eq!(due(&[&world, &other], 10).await, (0, 0));
    assert_eq!(
        due(&[], 1000).await,
        (401, 1),
        "its own, the crowd, and the other's"
    );
    let database = test_support::connect(&world.url).await;
    let sql = "DELETE FROM delivery WHERE part LIKE 'part %'";
    database.batch_execute(sql).await.unwrap();

    // All of one booking, behind the first, whose time has not come.
    crowd(&world, "'behind', e.booking_id, n", "2027-01-01T00:00:00Z").await;
    assert_eq!(
        due(&[], 10).await,
        (1, 1),
        "those that wait for one of their own"
    );
    let next = world.engine.delivery_next("scripted", &[]).await.unwrap();
    assert_eq!(next, Some(world.clock.now() + TimeDelta::hours(1)));
}
