//! Calendars carried forward: what a commit of this process did to a calendar is done to the one in memory too, so that nobody has to
//! read it anew. A commit of another process is not: its calendars are read when they are next asked for.
//!
//! It is right because of three things: the calendar in memory was exact (what the database held at that version, and nothing
//! newer), the commit raised its version by one under its lock, and [`Changes`] holds all that the commit did to it
//! (`UseCase::CARRIES_CALENDARS`).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::availability::{BusySession, HeldSeats};
use domain::calendar::{Version, Versions};
use domain::id::{BusinessId, CalendarId, HoldId, Id, LocationId, ServiceId, SessionId};
use domain::interval::{Interval, Minute};
use store::changes::{Changes, SessionRow};
use uuid::Uuid;

use super::calendars::{Calendar, PAST};
use crate::{Caller, Engine, Result};

impl Engine {
    /// Does to the calendars in memory what was just committed, which raised them to these versions.
    pub(crate) async fn carry_calendars(
        &self,
        business: BusinessId,
        changes: &Changes,
        raised: &Versions,
    ) {
        let past = self.clock().now() - PAST;
        let delta = Delta::of(changes);
        let cache = &self.0.calendars.0;
        for (&id, &version) in raised {
            let Some(known) = cache.get(&(business, id)).await else {
                continue;
            };
            if known.exact && known.version == version - 1 {
                let carried = delta.applied(&known, id, version, past);
                cache.insert((business, id), Arc::new(carried)).await;
            }
        }
    }

    /// Calendars in memory that say something else than the database does at the same version. There are none, unless there is a
    /// defect: an assertion for tests under load.
    #[doc(hidden)]
    pub async fn calendars_astray(&self, caller: &Caller) -> Result<Vec<CalendarId>> {
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let cache = &self.0.calendars.0;
        let own = cache.iter().filter(|(key, _)| key.0 == caller.business);
        let known: HashMap<CalendarId, Arc<Calendar>> =
            own.map(|(key, calendar)| (key.1, calendar)).collect();
        let ids: Vec<Uuid> = known.keys().map(|id| id.uuid()).collect();
        let versions = store::calendar::calendar_versions(&conn, caller.business, &ids).await?;
        let wanted: Vec<(CalendarId, Version)> = versions.into_iter().collect();
        let read = self.read_calendars(&conn, &catalogue, &wanted).await?;
        let past = Minute::ceil(self.clock().now() - PAST);
        let ahead = |calendar: &Calendar| -> Vec<BusySession> {
            let mut sessions = calendar.timeline.sessions().to_vec();
            sessions.retain(|session| session.kept.end() > past);
            for session in &mut sessions {
                session.holds.sort_by_key(|held| held.hold_id);
            }
            sessions
        };
        let astray = |(id, read): &(CalendarId, Calendar)| {
            known.get(id).is_some_and(|known| {
                known.exact && known.version == read.version && ahead(known) != ahead(read)
            })
        };
        Ok(read
            .iter()
            .filter(|read| astray(read))
            .map(|(id, _)| *id)
            .collect())
    }
}

/// What changes do to sessions.
struct Delta<'a> {
    changes: &'a Changes,
    opened: HashMap<Uuid, &'a SessionRow>,
}

impl<'a> Delta<'a> {
    fn of(changes: &'a Changes) -> Self {
        let opened = changes.sessions.iter().map(|row| (row.id, row)).collect();
        Self { changes, opened }
    }

    fn applied(
        &self,
        calendar: &Calendar,
        id: CalendarId,
        version: Version,
        past: DateTime<Utc>,
    ) -> Calendar {
        let past = Minute::floor(past);
        let known = calendar.timeline.sessions().iter();
        let mut sessions: Vec<BusySession> = known
            .filter(|session| session.kept.end() > past)
            .cloned()
            .chain(self.opened_on(id))
            .collect();
        for session in &mut sessions {
            self.apply_to(session);
        }
        let timeline = calendar.timeline.with_sessions(sessions);
        Calendar {
            exact: true,
            ..Calendar::new(version, timeline, calendar.schedules.clone())
        }
    }

    /// New sessions as the calendar sees them: what they take of it, or that they take place, on a service's own.
    fn opened_on(&self, id: CalendarId) -> impl Iterator<Item = BusySession> {
        let uuid = id.uuid();
        let allocated = self
            .changes
            .allocations
            .iter()
            .filter(move |row| row.calendar_id == uuid)
            .filter_map(|row| {
                let kept = Interval::covering(row.kept_from, row.kept_to)?;
                Some(busy(self.opened.get(&row.session_id)?, row.unit, kept))
            });
        let counted = self
            .changes
            .sessions
            .iter()
            .filter(move |row| row.service_id == uuid)
            .filter_map(|row| {
                Some(busy(
                    row,
                    0,
                    Interval::covering(row.starts_at, row.ends_at)?,
                ))
            });
        allocated.chain(counted)
    }

    fn apply_to(&self, session: &mut BusySession) {
        let id = session.session_id.uuid();
        for row in self.changes.given_back.iter().filter(|row| row.id == id) {
            session.seats_taken = session.seats_taken.saturating_sub(row.seats);
        }
        for row in self.changes.seats.iter().filter(|row| row.id == id) {
            session.seats_taken += row.seats;
        }
        session.holds.retain(|held| {
            let mut endings = self.changes.hold_endings.iter();
            !endings.any(|row| row.id == held.hold_id.uuid())
        });
        let new = self.changes.holds.iter().filter(|row| row.session_id == id);
        session.holds.extend(new.map(|row| HeldSeats {
            hold_id: HoldId::from_uuid(row.id),
            expires_at: row.expires_at,
            seats: row.party_size,
        }));
    }
}

fn busy(row: &SessionRow, unit: u32, kept: Interval) -> BusySession {
    BusySession {
        session_id: SessionId::from_uuid(row.id),
        service_id: ServiceId::from_uuid(row.service_id),
        location_id: LocationId::from_uuid(row.location_id),
        unit,
        starts: Minute::floor(row.starts_at),
        ends: Minute::ceil(row.ends_at),
        kept,
        capacity: row.capacity,
        seats_taken: row.seats_taken,
        holds: Vec::new(),
    }
}
