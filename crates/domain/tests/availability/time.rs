//! Rules 1 to 3: instants, wall clocks, windows.

use chrono::TimeDelta;
use domain::availability::slots;

use crate::world::{World, at, daily, minute, on, weekly};

const SUNDAY: [&str; 7] = ["", "", "", "", "", "", "00:00-24:00"];

#[test]
fn rule_1_a_window_of_time_that_begins_within_a_minute_lists_from_the_next() {
    let world = World::new("UTC", daily("09:00-12:00"));
    assert_eq!(
        world
            .starts("2027-01-04T09:00:00Z", "2027-01-04T11:00Z")
            .len(),
        2
    );
    assert_eq!(
        world.starts("2027-01-04T09:00:01Z", "2027-01-04T11:00Z"),
        ["2027-01-04T10:00Z"]
    );
    assert_eq!(
        world
            .starts("2027-01-04T10:00Z", "2027-01-04T11:00:01Z")
            .len(),
        2
    );
}

#[test]
fn rule_2_a_day_has_as_many_hours_as_the_clocks_leave_it() {
    let hours = |zone: &str, date: &str, minutes: u32| {
        let world = World::new(zone, weekly(SUNDAY)).with_service(|service| {
            service.duration_minutes = minutes;
            service.slot_interval_minutes = minutes;
        });
        world.local_starts(date).len()
    };
    assert_eq!(hours("America/New_York", "2027-03-14", 60), 23);
    assert_eq!(hours("America/New_York", "2027-11-07", 60), 25);
    assert_eq!(hours("Australia/Lord_Howe", "2027-10-03", 30), 47);
    assert_eq!(hours("Australia/Lord_Howe", "2027-04-04", 30), 49);
    assert_eq!(hours("Asia/Kathmandu", "2027-03-14", 60), 24);
}

#[test]
fn rule_2_an_ordinary_working_day_is_eight_hours_when_clocks_move() {
    for (zone, date) in [
        ("America/New_York", "2027-03-14"),
        ("Pacific/Chatham", "2027-09-26"),
        ("Europe/London", "2027-10-31"),
    ] {
        let starts = World::new(zone, daily("09:00-17:00")).local_starts(date);
        assert_eq!(
            starts,
            [
                "09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"
            ],
            "{zone}"
        );
    }
}

#[test]
fn rule_2_a_time_that_does_not_exist_is_read_with_the_offset_before_the_gap() {
    let world = World::new("America/New_York", daily("02:30-05:00"))
        .with_service(|service| service.duration_minutes = 30);
    assert_eq!(world.local_starts("2027-03-14"), ["03:30", "04:30"]);
    assert_eq!(
        world.starts("2027-03-14T00:00Z", "2027-03-14T08:00Z"),
        ["2027-03-14T07:30Z"]
    );
}

#[test]
fn rule_2_a_time_that_happens_twice_means_the_first() {
    let world = World::new("America/New_York", daily("01:30-02:00"))
        .with_service(|service| service.duration_minutes = 30);
    assert_eq!(
        world.starts("2027-11-07T00:00Z", "2027-11-08T00:00Z"),
        ["2027-11-07T05:30Z", "2027-11-07T06:30Z"]
    );
}

#[test]
fn rule_2_a_window_of_which_moving_clocks_leave_nothing_is_none() {
    let world = World::new("America/New_York", daily("02:30-03:00"))
        .with_service(|service| service.duration_minutes = 10);
    assert!(world.local_starts("2027-03-14").is_empty());
    assert_eq!(world.local_starts("2027-03-15"), ["02:30"]);
}

#[test]
fn rule_2_a_local_day_that_does_not_exist_has_no_hours() {
    let world = World::new("Pacific/Apia", daily("09:00-11:00"));
    let wanted = [
        "2011-12-29T19:00Z",
        "2011-12-29T20:00Z",
        "2011-12-30T19:00Z",
        "2011-12-30T20:00Z",
    ];
    assert_eq!(
        world.starts("2011-12-29T11:00Z", "2011-12-31T10:00Z"),
        wanted
    );
    // The days before and after are a day apart by the clock, and none by the sun.
    let round = World::new("Pacific/Apia", daily("00:00-24:00"));
    assert_eq!(
        round.starts("2011-12-29T10:00Z", "2011-12-31T10:00Z").len(),
        48
    );
}

