//! The candidate starts of a service (AVAILABILITY.md, 6): runs of equally spaced minutes, each with an anchor.
//!
//! A run is a window, anchored where it opens, or a piece of a local day, anchored at its midnight. Nothing else moves a
//! candidate.

use crate::availability::days::Piece;
use crate::interval::{Interval, Minute};

/// Minutes at a constant distance from an anchor, within a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    anchor: Minute,
    span: Interval,
}

impl Run {
    /// Counted from where a window opens.
    pub(super) fn of_window(window: &Interval) -> Self {
        Self {
            anchor: window.start(),
            span: *window,
        }
    }

    /// Counted from midnight by the wall clock.
    pub(super) fn of_clock(piece: &Piece) -> Self {
        Self {
            anchor: piece.midnight,
            span: piece.span,
        }
    }

    /// The first candidate at or after a minute that is not before the anchor.
    fn next(self, from: Minute, interval: i64) -> Minute {
        let distance = from.get() - self.anchor.get();
        // Most are small, and dividing half as wide takes half as long.
        let past = match (u32::try_from(distance), u32::try_from(interval)) {
            (Ok(distance), Ok(interval)) => i64::from(distance % interval),
            _ => distance.rem_euclid(interval),
        };
        if past == 0 {
            from
        } else {
            from.plus(interval - past)
        }
    }
}

/// Visits the candidates of sorted, disjoint runs that lie in a sorted, disjoint list, in order.
pub(super) fn visit(
    mut runs: impl Iterator<Item = Run>,
    interval: i64,
    starts: &[Interval],
    mut visitor: impl FnMut(Minute),
) {
    let mut starts = starts.iter();
    let (mut run, mut list) = (runs.next(), starts.next());
    while let (Some(here), Some(allowed)) = (run, list) {
        if let Some(both) = here.span.intersect(*allowed) {
            let mut start = here.next(both.start(), interval);
            while start < both.end() {
                visitor(start);
                start = start.plus(interval);
            }
        }
        if here.span.end() <= allowed.end() {
            run = runs.next();
        } else {
            list = starts.next();
        }
    }
}
