//! The desk at which a plugin works on payments: it calls the other side, outside of transactions, and settles what it learns.

use std::ops::Deref;
use std::time::Duration;

use chrono::TimeDelta;
use domain::id::PaymentId;
use domain::money::Money;
use domain::payment::{ExternalStatus, Payment, PaymentState, PaymentStatus};
use plugin_api::{Done, Failure, PaymentRequest, Payments, PluginSettings};
use store::Conn;

use super::Work;
use crate::{Caller, Engine, Error, Result};

/// How often a payment is looked at that nobody has called about.
const WATCH_EVERY: Duration = Duration::from_secs(90);

/// Where payments of one business are worked on with one plugin.
pub(super) struct Desk<'a> {
    pub engine: &'a Engine,
    pub caller: Caller,
    pub plugin: &'a str,
    pub payments: &'a dyn Payments,
    pub settings: &'a PluginSettings,
}

impl Desk<'_> {
    /// Does the work.
    pub async fn work(&self, work: Work, id: PaymentId, is_last: bool) -> Result<Done, Failure> {
        let payment = self.payment(id).await?;
        match work {
            Work::Begin if payment.status != PaymentStatus::Waiting => Ok(settled(&payment)),
            Work::Begin => match self.begin(&payment).await {
                Err(Failure::GiveUp { reason }) => self.fail_to_begin(id, reason).await,
                begun => begun.map(|_| Done::Delivered),
            },
            Work::Expire => self.expire(&payment, is_last).await,
            Work::CallOff => self.call_off(&payment, false).await,
            Work::LookUp => self.look_up(&payment).await,
            Work::Watch => self.watch(&payment).await,
            Work::Capture => self.capture(&payment).await,
            Work::Fee => self.charge_fee(&payment, is_last).await,
        }
    }

    pub(super) async fn conn(&self) -> Result<impl Deref<Target = Conn> + '_, Failure> {
        let conn = self.engine.0.database.conn().await;
        conn.map_err(|error| away(&error.into()))
    }

    pub(super) async fn payment(&self, id: PaymentId) -> Result<Payment, Failure> {
        let conn = self.conn().await?;
        let payment = self.engine.payment_on(&conn, &self.caller, id).await;
        payment.map_err(|error| away(&error))
    }

    /// Begins it, once, however often it is asked; answers the other side's name for it.
    pub async fn begin(&self, payment: &Payment) -> Result<String, Failure> {
        if let Some(external_id) = &payment.external_id {
            return Ok(external_id.clone());
        }
        let request = self.request(payment).await.map_err(|error| away(&error))?;
        let begun = self.payments.begin(self.settings, &request).await?;
        let kept = async {
            let sealed = self.engine.sealed(&self.caller, &begun, &payment.plugin)?;
            let conn = self.engine.0.database.conn().await?;
            let (business, external_id) = (self.caller.business, &begun.external_id);
            let id = payment.id;
            let is_first =
                store::payment::payment_begun(&conn, business, id, external_id, &sealed).await?;
            if is_first {
                return Ok(Kept::AsBegun);
            }
            let known = self.engine.payment_on(&conn, &self.caller, id).await?;
            Ok(known.external_id.map_or(Kept::Over, Kept::Before))
        };
        // Another attempt may have been quicker, and have another name for it where the other side has forgotten the key: only what is
        // kept is ever charged.
        match kept.await.map_err(|error: Error| away(&error))? {
            Kept::AsBegun => Ok(begun.external_id),
            Kept::Before(external_id) => Ok(external_id),
            Kept::Over => {
                // Nobody was told how to pay it, and nobody shall.
                self.payments
                    .cancel(self.settings, &begun.external_id)
                    .await?;
                Err(Failure::give_up("the payment was over before it had begun"))
            }
        }
    }

    /// Nobody can mend it in the time to pay.
    async fn fail_to_begin(&self, id: PaymentId, reason: String) -> Result<Done, Failure> {
        let ended = self
            .engine
            .settle_failed_to_begin(&self.caller, id, &reason)
            .await;
        if ended.map_err(|error| away(&error))? {
            Ok(Done::skipped(reason))
        } else {
            // Another attempt has begun it meanwhile.
            Ok(Done::Delivered)
        }
    }

    /// What the other side is asked: the same each time, or it would not take it for the same.
    async fn request(&self, payment: &Payment) -> Result<PaymentRequest> {
        let conn = self.engine.0.database.conn().await?;
        let found = store::payment::payment_find(&conn, self.caller.business, payment.id).await?;
        let gone = || Error::Fault(format!("there is no payment {}", payment.id));
        let told = found.ok_or_else(gone)?.told;
        let saved = match payment.saved_payment_id {
            Some(id) => {
                let saved = self.engine.payment_on(&conn, &self.caller, id).await?;
                saved.external_id
            }
            None => None,
        };
        Ok(PaymentRequest {
            id: payment.id,
            booking_id: payment.booking_id,
            reference: told.reference,
            description: told.description,
            kind: payment.kind,
            amount: payment.amount,
            customer_email: told.customer_email,
            customer_name: told.customer_name,
            expires_at: payment.expires_at,
            saved,
        })
    }

    pub(super) async fn look_up(&self, payment: &Payment) -> Result<Done, Failure> {
        let Some(external_id) = &payment.external_id else {
            return Ok(Done::skipped("the payment has not begun"));
        };
        let seen = self.payments.look_up(self.settings, external_id).await?;
        self.settle(payment.id, &seen).await
    }

    /// Looks up the payment that something came of which only the other side knows by this name.
    pub async fn find(&self, name: &str) -> Result<Done, Failure> {
        let elsewhere = || Ok(Done::skipped("it is no payment of ours"));
        let Some(external_id) = self.payments.begun_as(self.settings, name).await? else {
            return elsewhere();
        };
        let (conn, business) = (self.conn().await?, self.caller.business);
        let found =
            store::payment::payment_by_external_id(&conn, business, self.plugin, &external_id)
                .await;
        drop(conn);
        match found.map_err(|error| away(&error.into()))? {
            Some(found) => self.look_up(&found.payment).await,
            None => elsewhere(),
        }
    }

    /// Sees whether it was paid, until its time is over: then it is called off, and that finds out, too.
    async fn watch(&self, payment: &Payment) -> Result<Done, Failure> {
        if payment.status != PaymentStatus::Waiting {
            return Ok(settled(payment));
        }
        if payment.expires_at - self.engine.clock().now() <= TimeDelta::zero() {
            return Ok(Done::skipped("the time to pay is over"));
        }
        if let Some(external_id) = &payment.external_id {
            let seen = self.payments.look_up(self.settings, external_id).await?;
            if !is_undecided(&seen) {
                return self.settle(payment.id, &seen).await;
            }
        }
        Err(Failure::NotYet {
            after: Some(WATCH_EVERY),
            reason: "nobody has paid yet".to_owned(),
        })
    }

    async fn capture(&self, payment: &Payment) -> Result<Done, Failure> {
        let (Some(amount), Some(external_id)) = (payment.capture_amount, &payment.external_id)
        else {
            return self.let_go_if_lost(payment).await;
        };
        if payment.status != PaymentStatus::Authorized {
            return Ok(settled(payment));
        }
        let money = Money {
            amount,
            ..payment.amount
        };
        let captured = self.payments.capture(self.settings, external_id, money);
        match captured.await {
            Err(Failure::GiveUp { reason }) => {
                // Nothing was taken: staff may ask for another amount, and a cancellation lets it go.
                let conn = self.conn().await?;
                let business = self.caller.business;
                let forgotten =
                    store::payment::payment_capture_forget(&conn, business, payment.id).await;
                forgotten.map_err(|error| away(&error.into()))?;
                drop(conn);
                self.let_go_if_lost(&self.payment(payment.id).await?)
                    .await?;
                Err(Failure::give_up(reason))
            }
            Ok(seen) if is_untaken(&seen) => {
                Err(Failure::not_yet("the other side has not taken it yet"))
            }
            seen => self.settle(payment.id, &seen?).await,
        }
    }

    /// Lets go of a reservation whose booking was lost while its taking was asked for and came to nothing.
    async fn let_go_if_lost(&self, payment: &Payment) -> Result<Done, Failure> {
        let found = self.engine.booking(&self.caller, payment.booking_id).await;
        let found = found.map_err(|error| away(&error))?;
        match found {
            Some((booking, _)) if !booking.status.takes_seats() => {
                self.call_off(payment, false).await
            }
            _ => Ok(Done::skipped("it is not asked for any more")),
        }
    }

    /// Makes it at the other side without taking money, keeps its name, and only then takes the money: an answer that is lost takes none
    /// twice, however late it is asked again. What nobody tries any more is called off, so that it is not taken when nobody expects it.
    async fn charge_fee(&self, payment: &Payment, is_last: bool) -> Result<Done, Failure> {
        if payment.status != PaymentStatus::Waiting {
            return Ok(settled(payment));
        }
        let charged = async {
            let external_id = self.begin(payment).await?;
            self.payments
                .charge_saved(self.settings, &external_id)
                .await
        };
        match charged.await {
            Err(Failure::GiveUp { reason }) => self.settle(payment.id, &over(reason)).await,
            Ok(seen) if is_untaken(&seen) => Err(undecided_by_bank()),
            Err(Failure::Retry { reason, .. } | Failure::Misconfigured { reason }) if is_last => {
                self.call_off_fee(payment.id, reason).await
            }
            seen => self.settle(payment.id, &seen?).await,
        }
    }

    /// Ends a fee that could not be taken for this reason. Once it is called off at the other side, nobody can take it, whoever still tries.
    async fn call_off_fee(&self, id: PaymentId, reason: String) -> Result<Done, Failure> {
        let payment = self.payment(id).await?;
        let Some(external_id) = self.begun(&payment, &reason).await? else {
            return Ok(Done::skipped(reason));
        };
        let seen = self.payments.cancel(self.settings, &external_id).await?;
        if is_untaken(&seen) {
            return Err(undecided_by_bank());
        }
        let is_called_off = seen.taken == 0;
        let seen = if is_called_off { over(reason) } else { seen };
        self.settle(id, &seen).await
    }

    pub(super) async fn settle(&self, id: PaymentId, seen: &PaymentState) -> Result<Done, Failure> {
        let settled = self.engine.settle(&self.caller, id, seen).await;
        settled.map_err(|error| away(&error))?;
        Ok(match &seen.status {
            ExternalStatus::Over { reason } if seen.taken == 0 => Done::skipped(reason),
            _ => Done::Delivered,
        })
    }
}

