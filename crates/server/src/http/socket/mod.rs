//! A WebSocket for each client that listens, by graphql-transport-ws.
//!
//! Guaranteed: nothing runs before a socket has said who asks, and a bad token closes it with 4403; what goes wrong with one
//! operation ends that operation alone; a reader who does not take what is written within the time limit is cut off, and one that
//! says nothing for too long is closed, so neither holds memory for long.

mod protocol;
mod session;

use axum::extract::ws::WebSocketUpgrade;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tracing::Instrument;

use self::protocol::PROTOCOL;
use self::session::Session;
use crate::http::answer::{Code, refusal};
use crate::http::identity;
use crate::http::rate::Client;
use crate::http::site::Site;

/// Sockets carry small messages, and there are many of them.
const READ_BUFFER: usize = 4 * 1024;

/// Opens a WebSocket for whoever speaks the protocol and may.
pub(crate) fn open(
    site: Site,
    client: Client,
    headers: &HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if site.is_stopping() {
        return refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            "the server is stopping",
        );
    }
    if !site
        .options()
        .cors
        .admits(headers.get(ORIGIN), headers.get(HOST))
    {
        return refusal(
            StatusCode::FORBIDDEN,
            Code::Forbidden,
            "pages of this origin may not open a WebSocket here",
        );
    }
    let limit = site.options().body_limit;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(limit)
        .max_frame_size(limit);
    if upgrade.selected_protocol().is_none() {
        let text = format!("the WebSocket must ask for the subprotocol {PROTOCOL}");
        return refusal(StatusCode::BAD_REQUEST, Code::BadRequest, &text);
    }
    let claim = identity::of_headers(headers);
    let span = tracing::Span::current();
    upgrade.on_upgrade(move |socket| {
        Session::new(site, client, socket, claim)
            .run()
            .instrument(span)
    })
}
