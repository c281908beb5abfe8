//! What staff may ask for after a booking stands: money that is reserved is taken, and a fee is charged to a card that was saved.

use super::{Payment, PaymentKind, PaymentStatus};
use crate::booking::BookingStatus;
use crate::money::Money;
use crate::problem::Problem;

impl Payment {
    /// Whether a card is saved by it that a fee can be taken from.
    pub fn has_card(&self) -> bool {
        self.kind == PaymentKind::SaveCard
            && self.status == PaymentStatus::Authorized
            && self.external_id.is_some()
    }

    /// Whether money is reserved that nobody has asked for: it is let go with its booking.
    pub fn is_to_be_let_go(&self) -> bool {
        self.kind == PaymentKind::Authorize
            && self.status == PaymentStatus::Authorized
            && self.capture_amount.is_none()
    }

    /// How much of the money that is reserved is to be taken: so much, or all of it.
    ///
    /// # Errors
    /// CONFLICT where nothing is reserved, its taking was asked for already, or it is being let go with its booking; INVALID where it is
    /// not so much.
    pub fn capture(&self, amount: Option<i64>, booking: BookingStatus) -> Result<i64, Problem> {
        if self.kind != PaymentKind::Authorize || self.status != PaymentStatus::Authorized {
            return Err(Problem::conflict("no money is reserved by this payment"));
        }
        if self.capture_amount.is_some() {
            let message = "it was asked for already that the money is taken";
            return Err(Problem::conflict(message));
        }
        if !booking.takes_seats() {
            let message = "the booking does not stand any more: what was reserved is let go";
            return Err(Problem::conflict(message));
        }
        let reserved = self.amount.amount;
        let amount = amount.unwrap_or(reserved);
        if !(1..=reserved).contains(&amount) {
            let message = format!("must be from 1 to {reserved}, which is reserved");
            return Err(Problem::invalid(&["input", "amount"], message));
        }
        Ok(amount)
    }
}

/// Checks the amount of a fee for a booking at this price, which has these payments.
///
/// All fees of a booking together are at most its price. That is what the customer has read and agreed to when the card was saved, and what
/// they would have paid had they come; whoever gets hold of a token of staff cannot take more from a card than that.
///
/// # Errors
/// CONFLICT while it is not known of another fee whether it was taken; INVALID where it is nothing or more.
pub fn check_fee(amount: i64, price: Money, payments: &[Payment]) -> Result<(), Problem> {
    let fees = payments
        .iter()
        .filter(|payment| payment.kind == PaymentKind::Fee);
    if fees.clone().any(|fee| fee.status == PaymentStatus::Waiting) {
        // Whoever asks again because nothing seems to happen must not be given both.
        let message = "another fee of this booking is still to be charged: wait for how it ends, or have its delivery tried again";
        return Err(Problem::conflict(message));
    }
    let asked: i64 = fees.map(Payment::left).sum();
    let most = (price.amount - asked).max(0);
    if (1..=most).contains(&amount) {
        return Ok(());
    }
    let message = match (most, asked) {
        (0, 0) => "a booking that costs nothing has no fee".to_owned(),
        (0, _) => "the fees of this booking are as much as it costs already".to_owned(),
        _ => format!("must be from 1 to {most}: all fees together are at most what it costs"),
    };
    Err(Problem::invalid(&["input", "amount"], message))
}
