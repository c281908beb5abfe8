//! Refunds: as they are asked for ([`Refund`]), and as they are observed at the other side.
//!
//! Observed: money goes out to the customer, and some of it comes back because a bank does not take it, at once or days later.
//!
//! Both totals, what went out and what came back, only grow at the other side. So of two observations the later one has the larger of each, and
//! every order of them ends the same.

use chrono::{DateTime, Utc};

use super::{Payment, PaymentState};
use crate::id::{PaymentId, RefundId};

/// Money that somebody asked to be paid back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How much, in minor units.
    pub amount: i64,
    /// Why.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// What became of it; none: it is still to be made.
    pub outcome: Option<RefundOutcome>,
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The other side has made it.
    Succeeded,
    /// The customer does not get it.
    Failed {
        /// Why, for staff.
        reason: String,
        /// When that was known.
        at: DateTime<Utc>,
    },
}

impl Refund {
    /// When it was known that it failed, if it did.
    fn failed_at(&self) -> Option<DateTime<Utc>> {
        match &self.outcome {
            Some(RefundOutcome::Failed { at, .. }) => Some(*at),
            Some(RefundOutcome::Succeeded) | None => None,
        }
    }

    /// Those of a payment's refunds that failed and were not made good: by as much that succeeded and was asked for after the failure was known.
    /// What makes one good makes no other good.
    pub fn owed(all: &[Self]) -> Vec<&Self> {
        let made = all.iter();
        let made = made.filter(|refund| refund.outcome == Some(RefundOutcome::Succeeded));
        let mut made: Vec<(DateTime<Utc>, i64)> = made
            .map(|refund| (refund.created_at, refund.amount))
            .collect();
        let failed = all.iter();
        let failed = failed.filter_map(|refund| Some((refund.failed_at()?, refund)));
        let mut failed: Vec<(DateTime<Utc>, &Self)> = failed.collect();
        failed.sort_by_key(|(at, _)| *at);
        failed.retain(|(at, failed)| {
            let mut missing = failed.amount;
            for (_, left) in made.iter_mut().filter(|(asked, _)| asked >= at) {
                let part = missing.min(*left);
                *left -= part;
                missing -= part;
            }
            missing > 0
        });
        failed.into_iter().map(|(_, refund)| refund).collect()
    }
}

/// A refund that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRefund {
    /// Ours, where we asked for it.
    pub id: Option<RefundId>,
    /// How much it was, in minor units.
    pub amount: i64,
    /// Why, for staff.
    pub reason: String,
}

impl PaymentState {
    /// How much was to be paid back and came to nothing.
    fn refund_failed(&self) -> i64 {
        self.failed_refunds.iter().map(|refund| refund.amount).sum()
    }
}

impl Payment {
    /// What can still be paid back: what was taken, without what went back or is on its way, and without what a bank has that disputes it.
    pub fn refundable(&self, refunds: &[Refund]) -> i64 {
        let asked = refunds.iter();
        let asked: i64 = asked
            .filter(|refund| refund.failed_at().is_none())
            .map(|refund| refund.amount)
            .sum();
        let gone = asked.max(self.refunded) + self.kept_by_banks();
        (self.taken - gone).max(0)
    }

    /// What ever went out to the customer, with what came back.
    pub fn paid_out(&self) -> i64 {
        self.refunded + self.refund_failed
    }
}

/// What is paid back and what of it failed, after another look at a payment of which so much was taken.
pub(super) fn observed(before: &Payment, seen: &PaymentState, taken: i64) -> (i64, i64) {
    let paid_out = before.paid_out().max(seen.refunded + seen.refund_failed());
    let failed = before.refund_failed.max(seen.refund_failed());
    ((paid_out - failed).min(taken), failed)
}
