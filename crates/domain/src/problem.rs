//! Refusals: what a client can cause and can mend. Each becomes a problem of the API, with a code and a path.

use serde::{Deserialize, Serialize};

use crate::availability::Slot;
use crate::policy::PolicyRule;

/// Why a start time cannot be booked. AVAILABILITY.md has the rules behind each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnavailableReason {
    /// No window of the provider (or of the location) holds the whole service (rules 4, 7).
    OutsideWorkingHours,
    /// Inside a window, but not at one of its start times (rule 6).
    OffGrid,
    /// Another session or a hold takes the provider, buffers counted (rule 8).
    ProviderBusy,
    /// Time off, a break or an external calendar (rule 8).
    ProviderBlocked,
    /// No unit of a required resource is free (rule 8).
    ResourceBusy,
    /// Too few seats left (rule 9).
    Full,
    /// Inside the minimum notice, or in the past (rule 10).
    TooSoon,
    /// Past the maximum advance (rule 10).
    TooFarAhead,
    /// The service's or the provider's limit for that day is reached (rule 11).
    DailyLimit,
    /// Kept for urgent bookings, or for another customer tier.
    Reserved,
    /// The provider does not offer this service (here).
    ProviderDoesNotOffer,
}

/// Where in the input a problem lies: the names from the outside in, `["input", "customer", "email"]`.
pub type Path = Vec<String>;

/// What stood in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The input cannot be right.
    Invalid {
        /// Where.
        path: Path,
        /// What is wrong and what was expected.
        message: String,
    },
    /// There is no such thing (in this business, for this actor).
    NotFound {
        /// Where the id stands in the input.
        path: Path,
        /// What was not found.
        message: String,
    },
    /// The state of the thing does not allow it.
    Conflict {
        /// Why.
        message: String,
    },
    /// The thing has changed since the client read it.
    VersionConflict {
        /// Its version now.
        current_version: i64,
    },
    /// The idempotency key was used with another input.
    IdempotencyConflict,
    /// The slot cannot be had.
    SlotUnavailable {
        /// Why; never empty.
        reasons: Vec<UnavailableReason>,
        /// The nearest slots that can.
        alternatives: Vec<Slot>,
    },
    /// The policy of the booking forbids it.
    PolicyViolation {
        /// Which rule.
        rule: PolicyRule,
        /// In words.
        message: String,
    },
    /// The hold has run out, was given back or was redeemed.
    HoldExpired,
    /// The payment that it asks for came to nothing.
    PaymentFailed {
        /// In words.
        message: String,
    },
    /// A plugin refused the booking.
    PluginRefused {
        /// In the plugin's words.
        message: String,
    },
}

impl Problem {
    /// The input at this path is wrong.
    pub fn invalid(path: &[&str], message: impl Into<String>) -> Self {
        Self::Invalid {
            path: own(path),
            message: message.into(),
        }
    }

    /// The thing named at this path does not exist.
    pub fn not_found(path: &[&str], noun: &str) -> Self {
        Self::NotFound {
            path: own(path),
            message: format!("there is no such {noun}"),
        }
    }

    /// The state does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict {
            message: message.into(),
        }
    }
}

fn own(path: &[&str]) -> Path {
    path.iter().map(|&part| part.to_owned()).collect()
}
