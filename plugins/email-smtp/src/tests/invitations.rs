use domain::event::EventKind::{BookingCancelled, BookingConfirmed, BookingRescheduled};

use super::facts::{cancelled, confirmed, rescheduled};
use super::{confirmation, message, translate, unfolded};

#[test]
fn an_invitation_to_the_customer() {
    insta::assert_snapshot!(unfolded(&confirmation("customer", confirmed())), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Jo Smith;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:jo@customer.example
    DESCRIPTION:Service: Cut & Colour\nWith: Maria Rossi\nLocation: Main Street\nPrice: 45.00 GBP\nNote: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
    DTEND:20270301T093000Z
    DTSTAMP:20270220T120000Z
    DTSTART:20270301T090000Z
    LOCATION:Salon Aurora\, Main Street
    ORGANIZER;CN=Salon Aurora:mailto:bookings@aurora.example
    SEQUENCE:0
    STATUS:CONFIRMED
    SUMMARY:Cut & Colour – Salon Aurora
    TRANSP:OPAQUE
    UID:bkg_01jd6kr000e008000000000001@bookable
    END:VEVENT
    END:VCALENDAR
    ");
}

#[test]
fn an_invitation_to_the_provider() {
    insta::assert_snapshot!(unfolded(&confirmation("provider", confirmed())), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Service: Cut & Colour\nCustomer: Jo Smith\nEmail: jo@customer.example\nPhone: +44 20 7946 0000\nLocation: Main Street\nPrice: 45.00 GBP\nNote: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
    DTEND:20270301T093000Z
    DTSTAMP:20270220T120000Z
    DTSTART:20270301T090000Z
    LOCATION:Salon Aurora\, Main Street
    ORGANIZER;CN=Salon Aurora:mailto:bookings@aurora.example
    SEQUENCE:0
    STATUS:CONFIRMED
    SUMMARY:Cut & Colour – Jo Smith
    TRANSP:OPAQUE
    UID:bkg_01jd6kr000e008000000000001@bookable
    END:VEVENT
    END:VCALENDAR
    ");
}

#[test]
fn an_update_to_the_customer() {
    insta::assert_snapshot!(unfolded(&translate(BookingRescheduled, "customer", rescheduled()).unwrap()), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Jo Smith;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:jo@customer.example
    DESCRIPTION:Service: Cut & Colour\nWith: Ben Okoro\nInstead of: Maria Rossi\nLocation: Main Street\nPrice: 45.00 GBP\nNote: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
    DTEND:20270302T103000Z
    DTSTAMP:20270220T120000Z
    DTSTART:20270302T100000Z
    LOCATION:Salon Aurora\, Main Street
    ORGANIZER;CN=Salon Aurora:mailto:bookings@aurora.example
    SEQUENCE:1
    STATUS:CONFIRMED
    SUMMARY:Cut & Colour – Salon Aurora
    TRANSP:OPAQUE
    UID:bkg_01jd6kr000e008000000000001@bookable
    END:VEVENT
    END:VCALENDAR
    ");
}

#[test]
fn a_removal_from_the_previous_providers_calendar_names_the_time_that_stands_there() {
    insta::assert_snapshot!(unfolded(&translate(BookingRescheduled, "previous-provider", rescheduled()).unwrap()), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:CANCEL
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Service: Cut & Colour\nCustomer: Jo Smith\nEmail: jo@customer.example\nPhone: +44 20 7946 0000\nLocation: Main Street\nPrice: 45.00 GBP\nNote: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
    DTEND:20270301T093000Z
    DTSTAMP:20270220T120000Z
    DTSTART:20270301T090000Z
    LOCATION:Salon Aurora\, Main Street
    ORGANIZER;CN=Salon Aurora:mailto:bookings@aurora.example
    SEQUENCE:1
    STATUS:CANCELLED
    SUMMARY:Cut & Colour – Jo Smith
    TRANSP:OPAQUE
    UID:bkg_01jd6kr000e008000000000001@bookable
    END:VEVENT
    END:VCALENDAR
    ");
}

#[test]
fn a_cancellation_to_the_provider() {
    insta::assert_snapshot!(unfolded(&translate(BookingCancelled, "provider", cancelled()).unwrap()), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:CANCEL
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Service: Cut & Colour\nCustomer: Jo Smith\nEmail: jo@customer.example\nPhone: +44 20 7946 0000\nLocation: Main Street\nPrice: 45.00 GBP\nNote: Please\, no music.\nThank you\; Jo\nReason: I have a cold\nReference: K7MQ2P
    DTEND:20270301T093000Z
    DTSTAMP:20270220T120000Z
    DTSTART:20270301T090000Z
    LOCATION:Salon Aurora\, Main Street
    ORGANIZER;CN=Salon Aurora:mailto:bookings@aurora.example
    SEQUENCE:2
    STATUS:CANCELLED
    SUMMARY:Cut & Colour – Jo Smith
    TRANSP:OPAQUE
    UID:bkg_01jd6kr000e008000000000001@bookable
    END:VEVENT
    END:VCALENDAR
    ");
}

#[test]
fn one_booking_has_one_uid_and_a_rising_sequence() {
    let mails = [
        (
            translate(BookingConfirmed, "customer", confirmed()),
            "SEQUENCE:0",
            "METHOD:REQUEST",
            "STATUS:CONFIRMED",
        ),
        (
            translate(BookingRescheduled, "customer", rescheduled()),
            "SEQUENCE:1",
            "METHOD:REQUEST",
            "STATUS:CONFIRMED",
        ),
        (
            translate(BookingRescheduled, "previous-provider", rescheduled()),
            "SEQUENCE:1",
            "METHOD:CANCEL",
            "STATUS:CANCELLED",
        ),
        (
            translate(BookingCancelled, "customer", cancelled()),
            "SEQUENCE:2",
            "METHOD:CANCEL",
            "STATUS:CANCELLED",
        ),
    ];
    for (mail, sequence, method, status) in mails {
        let mail = mail.unwrap();
        let ics = unfolded(&mail);
        let lines: Vec<&str> = ics.lines().collect();
        for expected in [
            sequence,
            method,
            status,
            &format!("UID:{}@bookable", confirmed().booking_id),
        ] {
            assert_eq!(
                lines.iter().filter(|line| **line == expected).count(),
                1,
                "{expected} in {ics}"
            );
        }
        let of_the_part = format!(
            "Content-Type: text/calendar; {}; charset=utf-8",
            method.to_lowercase().replace(':', "=")
        );
        assert!(
            message(&mail)
                .to_lowercase()
                .contains(&of_the_part.to_lowercase()),
            "{of_the_part}"
        );
    }
}

#[test]
fn lines_are_folded_at_75_bytes_between_characters() {
    let mut facts = confirmed();
    facts.note = Some("Größe 老虎 😀 ".repeat(60));
    facts.service.name = "Ä".repeat(200);
    let mail = confirmation("customer", facts.clone());
    assert!(mail.ics.ends_with("END:VCALENDAR\r\n"));
    for line in mail.ics.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
    }
    assert!(unfolded(&mail).contains(facts.note.unwrap().trim()));
}
