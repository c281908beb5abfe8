//! Refunds.

use serde_json::{Value, json};

use crate::error::Error;
use crate::form::Form;
use crate::intent::no_payment;
use crate::world::{Metadata, Refund, World};

impl World {
    pub fn create_refund(&mut self, form: &Form) -> Result<Value, Error> {
        form.only(&["payment_intent", "amount", "reason", "metadata["])?;
        let id = form.required("payment_intent")?;
        let amount = form.integer("amount")?;
        self.refund(id, amount, form.metadata()?)
    }

    pub fn refund(
        &mut self,
        id: &str,
        amount: Option<i64>,
        metadata: Metadata,
    ) -> Result<Value, Error> {
        let refund_id = self.id("re");
        let waits = self.refunds_wait;
        let mut disputes = self.disputes.iter();
        let keeps = |dispute: &crate::world::Dispute| {
            dispute.payment_intent == id && dispute.moved.iter().sum::<i64>() < 0
        };
        if disputes.any(keeps) {
            let message = "This charge has been charged back: it cannot be refunded.";
            return Err(Error::state(Some("charge_disputed"), message));
        }
        let payment = self.payments.get_mut(id).ok_or_else(|| no_payment(id))?;
        let charge = payment.charge.as_mut().filter(|charge| charge.captured > 0);
        let Some(charge) = charge else {
            let message =
                format!("This PaymentIntent ({id}) does not have a successful charge to refund.");
            return Err(Error::state(None, &message));
        };
        let left = charge.captured - charge.refunded;
        if left == 0 {
            let message = format!("Charge {} has already been refunded.", charge.id);
            return Err(Error::state(Some("charge_already_refunded"), &message));
        }
        let amount = amount.unwrap_or(left);
        if amount <= 0 || amount > left {
            let message = format!(
                "Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            );
            return Err(Error::state(None, &message));
        }
        charge.refunded += amount;
        let refund = Refund {
            id: refund_id,
            payment_intent: id.to_owned(),
            amount,
            status: if waits { "pending" } else { "succeeded" },
            failure_reason: None,
            metadata,
        };
        let json = self.refund_json(&refund);
        self.refunds.push(refund);
        self.note("refund.created", &json);
        Ok(json)
    }

    pub fn list_refunds(&self, form: &Form) -> Result<Value, Error> {
        form.only(&["payment_intent", "limit", "starting_after"])?;
        let limit = form.integer("limit")?.unwrap_or(10);
        let limit = usize::try_from(limit).unwrap_or_default();
        let id = form.required("payment_intent")?;
        // The newest first.
        let found = self
            .refunds
            .iter()
            .rev()
            .filter(|refund| refund.payment_intent == id);
        let after = form.get("starting_after");
        let found = found.skip_while(|refund| after.is_some_and(|after| refund.id != after));
        let found = found.skip(usize::from(after.is_some()));
        let found: Vec<Value> = found.map(|refund| self.refund_json(refund)).collect();
        let page: Vec<&Value> = found.iter().take(limit).collect();
        Ok(
            json!({ "object": "list", "url": "/v1/refunds", "has_more": found.len() > limit, "data": page }),
        )
    }
}
