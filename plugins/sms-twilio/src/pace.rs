//! How fast one person is written to. Twilio itself spreads what an account sends over the numbers that it sends from; what it does not
//! know is that ten reminders in a second are a nuisance to whoever gets them.
//!
//! Guaranteed: a business writes to one number of its customers at most once in a second and ten times in a minute, in this process; memory is bounded by
//! the numbers of the last minute.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::id::BusinessId;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use plugin_api::Failure;

/// Tells the time; tests move it.
pub type Now = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

const PER_SECOND: NonZeroU32 = NonZeroU32::MIN;
/// Five at once and one every twelve seconds: ten in any minute.
const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
const EVERY: Duration = Duration::from_secs(12);
/// After how many messages the numbers that have been quiet are forgotten.
const SWEEP: usize = 4096;

type Person = (BusinessId, String);
type Limiter = RateLimiter<Person, DefaultKeyedStateStore<Person>, Time, NoOpMiddleware<Duration>>;

/// Counts what each person is sent.
pub(crate) struct Pace {
    /// By the second and by the minute; made with the first message, because they ask for the time when they are made.
    limiters: OnceLock<[Limiter; 2]>,
    time: Time,
    asked: AtomicUsize,
}

/// The server's clock, as the time since 1970.
#[derive(Clone)]
struct Time(Now);

impl Clock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let microseconds = (self.0)().timestamp_micros();
        Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
    }
}

impl Pace {
    pub fn new(now: Now) -> Self {
        Self {
            limiters: OnceLock::new(),
            time: Time(now),
            asked: AtomicUsize::new(0),
        }
    }

    fn limiters(&self) -> &[Limiter; 2] {
        self.limiters.get_or_init(|| {
            // Only a period of no time at all is refused.
            let by_minute = Quota::with_period(EVERY).unwrap_or(Quota::per_second(PER_SECOND));
            [
                Quota::per_second(PER_SECOND),
                by_minute.allow_burst(AT_ONCE),
            ]
            .map(|quota| {
                let kept = DefaultKeyedStateStore::default();
                RateLimiter::new(quota, kept, self.time.clone())
            })
        })
    }

    /// Counts one message; the error says when the next may go. It is not a failure of anybody: no attempt is lost by it.
    pub fn admit(&self, business: BusinessId, to: &str) -> Result<(), Failure> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            for limiter in self.limiters() {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
        let person = (business, to.to_owned());
        for limiter in self.limiters() {
            limiter
                .check_key(&person)
                .map_err(|refused| Failure::NotYet {
                    after: Some(refused.wait_time_from(self.time.now())),
                    reason:
                        "this number is sent no more than one message a second and ten a minute"
                            .to_owned(),
                })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chrono::TimeDelta;
    use domain::id::Id;
    use uuid::Uuid;

    use super::*;

    fn business(number: u128) -> BusinessId {
        BusinessId::from_uuid(Uuid::from_u128(number))
    }

    /// A pace, and how to move its clock.
    fn pace() -> (Pace, impl Fn(i64)) {
        let start = DateTime::from_timestamp(1_803_898_800, 0).unwrap();
        let at = Arc::new(Mutex::new(start));
        let told = at.clone();
        let pace = Pace::new(Arc::new(move || *told.lock().unwrap()));
        (pace, move |milliseconds| {
            *at.lock().unwrap() += TimeDelta::milliseconds(milliseconds);
        })
    }

    fn wait(result: Result<(), Failure>) -> Option<Duration> {
        match result {
            Ok(()) => None,
            Err(Failure::NotYet { after, .. }) => Some(after.unwrap()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_person_gets_one_message_a_second() {
        let (pace, pass) = pace();
        let send = || wait(pace.admit(business(1), "+442071838750"));
        assert_eq!(send(), None);
        assert_eq!(send(), Some(Duration::from_secs(1)));
        assert_eq!(wait(pace.admit(business(1), "+442071838751")), None);
        assert_eq!(wait(pace.admit(business(2), "+442071838750")), None);
        pass(999);
        assert_eq!(send(), Some(Duration::from_millis(1)));
        pass(1);
        assert_eq!(send(), None);
    }

    #[test]
    fn one_person_gets_ten_messages_a_minute() {
        let (pace, pass) = pace();
        let next = || wait(pace.admit(business(1), "+442071838750"));
        let mut sent = Vec::new();
        for second in 0..300 {
            if next().is_none() {
                sent.push(second);
            }
            pass(1000);
        }
        assert_eq!(sent[..6], [0, 1, 2, 3, 4, 12]);
        for window in sent.windows(11) {
            assert!(window[10] - window[0] >= 60, "{sent:?}");
        }
        pass(60_000);
        assert_eq!(next(), None);
    }

    #[test]
    fn who_is_quiet_is_forgotten() {
        let (pace, pass) = pace();
        for number in 0..SWEEP - 1 {
            assert_eq!(wait(pace.admit(business(1), &number.to_string())), None);
        }
        pass(60_000);
        assert_eq!(wait(pace.admit(business(1), "last")), None);
        for limiter in pace.limiters() {
            assert_eq!(limiter.len(), 1);
        }
    }
}
