//! Rules 13 to 15: the answer, and what is offered beside it.

use domain::availability::{
    Candidate, Place, ProviderIds, Question, Slot, Timeline, alternatives, decide, for_each_start,
    next_change, next_slot, slots,
};
use domain::problem::UnavailableReason::{
    OffGrid, OutsideWorkingHours, ProviderBusy, ProviderDoesNotOffer, TooFarAhead, TooSoon,
};

use crate::world::{
    Site, World, at, daily, held, location, minute, provider, session, utc, weekly,
};

#[test]
fn rule_13_a_slot_is_listed_from_the_first_instant_on_and_before_the_last() {
    let world = World::new("UTC", daily("09:00-12:00"));
    let starts = world.starts("2027-01-04T09:00Z", "2027-01-04T11:00Z");
    assert_eq!(starts, ["2027-01-04T09:00Z", "2027-01-04T10:00Z"]);
    assert!(
        world
            .starts("2027-01-04T11:00Z", "2027-01-04T11:00Z")
            .is_empty()
    );
    assert!(
        world
            .starts("2027-01-04T11:00Z", "2027-01-04T09:00Z")
            .is_empty()
    );
}

#[test]
fn rule_13_one_entry_for_each_start_and_location_with_every_provider() {
    let mut world = World::new("UTC", daily("09:00-11:00")).with_worker(daily("10:00-12:00"));
    world
        .sites
        .insert(0, Site::new(2, "UTC", vec![(1, daily("10:00-11:00"))]));
    let slot = |starts: &str, place, providers: &[u128]| Slot {
        starts: minute(starts),
        ends: minute(starts).plus(60),
        location_id: location(place),
        provider_ids: providers.iter().map(|id| provider(*id)).collect(),
        seats_left: 1,
    };
    let wanted = [
        slot("2027-01-04T09:00Z", 1, &[1]),
        slot("2027-01-04T10:00Z", 1, &[1, 2]),
        slot("2027-01-04T10:00Z", 2, &[2]),
        slot("2027-01-04T11:00Z", 1, &[2]),
    ];
    assert_eq!(
        world.slots("2027-01-04T00:00Z", "2027-01-05T00:00Z"),
        wanted
    );
}

#[test]
fn rule_13_providers_are_sorted_in_whatever_order_they_come() {
    let mut world = World::new("UTC", daily("00:00-24:00"));
    for _ in 0..80 {
        world = world.with_worker(daily("00:00-24:00"));
    }
    world.sites[0].hours.reverse();
    world.service.slot_interval_minutes = 5;
    let slots = world.slots("2027-01-04T00:00Z", "2027-01-05T00:00Z");
    assert_eq!(slots.len(), 288);
    assert!(
        slots
            .iter()
            .all(|slot| slot.provider_ids.iter().eq((1..=81).map(provider)))
    );
}

#[test]
fn rule_13_every_start_can_be_visited_without_making_slots() {
    let world = World::new("UTC", daily("09:00-11:00")).with_worker(daily("10:00-12:00"));
    let mut visited = Vec::new();
    world.ask(|question| {
        for_each_start(
            question,
            at("2027-01-04T00:00Z"),
            at("2027-01-05T00:00Z"),
            |place, provider, start| {
                visited.push((start, place, provider));
            },
        );
    });
    visited.sort_unstable();
    let listed = world.slots("2027-01-04T00:00Z", "2027-01-05T00:00Z");
    let listed = listed.iter().flat_map(|slot| {
        slot.provider_ids
            .iter()
            .map(|id| (slot.starts, slot.location_id, id))
    });
    assert_eq!(visited, listed.collect::<Vec<_>>());
}

