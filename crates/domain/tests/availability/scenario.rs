//! Random worlds around the hours in which clocks move.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use domain::availability::{BusySession, HeldSeats};
use domain::id::{HoldId, Id, ServiceId, SessionId};
use domain::interval::{Interval, Minute};
use domain::policy::BookingPolicy;
use domain::schedule::{LocalTime, LocalWindow, Schedule};
use domain::service::{Service, SlotAlignment};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use crate::oracle::Oracle;
use crate::world::{Machine, Site, Worker, World, location, provider, service};

/// Zones, and a date on which something happens to their clocks.
const MOMENTS: [(&str, &str); 22] = [
    ("America/New_York", "2027-03-14"),
    ("America/New_York", "2027-11-07"),
    ("Europe/London", "2027-03-28"),
    ("Europe/London", "2027-10-31"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("Asia/Kathmandu", "2027-06-01"),
    ("Asia/Kathmandu", "1986-01-01"),
    ("Pacific/Chatham", "2027-04-04"),
    ("Pacific/Chatham", "2027-09-26"),
    ("Pacific/Apia", "2011-12-30"),
    ("America/St_Johns", "2010-03-14"),
    ("America/St_Johns", "2010-11-07"),
    ("America/St_Johns", "2027-11-07"),
    ("America/Havana", "2027-03-14"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Atlantic/Azores", "2027-10-31"),
    ("Pacific/Kwajalein", "1993-08-21"),
    ("America/Caracas", "2007-12-09"),
    ("Asia/Pyongyang", "2018-05-05"),
    ("UTC", "2027-01-01"),
];

/// A world, and the window of time to ask about.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub world: World,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The days that bear on it, for the oracle.
    pub days: Vec<NaiveDate>,
}

pub fn scenario() -> impl Strategy<Value = Scenario> {
    let moment = (0..MOMENTS.len()).prop_map(|index| MOMENTS[index]);
    let other = option::weighted(0.3, 0..MOMENTS.len());
    (moment, other).prop_flat_map(|((zone, date), other)| {
        let base: NaiveDate = date.parse().unwrap();
        let start = base.and_hms_opt(0, 0, 0).unwrap().and_utc();
        let window = (-2 * 1440..2 * 1440_i64, 0..60_i64, 0..3 * 1440_i64);
        (
            world(zone, other.map(|index| MOMENTS[index].0), base),
            window,
        )
            .prop_map(move |(world, (from, second, length))| {
                let from = start + TimeDelta::minutes(from) + TimeDelta::seconds(second);
                let days = Oracle::days(base - TimeDelta::days(24), base + TimeDelta::days(9));
                Scenario {
                    world,
                    from,
                    to: from + TimeDelta::minutes(length),
                    days,
                }
            })
    })
}

fn world(
    zone: &'static str,
    other: Option<&'static str>,
    base: NaiveDate,
) -> impl Strategy<Value = World> {
    let sites: Vec<_> = std::iter::once(zone)
        .chain(other)
        .map(|zone| site(zone, base))
        .collect();
    let people = (
        vec(worker(base), 3),
        vec(machine(base), 3),
        vec(session(base), 0..3),
    );
    let now = (-4 * 1440..1440_i64, 0..60_i64);
    (any_service(), 1..4_u32, now, sites, people).prop_map(
        move |(service, party_size, (minute, second), sites, (workers, machines, elsewhere))| {
            let now = minute_of(base, minute).instant() + TimeDelta::seconds(second);
            let world = World {
                service,
                party_size,
                now,
                sites,
                workers,
                machines,
                elsewhere,
            };
            with_ids(world)
        },
    )
}

/// Everything gets an id of its own.
fn with_ids(mut world: World) -> World {
    for (site, id) in world.sites.iter_mut().zip(1..) {
        site.location_id = location(id);
    }
    for (machine, id) in world.machines.iter_mut().zip(1..) {
        machine.id = Machine::new(id, 1).id;
    }
    let mut ids = 1..;
    for (worker, id) in world.workers.iter_mut().zip(1..) {
        worker.id = provider(id);
        for (session, id) in worker.sessions.iter_mut().zip(&mut ids) {
            session.session_id = SessionId::from_uuid(Uuid::from_u128(id));
        }
    }
    world
}

fn any_service() -> impl Strategy<Value = Service> {
    let duration = prop_oneof![Just(15_u32), Just(30), Just(45), Just(60), 1..200_u32];
    let buffer = || prop_oneof![3 => Just(0_u32), 1 => Just(10_u32), 1 => 1..45_u32];
    let interval = prop::sample::select(vec![5_u32, 7, 10, 15, 20, 30, 45, 60, 100]);
    let alignment = prop::sample::select(vec![SlotAlignment::Window, SlotAlignment::Clock]);
    let limits = (policy(), option::weighted(0.2, 0..4_u32));
    let times = (duration, buffer(), buffer(), interval, alignment);
    (times, 1..5_u32, limits).prop_map(
        |((duration, before, after, interval, alignment), capacity, (policy, daily_limit))| {
            Service {
                duration_minutes: duration,
                buffer_before_minutes: before,
                buffer_after_minutes: after,
                slot_interval_minutes: interval,
                slot_alignment: alignment,
                capacity,
                policy,
                daily_limit,
                ..service()
            }
        },
    )
}

fn policy() -> impl Strategy<Value = BookingPolicy> {
    let notice = prop_oneof![Just(0_u32), 0..4000_u32];
    let advance = prop_oneof![Just(60_u32), 0..5_u32];
    (notice, advance).prop_map(
        |(minimum_notice_minutes, maximum_advance_days)| BookingPolicy {
            minimum_notice_minutes,
            maximum_advance_days,
            ..service().policy
        },
    )
}

fn site(zone: &'static str, base: NaiveDate) -> impl Strategy<Value = Site> {
    let hours = proptest::sample::subsequence(vec![0_usize, 1, 2], 1..=3);
    let hours = hours.prop_flat_map(move |workers| {
        let schedules = vec(schedule(base), workers.len());
        schedules
            .prop_map(move |schedules| workers.iter().copied().zip(schedules).collect::<Vec<_>>())
    });
    let requirements = prop_oneof![
        3 => Just(vec![]),
        1 => (1..4_u32).prop_map(|units| vec![(units, vec![0, 1])]),
        1 => (1..3_u32, 1..3_u32).prop_map(|(units, other)| vec![(units, vec![0, 1]), (other, vec![2])]),
    ];
    (hours, option::weighted(0.3, schedule(base)), requirements).prop_map(
        move |(hours, opening, requirements)| Site {
            opening,
            requirements,
            ..Site::new(1, zone, hours)
        },
    )
}

/// Weekly hours with one weekday off, so that no chain of windows lasts for ever, and some overrides near the date.
fn schedule(base: NaiveDate) -> impl Strategy<Value = Schedule> {
    let weekly = vec(vec(window(), 0..3), 7);
    let overrides = vec((-4..5_i64, vec(window(), 0..3)), 0..4);
    (weekly, 0..7_usize, overrides).prop_map(move |(weekly, off, overrides)| {
        let mut schedule = Schedule::default();
        for (weekday, windows) in weekly
            .into_iter()
            .enumerate()
            .filter(|(weekday, _)| *weekday != off)
        {
            schedule.weekly[weekday] = windows;
        }
        for (days, windows) in overrides {
            let date = base + TimeDelta::days(days);
            let within = |window: &LocalWindow| {
                date.weekday().num_days_from_monday() as usize != off
                    || !window.runs_past_midnight()
            };
            schedule
                .overrides
                .insert(date, windows.into_iter().filter(within).collect());
        }
        schedule
    })
}

fn window() -> impl Strategy<Value = LocalWindow> {
    let ends = prop_oneof![
        4 => (0..96_u16, 1..=96_u16).prop_map(|(opens, closes)| (opens * 15, closes * 15)),
        2 => (0..16_u16, 0..24_u16).prop_map(|(opens, length)| (opens * 15, opens * 15 + length * 15)),
        1 => (0..1440_u16, 0..=1440_u16),
        1 => Just((0, 1440)),
        1 => Just((540, 1020)),
        1 => Just((0, 0)),
    ];
    ends.prop_map(|(opens, closes)| {
        let time = |minutes| LocalTime::from_minutes(minutes).unwrap();
        LocalWindow::new(time(opens), time(closes)).unwrap()
    })
}

fn worker(base: NaiveDate) -> impl Strategy<Value = Worker> {
    let limit = option::weighted(0.2, 0..4_u32);
    (limit, vec(session(base), 0..10), vec(block(base), 0..3)).prop_map(
        |(daily_limit, sessions, closed)| Worker {
            daily_limit,
            sessions,
            closed,
            ..Worker::new(1)
        },
    )
}

fn machine(base: NaiveDate) -> impl Strategy<Value = Machine> {
    (
        1..3_u32,
        vec((session(base), 0..2_u32), 0..8),
        vec(block(base), 0..2),
    )
        .prop_map(|(units, sessions, closed)| {
            let sessions = sessions
                .into_iter()
                .map(|(session, unit)| BusySession { unit, ..session })
                .collect();
            Machine {
                units,
                sessions,
                closed,
                ..Machine::new(1, 1)
            }
        })
}

fn block(base: NaiveDate) -> impl Strategy<Value = Interval> {
    (-3 * 96..4 * 96_i64, prop_oneof![1..300_i64, Just(1440)]).prop_map(
        move |(quarter, minutes)| {
            let start = minute_of(base, quarter * 15);
            Interval::new(start, start.plus(minutes)).unwrap()
        },
    )
}

fn session(base: NaiveDate) -> impl Strategy<Value = BusySession> {
    let time = (
        prop_oneof![3 => (-3 * 48..4 * 48_i64).prop_map(|half| half * 30), 1 => -3 * 1440..4 * 1440_i64],
        prop_oneof![Just(30_i64), Just(60), 1..200_i64],
        (0..20_i64, 0..20_i64),
    );
    let seats = (
        1..5_u32,
        0..5_u32,
        vec((-4 * 1440..2 * 1440_i64, 1..3_u32), 0..3),
        any::<bool>(),
    );
    let kind = (prop_oneof![3 => Just(1_u128), 1 => Just(2)], 1..3_u128);
    (time, seats, kind, 0..1000_u128).prop_map(
        move |((start, length, buffers), seats, (service, place), id)| {
            let (capacity, taken, holds, by_holds) = seats;
            let starts = minute_of(base, start);
            let holds: Vec<_> = holds
                .into_iter()
                .map(|(at, seats)| HeldSeats {
                    hold_id: HoldId::from_uuid(Uuid::nil()),
                    expires_at: minute_of(base, at).instant(),
                    seats,
                })
                .collect();
            let held: u32 = holds.iter().map(|hold| hold.seats).sum();
            let seats_taken = if by_holds && held > 0 {
                held
            } else {
                held + taken
            };
            BusySession {
                session_id: SessionId::from_uuid(Uuid::from_u128(1_000_000 + id)),
                service_id: ServiceId::from_uuid(Uuid::from_u128(service)),
                location_id: location(place),
                unit: 0,
                starts,
                ends: starts.plus(length),
                kept: Interval::new(starts.plus(-buffers.0), starts.plus(length + buffers.1))
                    .unwrap(),
                capacity: capacity.max(seats_taken),
                seats_taken,
                holds,
            }
        },
    )
}

fn minute_of(base: NaiveDate, minutes: i64) -> Minute {
    Minute::floor(base.and_hms_opt(0, 0, 0).unwrap().and_utc()).plus(minutes)
}
