//! Money that goes back: asked for by staff, or owed because a booking was cancelled or its time was lost.

use domain::actor::Right;
use domain::event::EventKind;
use domain::id::{BookingId, Id, PaymentId, RefundId};
use domain::money::Money;
use domain::payment::{Payment, PaymentKind, PaymentStatus, Refund};
use domain::problem::Problem;
use domain::text;
use serde::Serialize;
use store::Conn;
use store::changes::Changes;
use uuid::Uuid;

use super::Work;
use super::asked::Asked;
use super::work::write_refund;
use crate::event::Recorded;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A refund to make.
#[derive(Debug, Clone, Serialize)]
pub struct RefundPayment {
    /// Of which payment.
    pub payment_id: PaymentId,
    /// How much, in minor units; all that is left where it is not said.
    pub amount: Option<i64>,
    /// Why.
    pub reason: Option<String>,
}

/// Money of a payment that is to go back.
pub(super) struct ToRefund<'a> {
    pub payment: &'a Payment,
    pub amount: i64,
    pub reason: Option<String>,
}

struct RefundCase {
    engine: Engine,
    caller: Caller,
    input: RefundPayment,
}

impl UseCase for RefundCase {
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
        let (engine, caller, input) = (&self.engine, &self.caller, &self.input);
        let id = input.payment_id;
        let payment = engine.lock_payment_in_tx(conn, caller, id).await?;
        let left = engine.refundable_in_tx(conn, caller, &payment).await?;
        let amount = input.amount.unwrap_or(left);
        if left == 0 {
            return Err(Problem::conflict("nothing of this payment is left to pay back").into());
        }
        if !(1..=left).contains(&amount) {
            let message = format!("must be from 1 to {left}, which is left of the payment");
            return Err(Problem::invalid(&["input", "amount"], message).into());
        }
        let money = Money {
            amount,
            ..payment.amount
        };
        engine.check_step(&payment.plugin, money)?;
        let mut changes = Changes::default();
        let refund = ToRefund {
            payment: &payment,
            amount,
            reason: input.reason.clone(),
        };
        engine
            .refund_in_tx(conn, caller, asked, &refund, &mut changes)
            .await?;
        Ok((changes, id))
    }
}

impl Engine {
    /// Pays back money of a payment, in whole or in part.
    pub async fn refund(
        &self,
        caller: &Caller,
        input: RefundPayment,
        key: Option<&str>,
    ) -> Result<PaymentId> {
        if !caller.actor.may(Right::ManagePlugins) {
            return Err(Error::forbidden(caller, "pay money back"));
        }
        let key = Key::of("refund", key, &input)?;
        let reason = text::long(&["input", "reason"], input.reason.as_deref())?;
        let input = RefundPayment { reason, ..input };
        let (engine, caller) = (self.clone(), *caller);
        let case = RefundCase {
            engine: self.clone(),
            caller,
            input,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// What can still be paid back of a payment.
    async fn refundable_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        payment: &Payment,
    ) -> Result<i64, TxError> {
        let refunds = store::payment::refund_list(conn, caller.business, payment.id).await?;
        Ok(payment.refundable(&refunds))
    }

    /// Adds a refund that is asked for, and that it is to be made.
    pub(super) async fn refund_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        asked: &Asked,
        refund: &ToRefund<'_>,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let recorded =
            asked.record(self, EventKind::RefundRequested, refund.payment.id, changes)?;
        add_refund_in_tx(conn, caller, refund, &recorded, changes).await
    }

    /// What a cancellation owes: what waits to be paid is called off, what is reserved is let go, what was paid goes back. Fees stay.
    pub(crate) async fn release_payments_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        booking: BookingId,
        recorded: &Recorded,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let now = self.clock().now();
        for found in store::payment::payment_list(conn, caller.business, &[booking]).await? {
            let id = found.payment.id;
            let payment = self.lock_payment_in_tx(conn, caller, id).await?;
            if payment.kind == PaymentKind::Fee {
                continue;
            }
            if payment.status == PaymentStatus::Waiting || payment.is_to_be_let_go() {
                Work::CallOff.write(changes, recorded, &payment.plugin, id, now);
            }
            let left = self.refundable_in_tx(conn, caller, &payment).await?;
            if left > 0 {
                let refund = ToRefund {
                    payment: &payment,
                    amount: left,
                    reason: Some("the booking was cancelled".to_owned()),
                };
                add_refund_in_tx(conn, caller, &refund, recorded, changes).await?;
            }
        }
        Ok(())
    }
}

async fn add_refund_in_tx(
    conn: &Conn,
    caller: &Caller,
    refund: &ToRefund<'_>,
    recorded: &Recorded,
    changes: &mut Changes,
) -> Result<(), TxError> {
    let id = RefundId::from_uuid(Uuid::now_v7());
    let new = Refund {
        id,
        payment_id: refund.payment.id,
        amount: refund.amount,
        reason: refund.reason.clone(),
        created_at: recorded.at,
        outcome: None,
    };
    store::payment::refund_insert_in_tx(conn, caller.business, &new).await?;
    write_refund(changes, recorded, &refund.payment.plugin, id);
    Ok(())
}
