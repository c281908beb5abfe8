//! The plugin against endpoints that answer well and badly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::DateTime;
use domain::event::EventKind;
use outbound::{Outbound, OutboundOptions};
use plugin_api::{Failure, Plugin, WebhookMessage, WebhookSender, contract, sample};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use webhooks::Webhooks;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhooks(allow_private: bool) -> Webhooks {
    let options = OutboundOptions {
        allow_private,
        ..OutboundOptions::default()
    };
    Webhooks(Outbound::new(options).unwrap())
}

fn message(url: &str) -> WebhookMessage {
    let delivery = sample::delivery(EventKind::BookingConfirmed, "webhook", json!({}));
    WebhookMessage {
        business_id: delivery.business_id,
        url: url.to_owned(),
        secrets: vec![SECRET.into()],
        event: delivery.event,
        at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
    }
}

type Answer = fn() -> Response;
type Posts = mpsc::UnboundedSender<(HeaderMap, Bytes)>;

/// An endpoint that answers with this, and what it is posted.
async fn endpoint(
    answer: fn() -> Response,
) -> (String, mpsc::UnboundedReceiver<(HeaderMap, Bytes)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let take = async move |State(tell): State<Posts>, headers: HeaderMap, body: Bytes| {
        tell.send((headers, body)).unwrap();
        answer()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(take)).with_state(tell);
    tokio::spawn(async { axum::serve(listener, app).await });
    (url, told)
}

#[test]
fn it_keeps_the_contract() {
    let plugin = webhooks(true);
    contract::plugin(&plugin);
    contract::settings(|json| plugin.validate(&json), json!({}), []);
}

#[tokio::test]
async fn a_repeat_bears_the_same_id_and_says_the_same() {
    let (url, mut told) = endpoint(|| StatusCode::OK.into_response()).await;
    let plugin = webhooks(true);
    let first = message(&url);
    let later = WebhookMessage {
        at: first.at + Duration::from_secs(3600),
        ..first.clone()
    };
    for message in [&first, &later] {
        assert_eq!(plugin.post(message).await, Ok(()));
    }
    let (headers, body) = told.recv().await.unwrap();
    let (again, body_again) = told.recv().await.unwrap();
    assert_eq!(body, body_again);
    assert_eq!(headers["webhook-id"], again["webhook-id"]);
    assert_eq!(headers["webhook-id"], first.event.id.to_string().as_str());
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["webhook-timestamp"], "1800000000");
    assert_ne!(
        headers["webhook-signature"], again["webhook-signature"],
        "the time is signed, too"
    );
}

#[tokio::test]
async fn what_is_no_success_is_tried_again() {
    let big = || (StatusCode::INTERNAL_SERVER_ERROR, vec![b'x'; 50 << 20]).into_response();
    let answers: [(Answer, &str); 6] = [
        (big, "500"),
        (|| StatusCode::UNAUTHORIZED.into_response(), "401"),
        (|| StatusCode::GONE.into_response(), "410"),
        (|| StatusCode::NOT_FOUND.into_response(), "404"),
        (|| StatusCode::NOT_MODIFIED.into_response(), "304"),
        (
            || (StatusCode::FOUND, [("location", "http://169.254.169.254/")]).into_response(),
            "redirects are not followed",
        ),
    ];
    for (answer, words) in answers {
        let (url, _told) = endpoint(answer).await;
        let failure = webhooks(true).post(&message(&url)).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Retry { after: None, .. }),
            "{failure:?}"
        );
        assert!(failure.reason().contains(words), "{failure}");
    }
    let busy = || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "120")]).into_response();
    let (url, _told) = endpoint(busy).await;
    let failure = webhooks(true).post(&message(&url)).await.unwrap_err();
    let Failure::Retry { after, .. } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!(after, Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_success_is_one_however_long_its_body() {
    let (url, _told) = endpoint(|| vec![b'x'; 50 << 20].into_response()).await;
    assert_eq!(webhooks(true).post(&message(&url)).await, Ok(()));
}

#[tokio::test]
async fn garbage_and_silence_are_tried_again() {
    for answer in ["this is not HTTP\r\n\r\n", ""] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let failure = webhooks(true).post(&message(&url)).await.unwrap_err();
        assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let failure = webhooks(true).post(&message(&url)).await.unwrap_err();
    assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
}

#[tokio::test]
async fn private_addresses_are_not_talked_to() {
    let (url, mut told) = endpoint(|| StatusCode::OK.into_response()).await;
    for url in [url.clone(), url.replace("127.0.0.1", "localhost")] {
        let failure = webhooks(false).post(&message(&url)).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Misconfigured { .. }),
            "{failure:?}"
        );
    }
    assert!(told.try_recv().is_err());
    assert!(webhooks(false).address(&url).is_err());
    assert!(webhooks(true).address(&url).is_ok());
}

/// The file is what people read: `UPDATE_SCHEMA=1` writes it.
#[test]
fn the_schema_in_the_file_is_the_schema() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("payload.schema.json");
    let schema = format!("{:#}\n", webhooks::schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let required = schema["required"].as_array().unwrap();
    for field in ["id", "type", "version", "timestamp", "businessId", "data"] {
        assert!(required.contains(&json!(field)), "{field}");
    }
}

/// The library that those behind endpoints use.
#[tokio::test]
async fn the_library_of_standard_webhooks_verifies_what_is_posted() {
    let Some(modules) = npm_tools::modules("standardwebhooks", "posts read by standardwebhooks")
    else {
        return;
    };
    let (url, mut told) = endpoint(|| StatusCode::OK.into_response()).await;
    let newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let message = WebhookMessage {
        secrets: vec![newer.into(), SECRET.into()],
        ..message(&url)
    };
    webhooks(true).post(&message).await.unwrap();
    let (headers, body) = told.recv().await.unwrap();
    let header = |name: &str| headers[name].to_str().unwrap();
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> = names
        .into_iter()
        .map(|name| (name.to_owned(), json!(header(name))))
        .collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let post = |secret, body: &str| json!({ "secret": secret, "headers": headers, "body": body });
    let stranger = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let changed = body.replace("booking.confirmed", "booking.cancelled");
    let posts = json!([
        post(SECRET, &body),
        post(newer, &body),
        post(stranger, &body),
        post(SECRET, &changed)
    ]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/verify.cjs");
    let read = npm_tools::answered(&modules, &script, &posts).unwrap();
    let sent: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read, json!([sent, sent, null, null]));
}
