//! The rules once more, as slowly and as plainly as they can be put: every minute is looked at, nothing is remembered.
//! It shares the types of the question with the code under test, and no step of its reasoning.

use chrono::{NaiveDate, TimeDelta};
use domain::availability::{BusySession, Slot};
use domain::id::{LocationId, ProviderId};
use domain::interval::{Interval, Minute};
use domain::problem::UnavailableReason;
use domain::service::SlotAlignment;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::oracle_windows::{covered, date, inside, wall, windows, windows_of};
use crate::world::{Site, Worker, World};

/// The world with all windows worked out over the days in question.
pub struct Oracle<'w> {
    world: &'w World,
    sites: Vec<SiteWindows>,
}

struct SiteWindows {
    zone: TimeZone,
    opening: Option<Vec<(i64, i64)>>,
    /// For each of the site's providers.
    windows: Vec<Vec<(i64, i64)>>,
}

impl<'w> Oracle<'w> {
    pub fn new(world: &'w World, days: &[NaiveDate]) -> Self {
        let sites = world.sites.iter().map(|site| {
            let zone = TimeZoneDatabase::bundled().get(site.zone.name()).unwrap();
            let windows = site
                .hours
                .iter()
                .map(|(_, schedule)| windows(&zone, schedule, days))
                .collect();
            let opening = site
                .opening
                .as_ref()
                .map(|schedule| windows_of(&zone, schedule, days));
            SiteWindows {
                zone,
                opening,
                windows,
            }
        });
        Self {
            world,
            sites: sites.collect(),
        }
    }

    /// The days from one to another.
    pub fn days(from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        from.iter_days().take_while(|day| *day <= to).collect()
    }

    pub fn slots(&self, from: Minute, to: Minute) -> Vec<Slot> {
        let mut slots = Vec::new();
        for minute in from.get()..to.get() {
            let mut here: Vec<Slot> = (0..self.world.sites.len())
                .filter_map(|site| self.slot(site, minute))
                .collect();
            here.sort_by_key(|slot| slot.location_id);
            slots.extend(here);
        }
        slots
    }

    fn slot(&self, site: usize, minute: i64) -> Option<Slot> {
        let mut provider_ids = Vec::new();
        let mut seats_left = None;
        for (index, (worker, _)) in self.world.sites[site].hours.iter().enumerate() {
            // Most minutes are off the grid, and that is known soonest.
            if !on_grid(self.world, &self.sites[site], index, minute)
                || !self.reasons(site, index, minute).is_empty()
            {
                continue;
            }
            let worker = &self.world.workers[*worker];
            provider_ids.push(worker.id);
            let left = self.classes(&self.world.sites[site], worker, minute);
            let left = left
                .into_iter()
                .filter(|left| *left >= self.world.party_size)
                .min();
            seats_left = [seats_left, left].into_iter().flatten().min();
        }
        (!provider_ids.is_empty()).then(|| Slot {
            starts: Minute::new(minute),
            ends: Minute::new(minute + i64::from(self.world.service.duration_minutes)),
            location_id: self.world.sites[site].location_id,
            provider_ids: provider_ids.into_iter().collect(),
            seats_left: seats_left.unwrap_or(self.world.service.capacity),
        })
    }

    /// Why a provider of a site (by index there) cannot be booked.
    pub fn reasons(&self, site: usize, index: usize, minute: i64) -> Vec<UnavailableReason> {
        let place = &self.world.sites[site];
        let worker = &self.world.workers[place.hours[index].0];
        let mut reasons: Vec<_> = self.hours(site, index, minute).into_iter().collect();
        if self.classes(place, worker, minute).is_empty() {
            reasons.extend(self.opening(site, worker, minute));
        } else {
            reasons.extend(self.joining(place, worker, minute));
        }
        reasons.extend(self.policy(site, minute));
        reasons.sort_unstable();
        reasons
    }

    /// Rules 4, 6 and 7.
    fn hours(&self, site: usize, index: usize, minute: i64) -> Option<UnavailableReason> {
        let windows = &self.sites[site];
        let works = self.session(minute).all(|minute| {
            let open = windows.opening.as_ref();
            inside(&windows.windows[index], minute) && open.is_none_or(|open| inside(open, minute))
        });
        if !works {
            Some(UnavailableReason::OutsideWorkingHours)
        } else if !on_grid(self.world, windows, index, minute) {
            Some(UnavailableReason::OffGrid)
        } else {
            None
        }
    }

