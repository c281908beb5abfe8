//! How much work a plugin may be given for each business: settings belong to a business, so one whose other side is down or slow stands in
//! nobody else's way. After several failures in a row it is left alone for a while, then tried with a single delivery; one success
//! opens the gate again. And no business takes more than its share of the places ([`Shares`]).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::BusinessId;

use crate::share::Shares;

/// Failures in a row that close it.
const FAILURES: u32 = 5;
/// How long it stays closed the first time; doubled each time the trial fails, up to the longest.
const FIRST: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// The gate of one plugin.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Businesses>);

#[derive(Debug)]
struct Businesses {
    shares: Shares,
    states: HashMap<BusinessId, State>,
}

/// How the other side of a business has fared of late.
#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed: Option<(DateTime<Utc>, TimeDelta)>,
}

impl Businesses {
    fn may_begin(&self, business: BusinessId, now: DateTime<Utc>) -> bool {
        let state = self.states.get(&business);
        match state.and_then(|state| state.closed) {
            None => self.shares.has_room(business),
            Some((until, _)) if now < until => false,
            Some(_) => self.shares.of(business) == 0,
        }
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
    /// A gate to so many places, of which a business that is alone has one of so many.
    pub(crate) fn new(places: usize, share: usize) -> Self {
        Self(Mutex::new(Businesses {
            shares: Shares::new(places, share),
            states: HashMap::new(),
        }))
    }

    /// How many places are free.
    pub(crate) fn free(&self) -> usize {
        self.businesses().shares.free()
    }

    /// The businesses for which nothing is begun now, and when the first of those that are left alone is tried again.
    pub(crate) fn closed(&self, now: DateTime<Utc>) -> (Vec<BusinessId>, Option<DateTime<Utc>>) {
        let all = self.businesses();
        let known = all.states.keys().copied().chain(all.shares.full());
        let shut: BTreeSet<BusinessId> = known.filter(|one| !all.may_begin(*one, now)).collect();
        let states = all.states.values();
        let waits = states.filter_map(|state| state.closed.map(|(until, _)| until));
        let next = waits.filter(|until| *until > now).min();
        (shut.into_iter().collect(), next)
    }

    /// Begins one for a business, if there is room.
    pub(crate) fn begin(&self, business: BusinessId, now: DateTime<Utc>) -> bool {
        let mut all = self.businesses();
        let may = all.may_begin(business, now);
        if may {
            all.shares.begin(business);
        }
        may
    }

    /// Ends one. Answers until when the business is left alone, if that was decided just now.
    pub(crate) fn end(
        &self,
        business: BusinessId,
        ended: Ended,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut all = self.businesses();
        all.shares.end(business);
        match ended {
            Ended::Untried => None,
            Ended::Well => {
                all.states.remove(&business);
                None
            }
            Ended::Badly => all.states.entry(business).or_default().fail(now),
        }
    }

    fn businesses(&self) -> MutexGuard<'_, Businesses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// One more has failed. Answers until when the business is left alone, if that was decided just now.
    fn fail(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.failures += 1;
        let pause = match self.closed {
            Some((until, _)) if now < until => None,
            Some((_, pause)) => Some((pause * 2).min(LONGEST)),
            None => (self.failures >= FAILURES).then_some(FIRST),
        }?;
        self.closed = Some((now + pause, pause));
        Some(now + pause)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use uuid::Uuid;

    use super::*;
    use crate::share::SHARE;

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
        let gate = Gate::new(16, SHARE);
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
        let gate = Gate::new(4, SHARE);
        let begun = |number| gate.begin(business(number), now());
        assert_eq!([begun(1), begun(1), begun(1)], [true, true, false]);
        assert_eq!(gate.closed(now()), (vec![business(1)], None));
        assert!(begun(2));
        gate.end(business(1), Ended::Untried, now());
        assert_eq!(gate.closed(now()), (Vec::new(), None));
        assert!(begun(1));
    }
}
