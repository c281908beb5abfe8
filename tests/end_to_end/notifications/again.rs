//! What staff send on its way again: what was tried, and not what has its time still to come; and nothing is sent again that nobody asked for.

use chrono::TimeDelta;
use domain::id::{DeliveryId, Id};
use plugin_api::{Delivery, Done, Failure};
use serde_json::{Value, json};
use test_support::World;
use uuid::Uuid;

use super::stage::Stage;

/// With the confirmation to the customer alone.
async fn stage() -> Stage {
    let stage = Stage::of_mail().await;
    let rule = stage
        .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
        .await;
    stage.change(&rule, json!({ "enabled": false })).await;
    stage
}

async fn retried(stage: &Stage, id: DeliveryId) -> Value {
    let query = "mutation($id: ID!) { retryDelivery(id: $id) { problems { code message } } }";
    let id = json!({ "id": id.to_string() });
    stage.owner.data(query, id).await["retryDelivery"]["problems"].clone()
}

/// The delivery of which this is so.
async fn delivery(world: &World, condition: &str) -> DeliveryId {
    let database = test_support::connect(&world.url).await;
    let query = format!("SELECT id::text FROM delivery WHERE {condition}");
    let id: String = database.query_one(&query, &[]).await.unwrap().get(0);
    DeliveryId::from_uuid(id.parse::<Uuid>().unwrap())
}

/// What a process takes that begins now; none: nothing is due.
async fn taken(world: &World) -> Delivery {
    let (engine, plugin) = (&world.engine, "courier-mail");
    let due = engine.deliveries_due(plugin, &[], 10).await.unwrap();
    let mut plugins = engine.plugins().iter();
    let plugin = plugins.find(|one| one.name() == plugin).unwrap();
    let taken = engine.take_deliveries(&**plugin, &due, TimeDelta::zero());
    let (taken, settings) = taken.await.unwrap().pop().unwrap();
    Delivery {
        id: taken.id,
        business_id: taken.business_id,
        attempt: taken.attempt.try_into().unwrap(),
        part: taken.part,
        event: taken.event.unwrap(),
        settings: settings.unwrap(),
    }
}

