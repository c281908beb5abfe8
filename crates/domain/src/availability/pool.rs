//! Enough units of a kind of resource, all free for the whole of a session with its buffers (AVAILABILITY.md, 8). Any
//! units of any resources of the pool will do.

use chrono::{DateTime, Utc};

use crate::availability::question::{Requirement, Taken};
use crate::availability::span::Needs;
use crate::id::CalendarId;
use crate::interval::{Interval, Minute};

/// The starts at which enough units are free: each unit's forbidden starts are counted, all units at once.
pub(super) fn starts(
    requirement: &Requirement<'_>,
    needs: Needs,
    during: Interval,
    now: DateTime<Utc>,
) -> Vec<Interval> {
    let total: u64 = requirement
        .pool
        .iter()
        .map(|(_, timeline)| u64::from(timeline.units()))
        .sum();
    let Some(spare) = total
        .checked_sub(u64::from(requirement.units))
        .and_then(|spare| i64::try_from(spare).ok())
    else {
        return Vec::new();
    };
    let mut edges: Vec<(Minute, i64)> = Vec::new();
    let mut scratch = Vec::new();
    for (_, timeline) in &requirement.pool {
        for unit in 0..timeline.units() {
            let busy = timeline.busy(unit, now, &mut scratch);
            let mut covered = during.start();
            for forbidden in needs.forbidden_by(busy, during) {
                // Busy intervals apart can forbid the same start; it counts once for a unit.
                if let Some(next) = Interval::new(
                    forbidden.start().max(covered),
                    forbidden.end().min(during.end()),
                ) {
                    edges.extend([(next.start(), 1), (next.end(), -1)]);
                    covered = next.end();
                }
            }
        }
    }
    edges.sort_unstable();
    let (mut free, mut from, mut taken) = (Vec::new(), Some(during.start()), 0);
    for (at, step) in edges {
        taken += step;
        if taken > spare {
            free.extend(from.take().and_then(|from| Interval::new(from, at)));
        } else {
            from = from.or(Some(at));
        }
    }
    free.extend(from.and_then(|from| Interval::new(from, during.end())));
    crate::interval::unite(free)
}

/// The units that a session takes: free ones first, then those that are merely closed, then those that another session
/// has. None where the pool has too few units altogether.
pub(super) fn choose(
    requirement: &Requirement<'_>,
    needs: Needs,
    start: Minute,
    now: DateTime<Utc>,
) -> Option<Vec<Taken>> {
    let mut units = Vec::new();
    let mut scratch = Vec::new();
    for &(resource_id, timeline) in &requirement.pool {
        let closed = needs.is_forbidden(timeline.closed(), start);
        for unit in 0..timeline.units() {
            let overlap = needs.is_forbidden(timeline.held(unit, now, &mut scratch), start);
            units.push((overlap, closed, CalendarId::from(resource_id), unit));
        }
    }
    units.sort_unstable();
    let wanted = usize::try_from(requirement.units)
        .ok()
        .filter(|&wanted| wanted <= units.len())?;
    let taken = units.into_iter().take(wanted);
    Some(
        taken
            .map(|(overlap, _, calendar_id, unit)| Taken {
                calendar_id,
                unit,
                overlap,
            })
            .collect(),
    )
}
