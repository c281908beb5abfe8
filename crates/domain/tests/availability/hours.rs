//! Rules 4 and 5: working time.

use domain::problem::UnavailableReason::{OutsideWorkingHours, ProviderBusy};

use crate::world::{Site, World, daily, on, session, weekly};

#[test]
fn rule_4_weekly_windows_belong_to_their_weekday() {
    let world = World::new(
        "UTC",
        weekly(["09:00-11:00", "", "14:00-15:00", "", "", "", ""]),
    );
    assert_eq!(world.local_starts("2027-01-04"), ["09:00", "10:00"]);
    assert!(world.local_starts("2027-01-05").is_empty());
    assert_eq!(world.local_starts("2027-01-06"), ["14:00"]);
}

#[test]
fn rule_4_a_location_is_open_within_its_own_hours_where_it_has_any() {
    let mut world = World::new("UTC", daily("08:30-13:00"));
    world.sites[0].opening = Some(daily("09:00-12:00"));
    // Start times are still counted from where the provider's window opens.
    assert_eq!(world.local_starts("2027-01-04"), ["09:30", "10:30"]);
    assert_eq!(world.reasons("2027-01-04T08:30Z"), [OutsideWorkingHours]);
    world.sites[0].opening = Some(daily(""));
    assert!(world.local_starts("2027-01-04").is_empty());
    world.sites[0].opening = None;
    assert_eq!(
        world.local_starts("2027-01-04"),
        ["08:30", "09:30", "10:30", "11:30"]
    );
}

#[test]
fn rule_4_an_override_replaces_the_windows_that_open_on_its_day() {
    let world = World::new(
        "UTC",
        on(
            on(daily("09:00-11:00"), "2027-01-05", "14:00-15:00"),
            "2027-01-06",
            "",
        ),
    );
    assert_eq!(world.local_starts("2027-01-04"), ["09:00", "10:00"]);
    assert_eq!(world.local_starts("2027-01-05"), ["14:00"]);
    assert!(world.local_starts("2027-01-06").is_empty());
    assert_eq!(world.local_starts("2027-01-07"), ["09:00", "10:00"]);
}

#[test]
fn rule_4_a_window_past_midnight_belongs_to_the_day_on_which_it_opens() {
    let closed_on_tuesday = on(
        weekly(["22:00-02:00", "22:00-02:00", "", "", "", "", ""]),
        "2027-01-05",
        "",
    );
    let world = World::new("UTC", closed_on_tuesday);
    // Monday's night is worked to its end, though Tuesday is closed.
    assert_eq!(world.local_starts("2027-01-05"), ["00:00", "01:00"]);
    assert!(world.local_starts("2027-01-06").is_empty());
}

#[test]
fn rule_4_an_override_of_a_location_holds_for_all_who_work_there() {
    let mut world = World::new("UTC", daily("09:00-11:00")).with_worker(daily("10:00-12:00"));
    world.sites[0].opening = Some(on(daily("00:00-24:00"), "2027-01-05", "10:00-11:00"));
    assert_eq!(world.local_starts("2027-01-05"), ["10:00"]);
    assert_eq!(
        world.slots("2027-01-05T00:00Z", "2027-01-06T00:00Z")[0]
            .provider_ids
            .iter()
            .count(),
        2
    );
}

#[test]
fn rule_5_a_session_at_one_location_makes_busy_at_all() {
    let mut world = World::new("UTC", daily("09:00-11:00"));
    world.sites.push(Site::new(
        2,
        "Europe/Berlin",
        vec![(0, daily("12:00-14:00"))],
    ));
    let starts = world.starts("2027-01-04T00:00Z", "2027-01-05T00:00Z");
    assert_eq!(
        starts,
        [
            "2027-01-04T09:00Z",
            "2027-01-04T10:00Z",
            "2027-01-04T11:00Z",
            "2027-01-04T12:00Z"
        ]
    );
    world.book(0, session(1, "2027-01-04T10:30Z", "2027-01-04T11:30Z"));
    let starts = world.starts("2027-01-04T00:00Z", "2027-01-05T00:00Z");
    assert_eq!(starts, ["2027-01-04T09:00Z", "2027-01-04T12:00Z"]);
    assert_eq!(world.reasons("2027-01-04T11:00Z"), [ProviderBusy]);
}
