//! Payments: what is known of money that moves elsewhere, and what follows from it for a booking.
//!
//! The other side is asked how a payment stands, and what it answers is *observed*. Observations come late, twice and in any order, so
//! nothing observed is ever taken back: what was taken and paid back only grows, and the end is the same for every order.

mod dispute;
mod later;
mod refund;

pub use dispute::{Dispute, DisputeStatus};
pub use later::check_fee;
pub use refund::{FailedRefund, Refund, RefundOutcome};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::booking::BookingStatus;
use crate::id::{BookingId, PaymentId};
use crate::money::Money;

/// What becomes of the money of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// It is taken at once.
    Charge,
    /// It is reserved, and taken later.
    Authorize,
    /// None is taken: the card is kept for a fee later.
    SaveCard,
    /// It is taken from a card that was saved before, without the customer.
    Fee,
}

impl PaymentKind {
    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Authorize => "authorize",
            Self::SaveCard => "save_card",
            Self::Fee => "fee",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Charge, Self::Authorize, Self::SaveCard, Self::Fee]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// For the customer to pay.
    Waiting,
    /// The money is reserved, or the card is saved.
    Authorized,
    /// The money was taken.
    Paid,
    /// It came to nothing.
    Failed,
    /// Nobody paid in time.
    Expired,
    /// All of it was paid back.
    Refunded,
    /// Some of it was paid back.
    PartlyRefunded,
}

impl PaymentStatus {
    const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Authorized,
        Self::Paid,
        Self::Failed,
        Self::Expired,
        Self::Refunded,
        Self::PartlyRefunded,
    ];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Authorized => "authorized",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::PartlyRefunded => "partly_refunded",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// How a payment stands, as the other side says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentState {
    /// Where it is.
    pub status: ExternalStatus,
    /// What was taken, in minor units; 0 before.
    pub taken: i64,
    /// What was paid back of it, or is on its way; without what failed.
    pub refunded: i64,
    /// What was to be paid back and came to nothing, maybe long after it seemed done; as far as the other side was asked for it.
    pub failed_refunds: Vec<FailedRefund>,
    /// What the other side keeps of it, where it says so.
    pub fee: Option<i64>,
    /// The disputes about it, where the other side was asked for them; those that are not in it stay as they are known.
    pub disputes: Vec<Dispute>,
}

/// Where a payment is at the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalStatus {
    /// It can still become anything; also what the plugin does not know, and what a bank has not decided.
    Waiting,
    /// Nobody has paid: the customer has still to do something, as to pay a voucher in a shop, and may yet.
    Unpaid,
    /// The money is reserved, or the card is saved.
    Authorized,
    /// The money was taken.
    Paid,
    /// It came to nothing and will not any more.
    Over {
        /// Why, for staff.
        reason: String,
    },
}

impl ExternalStatus {
    fn why_over(&self) -> Option<&str> {
        match self {
            Self::Over { reason } => Some(reason),
            Self::Waiting | Self::Unpaid | Self::Authorized | Self::Paid => None,
        }
    }
}

/// A payment for a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// For which booking.
    pub booking_id: BookingId,
    /// At the other side of which plugin.
    pub plugin: String,
    /// What becomes of the money.
    pub kind: PaymentKind,
    /// Where it is.
    pub status: PaymentStatus,
    /// How much is asked.
    pub amount: Money,
    /// How much was taken, in minor units.
    pub taken: i64,
    /// How much of that was paid back, or is on its way.
    pub refunded: i64,
    /// How much was to be paid back besides and came to nothing.
    pub refund_failed: i64,
    /// What the other side keeps.
    pub fee: i64,
    /// The other side's name for it, once it has begun there.
    pub external_id: Option<String>,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Of money that is reserved: how much of it is to be taken, once that was asked for.
    pub capture_amount: Option<i64>,
    /// Of a fee: the payment that saved the card.
    pub saved_payment_id: Option<PaymentId>,
    /// What customers' banks dispute of it, in the order of the other side's names.
    pub disputes: Vec<Dispute>,
    /// Why it has failed, if it has and the other side says so; for staff.
    pub failure: Option<String>,
}

/// A movement of money in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What moved.
    pub kind: EntryKind,
    /// How much, in minor units; positive.
    pub amount: i64,
}

/// What moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// From the customer.
    Charge,
    /// Back to the customer.
    Refund,
    /// To the other side.
    Fee,
    /// To the customer's bank, which disputes it.
    Withdrawal,
    /// Back from there.
    Reinstatement,
    /// Back from what was on its way to the customer.
    RefundFailed,
}

impl EntryKind {
    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Fee => "fee",
            Self::Withdrawal => "withdrawal",
            Self::Reinstatement => "reinstatement",
            Self::RefundFailed => "refund_failed",
        }
    }
}

