//! Reactions: what a plugin does after something happened. At least once, one version of a booking after the other for each plugin and part;
//! what happened at once is heard of in any order.

use async_trait::async_trait;
use domain::event::EventKind;

use crate::delivery::{Delivery, Done, Failure};

/// What a plugin does after the commit.
///
/// In the transaction that writes an event, each [`Want`] for its kind gets a delivery of its own, so that one part (the
/// mail to the customer) is delivered, retried and parked without regard to another (the mail to the provider). A
/// delivery is handed over at least once: again after a failure, and also after a success that could not be recorded.
#[async_trait]
pub trait Reaction: Send + Sync {
    /// What it wants to hear of; not empty, no pair of event and part twice, the same for the life of the plugin.
    fn wants(&self) -> &[Want];

    /// Works on one delivery.
    ///
    /// - What it says to the outside is a function of [`Delivery::event`] and the settings, and of nothing else: not of
    ///   the clock, not of the attempt, not of what it reads elsewhere. So a repeat says the same, and where the other
    ///   side takes an idempotency key, [`Delivery::id`] is that key.
    /// - It ends in good time: the runner cuts it off at a time limit and counts that as [`Failure::Retry`]. It may be
    ///   dropped at any await, so it leaves nothing half done that a repeat does not mend.
    /// - It does not retry by itself; that is the runner's work, with backoff and jitter.
    /// - It does not block its thread. A panic is caught by the runner and counts as [`Failure::Retry`].
    ///
    /// # Errors
    /// [`Failure`] says whether it is worth trying again. An answer of the other side that it does not understand is
    /// [`Failure::Retry`], never a success.
    async fn react(&self, delivery: &Delivery) -> Result<Done, Failure>;
}

/// An event and the part a plugin plays on it. One delivery is made for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Want {
    /// The event.
    pub event: EventKind,
    /// The part, kebab-case, unique for this event in this plugin: `customer`, `provider`. A plugin with one part calls
    /// it `all`. It never changes, because deliveries that wait are kept under it.
    pub part: &'static str,
}

impl Want {
    /// This event, by a plugin with one part.
    pub const fn all(event: EventKind) -> Self {
        Self { event, part: "all" }
    }
}
