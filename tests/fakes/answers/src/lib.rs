//! Answers of servers on a bad day, for the doubles of other sides and for the proxy before them: pages for people, answers that lead elsewhere, that
//! are far too long, or that break off.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, StatusCode, header};
use futures_util::stream;

/// A length that no answer that breaks off has reached.
const PROMISED: u32 = 100_000;

/// An answer of this status and kind.
pub fn respond(status: u16, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The same with the text of some JSON.
pub fn json_text(status: u16, text: String) -> Response<Body> {
    respond(status, "application/json", text)
}

/// A page for people.
pub fn page(status: u16) -> Response<Body> {
    respond(status, "text/html", "<!doctype html><title>Hello</title>")
}

/// One that asks to be left alone for so many seconds, if it says for how many.
pub fn later(mut response: Response<Body>, seconds: Option<u64>) -> Response<Body> {
    if let Some(seconds) = seconds {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// One that leads elsewhere.
pub fn redirect(status: u16, to: &str) -> Response<Body> {
    let mut response = respond(status, "text/plain", Body::empty());
    if let Ok(to) = to.parse() {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// 50 MB.
pub fn huge() -> Response<Body> {
    let chunk = Bytes::from(vec![b' '; 1 << 16]);
    let chunks = (0..800).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
    let body = Body::from_stream(stream::iter(chunks));
    respond(200, "application/json", body)
}

/// One that breaks off after these bytes.
pub fn cut(bytes: impl Into<Bytes>) -> Response<Body> {
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let chunks = [Ok(bytes.into()), Err(broken)];
    let body = Body::from_stream(stream::iter(chunks));
    let mut response = respond(200, "application/json", body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, PROMISED.into());
    response
}

/// One that breaks off half way through this text.
pub fn half(text: String) -> Response<Body> {
    let mut bytes = text.into_bytes();
    bytes.truncate(bytes.len() / 2);
    cut(bytes)
}
