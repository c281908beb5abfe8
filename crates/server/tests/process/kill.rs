//! The binary, killed in the middle of its work: what it confirmed is there, and its mail goes out, each once.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::{Client, Deliveries, World, WorldOptions, at, invariants};
use tokio::sync::watch;

use crate::server::Server;

/// Bookings that are confirmed before the kill.
const ENOUGH: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// Books until nobody answers any more; the references of what was confirmed.
async fn book(
    client: Client,
    service: ServiceId,
    number: usize,
    confirmed: watch::Sender<usize>,
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
            confirmed.send_modify(|count| *count += 1);
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
            .filter(|_| name.ends_with(".eml") && name.contains("-confirmed-customer-"))
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
    let confirmed = watch::Sender::new(0);
    let clients =
        (0..8).map(|number| tokio::spawn(book(client.clone(), service, number, confirmed.clone())));
    let clients: Vec<_> = clients.collect();
    let mut count = confirmed.subscribe();
    let enough = tokio::time::timeout(PATIENCE, count.wait_for(|count| *count >= ENOUGH)).await;
    assert!(enough.is_ok(), "the load does not get on");
    drop(enough);
    server.kill();
    let references: Vec<String> = join_all(clients)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(invariants(&world.url).await.unwrap(), []);

    let mut deliveries = Deliveries::watch(&world.url).await;
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
    // What is due; reminders wait for their day.
    let due = "status = 'waiting' AND next_attempt_at < '2027-03-01T09:00:00Z'";
    deliveries.until(0, due).await;
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
