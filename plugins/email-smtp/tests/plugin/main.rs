//! The plugin as the server sees it: its contract, its files, and its conversation with an SMTP server on a socket.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

mod business;
mod contract;
mod facts;
mod fake_smtp;
mod outbox;
mod python;
mod smtp;
mod tls;

use std::path::Path;

use email_smtp::{EmailSmtp, Options, Settings};
use outbound::{Outbound, OutboundOptions};
use serde_json::Value;

fn outbound(allow_private: bool) -> Outbound {
    Outbound::new(OutboundOptions {
        allow_private,
        ..OutboundOptions::default()
    })
    .unwrap()
}

/// The plugin without a server.
fn to_files(outbox: &Path) -> EmailSmtp {
    EmailSmtp::new(Options {
        settings: None,
        outbox: outbox.to_owned(),
        outbound: outbound(false),
    })
    .unwrap()
}

/// The plugin with these settings of the operator's; nothing may go to files.
fn to_server(settings: Value) -> EmailSmtp {
    let settings = Some(Settings::from_json(settings).unwrap());
    let outbox = Path::new("/nonexistent/outbox").to_owned();
    EmailSmtp::new(Options {
        settings,
        outbox,
        outbound: outbound(false),
    })
    .unwrap()
}
