//! A small world to ask questions about: places, people who work there, machines, and what keeps them busy.

use chrono::{DateTime, NaiveDate, Utc};
use domain::availability::{
    BusySession, Candidate, HeldSeats, Place, Plan, Question, Requirement, Slot, Timeline, decide,
    slots,
};
use domain::id::{HoldId, Id, LocationId, ProviderId, ResourceId, ServiceId, SessionId};
use domain::interval::{Interval, Minute};
use domain::money::{Currency, Money};
use domain::policy::BookingPolicy;
use domain::problem::UnavailableReason;
use domain::schedule::{LocalWindow, Schedule};
use domain::service::{Service, SlotAlignment};
use domain::zone::{Zone, ZoneDatabase};
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct World {
    pub service: Service,
    pub party_size: u32,
    pub now: DateTime<Utc>,
    pub sites: Vec<Site>,
    pub workers: Vec<Worker>,
    pub machines: Vec<Machine>,
    /// Sessions of the service with nobody in this world.
    pub elsewhere: Vec<BusySession>,
}

#[derive(Debug, Clone)]
pub struct Site {
    pub location_id: LocationId,
    pub zone: Zone,
    pub opening: Option<Schedule>,
    /// Who works here and when, by index.
    pub hours: Vec<(usize, Schedule)>,
    /// How many units of which machines.
    pub requirements: Vec<(u32, Vec<usize>)>,
}

#[derive(Debug, Clone)]
pub struct Worker {
    pub id: ProviderId,
    pub daily_limit: Option<u32>,
    pub sessions: Vec<BusySession>,
    pub closed: Vec<Interval>,
}

#[derive(Debug, Clone)]
pub struct Machine {
    pub id: ResourceId,
    pub units: u32,
    pub sessions: Vec<BusySession>,
    pub closed: Vec<Interval>,
}

