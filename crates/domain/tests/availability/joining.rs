//! Rule 9: sessions that are joined.

use domain::availability::{BusySession, HeldSeats, Seats, decide, next_change};
use domain::id::{HoldId, Id};
use domain::problem::UnavailableReason::{
    Full, OffGrid, OutsideWorkingHours, ProviderBlocked, ProviderBusy,
};
use uuid::Uuid;

use crate::world::{
    Machine, World, at, class, daily, half_hours, interval, location, minute, provider,
};

fn yoga() -> World {
    half_hours(World::new("UTC", daily("09:00-11:00"))).with_service(|service| service.capacity = 5)
}

#[test]
fn rule_9_a_session_with_room_is_joined() {
    let mut world = yoga();
    world.book(0, class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 3, 5));
    let seats = |world: &World| {
        let slots = world.slots("2027-01-04T00:00Z", "2027-01-05T00:00Z");
        slots.iter().map(|slot| slot.seats_left).collect::<Vec<_>>()
    };
    assert_eq!(seats(&world), [5, 2, 5, 5]);
    let plan = world.decide("2027-01-04T09:30Z").unwrap();
    assert!(
        matches!(plan.seats, Seats::Join(id) if id == class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 3, 5).session_id)
    );
    world.party_size = 3;
    assert_eq!(seats(&world), [5, 5, 5]);
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [Full]);
    world.party_size = 6;
    assert!(seats(&world).is_empty());
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [Full]);
}

#[test]
fn rule_9_only_the_same_service_start_and_place_are_joined() {
    let free = |change: fn(&mut BusySession)| {
        let mut world = yoga();
        let mut group = class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 3, 5);
        change(&mut group);
        world.book(0, group);
        world.decide("2027-01-04T09:30Z").is_ok()
    };
    assert!(free(|_| {}));
    assert!(!free(
        |group| group.service_id = domain::id::Id::from_uuid(uuid::Uuid::from_u128(2))
    ));
    assert!(!free(|group| group.starts = group.starts.plus(1)));
    assert!(!free(|group| group.location_id = location(2)));
}

#[test]
fn rule_9_a_service_of_capacity_1_never_joins() {
    let mut world = yoga();
    world.service.capacity = 1;
    world.book(0, class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 3, 5));
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [ProviderBusy]);
}

#[test]
fn rule_9_who_joins_needs_no_resource_but_the_hours_and_the_notice() {
    let mut world = yoga();
    world.machines = vec![Machine::new(1, 1)];
    world.sites[0].requirements = vec![(1, vec![0])];
    let group = class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 3, 5);
    world.machines[0].sessions.push(group.clone());
    world.book(0, group);
    world.workers[0].daily_limit = Some(1);
    world.service.daily_limit = Some(1);
    assert_eq!(world.local_starts("2027-01-04"), ["09:30"]);
    let mut closed = world.clone();
    closed.sites[0].hours[0].1 = daily("");
    assert_eq!(closed.reasons("2027-01-04T09:30Z"), [OutsideWorkingHours]);
    closed.sites[0].hours[0].1 = daily("09:10-11:00");
    assert_eq!(closed.reasons("2027-01-04T09:30Z"), [OffGrid]);
    let mut late = world.clone();
    late.now = at("2027-01-04T09:31Z");
    assert!(late.local_starts("2027-01-04").is_empty());
    world.workers[0].closed = vec![interval("2027-01-04T09:45Z", "2027-01-04T09:50Z")];
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [ProviderBlocked]);
    assert!(world.local_starts("2027-01-04").is_empty());
}

#[test]
fn rule_9_a_hold_takes_its_seats() {
    let mut world = yoga();
    let mut group = class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 5, 5);
    let hold = |seats, at_time: &str| HeldSeats {
        hold_id: HoldId::from_uuid(Uuid::nil()),
        expires_at: at(at_time),
        seats,
    };
    group.holds = vec![hold(2, "2027-01-02T12:00Z"), hold(1, "2027-01-03T12:00Z")];
    world.book(0, group);
    world.now = at("2027-01-02T11:00Z");
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [Full]);
    let (from, to) = (at("2027-01-04T00:00Z"), at("2027-01-05T00:00Z"));
    assert_eq!(
        world.ask(|question| next_change(question, from, to)),
        Some(at("2027-01-02T12:00Z"))
    );
    world.now = at("2027-01-02T12:00Z");
    world.party_size = 2;
    assert!(world.decide("2027-01-04T09:30Z").is_ok());
    assert_eq!(
        world.slots("2027-01-04T09:30Z", "2027-01-04T09:31Z")[0].seats_left,
        2
    );
    world.party_size = 3;
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [Full]);
}

#[test]
fn rule_9_the_fullest_session_that_fits_is_joined_first() {
    let mut world = yoga()
        .with_worker(daily("09:00-11:00"))
        .with_worker(daily("09:00-11:00"));
    world.book(0, class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 2, 5));
    world.book(1, class(8, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 4, 5));
    let choice = |world: &World| {
        world.ask(|question| {
            decide(question, minute("2027-01-04T09:30Z"), None)
                .unwrap()
                .provider_id
        })
    };
    assert_eq!(choice(&world), provider(2));
    let slot = &world.slots("2027-01-04T09:30Z", "2027-01-04T09:31Z")[0];
    assert_eq!((slot.seats_left, slot.provider_ids.iter().count()), (1, 3));
    world.party_size = 2;
    assert_eq!(choice(&world), provider(1));
    assert_eq!(
        world.slots("2027-01-04T09:30Z", "2027-01-04T09:31Z")[0].seats_left,
        3
    );
    world.party_size = 4;
    assert_eq!(choice(&world), provider(3));
}

#[test]
fn rule_9_of_two_sessions_with_one_provider_the_one_that_fits_is_joined() {
    let mut world = yoga();
    let fuller = class(7, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 4, 5);
    let emptier = class(8, "2027-01-04T09:30Z", "2027-01-04T10:00Z", 2, 5);
    world.book(0, fuller.clone());
    world.book(0, emptier.clone());
    let joined = |world: &World| world.decide("2027-01-04T09:30Z").map(|plan| plan.seats);
    assert_eq!(joined(&world), Ok(Seats::Join(fuller.session_id)));
    world.party_size = 2;
    assert_eq!(joined(&world), Ok(Seats::Join(emptier.session_id)));
    world.party_size = 1;
    for to in ["2027-01-04T09:31Z", "2027-01-05T09:30Z"] {
        let slot = &world.slots("2027-01-04T09:30Z", to)[0];
        assert_eq!((slot.provider_ids.iter().count(), slot.seats_left), (1, 1));
    }
}
