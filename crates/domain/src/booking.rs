//! A booking: one customer's places in a session; its life, and what it refuses.
//!
//! The state machine, all of it:
//!
//! ```text
//! PENDING ──confirm──▶ CONFIRMED ──check in──▶ CHECKED_IN ──complete──▶ COMPLETED
//!    │                   │  │ └──complete (once it has begun)──────────────▲
//!    │expire             │  └──no-show (once it has begun)──▶ NO_SHOW
//!    ▼                   ▼cancel (also of PENDING and CHECKED_IN by staff)
//! EXPIRED            CANCELLED
//! ```
//!
//! What is done already is a value ([`Change::None`]), not an error. What makes no sense is a [`Problem`].

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::id::{BookingId, CustomerId, SessionId};
use crate::money::Money;
use crate::policy::{BookingPolicy, PolicyRule};
use crate::problem::Problem;

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    /// It waits for something, a payment for instance.
    Pending,
    /// It stands.
    Confirmed,
    /// The customer has arrived.
    CheckedIn,
    /// The service was delivered.
    Completed,
    /// The customer did not come.
    NoShow,
    /// It was called off.
    Cancelled,
    /// It waited too long.
    Expired,
}

impl BookingStatus {
    /// Every status there is.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Confirmed,
        Self::CheckedIn,
        Self::Completed,
        Self::NoShow,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::CheckedIn => "checked_in",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether a booking of this status keeps its seats.
    pub fn takes_seats(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Expired)
    }
}

/// One customer's places in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Short and readable aloud, unique in the business.
    pub reference: String,
    /// Where it is in its life.
    pub status: BookingStatus,
    /// Rises by one with every change.
    pub version: i64,
    /// The session it is in.
    pub session_id: SessionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// How many places; at least 1.
    pub party_size: u32,
    /// What it costs, all places together, as it was when it was made.
    pub price: Money,
    /// The policy it was made under.
    pub policy: BookingPolicy,
    /// What the customer wrote.
    pub note: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it waits for its payment, while it is pending.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The time of a booking's session, for the decisions below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

/// What a decision leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is so already.
    None,
    /// The booking takes this status.
    To(BookingStatus),
}

/// How long before a session begins its customer may be checked in: four hours.
const EARLIEST_CHECK_IN: TimeDelta = TimeDelta::hours(4);

impl Booking {
    /// Calls it off. A customer may while the policy it was made under allows; staff may until it is over and done.
    pub fn cancel(&self, actor: &Actor, span: Span, now: DateTime<Utc>) -> Result<Change, Problem> {
        match self.status {
            BookingStatus::Cancelled => Ok(Change::None),
            BookingStatus::Pending | BookingStatus::Confirmed => {
                if !actor.is_staff() && !self.policy.allows_cancel(span.starts_at, now) {
                    return Err(Problem::PolicyViolation {
                        rule: PolicyRule::CancellationNotice,
                        message: "it is too late to cancel this booking".to_owned(),
                    });
                }
                Ok(Change::To(BookingStatus::Cancelled))
            }
            BookingStatus::CheckedIn if actor.is_staff() => {
                Ok(Change::To(BookingStatus::Cancelled))
            }
            _ => Err(self.refuse("cancelled")),
        }
    }

    /// Whether it may move to another time. A customer may while the policy allows; staff may until it is over and done.
    pub fn reschedule(&self, actor: &Actor, span: Span, now: DateTime<Utc>) -> Result<(), Problem> {
        match self.status {
            BookingStatus::Pending | BookingStatus::Confirmed => {
                if !actor.is_staff() && !self.policy.allows_reschedule(span.starts_at, now) {
                    return Err(Problem::PolicyViolation {
                        rule: PolicyRule::RescheduleNotice,
                        message: "it is too late to reschedule this booking".to_owned(),
                    });
                }
                Ok(())
            }
            _ => Err(self.refuse("rescheduled")),
        }
    }

    /// The customer has arrived: at most four hours before it begins, and not after it has ended.
    pub fn check_in(&self, span: Span, now: DateTime<Utc>) -> Result<Change, Problem> {
        match self.status {
            BookingStatus::CheckedIn => Ok(Change::None),
            BookingStatus::Confirmed if now + EARLIEST_CHECK_IN < span.starts_at => Err(
                Problem::conflict("a booking can be checked in from four hours before it begins"),
            ),
            BookingStatus::Confirmed if span.ends_at <= now => Err(Problem::conflict(
                "the booking is over: complete it or mark it as a no-show",
            )),
            BookingStatus::Confirmed => Ok(Change::To(BookingStatus::CheckedIn)),
            _ => Err(self.refuse("checked in")),
        }
    }

    /// The service was delivered: after check-in, or once it has begun.
    pub fn complete(&self, span: Span, now: DateTime<Utc>) -> Result<Change, Problem> {
        match self.status {
            BookingStatus::Completed => Ok(Change::None),
            BookingStatus::Confirmed if now < span.starts_at => {
                Err(Problem::conflict("the booking has not begun yet"))
            }
            BookingStatus::CheckedIn | BookingStatus::Confirmed => {
                Ok(Change::To(BookingStatus::Completed))
            }
            _ => Err(self.refuse("completed")),
        }
    }

    /// The customer did not come: once it has begun.
    pub fn mark_no_show(&self, span: Span, now: DateTime<Utc>) -> Result<Change, Problem> {
        match self.status {
            BookingStatus::NoShow => Ok(Change::None),
            BookingStatus::Confirmed if now < span.starts_at => {
                Err(Problem::conflict("the booking has not begun yet"))
            }
            BookingStatus::Confirmed => Ok(Change::To(BookingStatus::NoShow)),
            _ => Err(self.refuse("marked as a no-show")),
        }
    }

    /// Refuses when the client read another version than this.
    pub fn expect_version(&self, expected: Option<i64>) -> Result<(), Problem> {
        match expected {
            Some(expected) if expected != self.version => Err(Problem::VersionConflict {
                current_version: self.version,
            }),
            _ => Ok(()),
        }
    }

    fn refuse(&self, participle: &str) -> Problem {
        let status = self.status.name().replace('_', " ");
        Problem::conflict(format!("a booking that is {status} cannot be {participle}"))
    }
}
