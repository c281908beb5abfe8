//! Payments: what a booking asks for, what the other side says of it, and what follows.
//!
//! The order is hold, commit, pay, look again, commit. Guaranteed: nothing is called inside a transaction; every call bears an id of ours
//! under which it has one effect; a booking that asks for money is confirmed only by what the other side says of that money, and money
//! that comes when the time is lost goes back. One use case ([`settle`]) writes what is known of a payment, whoever learned it: the
//! answer to a call, the other side calling, the end of the time to pay. What is to be done about a payment are deliveries to its
//! plugin ([`work`], done at the [`desk`]), with their leases, retries and parking.

mod asked;
mod call_off;
mod capture;
mod desk;
mod fee;
mod inbound;
mod pay_back;
mod refund;
mod request;
mod settle;
mod step;
mod work;

use domain::id::{BookingId, PaymentId};
use domain::payment::{Payment, PaymentKind, PaymentStatus};
use serde_json::{Value, json};
use store::Conn;
use store::payment::SealedPayment;

pub use capture::CapturePayment;
pub use fee::ChargeFee;
pub(crate) use inbound::CalledPayment;
pub use refund::RefundPayment;
pub(crate) use request::Due;
pub(crate) use work::{FEE, PAYMENT, PayBack, Work, found_by};

use crate::{Caller, Engine, Error, Result};

/// A payment, with what the customer needs to pay it while it waits.
#[derive(Debug, Clone)]
pub struct PaymentView {
    /// The payment.
    pub payment: Payment,
    /// For the other side's own form in the page of the frontend.
    pub client_secret: Option<String>,
    /// A page of the other side.
    pub checkout_url: Option<String>,
}

impl Engine {
    /// The payment with this id, to those who may see its booking.
    pub async fn payment(&self, caller: &Caller, id: PaymentId) -> Result<Option<PaymentView>> {
        let conn = self.0.database.conn().await?;
        let found = store::payment::payment_find(&conn, caller.business, id).await?;
        drop(conn);
        let Some(found) = found else { return Ok(None) };
        let booking = self.booking(caller, found.payment.booking_id).await?;
        Ok(booking.map(|_| self.view(caller, found)))
    }

    /// The payments for bookings; for those who have come by the ids through what they may see.
    pub async fn payments_of(
        &self,
        caller: &Caller,
        bookings: &[BookingId],
    ) -> Result<Vec<PaymentView>> {
        let conn = self.0.database.conn().await?;
        let found = store::payment::payment_list(&conn, caller.business, bookings).await?;
        Ok(found
            .into_iter()
            .map(|payment| self.view(caller, payment))
            .collect())
    }

    fn view(&self, caller: &Caller, found: SealedPayment) -> PaymentView {
        let SealedPayment {
            mut payment,
            sealed,
            ..
        } = found;
        if !caller.actor.is_staff() {
            // Between the business and the customer's bank.
            payment.disputes.clear();
            payment.failure = None;
        }
        // A fee is nobody's to pay: what could complete it stays here.
        let waits = payment.status == PaymentStatus::Waiting && payment.kind != PaymentKind::Fee;
        let opened = sealed
            .filter(|_| waits)
            .and_then(|sealed| self.0.vault.open(caller.business, &payment.plugin, &sealed));
        let text = |field: &str| {
            let value = opened.as_ref()?.get(field)?;
            value.as_str().map(str::to_owned)
        };
        PaymentView {
            client_secret: text("clientSecret"),
            checkout_url: text("checkoutUrl"),
            payment,
        }
    }

    /// Keeps what the customer needs to pay: sealed, because whoever has it can pay.
    fn sealed(
        &self,
        caller: &Caller,
        begun: &plugin_api::PaymentBegun,
        plugin: &str,
    ) -> Result<Vec<u8>> {
        let handle: Value =
            json!({ "clientSecret": begun.client_secret, "checkoutUrl": begun.checkout_url });
        self.0.vault.seal(caller.business, plugin, &handle)
    }

    async fn payment_on(&self, conn: &Conn, caller: &Caller, id: PaymentId) -> Result<Payment> {
        let found = store::payment::payment_find(conn, caller.business, id).await?;
        let found = found.ok_or_else(|| Error::Fault(format!("there is no payment {id}")))?;
        Ok(found.payment)
    }
}
