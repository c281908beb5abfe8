//! The local days of one place, made once for a question and used for every provider there.
//!
//! Local dates are read off the wall clock, instant by instant: where clocks move, a date may have two pieces with
//! another offset each, or (where they move back over midnight) come back after the next date has begun. A wall-clock
//! time is turned into an instant by adding to midnight as far as that is right, and by [`resolve`] beyond.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::interval::{Interval, Minute};
use crate::zone::{OffsetSpan, Zone, resolve};

/// 1970-01-01, counted from the first day of the Common Era.
const EPOCH: i64 = 719_163;
const DAY_MINUTES: i64 = 24 * 60;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// How many days before the first one are in the table. A window reaches into the next day; windows that overlap, into
/// the next fortnight (see `hours`).
pub(super) const LOOK_BACK_DAYS: i64 = 14;
/// A window ends less than two days after the midnight before it opens.
const LONGEST_DAYS: i64 = 2;

/// A local day, counted from 1970-01-01.
pub(super) type DayNumber = i64;

/// A part of a local day on which the clocks are not moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) day: DayNumber,
    /// When the clocks would have shown 00:00, going by how they stand in this piece.
    pub(super) midnight: Minute,
    pub(super) span: Interval,
}

/// A local day, for its windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) number: DayNumber,
    /// 0 for Monday.
    pub(super) weekday: usize,
    midnight: Minute,
    /// Up to which wall-clock time, in minutes after midnight, adding is right; negative: never.
    straight: i64,
    /// False for a day that the zone skipped.
    pub(super) exists: bool,
}

/// The local days of a place.
#[derive(Debug)]
pub(super) struct Days {
    offsets: Vec<OffsetSpan>,
    table: Vec<Day>,
    pieces: Vec<Piece>,
}

impl Days {
    /// The days whose windows bear on an interval.
    pub(super) fn around(zone: &Zone, during: Interval) -> Self {
        let margin = |days| days * DAY_MINUTES;
        let (start, end) = (
            during.start().plus(-margin(LOOK_BACK_DAYS + LONGEST_DAYS)),
            during.end().plus(margin(LONGEST_DAYS * 2)),
        );
        let offsets = Interval::new(start, end).map_or_else(Vec::new, |wide| zone.offsets(wide));
        let first = number(zone, during.start().instant()) - LOOK_BACK_DAYS;
        // The latest date shown so far: where clocks move back over midnight, that is not the one shown last.
        let until = during.end().get() * 60;
        let shown = offsets.iter().filter(|span| span.start < until);
        let last = shown
            .map(|span| (span.end.min(until) - 1 + span.offset).div_euclid(DAY_SECONDS))
            .max();
        let pieces = usize::try_from((end.get() - start.get()) / DAY_MINUTES).unwrap_or(0) + 4;
        let table = (first..=last.unwrap_or(first)).map(Day::skipped).collect();
        let mut days = Self {
            offsets: Vec::new(),
            table,
            pieces: Vec::with_capacity(pieces),
        };
        for &span in &offsets {
            days.add(first, span);
        }
        days.offsets = offsets;
        days
    }

    fn add(&mut self, first: DayNumber, span: OffsetSpan) {
        let numbers = (span.start + span.offset).div_euclid(DAY_SECONDS)..;
        for number in numbers {
            let midnight = number * DAY_SECONDS - span.offset;
            if midnight >= span.end {
                break;
            }
            let (start, end) = (
                midnight.max(span.start),
                span.end.min(midnight + DAY_SECONDS),
            );
            let Some(part) = Interval::new(whole_minute(start), whole_minute(end)) else {
                continue;
            };
            let midnight_minute = whole_minute(midnight);
            self.pieces.push(Piece {
                day: number,
                midnight: midnight_minute,
                span: part,
            });
            let day = usize::try_from(number - first)
                .ok()
                .and_then(|index| self.table.get_mut(index));
            // Midnight means the first one, where clocks that move back show it twice.
            if let Some(day) = day.filter(|day| !day.exists) {
                let straight = midnight >= span.start && span.offset % 60 == 0;
                day.exists = true;
                day.midnight = midnight_minute;
                day.straight = if straight {
                    (span.end - midnight) / 60 - 1
                } else {
                    -1
                };
            }
        }
    }

    /// The days in order, without gaps in their numbers; the first [`LOOK_BACK_DAYS`] are before the question.
    pub(super) fn days(&self) -> &[Day] {
        &self.table
    }

