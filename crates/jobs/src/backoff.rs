//! When a failed delivery is tried again: exponential, with jitter, bounded; and when no more.

use std::time::Duration;

use chrono::TimeDelta;

/// The shortest and the longest time that another side may ask to be left alone.
const ASKED_MIN: Duration = Duration::from_secs(1);
const ASKED_MAX: Duration = Duration::from_secs(24 * 3600);
/// How old a delivery may be whose next attempt comes as soon as the other side asks.
const SOONER_FOR: TimeDelta = TimeDelta::days(1);

/// How long to wait after each attempt.
#[derive(Debug, Clone)]
pub struct Backoff {
    /// After the first failed attempt.
    pub first: Duration,
    /// How much longer after each further one.
    pub factor: u32,
    /// At most.
    pub longest: Duration,
    /// After so many attempts it is parked.
    pub attempts: u32,
}

impl Default for Backoff {
    /// 10 s, 30 s, 90 s, … at most 4 hours: twelve attempts within a day.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(10),
            factor: 3,
            longest: Duration::from_secs(4 * 3600),
            attempts: 12,
        }
    }
}

/// What comes after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another, after so long.
    Again(TimeDelta),
    /// Another, after so long, and this one does not count: the other side asks to be tried sooner than we would, and that must not use up the
    /// attempts within minutes.
    Sooner(TimeDelta),
    /// None.
    Never,
}

impl Backoff {
    /// What comes after this failed attempt (from 1), of as many as the plugin says, at a delivery of this age, where the other side asks to be
    /// left alone for so long. `random` from 0 to 255 spreads our own waits by a fifth either way.
    pub fn after(
        &self,
        attempt: u32,
        attempts: Option<u32>,
        asked: Option<Duration>,
        age: TimeDelta,
        random: u8,
    ) -> Next {
        if attempt >= attempts.unwrap_or(self.attempts) {
            return Next::Never;
        }
        let times = self.factor.saturating_pow(attempt.saturating_sub(1));
        let wait = self.first.saturating_mul(times).min(self.longest);
        let wait = wait.mul_f64(0.8 + 0.4 * f64::from(random) / 255.0);
        let of = |wait| TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let (wait, asked) = (
            of(wait),
            asked.map(|asked| of(asked.clamp(ASKED_MIN, ASKED_MAX))),
        );
        match asked {
            Some(asked) if asked >= wait => Next::Again(asked),
            // Whoever asks for it again and again is asked less and less often.
            Some(asked) if age < SOONER_FOR && age / 16 < wait => Next::Sooner(asked.max(age / 16)),
            _ => Next::Again(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: TimeDelta = TimeDelta::zero();

    fn seconds(next: Next) -> Option<i64> {
        match next {
            Next::Again(wait) => Some(wait.num_seconds()),
            Next::Never => None,
            Next::Sooner(wait) => panic!("{wait}"),
        }
    }

    #[test]
    fn waits_grow_are_bounded_and_end() {
        let backoff = Backoff::default();
        let wait = |attempt, random| seconds(backoff.after(attempt, None, None, NEW, random));
        assert_eq!((wait(1, 0), wait(1, 255)), (Some(8), Some(12)));
        assert_eq!((wait(3, 0), wait(3, 255)), (Some(72), Some(108)));
        assert_eq!(wait(11, 255), Some(4 * 3600 * 12 / 10));
        assert_eq!(wait(12, 0), None);
    }

    #[test]
    fn whoever_asks_to_be_left_alone_is_within_reason() {
        let backoff = Backoff::default();
        let wait = |asked| {
            let asked = Some(Duration::from_secs(asked));
            seconds(backoff.after(1, None, asked, NEW, 0))
        };
        assert_eq!((wait(120), wait(9_999_999)), (Some(120), Some(24 * 3600)));
    }

    #[test]
    fn whoever_asks_to_be_tried_soon_is_and_does_not_use_up_the_attempts() {
        let backoff = Backoff::default();
        let after = |attempt, asked, age| {
            let asked = Some(Duration::from_secs(asked));
            backoff.after(attempt, None, asked, age, 0)
        };
        let sooner = |seconds| Next::Sooner(TimeDelta::seconds(seconds));
        assert_eq!(after(1, 0, NEW), sooner(1));
        assert_eq!(after(5, 2, TimeDelta::seconds(8)), sooner(2));
        // Less and less often, and in the end as any other.
        assert_eq!(after(5, 2, TimeDelta::seconds(1600)), sooner(100));
        // Never later than we would by ourselves: what is old may have waited long to be due.
        let hours = TimeDelta::hours(20);
        assert_eq!(after(1, 1, hours), backoff.after(1, None, None, hours, 0));
        let old = TimeDelta::days(1);
        assert_eq!(after(5, 2, old), backoff.after(5, None, None, old, 0));
        assert_eq!(after(12, 2, NEW), Next::Never);
    }
}
