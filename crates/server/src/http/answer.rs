//! Answers in the form that the GraphQL-over-HTTP specification gives them.
//!
//! Guaranteed: an answer to a request that was not run has no `data`, and every error has a code. To a client that takes
//! `application/graphql-response+json` the status tells what became of the request; to one that takes `application/json` any
//! well-formed request is answered with 200.

use std::collections::BTreeMap;
use std::time::Duration;

use async_graphql::{ServerError, Value};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::http::negotiate::Media;

const TOO_MANY_REQUESTS: &str =
    "too many requests came from this address: wait as many seconds as `retryAfter` says";

/// The codes of refusals that never reach GraphQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    BadRequest,
    Forbidden,
    Internal,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    TooManyOperations,
    Unavailable,
    UnsupportedMediaType,
}

impl Code {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::Forbidden => "FORBIDDEN",
            Self::Internal => "INTERNAL",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::NotFound => "NOT_FOUND",
            Self::RateLimited => "RATE_LIMITED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::TooManyOperations => "TOO_MANY_OPERATIONS",
            Self::Unavailable => "UNAVAILABLE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        }
    }
}

/// A GraphQL answer as it goes over the wire.
#[derive(Serialize)]
pub(crate) struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> Wire<'a> {
    pub(crate) fn of(response: &'a async_graphql::Response) -> Self {
        let data = (!was_refused(response)).then_some(&response.data);
        Self {
            data,
            errors: &response.errors,
            extensions: &response.extensions,
        }
    }
}

/// Whether nothing of the request was run: then its errors are about no field of the answer.
pub(crate) fn was_refused(response: &async_graphql::Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// The answer over HTTP.
pub(crate) fn answer(media: Media, response: &async_graphql::Response) -> Response {
    let status = match media {
        Media::GraphqlResponse if was_refused(response) => status_of(&response.errors),
        _ => StatusCode::OK,
    };
    let mut answer = match serde_json::to_vec(&Wire::of(response)) {
        Ok(body) => with_body(status, media, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written down");
            return refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                Code::Internal,
                "the answer could not be written down",
            );
        }
    };
    answer.headers_mut().extend(response.http_headers.clone());
    answer
}

/// Why a request does not get to GraphQL, in the form of a GraphQL error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: Code,
    message: String,
    media: Media,
    /// Seconds until it is worth trying again, where that is known.
    retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        let (message, media) = (message.into(), Media::Json);
        Self {
            status,
            code,
            message,
            media,
            retry_after: None,
        }
    }

    /// The client has sent as much as it may; its next request is for after this time.
    pub(crate) fn too_many_requests(wait: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self {
            retry_after: Some(whole_seconds(wait)),
            ..Self::new(status, Code::RateLimited, TOO_MANY_REQUESTS)
        }
    }

    /// The same, in the form that the client likes.
    pub(crate) fn in_form(self, media: Media) -> Self {
        Self { media, ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = error(self.code, &self.message, None);
        add_retry_after(&mut error, self.retry_after);
        let body = json!({ "errors": [error] }).to_string().into_bytes();
        let mut response = with_body(self.status, self.media, body);
        if let Some(seconds) = self.retry_after {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The answer for a refusal.
pub(crate) fn refusal(status: StatusCode, code: Code, message: &str) -> Response {
    Refusal::new(status, code, message).into_response()
}

/// The refusal of a request in which the server broke. The id names it in the log.
pub(crate) fn broken(trace_id: &str) -> Response {
    let text = "something went wrong in the server; the trace id names it in its log";
    let body = error_body(Code::Internal, text, Some(trace_id));
    with_body(
        StatusCode::INTERNAL_SERVER_ERROR,
        Media::Json,
        body.to_string().into_bytes(),
    )
}

/// One GraphQL error with its code.
pub(crate) fn error(code: Code, message: &str, trace_id: Option<&str>) -> serde_json::Value {
    let mut extensions = json!({ "code": code.name() });
    if let (Some(id), Some(object)) = (trace_id, extensions.as_object_mut()) {
        object.insert("traceId".to_owned(), id.into());
    }
    json!({ "message": message, "extensions": extensions })
}

/// The error for one operation too many of a client.
pub(crate) fn too_many_requests(wait: Duration) -> serde_json::Value {
    let mut error = error(Code::RateLimited, TOO_MANY_REQUESTS, None);
    add_retry_after(&mut error, Some(whole_seconds(wait)));
    error
}

/// A WebSocket has no headers to say it in.
fn add_retry_after(error: &mut serde_json::Value, seconds: Option<u64>) {
    let extensions = error.pointer_mut("/extensions");
    let object = extensions.and_then(serde_json::Value::as_object_mut);
    if let (Some(seconds), Some(object)) = (seconds, object) {
        object.insert("retryAfter".to_owned(), seconds.into());
    }
}

/// Rounded up, so that whoever waits that long is let in.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn error_body(code: Code, message: &str, trace_id: Option<&str>) -> serde_json::Value {
    json!({ "errors": [error(code, message, trace_id)] })
}

fn with_body(status: StatusCode, media: Media, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The status for a request that was not run, by the code of its first error.
fn status_of(errors: &[ServerError]) -> StatusCode {
    match errors.first().and_then(code_of) {
        Some("UNAUTHENTICATED") => StatusCode::UNAUTHORIZED,
        Some("FORBIDDEN") => StatusCode::FORBIDDEN,
        Some("UNAVAILABLE") => StatusCode::SERVICE_UNAVAILABLE,
        Some("INTERNAL") => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The code of an error.
pub(crate) fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{ErrorExtensionValues, PathSegment, Pos, value};

    use super::*;

    fn failed(code: &str, path: &[&str]) -> async_graphql::Response {
        let mut error = ServerError::new("no", Some(Pos::default()));
        error.path = path
            .iter()
            .map(|name| PathSegment::Field((*name).to_owned()))
            .collect();
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code);
        error.extensions = Some(extensions);
        async_graphql::Response::from_errors(vec![error])
    }

    #[test]
    fn a_refused_request_has_its_status_and_no_data() {
        let statuses = [
            ("UNAUTHENTICATED", 401),
            ("FORBIDDEN", 403),
            ("UNAVAILABLE", 503),
            ("INTERNAL", 500),
            ("NOT_FOUND", 400),
            ("GRAPHQL_PARSE_FAILED", 400),
        ];
        for (code, status) in statuses {
            let response = failed(code, &[]);
            assert_eq!(
                answer(Media::GraphqlResponse, &response).status(),
                status,
                "{code}"
            );
            assert_eq!(answer(Media::Json, &response).status(), 200, "{code}");
            assert!(
                !serde_json::to_string(&Wire::of(&response))
                    .unwrap()
                    .contains("data")
            );
        }
        assert!(
            answer(Media::GraphqlResponse, &failed("UNAUTHENTICATED", &[]))
                .headers()
                .contains_key(WWW_AUTHENTICATE)
        );
    }

    #[test]
    fn a_request_that_ran_is_answered_with_200_and_data() {
        let response = failed("FORBIDDEN", &["bookings"]);
        assert_eq!(answer(Media::GraphqlResponse, &response).status(), 200);
        let wire = serde_json::to_value(Wire::of(&response)).unwrap();
        assert_eq!(wire.get("data"), Some(&serde_json::Value::Null));
        let right = async_graphql::Response::new(value!({ "a": 1 }));
        assert_eq!(
            serde_json::to_string(&Wire::of(&right)).unwrap(),
            r#"{"data":{"a":1}}"#
        );
    }
}
