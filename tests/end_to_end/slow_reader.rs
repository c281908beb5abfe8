//! A client that subscribes and never reads: it is cut off, and nobody else notices.

use std::time::Duration;

use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, World};

const WATCH: &str = "subscription($input: AvailabilityInput!) { availability(input: $input) {
    slots { startsAt endsAt providers { id name } seatsLeft price { amount currency } } removed } }";

/// Together far more than the system keeps for a connection: two thousand slots each.
const SUBSCRIPTIONS: usize = 90;

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_never_read_is_cut_off_and_the_others_hear_on() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let often = ServiceInput {
        slot_interval_minutes: Some(15),
        ..ServiceInput::default()
    };
    let service = world.service(60, &[anna], often).await;
    let http = HttpOptions {
        write_timeout: Duration::from_millis(300),
        ..HttpOptions::default()
    };
    let app = App::start_with(world, http, JobOptions::default()).await;
    let window = |to: &str| json!({ "input": { "serviceId": service.to_string(), "from": "2027-03-02T00:00:00Z", "to": to } });

    let mut page = app.client().socket().await;
    page.subscribe("1", WATCH, window("2027-03-03T00:00:00Z"))
        .await;
    page.data().await;
    let mut deaf = app.client().narrow_socket().await;
    deaf.send(json!({ "type": "connection_init", "payload": { "business": app.world.slug } }))
        .await;
    for id in 0..SUBSCRIPTIONS {
        let id = id.to_string();
        deaf.subscribe(&id, WATCH, window("2027-05-03T00:00:00Z"))
            .await;
    }
    // Whether it listens is nobody else's affair, before the cut and after it.
    let book = async |starts: &str| {
        let request = app.world.booking(service, starts, "Eve");
        app.world
            .engine
            .book(&app.world.visitor, request, None)
            .await
            .unwrap();
    };
    book("2027-03-02T09:00:00Z").await;
    assert_eq!(removed(&page.data().await), "2027-03-02T09:00:00+00:00");
    deaf.send_until_gone(json!({ "type": "ping" })).await;
    book("2027-03-02T14:00:00Z").await;
    assert_eq!(removed(&page.data().await), "2027-03-02T13:15:00+00:00");
    app.stop().await;
}

/// The first start that is gone.
fn removed(data: &Value) -> &str {
    data["availability"]["removed"][0].as_str().unwrap()
}
