//! Schedules as time: the windows of a schedule, and the stretches of working time that they make.
//!
//! Windows that overlap are one window, which opens when the first of them does (AVAILABILITY.md, 3). So that this never
//! depends on where a question begins, the days before it are read too, as far back as windows run into the next day.
//! Where hours overlap from day to day without end, nothing would ever be the first window: a window that is a week old
//! therefore ends where one opens on a Monday.

use std::collections::btree_map::Range;

use chrono::NaiveDate;

use crate::availability::days::{Day, DayNumber, Days, LOOK_BACK_DAYS, date, number_of};
use crate::interval::Interval;
use crate::schedule::{LocalWindow, Schedule};

/// Days after which a window ends where one opens on a Monday.
const LONGEST_CHAIN_DAYS: i64 = 7;
const MONDAY: usize = 0;

/// A window and the day on which it opens.
#[derive(Debug, Clone, Copy)]
struct Opened {
    span: Interval,
    day: DayNumber,
    weekday: usize,
}

/// The windows of one schedule; a buffer to be used for many.
#[derive(Debug, Default)]
pub(super) struct Hours {
    opened: Vec<Opened>,
    /// Sorted and disjoint. Windows that touch stay apart.
    pub(super) windows: Vec<Interval>,
    /// Sorted and disjoint. Windows that touch are one stretch.
    pub(super) stretches: Vec<Interval>,
}

impl Hours {
    /// With room for so many windows.
    pub(super) fn with_capacity(windows: usize) -> Self {
        let list = || Vec::with_capacity(windows);
        Self {
            opened: Vec::with_capacity(windows),
            windows: list(),
            stretches: list(),
        }
    }

    /// Reads the windows that bear on the days after the first [`LOOK_BACK_DAYS`] (AVAILABILITY.md, 2-4).
    pub(super) fn read(&mut self, schedule: &Schedule, days: &Days) {
        let all = days.days();
        let table = all.get(first_day(schedule, all)..).unwrap_or_default();
        self.resolve(schedule, days, table);
        if !self.opened.is_sorted_by_key(|window| window.span.start()) {
            self.opened.sort_by_key(|window| window.span);
        }
        self.merge();
        self.join();
    }

    fn resolve(&mut self, schedule: &Schedule, days: &Days, table: &[Day]) {
        self.opened.clear();
        let mut overrides = overrides(schedule, table);
        let mut special = overrides.as_mut().and_then(next_override);
        for day in table.iter().filter(|day| day.exists) {
            while special.is_some_and(|(number, _)| number < day.number) {
                special = overrides.as_mut().and_then(next_override);
            }
            let windows = match special {
                Some((number, windows)) if number == day.number => windows,
                _ => weekly(schedule, day.weekday),
            };
            for window in windows {
                let start = days.opens(*day, window.opens().minutes());
                let end = days.closes(*day, window.closes_minutes());
                // Clocks that move can leave nothing of a window.
                self.opened
                    .extend(Interval::new(start, end).map(|span| Opened {
                        span,
                        day: day.number,
                        weekday: day.weekday,
                    }));
            }
        }
    }

    fn merge(&mut self) {
        self.windows.clear();
        let mut opened = self.opened.iter().copied();
        let Some(mut last) = opened.next() else {
            return;
        };
        for next in opened {
            if last.span.end() <= next.span.start() {
                self.windows.push(last.span);
                last = next;
                continue;
            }
            let end = last.span.end().max(next.span.end());
            if next.weekday == MONDAY && next.day - last.day >= LONGEST_CHAIN_DAYS {
                self.windows
                    .extend(Interval::new(last.span.start(), next.span.start()));
                last = Opened {
                    span: Interval::new(next.span.start(), end).unwrap_or(next.span),
                    ..next
                };
            } else {
                last.span = Interval::new(last.span.start(), end).unwrap_or(last.span);
            }
        }
        self.windows.push(last.span);
    }

    fn join(&mut self) {
        self.stretches.clear();
        for &window in &self.windows {
            match self.stretches.last_mut() {
                Some(last) if last.end() == window.start() => {
                    *last = Interval::new(last.start(), window.end()).unwrap_or(*last);
                }
                _ => self.stretches.push(window),
            }
        }
    }
}

/// The index of the first day to read: the one before the question, and further back while windows run into the next day,
/// to the Monday before last at most.
fn first_day(schedule: &Schedule, days: &[Day]) -> usize {
    let mut first = usize::try_from(LOOK_BACK_DAYS - 1).unwrap_or(0);
    let monday = (0..=first)
        .rev()
        .find(|&index| days.get(index).is_some_and(|day| day.weekday == MONDAY));
    let earliest = monday.unwrap_or(0).saturating_sub(7);
    while first > earliest
        && days
            .get(first - 1)
            .is_some_and(|day| may_run_over(schedule, *day))
    {
        first -= 1;
    }
    first
}

fn may_run_over(schedule: &Schedule, day: Day) -> bool {
    let special = if schedule.overrides.is_empty() {
        None
    } else {
        date(day.number)
    };
    let special = special.and_then(|date| schedule.overrides.get(&date));
    let windows = special.map_or_else(|| weekly(schedule, day.weekday), Vec::as_slice);
    !day.is_regular() || windows.iter().any(|window| window.runs_past_midnight())
}

fn weekly(schedule: &Schedule, weekday: usize) -> &[LocalWindow] {
    schedule.weekly.get(weekday).map_or(&[], Vec::as_slice)
}

fn overrides<'s>(
    schedule: &'s Schedule,
    table: &[Day],
) -> Option<Range<'s, NaiveDate, Vec<LocalWindow>>> {
    if schedule.overrides.is_empty() {
        return None;
    }
    let (first, last) = (date(table.first()?.number)?, date(table.last()?.number)?);
    Some(schedule.overrides.range(first..=last))
}

fn next_override<'s>(
    overrides: &mut Range<'s, NaiveDate, Vec<LocalWindow>>,
) -> Option<(DayNumber, &'s [LocalWindow])> {
    let (date, windows) = overrides.next()?;
    Some((number_of(*date), windows))
}
