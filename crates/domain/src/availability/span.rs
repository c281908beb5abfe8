//! Sorted, disjoint lists of intervals of start minutes, and what a session needs of the time around its start.
//!
//! A stage of the sweep is such a list: the starts that its rule allows. Two stages are combined in one pass over both,
//! into a buffer that is used again for the next provider.

use crate::interval::{Interval, Minute};
use crate::service::Service;

/// The time that a session needs, in minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    before: i64,
    duration: i64,
    after: i64,
}

impl Needs {
    pub(super) fn of(service: &Service) -> Self {
        Self {
            before: i64::from(service.buffer_before_minutes),
            duration: i64::from(service.duration_minutes).max(1),
            after: i64::from(service.buffer_after_minutes),
        }
    }

    pub(super) fn ends(self, start: Minute) -> Minute {
        start.plus(self.duration)
    }

    /// The session without its buffers.
    pub(super) fn span(self, start: Minute) -> Option<Interval> {
        Interval::new(start, self.ends(start))
    }

    /// The session with its buffers (AVAILABILITY.md, 8).
    pub(super) fn kept(self, start: Minute) -> Option<Interval> {
        Interval::new(start.plus(-self.before), self.ends(start).plus(self.after))
    }

    /// The time that sessions with these starts need, buffers and all.
    pub(super) fn around(self, starts: Interval) -> Option<Interval> {
        Interval::new(
            starts.start().plus(-self.before),
            starts.end().plus(self.duration + self.after),
        )
    }

    /// The starts of sessions that lie inside a stretch of working time (AVAILABILITY.md, 7).
    pub(super) fn fitting(self, stretch: Interval) -> Option<Interval> {
        Interval::new(stretch.start(), stretch.end().plus(1 - self.duration))
    }

    /// The starts of sessions that, buffers counted, would meet a busy interval (AVAILABILITY.md, 8).
    pub(super) fn forbidden(self, busy: Interval) -> Option<Interval> {
        Interval::new(
            busy.start().plus(1 - self.duration - self.after),
            busy.end().plus(self.before),
        )
    }

    /// The starts that a list of busy time forbids, from the first that bears on `starts`. In order, but neighbours may
    /// overlap.
    pub(super) fn forbidden_by(
        self,
        busy: &[Interval],
        starts: Interval,
    ) -> impl Iterator<Item = Interval> {
        let first = busy.partition_point(|busy| busy.end().plus(self.before) <= starts.start());
        let last = starts.end().plus(self.duration + self.after);
        let near = busy
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |busy| busy.start() < last);
        near.filter_map(move |&busy| self.forbidden(busy))
    }

    /// Whether a list of busy time forbids the start.
    pub(super) fn is_forbidden(self, busy: &[Interval], start: Minute) -> bool {
        Interval::new(start, start.plus(1)).is_some_and(|one| {
            self.forbidden_by(busy, one)
                .any(|forbidden| forbidden.contains(start))
        })
    }
}

/// Whether a sorted, disjoint list holds the minute.
pub(super) fn holds(list: &[Interval], minute: Minute) -> bool {
    let next = list.partition_point(|interval| interval.end() <= minute);
    list.get(next)
        .is_some_and(|interval| interval.contains(minute))
}

/// What both lists have, into `common`.
pub(super) fn intersect(left: &[Interval], right: &[Interval], common: &mut Vec<Interval>) {
    common.clear();
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    let (mut one, mut other) = (lefts.next(), rights.next());
    while let (Some(&a), Some(&b)) = (one, other) {
        common.extend(a.intersect(b));
        if a.end() <= b.end() {
            one = lefts.next();
        } else {
            other = rights.next();
        }
    }
}

/// What the list has and nothing takes away, into `rest`. What is taken is in order, by start and by end.
pub(super) fn subtract(
    list: &[Interval],
    mut taken: impl Iterator<Item = Interval>,
    rest: &mut Vec<Interval>,
) {
    rest.clear();
    let mut next = taken.next();
    for interval in list {
        let mut start = interval.start();
        while let Some(gone) = next {
            if gone.start() >= interval.end() {
                break;
            }
            rest.extend(Interval::new(start, gone.start()));
            start = start.max(gone.end());
            if start > interval.end() {
                break;
            }
            next = taken.next();
        }
        rest.extend(Interval::new(start, interval.end()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ends: &[(i64, i64)]) -> Vec<Interval> {
        ends.iter()
            .map(|&(start, end)| Interval::new(Minute::new(start), Minute::new(end)).unwrap())
            .collect()
    }

    #[test]
    fn intersecting_keeps_what_both_have() {
        let mut common = list(&[(90, 91)]);
        intersect(
            &list(&[(0, 10), (20, 30), (40, 50)]),
            &list(&[(5, 25), (28, 45), (60, 70)]),
            &mut common,
        );
        assert_eq!(common, list(&[(5, 10), (20, 25), (28, 30), (40, 45)]));
    }

    #[test]
    fn subtracting_takes_from_several_intervals_at_once() {
        let mut rest = Vec::new();
        let taken = list(&[(-5, 2), (4, 6), (5, 8), (25, 45), (49, 50), (50, 60)]);
        subtract(
            &list(&[(0, 10), (20, 30), (40, 50), (55, 70)]),
            taken.into_iter(),
            &mut rest,
        );
        assert_eq!(rest, list(&[(2, 4), (8, 10), (20, 25), (45, 49), (60, 70)]));
    }

    #[test]
    fn rule_8_what_a_busy_interval_forbids() {
        let needs = Needs {
            before: 10,
            duration: 30,
            after: 5,
        };
        let busy = list(&[(100, 120)]);
        for start in 0..200 {
            let start = Minute::new(start);
            assert_eq!(
                needs.is_forbidden(&busy, start),
                needs.kept(start).unwrap().meets(busy[0]),
                "{start:?}"
            );
        }
    }
}
