//! What is old is forgotten, and nothing else.

use std::time::Duration;

use chrono::TimeDelta;
use engine::catalogue::service::ServiceInput;
use engine::retention::Forgotten;
use jobs::{JobOptions, Jobs};
use plugin_api::Failure;
use test_support::{Deliveries, Scripted, World, WorldOptions, invariants};

#[tokio::test]
async fn what_went_well_is_kept_for_ninety_days_and_what_was_parked_for_ever() {
    let script = vec![Err(Failure::give_up("no such customer"))];
    let world = World::with(WorldOptions {
        plugins: vec![Scripted::new("scripted", script)],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let database = test_support::connect(&world.url).await;
    let mut deliveries = Deliveries::watch(&world.url).await;
    let options = JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    };
    let jobs = Jobs::start(world.engine.clone(), options);
    let book = async |starts_at: &str| {
        let input = world.booking(service, starts_at, "Eve");
        world.engine.book(&world.owner, input, None).await.unwrap();
    };
    let count = async |table: &str| {
        let query = format!("SELECT count(*) FROM {table}");
        let row = database.query_one(&query, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    book("2027-03-02T10:00:00Z").await;
    deliveries.until(1, "status = 'parked'").await;
    book("2027-03-02T12:00:00Z").await;
    deliveries.until(1, "status = 'delivered'").await;
    let call =
        "INSERT INTO inbound_call SELECT id, 'scripted', $1, $2::text::timestamptz FROM business";
    let at = world.clock.now().to_rfc3339();
    database.execute(call, &[&"old", &at]).await.unwrap();
    let events = count("event").await;
    assert_eq!(
        world.engine.forget_old().await.unwrap(),
        Forgotten::default()
    );

    world.clock.advance(TimeDelta::days(89));
    book("2027-06-01T10:00:00Z").await;
    deliveries.until(2, "status = 'delivered'").await;
    let at = world.clock.now().to_rfc3339();
    database.execute(call, &[&"new", &at]).await.unwrap();
    world.clock.advance(TimeDelta::days(2));
    jobs.stop().await;
    let forgotten = world.engine.forget_old().await.unwrap();
    assert_eq!((forgotten.deliveries, forgotten.calls), (1, 1));
    assert_eq!(
        (count("delivery").await, count("delivery_attempt").await),
        (2, 2),
        "the one that was parked, and the one of two days ago"
    );
    assert_eq!(count("inbound_call").await, 1);
    assert_eq!(count("event").await, events + 1);
    assert_eq!(world.engine.forget_old().await.unwrap().deliveries, 0);
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}
