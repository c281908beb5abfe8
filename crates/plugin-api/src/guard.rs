//! Guards: a plugin's say before a booking is written. A guard may only refuse; it changes nothing.

use chrono::{DateTime, Utc};
use domain::actor::Actor;
use domain::id::{BookingId, BusinessId, CustomerId, LocationId, ProviderId, ServiceId};

use crate::settings::PluginSettings;

/// May this be booked? Asked after the rules of the domain have said yes and before the transaction begins, for a new
/// booking and for one that moves.
pub trait Guard: Send + Sync {
    /// Refuses the proposal, or lets it be.
    ///
    /// It is called on the path of every booking: it does no IO, waits for nothing, and answers within microseconds from
    /// the settings of the business and what it already knows. It may be asked several times about one booking (when somebody else was quicker and the
    /// decision is made anew), and about a booking that then does not come about. A panic, or no answer in time, counts as a refusal
    /// without a reason.
    ///
    /// # Errors
    /// [`Refused`], with the reason that the customer is shown.
    fn check(&self, settings: &PluginSettings, proposal: &Proposal) -> Result<(), Refused>;
}

/// What is about to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The business.
    pub business_id: BusinessId,
    /// The booking that moves; none for a new one.
    pub booking_id: Option<BookingId>,
    /// The service.
    pub service_id: ServiceId,
    /// The provider, chosen already also where the customer asked for any.
    pub provider_id: ProviderId,
    /// The location.
    pub location_id: LocationId,
    /// When it would begin.
    pub starts_at: DateTime<Utc>,
    /// When it would end, without buffers; later than `starts_at`.
    pub ends_at: DateTime<Utc>,
    /// How many places; at least 1.
    pub party_size: u32,
    /// The customer, where the business knows them already.
    pub customer_id: Option<CustomerId>,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's email address.
    pub customer_email: Option<String>,
    /// The customer's telephone number, as given.
    pub customer_phone: Option<String>,
    /// What the customer wrote.
    pub note: Option<String>,
    /// Who is asking; [`Actor::label`] is the name that people read.
    pub by: Actor,
}

/// A guard's no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, in words for the customer; one sentence without secrets.
    pub reason: String,
}

impl Refused {
    /// A refusal for this reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}
