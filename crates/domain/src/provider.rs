//! Providers: the people who deliver services.

use crate::id::{LocationId, ProviderId};

/// A person who delivers services.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Their id; their calendar bears it too.
    pub id: ProviderId,
    /// Their name.
    pub name: String,
    /// Where mail about their bookings goes.
    pub email: Option<String>,
    /// The most sessions that may start on one local day (AVAILABILITY.md, 11).
    pub daily_limit: Option<u32>,
    /// Where they work.
    pub location_ids: Vec<LocationId>,
    /// Archived: kept for history, closed to new bookings.
    pub archived: bool,
}
