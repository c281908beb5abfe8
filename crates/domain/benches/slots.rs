//! What it costs to list slots and to decide, per provider and day, zone conversion included.
//!
//! An item is one provider on one day: 10 Mitem/s are 100 ns each. Everyone works seven days a week with a break at
//! noon and has six to eight sessions a day; the 30 days hold a change of clocks.

// What fails here fails before anything is measured.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use domain::availability::{
    BusySession, Candidate, Place, Question, Timeline, decide, for_each_start, next_change, slots,
};
use domain::id::{Id, LocationId, ProviderId, ServiceId, SessionId};
use domain::interval::{Interval, Minute};
use domain::money::{Currency, Money};
use domain::policy::BookingPolicy;
use domain::schedule::{LocalTime, LocalWindow, Schedule};
use domain::service::{Service, SlotAlignment};
use domain::zone::{Zone, ZoneDatabase};
use uuid::Uuid;

const DAYS: usize = 30;
const MANY: usize = 5000;
/// Midnight of 1 March 2027 in New York; clocks move on 14 March.
const FROM: i64 = 1_803_877_200;

fn main() {
    divan::main();
}

#[divan::bench]
fn one_provider(bencher: Bencher) {
    list(bencher, 1, SlotAlignment::Window);
}

#[divan::bench]
fn one_provider_by_the_clock(bencher: Bencher) {
    list(bencher, 1, SlotAlignment::Clock);
}

#[divan::bench]
fn ten_providers(bencher: Bencher) {
    list(bencher, 10, SlotAlignment::Window);
}

#[divan::bench(sample_count = 20)]
fn many_providers(bencher: Bencher) {
    list(bencher, MANY, SlotAlignment::Window);
}

#[divan::bench(sample_count = 50)]
fn sweep_many_providers(bencher: Bencher) {
    sweep(bencher, MANY);
}

#[divan::bench]
fn sweep_one_provider(bencher: Bencher) {
    sweep(bencher, 1);
}

#[divan::bench(sample_count = 20)]
fn many_providers_decide(bencher: Bencher) {
    let world = World::new(MANY);
    let start = Minute::floor(from()).plus(15 * 24 * 60 + 15 * 60);
    bencher
        .counter(ItemsCount::new(MANY))
        .bench_local(|| world.ask(|question| decide(question, black_box(start), None)));
}

#[divan::bench]
fn one_provider_decide(bencher: Bencher) {
    let world = World::new(1);
    let start = Minute::floor(from()).plus(15 * 24 * 60 + 15 * 60);
    bencher.bench_local(|| world.ask(|question| decide(question, black_box(start), None)));
}

#[divan::bench]
fn one_provider_next_change(bencher: Bencher) {
    let world = World::new(1);
    bencher.bench_local(|| {
        world.ask(|question| next_change(question, black_box(from()), from() + month()))
    });
}

fn list(bencher: Bencher, providers: usize, alignment: SlotAlignment) {
    let mut world = World::new(providers);
    world.service.slot_alignment = alignment;
    bencher
        .counter(ItemsCount::new(providers * DAYS))
        .bench_local(|| world.ask(|question| slots(question, black_box(from()), from() + month())));
}

/// Every start of every provider, without the lists that make slots of them.
fn sweep(bencher: Bencher, providers: usize) {
    let world = World::new(providers);
    bencher
        .counter(ItemsCount::new(providers * DAYS))
        .bench_local(|| {
            world.ask(|question| {
                let mut sum = 0;
                for_each_start(
                    question,
                    black_box(from()),
                    from() + month(),
                    |_, _, start| sum += start.get(),
                );
                sum
            })
        });
}

fn month() -> TimeDelta {
    TimeDelta::days(DAYS.try_into().unwrap())
}

fn from() -> DateTime<Utc> {
    DateTime::from_timestamp(FROM, 0).unwrap()
}

struct World {
    service: Service,
    zone: Zone,
    schedule: Schedule,
    timelines: Vec<Timeline>,
}

impl World {
    fn new(providers: usize) -> Self {
        let zone = ZoneDatabase::bundled().get("America/New_York").unwrap();
        let time = |text: &str| text.parse::<LocalTime>().unwrap();
        let window = |opens, closes| LocalWindow::new(time(opens), time(closes)).unwrap();
        let day = || vec![window("09:00", "12:30"), window("13:00", "17:30")];
        let schedule = Schedule {
            weekly: std::array::from_fn(|_| day()),
            ..Schedule::default()
        };
        let mut random = Random(7);
        let timelines = (0..providers)
            .map(|_| timeline(&zone, &mut random))
            .collect();
        Self {
            service: service(),
            zone,
            schedule,
            timelines,
        }
    }

    fn ask<R>(&self, answer: impl FnOnce(&Question<'_>) -> R) -> R {
        let candidates = self
            .timelines
            .iter()
            .zip(1..)
            .map(|(timeline, id)| Candidate {
                provider_id: ProviderId::from_uuid(Uuid::from_u128(id)),
                schedule: &self.schedule,
                timeline,
                daily_limit: None,
            });
        let place = Place {
            location_id: LocationId::from_uuid(Uuid::from_u128(1)),
            zone: &self.zone,
            opening: None,
            candidates: candidates.collect(),
            requirements: Vec::new(),
        };
        answer(&Question {
            service: &self.service,
            party_size: 1,
            now: from() - TimeDelta::days(2),
            places: vec![place],
            service_timeline: None,
        })
    }
}

/// Six to eight sessions on every day from a month before to a month after.
fn timeline(zone: &Zone, random: &mut Random) -> Timeline {
    let mut sessions = Vec::new();
    for day in -30..60 {
        let date = zone.date(from()) + TimeDelta::days(day);
        let opens = Minute::floor(zone.to_instant(date.and_hms_opt(9, 0, 0).unwrap()));
        for index in 0..6 + random.below(3) {
            let starts = opens.plus(index * 60 + 15 * random.below(2));
            let id = u128::from(random.next());
            sessions.push(BusySession {
                session_id: SessionId::from_uuid(Uuid::from_u128(id)),
                service_id: service().id,
                location_id: LocationId::from_uuid(Uuid::from_u128(1)),
                unit: 0,
                starts,
                ends: starts.plus(30),
                kept: Interval::new(starts, starts.plus(35)).unwrap(),
                capacity: 1,
                seats_taken: 1,
                holds: Vec::new(),
            });
        }
    }
    Timeline::new(1, sessions, Vec::new())
}

fn service() -> Service {
    Service {
        id: ServiceId::from_uuid(Uuid::from_u128(1)),
        name: "Haircut".to_owned(),
        description: None,
        duration_minutes: 30,
        buffer_before_minutes: 0,
        buffer_after_minutes: 5,
        slot_interval_minutes: 15,
        slot_alignment: SlotAlignment::Window,
        capacity: 1,
        price: Money {
            amount: 0,
            currency: Currency::new("EUR").unwrap(),
        },
        policy: BookingPolicy {
            minimum_notice_minutes: 60,
            maximum_advance_days: 365,
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

/// A splitmix: the same numbers every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.next() >> 33).unwrap() % limit
    }
}
