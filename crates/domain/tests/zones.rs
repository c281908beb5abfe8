//! Rule 2: wall-clock times and instants, in zones and years where that is not obvious.

// What is denied outside tests is denied outside test functions; the helpers here serve nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use domain::interval::{Interval, Minute};
use domain::zone::{Zone, ZoneDatabase, ZoneError, resolve};
use proptest::prelude::*;

fn zone(name: &str) -> Zone {
    ZoneDatabase::bundled().get(name).unwrap()
}

fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
}

fn instant(name: &str, text: &str) -> String {
    zone(name)
        .to_instant(wall(text))
        .format("%Y-%m-%dT%H:%MZ")
        .to_string()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn rule_2_ordinary_times_have_their_offset() {
    assert_eq!(
        instant("America/New_York", "2027-01-04T09:00"),
        "2027-01-04T14:00Z"
    );
    assert_eq!(
        instant("Asia/Kathmandu", "2027-01-04T09:00"),
        "2027-01-04T03:15Z"
    );
    assert_eq!(
        instant("Pacific/Chatham", "2027-01-04T09:00"),
        "2027-01-03T19:15Z"
    );
    assert_eq!(instant("UTC", "2027-01-04T09:00"), "2027-01-04T09:00Z");
}

#[test]
fn rule_2_a_time_in_a_gap_is_read_with_the_offset_before_it() {
    // 02:30 means 03:30 new time.
    assert_eq!(
        instant("America/New_York", "2027-03-14T02:30"),
        "2027-03-14T07:30Z"
    );
    assert_eq!(
        instant("Europe/London", "2027-03-28T01:30"),
        "2027-03-28T01:30Z"
    );
    assert_eq!(
        instant("Australia/Lord_Howe", "2027-10-03T02:15"),
        "2027-10-02T15:45Z"
    );
    assert_eq!(
        instant("America/Havana", "2027-03-14T00:00"),
        "2027-03-14T05:00Z"
    );
}

#[test]
fn rule_2_a_time_that_happens_twice_means_the_first() {
    assert_eq!(
        instant("America/New_York", "2027-11-07T01:30"),
        "2027-11-07T05:30Z"
    );
    assert_eq!(
        instant("Europe/London", "2027-10-31T01:30"),
        "2027-10-31T00:30Z"
    );
    assert_eq!(
        instant("Australia/Lord_Howe", "2027-04-04T01:45"),
        "2027-04-03T14:45Z"
    );
}

#[test]
fn rule_2_a_local_day_lasts_from_midnight_to_midnight() {
    let minutes =
        |name: &str, date: &str| zone(name).day(date.parse().unwrap()).map(Interval::minutes);
    assert_eq!(minutes("America/New_York", "2027-03-14"), Some(23 * 60));
    assert_eq!(minutes("America/New_York", "2027-11-07"), Some(25 * 60));
    assert_eq!(
        minutes("Australia/Lord_Howe", "2027-10-03"),
        Some(23 * 60 + 30)
    );
    assert_eq!(
        minutes("Australia/Lord_Howe", "2027-04-04"),
        Some(24 * 60 + 30)
    );
    assert_eq!(minutes("America/Havana", "2027-03-14"), Some(23 * 60));
    assert_eq!(minutes("Pacific/Apia", "2011-12-29"), Some(24 * 60));
    assert_eq!(minutes("Pacific/Apia", "2011-12-30"), None);
    assert_eq!(minutes("Pacific/Apia", "2011-12-31"), Some(24 * 60));
}

#[test]
fn january_2027_is_right_where_older_data_is_an_hour_off() {
    // British Columbia keeps -07:00 for good; chrono-tz 0.10.4 (2025b) would say -08:00.
    let newest = ZoneDatabase::newest(None).unwrap();
    let january = at("2027-01-15T20:00:00Z");
    assert_eq!(
        newest
            .get("America/Vancouver")
            .unwrap()
            .offset(january)
            .local_minus_utc(),
        -7 * 3600
    );
    assert_eq!(
        instant("America/Vancouver", "2027-01-15T09:00"),
        "2027-01-15T16:00Z"
    );
    assert_eq!(
        newest
            .get("Europe/London")
            .unwrap()
            .offset(january)
            .local_minus_utc(),
        0
    );
}

#[test]
fn the_newest_data_is_at_least_as_new_as_the_built_in() {
    let (newest, bundled) = (ZoneDatabase::newest(None).unwrap(), ZoneDatabase::bundled());
    assert!(
        newest.version() >= bundled.version(),
        "{newest:?} {bundled:?}"
    );
    assert_eq!(
        bundled.source(),
        format!("{} (built in)", bundled.version())
    );
}

#[test]
fn a_directory_that_is_given_is_used_as_it_is() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let refused = ZoneDatabase::newest(Some(directory));
    assert_eq!(
        refused.map(|zones| zones.source()),
        Err(ZoneError::NoZones(directory.to_owned()))
    );
    let missing = Path::new("/nowhere/at/all");
    assert!(ZoneDatabase::newest(Some(missing)).is_err());
    let system = Path::new("/usr/share/zoneinfo");
    if system.join("Europe/London").exists() {
        let zones = ZoneDatabase::newest(Some(system)).unwrap();
        assert!(zones.source().ends_with("(/usr/share/zoneinfo)"));
        assert_eq!(zones.get("europe/london").unwrap().name(), "Europe/London");
    }
}

