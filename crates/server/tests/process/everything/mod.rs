//! Every plugin on, every third answer of the other sides failing, and the server killed twice: in the end each effect is there exactly once,
//! by the other sides' own records.

mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use domain::actor::Role;
use domain::deposit::Deposit;
use domain::id::{ProviderId, ServiceId};
use engine::catalogue::service::ServiceInput;
use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::{Client, World, WorldOptions, at, invariants};
use tokio::sync::watch;

use self::outside::{Clock, Outside, STRIPE_SECRET};
use crate::server::Server;

const BOOKINGS: usize = 1_000;
/// Every tenth is of a service that wants a deposit.
const PAID: usize = 10;
const PROVIDERS: usize = 10;
const CLIENTS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(240);
const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { booking { id status } payment { id clientSecret } problems { code message } } }";

fn phone(number: usize) -> String {
    format!("+447911{:06}", 100_000 + number)
}

/// Where to ask now: the server comes back elsewhere.
type Address = watch::Receiver<Client>;

/// Asks until somebody answers.
async fn persist(address: &Address, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    loop {
        let client = address.borrow().clone();
        let request = client
            .request(reqwest::Method::POST, "/graphql")
            .header("content-type", "application/json");
        let answered = async { request.body(body.clone()).send().await?.text().await };
        if let Ok(text) = answered.await {
            let mut answer: Value = serde_json::from_str(&text).unwrap();
            if answer.get("errors").is_none() {
                return answer["data"].take();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Stage {
    world: World,
    data: tempfile::TempDir,
    outside: Outside,
    token: String,
    providers: Vec<ProviderId>,
    free: ServiceId,
    paid: ServiceId,
    clock: Clock,
    server: Option<Server>,
    address: watch::Sender<Client>,
}

impl Stage {
    async fn new() -> Self {
        let world = World::with(WorldOptions {
            now: Some(at("2027-03-01T08:00:00Z")),
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("Europe/London").await;
        let mut providers = Vec::new();
        for number in 0..PROVIDERS {
            providers.push(world.provider(&format!("P{number}"), &[location]).await);
        }
        let priced = ServiceInput {
            deposit: Some(Deposit::Percent { percent: 50 }),
            ..ServiceInput::default()
        };
        let free = world.service(30, &providers, ServiceInput::default()).await;
        let paid = world.service(30, &providers, priced).await;
        let token = world.token(Role::Owner, None).await;
        let data = tempfile::tempdir().unwrap();
        let nobody = Client::new("127.0.0.1:9".parse().unwrap(), "test", None);
        let clock = Clock::starting_at(world.clock.now());
        let mut stage = Self {
            outside: Outside::start(&clock).await,
            clock,
            world,
            data,
            token,
            providers,
            free,
            paid,
            server: None,
            address: watch::Sender::new(nobody),
        };
        stage.restart(TimeDelta::zero());
        stage.set_up().await;
        stage
    }

    /// Kills the server if there is one, and starts another, so much later by its clock.
    fn restart(&mut self, later: TimeDelta) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
        self.clock.advance(later);
        let clock = self.clock.now().to_rfc3339();
        let flags = ["--allow-private-hosts", "--rate-limit", "0"];
        let server = Server::start_with(&self.world, self.data.path(), &clock, &flags);
        let client = Client::new(server.address, &self.world.slug, Some(&self.token));
        self.server = Some(server);
        self.address.send_replace(client);
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        persist(&self.address.subscribe(), query, variables).await
    }

    /// Sets up every plugin, on a good day.
    async fn set_up(&self) {
        let configure = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message path } } }";
        for (name, settings) in self.outside.settings() {
            let input = json!({ "name": name, "settings": settings, "enabled": true });
            let set = self.ask(configure, json!({ "input": input })).await;
            assert_eq!(set["configurePlugin"]["problems"], json!([]), "{name}");
        }
        let endpoint = "mutation($input: WebhookEndpointInput!) { setWebhookEndpoint(input: $input) { problems { message } } }";
        let input = json!({ "url": self.outside.endpoint(), "events": ["booking.*", "payment.*"] });
        let set = self.ask(endpoint, json!({ "input": input })).await;
        assert_eq!(set["setWebhookEndpoint"]["problems"], json!([]));
        let connect = "mutation($input: ConnectCalendarInput!) { connectCalendar(input: $input) { problems { message } } }";
        for (number, provider) in self.providers.iter().enumerate() {
            let account = format!("p{number}@example.com");
            self.outside.google.add_account(&account, "Europe/London");
            let token = self.outside.google.refresh_token(&account);
            let input = json!({ "providerId": provider, "plugin": "calendar-google", "refreshToken": token });
            let set = self.ask(connect, json!({ "input": input })).await;
            assert_eq!(set["connectCalendar"]["problems"], json!([]));
        }
    }

    /// What is on its way, due by the server's clock, and waits for nothing of its own booking that is tried again later.
    async fn due(&self) -> i64 {
        let database = test_support::connect(&self.world.url).await;
        let query = format!(
            "SELECT (SELECT count(*) FROM dispatch) + count(*) FROM delivery d WHERE d.status = 'waiting' AND d.next_attempt_at <= '{}' \
               AND NOT EXISTS (SELECT FROM delivery e WHERE e.business_id = d.business_id AND e.booking_id = d.booking_id \
                 AND e.plugin = d.plugin AND e.part = d.part AND e.booking_version < d.booking_version AND e.status = 'waiting')",
            self.clock.now().to_rfc3339()
        );
        database.query_one(&query, &[]).await.unwrap().get(0)
    }

    /// Whether the bad days have lasted long enough: most of a day.
    fn failed_enough(&self) -> bool {
        self.clock.now() - self.world.clock.now() > TimeDelta::hours(18)
    }

    /// The other sides' records: the bookings that there is an event of in a calendar, each as often as there is one.
    fn in_calendars(&self) -> usize {
        let calendars = (0..PROVIDERS).map(|number| format!("p{number}@example.com"));
        let events = calendars.flat_map(|calendar| self.outside.google.events(&calendar));
        events
            .filter(|event| event["status"] != "cancelled")
            .count()
    }
}

/// One booking, asked for until it is answered; its id, and the payment's secret where there is one.
async fn book(address: &Address, stage: &Shared, number: usize) -> (String, Option<String>) {
    let (provider, slot) = (number % PROVIDERS, number / PROVIDERS);
    let (day, time) = (slot / 16, slot % 16);
    let starts_at = at("2027-03-10T09:00:00Z")
        + TimeDelta::days(i64::try_from(day).unwrap())
        + TimeDelta::minutes(30 * i64::try_from(time).unwrap());
    let service = if number.is_multiple_of(PAID) {
        stage.paid
    } else {
        stage.free
    };
    let customer = json!({ "name": format!("C{number}"), "email": format!("c{number}@example.com"), "phone": phone(number) });
    let input = json!({
        "serviceId": service, "providerId": stage.providers[provider], "startsAt": starts_at, "customer": customer,
        "idempotencyKey": format!("booking {number}")
    });
    let data = persist(address, BOOK, json!({ "input": input })).await;
    let booked = &data["book"];
    let id = booked["booking"]["id"].as_str();
    let id = id.unwrap_or_else(|| panic!("{number}: {booked:#}"));
    let secret = booked["payment"]["clientSecret"].as_str();
    (id.to_owned(), secret.map(str::to_owned))
}

/// What the clients share.
struct Shared {
    providers: Vec<ProviderId>,
    free: ServiceId,
    paid: ServiceId,
    next: AtomicUsize,
    done: watch::Sender<usize>,
}

fn mails(data: &Path) -> BTreeMap<&'static str, usize> {
    let mut count = BTreeMap::from([("customer", 0), ("provider", 0)]);
    for entry in std::fs::read_dir(data.join("mail")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for (who, count) in &mut count {
            *count += usize::from(name.contains(&format!("-confirmed-{who}-")));
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_bookings_with_every_plugin_have_each_effect_once() {
    let mut stage = Stage::new().await;
    stage.outside.one_in(3);
    let shared = Arc::new(Shared {
        providers: stage.providers.clone(),
        free: stage.free,
        paid: stage.paid,
        next: AtomicUsize::default(),
        done: watch::Sender::new(0),
    });
    let clients = (0..CLIENTS).map(|_| {
        let (shared, address) = (shared.clone(), stage.address.subscribe());
        tokio::spawn(async move {
            let mut booked = Vec::new();
            loop {
                let number = shared.next.fetch_add(1, Ordering::Relaxed);
                if number >= BOOKINGS {
                    return booked;
                }
                booked.push((number, book(&address, &shared, number).await));
                shared.done.send_modify(|done| *done += 1);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut done = shared.done.subscribe();
    for part in 1..=2 {
        let far = done.wait_for(|done| *done >= BOOKINGS * part / 3);
        assert!(
            tokio::time::timeout(PATIENCE, far).await.is_ok(),
            "the load does not get on"
        );
        stage.restart(TimeDelta::minutes(2));
    }
    let booked: Vec<_> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(booked.len(), BOOKINGS);

    // Who has the means to pay pays; Stripe tells of it, twice.
    let now = stage.clock.now();
    for (_, (_, secret)) in &booked {
        let Some(intent) = secret
            .as_deref()
            .and_then(|secret| secret.split("_secret").next())
        else {
            continue;
        };
        let event = stage.outside.stripe.pay(intent).unwrap();
        for _ in 0..2 {
            let signed = stage
                .outside
                .stripe
                .signed_event(&event, STRIPE_SECRET, now);
            let signed = signed.unwrap();
            let client = stage.address.borrow().clone();
            let request = client.request(reqwest::Method::POST, "/plugins/payments-stripe/test");
            let request = request
                .header("stripe-signature", signed.signature)
                .body(signed.body);
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
    }
    // What failed is tried again later, and later still, while every third answer goes on failing; in the end the other sides are well.
    for minutes in [5, 15, 60, 180, 300, 300, 300, 300, 300] {
        if stage.failed_enough() {
            stage.outside.one_in(0);
        }
        let wait = async {
            while stage.due().await > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        assert!(
            tokio::time::timeout(PATIENCE, wait).await.is_ok(),
            "what is due is not delivered"
        );
        stage.restart(TimeDelta::minutes(minutes));
    }
    check(&stage, &booked).await;
}

async fn check(stage: &Stage, booked: &[(usize, (String, Option<String>))]) {
    let world = &stage.world;
    assert_eq!(invariants(&world.url).await.unwrap(), []);
    let database = test_support::connect(&world.url).await;
    let count = async |sql: &str| -> i64 { database.query_one(sql, &[]).await.unwrap().get(0) };
    assert_eq!(
        count("SELECT count(*) FROM delivery WHERE status = 'parked'").await,
        0
    );
    let late = "SELECT count(*) FROM delivery d JOIN event e USING (business_id) WHERE e.id = d.event_id AND d.status = 'waiting' AND d.attempts > 0";
    assert_eq!(count(late).await, 0, "nothing is left that was tried");

    let confirmed: BTreeSet<String> = database
        .query("SELECT payload -> 'booking' ->> 'booking_id' FROM event WHERE kind = 'booking.confirmed'", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let free = BOOKINGS - BOOKINGS / PAID;
    let paid = booked
        .iter()
        .filter(|(_, (_, secret))| secret.is_some())
        .count();
    assert_eq!(
        confirmed.len(),
        free + paid,
        "who could pay has paid, and stands"
    );
    assert!(
        stage.outside.faults() > BOOKINGS,
        "{} answers failed",
        stage.outside.faults()
    );

    assert_eq!(
        stage.outside.stripe.charges().len(),
        paid,
        "charged once each"
    );
    assert_eq!(stage.in_calendars(), confirmed.len(), "one event each");
    let mails = mails(stage.data.path());
    assert_eq!(mails["customer"], confirmed.len());
    assert_eq!(mails["provider"], confirmed.len());
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    for message in stage.outside.twilio.sent() {
        *messages.entry(message.to).or_default() += 1;
    }
    for (number, (id, _)) in booked {
        let expected = usize::from(confirmed.contains(id));
        let sent = messages.get(&phone(*number)).copied().unwrap_or(0);
        assert_eq!(sent, expected, "messages to customer {number}");
    }
    let posted = stage.outside.posted("booking.confirmed");
    assert_eq!(posted.len(), confirmed.len());
    assert_eq!(posted.into_iter().collect::<BTreeSet<_>>(), confirmed);
}
