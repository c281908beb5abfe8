//! Disputes, as Stripe has them. A look at a payment finds them wherever it was paid; a call about one that was paid on Stripe's page bears
//! the name of the PaymentIntent alone, and Stripe is asked which page made it.

use chrono::DateTime;
use domain::money::Currency;
use plugin_api::{DisputeStatus, Failure, PaymentState};

use crate::PaymentsStripe;
use crate::amount;
use crate::answer::{Dispute, Expandable, List, Named, PaymentIntent};
use crate::client::CallError;
use crate::map::{self, External};
use crate::settings::Account;

impl PaymentsStripe {
    /// Adds the disputes about a payment to how it stands. Only a charge that says it is disputed costs a call.
    pub(crate) async fn add_disputes(
        &self,
        account: &Account,
        payment: &PaymentIntent,
        state: &mut PaymentState,
    ) -> Result<(), CallError> {
        let charge = payment.latest_charge.as_ref().and_then(Expandable::whole);
        if !charge.is_some_and(|charge| charge.disputed) {
            return Ok(());
        }
        let query = map::form([("payment_intent", payment.id.as_str()), ("limit", "100")]);
        let list: List<Dispute> = self.client.get(account, "disputes", &query).await?;
        let disputes = list.data.iter().map(|dispute| read(dispute, payment));
        state.disputes = disputes.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// The page that made a payment.
    pub(crate) async fn page_behind(
        &self,
        account: &Account,
        name: &str,
    ) -> Result<Option<String>, CallError> {
        let External::PaymentIntent(payment) = External::read(name)? else {
            return Ok(Some(name.to_owned()));
        };
        let query = map::form([("payment_intent", payment), ("limit", "1")]);
        let pages: List<Named> = self
            .client
            .get(account, "checkout/sessions", &query)
            .await?;
        Ok(pages.data.into_iter().next().map(|page| page.id))
    }
}

/// How a dispute stands. That money has moved is said by the movements, never by the status.
fn read(dispute: &Dispute, payment: &PaymentIntent) -> Result<plugin_api::Dispute, Failure> {
    let currency = Currency::new(&payment.currency.to_ascii_uppercase());
    let currency = currency.ok_or_else(map::not_understood)?;
    // Stripe moves what it pays out, in that currency; the dispute is in the customer's, as the payment is. In a third one it is of all of it.
    let is_ours = dispute.currency.eq_ignore_ascii_case(&payment.currency);
    let amount = if is_ours {
        dispute.amount
    } else {
        payment.amount_received
    };
    let amount = amount::from_stripe(amount, currency).ok_or_else(map::not_understood)?;
    let moved = |is_away: bool| {
        let movements = dispute.balance_transactions.iter();
        let meant = movements.filter(|moved| moved.amount != 0 && (moved.amount < 0) == is_away);
        i64::try_from(meant.count()).map_or(0, |times| amount.saturating_mul(times))
    };
    let due_by = dispute.evidence_details.as_ref();
    Ok(plugin_api::Dispute {
        external_id: dispute.id.clone(),
        status: match dispute.status.as_str() {
            "won" | "warning_closed" | "prevented" => DisputeStatus::Won,
            "lost" => DisputeStatus::Lost,
            _ => DisputeStatus::Open,
        },
        amount,
        withdrawn: moved(true),
        reinstated: moved(false),
        respond_by: due_by
            .and_then(|details| DateTime::from_timestamp(details.due_by.filter(|at| *at > 0)?, 0)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn state(dispute: &Value) -> plugin_api::Dispute {
        let payment = json!({ "id": "pi_1", "status": "succeeded", "currency": "eur", "amount_received": 5000 });
        let mut whole =
            json!({ "id": "du_1", "amount": 3000, "currency": "eur", "status": "needs_response" });
        let fields = whole.as_object_mut().unwrap();
        fields.extend(dispute.as_object().unwrap().clone());
        let dispute = serde_json::from_value(whole).unwrap();
        read(&dispute, &serde_json::from_value(payment).unwrap()).unwrap()
    }

    #[test]
    fn what_the_bank_has_not_decided_is_open() {
        for (status, expected) in [
            ("warning_needs_response", DisputeStatus::Open),
            ("warning_under_review", DisputeStatus::Open),
            ("warning_closed", DisputeStatus::Won),
            ("needs_response", DisputeStatus::Open),
            ("under_review", DisputeStatus::Open),
            ("won", DisputeStatus::Won),
            ("lost", DisputeStatus::Lost),
            ("prevented", DisputeStatus::Won),
            ("a_new_word", DisputeStatus::Open),
        ] {
            assert_eq!(
                state(&json!({ "status": status })).status,
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn money_has_moved_where_the_movements_say_so_and_as_much_as_is_disputed() {
        // The account is paid out in dollars.
        let (away, back) = (json!({ "amount": -3300 }), json!({ "amount": 3310 }));
        for (movements, withdrawn, reinstated) in [
            (json!([]), 0, 0),
            (json!([away]), 3000, 0),
            (json!([away, back]), 3000, 3000),
            (json!([away, back, away]), 6000, 3000),
            (json!([{ "amount": 0 }]), 0, 0),
        ] {
            let state = state(&json!({ "status": "lost", "balance_transactions": movements }));
            assert_eq!((state.withdrawn, state.reinstated), (withdrawn, reinstated));
            assert_eq!(state.amount, 3000);
        }
        let other =
            state(&json!({ "currency": "usd", "amount": 5400, "balance_transactions": [away] }));
        assert_eq!((other.amount, other.withdrawn), (5000, 5000));
    }

    #[test]
    fn staff_are_told_until_when_they_can_answer() {
        let at =
            |due_by: Value| state(&json!({ "evidence_details": { "due_by": due_by } })).respond_by;
        assert_eq!(at(json!(1_803_898_800)).unwrap().timestamp(), 1_803_898_800);
        assert_eq!((at(json!(null)), at(json!(0))), (None, None));
        assert_eq!(state(&json!({ "evidence_details": null })).respond_by, None);
    }
}