    /// The pieces in order.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// When a window opens that does so this many minutes after midnight by the clock (AVAILABILITY.md, 2): in the first
    /// whole minute, where a zone's offset is none.
    pub(super) fn opens(&self, day: Day, minutes: u16) -> Minute {
        let minutes = i64::from(minutes);
        if minutes <= day.straight {
            day.midnight.plus(minutes)
        } else {
            whole_minute(self.seconds(day, minutes))
        }
    }

    /// When a window closes, as [`Days::opens`].
    pub(super) fn closes(&self, day: Day, minutes: u16) -> Minute {
        let minutes = i64::from(minutes);
        let floor = |seconds: i64| Minute::new(seconds.div_euclid(60));
        if minutes <= day.straight {
            day.midnight.plus(minutes)
        } else {
            floor(self.seconds(day, minutes))
        }
    }

    fn seconds(&self, day: Day, minutes: i64) -> i64 {
        let wall = day.number * DAY_SECONDS + minutes * 60;
        resolve(&self.offsets, wall).unwrap_or(wall)
    }

    /// The day that the clocks show at a minute; none outside the table.
    pub(super) fn day_of(&self, minute: Minute) -> Option<DayNumber> {
        let next = self
            .pieces
            .partition_point(|piece| piece.span.end() <= minute);
        self.pieces.get(next).map(|piece| piece.day)
    }

    /// The pieces of one day: where clocks move back over midnight, another day's may lie between.
    pub(super) fn pieces_of(&self, day: DayNumber) -> impl Iterator<Item = &Piece> {
        let first = self.pieces.partition_point(|piece| piece.day < day - 1);
        let near = self
            .pieces
            .iter()
            .skip(first)
            .take_while(move |piece| piece.day <= day + 1);
        near.filter(move |piece| piece.day == day)
    }

    /// The parts of an interval whose dates pass, in order.
    pub(super) fn select(
        &self,
        during: Interval,
        mut passes: impl FnMut(DayNumber) -> bool,
    ) -> Vec<Interval> {
        let mut parts: Vec<Interval> = Vec::new();
        let first = self
            .pieces
            .partition_point(|piece| piece.span.end() <= during.start());
        for piece in self
            .pieces
            .iter()
            .skip(first)
            .take_while(|piece| piece.span.start() < during.end())
        {
            let Some(part) = piece.span.intersect(during).filter(|_| passes(piece.day)) else {
                continue;
            };
            match parts.last_mut().filter(|last| last.end() == part.start()) {
                Some(last) => *last = Interval::new(last.start(), part.end()).unwrap_or(part),
                None => parts.push(part),
            }
        }
        parts
    }
}

impl Day {
    fn skipped(number: DayNumber) -> Self {
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((number + 3).rem_euclid(7)).unwrap_or(0);
        Self {
            number,
            weekday,
            midnight: Minute::new(number * DAY_MINUTES),
            straight: -1,
            exists: false,
        }
    }

    /// Whether all of its wall-clock times up to 24:00 are found by adding to midnight.
    pub(super) fn is_regular(self) -> bool {
        self.straight >= DAY_MINUTES
    }
}

/// The day that the clocks of a zone show at an instant.
pub(super) fn number(zone: &Zone, at: DateTime<Utc>) -> DayNumber {
    (at.timestamp() + i64::from(zone.offset(at).local_minus_utc())).div_euclid(DAY_SECONDS)
}

/// The first whole minute at which the clocks of a zone show another date than now.
pub(super) fn next_date_change(zone: &Zone, now: DateTime<Utc>) -> Option<Minute> {
    let today = number(zone, now);
    let soon = Interval::new(
        Minute::floor(now),
        Minute::floor(now).plus(LONGEST_DAYS * DAY_MINUTES),
    )?;
    let days = Days::around(zone, soon);
    let later = days
        .pieces
        .iter()
        .filter(|piece| piece.span.end().instant() > now && piece.day != today);
    later.map(|piece| piece.span.start()).next()
}

/// The date of a day.
pub(super) fn date(number: DayNumber) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number + EPOCH).ok()?)
}

fn whole_minute(seconds: i64) -> Minute {
    Minute::new(-(-seconds).div_euclid(60))
}

/// The day of a date.
pub(super) fn number_of(date: NaiveDate) -> DayNumber {
    i64::from(date.num_days_from_ce()) - EPOCH
}
