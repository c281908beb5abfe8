//! What is asked and what is answered: plain values, borrowed where they are large.

use chrono::{DateTime, Utc};

use crate::availability::{ProviderIds, Timeline};
use crate::id::{CalendarId, LocationId, ProviderId, ResourceId, SessionId};
use crate::interval::{Interval, Minute};
use crate::schedule::Schedule;
use crate::service::Service;
use crate::zone::Zone;

/// Someone who could deliver the service at a place.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Who.
    pub provider_id: ProviderId,
    /// Their hours at the place (AVAILABILITY.md, 4).
    pub schedule: &'a Schedule,
    /// Their busy time, at whatever place (AVAILABILITY.md, 5).
    pub timeline: &'a Timeline,
    /// The most sessions of theirs that may start on one local day (AVAILABILITY.md, 11).
    pub daily_limit: Option<u32>,
}

/// Units of one kind of resource that a session needs (AVAILABILITY.md, 8).
#[derive(Debug, Clone)]
pub struct Requirement<'a> {
    /// How many units at once.
    pub units: u32,
    /// The resources of the kind at the place. No resource is in the pools of two requirements.
    pub pool: Vec<(ResourceId, &'a Timeline)>,
}

/// A location where the service could take place.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Which.
    pub location_id: LocationId,
    /// The zone of its wall clocks.
    pub zone: &'a Zone,
    /// Its own opening hours, where it has any (AVAILABILITY.md, 4).
    pub opening: Option<&'a Schedule>,
    /// Who could deliver the service there, each once.
    pub candidates: Vec<Candidate<'a>>,
    /// What a session needs beside its provider.
    pub requirements: Vec<Requirement<'a>>,
}

/// All that bears on when a service can be had.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The service.
    pub service: &'a Service,
    /// How many places are wanted; at least 1.
    pub party_size: u32,
    /// The instant at which it is asked.
    pub now: DateTime<Utc>,
    /// Where it could take place, each location once.
    pub places: Vec<Place<'a>>,
    /// All sessions of the service; given when it has a limit per day (AVAILABILITY.md, 11).
    pub service_timeline: Option<&'a Timeline>,
}

/// A start time on offer (AVAILABILITY.md, 13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// When a session would start.
    pub starts: Minute,
    /// When it would end.
    pub ends: Minute,
    /// Where.
    pub location_id: LocationId,
    /// Who can take it; at least one.
    pub provider_ids: ProviderIds,
    /// Seats left in the fullest session that can be joined, else the service's capacity.
    pub seats_left: u32,
}

/// A unit of a calendar that a new session takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// The calendar, of a provider or of a resource.
    pub calendar_id: CalendarId,
    /// Which of its units; 0 for a provider.
    pub unit: u32,
    /// Whether it overlaps another session on that unit, on purpose (AVAILABILITY.md, 12).
    pub overlap: bool,
}

/// How a booking gets its seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seats {
    /// It joins this session (AVAILABILITY.md, 9).
    Join(SessionId),
    /// It opens a session.
    Open {
        /// The session with its buffers: what is kept of every calendar.
        kept: Interval,
        /// What is taken, of provider and resources; sorted by calendar and unit.
        taken: Vec<Taken>,
    },
}

/// What a booking takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Who delivers it.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// The session without its buffers.
    pub span: Interval,
    /// How it gets its seats.
    pub seats: Seats,
}
