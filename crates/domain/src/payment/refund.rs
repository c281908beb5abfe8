//! Refunds, as they are observed: money goes out to the customer, and some of it comes back because a bank does not take it, at once or days later.
//!
//! Both totals, what went out and what came back, only grow at the other side. So of two observations the later one has the larger of each, and
//! every order of them ends the same.

use super::{Payment, PaymentState};
use crate::id::RefundId;

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