    /// Rules 8 and 11.
    fn opening(&self, site: usize, worker: &Worker, minute: i64) -> Vec<UnavailableReason> {
        let (service, place) = (&self.world.service, &self.world.sites[site]);
        let session = self.session(minute);
        let kept = || {
            session.start - i64::from(service.buffer_before_minutes)
                ..session.end + i64::from(service.buffer_after_minutes)
        };
        let mut reasons = Vec::new();
        if kept().any(|minute| self.held(&worker.sessions, 0, minute)) {
            reasons.push(UnavailableReason::ProviderBusy);
        }
        if kept().any(|minute| covered(&worker.closed, minute)) {
            reasons.push(UnavailableReason::ProviderBlocked);
        }
        let mut requirements = place.requirements.iter();
        if !requirements.all(|(units, pool)| self.free_units(pool, kept()) >= *units) {
            reasons.push(UnavailableReason::ResourceBusy);
        }
        if self.world.party_size > service.capacity {
            reasons.push(UnavailableReason::Full);
        }
        let own = self.world.own_sessions();
        if self.reached(site, worker.daily_limit, &worker.sessions, minute)
            || self.reached(site, service.daily_limit, &own, minute)
        {
            reasons.push(UnavailableReason::DailyLimit);
        }
        reasons
    }

    /// Rule 9, of the class that is reported on: one that could be joined, else the one with the fewest seats left.
    fn joining(&self, place: &Site, worker: &Worker, minute: i64) -> Vec<UnavailableReason> {
        let classes = worker.sessions.iter();
        let classes = classes.filter(|session| self.is_class(place, session, minute));
        let mut known: Vec<_> = classes
            .map(|session| {
                let left = session.capacity.saturating_sub(self.live(session));
                let mut minutes = session.kept.start().get()..session.kept.end().get();
                let closed = minutes.any(|minute| covered(&worker.closed, minute));
                let full = left < self.world.party_size;
                (full || closed, left, session.session_id, full, closed)
            })
            .collect();
        known.sort_unstable();
        let (_, _, _, full, closed) = known[0];
        let blocked = closed.then_some(UnavailableReason::ProviderBlocked);
        blocked
            .into_iter()
            .chain(full.then_some(UnavailableReason::Full))
            .collect()
    }

    /// Rule 10.
    fn policy(&self, site: usize, minute: i64) -> Vec<UnavailableReason> {
        let (policy, zone) = (self.world.service.policy, &self.sites[site].zone);
        let (start, now) = (Minute::new(minute).instant(), self.world.now);
        let notice = TimeDelta::minutes(i64::from(policy.minimum_notice_minutes));
        let advance = (date(zone, start) - date(zone, now)).num_days();
        let soon = (start < now + notice).then_some(UnavailableReason::TooSoon);
        let far = (advance > i64::from(policy.maximum_advance_days))
            .then_some(UnavailableReason::TooFarAhead);
        soon.into_iter().chain(far).collect()
    }

    fn session(&self, minute: i64) -> std::ops::Range<i64> {
        minute..minute + i64::from(self.world.service.duration_minutes)
    }

    /// Whom "any provider" means, where no rule stands in the way: the fullest class, else the fewest booked minutes.
    pub fn choice(&self, minute: i64) -> Option<(ProviderId, LocationId)> {
        let mut choices = Vec::new();
        for (site, place) in self.world.sites.iter().enumerate() {
            for (index, (worker, _)) in place.hours.iter().enumerate() {
                if self.reasons(site, index, minute).is_empty() {
                    let worker = &self.world.workers[*worker];
                    let left = self.classes(place, worker, minute);
                    let left = left
                        .into_iter()
                        .filter(|left| *left >= self.world.party_size)
                        .min();
                    let booked = self.of_day(site, &worker.sessions, minute);
                    let booked: i64 = booked
                        .iter()
                        .map(|session| session.ends.get() - session.starts.get())
                        .sum();
                    choices.push((
                        left.is_none(),
                        left.map_or(booked, i64::from),
                        worker.id,
                        place.location_id,
                    ));
                }
            }
        }
        choices
            .into_iter()
            .min()
            .map(|(.., provider, location)| (provider, location))
    }

