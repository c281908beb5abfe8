//! What is posted: an event with the facts as they were, in the words of the API. Within a version fields are only added; one that is
//! taken away or means something else makes a new version.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::booking::BookingStatus;
use domain::event::{BookingFacts, ContactFacts, Event, EventKind, NamedFacts};
use domain::id::BusinessId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The version of what is posted.
const VERSION: u32 = 1;

/// The JSON Schema (draft 2020-12) of what is posted.
pub fn schema() -> Value {
    plugin_api::settings_schema::<Payload>()
}

/// An event as it is posted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "A Bookable event, version 1")]
pub struct Payload {
    /// The event's id, `evt_…`, also in the header `webhook-id`. It is the same when an event is posted again: whoever has seen it
    /// has nothing more to do.
    id: String,
    /// What happened, `booking.confirmed`. More kinds may come. Of what happened to a payment, `data.paymentId` says to which: ask the API how
    /// it stands.
    #[serde(rename = "type")]
    #[schemars(extend("examples" = kinds()))]
    kind: String,
    /// The version of this format. Within one, fields are only added.
    version: u32,
    /// When it happened, an RFC 3339 instant in UTC.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// The business in which it happened, `biz_…`.
    business_id: String,
    /// To what it happened.
    data: Data,
}

/// To what an event happened. What it did not happen to is null.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Data {
    /// The booking as it was after the event.
    booking: Option<Booking>,
    /// The payment, `pay_…`.
    payment_id: Option<String>,
    /// The hold, `hld_…`.
    hold_id: Option<String>,
    /// The endpoint for webhooks, `whe_…`.
    webhook_endpoint_id: Option<String>,
}

/// A booking as it was after an event.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Booking {
    /// Its id, `bkg_…`.
    id: String,
    /// Its reference, which the customer knows.
    reference: String,
    /// Its version: rises by one with every change, so it orders the events of one booking whatever order they come in.
    version: i64,
    /// Its status after the event, as in the API: `PENDING`, `CONFIRMED`, `CHECKED_IN`, `COMPLETED`, `NO_SHOW`, `CANCELLED`, `EXPIRED`.
    status: String,
    /// How many places it has.
    party_size: u32,
    /// What it costs.
    price: Money,
    /// What the customer wrote.
    note: Option<String>,
    /// Why it was changed, where a reason was given.
    reason: Option<String>,
    /// The session it is in, `ses_…`.
    session_id: String,
    /// When it begins, an RFC 3339 instant in UTC.
    #[schemars(extend("format" = "date-time"))]
    starts_at: String,
    /// When it ends.
    #[schemars(extend("format" = "date-time"))]
    ends_at: String,
    /// When it began before it was rescheduled.
    #[schemars(extend("format" = "date-time"))]
    previous_starts_at: Option<String>,
    /// The service.
    service: Named,
    /// The provider.
    provider: Contact,
    /// The provider before it was rescheduled to another.
    previous_provider: Option<Contact>,
    /// The location.
    location: Location,
    /// The customer.
    customer: Customer,
}

/// An amount of money.
#[derive(Debug, Serialize, JsonSchema)]
struct Money {
    /// In minor units of the currency: 4500 EUR is 45.00 €.
    amount: i64,
    /// The ISO 4217 code.
    currency: String,
}

/// A thing with a name.
#[derive(Debug, Serialize, JsonSchema)]
struct Named {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
}

/// A person who delivers services.
#[derive(Debug, Serialize, JsonSchema)]
struct Contact {
    /// Their id.
    id: String,
    /// Their name.
    name: String,
    /// Their email address.
    email: Option<String>,
}

/// A place.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Location {
    /// Its id, `loc_…`.
    id: String,
    /// Its name.
    name: String,
    /// The IANA zone of its wall clocks.
    time_zone: String,
}

/// Whoever booked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Customer {
    /// Their id, `cus_…`.
    id: String,
    /// Their name.
    name: String,
    /// Their email address.
    email: Option<String>,
    /// Their telephone number, as given.
    phone: Option<String>,
    /// The IANA zone in which they read times; null: the location's.
    time_zone: Option<String>,
    /// Their language, a BCP 47 tag; null: the business's.
    locale: Option<String>,
}

impl Payload {
    /// What is posted of an event: the same each time.
    pub fn of(business: BusinessId, event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            kind: event.kind.name().to_owned(),
            version: VERSION,
            timestamp: instant(event.at),
            business_id: business.to_string(),
            data: Data {
                booking: event.booking.as_ref().map(booking),
                payment_id: event.payment_id.map(|id| id.to_string()),
                hold_id: event.hold_id.map(|id| id.to_string()),
                webhook_endpoint_id: event.webhook_endpoint_id.map(|id| id.to_string()),
            },
        }
    }
}

/// Every kind of event that is posted.
fn kinds() -> Vec<&'static str> {
    let all = EventKind::ALL.into_iter();
    all.filter(|kind| kind.is_public())
        .map(EventKind::name)
        .collect()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn status(status: BookingStatus) -> String {
    status.name().to_ascii_uppercase()
}

fn booking(facts: &BookingFacts) -> Booking {
    Booking {
        id: facts.booking_id.to_string(),
        reference: facts.reference.clone(),
        version: facts.version,
        status: status(facts.status),
        party_size: facts.party_size,
        price: Money {
            amount: facts.price.amount,
            currency: facts.price.currency.code().to_owned(),
        },
        note: facts.note.clone(),
        reason: facts.reason.clone(),
        session_id: facts.session_id.to_string(),
        starts_at: instant(facts.starts_at),
        ends_at: instant(facts.ends_at),
        previous_starts_at: facts.previous_starts_at.map(instant),
        service: named(&facts.service),
        provider: contact(&facts.provider),
        previous_provider: facts.previous_provider.as_ref().map(contact),
        location: Location {
            id: facts.location.id.to_string(),
            name: facts.location.name.clone(),
            time_zone: facts.location.time_zone.clone(),
        },
        customer: Customer {
            id: facts.customer.id.to_string(),
            name: facts.customer.name.clone(),
            email: facts.customer.email.clone(),
            phone: facts.customer.phone.clone(),
            time_zone: facts.customer_time_zone.clone(),
            locale: facts.customer_locale.clone(),
        },
    }
}

fn named<I: ToString>(facts: &NamedFacts<I>) -> Named {
    Named {
        id: facts.id.to_string(),
        name: facts.name.clone(),
    }
}

fn contact<I: ToString>(facts: &ContactFacts<I>) -> Contact {
    Contact {
        id: facts.id.to_string(),
        name: facts.name.clone(),
        email: facts.email.clone(),
    }
}
