//! Events: what happened, written in the transaction that made it so and kept for ever.
//!
//! An event of a booking carries all that a message about it needs, as it was at that moment ([`BookingFacts`]): whoever
//! works on the event later, and however often, says the same.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::booking::BookingStatus;
use crate::id::{
    BookingId, CalendarId, CustomerId, EventId, HoldId, LocationId, PaymentId, ProviderId,
    ServiceId, SessionId, WebhookEndpointId,
};
use crate::money::Money;
use crate::notification::Channel;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// A booking stands: it was made so, or what it waited for has come.
    #[serde(rename = "booking.confirmed")]
    BookingConfirmed,
    /// A booking was made that waits for its payment, and keeps its places meanwhile.
    #[serde(rename = "booking.pending")]
    BookingPending,
    /// A payment was made, or a card was saved.
    #[serde(rename = "payment.paid")]
    PaymentPaid,
    /// Money that was reserved was taken.
    #[serde(rename = "payment.captured")]
    PaymentCaptured,
    /// A payment came to nothing, or nobody paid in time.
    #[serde(rename = "payment.failed")]
    PaymentFailed,
    /// The other side called about a payment.
    #[serde(rename = "payment.called")]
    PaymentCalled,
    /// Money that is reserved is to be taken.
    #[serde(rename = "payment.capture_requested")]
    CaptureRequested,
    /// A fee is to be taken from a card that was saved.
    #[serde(rename = "payment.fee_requested")]
    FeeRequested,
    /// Money is to go back to the customer.
    #[serde(rename = "payment.refund_requested")]
    RefundRequested,
    /// Money went back to the customer.
    #[serde(rename = "payment.refunded")]
    PaymentRefunded,
    /// Money that went back to the customer did not arrive: the business has it again.
    #[serde(rename = "payment.refund_failed")]
    RefundFailed,
    /// The customer's bank disputes a payment: it asks for the money, and mostly takes it for now.
    #[serde(rename = "payment.disputed")]
    PaymentDisputed,
    /// The customer's bank has decided a dispute.
    #[serde(rename = "payment.dispute_closed")]
    DisputeClosed,
    /// A booking moved to another time or provider.
    #[serde(rename = "booking.rescheduled")]
    BookingRescheduled,
    /// A booking was called off.
    #[serde(rename = "booking.cancelled")]
    BookingCancelled,
    /// The customer arrived.
    #[serde(rename = "booking.checked_in")]
    BookingCheckedIn,
    /// The service was delivered.
    #[serde(rename = "booking.completed")]
    BookingCompleted,
    /// The customer did not come.
    #[serde(rename = "booking.no_show")]
    BookingNoShow,
    /// The rules of its time zone changed, and its time by the clock is taken: it stays at its instant until somebody moves it.
    #[serde(rename = "booking.displaced")]
    BookingDisplaced,
    /// A slot was held.
    #[serde(rename = "booking.held")]
    Held,
    /// A hold was given back.
    #[serde(rename = "booking.released")]
    Released,
    /// A hold ran out.
    #[serde(rename = "booking.expired")]
    Expired,
    /// A block was laid over a calendar.
    #[serde(rename = "block.created")]
    BlockCreated,
    /// A block was taken away.
    #[serde(rename = "block.deleted")]
    BlockDeleted,
    /// Hours changed: weekly, of a date, or of a location.
    #[serde(rename = "schedule.changed")]
    ScheduleChanged,
    /// A location, provider, resource or service was created, changed or archived.
    #[serde(rename = "catalogue.changed")]
    CatalogueChanged,
    /// Staff changed what is known of a customer.
    #[serde(rename = "customer.changed")]
    CustomerChanged,
    /// An endpoint for webhooks was switched off, because it only failed for days.
    #[serde(rename = "webhook.paused")]
    WebhookPaused,
    /// Providers' calendars elsewhere say something else than before, or what they say counts again, or no more.
    #[serde(rename = "calendar.changed")]
    CalendarChanged,
    /// The access to a provider's calendars elsewhere was taken back: they have to connect anew. Its calendar is the provider's.
    #[serde(rename = "calendar.broken")]
    CalendarBroken,
    /// The event of a booking was moved or deleted elsewhere, and the booking could not follow: the event is put back.
    #[serde(rename = "calendar.conflict")]
    CalendarConflict,
}

impl EventKind {
    /// Every kind there is.
    pub const ALL: [Self; 31] = [
        Self::BookingConfirmed,
        Self::BookingPending,
        Self::PaymentPaid,
        Self::PaymentCaptured,
        Self::PaymentFailed,
        Self::PaymentCalled,
        Self::CaptureRequested,
        Self::FeeRequested,
        Self::RefundRequested,
        Self::PaymentRefunded,
        Self::RefundFailed,
        Self::PaymentDisputed,
        Self::DisputeClosed,
        Self::BookingRescheduled,
        Self::BookingCancelled,
        Self::BookingCheckedIn,
        Self::BookingCompleted,
        Self::BookingNoShow,
        Self::BookingDisplaced,
        Self::Held,
        Self::Released,
        Self::Expired,
        Self::BlockCreated,
        Self::BlockDeleted,
        Self::ScheduleChanged,
        Self::CatalogueChanged,
        Self::CustomerChanged,
        Self::WebhookPaused,
        Self::CalendarChanged,
        Self::CalendarBroken,
        Self::CalendarConflict,
    ];

