//! What can go wrong between a client and the server.

use axum::body::Body;
use axum::http::Response;
use bad_answers::{cut, half, huge, later, page};
pub(crate) use bad_answers::{redirect, respond};
use serde_json::Value;

use crate::error::Error;

/// The calls of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the API")]
pub enum Call {
    Consent,
    Token,
    Revoke,
    ListCalendars,
    InsertEvent,
    GetEvent,
    UpdateEvent,
    PatchEvent,
    DeleteEvent,
    ListEvents,
    WatchEvents,
    StopChannel,
    /// Any of them, and anything else.
    Any,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done: 500.
    ServerError,
    /// Nothing is done: 429, with this Retry-After in seconds.
    TooManyRequests(Option<u64>),
    /// Nothing is done: 403 of this reason (`rateLimitExceeded`, `userRateLimitExceeded`, `quotaExceeded`), with this Retry-After in seconds.
    Quota(&'static str, Option<u64>),
    /// Nothing is done: 401, with the token in the message.
    Unauthorized,
    /// Nothing is done: 403.
    Forbidden,
    /// Nothing is done: 403, the API is not switched on.
    NotConfigured,
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
    /// Whether the call is carried out.
    pub(crate) fn acts(&self) -> bool {
        matches!(self, Self::AnswerLost | Self::AnswerCut | Self::BadGateway)
    }

    /// What the client gets, where the server would have answered this.
    pub(crate) async fn response(
        self,
        call: Call,
        secret: &str,
        answer: Option<&Value>,
    ) -> Response<Body> {
        match self {
            Self::ServerError => error(&Error::api(500, "global", "backendError", "Backend Error")),
            Self::TooManyRequests(after) => {
                let message = "Rate Limit Exceeded";
                let refused = Error::api(429, "usageLimits", "rateLimitExceeded", message);
                later(error(&refused), after)
            }
            Self::Quota(reason, after) => {
                let refused = Error::api(403, "usageLimits", reason, "Rate Limit Exceeded");
                later(error(&refused), after)
            }
            Self::Unauthorized if call == Call::Token => {
                let words = format!("Unauthorized: {secret}");
                error(&Error::token(401, "invalid_client", &words))
            }
            Self::Unauthorized => {
                let words = format!("Request had invalid authentication credentials: {secret}");
                error(&Error::api(401, "global", "authError", &words))
            }
            Self::Forbidden if call == Call::Token => {
                error(&Error::token(403, "org_internal", "Forbidden"))
            }
            Self::Forbidden => error(&Error::api(403, "global", "forbidden", "Forbidden")),
            Self::NotConfigured => {
                let words =
                    "Google Calendar API has not been used in project 1 before or it is disabled.";
                error(&Error::api(
                    403,
                    "usageLimits",
                    "accessNotConfigured",
                    words,
                ))
            }
            Self::Garbage => json_text(200, r#"{"kind":"calendar#"#.to_owned()),
            Self::OtherJson => json_text(200, r#"{"kind":"urlshortener#url"}"#.to_owned()),
            Self::Html => page(200),
            Self::NotFoundPage => page(404),
            Self::BadGateway => page(502),
            Self::Huge => huge(),
            Self::Hang => std::future::pending().await,
            Self::Redirect(to) => redirect(307, &to),
            Self::AnswerLost => cut(Vec::new()),
            Self::AnswerCut => half(answer.map(Value::to_string).unwrap_or_default()),
        }
    }
}

pub(crate) fn json_text(status: u16, text: String) -> Response<Body> {
    respond(status, "application/json; charset=UTF-8", text)
}

pub(crate) fn error(error: &Error) -> Response<Body> {
    json_text(error.status, error.body.to_string())
}
