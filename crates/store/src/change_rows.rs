//! The rows that [`crate::changes::Changes`] are made of, one type for each table, as the writing statement reads them (JSON).

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// Seats of a session.
#[derive(Debug, Clone, Serialize)]
pub struct SeatRow {
    /// The session.
    pub id: Uuid,
    /// How many seats; positive.
    pub seats: u32,
}

/// A new session.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRow {
    /// Its id.
    pub id: Uuid,
    /// What takes place.
    pub service_id: Uuid,
    /// Who delivers it.
    pub provider_id: Uuid,
    /// Where.
    pub location_id: Uuid,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// The wall-clock time that was booked.
    pub wall_start: NaiveDateTime,
    /// Its zone.
    pub time_zone: String,
    /// Seats.
    pub capacity: u32,
    /// Seats taken.
    pub seats_taken: u32,
    /// Booked over something on purpose.
    pub overlap: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An interval taken of one unit of a calendar.
#[derive(Debug, Clone, Serialize)]
pub struct AllocationRow {
    /// The calendar.
    pub calendar_id: Uuid,
    /// The unit.
    pub unit: u32,
    /// For which session.
    pub session_id: Uuid,
    /// From.
    pub kept_from: DateTime<Utc>,
    /// To, exclusive.
    pub kept_to: DateTime<Utc>,
    /// Booked over something on purpose: the constraint passes it over.
    pub overlap: bool,
}

/// A new customer.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerRow {
    /// Their id.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// Email address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Language.
    pub locale: Option<String>,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// The channel by which they would rather be reached. Their tier is for staff to set, later.
    pub preferred_channel: Option<&'static str>,
}

/// A new hold.
#[derive(Debug, Clone, Serialize)]
pub struct HoldRow {
    /// Its id.
    pub id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// Seats.
    pub party_size: u32,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An active hold that ends.
#[derive(Debug, Clone, Serialize)]
pub struct HoldEndingRow {
    /// The hold.
    pub id: Uuid,
    /// What becomes of it: `redeemed`, `released` or `expired`.
    pub status: &'static str,
}

/// A new booking.
#[derive(Debug, Clone, Serialize)]
pub struct BookingRow {
    /// Its id.
    pub id: Uuid,
    /// Its reference.
    pub reference: String,
    /// Its status.
    pub status: &'static str,
    /// The session.
    pub session_id: Uuid,
    /// The customer.
    pub customer_id: Uuid,
    /// Seats.
    pub party_size: u32,
    /// Price in minor units.
    pub price_amount: i64,
    /// Its currency.
    pub price_currency: String,
    /// The policy it is made under.
    pub policy: serde_json::Value,
    /// What the customer wrote.
    pub note: Option<String>,
    /// The hash of its manage secret, in hexadecimal.
    pub manage_hash: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it waits for its payment.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A new payment; it waits.
#[derive(Debug, Clone, Serialize)]
pub struct PaymentRow {
    /// Its id.
    pub id: Uuid,
    /// For which booking.
    pub booking_id: Uuid,
    /// At the other side of which plugin.
    pub plugin: String,
    /// What becomes of the money.
    pub kind: &'static str,
    /// How much is asked, in minor units.
    pub amount: i64,
    /// Of this currency.
    pub currency: String,
    /// The booking's reference.
    pub reference: String,
    /// What is paid for, as the customer reads it.
    pub description: String,
    /// Who pays.
    pub customer_name: String,
    /// Whom to send the receipt.
    pub customer_email: Option<String>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Of a fee: the payment that saved the card.
    pub saved_payment_id: Option<Uuid>,
}

/// A booking that changes.
#[derive(Debug, Clone, Serialize)]
pub struct BookingUpdateRow {
    /// The booking.
    pub id: Uuid,
    /// Its new status.
    pub status: &'static str,
    /// Its new session.
    pub session_id: Uuid,
    /// Its new version; it must be one less before.
    pub version: i64,
}

/// A line of history.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryRow {
    /// Its id.
    pub id: Uuid,
    /// The booking.
    pub booking_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: &'static str,
    /// Who.
    pub by: &'static str,
    /// Before.
    pub was: Option<String>,
    /// After.
    pub becomes: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// An event.
#[derive(Debug, Clone, Serialize)]
pub struct EventRow {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub kind: &'static str,
    /// When.
    pub at: DateTime<Utc>,
    /// To which booking.
    pub booking_id: Option<Uuid>,
    /// The calendars concerned.
    pub calendar_ids: Vec<Uuid>,
    /// The event itself.
    pub payload: serde_json::Value,
}

/// An event's way to one plugin.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryRow {
    /// Its id.
    pub id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// The plugin.
    pub plugin: String,
    /// Which of its effects.
    pub part: String,
    /// The booking.
    pub booking_id: Option<Uuid>,
    /// The booking's version after the event.
    pub booking_version: i64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
}

/// An event, and the parts of plugins that want it: each is to be a delivery.
#[derive(Debug, Clone, Serialize)]
pub struct DispatchRow {
    /// The event.
    pub event_id: Uuid,
    /// The booking.
    pub booking_id: Option<Uuid>,
    /// The booking's version after the event.
    pub booking_version: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who wants it: the plugin,
    pub plugins: Vec<String>,
    /// and which of its parts.
    pub parts: Vec<String>,
}

/// An answer under an idempotency key.
#[derive(Debug, Clone, Serialize)]
pub struct IdempotencyRow {
    /// Whose key.
    pub scope: String,
    /// Its hash, in hexadecimal.
    pub key_hash: String,
    /// The operation.
    pub operation: &'static str,
    /// The hash of its input, in hexadecimal.
    pub input_hash: String,
    /// The answer.
    pub answer: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
}
