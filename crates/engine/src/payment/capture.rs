//! Money that is reserved and to be taken: asked for by staff, done by the jobs.

use domain::actor::Right;
use domain::event::EventKind;
use domain::id::PaymentId;
use domain::money::Money;
use serde::Serialize;
use store::Conn;
use store::changes::Changes;

use super::Work;
use super::asked::Asked;
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
    type Plan = Asked;
    type Answer = PaymentId;

    async fn plan(&self, _: u32) -> Result<Asked> {
        let id = self.input.payment_id;
        self.engine.asked_of_payment(&self.caller, id).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        asked: &Asked,
    ) -> Result<(Changes, PaymentId), TxError> {
        let (engine, caller, id) = (&self.engine, &self.caller, self.input.payment_id);
        // A cancellation locks the booking, too: it either sees that the money was asked for, or has let it go.
        let booking = engine
            .lock_as_told_in_tx(conn, caller, &asked.facts)
            .await?;
        let payment = engine.lock_payment_in_tx(conn, caller, id).await?;
        let amount = payment.capture(self.input.amount, booking.status)?;
        let money = Money {
            amount,
            ..payment.amount
        };
        engine.check_step(&payment.plugin, money)?;
        store::payment::payment_capture_in_tx(conn, caller.business, id, amount).await?;
        let mut changes = Changes::default();
        let recorded = asked.record(engine, EventKind::CaptureRequested, id, &mut changes)?;
        Work::Capture.write(&mut changes, &recorded, &payment.plugin, id, recorded.at);
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
