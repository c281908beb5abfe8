use domain::event::EventKind::{BookingCancelled, BookingConfirmed, BookingRescheduled};

use plugin_api::Recipient::{Customer, PreviousProvider, Provider};

use super::facts::{cancelled, confirmed, rescheduled};
use super::{confirmation, ics, message, translate, unfolded};

#[test]
fn an_invitation_to_the_customer() {
    insta::assert_snapshot!(unfolded(&confirmation(Customer, confirmed())), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Jo Smith;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:jo@customer.example
    DESCRIPTION:Note: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
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
    "#);
}

#[test]
fn an_invitation_to_the_provider() {
    insta::assert_snapshot!(unfolded(&confirmation(Provider, confirmed())), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Note: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
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
    "#);
}

#[test]
fn an_update_to_the_customer() {
    insta::assert_snapshot!(unfolded(&translate(BookingRescheduled, Customer, rescheduled())), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:REQUEST
    BEGIN:VEVENT
    ATTENDEE;CN=Jo Smith;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:jo@customer.example
    DESCRIPTION:Note: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
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
    "#);
}

#[test]
fn a_removal_from_the_previous_providers_calendar_names_the_time_that_stands_there() {
    insta::assert_snapshot!(unfolded(&translate(BookingRescheduled, PreviousProvider, rescheduled())), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:CANCEL
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Note: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
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
    "#);
}

#[test]
fn a_cancellation_to_the_provider() {
    insta::assert_snapshot!(unfolded(&translate(BookingCancelled, Provider, cancelled())), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Bookable//email-smtp//EN
    CALSCALE:GREGORIAN
    METHOD:CANCEL
    BEGIN:VEVENT
    ATTENDEE;CN=Maria Rossi;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:maria@aurora.example
    DESCRIPTION:Note: Please\, no music.\nThank you\; Jo\nReference: K7MQ2P
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
    "#);
}

#[test]
fn one_booking_has_one_uid_and_a_rising_sequence() {
    let mails = [
        (
            translate(BookingConfirmed, Customer, confirmed()),
            "SEQUENCE:0",
            "METHOD:REQUEST",
            "STATUS:CONFIRMED",
        ),
        (
            translate(BookingRescheduled, Customer, rescheduled()),
            "SEQUENCE:1",
            "METHOD:REQUEST",
            "STATUS:CONFIRMED",
        ),
        (
            translate(BookingRescheduled, PreviousProvider, rescheduled()),
            "SEQUENCE:1",
            "METHOD:CANCEL",
            "STATUS:CANCELLED",
        ),
        (
            translate(BookingCancelled, Customer, cancelled()),
            "SEQUENCE:2",
            "METHOD:CANCEL",
            "STATUS:CANCELLED",
        ),
    ];
    for (mail, sequence, method, status) in mails {
        let written = unfolded(&mail);
        let lines: Vec<&str> = written.lines().collect();
        for expected in [
            sequence,
            method,
            status,
            &format!("UID:{}@bookable", confirmed().booking_id),
        ] {
            assert_eq!(
                lines.iter().filter(|line| **line == expected).count(),
                1,
                "{expected} in {written}"
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
    let mail = confirmation(Customer, facts.clone());
    assert!(ics(&mail).ends_with("END:VCALENDAR\r\n"));
    for line in ics(&mail).split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
    }
    assert!(unfolded(&mail).contains(facts.note.unwrap().trim()));
}
