use domain::booking::BookingStatus;
use domain::event::EventKind::{BookingCancelled, BookingConfirmed, BookingRescheduled};

use super::facts::{booking, cancelled, confirmed, rescheduled};
use super::{confirmation, translate};
use crate::map::NoMail;
use crate::mime::Mail;

fn shown(mail: &Mail) -> String {
    format!(
        "To: {}\nSubject: {}\n{}",
        mail.to, mail.texts.subject, mail.texts.text
    )
}

#[test]
fn a_confirmation_to_the_customer() {
    insta::assert_snapshot!(shown(&confirmation("customer", confirmed())), @"
    To: Jo Smith <jo@customer.example>
    Subject: Confirmed: Cut & Colour, Monday 1 March 2027, 09:00 (Salon Aurora)
    Hello Jo Smith,

    your booking at Salon Aurora is confirmed.

    When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    Service: Cut & Colour
    With: Maria Rossi
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reference: K7MQ2P

    The attached invitation adds it to your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_confirmation_to_the_provider() {
    insta::assert_snapshot!(shown(&confirmation("provider", confirmed())), @"
    To: Maria Rossi <maria@aurora.example>
    Subject: New booking: Cut & Colour, Monday 1 March 2027, 09:00 (Jo Smith)
    Hello Maria Rossi,

    Jo Smith has a booking with you.

    When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    Service: Cut & Colour
    Customer: Jo Smith
    Email: jo@customer.example
    Phone: +44 20 7946 0000
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reference: K7MQ2P

    The attached invitation adds it to your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_change_to_the_customer() {
    insta::assert_snapshot!(shown(&translate(BookingRescheduled, "customer", rescheduled()).unwrap()), @"
    To: Jo Smith <jo@customer.example>
    Subject: Changed: Cut & Colour, Tuesday 2 March 2027, 10:00 (Salon Aurora)
    Hello Jo Smith,

    your booking at Salon Aurora has changed. This is how it stands now.

    When: Tuesday 2 March 2027, 10:00–10:30 (Europe/London, UTC+00:00)
    Before: Monday 1 March 2027, 09:00
    Service: Cut & Colour
    With: Ben Okoro
    Instead of: Maria Rossi
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reference: K7MQ2P

    The attached invitation updates it in your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_change_to_the_provider() {
    insta::assert_snapshot!(shown(&translate(BookingRescheduled, "provider", rescheduled()).unwrap()), @"
    To: Ben Okoro <ben@aurora.example>
    Subject: Booking changed: Cut & Colour, Tuesday 2 March 2027, 10:00 (Jo Smith)
    Hello Ben Okoro,

    the booking of Jo Smith has moved to you.

    When: Tuesday 2 March 2027, 10:00–10:30 (Europe/London, UTC+00:00)
    Before: Monday 1 March 2027, 09:00
    Service: Cut & Colour
    Customer: Jo Smith
    Email: jo@customer.example
    Phone: +44 20 7946 0000
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reference: K7MQ2P

    The attached invitation updates your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_change_to_the_provider_who_stays() {
    let mut facts = rescheduled();
    facts.provider = booking().provider;
    let mail = translate(BookingRescheduled, "provider", facts).unwrap();
    assert!(
        mail.texts
            .text
            .contains("the booking of Jo Smith with you has changed."),
        "{}",
        mail.texts.text
    );
    assert!(mail.texts.html.contains("with you has changed."));
}

#[test]
fn a_change_to_the_provider_who_loses_it() {
    insta::assert_snapshot!(shown(&translate(BookingRescheduled, "previous-provider", rescheduled()).unwrap()), @"
    To: Maria Rossi <maria@aurora.example>
    Subject: Booking moved away: Cut & Colour, Monday 1 March 2027, 09:00 (Jo Smith)
    Hello Maria Rossi,

    the booking of Jo Smith is no longer with you: it has moved to another provider.

    When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    Service: Cut & Colour
    Customer: Jo Smith
    Email: jo@customer.example
    Phone: +44 20 7946 0000
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reference: K7MQ2P

    The attached file takes it out of your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_cancellation_to_the_customer() {
    insta::assert_snapshot!(shown(&translate(BookingCancelled, "customer", cancelled()).unwrap()), @"
    To: Jo Smith <jo@customer.example>
    Subject: Cancelled: Cut & Colour, Monday 1 March 2027, 09:00 (Salon Aurora)
    Hello Jo Smith,

    your booking at Salon Aurora has been cancelled.

    When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    Service: Cut & Colour
    With: Maria Rossi
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reason: I have a cold
    Reference: K7MQ2P

    The attached file takes it out of your calendar.

    Salon Aurora
    ");
}

#[test]
fn a_cancellation_to_the_provider() {
    insta::assert_snapshot!(shown(&translate(BookingCancelled, "provider", cancelled()).unwrap()), @"
    To: Maria Rossi <maria@aurora.example>
    Subject: Booking cancelled: Cut & Colour, Monday 1 March 2027, 09:00 (Jo Smith)
    Hello Maria Rossi,

    the booking of Jo Smith with you has been cancelled.

    When: Monday 1 March 2027, 09:00–09:30 (Europe/London, UTC+00:00)
    Service: Cut & Colour
    Customer: Jo Smith
    Email: jo@customer.example
    Phone: +44 20 7946 0000
    Location: Main Street
    Price: 45.00 GBP
    Note: Please, no music.
      Thank you; Jo
    Reason: I have a cold
    Reference: K7MQ2P

    The attached file takes it out of your calendar.

    Salon Aurora
    ");
}

#[test]
fn every_mail_has_html_that_says_the_same_facts() {
    for (kind, part, facts) in [
        (BookingConfirmed, "customer", confirmed()),
        (BookingConfirmed, "provider", confirmed()),
        (BookingRescheduled, "customer", rescheduled()),
        (BookingRescheduled, "provider", rescheduled()),
        (BookingRescheduled, "previous-provider", rescheduled()),
        (BookingCancelled, "customer", cancelled()),
        (BookingCancelled, "provider", cancelled()),
    ] {
        let mail = translate(kind, part, facts).unwrap();
        let html = mail
            .texts
            .html
            .replace("&amp;", "&")
            .replace("&#x2f;", "/")
            .replace("<bdi>", "")
            .replace("</bdi>", "");
        for line in mail
            .texts
            .text
            .lines()
            .filter_map(|line| line.split_once(": "))
        {
            assert!(
                html.contains(line.0) && html.contains(line.1),
                "{part}: {line:?} in {html}"
            );
        }
        let greeting = mail
            .texts
            .text
            .lines()
            .find(|line| line.starts_with("Hello "))
            .unwrap();
        assert!(html.contains(greeting), "{part}: {greeting} in {html}");
    }
}

#[test]
fn places_show_from_two_and_prices_from_one() {
    let mut facts = booking();
    facts.party_size = 3;
    facts.price.amount = 0;
    facts.note = None;
    let text = confirmation("customer", facts).texts.text;
    assert!(
        text.contains("Places: 3") && !text.contains("Price") && !text.contains("Note"),
        "{text}"
    );
}

#[test]
fn nobody_is_written_to_where_there_is_nobody_or_nothing_to_say() {
    let nothing = |result: Result<Mail, NoMail>| match result {
        Err(NoMail::Nothing(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let mut facts = rescheduled();
    facts.customer.email = None;
    facts.provider.email = Some(" ".to_owned());
    facts.previous_provider.as_mut().unwrap().email = None;
    insta::assert_snapshot!(nothing(translate(BookingRescheduled, "customer", facts.clone())), @"the customer has no email address");
    insta::assert_snapshot!(nothing(translate(BookingRescheduled, "provider", facts.clone())), @"the provider has no email address");
    insta::assert_snapshot!(nothing(translate(BookingRescheduled, "previous-provider", facts.clone())), @"the previous provider has no email address");

    facts.previous_provider = None;
    insta::assert_snapshot!(nothing(translate(BookingRescheduled, "previous-provider", facts.clone())), @"the provider has not changed");
    facts.previous_provider = Some(facts.provider.clone());
    insta::assert_snapshot!(nothing(translate(BookingRescheduled, "previous-provider", facts)), @"the provider has not changed");

    let mut waiting = booking();
    waiting.status = BookingStatus::Pending;
    insta::assert_snapshot!(nothing(translate(BookingConfirmed, "customer", waiting)), @"the booking is not confirmed yet");
}
