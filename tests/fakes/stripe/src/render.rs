//! Objects as Stripe answers them, by id or in full.

use serde_json::{Value, json};

use crate::world::{Charge, PaymentIntent, Refund, Session, SetupIntent, World};

/// How many refunds come with a charge at most.
const WITH_CHARGE: usize = 10;

/// What is asked for of this field: `None` where it is not, else what is asked for inside.
fn inside(expand: &[String], field: &str) -> Option<Vec<String>> {
    let of_field = |path: &String| {
        let rest = path.strip_prefix(field)?;
        if rest.is_empty() {
            return Some(String::new());
        }
        rest.strip_prefix('.').map(str::to_owned)
    };
    let paths: Vec<String> = expand.iter().filter_map(of_field).collect();
    (!paths.is_empty()).then_some(paths)
}

impl World {
    pub fn payment_json(&self, payment: &PaymentIntent, expand: &[String]) -> Value {
        let charge = payment.charge.as_ref();
        let charge_json = charge.map(|charge| match inside(expand, "latest_charge") {
            Some(expand) => self.charge_json(payment, charge, &expand),
            None => json!(charge.id),
        });
        let error = payment.last_error.as_ref();
        let capturable = if payment.status == "requires_capture" {
            payment.amount
        } else {
            0
        };
        json!({
            "id": payment.id, "object": "payment_intent", "amount": payment.amount, "amount_capturable": capturable,
            "amount_received": charge.map_or(0, |charge| charge.captured), "cancellation_reason": payment.cancellation_reason,
            "capture_method": if payment.is_manual { "manual" } else { "automatic_async" },
            "client_secret": format!("{}_secret_fake", payment.id), "currency": payment.currency, "description": payment.description,
            "customer": payment.customer, "payment_method": payment.payment_method,
            "last_payment_error": error.map(|decline| json!({ "type": "card_error", "code": decline.code(), "message": decline.message() })),
            "latest_charge": charge_json, "livemode": false, "metadata": payment.metadata, "receipt_email": payment.receipt_email,
            "status": payment.status
        })
    }

    pub fn charge_json(
        &self,
        payment: &PaymentIntent,
        charge: &Charge,
        expand: &[String],
    ) -> Value {
        let is_captured = charge.captured > 0;
        // What was reserved and let go counts as paid back, as at Stripe.
        let released = if is_captured {
            payment.amount - charge.captured
        } else {
            0
        };
        let refunded = charge.refunded + released;
        let balance = format!("txn_of_{}", charge.id);
        let balance = is_captured.then(|| match inside(expand, "balance_transaction") {
            Some(_) => self.balance_transaction_json(payment, charge, &balance),
            None => json!(balance),
        });
        let refunds = inside(expand, "refunds").map(|_| self.refunds_json(&payment.id));
        json!({
            "id": charge.id, "object": "charge", "refunds": refunds, "amount": payment.amount, "amount_captured": charge.captured,
            "amount_refunded": refunded, "balance_transaction": balance, "captured": is_captured,
            "currency": payment.currency, "disputed": self.is_disputed(&payment.id), "metadata": payment.metadata, "paid": true, "payment_intent": payment.id,
            "refunded": refunded == payment.amount, "status": "succeeded"
        })
    }

    /// Stripe keeps 2.9 per cent and 30.
    fn balance_transaction_json(
        &self,
        payment: &PaymentIntent,
        charge: &Charge,
        id: &str,
    ) -> Value {
        let fee = charge.captured * 29 / 1000 + 30;
        let currency = self.settles_in.as_ref().unwrap_or(&payment.currency);
        json!({
            "id": id, "object": "balance_transaction", "amount": charge.captured, "currency": currency, "fee": fee,
            "net": charge.captured - fee, "source": charge.id, "type": "charge"
        })
    }

    pub fn setup_json(setup: &SetupIntent) -> Value {
        json!({
            "id": setup.id, "object": "setup_intent", "client_secret": format!("{}_secret_fake", setup.id), "customer": setup.customer,
            "payment_method": setup.payment_method, "cancellation_reason": null, "livemode": false, "metadata": setup.metadata, "status": setup.status, "usage": "off_session"
        })
    }

    pub fn session_json(&self, session: &Session, expand: &[String]) -> Value {
        let payment = session.payment_intent.as_ref();
        let payment =
            payment.map(
                |id| match (inside(expand, "payment_intent"), self.payments.get(id)) {
                    (Some(expand), Some(payment)) => self.payment_json(payment, &expand),
                    _ => json!(id),
                },
            );
        let setup = session.setup_intent.as_ref();
        let setup = setup.map(
            |id| match (inside(expand, "setup_intent"), self.setups.get(id)) {
                (Some(_), Some(setup)) => Self::setup_json(setup),
                _ => json!(id),
            },
        );
        let is_open = session.status == "open";
        let paid = match (session.is_setup, session.is_paid) {
            (true, _) => "no_payment_required",
            (false, true) => "paid",
            (false, false) => "unpaid",
        };
        json!({
            "id": session.id, "object": "checkout.session", "amount_total": session.amount, "currency": session.currency,
            "customer": session.customer, "livemode": false, "metadata": session.metadata,
            "mode": if session.is_setup { "setup" } else { "payment" }, "payment_intent": payment, "payment_status": paid,
            "setup_intent": setup, "status": session.status, "ui_mode": "hosted_page",
            "url": is_open.then(|| format!("https://checkout.stripe.com/c/pay/{}", session.id))
        })
    }

    /// As many as come with a charge, the newest first.
    fn refunds_json(&self, payment: &str) -> Value {
        let all = self.refunds.iter().rev();
        let mut all = all.filter(|refund| refund.payment_intent == payment);
        let shown = all.by_ref().take(WITH_CHARGE);
        let shown: Vec<Value> = shown.map(|refund| self.refund_json(refund)).collect();
        json!({ "object": "list", "has_more": all.next().is_some(), "data": shown })
    }

    pub fn refund_json(&self, refund: &Refund) -> Value {
        let payment = self.payments.get(&refund.payment_intent);
        let charge = payment.and_then(|payment| payment.charge.as_ref());
        json!({
            "id": refund.id, "object": "refund", "amount": refund.amount, "charge": charge.map(|charge| &charge.id),
            "currency": payment.map(|payment| &payment.currency), "failure_reason": refund.failure_reason,
            "metadata": refund.metadata, "payment_intent": refund.payment_intent, "status": refund.status
        })
    }
}
