//! Disputes (docs.stripe.com/disputes, docs.stripe.com/api/disputes).

use serde_json::{Value, json};

use crate::FakeStripe;
use crate::error::Error;
use crate::form::Form;
use crate::world::{Dispute, World};

/// What a bank keeps of a business for a dispute.
const FEE: i64 = 1500;

impl FakeStripe {
    /// The customer's bank takes the money back for now (`pi_…` or `cs_…`). Answers the dispute.
    pub fn dispute(&self, external_id: &str) -> Result<String, String> {
        self.open_dispute(external_id, "needs_response")
    }

    /// The customer's bank asks, and takes nothing. Answers the dispute.
    pub fn inquire(&self, external_id: &str) -> Result<String, String> {
        self.open_dispute(external_id, "warning_needs_response")
    }

    /// The customer's bank is not content with the answer to an inquiry: it takes the money for now.
    pub fn escalate(&self, dispute_id: &str) -> Result<(), String> {
        let mut world = self.world();
        world.dispute_mut(dispute_id)?.status = "needs_response";
        world.note_dispute(dispute_id, "charge.dispute.updated");
        world.withdraw(dispute_id)
    }

    /// The customer's bank has decided. Whose money it is then is said of what was taken, and of an inquiry nothing.
    pub fn close_dispute(&self, dispute_id: &str, is_won: bool) -> Result<(), String> {
        let mut world = self.world();
        let dispute = world.dispute_mut(dispute_id)?;
        let was_taken = !dispute.moved.is_empty();
        dispute.status = match (was_taken, is_won) {
            (false, _) => "warning_closed",
            (true, true) => "won",
            (true, false) => "lost",
        };
        world.note_dispute(dispute_id, "charge.dispute.closed");
        if was_taken && is_won {
            let dispute = world.dispute_mut(dispute_id)?;
            dispute.moved.push(dispute.amount);
            world.note_dispute(dispute_id, "charge.dispute.funds_reinstated");
        }
        Ok(())
    }

    fn open_dispute(&self, external_id: &str, status: &'static str) -> Result<String, String> {
        let mut world = self.world();
        let (payment_intent, _) = world.payment_behind(external_id)?;
        let charge = world.payments.get(&payment_intent);
        let charge = charge.and_then(|payment| payment.charge.as_ref());
        let amount = charge.map_or(0, |charge| charge.captured - charge.refunded);
        if amount <= 0 {
            return Err(format!("there is no money of {external_id} to dispute"));
        }
        let id = world.id("du");
        world.disputes.push(Dispute {
            id: id.clone(),
            payment_intent,
            amount,
            status,
            moved: Vec::new(),
        });
        world.note_dispute(&id, "charge.dispute.created");
        if status == "needs_response" {
            world.withdraw(&id)?;
        }
        Ok(id)
    }
}

impl World {
    fn dispute_mut(&mut self, id: &str) -> Result<&mut Dispute, String> {
        let found = self.disputes.iter_mut().find(|dispute| dispute.id == id);
        found.ok_or_else(|| format!("there is no dispute {id}"))
    }

    fn withdraw(&mut self, id: &str) -> Result<(), String> {
        let dispute = self.dispute_mut(id)?;
        dispute.moved.push(-dispute.amount);
        self.note_dispute(id, "charge.dispute.funds_withdrawn");
        Ok(())
    }

    fn note_dispute(&mut self, id: &str, kind: &str) {
        let found = self.disputes.iter().find(|dispute| dispute.id == id);
        let json = found.map(|dispute| self.dispute_json(dispute));
        self.note(kind, &json.unwrap_or_default());
    }

    /// Whether there was ever one about a payment.
    pub fn is_disputed(&self, payment_intent: &str) -> bool {
        let mut all = self.disputes.iter();
        all.any(|dispute| dispute.payment_intent == payment_intent)
    }

    pub fn list_disputes(&self, form: &Form) -> Result<Value, Error> {
        form.only(&["payment_intent", "limit"])?;
        let id = form.required("payment_intent")?;
        let found = self
            .disputes
            .iter()
            .rev()
            .filter(|dispute| dispute.payment_intent == id);
        let found: Vec<Value> = found.map(|dispute| self.dispute_json(dispute)).collect();
        Ok(json!({ "object": "list", "url": "/v1/disputes", "has_more": false, "data": found }))
    }

    /// As Stripe does, it says nothing of the page on which the charge was paid, and the metadata of the payment are not its own.
    fn dispute_json(&self, dispute: &Dispute) -> Value {
        let payment = self.payments.get(&dispute.payment_intent);
        let charge = payment.and_then(|payment| payment.charge.as_ref());
        let currency = payment.map(|payment| &payment.currency);
        let paid_out = self.settles_in.as_ref().or(currency);
        let moved = dispute.moved.iter().map(|amount| {
            let fee = if *amount < 0 { FEE } else { 0 };
            json!({
                "id": format!("txn_of_{}", dispute.id), "object": "balance_transaction", "amount": amount, "currency": paid_out,
                "fee": fee, "net": amount - fee, "source": dispute.id, "type": "adjustment"
            })
        });
        json!({
            "id": dispute.id, "object": "dispute", "amount": dispute.amount, "balance_transactions": moved.collect::<Vec<_>>(),
            "charge": charge.map(|charge| &charge.id), "currency": currency,
            "evidence_details": { "due_by": 1_805_000_000, "has_evidence": false, "past_due": false, "submission_count": 0 },
            "is_charge_refundable": dispute.moved.is_empty(), "livemode": false, "metadata": {},
            "payment_intent": dispute.payment_intent, "reason": "general", "status": dispute.status
        })
    }
}
