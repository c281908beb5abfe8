//! What a WebSocket may do, and with which code one is closed that does otherwise.

use std::time::Duration;

use domain::actor::Role;
use jobs::JobOptions;
use serde_json::{Value, json};
use server::app::{Cors, HttpOptions};
use test_support::wire::Wire;
use test_support::{App, Socket, World};

use crate::limits::chained;

const WATCH: &str = "subscription { bookingChanged { kind } }";

async fn app_with(http: HttpOptions) -> App {
    App::start_with(World::new().await, http, JobOptions::default()).await
}

/// What a client does to its socket.
enum Deed {
    Says(Value),
    SaysText(String),
    SaysBytes(&'static [u8]),
}

use Deed::{Says, SaysBytes, SaysText};

async fn closed_after(socket: &mut Socket, deeds: Vec<Deed>) -> u16 {
    for deed in deeds {
        match deed {
            Says(message) => socket.send(message).await,
            SaysText(text) => socket.send_text(&text).await,
            SaysBytes(bytes) => socket.send_bytes(bytes).await,
        }
    }
    loop {
        match socket.next_or_close().await {
            Ok(message) => assert_ne!(message["type"], "error", "{message:#}"),
            Err(code) => return code,
        }
    }
}

#[tokio::test]
async fn a_socket_that_breaks_the_protocol_is_closed_with_the_code_for_it() {
    let limit = 4 * 1024;
    let app = app_with(HttpOptions {
        body_limit: limit,
        ..HttpOptions::default()
    })
    .await;
    let token = app.world.token(Role::Owner, None).await;
    let init = || Says(json!({ "type": "connection_init", "payload": { "token": token } }));
    let subscribe =
        || Says(json!({ "type": "subscribe", "id": "1", "payload": { "query": WATCH } }));
    let stranger = json!({ "type": "connection_init", "payload": { "business": "nobody" } });
    let cases = [
        (
            "subscribes before it said who it is",
            vec![subscribe()],
            4401,
        ),
        ("says twice who it is", vec![init(), init()], 4429),
        (
            "uses an id twice",
            vec![init(), subscribe(), subscribe()],
            4409,
        ),
        (
            "names a business that is not there",
            vec![Says(stranger)],
            4400,
        ),
        (
            "says what is no JSON",
            vec![init(), SaysText("{".to_owned())],
            4400,
        ),
        (
            "says what is no message",
            vec![init(), Says(json!({ "type": "start" }))],
            4400,
        ),
        ("sends bytes", vec![init(), SaysBytes(b"{}")], 4400),
        (
            "says too much at once",
            vec![init(), SaysText(" ".repeat(limit + 1))],
            1009,
        ),
    ];
    for (what, deeds, code) in cases {
        let mut socket = app.client().raw_socket().await;
        assert_eq!(
            closed_after(&mut socket, deeds).await,
            code,
            "one that {what}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn a_socket_that_never_says_who_it_is_is_closed() {
    let http = HttpOptions {
        init_timeout: Duration::from_millis(20),
        ..HttpOptions::default()
    };
    let app = app_with(http).await;
    let mut silent = app.client().raw_socket().await;
    assert_eq!(silent.next_or_close().await, Err(4408));
    let mut talker = app.client().raw_socket().await;
    talker.send(json!({ "type": "ping" })).await;
    assert_eq!(talker.next().await["type"], "pong", "it may ping before");
    assert_eq!(talker.next_or_close().await, Err(4408));
    app.stop().await;
}

#[tokio::test]
async fn a_socket_has_so_many_operations_open_and_no_more() {
    let app = app_with(HttpOptions {
        operations: 2,
        ..HttpOptions::default()
    })
    .await;
    let owner = app.client_with(&app.world.token(Role::Owner, None).await);
    let mut socket = owner.socket().await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, WATCH, json!({})).await;
    }
    let refused = socket.next().await;
    assert_eq!(
        (&refused["type"], &refused["id"]),
        (&json!("error"), &json!("3"))
    );
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "TOO_MANY_OPERATIONS"
    );
    socket.send(json!({ "type": "complete", "id": "1" })).await;
    socket
        .subscribe("3", "{ business { slug } }", json!({}))
        .await;
    assert_eq!(socket.data().await["business"]["slug"], "test");
    app.stop().await;
}

#[tokio::test]
async fn an_operation_that_asks_for_too_much_ends_alone() {
    let app = app_with(HttpOptions::default()).await;
    let mut socket = app.client().socket().await;
    socket
        .subscribe("1", &chained("...F0", 30, 2), json!({}))
        .await;
    let refused = socket.next().await;
    assert_eq!(
        (&refused["type"], &refused["id"]),
        (&json!("error"), &json!("1"))
    );
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_COMPLEX");
    socket
        .subscribe("1", "{ business { slug } }", json!({}))
        .await;
    assert_eq!(socket.data().await["business"]["slug"], "test");
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_websocket_of_ours_is_refused_before_it_opens() {
    let cors = Cors::from_origins(["https://book.example"]).unwrap();
    let app = app_with(HttpOptions {
        cors,
        ..HttpOptions::default()
    })
    .await;
    let client = app.client();
    assert_eq!(
        client.refused_socket("graphql-ws").await,
        400,
        "the protocol before this one"
    );
    let mut foreign = Wire::open(app.address).await;
    foreign
        .write(handshake("origin: https://elsewhere.example\r\n").as_bytes())
        .await;
    assert_eq!(foreign.read(13).await, b"HTTP/1.1 403 ");
    let mut own = Wire::open(app.address).await;
    own.write(handshake("origin: https://book.example\r\n").as_bytes())
        .await;
    assert_eq!(own.read(13).await, b"HTTP/1.1 101 ");
    drop(own);
    app.stop().await;
}

#[tokio::test]
async fn a_socket_that_says_nothing_for_too_long_is_closed() {
    let http = HttpOptions {
        keepalive: Duration::from_millis(20),
        ..HttpOptions::default()
    };
    let app = app_with(http).await;
    let mut dead = Wire::open(app.address).await;
    dead.write(handshake("").as_bytes()).await;
    // Pings that are never answered, then the last word.
    let heard = dead.read_to_end().await;
    let closing = b"\x0b\xc0Timeout";
    assert!(
        heard.ends_with(closing),
        "{:?}",
        String::from_utf8_lossy(&heard)
    );
    assert!(
        heard.windows(2).any(|two| two == b"\x89\x00"),
        "it was pinged"
    );
    app.stop().await;
}

fn handshake(more: &str) -> String {
    format!(
        "GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n{more}\r\n"
    )
}
