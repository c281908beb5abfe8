//! What can go wrong between a client and the server.

use axum::body::Body;
use axum::http::Response;
pub(crate) use bad_answers::json_text;
use bad_answers::{cut, half, huge, later, page, redirect};
use serde_json::Value;

use crate::error::Error;

/// What Stripe says of an error of its own.
pub(crate) const UNKNOWN: &str = "An unknown error occurred";

/// The calls of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the API")]
pub enum Call {
    CreatePaymentIntent,
    GetPaymentIntent,
    ConfirmPaymentIntent,
    CancelPaymentIntent,
    CapturePaymentIntent,
    CreateSetupIntent,
    GetSetupIntent,
    CancelSetupIntent,
    CreateSession,
    GetSession,
    ListSessions,
    ExpireSession,
    CreateCustomer,
    CreateRefund,
    ListRefunds,
    ListDisputes,
    GetBalance,
    /// Any of them, and anything else.
    Any,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done: 500.
    ServerError,
    /// It breaks down under way and nothing is done: 500, which a repeat with its key gets as well, for as long as the key is kept.
    BreakDown,
    /// Nothing is done: 429, with this Retry-After in seconds.
    TooManyRequests(Option<u64>),
    /// Nothing is done: 409, another call with the key is under way.
    KeyInUse,
    /// Nothing is done: 401, with the key in the message.
    Unauthorized,
    /// Nothing is done: 403.
    Forbidden,
    /// Nothing is done: 200 and half of some JSON.
    Garbage,
    /// Nothing is done: 200 and JSON of something else.
    OtherJson,
    /// Nothing is done: 200 and a page for people.
    Html,
    /// Nothing is done: 404 and a page for people.
    NotFoundPage,
    /// Nothing is done: 200 and 50 MB.
    Huge,
    /// Nothing is done, and nothing is answered.
    Hang,
    /// Nothing is done: 307 to this address.
    Redirect(String),
    /// It is done, and the connection breaks off before the answer.
    AnswerLost,
    /// It is done, and the answer breaks off half way.
    AnswerCut,
    /// It is done, and a proxy answers 502 with a page for people.
    BadGateway,
}

impl Fault {
    /// Whether the call begins to be carried out.
    pub(crate) fn acts(&self) -> bool {
        matches!(
            self,
            Self::AnswerLost | Self::AnswerCut | Self::BadGateway | Self::BreakDown
        )
    }

    /// What the client gets, where the server would have answered this.
    pub(crate) async fn response(self, authorization: &str, answer: &Value) -> Response<Body> {
        match self {
            Self::ServerError => error(500, "api_error", None, UNKNOWN),
            // What is kept is answered.
            Self::BreakDown => json_text(500, answer.to_string()),
            Self::TooManyRequests(after) => {
                let message = "Request rate limit exceeded";
                let refused = error(429, "invalid_request_error", Some("rate_limit"), message);
                later(refused, after)
            }
            Self::KeyInUse => {
                let message =
                    "There is currently another in-progress request using this Idempotent Key.";
                error(
                    409,
                    "idempotency_error",
                    Some("idempotency_key_in_use"),
                    message,
                )
            }
            Self::Unauthorized => {
                let message = format!("Invalid API Key provided: {authorization}");
                error(401, "invalid_request_error", None, &message)
            }
            Self::Forbidden => {
                let message =
                    "The provided key does not have the required permissions for this endpoint.";
                error(403, "invalid_request_error", None, message)
            }
            Self::Garbage => json_text(200, r#"{"id":"pi_"#.to_owned()),
            Self::OtherJson => json_text(200, r#"{"object":"list","url":"/v1/else"}"#.to_owned()),
            Self::Html => page(200),
            Self::NotFoundPage => page(404),
            Self::BadGateway => page(502),
            Self::Huge => huge(),
            Self::Hang => std::future::pending().await,
            Self::Redirect(to) => redirect(307, &to),
            Self::AnswerLost => cut(Vec::new()),
            Self::AnswerCut => half(answer.to_string()),
        }
    }
}

fn error(status: u16, kind: &str, code: Option<&str>, message: &str) -> Response<Body> {
    json_text(
        status,
        Error::other(status, kind, code, message).body.to_string(),
    )
}
