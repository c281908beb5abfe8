//! The time: every part of the software asks this clock and no other, SQL included (statements are given the instant).
//!
//! A clock runs with the system's, or started at another instant (`--clock`), or stands still until a test moves it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tokio::sync::watch;

/// The time. All clones are one clock.
#[derive(Clone)]
pub struct Clock(Arc<watch::Sender<State>>);

#[derive(Clone, Copy)]
enum State {
    /// So far ahead of the system's clock.
    Running(TimeDelta),
    Standing(DateTime<Utc>),
}

impl State {
    fn now(self) -> DateTime<Utc> {
        let now = match self {
            Self::Running(ahead) => system_now() + ahead,
            Self::Standing(at) => at,
        };
        // PostgreSQL keeps microseconds: what is stored reads back as it was.
        now.trunc_subsecs(6)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

impl Clock {
    fn new(state: State) -> Self {
        Self(Arc::new(watch::Sender::new(state)))
    }

    /// The system's clock.
    pub fn system() -> Self {
        Self::new(State::Running(TimeDelta::zero()))
    }

    /// A clock that shows this instant now and runs on.
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        Self::new(State::Running(at - system_now()))
    }

    /// A clock that stands at this instant until it is moved.
    pub fn standing_at(at: DateTime<Utc>) -> Self {
        Self::new(State::Standing(at))
    }

    /// The instant it shows, in whole microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.borrow().now()
    }

    /// Sets a standing clock to an instant, and whoever sleeps on it is woken; a running clock runs on from there.
    pub fn set(&self, at: DateTime<Utc>) {
        self.0.send_modify(|state| {
            *state = match state {
                State::Running(_) => State::Running(at - system_now()),
                State::Standing(_) => State::Standing(at),
            }
        });
    }

    /// Moves it forward.
    pub fn advance(&self, by: TimeDelta) {
        self.set(self.now() + by);
    }

    /// Sleeps until it shows the instant or a later one.
    pub async fn sleep_until(&self, at: DateTime<Utc>) {
        let mut moved = self.0.subscribe();
        loop {
            let state = *moved.borrow_and_update();
            let left = (at - state.now()).to_std().unwrap_or(Duration::ZERO);
            if left.is_zero() {
                return;
            }
            // The clock lives as long as this call: `changed` cannot fail.
            match state {
                State::Standing(_) => {
                    let _ = moved.changed().await;
                }
                State::Running(_) => {
                    // A long sleep is cut into hours, so that a system clock that is set anew is noticed.
                    let nap = left.min(Duration::from_secs(3600));
                    let _ = tokio::time::timeout(nap, moved.changed()).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_a_standing_clock_is_moved() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Clock::standing_at(start);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(start + TimeDelta::hours(1)).await }
        });
        clock.advance(TimeDelta::minutes(59));
        assert!(!sleeper.is_finished());
        clock.advance(TimeDelta::minutes(1));
        sleeper.await.unwrap();
        assert_eq!(clock.now(), start + TimeDelta::hours(1));
    }
}
