//! What stands behind an endpoint: takes what is posted, verifies it by Standard Webhooks on its own, and answers as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;

/// One thing that was posted.
#[derive(Debug, Clone)]
pub(super) struct Posted {
    /// The last part of the path that it was posted to.
    pub to: String,
    pub id: String,
    pub timestamp: i64,
    pub signatures: Vec<String>,
    pub body: Bytes,
}

impl Posted {
    /// Whether one of its signatures is by this secret.
    pub(super) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
        let mut hmac = Hmac::<Sha256>::new_from_slice(&key.unwrap()).unwrap();
        hmac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        hmac.update(&self.body);
        let wanted = format!("v1,{}", STANDARD.encode(hmac.finalize().into_bytes()));
        self.signatures.contains(&wanted)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Answers = Arc<Mutex<HashMap<String, u16>>>;
/// Of which endpoints nothing is answered before so much was posted to them.
type Together = Arc<Mutex<HashMap<String, usize>>>;

/// A server with any number of endpoints, `/<name>`.
pub(super) struct Receiver {
    base: String,
    posted: watch::Sender<Vec<Posted>>,
    answers: Answers,
    together: Together,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let posted = watch::Sender::new(Vec::new());
        let (answers, together) = (Answers::default(), Together::default());
        let state = (posted.clone(), answers.clone(), together.clone());
        let router = Router::new().route("/{name}", post(take)).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self {
            base,
            posted,
            answers,
            together,
        }
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }

    /// Has an endpoint answer with this status from now on.
    pub(super) fn answer(&self, name: &str, status: u16) {
        self.answers.lock().unwrap().insert(name.to_owned(), status);
    }

    /// Has an endpoint answer when so much was posted to it, and not before.
    pub(super) fn answer_together(&self, name: &str, count: usize) {
        let mut together = self.together.lock().unwrap();
        together.insert(name.to_owned(), count);
    }

    /// Waits until so much was posted to an endpoint; answers all of it.
    pub(super) async fn posted(&self, name: &str, count: usize) -> Vec<Posted> {
        let of = |all: &Vec<Posted>| -> Vec<Posted> {
            all.iter().filter(|one| one.to == name).cloned().collect()
        };
        let mut posted = self.posted.subscribe();
        let wait = posted.wait_for(|all| of(all).len() >= count);
        let wait = tokio::time::timeout(Duration::from_secs(20), wait).await;
        let all = wait.unwrap_or_else(|_| panic!("there are not {count} posted to {name}"));
        of(&all.unwrap())
    }

    /// How much was posted to an endpoint up to now.
    pub(super) fn count(&self, name: &str) -> usize {
        let all = self.posted.borrow();
        all.iter().filter(|one| one.to == name).count()
    }
}

async fn take(
    State((posted, answers, together)): State<(watch::Sender<Vec<Posted>>, Answers, Together)>,
    Path(to): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let one = Posted {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp").parse().unwrap(),
        signatures: text("webhook-signature")
            .split(' ')
            .map(str::to_owned)
            .collect(),
        body,
        to: to.clone(),
    };
    let status = answers.lock().unwrap().get(&to).copied().unwrap_or(204);
    posted.send_modify(|all| all.push(one));
    let count = together.lock().unwrap().get(&to).copied().unwrap_or(0);
    let are_there = |all: &Vec<Posted>| all.iter().filter(|one| one.to == to).count() >= count;
    posted.subscribe().wait_for(are_there).await.unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    if status.is_redirection() {
        return (status, [("location", "/elsewhere")]).into_response();
    }
    status.into_response()
}
