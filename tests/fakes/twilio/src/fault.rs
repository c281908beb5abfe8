//! What can go wrong between a client and the server.

use axum::body::Body;
use axum::http::Response;
pub(crate) use bad_answers::json_text;
use bad_answers::{cut, half, huge, later, page, redirect};
use serde_json::Value;

use crate::answer::{Answer, error, refused};

/// The calls of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are those of the API")]
pub enum Call {
    CreateMessage,
    ListMessages,
    FetchMessage,
    FetchAccount,
    ListNumbers,
    FetchService,
    /// Any of them, and anything else.
    Any,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done: 500, in Twilio's form.
    ServerError,
    /// Nothing is done: 429, with this Retry-After in seconds.
    TooManyRequests(Option<u64>),
    /// Nothing is done: 401, with what was sent as credentials in the message.
    Unauthorized,
    /// Nothing is done: 400, with this code of Twilio's.
    Refused(u32),
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
    pub(crate) async fn response(self, authorization: &str, answer: &Value) -> Response<Body> {
        match self {
            Self::ServerError => json(&error(500, 20500, "Internal Server Error")),
            Self::TooManyRequests(after) => {
                later(json(&error(429, 20429, "Too Many Requests")), after)
            }
            Self::Unauthorized => {
                let message = format!("Authenticate: {authorization}");
                json(&error(401, 20003, &message))
            }
            Self::Refused(code) => json(&refused(code)),
            Self::Garbage => json_text(200, r#"{"sid":"SM"#.to_owned()),
            Self::OtherJson => json_text(200, r#"{"uri":"/else"}"#.to_owned()),
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

pub(crate) fn json(answer: &Answer) -> Response<Body> {
    json_text(answer.status, answer.body.to_string())
}
