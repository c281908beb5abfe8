//! Two processes on one database: what is done through one is seen through the other.

use domain::actor::Role;
use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use serde_json::{Value, json};
use test_support::{Client, Socket, World, invariants};

use crate::server::Server;

const CLOCK: &str = "2027-03-01T08:00:00Z";
const WATCH: &str =
    "subscription($input: AvailabilityInput!) { availability(input: $input) { removed } }";
const WATCH_BOOKINGS: &str = "subscription { bookingChanged { kind booking { reference } } }";
const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { booking { reference } problems { code } } }";

/// A page and a desk that watch through one process.
struct Watchers {
    page: Socket,
    desk: Socket,
}

async fn watch(client: &Client, service: ServiceId) -> Watchers {
    let (mut page, mut desk) = (client.socket().await, client.socket().await);
    let input = json!({ "serviceId": service.to_string(), "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" });
    page.subscribe("1", WATCH, json!({ "input": input })).await;
    page.data().await;
    desk.subscribe("1", WATCH_BOOKINGS, json!({})).await;
    // It has no answer before the first change: a question on the same socket shows that it stands.
    desk.subscribe("2", "{ business { slug } }", json!({}))
        .await;
    assert_eq!(desk.next().await["id"], "2");
    assert_eq!(desk.next().await["type"], "complete");
    Watchers { page, desk }
}

async fn book(client: &Client, service: ServiceId, starts: &str) -> Value {
    let input = json!({ "serviceId": service.to_string(), "startsAt": starts, "customer": { "name": "Eve" } });
    let mut data = client.data(BOOK, json!({ "input": input })).await;
    assert_eq!(data["book"]["problems"], json!([]));
    data["book"]["booking"]["reference"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_booked_through_one_process_is_seen_through_the_other() {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let token = world.token(Role::Owner, None).await;
    let data = tempfile::tempdir().unwrap();
    let start = |name: &str| Server::start(&world, &data.path().join(name), CLOCK);
    let servers = [start("first"), start("second")];
    let clients = servers
        .each_ref()
        .map(|server| Client::new(server.address, &world.slug, Some(&token)));
    let [first, second] = &clients;
    let mut watching = [watch(first, service).await, watch(second, service).await];
    for (client, starts) in [
        (second, "2027-03-02T10:00:00Z"),
        (first, "2027-03-02T11:00:00Z"),
    ] {
        let reference = book(client, service, starts).await;
        for Watchers { page, desk } in &mut watching {
            let removed = page.data().await["availability"]["removed"].take();
            assert_eq!(removed, json!([starts.replace('Z', "+00:00")]));
            let told = desk.data().await["bookingChanged"].take();
            assert_eq!(told["kind"], "BOOKED");
            assert_eq!(told["booking"]["reference"], reference);
        }
    }
    assert_eq!(invariants(&world.url).await.unwrap(), []);
    for server in servers {
        server.kill();
    }
}
