//! The example against a chat that speaks HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Json, Router, routing::post};
use domain::event::EventKind;
use example_chat::Chat;
use outbound::{Outbound, OutboundOptions};
use plugin_api::{Done, Failure, Plugin, Reaction, contract, sample};
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn chat(allow_private: bool) -> Chat {
    let options = OutboundOptions {
        allow_private,
        ..OutboundOptions::default()
    };
    Chat(Outbound::new(options).unwrap())
}

/// A chat that answers so, and what it is told.
async fn room(status: StatusCode) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (tell, told) = mpsc::unbounded_channel();
    let hear = async move |State(tell): State<mpsc::UnboundedSender<Value>>,
                           Json(text): Json<Value>| {
        tell.send(text).unwrap();
        status
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/room", listener.local_addr().unwrap());
    let app = Router::new().route("/room", post(hear)).with_state(tell);
    tokio::spawn(async { axum::serve(listener, app).await });
    (url, told)
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let plugin = chat(true);
    contract::plugin(&plugin);
    contract::settings(
        |json| plugin.validate(&json),
        json!({ "url": "https://chat.example/room" }),
        [
            (json!({}), vec!["url"]),
            (json!({ "url": "here" }), vec!["url"]),
            (json!({ "url": "ftp://chat.example/room" }), vec!["url"]),
        ],
    );
    let (url, mut told) = room(StatusCode::OK).await;
    let delivery = sample::delivery(EventKind::BookingConfirmed, "all", json!({ "url": url }));
    contract::reaction(&plugin, &delivery).await;
    contract::repeats(&plugin, &delivery, || told.try_recv().unwrap()).await;
}

#[tokio::test]
async fn what_goes_wrong_is_said() {
    let answered = async |status, allow_private| {
        let (url, _told) = room(status).await;
        let settings = json!({ "url": url });
        let delivery = sample::delivery(EventKind::BookingConfirmed, "all", settings);
        chat(allow_private).react(&delivery).await
    };
    assert_eq!(answered(StatusCode::OK, true).await, Ok(Done::Delivered));
    let misconfigured = |result| matches!(result, Err(Failure::Misconfigured { .. }));
    assert!(
        misconfigured(answered(StatusCode::OK, false).await),
        "a private address"
    );
    assert!(misconfigured(answered(StatusCode::FORBIDDEN, true).await));
    assert!(matches!(
        answered(StatusCode::BAD_GATEWAY, true).await,
        Err(Failure::Retry { .. })
    ));
    assert!(matches!(
        answered(StatusCode::NOT_FOUND, true).await,
        Err(Failure::GiveUp { .. })
    ));
}
