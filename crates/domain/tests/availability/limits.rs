//! Rules 10 and 11: limits.

use domain::availability::next_change;
use domain::problem::UnavailableReason::{
    DailyLimit, OffGrid, ProviderBlocked, TooFarAhead, TooSoon,
};

use crate::world::{World, at, daily, interval, session, weekly};

#[test]
fn rule_10_a_start_is_as_far_away_as_the_notice_asks() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.service.policy.minimum_notice_minutes = 120;
    world.now = at("2027-01-04T08:00Z");
    assert_eq!(world.local_starts("2027-01-04"), ["10:00", "11:00"]);
    world.now = at("2027-01-04T08:00:01Z");
    assert_eq!(world.local_starts("2027-01-04"), ["11:00"]);
    assert_eq!(world.reasons("2027-01-04T10:00Z"), [TooSoon]);
}

#[test]
fn rule_10_a_start_in_the_past_is_never_offered() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.now = at("2027-01-04T10:00Z");
    assert_eq!(world.local_starts("2027-01-04"), ["10:00", "11:00"]);
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [TooSoon]);
    assert_eq!(world.reasons("2020-01-04T09:00Z"), [TooSoon]);
}

#[test]
fn rule_10_the_advance_counts_local_dates() {
    let mut world = World::new("Pacific/Chatham", daily("00:00-24:00")).with_service(|service| {
        service.slot_interval_minutes = 12 * 60;
        service.policy.maximum_advance_days = 1;
    });
    // 23:59 on 1 June there: all of 2 June, nothing of 3 June.
    world.now = at("2027-06-01T11:14Z");
    let all = |world: &World| world.starts("2027-06-01T11:15Z", "2027-07-01T00:00Z");
    assert_eq!(all(&world), ["2027-06-01T11:15Z", "2027-06-01T23:15Z"]);
    assert_eq!(world.reasons("2027-06-02T11:15Z"), [TooFarAhead]);
    let change = world
        .ask(|question| next_change(question, at("2027-06-01T11:15Z"), at("2027-07-01T00:00Z")));
    assert_eq!(change, Some(at("2027-06-01T11:15Z")));
    world.now = at("2027-06-01T11:15Z");
    assert_eq!(all(&world).len(), 4);
}

#[test]
fn rule_10_an_advance_of_0_days_means_today() {
    let mut world = World::new("America/New_York", daily("09:00-11:00"));
    world.service.policy.maximum_advance_days = 0;
    world.now = at("2027-01-05T03:00Z");
    assert!(
        world
            .starts("2027-01-05T03:00Z", "2027-02-01T00:00Z")
            .is_empty()
    );
    world.now = at("2027-01-05T05:00Z");
    assert_eq!(
        world.starts("2027-01-05T03:00Z", "2027-02-01T00:00Z"),
        ["2027-01-05T14:00Z", "2027-01-05T15:00Z"]
    );
}

#[test]
fn rule_11_a_provider_has_so_many_sessions_on_a_local_day() {
    let mut world = World::new("America/New_York", daily("09:00-12:00"));
    world.workers[0].daily_limit = Some(2);
    // 23:00 on 4 January there, and 9:00 on 5 January: of another service too.
    let mut other = session(1, "2027-01-05T04:00Z", "2027-01-05T05:00Z");
    other.service_id = domain::id::Id::from_uuid(uuid::Uuid::from_u128(2));
    world.book(0, other);
    world.book(0, session(2, "2027-01-05T14:00Z", "2027-01-05T15:00Z"));
    assert_eq!(world.local_starts("2027-01-04").len(), 3);
    assert_eq!(world.local_starts("2027-01-05"), ["10:00", "11:00"]);
    world.book(0, session(3, "2027-01-05T20:00Z", "2027-01-05T21:00Z"));
    assert!(world.local_starts("2027-01-05").is_empty());
    assert_eq!(world.reasons("2027-01-05T15:00Z"), [DailyLimit]);
    assert_eq!(world.local_starts("2027-01-06").len(), 3);
}

#[test]
fn rule_11_a_service_has_so_many_sessions_on_a_local_day_with_whomever() {
    let mut world = World::new("UTC", daily("09:00-12:00")).with_worker(daily("09:00-12:00"));
    world.service.daily_limit = Some(2);
    world.book(0, session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z"));
    assert_eq!(world.local_starts("2027-01-04").len(), 3);
    world
        .elsewhere
        .push(session(2, "2027-01-04T20:00Z", "2027-01-04T21:00Z"));
    assert!(world.local_starts("2027-01-04").is_empty());
    assert_eq!(world.reasons("2027-01-04T10:00Z"), [DailyLimit]);
    assert_eq!(world.local_starts("2027-01-05").len(), 3);
}

#[test]
fn rule_11_a_hold_that_has_run_out_does_not_count() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.workers[0].daily_limit = Some(1);
    let mut hold = session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z");
    hold.holds = vec![crate::world::held(1, "2027-01-03T00:00Z")];
    world.book(0, hold);
    world.now = at("2027-01-02T23:59Z");
    assert!(world.local_starts("2027-01-04").is_empty());
    world.now = at("2027-01-03T00:00Z");
    assert_eq!(world.local_starts("2027-01-04").len(), 3);
}

#[test]
fn rule_11_a_limit_of_a_day_of_25_hours_counts_all_of_them() {
    let mut world = World::new(
        "America/New_York",
        weekly(["", "", "", "", "", "", "00:00-24:00"]),
    );
    world.workers[0].daily_limit = Some(1);
    world.book(0, session(1, "2027-11-08T04:30Z", "2027-11-08T04:45Z"));
    assert!(world.local_starts("2027-11-07").is_empty());
}

#[test]
fn reasons_are_all_there_in_order() {
    let mut world = World::new("UTC", daily("09:00-12:00"));
    world.now = at("2027-01-04T10:00Z");
    world.workers[0].daily_limit = Some(0);
    world.workers[0].closed = vec![interval("2027-01-04T09:00Z", "2027-01-04T10:00Z")];
    assert_eq!(
        world.reasons("2027-01-04T09:30Z"),
        [OffGrid, ProviderBlocked, TooSoon, DailyLimit]
    );
}
