//! Payments: what is known of money that moves elsewhere, and what follows from it for a booking.
//!
//! The other side is asked how a payment stands, and what it answers is *observed*. Observations come late, twice and in any order, so
//! nothing observed is ever taken back: what was taken and paid back only grows, and the end is the same for every order.

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
}

impl PaymentKind {
    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Authorize => "authorize",
            Self::SaveCard => "save_card",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Charge, Self::Authorize, Self::SaveCard]
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
    /// What was paid back of it.
    pub refunded: i64,
    /// What the other side keeps of it, where it says so.
    pub fee: Option<i64>,
}

/// Where a payment is at the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExternalStatus {
    /// It can still become anything; also what the plugin does not know.
    Waiting,
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
    /// How much of that was paid back.
    pub refunded: i64,
    /// What the other side keeps.
    pub fee: i64,
    /// The other side's name for it, once it has begun there.
    pub external_id: Option<String>,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
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
}

impl EntryKind {
    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Fee => "fee",
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
}

impl Payment {
    /// What is left of the money that was taken.
    pub fn left(&self) -> i64 {
        self.taken - self.refunded
    }

    /// The payment after an observation, and the movements that are new in it. Observing the same again changes nothing.
    pub fn observe(&self, seen: &PaymentState, has_expired: bool) -> (Self, Vec<Entry>) {
        let mut after = self.clone();
        after.taken = self.taken.max(seen.taken);
        after.refunded = self.refunded.max(seen.refunded).min(after.taken);
        after.fee = self.fee.max(seen.fee.unwrap_or(0));
        after.status = after.status_after(&seen.status, has_expired);
        let moved = [
            (EntryKind::Charge, after.taken - self.taken),
            (EntryKind::Refund, after.refunded - self.refunded),
            (EntryKind::Fee, after.fee - self.fee),
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
            (ExternalStatus::Authorized, _) => PaymentStatus::Authorized,
            (ExternalStatus::Over { .. }, PaymentStatus::Waiting | PaymentStatus::Authorized) => {
                if has_expired {
                    PaymentStatus::Expired
                } else {
                    PaymentStatus::Failed
                }
            }
            (_, status) => status,
        }
    }

    /// What follows for its booking from how it stands now. Money that came too late is paid back once: when it is first seen.
    pub fn consequence(&self, before: &Self, booking: BookingStatus) -> Consequence {
        // Also where some of it has gone back by the time it is first seen: the end must not depend on when that was.
        let is_settled = self.taken > 0 || self.status == PaymentStatus::Authorized;
        let is_over = matches!(self.status, PaymentStatus::Failed | PaymentStatus::Expired);
        match booking {
            BookingStatus::Pending if is_settled => Consequence::Confirm,
            BookingStatus::Pending if is_over => Consequence::Expire,
            BookingStatus::Cancelled | BookingStatus::Expired
                if before.taken == 0 && self.left() > 0 =>
            {
                Consequence::PayBack
            }
            _ => Consequence::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::id::Id;
    use crate::money::Currency;

    fn payment() -> Payment {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Payment {
            id: PaymentId::from_uuid(Uuid::nil()),
            booking_id: BookingId::from_uuid(Uuid::nil()),
            plugin: "payments-test".to_owned(),
            kind: PaymentKind::Charge,
            status: PaymentStatus::Waiting,
            amount: Money {
                amount: 5000,
                currency: Currency::new("EUR").unwrap(),
            },
            taken: 0,
            refunded: 0,
            fee: 0,
            external_id: None,
            expires_at: at,
            created_at: at,
        }
    }

    fn seen(status: ExternalStatus, taken: i64, refunded: i64) -> PaymentState {
        let fee = (taken > 0).then_some(175);
        PaymentState {
            status,
            taken,
            refunded,
            fee,
        }
    }

    fn over() -> ExternalStatus {
        ExternalStatus::Over {
            reason: "called off".to_owned(),
        }
    }

    #[test]
    fn a_booking_is_confirmed_by_money_and_nothing_else() {
        let before = payment();
        for (state, booking, expected) in [
            (
                seen(ExternalStatus::Waiting, 0, 0),
                BookingStatus::Pending,
                Consequence::Nothing,
            ),
            // An answer that says paid and names no money is not believed.
            (
                seen(ExternalStatus::Paid, 0, 0),
                BookingStatus::Pending,
                Consequence::Nothing,
            ),
            (
                seen(ExternalStatus::Paid, 5000, 0),
                BookingStatus::Pending,
                Consequence::Confirm,
            ),
            (
                seen(ExternalStatus::Authorized, 0, 0),
                BookingStatus::Pending,
                Consequence::Confirm,
            ),
            (
                seen(over(), 0, 0),
                BookingStatus::Pending,
                Consequence::Expire,
            ),
            (
                seen(ExternalStatus::Paid, 5000, 0),
                BookingStatus::Expired,
                Consequence::PayBack,
            ),
            (
                seen(ExternalStatus::Paid, 5000, 0),
                BookingStatus::Cancelled,
                Consequence::PayBack,
            ),
            (
                seen(ExternalStatus::Paid, 5000, 5000),
                BookingStatus::Cancelled,
                Consequence::Nothing,
            ),
            (
                seen(ExternalStatus::Paid, 5000, 0),
                BookingStatus::Confirmed,
                Consequence::Nothing,
            ),
        ] {
            let (after, _) = before.observe(&state, false);
            assert_eq!(
                after.consequence(&before, booking),
                expected,
                "{state:?} {booking:?}"
            );
        }
    }

    proptest! {
        /// What a payment goes through, seen in any order and any number of times, ends the same, and the ledger adds up.
        #[test]
        fn every_order_of_observations_ends_the_same(
            order in Just((0..5_usize).collect::<Vec<_>>()).prop_shuffle(),
            again in proptest::collection::vec(0..5_usize, 0..6),
        ) {
            let life = [
                seen(ExternalStatus::Waiting, 0, 0),
                seen(ExternalStatus::Paid, 5000, 0),
                seen(ExternalStatus::Paid, 5000, 1000),
                seen(ExternalStatus::Paid, 5000, 3000),
                seen(ExternalStatus::Waiting, 0, 0),
            ];
            let mut now = payment();
            let mut booking = BookingStatus::Pending;
            let mut ledger = [0_i64; 3];
            for turn in order.into_iter().chain(again) {
                let (after, entries) = now.observe(&life[turn], false);
                match after.consequence(&now, booking) {
                    Consequence::Confirm => booking = BookingStatus::Confirmed,
                    other => prop_assert_eq!(other, Consequence::Nothing),
                }
                for entry in entries {
                    ledger[entry.kind as usize] += entry.amount;
                }
                now = after;
            }
            prop_assert_eq!((now.status, now.taken, now.refunded, now.fee), (PaymentStatus::PartlyRefunded, 5000, 3000, 175));
            prop_assert_eq!(booking, BookingStatus::Confirmed);
            prop_assert_eq!(ledger, [now.taken, now.refunded, now.fee]);
        }
    }
}
