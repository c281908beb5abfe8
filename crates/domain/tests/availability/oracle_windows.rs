//! The oracle's clocks and calendars: windows as pairs of minutes, read off jiff's zones one by one.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::interval::{Interval, Minute};
use domain::schedule::Schedule;
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::TimeZone;

/// The windows of a schedule; those that overlap as one, those that touch apart.
pub fn windows(zone: &TimeZone, schedule: &Schedule, days: &[NaiveDate]) -> Vec<(i64, i64)> {
    let mut windows = windows_of(zone, schedule, days);
    windows.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (opens, closes) in windows {
        match merged.last_mut() {
            Some(last) if opens < last.1 => last.1 = last.1.max(closes),
            _ => merged.push((opens, closes)),
        }
    }
    merged
}

pub fn windows_of(zone: &TimeZone, schedule: &Schedule, days: &[NaiveDate]) -> Vec<(i64, i64)> {
    let mut windows = Vec::new();
    for &day in days {
        let midnight =
            civil::date(day.year() as i16, day.month() as i8, day.day() as i8).at(0, 0, 0, 0);
        let instant = |minutes: u16| {
            let wall = midnight + jiff::Span::new().minutes(i64::from(minutes));
            zone.to_ambiguous_timestamp(wall).compatible().unwrap()
        };
        if zone.to_datetime(instant(0)).date() != midnight.date() {
            continue;
        }
        let weekday = day.weekday().num_days_from_monday() as usize;
        for window in schedule
            .overrides
            .get(&day)
            .unwrap_or(&schedule.weekly[weekday])
        {
            let (opens, closes) = (window.opens().minutes(), window.closes().minutes());
            let closes = if closes <= opens {
                closes + 1440
            } else {
                closes
            };
            let (opens, closes) = (
                instant(opens).as_second() / 60,
                instant(closes).as_second() / 60,
            );
            if opens < closes {
                windows.push((opens, closes));
            }
        }
    }
    windows
}

pub fn inside(windows: &[(i64, i64)], minute: i64) -> bool {
    windows
        .iter()
        .any(|&(opens, closes)| opens <= minute && minute < closes)
}

pub fn covered(intervals: &[Interval], minute: i64) -> bool {
    intervals
        .iter()
        .any(|interval| interval.contains(Minute::new(minute)))
}

pub fn wall(zone: &TimeZone, at: DateTime<Utc>) -> civil::DateTime {
    zone.to_datetime(Timestamp::from_second(at.timestamp()).unwrap())
}

pub fn date(zone: &TimeZone, at: DateTime<Utc>) -> NaiveDate {
    let wall = wall(zone, at);
    NaiveDate::from_ymd_opt(
        i32::from(wall.year()),
        wall.month() as u32,
        wall.day() as u32,
    )
    .unwrap()
}
