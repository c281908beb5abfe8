//! What holds for every request: an id, one line in the log, a time limit, and an answer also when a handler panics.
//!
//! The log has the method, the path without its query, the status and the time; never headers, bodies or variables.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::http::REQUEST_ID;
use crate::http::answer::{Code, broken, refusal};
use crate::http::site::Site;

/// The longest id that a client may give a request.
const LONGEST_ID: usize = 128;

/// Runs the request under its id, within the time limit.
pub(crate) async fn observe(State(site): State<Site>, request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request_id = %id);
    let begun = Instant::now();
    let mut response = within_limits(&site, &id, next.run(request))
        .instrument(span.clone())
        .await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let ms = (begun.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0;
    span.in_scope(|| {
        if is_probe(&path) {
            tracing::debug!(%method, path, status, ms, "answered");
        } else {
            tracing::info!(%method, path, status, ms, "answered");
        }
    });
    response
}

async fn within_limits(site: &Site, id: &str, run: impl Future<Output = Response>) -> Response {
    let limit = site.options().request_timeout;
    match tokio::time::timeout(limit, AssertUnwindSafe(run).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            tracing::error!(panic = panic_text(panic.as_ref()), "a handler panicked");
            broken(id)
        }
        Err(_) => {
            tracing::warn!(?limit, "a request took too long");
            let text = "the answer took too long: a change may have been made, so ask again with the same idempotencyKey";
            refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, text)
        }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

/// The id that the client gave, if it can stand in a log.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    (!id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(plain)).then(|| id.to_owned())
}

/// Probes ask every few seconds.
fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_only_if_it_is_plain() {
        let given = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(
                REQUEST_ID,
                HeaderValue::from_bytes(text.as_bytes()).unwrap(),
            );
            given_id(&headers)
        };
        assert_eq!(given("01jd-6y7t").as_deref(), Some("01jd-6y7t"));
        assert_eq!(given(""), None);
        assert_eq!(given("a b"), None);
        assert_eq!(given("\"}{"), None);
        assert_eq!(given(&"x".repeat(129)), None);
    }
}
