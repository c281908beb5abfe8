//! The way out against servers on sockets: what is refused, what is cut off, and what is made of answers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

mod failures;
mod limits;
mod private;
mod server;
mod tls;

use outbound::{Outbound, OutboundError, OutboundOptions, SettingNames};
use reqwest::Response;

const NAMES: SettingNames = SettingNames {
    address: "apiBase",
    credentials: "secretKey",
};

/// As the server has it unless told otherwise.
fn public_only() -> Outbound {
    Outbound::new(OutboundOptions::default()).unwrap()
}

/// As with `--allow-private-hosts`, which servers on this machine need.
fn anywhere() -> Outbound {
    let allow_private = true;
    Outbound::new(OutboundOptions {
        allow_private,
        ..OutboundOptions::default()
    })
    .unwrap()
}

async fn get(outbound: &Outbound, url: &str) -> Result<Response, OutboundError> {
    outbound.send(outbound.http().get(url)).await
}
