//! Disputes: the customer's bank asks for money of a payment, takes it, and decides in the end whose it is.
//!
//! A booking is not touched by it, and neither is what was paid: whoever disputes has paid. As with all that is observed of a payment, what is
//! known of a dispute only moves forward, so that every order of observations ends the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank has not decided: the business may answer, or has. Also what the plugin does not know.
    Open,
    /// It is over, and the money stays or comes back.
    Won,
    /// It is over, and the money is the customer's.
    Lost,
}

impl DisputeStatus {
    /// Whether the bank has decided.
    pub fn is_over(self) -> bool {
        self != Self::Open
    }
}

/// A dispute about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The other side's name for it.
    pub external_id: String,
    /// Where it is.
    pub status: DisputeStatus,
    /// How much the bank asks for, in minor units of the payment's currency.
    pub amount: i64,
    /// How much it has taken from the business for now or for good; 0 while it only asks.
    pub withdrawn: i64,
    /// How much of that came back.
    pub reinstated: i64,
    /// Until when the business can answer, where the other side says so.
    pub respond_by: Option<DateTime<Utc>>,
}

impl Dispute {
    /// What is known after another look: the same whichever of the two came first.
    fn observe(&self, seen: &Self) -> Self {
        let withdrawn = self.withdrawn.max(seen.withdrawn);
        Self {
            external_id: self.external_id.clone(),
            // A bank that changes its mind moves the money again: the later decision is the one with more movement.
            status: self.standing().max(seen.standing()).1,
            amount: self.amount.max(seen.amount),
            withdrawn,
            reinstated: self.reinstated.max(seen.reinstated).min(withdrawn),
            respond_by: self.respond_by.max(seen.respond_by),
        }
    }

    fn standing(&self) -> (i64, DisputeStatus) {
        (self.withdrawn + self.reinstated, self.status)
    }
}

/// The disputes of a payment after another look, in the order of their names.
pub(super) fn observed(before: &[Dispute], seen: &[Dispute]) -> Vec<Dispute> {
    let mut known: BTreeMap<&str, Dispute> = BTreeMap::new();
    for dispute in before.iter().chain(seen) {
        let after = match known.get(dispute.external_id.as_str()) {
            Some(before) => before.observe(dispute),
            None => dispute.observe(dispute),
        };
        known.insert(&dispute.external_id, after);
    }
    known.into_values().collect()
}
