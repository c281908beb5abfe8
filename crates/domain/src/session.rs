//! Sessions: times at which a service takes place. A one-to-one appointment is a session of capacity 1.
//!
//! Bookings and holds alike take seats in a session, so a hold keeps a time exactly as a booking does and redeeming it
//! moves no allocation. A session whose last seat is given back lets go of its calendars.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{LocationId, ProviderId, ResourceId, ServiceId, SessionId};

/// A time at which a service takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What takes place.
    pub service_id: ServiceId,
    /// Who delivers it.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// How many seats it has; at least 1.
    pub capacity: u32,
    /// How many are taken by bookings and holds.
    pub seats_taken: u32,
    /// The resources it takes.
    pub resource_ids: Vec<ResourceId>,
}

impl Session {
    /// How many seats can still be taken.
    pub fn seats_left(&self) -> u32 {
        self.capacity.saturating_sub(self.seats_taken)
    }
}
