//! The worked examples of AVAILABILITY.md.

use crate::world::{World, daily, session, weekly};

#[test]
fn example_a_night_in_new_york_in_which_clocks_jump_forward() {
    let world = World::new(
        "America/New_York",
        weekly(["", "", "", "", "", "", "00:00-06:00"]),
    );
    let starts = world.starts("2027-03-14T00:00Z", "2027-03-15T00:00Z");
    let wanted =
        ["05:00", "06:00", "07:00", "08:00", "09:00"].map(|time| format!("2027-03-14T{time}Z"));
    assert_eq!(starts, wanted);
    assert_eq!(
        world.local_starts("2027-03-14"),
        ["00:00", "01:00", "03:00", "04:00", "05:00"]
    );
}

#[test]
fn example_a_night_in_new_york_in_which_clocks_fall_back() {
    let world = World::new(
        "America/New_York",
        weekly(["", "", "", "", "", "", "00:00-06:00"]),
    );
    let starts = world.starts("2027-11-07T00:00Z", "2027-11-08T00:00Z");
    let wanted = [
        "04:00", "05:00", "06:00", "07:00", "08:00", "09:00", "10:00",
    ];
    assert_eq!(starts, wanted.map(|time| format!("2027-11-07T{time}Z")));
    assert_eq!(
        world.local_starts("2027-11-07"),
        [
            "00:00", "01:00", "01:00", "02:00", "03:00", "04:00", "05:00"
        ]
    );
}

#[test]
fn example_buffers_around_a_booking_in_london() {
    let mut world = World::new(
        "Europe/London",
        weekly(["09:00-12:00", "", "", "", "", "", ""]),
    )
    .with_service(|service| {
        service.duration_minutes = 30;
        service.slot_interval_minutes = 30;
        service.buffer_before_minutes = 10;
        service.buffer_after_minutes = 10;
    });
    let mut booking = session(1, "2027-01-11T10:00Z", "2027-01-11T10:30Z");
    booking.kept = crate::world::interval("2027-01-11T09:50Z", "2027-01-11T10:40Z");
    world.book(0, booking);
    assert_eq!(
        world.local_starts("2027-01-11"),
        ["09:00", "11:00", "11:30"]
    );
}

#[test]
fn example_an_ordinary_day_is_what_it_says() {
    let world = World::new("Europe/London", daily("09:00-12:00"));
    assert_eq!(
        world.local_starts("2027-07-05"),
        ["09:00", "10:00", "11:00"]
    );
}
