//! Calendars in memory: the busy time and the hours of each, by the version that the database gives it. One statement tells which are
//! still right; what is not is read anew in a constant number of statements, however many calendars there are.
//!
//! A timeline holds all that lies ahead (and two days of what is past, for limits per day), so it stays right while time passes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::availability::{BusySession, HeldSeats, Timeline};
use domain::calendar::{Version, Versions};
use domain::id::{BusinessId, CalendarId, HoldId, Id, LocationId, ServiceId, SessionId};
use domain::interval::{Interval, Minute};
use domain::schedule::Schedule;
use moka::future::Cache;
use store::Conn;
use store::calendar::{BusyRow, HeldRow};
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::catalogue::cache::{weekly, window};
use crate::{Engine, Result};

/// How much of the past a timeline holds: enough for the local day of now in any zone.
pub(super) const PAST: TimeDelta = TimeDelta::days(2);

/// A calendar at one version.
pub(crate) struct Calendar {
    pub version: Version,
    /// Whether it is what the database held at that version, and nothing that came since: only such a one can be carried forward.
    pub exact: bool,
    pub timeline: Timeline,
    /// The hours of a provider, by location.
    pub schedules: BTreeMap<LocationId, Schedule>,
    /// When the first hold on it runs out (or ran out): until it is swept, it stands in the way of writes.
    pub first_expiry: Option<DateTime<Utc>>,
}

/// Several calendars, each at the version it had when they were asked for.
pub(crate) type Calendars = HashMap<CalendarId, Arc<Calendar>>;

/// Calendars by business and id; bounded, the least used leave first.
pub(crate) struct CalendarCache(pub(super) Cache<(BusinessId, CalendarId), Arc<Calendar>>);

impl Default for CalendarCache {
    fn default() -> Self {
        Self(Cache::new(100_000))
    }
}

impl Engine {
    /// These calendars as they are now.
    pub(crate) async fn calendars(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        ids: &[CalendarId],
    ) -> Result<Calendars> {
        let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let versions =
            store::calendar::calendar_versions(conn, catalogue.business.id, &uuids).await?;
        self.calendars_at(conn, catalogue, &versions).await
    }

    /// Calendars at these versions, which the database gave on this connection.
    pub(crate) async fn calendars_at(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        versions: &Versions,
    ) -> Result<Calendars> {
        let business = catalogue.business.id;
        let mut calendars = Calendars::with_capacity(versions.len());
        let mut stale = Vec::new();
        for (id, version) in versions {
            match self.0.calendars.0.get(&(business, *id)).await {
                Some(known) if known.version == *version => {
                    calendars.insert(*id, known);
                }
                _ => stale.push((*id, *version)),
            }
        }
        if stale.is_empty() {
            return Ok(calendars);
        }
        let read = self.read_calendars(conn, catalogue, &stale).await?;
        let uuids: Vec<Uuid> = stale.iter().map(|(id, _)| id.uuid()).collect();
        let after = store::calendar::calendar_versions(conn, business, &uuids).await?;
        for (id, mut calendar) in read {
            calendar.exact = after.get(&id) == Some(&calendar.version);
            let calendar = Arc::new(calendar);
            self.0
                .calendars
                .0
                .insert((business, id), calendar.clone())
                .await;
            calendars.insert(id, calendar);
        }
        Ok(calendars)
    }