/// What follows for the booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    Nothing,
    /// What it waited for has come: it stands.
    Confirm,
    /// What it waited for will not come: its places are free again.
    Expire,
    /// It was paid after its time was lost: all of it goes back.
    PayBack,
    /// Money was reserved after its time was lost: it is let go.
    LetGo,
}

impl Payment {
    /// What is left of the money that was taken: what the customer has paid, whatever their bank disputes of it.
    pub fn left(&self) -> i64 {
        self.taken - self.refunded
    }

    /// What of that the business has, and can pay back.
    pub fn at_hand(&self) -> i64 {
        (self.left() - self.kept_by_banks()).max(0)
    }

    /// What customers' banks have of it at the moment.
    pub fn kept_by_banks(&self) -> i64 {
        self.withdrawn() - self.reinstated()
    }

    /// What customers' banks have ever taken.
    pub fn withdrawn(&self) -> i64 {
        self.disputes.iter().map(|dispute| dispute.withdrawn).sum()
    }

    /// What came back of that.
    pub fn reinstated(&self) -> i64 {
        self.disputes.iter().map(|dispute| dispute.reinstated).sum()
    }

    /// Whether its time to pay is over. A fee is nobody's to pay.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.kind != PaymentKind::Fee && now >= self.expires_at
    }

    /// The payment after an observation, and the movements that are new in it. Observing the same again changes nothing.
    pub fn observe(&self, seen: &PaymentState, has_expired: bool) -> (Self, Vec<Entry>) {
        let mut after = self.clone();
        after.taken = self.taken.max(seen.taken);
        (after.refunded, after.refund_failed) = refund::observed(self, seen, after.taken);
        after.fee = self.fee.max(seen.fee.unwrap_or(0));
        after.disputes = dispute::observed(&self.disputes, &seen.disputes);
        after.status = after.status_after(&seen.status, has_expired);
        let failure = self.failure.as_deref().or(seen.status.why_over());
        let failure = failure.filter(|_| after.status == PaymentStatus::Failed);
        after.failure = failure.map(str::to_owned);
        let moved = [
            (EntryKind::Charge, after.taken - self.taken),
            (EntryKind::Refund, after.paid_out() - self.paid_out()),
            (EntryKind::Fee, after.fee - self.fee),
            (EntryKind::Withdrawal, after.withdrawn() - self.withdrawn()),
            (
                EntryKind::Reinstatement,
                after.reinstated() - self.reinstated(),
            ),
            (
                EntryKind::RefundFailed,
                after.refund_failed - self.refund_failed,
            ),
        ];
        let entries = moved
            .into_iter()
            .filter(|(_, amount)| *amount > 0)
            .map(|(kind, amount)| Entry { kind, amount });
        (after, entries.collect())
    }

    fn status_after(&self, seen: &ExternalStatus, has_expired: bool) -> PaymentStatus {
        if self.taken > 0 {
            return match self.refunded {
                0 => PaymentStatus::Paid,
                refunded if refunded < self.taken => PaymentStatus::PartlyRefunded,
                _ => PaymentStatus::Refunded,
            };
        }
        match (seen, self.status) {
            // A status alone moves no money: what was taken says so.
            (ExternalStatus::Authorized, PaymentStatus::Waiting | PaymentStatus::Authorized) => {
                PaymentStatus::Authorized
            }
            // A reservation that lapses was made in time.
            (ExternalStatus::Over { .. }, PaymentStatus::Waiting) if has_expired => {
                PaymentStatus::Expired
            }
            (ExternalStatus::Over { .. }, PaymentStatus::Waiting | PaymentStatus::Authorized) => {
                PaymentStatus::Failed
            }
            // What is over stays over, also where an older answer comes later.
            (_, status) => status,
        }
    }

    /// What follows for its booking from how it stands now. Money that came too late is paid back once: when it is first seen. A fee is
    /// asked for by staff whatever the booking has come to, and changes nothing about it.
    pub fn consequence(&self, before: &Self, booking: BookingStatus) -> Consequence {
        if self.kind == PaymentKind::Fee {
            return Consequence::Nothing;
        }
        // Also where some of it has gone back by the time it is first seen: the end must not depend on when that was.
        let is_settled = self.taken > 0 || self.status == PaymentStatus::Authorized;
        let is_over = matches!(self.status, PaymentStatus::Failed | PaymentStatus::Expired);
        match booking {
            BookingStatus::Pending if is_settled => Consequence::Confirm,
            BookingStatus::Pending if is_over => Consequence::Expire,
            BookingStatus::Cancelled | BookingStatus::Expired
                if before.taken == 0 && self.at_hand() > 0 =>
            {
                Consequence::PayBack
            }
            BookingStatus::Cancelled | BookingStatus::Expired
                if before.status != self.status && self.is_to_be_let_go() =>
            {
                Consequence::LetGo
            }
            _ => Consequence::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