#[test]
fn rule_14_anyone_means_the_one_with_the_fewest_minutes_that_day() {
    let mut world = World::new("America/New_York", daily("09:00-17:00"))
        .with_worker(daily("09:00-17:00"))
        .with_worker(daily("09:00-17:00"));
    let choice = |world: &World| world.decide("2027-01-04T15:00Z").unwrap().provider_id;
    assert_eq!(choice(&world), provider(1));
    world.book(0, session(1, "2027-01-04T14:00Z", "2027-01-04T14:30Z"));
    assert_eq!(choice(&world), provider(2));
    // Late on the same local day counts, the day before there does not; buffers do not either.
    let mut late = session(2, "2027-01-05T04:00Z", "2027-01-05T04:31Z");
    late.kept = crate::world::interval("2027-01-05T00:00Z", "2027-01-05T08:00Z");
    world.book(1, late);
    world.book(2, session(3, "2027-01-04T04:00Z", "2027-01-04T04:50Z"));
    assert_eq!(choice(&world), provider(3));
    world.book(2, session(4, "2027-01-04T20:00Z", "2027-01-04T20:31Z"));
    assert_eq!(choice(&world), provider(1));
}

#[test]
fn rule_15_a_decision_is_made_of_what_is_given_and_nothing_else() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    assert!(world.decide("2027-01-04T09:00Z").is_ok());
    world.book(0, session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z"));
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [ProviderBusy]);
}

#[test]
fn reasons_are_of_the_named_provider_alone() {
    let mut world = World::new("UTC", daily("09:00-12:00")).with_worker(daily("13:00-14:00"));
    world.book(0, session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z"));
    let reasons = |id| {
        world.ask(|question| {
            decide(question, minute("2027-01-04T09:00Z"), Some(provider(id))).unwrap_err()
        })
    };
    assert_eq!(reasons(1), [ProviderBusy]);
    assert_eq!(reasons(2), [OutsideWorkingHours]);
    assert_eq!(reasons(3), [ProviderDoesNotOffer]);
}

#[test]
fn reasons_with_anyone_are_those_of_who_is_nearest() {
    let mut world = World::new("UTC", daily("09:00-12:00")).with_worker(daily("09:10-12:00"));
    world.book(1, session(1, "2027-01-04T09:00Z", "2027-01-04T12:00Z"));
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [OffGrid]);
    world.now = at("2027-01-05T00:00Z");
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [OffGrid, TooSoon]);
}

#[test]
fn reasons_are_never_empty() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.sites[0].hours.clear();
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [ProviderDoesNotOffer]);
    world.service.policy.maximum_advance_days = 1;
    assert_eq!(
        world.reasons("2027-01-04T09:00Z"),
        [TooFarAhead, ProviderDoesNotOffer]
    );
    world.now = at("2028-01-01T00:00Z");
    assert_eq!(
        world.reasons("2027-01-04T09:00Z"),
        [TooSoon, ProviderDoesNotOffer]
    );
    world.sites.clear();
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [ProviderDoesNotOffer]);
}

#[test]
fn the_next_slot_may_be_far_away() {
    let mut world = World::new(
        "UTC",
        crate::world::on(daily(""), "2027-12-24", "09:00-10:00"),
    );
    world.now = at("2027-01-04T00:00Z");
    let next = |world: &World| {
        world.ask(|question| {
            next_slot(question, at("2027-01-04T00:00Z")).map(|slot| utc(slot.starts))
        })
    };
    assert_eq!(next(&world).as_deref(), Some("2027-12-24T09:00Z"));
    world.service.policy.maximum_advance_days = 353;
    assert_eq!(next(&world), None);
}

