//! Rules 6 to 9: start times.

use domain::availability::{Plan, Seats, Taken, slots};
use domain::id::CalendarId;
use domain::problem::UnavailableReason::{
    OffGrid, OutsideWorkingHours, ProviderBlocked, ProviderBusy, ResourceBusy,
};
use domain::service::SlotAlignment;

use crate::world::{
    Machine, World, at, class, daily, half_hours, held, interval, location, on, provider, session,
    timeline, weekly,
};

#[test]
fn rule_6_starts_are_counted_from_where_a_window_opens() {
    let world = World::new("UTC", daily("09:10-11:00 13:05-14:30"))
        .with_service(|service| service.slot_interval_minutes = 25);
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:10", "09:35", "10:00", "13:05", "13:30"]
    );
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [OffGrid]);
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [OutsideWorkingHours]);
}

#[test]
fn rule_6_starts_by_the_clock_are_multiples_after_midnight() {
    let by_the_clock = |zone, windows| {
        World::new(zone, daily(windows)).with_service(|service| {
            service.slot_alignment = SlotAlignment::Clock;
            service.slot_interval_minutes = 45;
            service.duration_minutes = 30;
        })
    };
    assert_eq!(
        by_the_clock("UTC", "09:10-11:30").local_starts("2027-01-04"),
        ["09:45", "10:30"]
    );
    assert_eq!(
        by_the_clock("Asia/Kathmandu", "09:10-11:30").local_starts("2027-01-04"),
        ["09:45", "10:30"]
    );
    // 1440 is no multiple of 100: the count begins anew at midnight.
    let world = by_the_clock("UTC", "22:00-02:30")
        .with_service(|service| service.slot_interval_minutes = 100);
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["00:00", "01:40", "23:20"]
    );
}

#[test]
fn rule_6_by_the_clock_an_hour_that_happens_twice_is_offered_twice() {
    let world = half_hours(World::new(
        "America/New_York",
        weekly(["", "", "", "", "", "", "00:00-03:00"]),
    ))
    .with_service(|service| service.slot_alignment = SlotAlignment::Clock);
    let back = [
        "00:00", "00:30", "01:00", "01:30", "01:00", "01:30", "02:00", "02:30",
    ];
    assert_eq!(world.local_starts("2027-11-07"), back);
    assert_eq!(
        world.local_starts("2027-03-14"),
        ["00:00", "00:30", "01:00", "01:30"]
    );
}

#[test]
fn rule_6_half_an_hour_moved_keeps_the_clock_but_not_the_window() {
    let night = World::new(
        "Australia/Lord_Howe",
        weekly(["", "", "", "", "", "", "00:00-05:00"]),
    );
    assert_eq!(
        night.local_starts("2027-10-03"),
        ["00:00", "01:00", "02:30", "03:30"]
    );
    let clock = night.with_service(|service| service.slot_alignment = SlotAlignment::Clock);
    assert_eq!(
        clock.local_starts("2027-10-03"),
        ["00:00", "01:00", "03:00", "04:00"]
    );
}

#[test]
fn rule_6_nothing_else_moves_a_start() {
    let mut world = World::new("UTC", daily("09:00-13:00"));
    world.now = at("2027-01-04T09:20:30Z");
    world.book(0, session(1, "2027-01-04T10:15Z", "2027-01-04T10:20Z"));
    assert_eq!(
        world.starts("2027-01-04T08:35Z", "2027-01-05T00:00Z"),
        ["2027-01-04T11:00Z", "2027-01-04T12:00Z"]
    );
    assert_eq!(
        world.starts("2027-01-04T11:01Z", "2027-01-05T00:00Z"),
        ["2027-01-04T12:00Z"]
    );
}

#[test]
fn rule_7_a_session_lies_inside_one_stretch_of_working_time() {
    let world = World::new("UTC", daily("09:00-10:59 12:00-13:00"));
    assert_eq!(world.local_starts("2027-01-04"), ["09:00", "12:00"]);
    assert_eq!(world.reasons("2027-01-04T10:00Z"), [OutsideWorkingHours]);
}

