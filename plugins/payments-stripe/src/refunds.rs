//! Refunds at Stripe. One is looked for by our id before it is made, since Stripe forgets keys after a day and a refund can be repeated by hand after
//! a week.

use plugin_api::{Failure, RefundRequest, RefundState};

use crate::PaymentsStripe;
use crate::answer::{Expandable, List, PaymentIntent, Refund};
use crate::client::CallError;
use crate::map;
use crate::settings::Account;

/// How many pages of refunds of one payment are read at most, of a hundred each.
const PAGES_MAX: usize = 20;

impl PaymentsStripe {
    /// Pays money of this PaymentIntent back, once.
    pub(crate) async fn pay_back(
        &self,
        account: &Account,
        request: &RefundRequest,
        payment: &str,
    ) -> Result<RefundState, Failure> {
        let form = map::refund(request, payment)?;
        if let Some(made) = self.refund_made(account, request, payment).await? {
            return Ok(map::refund_state(made));
        }
        let key = request.id.to_string();
        let made: Result<Refund, _> = self
            .client
            .post(account, "refunds", &form, Some(&key))
            .await;
        match made {
            Ok(refund) => Ok(map::refund_state(refund)),
            Err(CallError::Refused(refusal)) => {
                // Another attempt may have been quicker since we looked.
                let made = self.refund_made(account, request, payment).await?;
                made.map(map::refund_state).ok_or_else(|| refusal.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A payment with more refunds than Stripe answers with it. They are read first: whatever changes until the payment is read only adds to what
    /// went out, and what failed of it is never more than that.
    pub(crate) async fn with_all_refunds(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PaymentIntent, CallError> {
        let data = self.refunds(account, id).await?;
        let mut payment = self.payment_in_short(account, id).await?;
        if let Some(Expandable::Whole(charge)) = &mut payment.latest_charge {
            let has_more = false;
            charge.refunds = Some(List { data, has_more });
        }
        Ok(payment)
    }

    /// The refund that bears our id, if there is one.
    async fn refund_made(
        &self,
        account: &Account,
        request: &RefundRequest,
        payment: &str,
    ) -> Result<Option<Refund>, CallError> {
        let id = request.id.to_string();
        let all = self.refunds(account, payment).await?;
        let ours = |refund: &Refund| refund.metadata.get(map::REFUND_ID) == Some(&id);
        Ok(all.into_iter().find(ours))
    }

    /// Every refund of a PaymentIntent, the newest first.
    async fn refunds(&self, account: &Account, payment: &str) -> Result<Vec<Refund>, CallError> {
        let mut all: Vec<Refund> = Vec::new();
        for _ in 0..PAGES_MAX {
            let mut query = map::form([("payment_intent", payment), ("limit", "100")]);
            if let Some(last) = all.last() {
                query.extend(map::form([("starting_after", last.id.as_str())]));
            }
            let page: Result<List<Refund>, _> = self.client.get(account, "refunds", &query).await;
            let page = page.map_err(CallError::unclear)?;
            let is_last = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if is_last {
                return Ok(all);
            }
        }
        let reason = "this payment has more refunds than can be looked through";
        Err(CallError::Failed(Failure::retry(reason)))
    }
}