#[test]
fn alternatives_are_the_same_time_with_another_and_the_nearest_with_the_same() {
    let mut world = World::new("UTC", daily("09:00-12:00")).with_worker(daily("09:00-12:00"));
    world.book(0, session(1, "2027-01-05T09:00Z", "2027-01-05T11:00Z"));
    let offered = |provider| {
        let slots =
            world.ask(|question| alternatives(question, minute("2027-01-05T09:00Z"), provider));
        slots
            .iter()
            .map(|slot| (utc(slot.starts), slot.provider_ids.clone()))
            .collect::<Vec<_>>()
    };
    let one = |time: &str, ids: &[u128]| {
        (
            time.to_owned(),
            ids.iter().map(|id| provider(*id)).collect::<ProviderIds>(),
        )
    };
    let wanted = [
        one("2027-01-04T10:00Z", &[1]),
        one("2027-01-04T11:00Z", &[1]),
        one("2027-01-05T09:00Z", &[2]),
        one("2027-01-05T11:00Z", &[1]),
        one("2027-01-06T09:00Z", &[1]),
    ];
    assert_eq!(offered(Some(provider(1))), wanted);
    let anyone: Vec<_> = offered(None).into_iter().map(|(start, _)| start).collect();
    assert_eq!(
        anyone,
        [
            "2027-01-04T10:00Z",
            "2027-01-04T11:00Z",
            "2027-01-05T10:00Z",
            "2027-01-05T11:00Z"
        ]
    );
}

#[test]
fn alternatives_are_at_most_31_days_away() {
    let world = World::new("UTC", weekly(["", "", "", "", "", "", ""]));
    let far = |date: &str| {
        let mut world = world.clone();
        world.sites[0].hours[0].1 = crate::world::on(daily(""), date, "09:00-10:00");
        world.ask(|question| alternatives(question, minute("2027-03-01T09:00Z"), None).len())
    };
    assert_eq!((far("2027-04-01"), far("2027-04-02")), (1, 0));
    assert_eq!((far("2027-01-29"), far("2027-01-28")), (1, 0));
}

#[test]
fn the_next_change_is_a_start_that_passes_a_hold_or_midnight() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.now = at("2027-01-04T00:00Z");
    world.service.policy.minimum_notice_minutes = 60;
    let change = |world: &World| {
        world
            .ask(|question| next_change(question, at("2027-01-04T00:00Z"), at("2027-01-05T00:00Z")))
            .unwrap()
    };
    let passes = at("2027-01-04T08:00Z") + chrono::TimeDelta::nanoseconds(1);
    assert_eq!(change(&world), passes);
    let mut hold = session(1, "2027-01-04T11:00Z", "2027-01-04T12:00Z");
    hold.holds = vec![held(1, "2027-01-04T00:10Z")];
    world.book(0, hold);
    assert_eq!(change(&world), at("2027-01-04T00:10Z"));
    world.now = at("2027-01-04T00:10Z");
    assert_eq!(change(&world), passes);
    world.now = passes;
    assert_eq!(
        change(&world),
        at("2027-01-04T09:00Z") + chrono::TimeDelta::nanoseconds(1)
    );
    world.now = at("2027-01-04T11:30Z");
    let none = world
        .ask(|question| next_change(question, at("2027-01-04T00:00Z"), at("2027-01-05T00:00Z")));
    assert_eq!(none, None);
}

#[test]
fn a_question_about_nowhere_has_an_answer() {
    let world = World::new("UTC", daily("09:00-12:00"));
    let (none, schedule) = (
        Timeline::new(1, Vec::new(), Vec::new()),
        daily("00:00-24:00"),
    );
    let candidate = Candidate {
        provider_id: provider(1),
        schedule: &schedule,
        timeline: &none,
        daily_limit: None,
    };
    let zone = &world.sites[0].zone;
    let place = Place {
        location_id: location(1),
        zone,
        opening: None,
        candidates: vec![candidate],
        requirements: vec![],
    };
    let (service, now) = (&world.service, world.now);
    let question = Question {
        service,
        party_size: 1,
        now,
        places: vec![place],
        service_timeline: None,
    };
    let far = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    assert!(slots(&question, far - chrono::TimeDelta::days(2), far).is_empty());
    assert!(slots(&question, chrono::DateTime::<chrono::Utc>::MIN_UTC, now).is_empty());
    let (first, last) = (
        domain::interval::Minute::floor(chrono::DateTime::<chrono::Utc>::MIN_UTC),
        domain::interval::Minute::floor(far),
    );
    assert!(decide(&question, first, None).is_err() && decide(&question, last, None).is_err());
    assert!(alternatives(&question, last, None).is_empty());
}
