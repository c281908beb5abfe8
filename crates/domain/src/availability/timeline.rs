//! The busy time of one calendar: of a provider, of a resource with units, or the sessions of a service.
//!
//! It guarantees that asking costs nothing that could be done once: sessions are sorted, busy time is united for each
//! unit when the timeline is made. Only where a hold has run out that kept a session alone (and has not been cleared
//! away yet) is a list made anew, without that session.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use crate::id::{HoldId, LocationId, ServiceId, SessionId};
use crate::interval::{Interval, Minute, unite};

/// Seats that a hold keeps until it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldSeats {
    /// The hold.
    pub hold_id: HoldId,
    /// Until when; at that instant they are free.
    pub expires_at: DateTime<Utc>,
    /// How many.
    pub seats: u32,
}

/// A session on a calendar; one for each unit that it takes of the calendar's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusySession {
    /// The session.
    pub session_id: SessionId,
    /// What takes place.
    pub service_id: ServiceId,
    /// Where: nobody joins it elsewhere.
    pub location_id: LocationId,
    /// Which unit of the calendar it takes; 0 for a provider.
    pub unit: u32,
    /// When it starts.
    pub starts: Minute,
    /// When it ends.
    pub ends: Minute,
    /// The session with its buffers: what it keeps of the calendar.
    pub kept: Interval,
    /// How many seats it has.
    pub capacity: u32,
    /// How many of them are taken, by bookings and by holds.
    pub seats_taken: u32,
    /// The holds among the seats taken: neither redeemed nor given back, run out or not.
    pub holds: Vec<HeldSeats>,
}

impl BusySession {
    /// Seats taken by bookings and by holds that have not run out. At 0 nothing takes place.
    pub fn live_seats(&self, now: DateTime<Utc>) -> u32 {
        let expired = self
            .holds
            .iter()
            .filter(|hold| hold.expires_at <= now)
            .map(|hold| hold.seats);
        expired.fold(self.seats_taken, u32::saturating_sub)
    }

    /// Seats that can still be taken.
    pub fn seats_left(&self, now: DateTime<Utc>) -> u32 {
        self.capacity.saturating_sub(self.live_seats(now))
    }

    /// Whether it takes place at all.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.live_seats(now) > 0
    }

    /// The earliest instant at which it may cease to take place because holds run out; none where bookings keep it.
    fn lapses_at(&self) -> Option<DateTime<Utc>> {
        let held = self
            .holds
            .iter()
            .fold(0, |seats: u32, hold| seats.saturating_add(hold.seats));
        if held < self.seats_taken {
            None
        } else {
            self.holds.iter().map(|hold| hold.expires_at).min()
        }
    }
}

/// One calendar's busy time. Immutable: made once for a version of the calendar, asked often.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// By start, then id.
    sessions: Vec<BusySession>,
    /// Blocks and external busy time, united: they close every unit.
    closed: Vec<Interval>,
    units: Vec<Unit>,
    /// From when on the united lists are no longer right as they stand.
    lapses_at: Option<DateTime<Utc>>,
    /// When holds run out, latest first, and what their sessions keep.
    expiries: Vec<(DateTime<Utc>, Interval)>,
}

/// The united busy time of one unit while all holds live.
#[derive(Debug, Clone)]
struct Unit {
    /// Of sessions.
    held: Vec<Interval>,
    /// Of sessions, and closed.
    busy: Vec<Interval>,
}

impl Timeline {
    /// The busy time of a calendar of so many units (1 for a provider): its sessions, and when all of it is closed by
    /// blocks and external busy time. In any order.
    pub fn new(units: u32, mut sessions: Vec<BusySession>, closed: Vec<Interval>) -> Self {
        sessions.retain(|session| session.seats_taken > 0);
        sessions.sort_unstable_by_key(|session| (session.starts, session.session_id, session.unit));
        let closed = unite(closed);
        let units = (0..units)
            .map(|unit| Unit::new(unit, &sessions, &closed))
            .collect();
        let held = sessions.iter().flat_map(|session| {
            session
                .holds
                .iter()
                .map(|hold| (hold.expires_at, session.kept))
        });
        let mut expiries: Vec<_> = held.collect();
        expiries.sort_unstable_by_key(|&(at, kept)| Reverse((at, kept)));
        let lapses_at = sessions.iter().filter_map(BusySession::lapses_at).min();
        Self {
            sessions,
            closed,
            units,
            lapses_at,
            expiries,
        }
    }

