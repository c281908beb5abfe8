//! Messages to test with: of one booking of Jo Smith with Maria Rossi at Salon Aurora, and what can happen to it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::BookingStatus;
use domain::event::{
    BookingFacts, BusinessFacts, ContactFacts, Event, EventKind, LocationFacts, NamedFacts,
};
use domain::id::Id;
use domain::money::{Currency, Money};
use plugin_api::{Invitation, Letter, Message, Recipient};
use uuid::Uuid;

/// The id with this number.
pub fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(
        0x0193_4d3c_0000_7000_8000_0000_0000_0000 + number,
    ))
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn booking() -> BookingFacts {
    BookingFacts {
        booking_id: id(1),
        reference: "K7MQ2P".to_owned(),
        version: 1,
        status: BookingStatus::Confirmed,
        party_size: 1,
        price: Money {
            amount: 4500,
            currency: Currency::new("GBP").unwrap(),
        },
        note: Some("Please, no music.\nThank you; Jo".to_owned()),
        reason: None,
        session_id: id(2),
        starts_at: at("2027-03-01T09:00:00Z"),
        ends_at: at("2027-03-01T09:30:00Z"),
        previous_starts_at: None,
        business: BusinessFacts {
            slug: "salon-aurora".to_owned(),
            name: "Salon Aurora".to_owned(),
            locale: "en-GB".to_owned(),
        },
        service: NamedFacts {
            id: id(3),
            name: "Cut & Colour".to_owned(),
        },
        provider: person(4, "Maria Rossi", "maria@aurora.example"),
        previous_provider: None,
        location: LocationFacts {
            id: id(5),
            name: "Main Street".to_owned(),
            time_zone: "Europe/London".to_owned(),
        },
        customer: ContactFacts {
            phone: Some("+44 20 7946 0000".to_owned()),
            ..person(6, "Jo Smith", "jo@customer.example")
        },
        customer_time_zone: None,
        customer_locale: None,
        customer_tier: None,
        customer_channel: None,
    }
}

pub fn person<I: Id>(number: u128, name: &str, email: &str) -> ContactFacts<I> {
    ContactFacts {
        id: id(number),
        name: name.to_owned(),
        email: Some(email.to_owned()),
        phone: None,
    }
}

pub fn confirmed() -> BookingFacts {
    booking()
}

/// It moved to the next day, to Ben.
pub fn rescheduled() -> BookingFacts {
    let before = booking();
    BookingFacts {
        version: 2,
        starts_at: before.starts_at + TimeDelta::hours(25),
        ends_at: before.ends_at + TimeDelta::hours(25),
        previous_starts_at: Some(before.starts_at),
        provider: person(7, "Ben Okoro", "ben@aurora.example"),
        previous_provider: Some(before.provider.clone()),
        ..before
    }
}

pub fn cancelled() -> BookingFacts {
    BookingFacts {
        version: 3,
        status: BookingStatus::Cancelled,
        reason: Some("I have a cold".to_owned()),
        ..booking()
    }
}

/// What is said of it to one of those whom it concerns.
pub fn message(kind: EventKind, recipient: Recipient, facts: BookingFacts) -> Message {
    let loses = recipient == Recipient::PreviousProvider;
    let (name, email) = match recipient {
        Recipient::Customer => (&facts.customer.name, &facts.customer.email),
        Recipient::PreviousProvider => {
            let previous = facts.previous_provider.as_ref().unwrap();
            (&previous.name, &previous.email)
        }
        _ => (&facts.provider.name, &facts.provider.email),
    };
    let start = facts.previous_starts_at.filter(|_| loses);
    let start = start.unwrap_or(facts.starts_at);
    let other = match recipient {
        Recipient::Customer => &facts.business.name,
        _ => &facts.customer.name,
    };
    let about = kind.name().trim_start_matches("booking.").to_owned();
    Message {
        id: id(100 + u128::try_from(facts.version).unwrap()),
        business_id: id(8),
        attempt: 1,
        may_have_been_sent: false,
        since: at("2027-02-20T12:00:00Z"),
        others: Vec::new(),
        to: email.clone().unwrap(),
        to_name: name.clone(),
        subject: Some(format!("{about}: {} ({other})", facts.service.name)),
        text: format!(
            "Hello {name},\n\n{}",
            facts.note.clone().unwrap_or_default()
        ),
        language: "en".to_owned(),
        letter: Letter {
            html: Some("<p>Hello</p>".to_owned()),
            invitation: Some(Invitation {
                is_cancelled: loses || kind == EventKind::BookingCancelled,
                starts_at: start,
                ends_at: start + (facts.ends_at - facts.starts_at),
                summary: format!("{} – {other}", facts.service.name),
                place: format!("{}, {}", facts.business.name, facts.location.name),
                description: format!(
                    "Note: {}\nReference: {}",
                    facts.note.clone().unwrap_or_default(),
                    facts.reference
                ),
            }),
            recipient,
            from_name: String::new(),
            about,
            date: None,
        },
        event: Event {
            id: id(9),
            kind,
            at: at("2027-02-20T12:00:00Z"),
            calendar_ids: Vec::new(),
            booking: Some(facts),
            hold_id: None,
            payment_id: None,
            webhook_endpoint_id: None,
            customer_id: None,
        },
        callback_url: None,
    }
}

/// The message that tells the customer of the booking.
pub fn any_message() -> Message {
    message(
        EventKind::BookingConfirmed,
        Recipient::Customer,
        confirmed(),
    )
}
