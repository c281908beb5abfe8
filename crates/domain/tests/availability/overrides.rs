//! Rule 12: staff with the right to override.

use domain::availability::{Plan, Seats, decide_overriding};
use domain::id::ProviderId;
use domain::problem::UnavailableReason::{self, Full, ProviderDoesNotOffer, ResourceBusy};

use crate::world::{Machine, World, at, class, daily, interval, minute, provider, session};

fn override_at(
    world: &World,
    starts: &str,
    provider: Option<ProviderId>,
) -> Result<Plan, Vec<UnavailableReason>> {
    world.ask(|question| decide_overriding(question, minute(starts), provider))
}

/// Whether each taking overlaps, in order of calendar and unit.
fn overlaps(plan: &Plan) -> Vec<bool> {
    match &plan.seats {
        Seats::Open { taken, .. } => taken.iter().map(|taken| taken.overlap).collect(),
        Seats::Join(_) => Vec::new(),
    }
}

#[test]
fn rule_12_staff_may_book_against_hours_grid_limits_and_notice() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.workers[0].daily_limit = Some(0);
    world.now = at("2027-01-04T10:00Z");
    world.service.policy.maximum_advance_days = 1;
    for starts in [
        "2027-01-04T03:17Z",
        "2027-01-04T10:30Z",
        "2028-01-04T23:30Z",
    ] {
        let plan = override_at(&world, starts, None).unwrap();
        assert_eq!(plan.span.start(), minute(starts));
        assert_eq!(overlaps(&plan), [false]);
    }
}

#[test]
fn rule_12_only_what_overlaps_a_session_is_marked() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.book(0, session(1, "2027-01-04T10:00Z", "2027-01-04T11:00Z"));
    world.workers[0].closed = vec![interval("2027-01-04T09:00Z", "2027-01-04T10:00Z")];
    assert_eq!(
        overlaps(&override_at(&world, "2027-01-04T10:00Z", None).unwrap()),
        [true]
    );
    assert_eq!(
        overlaps(&override_at(&world, "2027-01-04T09:00Z", None).unwrap()),
        [false]
    );
    assert_eq!(
        overlaps(&override_at(&world, "2027-01-04T09:30Z", None).unwrap()),
        [true]
    );
}

#[test]
fn rule_12_free_units_are_taken_before_closed_and_busy_ones() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.machines = vec![Machine::new(1, 1), Machine::new(2, 1), Machine::new(3, 1)];
    world.machines[0]
        .sessions
        .push(session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z"));
    world.machines[1]
        .closed
        .push(interval("2027-01-04T09:00Z", "2027-01-04T10:00Z"));
    let with = |units| {
        let mut world = world.clone();
        world.sites[0].requirements = vec![(units, vec![0, 1, 2])];
        override_at(&world, "2027-01-04T09:00Z", None).map(|plan| overlaps(&plan))
    };
    assert_eq!(with(1), Ok(vec![false, false]));
    assert_eq!(with(2), Ok(vec![false, false, false]));
    assert_eq!(with(3), Ok(vec![false, true, false, false]));
    assert_eq!(with(4), Err(vec![ResourceBusy]));
}

#[test]
fn rule_12_seats_cannot_be_overridden() {
    let mut world =
        World::new("UTC", daily("09:00-12:00")).with_service(|service| service.capacity = 4);
    world.book(0, class(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z", 3, 4));
    world.workers[0].closed = vec![interval("2027-01-04T09:00Z", "2027-01-04T10:00Z")];
    assert!(matches!(
        override_at(&world, "2027-01-04T09:00Z", None)
            .unwrap()
            .seats,
        Seats::Join(_)
    ));
    world.party_size = 2;
    assert_eq!(
        override_at(&world, "2027-01-04T09:00Z", None),
        Err(vec![Full])
    );
    world.party_size = 5;
    assert_eq!(
        override_at(&world, "2027-01-04T15:00Z", None),
        Err(vec![Full])
    );
}

#[test]
fn rule_12_who_does_not_offer_the_service_still_does_not() {
    let world = World::new("UTC", daily("09:00-12:00"));
    assert_eq!(
        override_at(&world, "2027-01-04T09:00Z", Some(provider(9))),
        Err(vec![ProviderDoesNotOffer])
    );
}

#[test]
fn rule_12_with_anyone_the_one_with_the_least_against_it_is_taken() {
    let mut world = World::new("UTC", daily("09:00-12:00")).with_worker(daily("09:00-12:00"));
    world.book(0, session(1, "2027-01-04T10:00Z", "2027-01-04T11:00Z"));
    assert_eq!(
        override_at(&world, "2027-01-04T10:20Z", None)
            .unwrap()
            .provider_id,
        provider(2)
    );
}
