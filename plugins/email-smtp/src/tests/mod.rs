//! The mails themselves, as text.

mod invitations;
mod messages;
mod safety;

#[path = "../../tests/plugin/facts.rs"]
mod facts;

use domain::event::{BookingFacts, EventKind};
use plugin_api::Recipient;

use crate::map;
use crate::mime::Mail;
use crate::settings::{Sender, Settings};

fn sender() -> Sender {
    let json = serde_json::json!({ "host": "smtp.example.com", "from": "bookings@aurora.example" });
    Settings::from_json(json).unwrap().account().unwrap().sender
}

fn translate(kind: EventKind, recipient: Recipient, facts: BookingFacts) -> Mail {
    map::mail(&facts::message(kind, recipient, facts), &sender()).unwrap()
}

fn confirmation(recipient: Recipient, facts: BookingFacts) -> Mail {
    translate(EventKind::BookingConfirmed, recipient, facts)
}

fn message(mail: &Mail) -> String {
    String::from_utf8(mail.to_message().unwrap().formatted()).unwrap()
}

fn ics(mail: &Mail) -> String {
    mail.invitation.as_ref().unwrap().1.clone()
}

/// The invitation as a calendar program reads it: unfolded.
fn unfolded(mail: &Mail) -> String {
    ics(mail).replace("\r\n ", "").replace("\r\n", "\n")
}