#[test]
fn rule_7_a_session_may_run_over_midnight_and_for_days() {
    let mut world = World::new("UTC", daily("00:00-24:00")).with_service(|service| {
        service.duration_minutes = 3 * 24 * 60;
        service.slot_interval_minutes = 24 * 60;
    });
    assert_eq!(
        world.starts("2027-01-04T00:00Z", "2027-01-06T00:00Z").len(),
        2
    );
    world.sites[0].hours[0].1 = on(daily("00:00-24:00"), "2027-01-07", "");
    assert_eq!(
        world.starts("2027-01-03T00:00Z", "2027-01-09T00:00Z"),
        [
            "2027-01-03T00:00Z",
            "2027-01-04T00:00Z",
            "2027-01-08T00:00Z"
        ]
    );
}

#[test]
fn rule_7_buffers_may_lie_outside_working_time() {
    let world = World::new("UTC", daily("09:00-10:00")).with_service(|service| {
        service.buffer_before_minutes = 600;
        service.buffer_after_minutes = 600;
    });
    assert_eq!(world.local_starts("2027-01-04"), ["09:00"]);
}

#[test]
fn rule_8_buffers_of_neighbours_add_up() {
    let mut world = half_hours(World::new("UTC", daily("09:00-12:00"))).with_service(|service| {
        service.buffer_before_minutes = 10;
        service.buffer_after_minutes = 20;
    });
    let mut booked = session(1, "2027-01-04T10:30Z", "2027-01-04T11:00Z");
    booked.kept = interval("2027-01-04T10:20Z", "2027-01-04T11:20Z");
    world.book(0, booked);
    // 09:30 is kept until 10:20, 11:30 from 11:20 on.
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:00", "09:30", "11:30"]
    );
    world.service.buffer_before_minutes = 11;
    world.service.buffer_after_minutes = 21;
    assert_eq!(world.local_starts("2027-01-04"), ["09:00"]);
}

#[test]
fn rule_8_blocks_and_external_busy_time_are_named_apart_from_sessions() {
    let mut world = half_hours(World::new("UTC", daily("09:00-12:00")));
    world.workers[0].closed = vec![interval("2027-01-04T10:00Z", "2027-01-04T10:45Z")];
    world.book(0, session(1, "2027-01-04T10:45Z", "2027-01-04T11:00Z"));
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:00", "09:30", "11:00", "11:30"]
    );
    assert_eq!(world.reasons("2027-01-04T10:00Z"), [ProviderBlocked]);
    assert_eq!(
        world.reasons("2027-01-04T10:30Z"),
        [ProviderBusy, ProviderBlocked]
    );
}

#[test]
fn rule_8_a_hold_keeps_its_time_until_it_runs_out() {
    let mut world = World::new("UTC", daily("09:00-10:00"));
    let mut hold = session(1, "2027-01-04T09:00Z", "2027-01-04T10:00Z");
    hold.holds = vec![held(1, "2027-01-03T12:00Z")];
    world.book(0, hold);
    world.now = at("2027-01-03T11:59:59Z");
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [ProviderBusy]);
    world.now = at("2027-01-03T12:00Z");
    assert!(world.decide("2027-01-04T09:00Z").is_ok());
    assert_eq!(world.local_starts("2027-01-04"), ["09:00"]);
}

#[test]
fn rule_8_a_session_that_is_moved_does_not_stand_in_its_own_way() {
    let world = half_hours(World::new("UTC", daily("09:00-10:00")));
    let booked = session(1, "2027-01-04T09:00Z", "2027-01-04T09:30Z");
    let other = session(2, "2027-01-04T09:30Z", "2027-01-04T10:00Z");
    let busy = timeline(1, &[booked.clone(), other], &[]);
    let count = |timeline| {
        let (from, to) = (at("2027-01-04T00:00Z"), at("2027-01-05T00:00Z"));
        world.ask_with(&[timeline], |question| slots(question, from, to).len())
    };
    assert_eq!(count(busy.clone()), 0);
    assert_eq!(count(busy.without(booked.session_id, 1)), 1);
    let group = class(1, "2027-01-04T09:00Z", "2027-01-04T09:30Z", 3, 4);
    let busy = timeline(1, std::slice::from_ref(&group), &[]);
    // Of a service of capacity 1 nobody joins; one of three seats given back leaves the session in place.
    assert_eq!(count(busy.without(group.session_id, 1)), 1);
    assert_eq!(count(busy.without(group.session_id, 3)), 2);
}

