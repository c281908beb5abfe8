//! Places where services are delivered. A location has a time zone; wall-clock times at it are read there.

use crate::id::LocationId;
use crate::schedule::Schedule;
use crate::zone::Zone;

/// A place where services are delivered.
#[derive(Debug, Clone)]
pub struct Location {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// The zone of its wall clocks.
    pub zone: Zone,
    /// Its own opening hours, where it has any (AVAILABILITY.md, 4).
    pub opening: Option<Schedule>,
    /// Archived: kept for history, closed to new bookings.
    pub archived: bool,
}
