//! How much work a plugin may be given for each business: settings belong to a business, so one whose other side is down or slow stands in
//! nobody else's way. After several failures in a row it is left alone for a while, then tried with a single delivery; one success
//! opens the gate again. And no business takes more than its share of the places.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::BusinessId;

/// Failures in a row that close it.
const FAILURES: u32 = 5;
/// How long it stays closed the first time; doubled each time the trial fails, up to the longest.
const FIRST: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// The gate of one plugin.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The most that is under way for one business.
    share: usize,
    businesses: Mutex<HashMap<BusinessId, State>>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    failures: u32,
    closed: Option<(DateTime<Utc>, TimeDelta)>,
}

impl State {
    fn room(&self, share: usize, now: DateTime<Utc>) -> usize {
        match self.closed {
            None => share.saturating_sub(self.under_way),
            Some((until, _)) if now < until => 0,
            Some(_) => usize::from(self.under_way == 0),
        }
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.failures == 0 && self.closed.is_none()
    }
}

/// How a delivery ended, as the gate sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The other side answered: it works.
    Well,
    /// It did not.
    Badly,
    /// It was not tried.
    Untried,
}

impl Gate {
    pub(crate) fn new(share: usize) -> Self {
        Self {
            share,
            businesses: Mutex::default(),
        }
    }

    /// The businesses for which nothing is begun now, and when the first of those that are left alone is tried again.
    pub(crate) fn closed(&self, now: DateTime<Utc>) -> (Vec<BusinessId>, Option<DateTime<Utc>>) {
        let businesses = self.businesses();
        let shut = businesses
            .iter()
            .filter(|(_, state)| state.room(self.share, now) == 0);
        let waits = businesses
            .values()
            .filter_map(|state| state.closed.map(|(until, _)| until));
        (
            shut.map(|(id, _)| *id).collect(),
            waits.filter(|until| *until > now).min(),
        )
    }

    /// Begins one for a business, if there is room.
    pub(crate) fn begin(&self, business: BusinessId, now: DateTime<Utc>) -> bool {
        let mut businesses = self.businesses();
        let state = businesses.entry(business).or_default();
        let may = state.room(self.share, now) > 0;
        state.under_way += usize::from(may);
        may
    }

    /// Ends one. Answers until when the business is left alone, if that was decided just now.
    pub(crate) fn end(
        &self,
        business: BusinessId,
        ended: Ended,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut businesses = self.businesses();
        let state = businesses.get_mut(&business)?;
        state.under_way = state.under_way.saturating_sub(1);
        let mut shut = None;
        match ended {
            Ended::Untried => {}
            Ended::Well => (state.failures, state.closed) = (0, None),
            Ended::Badly => {
                state.failures += 1;
                let pause = match state.closed {
                    Some((until, _)) if now < until => None,
                    Some((_, pause)) => Some((pause * 2).min(LONGEST)),
                    None => (state.failures >= FAILURES).then_some(FIRST),
                };
                if let Some(pause) = pause {
                    state.closed = Some((now + pause, pause));
                    shut = Some(now + pause);
                }
            }
        }
        if state.is_idle() {
            businesses.remove(&business);
        }
        shut
    }

    fn businesses(&self) -> MutexGuard<'_, HashMap<BusinessId, State>> {
        self.businesses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use uuid::Uuid;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn business(number: u128) -> BusinessId {
        BusinessId::from_uuid(Uuid::from_u128(number))
    }

    fn fail(gate: &Gate, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        assert!(gate.begin(business(1), at));
        gate.end(business(1), Ended::Badly, at)
    }

    #[test]
    fn it_closes_after_failures_in_a_row_tries_one_and_opens_on_success() {
        let gate = Gate::new(8);
        for _ in 0..4 {
            assert_eq!(fail(&gate, now()), None);
        }
        let until = fail(&gate, now()).unwrap();
        assert_eq!(gate.closed(now()), (vec![business(1)], Some(until)));
        assert!(!gate.begin(business(1), now()));
        assert!(
            gate.begin(business(2), now()),
            "nobody else is left alone for it"
        );
        assert!(gate.begin(business(1), until));
        assert!(!gate.begin(business(1), until), "one is tried");
        let longer = gate.end(business(1), Ended::Badly, until).unwrap();
        assert_eq!(longer - until, FIRST * 2);
        assert!(gate.begin(business(1), longer));
        assert_eq!(gate.end(business(1), Ended::Well, longer), None);
        assert!((0..8).all(|_| gate.begin(business(1), longer)));
    }

    #[test]
    fn nobody_takes_more_than_their_share() {
        let gate = Gate::new(2);
        let begun = |number| gate.begin(business(number), now());
        assert_eq!([begun(1), begun(1), begun(1)], [true, true, false]);
        assert!(begun(2));
        assert_eq!(gate.closed(now()), (vec![business(1)], None));
        gate.end(business(1), Ended::Untried, now());
        assert!(begun(1));
    }
}
