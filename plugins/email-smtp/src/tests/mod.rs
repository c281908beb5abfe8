//! The mails themselves, as text.

mod invitations;
mod messages;
mod safety;
mod texts;
mod zones;

#[path = "../../tests/plugin/facts.rs"]
#[expect(dead_code, reason = "shared with the tests of the plugin as a whole")]
mod facts;

use domain::event::{BookingFacts, EventKind};
use domain::zone::ZoneDatabase;

use crate::map::{NoMail, Translator};
use crate::mime::Mail;
use crate::settings::{Sender, Settings};
use crate::templates::Templates;

fn sender() -> Sender {
    let json = serde_json::json!({ "host": "smtp.example.com", "from": "bookings@aurora.example" });
    Settings::from_json(json).unwrap().account().unwrap().sender
}

fn translate(kind: EventKind, part: &str, facts: BookingFacts) -> Result<Mail, NoMail> {
    let (templates, zones, sender) = (
        Templates::load().unwrap(),
        ZoneDatabase::bundled(),
        sender(),
    );
    Translator {
        templates: &templates,
        zones: &zones,
        sender: &sender,
    }
    .mail(&facts::delivery(kind, part, facts))
}

fn confirmation(part: &str, facts: BookingFacts) -> Mail {
    translate(EventKind::BookingConfirmed, part, facts).unwrap()
}

fn message(mail: &Mail) -> String {
    String::from_utf8(mail.to_message().unwrap().formatted()).unwrap()
}

/// The invitation as a calendar program reads it: unfolded.
fn unfolded(mail: &Mail) -> String {
    mail.ics.replace("\r\n ", "").replace("\r\n", "\n")
}
