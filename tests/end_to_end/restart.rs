//! The database goes away and comes back, under a running app: whoever asks meanwhile is told so, and afterwards all is as it was
//! promised.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::actor::Role;
use domain::event::EventKind;
use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use local_postgres::{LocalPostgres, Options};
use plugin_api::{Delivery, Done, Failure, Plugin, Reaction, Want, async_trait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Deliveries, Socket, World, WorldOptions, connect, invariants};
use tokio::sync::mpsc;

const BOOK: &str =
    "mutation($input: BookInput!) { book(input: $input) { booking { id } problems { code } } }";
const WATCH: &str = "subscription($input: AvailabilityInput!) { availability(input: $input) { slots { startsAt } } }";
const WATCH_BOOKINGS: &str = "subscription { bookingChanged { kind booking { id } } }";

/// The longest that anything may take before the test fails: not a pause, a bound.
const PATIENCE: Duration = Duration::from_secs(20);

/// A plugin that tells of what it is handed, or cannot, the first time.
struct Telling {
    tell: mpsc::UnboundedSender<Delivery>,
    is_away: Arc<AtomicBool>,
}

impl Plugin for Telling {
    fn name(&self) -> &'static str {
        "telling"
    }
    fn title(&self) -> &'static str {
        "Telling"
    }
    fn description(&self) -> &'static str {
        "Tells of what it is handed."
    }
    fn settings_schema(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false })
    }
    fn on_by_default(&self) -> bool {
        true
    }
    fn validate(&self, _: &Value) -> Result<(), plugin_api::SettingsError> {
        Ok(())
    }
    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for Telling {
    fn wants(&self) -> &[Want] {
        const { &[Want::all(EventKind::BookingConfirmed)] }
    }

    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure> {
        if delivery.attempt == 1 && self.is_away.load(Ordering::SeqCst) {
            return Err(Failure::retry("the other side is away too"));
        }
        let told = self.tell.send(delivery.clone());
        told.map_err(|_| Failure::give_up("the test is over"))?;
        Ok(Done::Delivered)
    }
}

/// A cluster that no other test uses.
struct Cluster {
    directory: tempfile::TempDir,
    running: Option<LocalPostgres>,
}

impl Cluster {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user where the tests run as root.
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let mut cluster = Self {
            directory,
            running: None,
        };
        cluster.start().await;
        cluster
    }

    async fn start(&mut self) {
        let options = Options::new(self.directory.path().join("data"));
        self.running = Some(LocalPostgres::start(options).await.unwrap());
    }

    fn url(&self) -> String {
        self.running.as_ref().unwrap().url("bookable")
    }

    /// Has transactions that the feed has seen and that a crash takes; the number of the next one.
    async fn forget_transactions(&self, world: &World) -> i64 {
        let client = connect(&self.url()).await;
        // Nobody else writes down what nobody waits for.
        let query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
        let writer: i32 = client.query_one(query, &[]).await.unwrap().get(0);
        kill_process(Pid::from_raw(writer).unwrap(), Signal::STOP).unwrap();
        let nothing = "BEGIN; SELECT pg_current_xact_id(); ROLLBACK; ";
        client.batch_execute(&nothing.repeat(1_000)).await.unwrap();
        let next = next_transaction(&client).await;
        // The feed begins to read a second time: it has come to the end of the first.
        world.statements.take();
        for count in 1..=2 {
            client.batch_execute("NOTIFY bookable").await.unwrap();
            world.statements.until(count, "pg_current_snapshot").await;
        }
        next
    }

    /// As a failing machine stops it: nothing is written down any more.
    async fn crash(&mut self) {
        let query = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int";
        let client = connect(&self.url()).await;
        let pid: i32 = client.query_one(query, &[]).await.unwrap().get(0);
        kill_process(Pid::from_raw(pid).unwrap(), Signal::QUIT).unwrap();
        // The connection ends with the server.
        while client.batch_execute("SELECT 1").await.is_ok() {}
        drop(self.running.take());
    }
}

struct Stage {
    cluster: Cluster,
    app: App,
    owner: Client,
    service: ServiceId,
    delivered: mpsc::UnboundedReceiver<Delivery>,
    is_away: Arc<AtomicBool>,
}