    /// Seats left in each live class that starts then and that nothing closes; all of them, if there is none such.
    fn classes(&self, place: &Site, worker: &Worker, minute: i64) -> Vec<u32> {
        let left = |session: &BusySession| session.capacity.saturating_sub(self.live(session));
        let own = || {
            worker
                .sessions
                .iter()
                .filter(|session| self.is_class(place, session, minute))
        };
        let open = |session: &&BusySession| {
            !(session.kept.start().get()..session.kept.end().get())
                .any(|minute| covered(&worker.closed, minute))
        };
        let free: Vec<u32> = own().filter(open).map(left).collect();
        if free.is_empty() {
            own().map(left).collect()
        } else {
            free
        }
    }

    fn is_class(&self, place: &Site, session: &BusySession, minute: i64) -> bool {
        self.world.service.capacity > 1
            && session.service_id == self.world.service.id
            && session.location_id == place.location_id
            && session.starts.get() == minute
            && self.live(session) > 0
    }

    fn live(&self, session: &BusySession) -> u32 {
        let expired: u32 = session
            .holds
            .iter()
            .filter(|hold| hold.expires_at <= self.world.now)
            .map(|hold| hold.seats)
            .sum();
        session.seats_taken.saturating_sub(expired)
    }

    fn held(&self, sessions: &[BusySession], unit: u32, minute: i64) -> bool {
        let mut here = sessions
            .iter()
            .filter(|session| session.unit == unit && session.kept.contains(Minute::new(minute)));
        here.any(|session| self.live(session) > 0)
    }

    fn free_units(&self, pool: &[usize], kept: std::ops::Range<i64>) -> u32 {
        let mut free = 0;
        for machine in pool.iter().map(|&index| &self.world.machines[index]) {
            for unit in 0..machine.units {
                let busy = |minute| {
                    covered(&machine.closed, minute) || self.held(&machine.sessions, unit, minute)
                };
                free += u32::from(!kept.clone().any(busy));
            }
        }
        free
    }

    /// Whether this unit of this machine is free around a start: of sessions, and of all that closes it.
    pub fn unit_is_free(&self, machine: usize, unit: u32, kept: Interval) -> (bool, bool) {
        let machine = &self.world.machines[machine];
        let mut minutes = kept.start().get()..kept.end().get();
        let held = minutes
            .clone()
            .any(|minute| self.held(&machine.sessions, unit, minute));
        (
            !held,
            !minutes.any(|minute| covered(&machine.closed, minute)),
        )
    }

    pub fn worker_is_free(&self, worker: &Worker, kept: Interval) -> bool {
        !(kept.start().get()..kept.end().get()).any(|minute| self.held(&worker.sessions, 0, minute))
    }

    fn reached(
        &self,
        site: usize,
        limit: Option<u32>,
        sessions: &[BusySession],
        minute: i64,
    ) -> bool {
        limit.is_some_and(|limit| self.of_day(site, sessions, minute).len() >= limit as usize)
    }

    fn of_day<'s>(
        &self,
        site: usize,
        sessions: &'s [BusySession],
        minute: i64,
    ) -> Vec<&'s BusySession> {
        let zone = &self.sites[site].zone;
        let day = date(zone, Minute::new(minute).instant());
        let on_day = sessions
            .iter()
            .filter(|session| date(zone, session.starts.instant()) == day);
        on_day.filter(|session| self.live(session) > 0).collect()
    }
}

fn on_grid(world: &World, site: &SiteWindows, index: usize, minute: i64) -> bool {
    let interval = i64::from(world.service.slot_interval_minutes);
    match world.service.slot_alignment {
        SlotAlignment::Window => {
            let mut windows = site.windows[index].iter();
            windows.any(|&(opens, closes)| {
                opens <= minute && minute < closes && (minute - opens) % interval == 0
            })
        }
        SlotAlignment::Clock => {
            let wall = wall(&site.zone, Minute::new(minute).instant());
            let after_midnight = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
            wall.second() == 0 && after_midnight % interval == 0
        }
    }
}