#[test]
fn names_are_those_of_iana_in_whatever_case() {
    let zones = ZoneDatabase::bundled();
    assert_eq!(
        zones.get("america/new_york").unwrap().name(),
        "America/New_York"
    );
    assert_eq!(zones.get("utc").unwrap().name(), "UTC");
    for name in [
        "America/Port-au-Prince",
        "Etc/GMT+5",
        "America/Argentina/Buenos_Aires",
        "Asia/Calcutta",
        "EST5EDT",
    ] {
        assert_eq!(zones.get(name).unwrap().name(), name);
    }
}

#[test]
fn what_is_no_name_is_no_zone() {
    let databases = [
        Some(ZoneDatabase::bundled()),
        ZoneDatabase::newest(Some(Path::new("/usr/share/zoneinfo"))).ok(),
    ];
    let names = [
        "",
        " ",
        "/",
        "Europe/",
        "/Europe/London",
        "Europe//London",
        "../zoneinfo/Europe/London",
        "Europe/../UTC",
        "Europe/London ",
        "EST5EDT4,M3.2.0,M11.1.0",
        "<-03>3",
        ":Europe/London",
        "+02:00",
        "Mars/Olympus",
        "localtime",
        "posixrules",
        "posix/Europe/London",
        "right/Europe/London",
        "tzdata.zi",
        "tzdata",
        "zone.tab",
        "Etc/Unknown",
        "Europe/London\0",
    ];
    for zones in databases.iter().flatten() {
        for name in names {
            assert_eq!(zones.get(name), None, "{name:?} of {zones:?}");
        }
    }
}

#[test]
fn zones_are_equal_by_name() {
    assert_eq!(zone("Europe/London"), zone("europe/LONDON"));
    assert_ne!(zone("Europe/London"), zone("Europe/Lisbon"));
    assert_eq!(format!("{:?}", zone("UTC")), "Zone(UTC)");
}

#[test]
fn times_outside_all_calendars_do_no_harm() {
    let zone = zone("America/New_York");
    for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        zone.to_instant(zone.to_wall(at));
        zone.day(zone.date(at));
    }
    assert_eq!(zone.day(NaiveDate::MAX), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_2_what_the_clocks_show_means_that_instant_or_the_first_that_shows_it(
        name in prop::sample::select(vec![
            "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham",
            "Pacific/Apia", "America/St_Johns", "America/Vancouver", "Africa/Casablanca", "America/Caracas",
        ]),
        minutes in 0..60 * 366 * 1440_i64,
    ) {
        let zone = zone(name);
        let at = Minute::new(minutes).instant();
        let shown = zone.to_wall(at);
        let meant = zone.to_instant(shown);
        prop_assert!(meant <= at);
        prop_assert_eq!(zone.to_wall(meant), shown);
        prop_assert!(at - meant <= TimeDelta::hours(25));
        // The table of offsets says the same of any wall-clock time, also of those that no clock shows.
        let around = Interval::new(Minute::new(minutes - 3 * 1440), Minute::new(minutes + 3 * 1440)).unwrap();
        let spans = zone.offsets(around);
        prop_assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].offset != pair[1].offset));
        for hours in -24..=24 {
            let wall = shown + TimeDelta::hours(hours);
            let resolved = resolve(&spans, wall.and_utc().timestamp());
            prop_assert_eq!(resolved, Some(zone.to_instant(wall).timestamp()));
        }
    }
}

#[test]
fn what_was_put_by_other_rules_is_displaced() {
    let displaced = |name: &str, at_text: &str, wall_text: &str| {
        let to = zone(name).displaced(at(at_text), wall(wall_text));
        to.map(|to| to.format("%Y-%m-%dT%H:%MZ").to_string())
    };
    let london = |at, wall| displaced("Europe/London", at, wall);
    assert_eq!(london("2027-07-01T08:00:00Z", "2027-07-01T09:00"), None);
    // Put there as if there were no summer time.
    assert_eq!(
        london("2027-07-01T09:00:00Z", "2027-07-01T09:00").as_deref(),
        Some("2027-07-01T08:00Z")
    );
    // Both times that the clocks show 01:30 are right.
    assert_eq!(london("2027-10-31T00:30:00Z", "2027-10-31T01:30"), None);
    assert_eq!(london("2027-10-31T01:30:00Z", "2027-10-31T01:30"), None);
    // 01:30 is skipped and read as 02:30: it is there already, or goes there.
    assert_eq!(london("2027-03-28T01:30:00Z", "2027-03-28T01:30"), None);
    assert_eq!(
        london("2027-03-28T00:30:00Z", "2027-03-28T01:30").as_deref(),
        Some("2027-03-28T01:30Z")
    );
}

#[test]
fn versions_are_ordered_by_year_and_letters() {
    let own = ZoneDatabase::bundled();
    assert!(own.is_older_than("2999a"));
    assert!(!own.is_older_than(own.version()));
    assert!(!own.is_older_than("1999z"));
    assert!(!own.is_older_than("unknown"));
}
