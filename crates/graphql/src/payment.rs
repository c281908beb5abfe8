//! Payments of bookings: what was paid, what went back, and what a bank disputes.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::id::{BookingId, PaymentId};
use domain::payment;
use engine::catalogue::Catalogue;
use engine::payment::{CapturePayment, ChargeFee, PaymentView, RefundPayment};

use crate::failure::{Failure, Result};
use crate::id::{parsed, shown};
use crate::money::Money;
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, settled};

/// What becomes of the money of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "payment::PaymentKind")]
pub enum PaymentKind {
    /// It is taken when the customer pays.
    Charge,
    /// It is reserved when the customer pays, and taken by `capturePayment`.
    Authorize,
    /// None is taken: the card is kept for a fee later.
    SaveCard,
    /// It is taken from the card that was saved, by `chargeFee`.
    Fee,
}

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "payment::PaymentStatus")]
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

/// Where a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "payment::DisputeStatus")]
pub enum DisputeStatus {
    /// The bank has not decided: the business may answer by `respondBy`, or has.
    Open,
    /// It is over, and the money stays or comes back.
    Won,
    /// It is over, and the money is the customer's.
    Lost,
}

/// The customer's bank disputes a payment (a chargeback). The business answers it at the other side, and it changes nothing about the booking.
#[derive(SimpleObject)]
#[graphql(name = "PaymentDispute")]
pub struct Dispute {
    /// The other side's name for it.
    external_id: String,
    /// Where it is.
    status: DisputeStatus,
    /// How much the bank asks for.
    amount: Money,
    /// How much of that it has at the moment: taken from the business, and not given back. No more of the payment can be refunded than is left.
    withheld: Money,
    /// Until when the business can answer; null where the other side does not say.
    respond_by: Option<DateTime>,
}

#[derive(Clone)]
pub struct Payment {
    catalogue: Arc<Catalogue>,
    view: PaymentView,
}

impl Payment {
    pub(crate) fn new(catalogue: &Arc<Catalogue>, view: PaymentView) -> Self {
        Self {
            catalogue: catalogue.clone(),
            view,
        }
    }

    /// The payment with this id, for those who may see its booking.
    pub(crate) async fn find(asked: &Asked<'_>, id: PaymentId) -> Result<Option<Self>> {
        let found = asked.engine.payment(&asked.caller, id).await?;
        let catalogue = asked.catalogue_now().await?;
        Ok(found.map(|view| Self::new(&catalogue, view)))
    }
}

/// Money that a customer pays for a booking.
#[Object]
impl Payment {
    /// Its id, `pay_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.view.payment.id)
    }

    /// What becomes of its money.
    async fn kind(&self) -> PaymentKind {
        self.view.payment.kind.into()
    }

    /// Where it is.
    async fn status(&self) -> PaymentStatus {
        self.view.payment.status.into()
    }

    /// How much is asked.
    async fn amount(&self) -> Money {
        self.view.payment.amount.into()
    }

    /// How much was paid back.
    async fn refunded(&self) -> Money {
        let payment = &self.view.payment;
        let amount = payment.refunded;
        domain::money::Money {
            amount,
            ..payment.amount
        }
        .into()
    }

    /// What the customer's bank disputes of it. For staff; empty for others.
    async fn disputes(&self) -> Vec<Dispute> {
        let payment = &self.view.payment;
        let money = |amount| {
            let currency = payment.amount.currency;
            Money::from(domain::money::Money { amount, currency })
        };
        let shown = payment.disputes.iter().map(|dispute| Dispute {
            external_id: dispute.external_id.clone(),
            status: dispute.status.into(),
            amount: money(dispute.amount),
            withheld: money(dispute.withdrawn - dispute.reinstated),
            respond_by: dispute
                .respond_by
                .map(|at| DateTime::new(at, &self.catalogue.zone)),
        });
        shown.collect()
    }

    /// Why it is FAILED, in the words of the other side where there are any. For staff; null for others.
    async fn failure(&self) -> Option<&str> {
        self.view.payment.failure.as_deref()
    }

    /// While it waits: for the payment form of the other side in the page of the frontend.
    async fn client_secret(&self) -> Option<&str> {
        self.view.client_secret.as_deref()
    }

    /// While it waits: a page of the other side on which the customer pays.
    async fn checkout_url(&self) -> Option<&str> {
        self.view.checkout_url.as_deref()
    }

    /// Until when the customer can pay it; null of a fee.
    async fn expires_at(&self) -> Option<DateTime> {
        let payment = &self.view.payment;
        let is_fee = payment.kind == payment::PaymentKind::Fee;
        (!is_fee).then(|| DateTime::new(payment.expires_at, &self.catalogue.zone))
    }
}

