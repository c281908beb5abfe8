//! The policy of a booking: what a customer may do, and until when. A booking keeps the policy it was made under.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// When a service may be booked, moved and called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPolicy {
    /// A start is offered when it is at least so many minutes away (AVAILABILITY.md, 10).
    pub minimum_notice_minutes: u32,
    /// A start is offered up to so many local days after today (AVAILABILITY.md, 10).
    pub maximum_advance_days: u32,
    /// A customer may cancel until so many minutes before the start; 0: until it starts.
    #[serde(default)]
    pub cancellation_notice_minutes: u32,
    /// A customer may reschedule until so many minutes before the start; 0: until it starts.
    #[serde(default)]
    pub reschedule_notice_minutes: u32,
}

/// A rule of the policy that a request would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRule {
    /// Too late to reschedule.
    RescheduleNotice,
    /// Rescheduled too often.
    RescheduleLimit,
    /// Too late to cancel.
    CancellationNotice,
    /// The business takes no bookings then.
    Blackout,
    /// The customer has too many bookings open.
    ActiveBookingsLimit,
}

impl BookingPolicy {
    /// Whether a customer may still cancel a booking that starts then.
    pub fn allows_cancel(&self, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        before(starts_at, self.cancellation_notice_minutes, now)
    }

    /// Whether a customer may still reschedule a booking that starts then.
    pub fn allows_reschedule(&self, starts_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        before(starts_at, self.reschedule_notice_minutes, now)
    }
}

fn before(starts_at: DateTime<Utc>, notice_minutes: u32, now: DateTime<Utc>) -> bool {
    now + TimeDelta::minutes(i64::from(notice_minutes)) <= starts_at
}
