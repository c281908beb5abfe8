//! Paying back at the other side. How a delivery of it ends follows from what became of its refund, however often it is looked at: one that failed
//! and was made good by no other is put before staff each time.

use domain::id::{Id, PaymentId, RefundId};
use domain::money::Money;
use domain::payment::Payment;
use plugin_api::{Done, Failure, RefundRequest, RefundStatus};
use store::payment::Refund;

use super::desk::{Desk, away};
use super::work::PayBack;

impl Desk<'_> {
    /// Pays back what the part of a delivery names.
    pub(super) async fn pay_back(&self, what: PayBack) -> Result<Done, Failure> {
        let mut done = Done::skipped("nothing is to be paid back any more");
        let mut failed = None;
        for refund in self.to_pay_back(what).await? {
            let payment = self
                .payment(PaymentId::from_uuid(refund.payment_id))
                .await?;
            if refund.status == "waiting" {
                self.make(&payment, &refund).await?;
            }
            // The other side may have changed its mind since: it is asked, whatever is known.
            done = self.look_up(&payment).await?;
            failed = failed.or(self.failure(&refund).await?);
        }
        match failed {
            Some(reason) => Err(Failure::give_up(format!("the refund failed: {reason}"))),
            None => Ok(done),
        }
    }

    async fn to_pay_back(&self, what: PayBack) -> Result<Vec<Refund>, Failure> {
        let (conn, business) = (self.conn().await?, self.caller.business);
        let found = match what {
            PayBack::Refund(id) => {
                let found = store::payment::refund_find(&conn, business, id).await;
                found.map(|found| found.into_iter().collect())
            }
            PayBack::AllOf(payment) => {
                let all = store::payment::refund_list(&conn, business, payment).await;
                let waits = |refund: &Refund| refund.status == "waiting";
                all.map(|all| all.into_iter().filter(waits).collect())
            }
        };
        found.map_err(|error| away(&error.into()))
    }

    /// Has the other side pay back, and keeps what became of it.
    async fn make(&self, payment: &Payment, refund: &Refund) -> Result<(), Failure> {
        let id = RefundId::from_uuid(refund.id);
        let made = match &payment.external_id {
            Some(external_id) => {
                let request = RefundRequest {
                    id,
                    external_id: external_id.clone(),
                    amount: Money {
                        amount: refund.amount,
                        ..payment.amount
                    },
                    reason: refund.reason.clone(),
                };
                self.payments.refund(self.settings, &request).await
            }
            None => Err(Failure::give_up("the payment has not begun")),
        };
        let failure = match made.map(|state| state.status) {
            Ok(RefundStatus::Pending) => return Err(Failure::not_yet("the refund is on its way")),
            Ok(RefundStatus::Succeeded) => None,
            // Nothing was paid back and nothing will be: what is asked for next must not wait for it.
            Ok(RefundStatus::Failed { reason }) | Err(Failure::GiveUp { reason }) => Some(reason),
            Err(other) => return Err(other),
        };
        let conn = self.conn().await?;
        let ended =
            store::payment::refund_end(&conn, self.caller.business, id, failure.as_deref()).await;
        ended.map_err(|error| away(&error.into()))
    }

    /// Why a refund failed, if it did, and no later one has paid as much back.
    async fn failure(&self, refund: &Refund) -> Result<Option<String>, Failure> {
        let (conn, business) = (self.conn().await?, self.caller.business);
        let id = PaymentId::from_uuid(refund.payment_id);
        let all = store::payment::refund_list(&conn, business, id).await;
        let all = all.map_err(|error| away(&error.into()))?;
        let later = all
            .iter()
            .filter(|other| other.id > refund.id && other.status == "succeeded");
        let made_good: i64 = later.map(|other| other.amount).sum();
        let now = all.iter().find(|known| known.id == refund.id);
        let failed = now.filter(|now| now.status == "failed" && made_good < now.amount);
        let reason = |now: &Refund| now.failure.clone().unwrap_or_else(|| "unknown".to_owned());
        Ok(failed.map(reason))
    }
}
