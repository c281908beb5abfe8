//! Resources: rooms, chairs, machines. A resource of several units takes as many sessions at once.

use crate::id::{LocationId, ResourceId, ResourceKindId};

/// A kind of resource.
#[derive(Debug, Clone)]
pub struct ResourceKind {
    /// Its id.
    pub id: ResourceKindId,
    /// Its name.
    pub name: String,
    /// Archived: kept for history.
    pub archived: bool,
}

/// A resource of a kind, at a location.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its id; its calendar bears it too.
    pub id: ResourceId,
    /// Its name.
    pub name: String,
    /// What kind it is of.
    pub kind_id: ResourceKindId,
    /// Where it stands.
    pub location_id: LocationId,
    /// How many sessions it takes at once; at least 1. Units are numbered from 0.
    pub units: u32,
    /// Archived: kept for history, closed to new bookings.
    pub archived: bool,
}
