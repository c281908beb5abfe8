//! Webhooks: endpoints of a business, which events they are posted, and what becomes of one that only fails.

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::EventKind;
use crate::id::WebhookEndpointId;
use crate::problem::Problem;

/// Failures in a row, and an endpoint is given a rest.
const RESTS_AFTER: u32 = 5;
/// How long the first rest is, and the longest; each is twice as long as the one before.
const FIRST_REST: TimeDelta = TimeDelta::seconds(10);
const LONGEST_REST: TimeDelta = TimeDelta::minutes(5);
/// After so long a silence, failures before it do not count any more: an endpoint that nothing was posted to is not known to fail.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(36);
/// An endpoint that does nothing but fail for so long is paused.
pub const PAUSED_AFTER: TimeDelta = TimeDelta::days(5);
/// How long a secret signs along that another has taken the place of.
pub const SECRET_OVERLAP: TimeDelta = TimeDelta::days(1);
/// How many endpoints a business may have, and how many patterns one of them.
pub const ENDPOINTS_MAX: usize = 50;
const PATTERNS_MAX: usize = 64;

/// An address to which a business has its events posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// The address.
    pub url: String,
    /// Which events: names, `booking.*` for all of a noun, `*` for all.
    pub events: Vec<String>,
    /// Whether anything is posted.
    pub enabled: bool,
    /// Since when it is off because it only failed.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl WebhookEndpoint {
    /// Whether events of this kind are posted to it.
    pub fn wants(&self, kind: EventKind) -> bool {
        self.enabled && self.chooses(kind)
    }

    /// Whether it is for events of this kind, on or off.
    pub fn chooses(&self, kind: EventKind) -> bool {
        self.events.iter().any(|pattern| matches(pattern, kind))
    }
}

fn matches(pattern: &str, kind: EventKind) -> bool {
    let name = kind.name();
    let is_meant = match pattern.strip_suffix('*') {
        Some("") => true,
        Some(noun) => noun.ends_with('.') && name.starts_with(noun),
        None => pattern == name,
    };
    is_meant && kind.is_public()
}

/// The patterns, sorted and each once.
///
/// # Errors
/// [`Problem::Invalid`] at the first that no event fits, or where there are none.
pub fn patterns(path: &[&str], given: &[String]) -> Result<Vec<String>, Problem> {
    if given.is_empty() || given.len() > PATTERNS_MAX {
        let message = format!("must be 1 to {PATTERNS_MAX} events");
        return Err(Problem::invalid(path, message));
    }
    for (index, pattern) in given.iter().enumerate() {
        if !EventKind::ALL.iter().any(|kind| matches(pattern, *kind)) {
            let place = index.to_string();
            let path: Vec<&str> = path.iter().copied().chain([place.as_str()]).collect();
            let message = "is no event: expected a name such as booking.confirmed, booking.* for all of a noun, or *";
            return Err(Problem::invalid(&path, message));
        }
    }
    let mut patterns = given.to_vec();
    patterns.sort();
    patterns.dedup();
    Ok(patterns)
}

/// How an endpoint fares that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHealth {
    /// How often in a row, at least once.
    pub failures_in_row: u32,
    /// Since when.
    pub failing_since: DateTime<Utc>,
    /// Until when nothing is posted.
    pub resting_until: Option<DateTime<Utc>>,
    /// What went wrong last.
    pub last_error: String,
}

impl WebhookHealth {
    /// How long it is left alone after so many failures in a row; none: not at all.
    pub fn rest_after(failures_in_row: u32) -> Option<TimeDelta> {
        let doublings = failures_in_row.checked_sub(RESTS_AFTER)?;
        let long = FIRST_REST * 2_i32.saturating_pow(doublings.min(16));
        Some(long.min(LONGEST_REST))
    }

    /// How long it is left alone yet.
    pub fn rests(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let left = self.resting_until? - now;
        (left > TimeDelta::zero()).then_some(left)
    }

    /// Whether it is paused: nothing but failures, for days.
    pub fn is_hopeless(&self, now: DateTime<Utc>) -> bool {
        self.failures_in_row > RESTS_AFTER && now - self.failing_since >= PAUSED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn endpoint(events: &[&str]) -> WebhookEndpoint {
        WebhookEndpoint {
            id: WebhookEndpointId::from_uuid(Uuid::nil()),
            url: "https://example.com".to_owned(),
            events: events.iter().map(ToString::to_string).collect(),
            enabled: true,
            paused_at: None,
            created_at: now(),
        }
    }

    #[test]
    fn events_are_chosen_by_name_by_noun_or_all() {
        let named = endpoint(&["booking.confirmed", "payment.*"]);
        assert!(named.wants(EventKind::BookingConfirmed));
        assert!(!named.wants(EventKind::BookingCancelled));
        assert!(named.wants(EventKind::PaymentPaid));
        assert!(
            !named.wants(EventKind::PaymentCalled),
            "nobody outside is told of what goes on inside"
        );
        let all = endpoint(&["*"]);
        for kind in EventKind::ALL {
            assert_eq!(all.wants(kind), kind.is_public(), "{kind:?}");
        }
        let mut off = all;
        off.enabled = false;
        assert!(!off.wants(EventKind::BookingConfirmed));
    }

    #[test]
    fn a_pattern_that_fits_nothing_is_refused_at_its_place() {
        let given = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            patterns(&["events"], &texts)
        };
        assert_eq!(
            given(&["booking.*", "*", "booking.*"]).unwrap(),
            ["*", "booking.*"]
        );
        for (wrong, place) in [
            (vec!["booking.confirmed", "booking.confirmd"], "1"),
            (vec!["book*"], "0"),
            (vec![""], "0"),
            (vec!["payment.called"], "0"),
        ] {
            let Err(Problem::Invalid { path, .. }) = given(&wrong) else {
                panic!("{wrong:?} is taken");
            };
            assert_eq!(path, ["events", place]);
        }
        assert!(given(&[]).is_err());
    }

    #[test]
    fn one_that_fails_rests_longer_each_time_and_is_hopeless_after_days() {
        let rests = (1..=12).map(|failures| {
            let rest = WebhookHealth::rest_after(failures);
            rest.map(|rest| rest.num_seconds())
        });
        let rests: Vec<Option<i64>> = rests.collect();
        assert_eq!(rests[..4], [None; 4]);
        assert_eq!(rests[4..], [10, 20, 40, 80, 160, 300, 300, 300].map(Some));
        let health = |failures_in_row| WebhookHealth {
            failures_in_row,
            failing_since: now(),
            resting_until: None,
            last_error: "500".to_owned(),
        };
        let (once, health) = (health(1), health(12));
        assert!(!health.is_hopeless(now() + PAUSED_AFTER - TimeDelta::seconds(1)));
        assert!(health.is_hopeless(now() + PAUSED_AFTER));
        assert!(
            !once.is_hopeless(now() + PAUSED_AFTER),
            "one failure is not days of failure"
        );
    }
}
