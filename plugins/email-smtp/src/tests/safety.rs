use domain::event::BookingFacts;

use plugin_api::Recipient::{Customer, Provider};

use super::facts::{booking, confirmed};
use super::{confirmation, message, unfolded};

const NASTY: [&str; 9] = [
    "Eve\r\nBcc: victim@example.com",
    "Eve\nSubject: other\n\nbody",
    "Eve \"the\" <eve@example.com>, Mallory",
    "Eve\\\",;:=?utf-8?q?x?=",
    "=?utf-8?q?Bcc=3A?= <x@y.example>",
    "<script>alert(1)</script>{{ 7 * 7 }}{% include 'en/layout.html' %}",
    "\u{202E}evil\u{2066}\u{2028}line",
    "מרים 林檎 مريم أحمد",
    "Eve\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:other",
];

fn with_names(name: &str) -> BookingFacts {
    let mut facts = booking();
    name.clone_into(&mut facts.customer.name);
    name.clone_into(&mut facts.provider.name);
    name.clone_into(&mut facts.business.name);
    name.clone_into(&mut facts.service.name);
    name.clone_into(&mut facts.location.name);
    facts.note = Some(format!("{name}\r\n.\r\nMAIL FROM:<x@y.example>"));
    facts.reason = Some(name.to_owned());
    facts
}

/// Header names of the message, folded lines joined.
fn headers(message: &str) -> Vec<String> {
    let head = message
        .split("\r\n\r\n")
        .next()
        .unwrap()
        .replace("\r\n ", " ");
    head.split("\r\n")
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect()
}

#[test]
fn no_text_becomes_a_header() {
    let usual = headers(&message(&confirmation(Customer, confirmed())));
    for name in NASTY {
        for recipient in [Customer, Provider] {
            let mail = confirmation(recipient, with_names(name));
            let written = message(&mail);
            assert!(written.is_ascii(), "{name:?}");
            assert_eq!(headers(&written), usual, "{name:?}: {written}");
            let envelope = mail.to_message().unwrap().envelope().clone();
            assert_eq!(envelope.to().len(), 1, "{name:?}");
            assert_eq!(
                envelope.from().unwrap().to_string(),
                "bookings@aurora.example"
            );
            for line in written.split("\r\n") {
                assert!(
                    line.len() <= 998 && !line.contains(['\r', '\n']),
                    "{name:?}: {line:?}"
                );
            }
        }
    }
}

#[test]
fn no_text_becomes_a_property_of_the_invitation() {
    let names = |ics: &str| -> Vec<String> {
        ics.lines()
            .map(|line| line.split([':', ';']).next().unwrap().to_owned())
            .collect()
    };
    let usual = names(&unfolded(&confirmation(Customer, confirmed())));
    for name in NASTY {
        let ics = unfolded(&confirmation(Customer, with_names(name)));
        assert_eq!(names(&ics), usual, "{name:?}: {ics}");
        assert!(
            !ics.contains('\u{202E}') && !ics.contains('\u{2028}'),
            "{ics}"
        );
    }
}

#[test]
fn a_reference_does_not_leave_the_directory() {
    let mut facts = booking();
    facts.reference = "../../etc/passwd\u{0}".to_owned();
    let name = confirmation(Customer, facts).file_name;
    assert!(
        name.starts_with("20270220T120000Z-etcpasswd-confirmed-customer-"),
        "{name}"
    );
    assert!(!name.contains(['/', '\0']));
}
