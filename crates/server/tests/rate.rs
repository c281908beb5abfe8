//! One client that asks too much is told to wait, over HTTP and over WebSocket, and nobody else is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::{Value, json};
use server::app::{HttpOptions, Rate, serve};
use test_support::{Client, World};
use tokio::net::TcpListener;

/// A server that lets through so many at once, and one more each hour: longer than any test.
async fn start(world: &World, burst: u32, trust_forwarded: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let rate = Rate {
        every: Duration::from_secs(3600),
        burst: NonZeroU32::new(burst).unwrap(),
    };
    let options = HttpOptions {
        rate: Some(rate),
        trust_forwarded,
        ..HttpOptions::default()
    };
    tokio::spawn(serve(
        listener,
        world.engine.clone(),
        options,
        std::future::pending(),
    ));
    address
}

async fn ask(client: &Client, forwarded_for: &str) -> reqwest::Response {
    let request = client
        .request(reqwest::Method::POST, "/graphql")
        .header("content-type", "application/json")
        .header("x-forwarded-for", forwarded_for);
    let body = json!({ "query": "{ business { slug } }" }).to_string();
    request.body(body).send().await.unwrap()
}

#[tokio::test]
async fn http_answers_429_and_when_to_come_back() {
    let world = World::new().await;
    let client = Client::new(start(&world, 2, 0).await, &world.slug, None);
    // What a client says about itself makes it nobody else.
    for claim in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(ask(&client, claim).await.status(), 200);
    }
    let refused = ask(&client, "192.0.2.3").await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=3600).contains(&wait), "{wait}");
    let body: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    let error = &body["errors"][0];
    assert_eq!(error["extensions"]["code"], "RATE_LIMITED", "{body:#}");
    assert_eq!(error["extensions"]["retryAfter"], wait, "{body:#}");
    assert!(body.get("data").is_none());
    let probe = client.request(reqwest::Method::GET, "/healthz");
    assert_eq!(probe.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn behind_a_proxy_everyone_has_their_own() {
    let world = World::new().await;
    let client = Client::new(start(&world, 1, 1).await, &world.slug, None);
    assert_eq!(ask(&client, "192.0.2.1").await.status(), 200);
    assert_eq!(ask(&client, "192.0.2.2").await.status(), 200);
    assert_eq!(ask(&client, "192.0.2.9, 192.0.2.1").await.status(), 429);
}

#[tokio::test]
async fn operations_over_a_socket_count_too() {
    let world = World::new().await;
    // One for the socket itself, and one operation.
    let client = Client::new(start(&world, 2, 0).await, &world.slug, None);
    let mut socket = client.socket().await;
    let query = "{ business { slug } }";
    socket.subscribe("1", query, json!({})).await;
    assert_eq!(socket.data().await["business"]["slug"], "test");
    assert_eq!(socket.next().await["type"], "complete");
    socket.subscribe("2", query, json!({})).await;
    let refused = socket.next().await;
    assert_eq!(
        (&refused["type"], &refused["id"]),
        (&json!("error"), &json!("2"))
    );
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED", "{refused:#}");
    assert!(
        extensions["retryAfter"].as_u64().unwrap() > 0,
        "{refused:#}"
    );
}