fn with_chairs(units: u32, chairs: &[u32]) -> World {
    let mut world = half_hours(World::new("UTC", daily("09:00-11:00")));
    world.machines = chairs
        .iter()
        .zip(1..)
        .map(|(units, id)| Machine::new(id, *units))
        .collect();
    world.sites[0].requirements = vec![(units, (0..chairs.len()).collect())];
    world
}

#[test]
fn rule_8_enough_units_must_be_free_at_once() {
    let mut world = with_chairs(2, &[2, 1]);
    let mut first = session(1, "2027-01-04T09:30Z", "2027-01-04T10:00Z");
    first.unit = 1;
    world.machines[0].sessions.push(first);
    assert_eq!(world.local_starts("2027-01-04").len(), 4);
    world.machines[1]
        .sessions
        .push(session(2, "2027-01-04T09:45Z", "2027-01-04T10:15Z"));
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:00", "10:00", "10:30"]
    );
    assert_eq!(world.reasons("2027-01-04T09:30Z"), [ResourceBusy]);
    world.machines[0]
        .closed
        .push(interval("2027-01-04T10:59Z", "2027-01-04T11:00Z"));
    assert_eq!(world.local_starts("2027-01-04"), ["09:00", "10:00"]);
}

#[test]
fn rule_8_a_unit_must_be_free_for_the_whole_time() {
    // One unit is free in the first half, the other in the second: neither will do.
    let mut world = with_chairs(1, &[2]);
    world.machines[0]
        .sessions
        .push(session(1, "2027-01-04T09:00Z", "2027-01-04T09:15Z"));
    let mut second = session(2, "2027-01-04T09:15Z", "2027-01-04T09:30Z");
    second.unit = 1;
    world.machines[0].sessions.push(second);
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:30", "10:00", "10:30"]
    );
}

#[test]
fn rule_8_a_unit_that_is_busy_before_and_after_counts_once() {
    // Half an hour from 09:15 meets both sessions of one unit; the other one is free.
    let mut world = with_chairs(1, &[2]);
    world.sites[0].hours[0].1 = daily("09:15-09:45");
    world.machines[0]
        .sessions
        .push(session(1, "2027-01-04T09:00Z", "2027-01-04T09:20Z"));
    world.machines[0]
        .sessions
        .push(session(2, "2027-01-04T09:40Z", "2027-01-04T10:00Z"));
    assert_eq!(world.local_starts("2027-01-04"), ["09:15"]);
}

#[test]
fn rule_8_too_few_units_altogether_are_never_free() {
    let world = with_chairs(3, &[1, 1]);
    assert!(world.local_starts("2027-01-04").is_empty());
    assert_eq!(world.reasons("2027-01-04T09:00Z"), [ResourceBusy]);
}

#[test]
fn rule_8_a_plan_takes_free_units_sorted_by_calendar_and_unit() {
    let mut world = with_chairs(2, &[2, 1]);
    world.machines[0]
        .sessions
        .push(session(1, "2027-01-04T09:00Z", "2027-01-04T09:30Z"));
    world.service.buffer_before_minutes = 5;
    let unit = |calendar_id: CalendarId, unit| Taken {
        calendar_id,
        unit,
        overlap: false,
    };
    let wanted = Plan {
        provider_id: provider(1),
        location_id: location(1),
        span: interval("2027-01-04T09:00Z", "2027-01-04T09:30Z"),
        seats: Seats::Open {
            kept: interval("2027-01-04T08:55Z", "2027-01-04T09:30Z"),
            taken: vec![
                unit(provider(1).into(), 0),
                unit(world.machines[0].id.into(), 1),
                unit(world.machines[1].id.into(), 0),
            ],
        },
    };
    assert_eq!(world.decide("2027-01-04T09:00Z"), Ok(wanted));
}