async fn stage() -> Stage {
    let cluster = Cluster::new().await;
    cluster
        .running
        .as_ref()
        .unwrap()
        .ensure_database("bookable")
        .await
        .unwrap();
    test_support::migrate(&cluster.url()).await.unwrap();
    let (tell, delivered) = mpsc::unbounded_channel();
    let is_away = Arc::new(AtomicBool::new(false));
    let telling = Telling {
        tell,
        is_away: is_away.clone(),
    };
    let options = WorldOptions {
        url: Some(cluster.url()),
        plugins: vec![Arc::new(telling)],
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let token = world.token(Role::Owner, None).await;
    let jobs = JobOptions {
        poll: Duration::from_millis(100),
        ..JobOptions::default()
    };
    let app = App::start_with(world, HttpOptions::default(), jobs).await;
    let owner = app.client_with(&token);
    Stage {
        cluster,
        app,
        owner,
        service,
        delivered,
        is_away,
    }
}

impl Stage {
    async fn watch(&self) -> (Socket, Socket) {
        let (mut page, mut desk) = (self.owner.socket().await, self.owner.socket().await);
        let input = json!({ "serviceId": self.service.to_string(), "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" });
        page.subscribe("1", WATCH, json!({ "input": input })).await;
        assert_eq!(slots(&page.data().await), 8);
        desk.subscribe("1", WATCH_BOOKINGS, json!({})).await;
        desk.subscribe("2", "{ business { slug } }", json!({}))
            .await;
        assert_eq!(desk.next().await["id"], "2");
        assert_eq!(desk.next().await["type"], "complete");
        (page, desk)
    }

    fn input(&self, hour: u32) -> Value {
        let (starts, key) = (
            format!("2027-03-02T{hour:02}:00:00Z"),
            format!("key {hour}"),
        );
        json!({ "input": { "serviceId": self.service.to_string(), "startsAt": starts, "customer": { "name": "Eve" }, "idempotencyKey": key } })
    }

    async fn delivered(&mut self) -> Delivery {
        let delivered = tokio::time::timeout(PATIENCE, self.delivered.recv()).await;
        delivered.expect("a delivery in time").unwrap()
    }

    async fn end(mut self) {
        assert_eq!(invariants(&self.app.world.url).await.unwrap(), []);
        self.app.stop().await;
        self.cluster.running.take().unwrap().stop().await.unwrap();
    }

    async fn book(&self, hour: u32) -> String {
        let data = self.owner.data(BOOK, self.input(hour)).await;
        assert_eq!(data["book"]["problems"], json!([]));
        data["book"]["booking"]["id"].as_str().unwrap().to_owned()
    }
}

async fn next_transaction(client: &tokio_postgres::Client) -> i64 {
    let query = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    client.query_one(query, &[]).await.unwrap().get(0)
}

fn slots(data: &Value) -> usize {
    data["availability"]["slots"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_is_told_of_as_away_and_nothing_promised_is_lost() {
    let mut stage = stage().await;
    let (mut page, mut desk) = stage.watch().await;
    let mut deliveries = Deliveries::watch(&stage.app.world.url).await;
    let first = stage.book(9).await;
    assert_eq!(stage.delivered().await.attempt, 1);
    stage.is_away.store(true, Ordering::SeqCst);
    let second = stage.book(10).await;
    deliveries
        .until(1, "status = 'waiting' AND last_error IS NOT NULL")
        .await;
    for (id, left) in [(&first, 7), (&second, 6)] {
        assert_eq!(slots(&page.data().await), left);
        assert_eq!(desk.data().await["bookingChanged"]["booking"]["id"], **id);
    }

    stage.cluster.crash().await;
    for _ in 0..3 {
        for (query, variables) in [
            ("{ services { id } }", json!({})),
            ("{ bookings { nodes { id } } }", json!({})),
            (BOOK, stage.input(11)),
        ] {
            let away = stage.owner.send(query, variables).await;
            assert_eq!(
                away["errors"][0]["extensions"]["code"], "UNAVAILABLE",
                "{away:#}"
            );
        }
    }
    // What was due in between.
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.is_away.store(false, Ordering::SeqCst);

    stage.cluster.start().await;
    let third = stage.book(11).await;
    assert_eq!(slots(&page.data().await), 5);
    assert_eq!(desk.data().await["bookingChanged"]["booking"]["id"], *third);
    let mut delivered = Vec::new();
    for _ in 0..2 {
        let delivery = stage.delivered().await;
        delivered.push((
            delivery.event.booking.unwrap().booking_id.to_string(),
            delivery.attempt,
        ));
    }
    delivered.sort();
    assert_eq!(delivered, [(second.clone(), 2), (third, 1)]);
    let mut deliveries = Deliveries::watch(&stage.app.world.url).await;
    deliveries.until(3, "status = 'delivered'").await;
    for (hour, id) in [(9, first), (10, second)] {
        assert_eq!(stage.book(hour).await, id, "its key is still known");
    }
    assert!(stage.delivered.try_recv().is_err(), "each once");
    stage.end().await;
}

/// Transactions that leave nothing behind are forgotten in a crash, and their numbers are given out again.
#[tokio::test(flavor = "multi_thread")]
async fn a_booking_is_told_of_though_a_crash_set_the_numbers_of_transactions_back() {
    let mut stage = stage().await;
    let (mut page, mut desk) = stage.watch().await;
    let before = stage.cluster.forget_transactions(&stage.app.world).await;
    stage.cluster.crash().await;
    stage.cluster.start().await;
    assert!(next_transaction(&connect(&stage.cluster.url()).await).await < before);
    let booked = stage.book(9).await;
    assert_eq!(slots(&page.data().await), 7);
    assert_eq!(
        desk.data().await["bookingChanged"]["booking"]["id"],
        *booked
    );
    stage.end().await;
}
