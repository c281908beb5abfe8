//! What staff ask about payments: begun alike, whatever it is.

use std::sync::Arc;

use domain::booking::Booking;
use domain::event::{BookingFacts, EventKind};
use domain::id::{BookingId, PaymentId};
use domain::payment::Payment;
use domain::problem::Problem;
use store::Conn;
use store::changes::Changes;

use crate::catalogue::Catalogue;
use crate::event::{Happening, Recorded};
use crate::tx::TxError;
use crate::{Caller, Engine, Result};

/// What is known of the booking before anything is locked: what is told of it follows from this.
pub(super) struct Asked {
    pub catalogue: Arc<Catalogue>,
    pub facts: BookingFacts,
}

impl Asked {
    /// Adds to the changes that this is asked for, of this payment.
    pub fn record(
        &self,
        engine: &Engine,
        kind: EventKind,
        payment: PaymentId,
        changes: &mut Changes,
    ) -> Result<Recorded> {
        let happening = Happening {
            kind,
            at: engine.clock().now(),
            calendars: Vec::new(),
            booking: Some(self.facts.clone()),
            hold: None,
            payment: Some(payment),
        };
        engine.record(&self.catalogue, changes, happening)
    }
}

impl Engine {
    /// What is asked about a payment that the caller may see: `paymentId`.
    pub(super) async fn asked_of_payment(&self, caller: &Caller, id: PaymentId) -> Result<Asked> {
        let missing = || Problem::not_found(&["input", "paymentId"], "payment");
        let found = self.payment(caller, id).await?;
        let payment = found.ok_or_else(missing)?.payment;
        self.asked_of_booking(caller, payment.booking_id).await
    }

    /// What is asked about a booking.
    pub(super) async fn asked_of_booking(&self, caller: &Caller, id: BookingId) -> Result<Asked> {
        let catalogue = self.catalogue(caller).await?;
        let facts = self.facts_of(caller, &catalogue, id).await?;
        Ok(Asked { catalogue, facts })
    }

    /// The booking, locked, if it is as the facts tell it.
    pub(super) async fn lock_as_told_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        facts: &BookingFacts,
    ) -> Result<Booking, TxError> {
        let id = facts.booking_id;
        let locked = store::booking::booking_lock_in_tx(conn, caller.business, id).await?;
        locked
            .filter(|booking| booking.version == facts.version)
            .ok_or_else(|| TxError::race("the booking has changed"))
    }

    /// The payment, locked.
    pub(super) async fn lock_payment_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        id: PaymentId,
    ) -> Result<Payment, TxError> {
        let locked = store::payment::payment_lock_in_tx(conn, caller.business, id).await?;
        let found = locked.ok_or_else(|| TxError::race("the payment is gone"))?;
        Ok(found.payment)
    }
}