/// What became of the name under which a payment began.
enum Kept {
    /// It is kept.
    AsBegun,
    /// Another attempt was quicker, and its name is.
    Before(String),
    /// The payment was over by then.
    Over,
}

fn undecided_by_bank() -> Failure {
    Failure::not_yet("the bank has not decided yet")
}

/// A payment that came to nothing.
pub(super) fn over(reason: String) -> PaymentState {
    PaymentState {
        status: ExternalStatus::Over { reason },
        taken: 0,
        refunded: 0,
        failed_refunds: Vec::new(),
        fee: None,
        disputes: Vec::new(),
    }
}

/// Whether it can still become anything.
pub(super) fn is_undecided(seen: &PaymentState) -> bool {
    let is_open = [ExternalStatus::Waiting, ExternalStatus::Unpaid].contains(&seen.status);
    is_open && seen.taken == 0
}

/// Whether its money has not come, and may still: a status alone moves no money.
fn is_untaken(seen: &PaymentState) -> bool {
    seen.taken == 0 && !matches!(seen.status, ExternalStatus::Over { .. })
}

pub(super) fn settled(payment: &Payment) -> Done {
    Done::skipped(format!(
        "the payment is {} already",
        payment.status.name().replace('_', " ")
    ))
}

/// Trouble of our own: it passes.
pub(super) fn away(error: &Error) -> Failure {
    Failure::retry(match error {
        Error::Unavailable(_) => "the database was away".to_owned(),
        _ => {
            tracing::error!(%error, "a payment could not be worked on");
            "something went wrong inside: see the log".to_owned()
        }
    })
}
