//! A delivery and a message to test a plugin with: one booking of Jo Smith with Maria Rossi at Salon Aurora.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::BookingStatus;
use domain::event::{
    BookingFacts, BusinessFacts, ContactFacts, Event, EventKind, LocationFacts, NamedFacts,
};
use domain::id::Id;
use domain::money::{Currency, Money};
use serde_json::Value;
use uuid::Uuid;

use crate::{Delivery, Letter, Message, PluginSettings};

/// What happened to the booking, on its way to a part of a plugin of a business with these settings. The same each time.
pub fn delivery(kind: EventKind, part: &str, settings: Value) -> Delivery {
    let event = Event {
        id: id(1),
        kind,
        at: noon() - TimeDelta::days(7),
        calendar_ids: Vec::new(),
        booking: Some(booking()),
        hold_id: None,
        payment_id: None,
        webhook_endpoint_id: None,
        customer_id: None,
    };
    Delivery {
        id: id(2),
        business_id: id(3),
        attempt: 1,
        part: part.to_owned(),
        event,
        settings: PluginSettings::new(1, settings),
    }
}

/// A message to Jo Smith that the booking stands, as a channel is handed it. The same each time.
pub fn message(to: &str) -> Message {
    let told = delivery(EventKind::BookingConfirmed, "all", Value::Null);
    Message {
        id: id(10),
        business_id: told.business_id,
        attempt: 1,
        may_have_been_sent: false,
        since: told.event.at,
        others: Vec::new(),
        to: to.to_owned(),
        to_name: "Jo Smith".to_owned(),
        subject: Some("Confirmed: Cut and finish".to_owned()),
        text: "Hello Jo Smith,\n\nyour booking at Salon Aurora is confirmed.\n".to_owned(),
        language: "en-GB".to_owned(),
        event: told.event,
        callback_url: None,
        letter: Letter {
            about: "confirmed".to_owned(),
            ..Letter::default()
        },
    }
}

/// The booking. The same each time.
pub fn booking() -> BookingFacts {
    BookingFacts {
        booking_id: id(4),
        reference: "K7QF3MXR".to_owned(),
        version: 1,
        status: BookingStatus::Confirmed,
        party_size: 1,
        price: Money {
            amount: 4500,
            currency: Currency::new("GBP").unwrap_or_else(|| unreachable!("three capital letters")),
        },
        note: None,
        reason: None,
        session_id: id(5),
        starts_at: noon(),
        ends_at: noon() + TimeDelta::minutes(45),
        previous_starts_at: None,
        business: BusinessFacts {
            slug: "salon".to_owned(),
            name: "Salon Aurora".to_owned(),
            locale: "en-GB".to_owned(),
        },
        service: NamedFacts {
            id: id(6),
            name: "Cut and finish".to_owned(),
        },
        provider: person(7, "Maria Rossi", "maria@aurora.example"),
        previous_provider: None,
        location: LocationFacts {
            id: id(8),
            name: "Main Street".to_owned(),
            time_zone: "Europe/London".to_owned(),
        },
        customer: person(9, "Jo Smith", "jo@customer.example"),
        customer_time_zone: None,
        customer_locale: None,
        customer_tier: None,
        customer_channel: None,
    }
}

fn person<I: Id>(number: u128, name: &str, email: &str) -> ContactFacts<I> {
    ContactFacts {
        id: id(number),
        name: name.to_owned(),
        email: Some(email.to_owned()),
        phone: None,
    }
}

/// A Monday.
fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_803_902_400, 0).unwrap_or_default()
}

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(
        0x0193_4d3c_0000_7000_8000_0000_0000_0000 + number,
    ))
}
