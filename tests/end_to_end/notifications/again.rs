//! What staff send on its way again: what was tried, and not what has its time still to come; and nothing is sent again that nobody asked for.

use domain::id::{DeliveryId, Id};
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
