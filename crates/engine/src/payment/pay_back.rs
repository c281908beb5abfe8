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
        let (business, now) = (self.caller.business, self.engine.clock().now());
        let ended = store::payment::refund_end(&conn, business, id, failure.as_deref(), now).await;
        ended.map_err(|error| away(&error.into()))
    }

    /// Why a refund failed, if it did and was not made good.
    async fn failure(&self, refund: &Refund) -> Result<Option<String>, Failure> {
        let (conn, business) = (self.conn().await?, self.caller.business);
        let id = PaymentId::from_uuid(refund.payment_id);
        let all = store::payment::refund_list(&conn, business, id).await;
        let all = all.map_err(|error| away(&error.into()))?;
        let failed = owed(&all).into_iter().find(|owed| owed.id == refund.id);
        Ok(failed.map(|failed| {
            failed
                .failure
                .clone()
                .unwrap_or_else(|| "unknown".to_owned())
        }))
    }
}

/// The refunds of a payment that failed and were not made good: by as much that was asked for after it was known. What makes one good makes no
/// other good.
fn owed(all: &[Refund]) -> Vec<&Refund> {
    let mut made: Vec<(&Refund, i64)> = all
        .iter()
        .filter(|refund| refund.status == "succeeded")
        .map(|refund| (refund, refund.amount))
        .collect();
    let mut failed: Vec<&Refund> = all
        .iter()
        .filter(|refund| refund.status == "failed")
        .collect();
    failed.sort_by_key(|refund| refund.failed_at);
    failed.retain(|failed| {
        let mut missing = failed.amount;
        for (other, left) in &mut made {
            if failed.failed_at.is_some_and(|at| other.created_at >= at) {
                let part = missing.min(*left);
                *left -= part;
                missing -= part;
            }
        }
        missing > 0
    });
    failed
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minute, 0).unwrap()
    }

    /// So much, asked for at one minute, and failed at another.
    fn refund(amount: i64, asked: i64, failed: Option<i64>) -> Refund {
        let status = if failed.is_some() {
            "failed"
        } else {
            "succeeded"
        };
        Refund {
            id: Uuid::now_v7(),
            payment_id: Uuid::nil(),
            amount,
            reason: None,
            status: status.to_owned(),
            created_at: at(asked),
            failure: failed.map(|_| "closed".to_owned()),
            failed_at: failed.map(at),
        }
    }

    fn missing(all: &[Refund]) -> Vec<i64> {
        owed(all).into_iter().map(|refund| refund.amount).collect()
    }

    #[test]
    fn only_what_was_asked_for_since_makes_a_failure_good() {
        let late = refund(40, 0, Some(9));
        assert_eq!(missing(&[late.clone(), refund(60, 1, None)]), [40]);
        assert_eq!(missing(&[late.clone(), refund(60, 10, None)]), [0; 0]);
        assert_eq!(missing(&[late.clone(), refund(39, 10, None)]), [40]);
        let parts = [refund(39, 10, None), refund(1, 11, None)];
        assert_eq!(
            missing(&[std::slice::from_ref(&late), &parts[..]].concat()),
            [0; 0]
        );
        let once = [late, refund(41, 0, Some(8)), refund(41, 10, None)];
        assert_eq!(missing(&once), [40], "it makes one good, not both");
    }
}
