//! When a failed delivery is tried again: exponential, with jitter, bounded; and when no more.

use std::time::Duration;

use chrono::TimeDelta;

/// The shortest and the longest time that another side may ask to be left alone.
const ASKED_MIN: Duration = Duration::from_secs(1);
const ASKED_MAX: Duration = Duration::from_secs(24 * 3600);

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

impl Backoff {
    /// How long to wait after this failed attempt (from 1), of as many as the plugin says; none: never again. `random` from 0 to 255
    /// spreads it by a fifth either way.
    pub fn after(
        &self,
        attempt: u32,
        attempts: Option<u32>,
        asked: Option<Duration>,
        random: u8,
    ) -> Option<TimeDelta> {
        if attempt >= attempts.unwrap_or(self.attempts) {
            return None;
        }
        let wait = match asked {
            Some(asked) => asked.clamp(ASKED_MIN, ASKED_MAX),
            None => {
                let times = self.factor.saturating_pow(attempt.saturating_sub(1));
                let wait = self.first.saturating_mul(times).min(self.longest);
                wait.mul_f64(0.8 + 0.4 * f64::from(random) / 255.0)
            }
        };
        TimeDelta::from_std(wait).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_bounded_and_end() {
        let backoff = Backoff::default();
        let wait = |attempt, random| {
            backoff
                .after(attempt, None, None, random)
                .map(|wait| wait.num_seconds())
        };
        assert_eq!((wait(1, 0), wait(1, 255)), (Some(8), Some(12)));
        assert_eq!((wait(3, 0), wait(3, 255)), (Some(72), Some(108)));
        assert_eq!(wait(11, 255), Some(4 * 3600 * 12 / 10));
        assert_eq!(wait(12, 0), None);
    }

    #[test]
    fn what_the_other_side_asks_is_kept_within_reason() {
        let backoff = Backoff::default();
        let wait = |seconds| {
            backoff
                .after(1, None, Some(Duration::from_secs(seconds)), 0)
                .map(|wait| wait.num_seconds())
        };
        assert_eq!(
            (wait(0), wait(120), wait(9_999_999)),
            (Some(1), Some(120), Some(24 * 3600))
        );
    }
}
