//! Services: what can be booked, and the rules by which it can.

use serde::{Deserialize, Serialize};

use crate::deposit::Deposit;
use crate::id::{ProviderId, ResourceKindId, ServiceId};
use crate::money::Money;
use crate::policy::BookingPolicy;

/// From where start times are counted (AVAILABILITY.md, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotAlignment {
    /// From where the working window opens.
    Window,
    /// From midnight of the wall clock.
    Clock,
}

/// So many units of a kind of resource, for as long as the session (and its buffers) lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRequirement {
    /// The kind.
    pub kind_id: ResourceKindId,
    /// How many units at once; at least 1.
    pub units: u32,
}

/// What can be booked.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its id; its calendar (which counts sessions a day) bears it too.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What it is, for customers.
    pub description: Option<String>,
    /// How long a session lasts, in minutes; at least 1.
    pub duration_minutes: u32,
    /// How long the provider and the resources are kept before a session, in minutes.
    pub buffer_before_minutes: u32,
    /// How long they are kept after it, in minutes.
    pub buffer_after_minutes: u32,
    /// The distance of start times, in minutes; at least 1.
    pub slot_interval_minutes: u32,
    /// From where start times are counted.
    pub slot_alignment: SlotAlignment,
    /// Seats of a session; at least 1.
    pub capacity: u32,
    /// The price of one place.
    pub price: Money,
    /// When it may be booked.
    pub policy: BookingPolicy,
    /// What is to be paid before a booking stands.
    pub deposit: Deposit,
    /// The most sessions that may start on one local day (AVAILABILITY.md, 11).
    pub daily_limit: Option<u32>,
    /// Who offers it.
    pub provider_ids: Vec<ProviderId>,
    /// What a session needs beside its provider.
    pub requires: Vec<ResourceRequirement>,
    /// Archived: kept for history, closed to new bookings.
    pub archived: bool,
}
