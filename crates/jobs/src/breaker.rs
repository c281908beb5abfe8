//! A circuit breaker: after several failures in a row a plugin is left alone for a while, then tried with a single delivery. One success
//! closes it again.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// How long it stays open the first time; doubled each time the trial fails, up to the longest.
const FIRST: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(5);

/// Whether a plugin may be given work.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    opened: Option<(DateTime<Utc>, TimeDelta)>,
}

/// How much work a plugin may be given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// As much as its limit allows.
    All,
    /// One, to see whether it works again.
    One,
    /// None before that instant.
    NoneBefore(DateTime<Utc>),
}

impl Breaker {
    pub(crate) fn allowed(&self, now: DateTime<Utc>) -> Allowed {
        match self.state().opened {
            None => Allowed::All,
            Some((until, _)) if now < until => Allowed::NoneBefore(until),
            Some(_) => Allowed::One,
        }
    }

    pub(crate) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// Answers until when it is open, if it opened just now.
    pub(crate) fn failed(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut state = self.state();
        state.failures += 1;
        let pause = match state.opened {
            Some((until, _)) if now < until => return None,
            Some((_, pause)) => (pause * 2).min(LONGEST),
            None if state.failures >= FAILURES => FIRST,
            None => return None,
        };
        state.opened = Some((now + pause, pause));
        Some(now + pause)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_tries_one_and_closes_on_success() {
        let breaker = Breaker::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for _ in 0..4 {
            assert_eq!(breaker.failed(now), None);
        }
        assert_eq!(breaker.allowed(now), Allowed::All);
        let until = breaker.failed(now).unwrap();
        assert_eq!(breaker.allowed(now), Allowed::NoneBefore(until));
        assert_eq!(breaker.allowed(until), Allowed::One);
        let longer = breaker.failed(until).unwrap();
        assert_eq!(longer - until, FIRST * 2);
        breaker.succeeded();
        assert_eq!(breaker.allowed(now), Allowed::All);
    }
}
