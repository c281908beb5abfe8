//! Money that is reserved and to be taken: asked for by staff, done by the jobs.

use std::sync::Arc;

use domain::actor::Right;
use domain::event::{BookingFacts, EventKind};
use domain::id::PaymentId;
use domain::problem::Problem;
use serde::Serialize;
use store::Conn;
use store::changes::Changes;

use super::Work;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// Money to take that is reserved.
#[derive(Debug, Clone, Serialize)]
pub struct CapturePayment {
    /// By which payment.
    pub payment_id: PaymentId,
    /// How much, in minor units; all of it where it is not said. What is not taken is let go.
    pub amount: Option<i64>,
}

struct CaptureCase {
    engine: Engine,
    caller: Caller,
    input: CapturePayment,
}

impl UseCase for CaptureCase {
    type Plan = (Arc<Catalogue>, BookingFacts);
    type Answer = PaymentId;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let (engine, caller) = (&self.engine, &self.caller);
        let missing = || Problem::not_found(&["input", "paymentId"], "payment");
        let found = engine.payment(caller, self.input.payment_id).await?;
        let payment = found.ok_or_else(missing)?.payment;
        let catalogue = engine.catalogue(caller).await?;
        let facts = engine
            .facts_of(caller, &catalogue, payment.booking_id)
            .await?;
        Ok((catalogue, facts))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, facts): &Self::Plan,
    ) -> Result<(Changes, PaymentId), TxError> {
        let (engine, caller, id) = (&self.engine, &self.caller, self.input.payment_id);
        // A cancellation locks the booking, too: it either sees that the money was asked for, or has let it go.
        let booking = engine.lock_as_told_in_tx(conn, caller, facts).await?;
        let locked = store::payment::payment_lock_in_tx(conn, caller.business, id).await?;
        let payment = locked
            .ok_or_else(|| TxError::race("the payment is gone"))?
            .payment;
        let amount = payment.capture(self.input.amount, booking.status)?;
        store::payment::payment_capture_in_tx(conn, caller.business, id, amount).await?;
        let now = engine.clock().now();
        let mut changes = Changes::default();
        let happening = Happening {
            kind: EventKind::CaptureRequested,
            at: now,
            calendars: Vec::new(),
            booking: Some(facts.clone()),
            hold: None,
            payment: Some(id),
        };
        let recorded = engine.record(catalogue, &mut changes, happening)?;
        Work::Capture.write(&mut changes, &recorded, &payment.plugin, id, now);
        Ok((changes, id))
    }
}

impl Engine {
    /// Takes money that is reserved, in whole or in part.
    pub async fn capture_payment(
        &self,
        caller: &Caller,
        input: CapturePayment,
        key: Option<&str>,
    ) -> Result<PaymentId> {
        if !caller.actor.may(Right::ManagePlugins) {
            return Err(Error::forbidden(caller, "take money"));
        }
        let key = Key::of("capturePayment", key, &input)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = CaptureCase {
            engine: self.clone(),
            caller,
            input,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
