//! Paying back at the other side. How a delivery of it ends follows from what became of its refund, however often it is looked at: one that failed
//! and was made good by no other is put before staff each time.

use domain::money::Money;
use domain::payment::{Payment, Refund, RefundOutcome};
use plugin_api::{Done, Failure, RefundRequest, RefundStatus};

use super::desk::{Desk, away};
use super::work::PayBack;

impl Desk<'_> {
    /// Pays back what the part of a delivery names.
    pub(super) async fn pay_back(&self, what: PayBack) -> Result<Done, Failure> {
        let mut done = Done::skipped("nothing is to be paid back any more");
        let mut failed = None;
        for refund in self.to_pay_back(what).await? {
            let payment = self.payment(refund.payment_id).await?;
            if refund.outcome.is_none() {
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
                let waits = |refund: &Refund| refund.outcome.is_none();
                all.map(|all| all.into_iter().filter(waits).collect())
            }
        };
        found.map_err(|error| away(&error.into()))
    }

    /// Has the other side pay back, and keeps what became of it.
    async fn make(&self, payment: &Payment, refund: &Refund) -> Result<(), Failure> {
        let made = match &payment.external_id {
            Some(external_id) => {
                let request = RefundRequest {
                    id: refund.id,
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
        let now = self.engine.clock().now();
        let outcome = match made.map(|state| state.status) {
            Ok(RefundStatus::Pending) => return Err(Failure::not_yet("the refund is on its way")),
            Ok(RefundStatus::Succeeded) => RefundOutcome::Succeeded,
            // Nothing was paid back and nothing will be: what is asked for next must not wait for it.
            Ok(RefundStatus::Failed { reason }) | Err(Failure::GiveUp { reason }) => {
                RefundOutcome::Failed { reason, at: now }
            }
            Err(other) => return Err(other),
        };
        let (conn, business) = (self.conn().await?, self.caller.business);
        let ended = store::payment::refund_end(&conn, business, refund.id, &outcome).await;
        ended.map_err(|error| away(&error.into()))
    }

    /// Why a refund failed, if it did and was not made good.
    async fn failure(&self, refund: &Refund) -> Result<Option<String>, Failure> {
        let (conn, business) = (self.conn().await?, self.caller.business);
        let all = store::payment::refund_list(&conn, business, refund.payment_id).await;
        let all = all.map_err(|error| away(&error.into()))?;
        let mut owed = Refund::owed(&all).into_iter();
        let failed = owed.find(|owed| owed.id == refund.id);
        Ok(failed.and_then(|failed| match &failed.outcome {
            Some(RefundOutcome::Failed { reason, .. }) => Some(reason.clone()),
            Some(RefundOutcome::Succeeded) | None => None,
        }))
    }
}