/// A refund to make.
#[derive(InputObject)]
pub struct RefundInput {
    /// Of which payment.
    payment_id: ID,
    /// How much, in minor units. Default: all that is left.
    amount: Option<i32>,
    /// Why, up to 4,000 characters.
    reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// Money to take that is reserved.
#[derive(InputObject)]
pub struct CapturePaymentInput {
    /// By which payment: AUTHORIZED, and of the kind AUTHORIZE.
    payment_id: ID,
    /// How much, in minor units, at most what is reserved. Default: all of it. What is not taken is let go.
    amount: Option<i32>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// A fee to charge to a card that was saved.
#[derive(InputObject)]
pub struct ChargeFeeInput {
    /// For which booking.
    booking_id: ID,
    /// How much, in minor units. All fees of a booking together are at most its price.
    amount: i32,
    /// Why, as the customer reads it, up to 4,000 characters.
    reason: Option<String>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What became of a mutation of a payment.
#[derive(SimpleObject)]
pub struct PaymentPayload {
    /// The payment as it is now; null when nothing was done.
    payment: Option<Payment>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Pays money back, in whole or in part. `refunded` rises when the other side has done it. Owners and managers.
    async fn refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refund.")] input: RefundInput,
    ) -> Result<PaymentPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let refund = RefundPayment {
                payment_id: parsed(&["input", "paymentId"], &input.payment_id)?,
                amount: input.amount.map(i64::from),
                reason: input.reason,
            };
            let key = input.idempotency_key.as_deref();
            asked.engine.refund(&asked.caller, refund, key).await
        };
        payload(ctx, outcome.await).await
    }

    /// Takes money that is reserved, in whole or in part, of a booking that stands. The payment is PAID when the other side has done it, and
    /// FAILED where the reservation is gone. Once for each payment. Owners and managers.
    async fn capture_payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The money to take.")] input: CapturePaymentInput,
    ) -> Result<PaymentPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let capture = CapturePayment {
                payment_id: parsed(&["input", "paymentId"], &input.payment_id)?,
                amount: input.amount.map(i64::from),
            };
            let key = input.idempotency_key.as_deref();
            asked
                .engine
                .capture_payment(&asked.caller, capture, key)
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Charges a fee, as for a no-show, to the card that was saved for a booking (a deposit `CARD_ON_FILE`). Answers a new payment: PAID when
    /// the bank has said yes, FAILED when it has said no or could not be asked for a day or two. One at a time: until it is known of one, another is
    /// a CONFLICT. It changes nothing about the booking, can be asked for whatever has become of it, and is paid back by `refund` only. Owners and
    /// managers.
    async fn charge_fee(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The fee.")] input: ChargeFeeInput,
    ) -> Result<PaymentPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let fee = ChargeFee {
                booking_id: parsed::<BookingId>(&["input", "bookingId"], &input.booking_id)?,
                amount: input.amount.into(),
                reason: input.reason,
            };
            let key = input.idempotency_key.as_deref();
            asked.engine.charge_fee(&asked.caller, fee, key).await
        };
        payload(ctx, outcome.await).await
    }
}

/// The payment that a mutation was about, or what stood in the way.
async fn payload(ctx: &Context<'_>, outcome: engine::Result<PaymentId>) -> Result<PaymentPayload> {
    Ok(match settled(ctx, outcome, &About::Other).await? {
        Ok(id) => {
            let payment = Payment::find(&Asked::of(ctx)?, id).await?;
            PaymentPayload {
                payment: Some(payment.ok_or_else(|| Failure::fault("a payment has gone"))?),
                problems: Vec::new(),
            }
        }
        Err(problems) => PaymentPayload {
            payment: None,
            problems,
        },
    })
}