impl World {
    /// One provider at one place, an hour's service, no policy to speak of, a long time before anything.
    pub fn new(zone: &str, schedule: Schedule) -> Self {
        Self {
            service: service(),
            party_size: 1,
            now: at("2000-01-01T00:00Z"),
            sites: vec![Site::new(1, zone, vec![(0, schedule)])],
            workers: vec![Worker::new(1)],
            machines: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// With another provider, who has these hours at the first place.
    pub fn with_worker(mut self, schedule: Schedule) -> Self {
        let index = self.workers.len();
        self.workers.push(Worker::new(index as u128 + 1));
        self.sites[0].hours.push((index, schedule));
        self
    }

    pub fn with_service(mut self, change: impl FnOnce(&mut Service)) -> Self {
        change(&mut self.service);
        self
    }

    /// What keeps a provider busy: a session from one minute to another, buffers included.
    pub fn book(&mut self, worker: usize, session: BusySession) {
        self.workers[worker].sessions.push(session);
    }

    pub fn ask<R>(&self, answer: impl FnOnce(&Question<'_>) -> R) -> R {
        let timelines: Vec<_> = self
            .workers
            .iter()
            .map(|worker| timeline(1, &worker.sessions, &worker.closed))
            .collect();
        self.ask_with(&timelines, answer)
    }

    pub fn ask_with<R>(
        &self,
        timelines: &[Timeline],
        answer: impl FnOnce(&Question<'_>) -> R,
    ) -> R {
        let machines: Vec<_> = self
            .machines
            .iter()
            .map(|machine| timeline(machine.units, &machine.sessions, &machine.closed))
            .collect();
        let own = timeline(1, &self.own_sessions(), &[]);
        let candidate = |(worker, schedule): &(usize, Schedule)| (*worker, schedule.clone());
        let hours: Vec<Vec<_>> = self
            .sites
            .iter()
            .map(|site| site.hours.iter().map(candidate).collect())
            .collect();
        let places = self.sites.iter().zip(&hours).map(|(site, hours)| Place {
            location_id: site.location_id,
            zone: &site.zone,
            opening: site.opening.as_ref(),
            candidates: hours
                .iter()
                .map(|(worker, schedule)| Candidate {
                    provider_id: self.workers[*worker].id,
                    schedule,
                    timeline: &timelines[*worker],
                    daily_limit: self.workers[*worker].daily_limit,
                })
                .collect(),
            requirements: site
                .requirements
                .iter()
                .map(|(units, pool)| Requirement {
                    units: *units,
                    pool: pool
                        .iter()
                        .map(|&index| (self.machines[index].id, &machines[index]))
                        .collect(),
                })
                .collect(),
        });
        answer(&Question {
            service: &self.service,
            party_size: self.party_size,
            now: self.now,
            places: places.collect(),
            service_timeline: self.service.daily_limit.map(|_| &own),
        })
    }

    /// All sessions of the service.
    pub fn own_sessions(&self) -> Vec<BusySession> {
        let theirs = self.workers.iter().flat_map(|worker| &worker.sessions);
        theirs
            .chain(&self.elsewhere)
            .filter(|session| session.service_id == self.service.id)
            .cloned()
            .collect()
    }

    pub fn slots(&self, from: &str, to: &str) -> Vec<Slot> {
        self.ask(|question| slots(question, at(from), at(to)))
    }

    /// The starts on offer between two instants, as `2027-03-14T05:00Z`.
    pub fn starts(&self, from: &str, to: &str) -> Vec<String> {
        self.slots(from, to)
            .iter()
            .map(|slot| utc(slot.starts))
            .collect()
    }

    /// The starts on offer on one local day at the first place, by the wall clock.
    pub fn local_starts(&self, date: &str) -> Vec<String> {
        let zone = &self.sites[0].zone;
        let day = zone.day(date.parse().unwrap()).unwrap();
        let slots =
            self.ask(|question| slots(question, day.start().instant(), day.end().instant()));
        slots
            .iter()
            .map(|slot| {
                zone.to_wall(slot.starts.instant())
                    .format("%H:%M")
                    .to_string()
            })
            .collect()
    }

    pub fn decide(&self, starts: &str) -> Result<Plan, Vec<UnavailableReason>> {
        self.ask(|question| decide(question, minute(starts), None))
    }

    pub fn reasons(&self, starts: &str) -> Vec<UnavailableReason> {
        self.decide(starts).err().unwrap_or_default()
    }
}

impl Site {
    pub fn new(id: u128, zone: &str, hours: Vec<(usize, Schedule)>) -> Self {
        Self {
            location_id: location(id),
            zone: zone_named(zone),
            opening: None,
            hours,
            requirements: Vec::new(),
        }
    }
}

impl Worker {
    pub fn new(id: u128) -> Self {
        Self {
            id: provider(id),
            daily_limit: None,
            sessions: Vec::new(),
            closed: Vec::new(),
        }
    }
}

impl Machine {
    pub fn new(id: u128, units: u32) -> Self {
        Self {
            id: ResourceId::from_uuid(Uuid::from_u128(1000 + id)),
            units,
            sessions: Vec::new(),
            closed: Vec::new(),
        }
    }
}

/// The same with half an hour's service every half hour.
pub fn half_hours(world: World) -> World {
    world.with_service(|service| {
        service.duration_minutes = 30;
        service.slot_interval_minutes = 30;
    })
}

pub fn timeline(units: u32, sessions: &[BusySession], closed: &[Interval]) -> Timeline {
    Timeline::new(units, sessions.to_vec(), closed.to_vec())
}

pub fn service() -> Service {
    Service {
        id: ServiceId::from_uuid(Uuid::from_u128(1)),
        name: "Haircut".to_owned(),
        description: None,
        duration_minutes: 60,
        buffer_before_minutes: 0,
        buffer_after_minutes: 0,
        slot_interval_minutes: 60,
        slot_alignment: SlotAlignment::Window,
        capacity: 1,
        price: Money {
            amount: 0,
            currency: Currency::new("EUR").unwrap(),
        },
        policy: BookingPolicy {
            minimum_notice_minutes: 0,
            maximum_advance_days: 36_500,
            cancellation_notice_minutes: 0,
            reschedule_notice_minutes: 0,
        },
        deposit: domain::deposit::Deposit::None,
        capture: domain::deposit::CaptureMethod::Automatic,
        daily_limit: None,
        provider_ids: Vec::new(),
        requires: Vec::new(),
        archived: false,
    }
}

/// A session of the service of capacity 1 at the first place, without buffers.
pub fn session(id: u128, starts: &str, ends: &str) -> BusySession {
    BusySession {
        session_id: SessionId::from_uuid(Uuid::from_u128(id)),
        service_id: service().id,
        location_id: location(1),
        unit: 0,
        starts: minute(starts),
        ends: minute(ends),
        kept: interval(starts, ends),
        capacity: 1,
        seats_taken: 1,
        holds: Vec::new(),
    }
}

/// A class of the service.
pub fn class(id: u128, starts: &str, ends: &str, seats_taken: u32, capacity: u32) -> BusySession {
    BusySession {
        capacity,
        seats_taken,
        ..session(id, starts, ends)
    }
}

pub fn held(seats: u32, expires_at: &str) -> HeldSeats {
    HeldSeats {
        hold_id: HoldId::from_uuid(Uuid::nil()),
        expires_at: at(expires_at),
        seats,
    }
}

pub fn zone_named(name: &str) -> Zone {
    thread_local!(static ZONES: ZoneDatabase = ZoneDatabase::bundled());
    ZONES.with(|zones| zones.get(name).unwrap())
}

pub fn provider(id: u128) -> ProviderId {
    ProviderId::from_uuid(Uuid::from_u128(id))
}

pub fn location(id: u128) -> LocationId {
    LocationId::from_uuid(Uuid::from_u128(id))
}

/// Every day from one time to another: `daily("09:00-12:00")`.
pub fn daily(windows: &str) -> Schedule {
    Schedule {
        weekly: std::array::from_fn(|_| local_windows(windows)),
        ..Schedule::default()
    }
}

/// The windows of single weekdays, Monday first.
pub fn weekly(windows: [&str; 7]) -> Schedule {
    Schedule {
        weekly: windows.map(local_windows),
        ..Schedule::default()
    }
}

/// What replaces the weekly windows on a date.
pub fn on(mut schedule: Schedule, date: &str, windows: &str) -> Schedule {
    schedule
        .overrides
        .insert(date.parse::<NaiveDate>().unwrap(), local_windows(windows));
    schedule
}

/// Windows as text: `09:00-12:00 13:00-17:00`.
pub fn local_windows(text: &str) -> Vec<LocalWindow> {
    let window = |text: &str| {
        let (opens, closes) = text.split_once('-').unwrap();
        LocalWindow::new(opens.parse().unwrap(), closes.parse().unwrap()).unwrap()
    };
    text.split_whitespace().map(window).collect()
}

/// An instant, with seconds or without: `2027-03-14T05:00Z`.
pub fn at(text: &str) -> DateTime<Utc> {
    let whole = text.strip_suffix('Z').unwrap();
    let seconds = if whole.len() == 16 {
        format!("{whole}:00Z")
    } else {
        text.to_owned()
    };
    seconds.parse().unwrap()
}

pub fn minute(text: &str) -> Minute {
    Minute::exact(at(text)).unwrap()
}

pub fn interval(starts: &str, ends: &str) -> Interval {
    Interval::new(minute(starts), minute(ends)).unwrap()
}

pub fn utc(minute: Minute) -> String {
    minute.instant().format("%Y-%m-%dT%H:%MZ").to_string()
}