#[test]
fn rule_2_midnight_may_be_missing_or_come_twice() {
    let night = World::new("America/Havana", daily("00:00-02:00"));
    assert_eq!(night.local_starts("2027-03-14"), ["01:00"]);
    // Clocks go back from 01:00 to 00:00: three hours.
    assert_eq!(
        night.local_starts("2027-11-07"),
        ["00:00", "00:00", "01:00"]
    );
}

#[test]
fn rule_3_a_window_runs_past_midnight_into_the_next_day() {
    let world = World::new(
        "Europe/London",
        weekly(["22:00-02:00", "", "", "", "", "", ""]),
    );
    assert_eq!(world.local_starts("2027-01-04"), ["22:00", "23:00"]);
    assert_eq!(world.local_starts("2027-01-05"), ["00:00", "01:00"]);
    assert!(world.local_starts("2027-01-06").is_empty());
}

#[test]
fn rule_3_a_window_that_closes_when_it_opens_lasts_a_day() {
    let world = World::new(
        "Europe/London",
        weekly(["09:00-09:00", "", "", "", "", "", ""]),
    );
    assert_eq!(
        world.starts("2027-01-04T00:00Z", "2027-01-06T00:00Z").len(),
        24
    );
}

#[test]
fn rule_3_windows_that_overlap_are_one_and_open_when_the_first_does() {
    let world = World::new("UTC", daily("10:30-12:00 09:00-11:00"))
        .with_service(|service| service.duration_minutes = 30);
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:00", "10:00", "11:00"]
    );
    let over_midnight = World::new(
        "UTC",
        weekly(["22:30-02:00", "01:00-05:00", "", "", "", "", ""]),
    );
    assert_eq!(
        over_midnight.local_starts("2027-01-05"),
        ["00:30", "01:30", "02:30", "03:30"]
    );
}

#[test]
fn rule_3_windows_that_touch_are_one_stretch_with_start_times_of_their_own() {
    let world = World::new("UTC", daily("09:30-12:00 12:00-14:00"));
    // 11:30 runs into the afternoon; the afternoon begins its own count.
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["09:30", "10:30", "11:30", "12:00", "13:00"]
    );
    let over_midnight = World::new(
        "UTC",
        weekly(["22:30-24:00", "00:00-02:00", "", "", "", "", ""]),
    );
    assert_eq!(over_midnight.local_starts("2027-01-04"), ["22:30", "23:30"]);
    assert_eq!(over_midnight.local_starts("2027-01-05"), ["00:00", "01:00"]);
}

#[test]
fn rule_3_windows_that_overlap_without_end_do_not_depend_on_the_question() {
    let endless = daily("09:00-09:00 08:10-10:00");
    for schedule in [on(endless.clone(), "2027-01-20", "12:00-13:00"), endless] {
        let world = World::new("America/New_York", schedule)
            .with_service(|service| service.slot_interval_minutes = 7 * 60);
        let all = world.slots("2027-01-01T00:00Z", "2027-03-20T00:00Z");
        let mut from = at("2027-01-01T00:00Z");
        while from < at("2027-03-18T00:00Z") {
            let to = from + TimeDelta::hours(31);
            let wanted: Vec<_> = all
                .iter()
                .filter(|slot| (from..to).contains(&slot.starts.instant()))
                .cloned()
                .collect();
            world.ask(|question| assert_eq!(slots(question, from, to), wanted));
            from += TimeDelta::hours(13);
        }
        assert!(all.len() > 78 * 3);
        // Every Monday begins anew, at 08:10.
        assert!(
            all.iter()
                .any(|slot| slot.starts == minute("2027-03-08T13:10Z"))
        );
    }
}
