//! Whole minutes on one UTC timeline, and half-open intervals of them (AVAILABILITY.md, 1).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A whole minute of UTC, counted from 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minute(i64);

impl Minute {
    /// The minute this many minutes after 1970-01-01T00:00Z.
    pub const fn new(minutes: i64) -> Self {
        Self(minutes)
    }

    /// Minutes since 1970-01-01T00:00Z.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The minute in which the instant lies.
    pub fn floor(at: DateTime<Utc>) -> Self {
        Self(at.timestamp().div_euclid(60))
    }

    /// The first minute that begins at or after the instant.
    pub fn ceil(at: DateTime<Utc>) -> Self {
        let floor = Self::floor(at);
        if floor.instant() < at {
            Self(floor.0 + 1)
        } else {
            floor
        }
    }

    /// The minute that begins exactly at the instant, if one does.
    pub fn exact(at: DateTime<Utc>) -> Option<Self> {
        let floor = Self::floor(at);
        (floor.instant() == at).then_some(floor)
    }

    /// The instant at which the minute begins.
    pub fn instant(self) -> DateTime<Utc> {
        let far = if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        TimeDelta::try_minutes(self.0)
            .and_then(|delta| DateTime::UNIX_EPOCH.checked_add_signed(delta))
            .unwrap_or(far)
    }

    /// The minute so many minutes later (earlier where negative).
    #[must_use]
    pub const fn plus(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }
}

/// A half-open interval `[start, end)` of whole minutes, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    start: Minute,
    end: Minute,
}

impl Interval {
    /// The interval between the two, if it is not empty.
    pub fn new(start: Minute, end: Minute) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The smallest interval of whole minutes that holds the span between two instants (rounded outward), if there is one.
    pub fn covering(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        if start < end {
            Self::new(Minute::floor(start), Minute::ceil(end))
        } else {
            None
        }
    }

    /// The first minute inside.
    pub const fn start(self) -> Minute {
        self.start
    }

    /// The first minute after.
    pub const fn end(self) -> Minute {
        self.end
    }

    /// How many minutes it lasts; at least one.
    pub const fn minutes(self) -> i64 {
        self.end.0 - self.start.0
    }

    /// Whether the two share a minute.
    pub fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether the other lies wholly inside this one.
    pub fn holds(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the minute lies inside.
    pub fn contains(self, minute: Minute) -> bool {
        self.start <= minute && minute < self.end
    }

    /// The minutes that both have.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// Sorts and unites what overlaps or touches: the result is sorted and disjoint, with gaps in between.
pub fn unite(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    let mut united: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match united.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            _ => united.push(next),
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: i64, end: i64) -> Interval {
        Interval::new(Minute::new(start), Minute::new(end)).unwrap()
    }

    #[test]
    fn an_interval_is_never_empty() {
        assert_eq!(Interval::new(Minute::new(5), Minute::new(5)), None);
        assert_eq!(Interval::new(Minute::new(5), Minute::new(4)), None);
    }

    #[test]
    fn neighbours_do_not_meet() {
        assert!(!interval(0, 10).meets(interval(10, 20)));
        assert!(interval(0, 11).meets(interval(10, 20)));
    }

    #[test]
    fn outside_intervals_are_rounded_outward() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert_eq!(Interval::covering(at(59), at(61)), Some(interval(0, 2)));
        assert_eq!(Interval::covering(at(60), at(120)), Some(interval(1, 2)));
        assert_eq!(Interval::covering(at(-1), at(0)), Some(interval(-1, 0)));
        assert_eq!(Interval::covering(at(60), at(60)), None);
    }

    #[test]
    fn uniting_joins_what_overlaps_or_touches() {
        let united = unite(vec![
            interval(5, 7),
            interval(0, 2),
            interval(2, 4),
            interval(6, 9),
        ]);
        assert_eq!(united, vec![interval(0, 4), interval(5, 9)]);
    }
}
