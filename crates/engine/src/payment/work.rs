//! What is done about payments at the other side, as deliveries to the plugin: at least once, and with one effect, because every call bears
//! an id of ours.

use std::ops::Deref;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::id::{BusinessId, Id, PaymentId, RefundId};
use domain::money::Money;
use domain::payment::{ExternalStatus, Payment, PaymentState, PaymentStatus};
use plugin_api::{
    Delivery, Done, Failure, PaymentRequest, Payments, Plugin, PluginSettings, RefundRequest,
    RefundStatus,
};
use store::Conn;
use store::changes::{Changes, DeliveryRow};
use uuid::Uuid;

use crate::event::Recorded;
use crate::{Caller, Engine, Error, Result};

/// How long whoever books waits for the other side.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is to be done about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Begin it, if whoever booked did not.
    Begin,
    /// The time to pay is over: call it off, or learn that it was paid.
    Expire,
    /// The booking was cancelled: call it off, or learn that it was paid.
    CallOff,
    /// The other side called: see how it stands.
    LookUp,
    /// Pay back what is to go back.
    Refund,
}

impl Work {
    const ALL: [Self; 5] = [
        Self::Begin,
        Self::Expire,
        Self::CallOff,
        Self::LookUp,
        Self::Refund,
    ];

    fn verb(self) -> &'static str {
        match self {
            Self::Begin => "payment-begin",
            Self::Expire => "payment-expire",
            Self::CallOff => "payment-call-off",
            Self::LookUp => "payment-look-up",
            Self::Refund => "payment-refund",
        }
    }

    /// The work and the payment that the part of a delivery names.
    fn of(part: &str) -> Option<(Self, PaymentId)> {
        let (verb, id) = part.split_once(':')?;
        let work = Self::ALL.into_iter().find(|work| work.verb() == verb)?;
        Some((work, id.parse().ok()?))
    }

    /// Whether the part of a delivery asks for such work.
    pub(crate) fn is_asked_for_by(part: &str) -> bool {
        Self::of(part).is_some()
    }

    /// Adds it to the changes, as a delivery of what was recorded.
    pub(crate) fn write(
        self,
        changes: &mut Changes,
        recorded: &Recorded,
        plugin: &str,
        payment: PaymentId,
        due_at: DateTime<Utc>,
    ) {
        changes.deliveries.push(DeliveryRow {
            id: Uuid::now_v7(),
            event_id: recorded.id.uuid(),
            plugin: plugin.to_owned(),
            part: format!("{}:{payment}", self.verb()),
            booking_id: recorded.booking_id,
            booking_version: recorded.booking_version,
            created_at: recorded.at,
            due_at,
        });
    }
}

impl Engine {
    /// Does what a delivery asks to be done about a payment; none: it asks for something else.
    pub(crate) async fn work_on_payment(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
    ) -> Option<Result<Done, Failure>> {
        let (work, id) = Work::of(&delivery.part)?;
        let payments = plugin.payments()?;
        let desk = Desk {
            engine: self,
            caller: Caller::system(delivery.business_id),
            payments,
            settings: &delivery.settings,
        };
        Some(desk.work(work, id).await)
    }

    /// Begins a payment that was just asked for, so that whoever books can pay at once. Where the other side does not answer, the jobs go on.
    pub(crate) async fn begin_payment(&self, business: BusinessId, id: PaymentId) -> Result<()> {
        let caller = Caller::system(business);
        let conn = self.0.database.conn().await?;
        let payment = self.payment_on(&conn, &caller, id).await?;
        if payment.status != PaymentStatus::Waiting {
            // Asked for again under its idempotency key, when it is over and done.
            return Ok(());
        }
        let plugin = self.plugin_named(&["plugin"], &payment.plugin)?;
        let catalogue = self.catalogue_on(&conn, business).await?;
        let settings = self.settings_of(&catalogue, plugin.name());
        drop(conn);
        let (Some(payments), Ok(settings)) = (plugin.payments(), settings) else {
            return Ok(());
        };
        let desk = Desk {
            engine: self,
            caller,
            payments,
            settings: &settings,
        };
        let begun = tokio::time::timeout(PATIENCE, desk.begin(&payment)).await;
        let begun = begun.unwrap_or_else(|_| Err(Failure::retry("the other side does not answer")));
        match begun {
            // Nobody can mend it in the time to pay.
            Err(Failure::GiveUp { reason } | Failure::Misconfigured { reason }) => {
                tracing::warn!(payment = %id, reason, "a payment could not be begun");
                self.settle(&caller, id, &over(reason), false).await
            }
            Err(Failure::Retry { reason, .. } | Failure::NotYet { reason, .. }) => {
                tracing::info!(payment = %id, reason, "a payment could not be begun yet");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }
}

fn over(reason: String) -> PaymentState {
    PaymentState {
        status: ExternalStatus::Over { reason },
        taken: 0,
        refunded: 0,
        fee: None,
    }
}

/// Where payments of one business are worked on with one plugin.
struct Desk<'a> {
    engine: &'a Engine,
    caller: Caller,
    payments: &'a dyn Payments,
    settings: &'a PluginSettings,
}

impl Desk<'_> {
    async fn work(&self, work: Work, id: PaymentId) -> Result<Done, Failure> {
        let payment = self.payment(id).await?;
        match work {
            Work::Begin if payment.status != PaymentStatus::Waiting => Ok(settled(&payment)),
            Work::Begin => match self.begin(&payment).await {
                Err(Failure::GiveUp { reason }) => self.settle(id, &over(reason), false).await,
                begun => begun.map(|_| Done::Delivered),
            },
            Work::Expire => self.call_off(&payment, true).await,
            Work::CallOff => self.call_off(&payment, false).await,
            Work::LookUp => self.look_up(&payment).await,
            Work::Refund => self.refund(&payment).await,
        }
    }