    /// The sessions, by start: live or not.
    pub fn sessions(&self) -> &[BusySession] {
        &self.sessions
    }

    /// When the whole calendar is closed by blocks and external busy time, sorted and disjoint.
    pub fn closed(&self) -> &[Interval] {
        &self.closed
    }

    /// The same with other sessions, in any order.
    #[must_use]
    pub fn with_sessions(&self, sessions: Vec<BusySession>) -> Self {
        Self::new(self.units(), sessions, self.closed.clone())
    }

    /// The same without so many seats of a session, as one who moves a booking sees it: they count as free, and a
    /// session that nobody else is in is not there at all.
    #[must_use]
    pub fn without(&self, session: SessionId, seats: u32) -> Self {
        let sessions = self.sessions.iter().cloned().map(|mut other| {
            if other.session_id == session {
                other.seats_taken = other.seats_taken.saturating_sub(seats);
            }
            other
        });
        self.with_sessions(sessions.collect())
    }

    /// When the next hold runs out, if one is running.
    pub fn next_expiry(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.expiries
            .iter()
            .rev()
            .map(|&(at, _)| at)
            .find(|&at| at > now)
    }

    /// When the next hold runs out that keeps any of that time.
    pub(super) fn next_expiry_within(
        &self,
        during: Interval,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut running = self
            .expiries
            .iter()
            .rev()
            .filter(|(at, kept)| *at > now && kept.meets(during));
        running.next().map(|&(at, _)| at)
    }

    /// How many units the calendar has.
    pub(super) fn units(&self) -> u32 {
        u32::try_from(self.units.len()).unwrap_or(u32::MAX)
    }

    /// When the unit is busy, sorted and disjoint (AVAILABILITY.md, 8).
    pub(super) fn busy<'s>(
        &'s self,
        unit: u32,
        now: DateTime<Utc>,
        scratch: &'s mut Vec<Interval>,
    ) -> &'s [Interval] {
        if self.has_lapsed(now) {
            *scratch = self
                .held_now(unit, now)
                .chain(self.closed.iter().copied())
                .collect();
            *scratch = unite(std::mem::take(scratch));
            return scratch;
        }
        self.unit(unit).map_or(&[], |unit| &unit.busy)
    }

    /// When sessions take the unit, sorted and disjoint: what is busy and not merely closed.
    pub(super) fn held<'s>(
        &'s self,
        unit: u32,
        now: DateTime<Utc>,
        scratch: &'s mut Vec<Interval>,
    ) -> &'s [Interval] {
        if self.has_lapsed(now) {
            *scratch = unite(self.held_now(unit, now).collect());
            return scratch;
        }
        self.unit(unit).map_or(&[], |unit| &unit.held)
    }

    /// The sessions that start then, live or not, by start.
    pub(super) fn starting(&self, during: Interval) -> &[BusySession] {
        let from = self
            .sessions
            .partition_point(|session| session.starts < during.start());
        let rest = self.sessions.get(from..).unwrap_or_default();
        let count = rest.partition_point(|session| session.starts < during.end());
        rest.get(..count).unwrap_or_default()
    }

    fn unit(&self, unit: u32) -> Option<&Unit> {
        self.units.get(usize::try_from(unit).ok()?)
    }

    fn has_lapsed(&self, now: DateTime<Utc>) -> bool {
        self.lapses_at.is_some_and(|at| at <= now)
    }

    fn held_now(&self, unit: u32, now: DateTime<Utc>) -> impl Iterator<Item = Interval> {
        let live = self
            .sessions
            .iter()
            .filter(move |session| session.unit == unit && session.is_live(now));
        live.map(|session| session.kept)
    }
}

impl Unit {
    fn new(unit: u32, sessions: &[BusySession], closed: &[Interval]) -> Self {
        let on_unit = sessions.iter().filter(|session| session.unit == unit);
        let held = unite(on_unit.map(|session| session.kept).collect());
        let busy = unite(held.iter().chain(closed).copied().collect());
        Self { held, busy }
    }
}