    pub(super) async fn read_calendars(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        wanted: &[(CalendarId, Version)],
    ) -> Result<Vec<(CalendarId, Calendar)>> {
        let business = catalogue.business.id;
        let after = self.clock().now() - PAST;
        let ids: Vec<Uuid> = wanted.iter().map(|(id, _)| id.uuid()).collect();
        let (busy, counted, held, blocks, elsewhere, hours, overrides) = futures_util::try_join!(
            store::calendar::calendar_busy(conn, business, &ids, after),
            store::calendar::calendar_service_busy(conn, business, &ids, after),
            store::calendar::calendar_held(conn, business, &ids),
            store::block::block_list(conn, business, &ids, after),
            store::external_event::external_event_list(conn, business, &ids, after),
            store::schedule::weekly_hours_list(conn, business, &ids),
            store::schedule::date_override_list(conn, business, &ids, after.date_naive()),
        )?;
        let mut parts = Parts::new(&held);
        parts.add_sessions(busy.iter().chain(&counted));
        for block in blocks {
            let closed = parts.closed.entry(block.calendar_id.uuid()).or_default();
            closed.extend(Interval::covering(block.starts_at, block.ends_at));
        }
        for busy in elsewhere {
            let closed = parts.closed.entry(busy.calendar_id).or_default();
            closed.extend(Interval::covering(busy.starts_at, busy.ends_at));
        }
        for row in hours {
            parts
                .schedule(row.provider_id.uuid(), row.location_id)
                .weekly = weekly(&row.windows);
        }
        for row in overrides {
            let windows = row
                .windows
                .iter()
                .filter_map(|stored| window(*stored))
                .collect();
            parts
                .schedule(row.provider_id.uuid(), row.location_id)
                .overrides
                .insert(row.date, windows);
        }
        Ok(wanted
            .iter()
            .map(|(id, version)| (*id, parts.calendar(catalogue, *id, *version)))
            .collect())
    }
}

/// What was read of many calendars, sorted by calendar.
struct Parts {
    held: HashMap<Uuid, Vec<HeldSeats>>,
    sessions: HashMap<Uuid, Vec<BusySession>>,
    closed: HashMap<Uuid, Vec<Interval>>,
    schedules: HashMap<Uuid, BTreeMap<LocationId, Schedule>>,
}

impl Parts {
    fn new(rows: &[HeldRow]) -> Self {
        let mut held: HashMap<Uuid, Vec<HeldSeats>> = HashMap::new();
        for row in rows {
            let seats = HeldSeats {
                hold_id: HoldId::from_uuid(row.id),
                expires_at: row.expires_at,
                seats: natural(row.party_size),
            };
            held.entry(row.session_id).or_default().push(seats);
        }
        Self {
            held,
            sessions: HashMap::new(),
            closed: HashMap::new(),
            schedules: HashMap::new(),
        }
    }

    fn add_sessions<'a>(&mut self, rows: impl Iterator<Item = &'a BusyRow>) {
        for row in rows {
            let Some(kept) = Interval::covering(row.kept_from, row.kept_to) else {
                continue;
            };
            let session = BusySession {
                session_id: SessionId::from_uuid(row.session_id),
                service_id: ServiceId::from_uuid(row.service_id),
                location_id: LocationId::from_uuid(row.location_id),
                unit: natural(row.unit),
                starts: Minute::floor(row.starts_at),
                ends: Minute::ceil(row.ends_at),
                kept,
                capacity: natural(row.capacity),
                seats_taken: natural(row.seats_taken),
                holds: self.held.get(&row.session_id).cloned().unwrap_or_default(),
            };
            self.sessions
                .entry(row.calendar_id)
                .or_default()
                .push(session);
        }
    }

    fn schedule(&mut self, provider: Uuid, location: LocationId) -> &mut Schedule {
        self.schedules
            .entry(provider)
            .or_default()
            .entry(location)
            .or_default()
    }

    fn calendar(&mut self, catalogue: &Catalogue, id: CalendarId, version: Version) -> Calendar {
        let units = catalogue
            .resource(Id::from_uuid(id.uuid()))
            .map_or(1, |resource| resource.units);
        let sessions = self.sessions.remove(&id.uuid()).unwrap_or_default();
        let closed = self.closed.remove(&id.uuid()).unwrap_or_default();
        let schedules = self.schedules.remove(&id.uuid()).unwrap_or_default();
        Calendar::new(version, Timeline::new(units, sessions, closed), schedules)
    }
}

impl Calendar {
    /// A calendar of which it is not known yet whether it is exact.
    pub(super) fn new(
        version: Version,
        timeline: Timeline,
        schedules: BTreeMap<LocationId, Schedule>,
    ) -> Self {
        let holds = timeline
            .sessions()
            .iter()
            .flat_map(|session| &session.holds);
        Self {
            version,
            exact: false,
            first_expiry: holds.map(|held| held.expires_at).min(),
            timeline,
            schedules,
        }
    }
}

/// The database's checks keep these columns from being negative.
fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}