    async fn conn(&self) -> Result<impl Deref<Target = Conn> + '_, Failure> {
        let conn = self.engine.0.database.conn().await;
        conn.map_err(|error| away(&error.into()))
    }

    async fn payment(&self, id: PaymentId) -> Result<Payment, Failure> {
        let conn = self.conn().await?;
        let payment = self.engine.payment_on(&conn, &self.caller, id).await;
        payment.map_err(|error| away(&error))
    }

    /// Begins it, once, however often it is asked; answers the other side's name for it.
    async fn begin(&self, payment: &Payment) -> Result<String, Failure> {
        if let Some(external_id) = &payment.external_id {
            return Ok(external_id.clone());
        }
        let request = self.request(payment).await.map_err(|error| away(&error))?;
        let begun = self.payments.begin(self.settings, &request).await?;
        let kept = async {
            let sealed = self.engine.sealed(&self.caller, &begun, &payment.plugin)?;
            let conn = self.engine.0.database.conn().await?;
            let (business, external_id) = (self.caller.business, &begun.external_id);
            store::payment::payment_begun(&conn, business, payment.id, external_id, &sealed)
                .await?;
            Ok(())
        };
        kept.await.map_err(|error: Error| away(&error))?;
        Ok(begun.external_id)
    }

    /// What the other side is asked: the same each time, or it would not take it for the same.
    async fn request(&self, payment: &Payment) -> Result<PaymentRequest> {
        let conn = self.engine.0.database.conn().await?;
        let found = store::payment::payment_find(&conn, self.caller.business, payment.id).await?;
        let gone = || Error::Fault(format!("there is no payment {}", payment.id));
        let told = found.ok_or_else(gone)?.told;
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
        })
    }

    async fn call_off(&self, payment: &Payment, has_expired: bool) -> Result<Done, Failure> {
        if payment.status != PaymentStatus::Waiting {
            return Ok(settled(payment));
        }
        // What is not known to have begun may have: beginning it again tells its name.
        let external_id = match self.begin(payment).await {
            Err(Failure::GiveUp { reason }) => {
                return self.settle(payment.id, &over(reason), has_expired).await;
            }
            begun => begun?,
        };
        let seen = self.payments.cancel(self.settings, &external_id).await?;
        if seen.status == ExternalStatus::Waiting && seen.taken == 0 {
            return Err(Failure::not_yet(
                "the other side has not decided yet whether it was paid",
            ));
        }
        self.settle(payment.id, &seen, has_expired).await
    }

    async fn look_up(&self, payment: &Payment) -> Result<Done, Failure> {
        let Some(external_id) = &payment.external_id else {
            return Ok(Done::skipped("the payment has not begun"));
        };
        let seen = self.payments.look_up(self.settings, external_id).await?;
        self.settle(payment.id, &seen, false).await
    }

    async fn refund(&self, payment: &Payment) -> Result<Done, Failure> {
        let Some(external_id) = &payment.external_id else {
            return Ok(Done::skipped("the payment has not begun"));
        };
        let business = self.caller.business;
        let all = store::payment::refund_list(&*self.conn().await?, business, payment.id).await;
        let all = all.map_err(|error| away(&error.into()))?;
        let mut failed = None;
        for refund in all.into_iter().filter(|refund| refund.status == "waiting") {
            let request = RefundRequest {
                id: RefundId::from_uuid(refund.id),
                external_id: external_id.clone(),
                amount: Money {
                    amount: refund.amount,
                    ..payment.amount
                },
                reason: refund.reason,
            };
            let status = match self.payments.refund(self.settings, &request).await?.status {
                RefundStatus::Pending => return Err(Failure::not_yet("the refund is on its way")),
                RefundStatus::Succeeded => "succeeded",
                RefundStatus::Failed { reason } => {
                    failed = Some(reason);
                    "failed"
                }
            };
            let ended =
                store::payment::refund_end(&*self.conn().await?, business, request.id, status)
                    .await;
            ended.map_err(|error| away(&error.into()))?;
        }
        let done = self.look_up(payment).await?;
        failed.map_or(Ok(done), |reason| {
            Err(Failure::give_up(format!("the refund failed: {reason}")))
        })
    }

    async fn settle(
        &self,
        id: PaymentId,
        seen: &PaymentState,
        has_expired: bool,
    ) -> Result<Done, Failure> {
        let settled = self
            .engine
            .settle(&self.caller, id, seen, has_expired)
            .await;
        settled
            .map(|()| Done::Delivered)
            .map_err(|error| away(&error))
    }
}

fn settled(payment: &Payment) -> Done {
    Done::skipped(format!(
        "the payment is {} already",
        payment.status.name().replace('_', " ")
    ))
}

/// Trouble of our own: it passes.
fn away(error: &Error) -> Failure {
    Failure::retry(match error {
        Error::Unavailable(_) => "the database was away".to_owned(),
        _ => {
            tracing::error!(%error, "a payment could not be worked on");
            "something went wrong inside: see the log".to_owned()
        }
    })
}
