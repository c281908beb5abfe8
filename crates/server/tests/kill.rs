//! The binary, killed in the middle of its work: what it confirmed is there, and its mail goes out, each once.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests; the mails are named by us"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::{Client, World, WorldOptions, at, invariants};

/// Bookings that are confirmed before the kill.
const ENOUGH: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(world: &World, data: &Path, clock: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bookable"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--clock",
                clock,
                "--data",
            ])
            .arg(data)
            .env("DATABASE_URL", &world.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let api = lines
            .map(Result::unwrap)
            .find(|line| line.contains("/graphql"))
            .unwrap();
        let address = api
            .split("http://")
            .nth(1)
            .unwrap()
            .trim_end_matches("/graphql")
            .parse()
            .unwrap();
        Self { child, address }
    }

    /// SIGKILL: no goodbye.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Books until nobody answers any more; the references of what was confirmed.
async fn book(
    client: Client,
    service: ServiceId,
    number: usize,
    confirmed: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut references = Vec::new();
    let query = "mutation($input: BookInput!) { book(input: $input) { booking { reference } problems { code } } }";
    for turn in 0..200 {
        let (day, slot) = (2 + turn / 8, 9 + turn % 8);
        let customer = json!({ "name": format!("Client {number}"), "email": format!("c{number}@example.com") });
        let starts = format!("2027-03-{day:02}T{slot:02}:00:00Z");
        let input =
            json!({ "serviceId": service.to_string(), "startsAt": starts, "customer": customer });
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        let request = client
            .request(reqwest::Method::POST, "/graphql")
            .header("content-type", "application/json");
        let Ok(answer) = request.body(body).send().await else {
            break;
        };
        let Ok(answer) = answer.text().await else {
            break;
        };
        let answer: Value = serde_json::from_str(&answer).unwrap();
        if let Some(reference) = answer["data"]["book"]["booking"]["reference"].as_str() {
            references.push(reference.to_owned());
            confirmed.fetch_add(1, Ordering::SeqCst);
        }
    }
    references
}

fn mails(data: &Path) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for entry in std::fs::read_dir(data.join("mail")).into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some((_, rest)) = name
            .split_once('-')
            .filter(|_| name.ends_with(".eml") && name.contains("-customer-"))
        {
            *count.entry(rest[..9].to_owned()).or_default() += 1;
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_before_a_kill_is_there_after_it_and_its_mail_goes_out_once() {
    let now = Some(at("2027-03-01T08:00:00Z"));
    let world = World::with(WorldOptions {
        now,
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("Europe/London").await;
    let (anna, ben) = (
        world.provider("Anna", &[location]).await,
        world.provider("Ben", &[location]).await,
    );
    let service = world
        .service(60, &[anna, ben], ServiceInput::default())
        .await;
    let data = tempfile::tempdir().unwrap();

    let server = Server::start(&world, data.path(), "2027-03-01T08:00:00Z");
    let client = Client::new(server.address, &world.slug, None);
    let confirmed = Arc::new(AtomicUsize::new(0));
    let clients =
        (0..8).map(|number| tokio::spawn(book(client.clone(), service, number, confirmed.clone())));
    let clients: Vec<_> = clients.collect();
    let began = Instant::now();
    while confirmed.load(Ordering::SeqCst) < ENOUGH {
        assert!(began.elapsed() < PATIENCE, "the load does not get on");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.kill();
    let references: Vec<String> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(invariants(&world.url).await.unwrap(), []);

    // An hour later: the leases of the server that is gone have run out.
    let server = Server::start(&world, data.path(), "2027-03-01T09:00:00Z");
    for reference in &references {
        let found = world
            .engine
            .booking_by_reference(&world.owner, reference)
            .await
            .unwrap();
        assert!(found.is_some(), "{reference} was confirmed");
    }
    let began = Instant::now();
    while world
        .engine
        .delivery_next("email-smtp", &[])
        .await
        .unwrap()
        .is_some()
    {
        assert!(began.elapsed() < PATIENCE, "mail does not go out");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mails = mails(data.path());
    for reference in &references {
        assert_eq!(
            mails.get(reference),
            Some(&1),
            "one confirmation for {reference}"
        );
    }
    server.kill();
}
