//! Clients that hang up in the middle of booking, over real connections: what they asked for is done whole or not at all.

use std::sync::{Arc, Mutex, mpsc};

use domain::actor::Role;
use engine::catalogue::service::ServiceInput;
use futures_util::future::join_all;
use plugin_api::{Proposal, Refused};
use serde_json::{Value, json};
use test_support::wire::{Wire, post};
use test_support::{App, Guarding, World, WorldOptions, connect, invariants};
use tokio::sync::mpsc as channel;

const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) {
  booking { id reference } manageToken problems { code } } }";

/// When somebody hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeTheEndOfTheRequest,
    AfterTheRequest,
    ResetAfterTheRequest,
    AfterOneByteOfTheAnswer,
    InTheMiddleOfTheAnswer,
}

const MOMENTS: [Moment; 5] = [
    Moment::BeforeTheEndOfTheRequest,
    Moment::AfterTheRequest,
    Moment::ResetAfterTheRequest,
    Moment::AfterOneByteOfTheAnswer,
    Moment::InTheMiddleOfTheAnswer,
];
/// How many hang up at each moment.
const EACH: usize = 10;

async fn app(world: World) -> (App, String) {
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    (App::start(world).await, service.to_string())
}

/// A request for a slot and a key of its own.
fn variables(service: &str, number: usize) -> Value {
    let (day, hour) = (2 + number / 8, 9 + number % 8);
    let starts = format!("2027-03-{day:02}T{hour:02}:00:00Z");
    let (customer, key) = (
        json!({ "name": format!("Client {number}") }),
        format!("key {number}"),
    );
    json!({ "input": { "serviceId": service, "startsAt": starts, "customer": customer, "idempotencyKey": key } })
}

fn request(app: &App, variables: &Value) -> Vec<u8> {
    let body = json!({ "query": BOOK, "variables": variables }).to_string();
    post(&app.world.slug, "application/json", &body).into_bytes()
}

async fn ask_and_hang_up(app: &App, variables: &Value, moment: Moment) {
    let bytes = request(app, variables);
    let mut wire = Wire::open(app.address).await;
    if moment == Moment::BeforeTheEndOfTheRequest {
        wire.write(&bytes[..bytes.len() - 1]).await;
        return;
    }
    wire.write(&bytes).await;
    match moment {
        Moment::ResetAfterTheRequest => wire.reset(),
        Moment::AfterOneByteOfTheAnswer => drop(wire.read(1).await),
        Moment::InTheMiddleOfTheAnswer => drop(wire.read(200).await),
        Moment::BeforeTheEndOfTheRequest | Moment::AfterTheRequest => {}
    }
}

async fn booked_with(url: &str, moment: Option<Moment>) -> usize {
    let rows = connect(url)
        .await
        .query(
            "SELECT c.name FROM booking b JOIN customer c ON c.id = b.customer_id",
            &[],
        )
        .await;
    let of = |name: &str| MOMENTS[name[7..].parse::<usize>().unwrap() % MOMENTS.len()];
    let rows = rows.unwrap();
    rows.iter()
        .filter(|row| moment.is_none_or(|moment| of(row.get(0)) == moment))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_has_a_whole_booking_or_none_and_the_key_tells_which() {
    let (app, service) = app(World::new().await).await;
    let asked = (0..EACH * MOMENTS.len()).map(|number| variables(&service, number));
    let asked: Vec<Value> = asked.collect();
    let hanging_up = asked.iter().enumerate().map(|(number, variables)| {
        ask_and_hang_up(&app, variables, MOMENTS[number % MOMENTS.len()])
    });
    join_all(hanging_up).await;
    let url = &app.world.url;
    assert_eq!(invariants(url).await.unwrap(), []);
    assert_eq!(
        booked_with(url, Some(Moment::BeforeTheEndOfTheRequest)).await,
        0
    );
    for moment in [
        Moment::AfterOneByteOfTheAnswer,
        Moment::InTheMiddleOfTheAnswer,
    ] {
        assert_eq!(booked_with(url, Some(moment)).await, EACH, "{moment:?}");
    }

    // Whatever became of it: the same request again is answered with one booking, and always with the same.
    let client = app.client();
    let again = || {
        join_all(
            asked
                .iter()
                .map(|variables| client.data(BOOK, variables.clone())),
        )
    };
    let (first, second) = (again().await, again().await);
    assert_eq!(first, second);
    for data in &first {
        assert_eq!(data["book"]["problems"], json!([]));
        assert!(data["book"]["booking"]["id"].is_string(), "{data:#}");
    }
    assert_eq!(booked_with(url, None).await, asked.len());
    assert_eq!(invariants(url).await.unwrap(), []);
    app.stop().await;
}

/// A guard that tells when somebody stands before it, and lets nobody through before it is told to.
fn gate(
    reached: channel::UnboundedSender<()>,
    open: mpsc::Receiver<()>,
) -> impl Fn(&Proposal) -> Result<(), Refused> {
    let open = Mutex::new(open);
    move |_| {
        reached.send(()).unwrap();
        // Its thread waits here, so somebody else must do the work of the runtime.
        let opened = tokio::task::block_in_place(|| open.lock().unwrap().recv());
        opened.map_err(|_| Refused::because("The test is over."))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_under_way_comes_to_its_end_though_nobody_waits_for_it() {
    let (reached, mut reaching) = channel::unbounded_channel();
    let (open, opened) = mpsc::channel();
    let world = World::with(WorldOptions {
        plugins: vec![Arc::new(Guarding(gate(reached, opened)))],
        ..WorldOptions::default()
    });
    let (app, service) = app(world.await).await;
    let owner = app.client_with(&app.world.token(Role::Owner, None).await);
    let mut desk = owner.socket().await;
    desk.subscribe(
        "1",
        "subscription { bookingChanged { kind booking { id } } }",
        json!({}),
    )
    .await;
    desk.subscribe("2", "{ business { slug } }", json!({}))
        .await;
    assert_eq!(desk.next().await["id"], "2");
    assert_eq!(desk.next().await["type"], "complete");

    let asked = variables(&service, 0);
    let mut wire = Wire::open(app.address).await;
    wire.write(&request(&app, &asked)).await;
    reaching.recv().await.unwrap();
    wire.reset(); // The server has seen by then that the connection is gone: it has answered others that came later.
    for _ in 0..3 {
        owner.data("{ business { slug } }", json!({})).await;
    }
    open.send(()).unwrap();
    let told = desk.data().await["bookingChanged"].take();
    assert_eq!(told["kind"], "BOOKED");
    let again = app.client().data(BOOK, asked).await;
    assert_eq!(again["book"]["booking"]["id"], told["booking"]["id"]);
    assert_eq!(booked_with(&app.world.url, None).await, 1);
    assert_eq!(invariants(&app.world.url).await.unwrap(), []);
    app.stop().await;
}
