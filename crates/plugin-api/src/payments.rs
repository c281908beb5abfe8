//! Payments: a capability that the engine calls outside of transactions. It never decides anything about a booking.
//!
//! Every call bears an id of ours that is the idempotency key of the other side: a call that is repeated because its answer was lost has no
//! second effect. Amounts are minor units of the ISO 4217 currency, as everywhere; where the other side counts otherwise, the plugin
//! translates.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::id::{BookingId, PaymentId, RefundId};
use domain::money::{Currency, Money};
pub use domain::payment::{
    Dispute, DisputeStatus, ExternalStatus, FailedRefund, PaymentKind, PaymentState,
};

use crate::delivery::Failure;
use crate::settings::PluginSettings;

/// Takes payments.
#[async_trait]
pub trait Payments: Send + Sync {
    /// How long a customer has to pay, in minutes.
    fn window_minutes(&self, settings: &PluginSettings) -> u32;

    /// In steps of how many minor units the other side takes and pays back amounts of a currency: 10 where it leaves the last of three decimals
    /// 0. None: it takes no such money. What is asked of the methods below is always so.
    fn step(&self, currency: Currency) -> Option<i64> {
        let _ = currency;
        Some(1)
    }

    /// Begins a payment that the customer then completes. Repeated with the same [`PaymentRequest::id`] it answers the same payment. One of
    /// the kind [`PaymentKind::Fee`] is made, and nothing is taken: [`Payments::charge_saved`] takes it.
    ///
    /// # Errors
    /// [`Failure`]: nothing is known to have begun.
    async fn begin(
        &self,
        settings: &PluginSettings,
        request: &PaymentRequest,
    ) -> Result<PaymentBegun, Failure>;

    /// The name under which a payment began ([`PaymentBegun::external_id`]), of which the other side now calls by another: that of what came of
    /// it. None: it began elsewhere.
    ///
    /// # Errors
    /// [`Failure`]: nothing is known about it.
    async fn begun_as(
        &self,
        settings: &PluginSettings,
        name: &str,
    ) -> Result<Option<String>, Failure>;

    /// How a payment stands now.
    ///
    /// # Errors
    /// [`Failure`]: nothing is known about it.
    async fn look_up(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure>;

    /// Calls a payment off that nobody has completed, and answers how it stands since: it may have been paid a moment before, and then it stays.
    ///
    /// # Errors
    /// [`Failure`]: it may or may not be called off.
    async fn cancel(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure>;

    /// Takes the money of a payment that was authorized only; what is not taken is let go. Repeated with the same amount it takes it once.
    ///
    /// # Errors
    /// [`Failure::GiveUp`] only where nothing was taken and nothing will be. Every other [`Failure`]: it may or may not be taken.
    async fn capture(
        &self,
        settings: &PluginSettings,
        external_id: &str,
        amount: Money,
    ) -> Result<PaymentState, Failure>;

    /// Takes the money of a fee that has begun, from the card that it was begun with, without the customer. Repeated it takes it once: where
    /// it is not known what became of an earlier attempt, the other side is asked. A bank that says no is [`ExternalStatus::Over`], in the
    /// other side's words.
    ///
    /// # Errors
    /// [`Failure::GiveUp`] only where nothing was taken and nothing will be. Every other [`Failure`]: it may or may not be taken.
    async fn charge_saved(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure>;

    /// Pays back, in whole or in part. Repeated with the same [`RefundRequest::id`] it pays back once. A refund that fails later than here is told
    /// by [`PaymentState::failed_refunds`].
    ///
    /// # Errors
    /// [`Failure::GiveUp`] only where nothing was paid back and nothing will be: it is over, and what staff ask for next is another refund. Every
    /// other [`Failure`]: it may or may not be paid back; repeating it finds out.
    async fn refund(
        &self,
        settings: &PluginSettings,
        request: &RefundRequest,
    ) -> Result<RefundState, Failure>;
}

/// A payment to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Its id, and the idempotency key.
    pub id: PaymentId,
    /// For which booking.
    pub booking_id: BookingId,
    /// The booking's reference, which the customer knows.
    pub reference: String,
    /// What is paid for, as the customer reads it.
    pub description: String,
    /// What becomes of the money.
    pub kind: PaymentKind,
    /// How much; of a card that is only saved, 0.
    pub amount: Money,
    /// Whom to send the receipt.
    pub customer_email: Option<String>,
    /// The customer's name.
    pub customer_name: String,
    /// Until when it can be completed.
    pub expires_at: DateTime<Utc>,
    /// Of a fee: the other side's name for the payment that saved the card.
    pub saved: Option<String>,
}

/// A payment that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentBegun {
    /// The other side's name for it.
    pub external_id: String,
    /// What the frontend needs to have the customer pay on its own page.
    pub client_secret: Option<String>,
    /// A page of the other side on which the customer pays.
    pub checkout_url: Option<String>,
}

/// A refund to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// Its id, and the idempotency key.
    pub id: RefundId,
    /// The other side's name for the payment.
    pub external_id: String,
    /// How much.
    pub amount: Money,
    /// Why, for staff.
    pub reason: Option<String>,
}

/// A refund that the other side knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundState {
    /// The other side's name for it.
    pub external_id: String,
    /// Where it is.
    pub status: RefundStatus,
}

/// Where a refund is at the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundStatus {
    /// On its way; also what the plugin does not know.
    Pending,
    /// Done.
    Succeeded,
    /// It came to nothing.
    Failed {
        /// Why, for staff.
        reason: String,
    },
}
