//! The messages and close codes of graphql-transport-ws. Pure.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::answer::Wire;

/// The name under which both sides agree on the protocol.
pub(crate) const PROTOCOL: &str = "graphql-transport-ws";

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong {},
    Subscribe { id: String, payload: Operation },
    Complete { id: String },
}

/// An operation to run.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) query: String,
    #[serde(rename = "operationName")]
    pub(crate) name: Option<String>,
    pub(crate) variables: Option<serde_json::Map<String, Value>>,
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Next {
        id: &'a str,
        payload: Wire<'a>,
    },
    /// The operation ended before it began.
    Error {
        id: &'a str,
        payload: Vec<Value>,
    },
    Complete {
        id: &'a str,
    },
}

impl ServerMessage<'_> {
    /// The message as it goes over the wire.
    pub(crate) fn message(&self) -> Result<Message, serde_json::Error> {
        Ok(Message::Text(serde_json::to_string(self)?.into()))
    }
}

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Closing {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    pub(crate) fn going_away() -> Self {
        Self::new(1001, "the server is stopping")
    }

    pub(crate) fn too_big(limit: usize) -> Self {
        Self::new(1009, format!("a message is larger than {limit} bytes"))
    }

    pub(crate) fn internal() -> Self {
        Self::new(1011, "Internal server error")
    }

    /// Nobody can say at the moment who asks.
    pub(crate) fn try_again() -> Self {
        Self::new(1013, "the server cannot answer at the moment: try again")
    }

    pub(crate) fn keepalive_timeout() -> Self {
        Self::new(3008, "Timeout")
    }

    pub(crate) fn invalid_message(why: &str) -> Self {
        Self::new(4400, format!("Invalid message: {why}"))
    }

    pub(crate) fn not_acknowledged() -> Self {
        Self::new(4401, "Unauthorized")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(4403, "Forbidden")
    }

    /// A code on which clients do not try again by themselves: no repetition finds the business.
    pub(crate) fn no_business(why: &str) -> Self {
        Self::new(4400, why)
    }

    pub(crate) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(crate) fn id_in_use(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(crate) fn too_many_inits() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(crate) fn message(&self) -> Message {
        Message::Close(Some(CloseFrame {
            code: self.code,
            reason: short(&self.reason),
        }))
    }
}

/// A frame that closes a socket has room for 123 bytes of reason.
fn short(text: &str) -> Utf8Bytes {
    let mut end = text.len().min(123);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use async_graphql::value;

    use super::*;

    #[test]
    fn messages_of_clients_are_read() {
        let right = [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"pong","payload":{"a":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","operationName":null,"variables":null,"extensions":{}}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ];
        for text in right {
            assert!(
                serde_json::from_str::<ClientMessage>(text).is_ok(),
                "{text}"
            );
        }
        let wrong = [
            "",
            "{}",
            r#"{"type":"start","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
        ];
        for text in wrong {
            assert!(
                serde_json::from_str::<ClientMessage>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn messages_of_the_server_are_written() {
        let text = |message: ServerMessage<'_>| {
            message.message().unwrap().into_text().unwrap().to_string()
        };
        let response = async_graphql::Response::new(value!({ "a": 1 }));
        let next = ServerMessage::Next {
            id: "1",
            payload: Wire::of(&response),
        };
        assert_eq!(
            text(ServerMessage::ConnectionAck),
            r#"{"type":"connection_ack"}"#
        );
        assert_eq!(
            text(ServerMessage::Pong { payload: None }),
            r#"{"type":"pong"}"#
        );
        assert_eq!(
            text(next),
            r#"{"type":"next","id":"1","payload":{"data":{"a":1}}}"#
        );
        assert_eq!(
            text(ServerMessage::Complete { id: "1" }),
            r#"{"type":"complete","id":"1"}"#
        );
    }

    #[test]
    fn a_reason_fits_its_frame() {
        let closing = Closing::id_in_use(&"ü".repeat(200));
        let Message::Close(Some(frame)) = closing.message() else {
            panic!("not a close frame")
        };
        assert!(frame.reason.len() <= 123 && frame.reason.starts_with("Subscriber for ü"));
        assert_eq!(frame.code, 4409);
    }
}