async fn worked_on(world: &World, delivery: &Delivery) -> Result<Done, Failure> {
    let mut plugins = world.engine.plugins().iter();
    let plugin = plugins.find(|one| one.name() == "courier-mail").unwrap();
    world.engine.work_on(&**plugin, delivery, false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_time_is_not_sent_on_its_way_and_comes_then() {
    let mut stage = stage().await;
    let quiet = json!({ "quietHours": { "from": "21:00", "to": "08:00", "forEvents": true } });
    stage.configure("notifications", quiet, true).await;
    stage.at("2027-03-01T22:00:00Z").await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let world = stage.app.world.clone();
    let waiting = "plugin = 'courier-mail' AND next_attempt_at = '2027-03-02T08:00:00Z'";
    let waiting = delivery(&world, waiting).await;
    let refused = json!([{ "code": "CONFLICT", "message": "it is not due yet" }]);
    assert_eq!(retried(&stage, waiting).await, refused);
    stage.done().await;
    stage.at("2027-03-02T08:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-02T08:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    let done = json!([{ "code": "CONFLICT", "message": "it is delivered already" }]);
    assert_eq!(retried(&stage, waiting).await, done);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_said_at_its_time_whenever_its_delivery_comes() {
    let mut stage = stage().await;
    let quiet = json!({ "quietHours": { "from": "21:00", "to": "08:00", "forEvents": true } });
    stage.configure("notifications", quiet, true).await;
    stage.at("2027-03-01T22:00:00Z").await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    // Somebody changed the business's mind about quiet hours, and the delivery comes before its message is due.
    let quiet = json!({ "quietHours": null });
    stage.configure("notifications", quiet, true).await;
    let database = test_support::connect(&stage.app.world.url).await;
    let early = "UPDATE delivery SET next_attempt_at = '2027-03-01T22:00:00Z' \
        WHERE plugin = 'courier-mail' AND next_attempt_at = '2027-03-02T08:00:00Z'";
    assert_eq!(database.execute(early, &[]).await.unwrap(), 1);
    stage.done().await;
    assert_eq!(stage.mail.carried().len(), 0);
    stage.at("2027-03-02T08:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-02T08:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_sent_on_its_way_again_survives_a_process_that_dies_with_it_in_hand() {
    let mut stage = stage().await;
    stage.mail.next(Err(Failure::give_up("refused")));
    stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.deliveries.until(1, "status = 'parked'").await;
    let (world, mail) = (stage.app.world.clone(), stage.mail.clone());
    let parked = delivery(&world, "status = 'parked'").await;
    stage.app.stop().await;
    let again = world.engine.retry_delivery(&world.owner, parked, None);
    assert_eq!(again.await.unwrap(), parked);
    assert_eq!(taken(&world).await.attempt, 1, "and the process dies");
    let second = taken(&world).await;
    assert_eq!(second.attempt, 2);
    assert_eq!(worked_on(&world, &second).await, Ok(Done::Delivered));
    assert_eq!(mail.carried().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_good_is_not_sent_again_where_nobody_asked_for_it() {
    let mut stage = stage().await;
    let set = stage
        .set(json!({ "event": "booking.confirmed", "audience": "CUSTOMER", "channels": ["EMAIL"], "template": "Besides" }))
        .await;
    assert_eq!(set["problems"], json!([]));
    stage.mail.next(Err(Failure::give_up("refused")));
    stage.mail.next(Err(Failure::retry("not now")));
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    assert_eq!(stage.mail.carried().len(), 2);
    let (world, mail) = (stage.app.world.clone(), stage.mail.clone());
    let told = stage.shown(id).await;
    assert!(told.contains("FAILED refused"), "{told}");
    let waiting = delivery(&world, "last_error = 'not now'").await;
    stage.app.stop().await;
    // The attempt does not count: a process that stops in order gives it back.
    let database = test_support::connect(&world.url).await;
    let back = format!(
        "UPDATE delivery SET attempts = 0, next_attempt_at = created_at WHERE id = '{}'",
        waiting.uuid()
    );
    database.batch_execute(&back).await.unwrap();
    let first = taken(&world).await;
    assert_eq!((first.id, first.attempt), (waiting, 1));
    assert_eq!(worked_on(&world, &first).await, Ok(Done::Delivered));
    let said = mail.carried();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(said[2].id, said[1].id);
    let repeat = (said[2].attempt, said[2].may_have_been_sent);
    assert_eq!(repeat, (1, true), "it was tried, whatever the attempts say");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_say_the_same_at_the_same_time_one_says_it_for_the_first_time() {
    let mut stage = stage().await;
    let quiet = json!({ "quietHours": { "from": "21:00", "to": "08:00", "forEvents": true } });
    stage.configure("notifications", quiet, true).await;
    stage.at("2027-03-01T22:00:00Z").await;
    stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let (world, mail) = (stage.app.world.clone(), stage.mail.clone());
    stage.app.stop().await;
    world.clock.set(test_support::at("2027-03-02T08:00:00Z"));
    let other = world.another_node(vec![super::composer(), mail.clone()]);
    // None of them knows how it ended for the others: each is told that it may work later.
    for _ in 0..8 {
        mail.next(Err(Failure::retry("not now")));
    }
    let delivery = taken(&world).await;
    let tries = (0..8).map(|turn| {
        let world = if turn % 2 == 0 { &world } else { &other };
        let (world, delivery) = (world.clone(), delivery.clone());
        tokio::spawn(async move { worked_on(&world, &delivery).await })
    });
    for tried in tries.collect::<Vec<_>>() {
        assert_eq!(tried.await.unwrap(), Err(Failure::retry("not now")));
    }
    let said = mail.carried();
    let first = said.iter().filter(|one| !one.may_have_been_sent);
    assert_eq!((said.len(), first.count()), (8, 1));
}
