//! A delivery: an event on its way to one part of one plugin, and how it can end.

use std::time::Duration;

use domain::event::{BookingFacts, Event};
use domain::id::{BusinessId, DeliveryId};

use crate::reaction::Want;
use crate::settings::{PluginSettings, SettingsError};

/// An event on its way to one part of one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id, the same at every attempt.
    pub id: DeliveryId,
    /// The business in which it happened.
    pub business_id: BusinessId,
    /// Which attempt this is: 1 for the first.
    pub attempt: u32,
    /// The part of the plugin that it is for, as in [`crate::Want::part`].
    pub part: String,
    /// What happened, with the facts as they were then.
    pub event: Event,
    /// What the business has set, as it is now.
    pub settings: PluginSettings,
}

impl Delivery {
    /// The booking that it is about.
    ///
    /// # Errors
    /// [`Failure::GiveUp`] where it is about none, or none of these wants: it was handed over by mistake.
    pub fn wanted_booking(&self, wants: &[Want]) -> Result<&BookingFacts, Failure> {
        let is_wanted = |want: &Want| want.event == self.event.kind && want.part == self.part;
        let booking = self.event.booking.as_ref();
        booking
            .filter(|_| wants.iter().any(is_wanted))
            .ok_or_else(|| Failure::give_up("it is not one that this plugin wants"))
    }
}

/// A delivery that needs no further attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The other side has it.
    Delivered,
    /// There was nothing to do.
    Skipped {
        /// Why, for staff: `the customer has no email address`.
        reason: String,
    },
}

/// A delivery that came to nothing this time. The reasons are shown to staff and logged: they hold no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It may work later.
    #[error("{reason}")]
    Retry {
        /// How long the other side asked to be left alone (Retry-After); the runner's own backoff where none.
        after: Option<Duration>,
        /// What went wrong.
        reason: String,
    },
    /// The other side works, and has not decided yet: it is asked again later, for as long as it takes. Not a failure: it counts neither
    /// as an attempt nor against the plugin.
    #[error("{reason}")]
    NotYet {
        /// When to ask again; where none, the longer it has lasted the later.
        after: Option<Duration>,
        /// What is waited for.
        reason: String,
    },
    /// It will never work: the delivery is parked at once.
    #[error("{reason}")]
    GiveUp {
        /// What went wrong.
        reason: String,
    },
    /// It will not work until somebody changes the settings: tried again at long intervals, so that nothing is lost once they
    /// are right, and parked in the end.
    #[error("{reason}")]
    Misconfigured {
        /// What went wrong, naming the setting where it can.
        reason: String,
    },
}

impl Failure {
    /// It may work later, and nothing says when.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            after: None,
            reason: reason.into(),
        }
    }

    /// The other side has not decided yet.
    pub fn not_yet(reason: impl Into<String>) -> Self {
        Self::NotYet {
            after: None,
            reason: reason.into(),
        }
    }

    /// What went wrong, for staff.
    pub fn reason(&self) -> &str {
        match self {
            Self::Retry { reason, .. }
            | Self::NotYet { reason, .. }
            | Self::GiveUp { reason }
            | Self::Misconfigured { reason } => reason,
        }
    }

    /// It will never work.
    pub fn give_up(reason: impl Into<String>) -> Self {
        Self::GiveUp {
            reason: reason.into(),
        }
    }

    /// It will not work with these settings.
    pub fn misconfigured(reason: impl Into<String>) -> Self {
        Self::Misconfigured {
            reason: reason.into(),
        }
    }
}

/// Settings that turn out to be wrong when they are needed.
impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::misconfigured(error.to_string())
    }
}

impl Done {
    /// There was nothing to do.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped {
            reason: reason.into(),
        }
    }
}