    /// The name under which it is stored and shown, `booking.confirmed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BookingConfirmed => "booking.confirmed",
            Self::BookingPending => "booking.pending",
            Self::PaymentPaid => "payment.paid",
            Self::PaymentCaptured => "payment.captured",
            Self::PaymentFailed => "payment.failed",
            Self::PaymentCalled => "payment.called",
            Self::CaptureRequested => "payment.capture_requested",
            Self::FeeRequested => "payment.fee_requested",
            Self::RefundRequested => "payment.refund_requested",
            Self::PaymentRefunded => "payment.refunded",
            Self::RefundFailed => "payment.refund_failed",
            Self::PaymentDisputed => "payment.disputed",
            Self::DisputeClosed => "payment.dispute_closed",
            Self::BookingRescheduled => "booking.rescheduled",
            Self::BookingCancelled => "booking.cancelled",
            Self::BookingCheckedIn => "booking.checked_in",
            Self::BookingCompleted => "booking.completed",
            Self::BookingNoShow => "booking.no_show",
            Self::BookingDisplaced => "booking.displaced",
            Self::Held => "booking.held",
            Self::Released => "booking.released",
            Self::Expired => "booking.expired",
            Self::BlockCreated => "block.created",
            Self::BlockDeleted => "block.deleted",
            Self::ScheduleChanged => "schedule.changed",
            Self::CatalogueChanged => "catalogue.changed",
            Self::CustomerChanged => "customer.changed",
            Self::WebhookPaused => "webhook.paused",
            Self::CalendarChanged => "calendar.changed",
            Self::CalendarBroken => "calendar.broken",
            Self::CalendarConflict => "calendar.conflict",
        }
    }

    /// Whether those outside are told of it who asked for events; the others are steps on the way, and only matter here.
    pub fn is_public(self) -> bool {
        !matches!(
            self,
            Self::PaymentCalled
                | Self::CaptureRequested
                | Self::FeeRequested
                | Self::RefundRequested
                | Self::CustomerChanged
        )
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// The calendars that it made freer or busier.
    pub calendar_ids: Vec<CalendarId>,
    /// The booking it happened to, with what a message needs; none for what happened to no booking.
    pub booking: Option<BookingFacts>,
    /// The hold it happened to.
    pub hold_id: Option<HoldId>,
    /// The payment it happened to.
    #[serde(default)]
    pub payment_id: Option<PaymentId>,
    /// The endpoint for webhooks it happened to.
    #[serde(default)]
    pub webhook_endpoint_id: Option<WebhookEndpointId>,
    /// The customer it happened to.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
}

/// A booking as it was when something happened to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BookingFacts {
    /// The booking.
    pub booking_id: BookingId,
    /// Its reference.
    pub reference: String,
    /// Its version: rises by one with every change, so it orders the events of one booking.
    pub version: i64,
    /// Its status after the event.
    pub status: BookingStatus,
    /// How many places it has.
    pub party_size: u32,
    /// What it costs.
    pub price: Money,
    /// What the customer wrote.
    pub note: Option<String>,
    /// Why it was changed, where a reason was given.
    pub reason: Option<String>,
    /// The session it is in.
    pub session_id: SessionId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// When it began before it was rescheduled.
    pub previous_starts_at: Option<DateTime<Utc>>,
    /// The business.
    pub business: BusinessFacts,
    /// The service.
    pub service: NamedFacts<ServiceId>,
    /// The provider.
    pub provider: ContactFacts<ProviderId>,
    /// The provider before it was rescheduled to another.
    pub previous_provider: Option<ContactFacts<ProviderId>>,
    /// The location.
    pub location: LocationFacts,
    /// The customer.
    pub customer: ContactFacts<CustomerId>,
    /// The zone in which the customer reads times; none: the location's.
    pub customer_time_zone: Option<String>,
    /// The customer's language; none: the business's.
    pub customer_locale: Option<String>,
    /// The customer's tier; see [`crate::customer::same_tier`].
    #[serde(default)]
    pub customer_tier: Option<String>,
    /// The channel by which the customer would rather be reached; none: no matter.
    #[serde(default)]
    pub customer_channel: Option<Channel>,
}

/// The business at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessFacts {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub locale: String,
}

/// A thing with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFacts<I> {
    /// Its id.
    pub id: I,
    /// Its name.
    pub name: String,
}

/// A person who can be written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFacts<I> {
    /// Their id.
    pub id: I,
    /// Their name.
    pub name: String,
    /// Their email address.
    pub email: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
}

/// The location at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationFacts {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// The IANA zone of its wall clocks.
    pub time_zone: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_serialised_by_it() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
