//! What a test can do and ask.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::FakeStripe;
use crate::confirm::Decline;
use crate::event::{Event, SignedEvent, sign};
use crate::fault::{Call, Fault};
use crate::world::{Called, Charged, Refunded, World};

impl FakeStripe {
    /// The customer pays (or, of a payment with `capture_method: manual`, the bank reserves; of a card that is saved, it is saved), in the
    /// frontend (`pi_…`, `seti_…`) or on Stripe's page (`cs_…`). Answers the event that tells, by its id.
    pub fn pay(&self, external_id: &str) -> Result<String, String> {
        let mut world = self.world();
        if external_id.starts_with("cs_") {
            return world.pay_session(external_id);
        }
        if external_id.starts_with("seti_") {
            return world.save_card(external_id);
        }
        world.pay(external_id)
    }

    /// The customer's bank says no. The customer can try again; of a payment that was under way on Stripe's page, they cannot. Answers the
    /// event that tells, by its id.
    pub fn fail_payment(&self, external_id: &str) -> Result<String, String> {
        let mut world = self.world();
        let (id, session) = world.payment_behind(external_id)?;
        let payment = world.payable(&id)?;
        let was_under_way = ["processing", "requires_action"].contains(&payment.status);
        payment.status = "requires_payment_method";
        payment.last_error = Some(Decline::CardDeclined);
        payment.payment_method = None;
        let json = world.payment_of(&id);
        let event = world.note("payment_intent.payment_failed", &json);
        match session {
            Some(session) if was_under_way => {
                let json = world.session_of(&session);
                Ok(world.note("checkout.session.async_payment_failed", &json))
            }
            _ => Ok(event),
        }
    }

    /// From now on banks say this to a card that is charged without its owner; none: they say yes.
    pub fn decline_saved_cards(&self, decline: Option<Decline>) {
        self.world().declines = decline;
    }

    /// The customer's bank lets go of what it reserved. Answers the event that tells, by its id.
    pub fn let_lapse(&self, external_id: &str) -> Result<String, String> {
        let mut world = self.world();
        let (id, _) = world.payment_behind(external_id)?;
        let payment = world.payments.get_mut(&id);
        let reserved = payment.filter(|payment| payment.status == "requires_capture");
        let payment = reserved.ok_or_else(|| format!("nothing is reserved by {id}"))?;
        payment.status = "canceled";
        payment.cancellation_reason = Some("automatic".to_owned());
        if let Some(charge) = &mut payment.charge {
            charge.refunded = payment.amount;
        }
        let json = world.payment_of(&id);
        Ok(world.note("payment_intent.canceled", &json))
    }

    /// The customer pays by a method that takes days: the payment is under way. [`Self::pay`] and [`Self::fail_payment`] end it.
    pub fn begin_processing(&self, external_id: &str) -> Result<String, String> {
        self.begin_slowly(external_id, "processing", "payment_intent.processing")
    }

    /// The customer is handed a voucher, to be paid in a shop within days: nobody has paid yet. [`Self::pay`] and [`Self::fail_payment`] end it.
    pub fn hand_voucher(&self, external_id: &str) -> Result<String, String> {
        self.begin_slowly(
            external_id,
            "requires_action",
            "payment_intent.requires_action",
        )
    }

    fn begin_slowly(
        &self,
        external_id: &str,
        status: &'static str,
        kind: &'static str,
    ) -> Result<String, String> {
        let mut world = self.world();
        let (id, session) = world.payment_behind(external_id)?;
        world.payable(&id)?.status = status;
        let json = world.payment_of(&id);
        let event = world.note(kind, &json);
        let Some(session) = session else {
            return Ok(event);
        };
        if let Some(session) = world.sessions.get_mut(&session) {
            session.status = "complete";
        }
        let json = world.session_of(&session);
        Ok(world.note("checkout.session.completed", &json))
    }

    /// The business pays back at Stripe's dashboard. Answers the event `charge.refunded`, by its id.
    pub fn refund_by_hand(&self, external_id: &str, amount: i64) -> Result<String, String> {
        let mut world = self.world();
        let (id, _) = world.payment_behind(external_id)?;
        let refunded = world.refund(&id, Some(amount), crate::world::Metadata::new());
        refunded.map_err(|error| error.body.to_string())?;
        let json = world.charge_of(&id);
        Ok(world.note("charge.refunded", &json))
    }

    /// From now on refunds wait for the bank, until [`Self::settle_refund`].
    pub fn let_refunds_wait(&self, wait: bool) {
        self.world().refunds_wait = wait;
    }

    /// The bank is done with a refund: it worked, or it did not, and Stripe has the money back; that it did not is known also of one that seemed to
    /// have worked. Answers the event, by its id.
    pub fn settle_refund(
        &self,
        refund_id: &str,
        result: Result<(), &str>,
    ) -> Result<String, String> {
        let mut world = self.world();
        let refund = world
            .refunds
            .iter_mut()
            .find(|refund| refund.id == refund_id);
        let refund = refund.ok_or_else(|| format!("there is no refund {refund_id}"))?;
        let seems_done = refund.status == "succeeded" && result.is_err();
        if refund.status != "pending" && !seems_done {
            return Err(format!("the refund is {}", refund.status));
        }
        refund.status = if result.is_ok() {
            "succeeded"
        } else {
            "failed"
        };
        refund.failure_reason = result.err().map(str::to_owned);
        let refund = refund.clone();
        if result.is_err() {
            let payment = world.payments.get_mut(&refund.payment_intent);
            if let Some(charge) = payment.and_then(|payment| payment.charge.as_mut()) {
                charge.refunded -= refund.amount;
            }
        }
        let json = world.refund_json(&refund);
        let kind = if result.is_ok() {
            "refund.updated"
        } else {
            "refund.failed"
        };
        Ok(world.note(kind, &json))
    }

    /// The account is paid out in this currency (in lower case), whatever customers pay in.
    pub fn settle_in(&self, currency: &str) {
        self.world().settles_in = Some(currency.to_owned());
    }

    /// So much time passes. After a day, Stripe forgets an idempotency key.
    pub fn advance(&self, by: TimeDelta) {
        self.world().passed += by;
    }

    /// Stripe forgets all idempotency keys, as it does after a day.
    pub fn forget_keys(&self) {
        self.world().kept.clear();
    }

    /// The next call of this kind goes wrong in this way. Several queue up.
    pub fn fault(&self, call: Call, fault: Fault) {
        self.world().faults.push_back((call, fault));
    }

    /// What happened, in order.
    pub fn events(&self) -> Vec<Event> {
        let world = self.world();
        world
            .events
            .iter()
            .map(|(event, _)| event.clone())
            .collect()
    }

    /// An event as Stripe would post it at this time; none where there is no such event.
    pub fn signed_event(
        &self,
        id: &str,
        webhook_secret: &str,
        at: DateTime<Utc>,
    ) -> Option<SignedEvent> {
        let world = self.world();
        let (_, json) = world.events.iter().find(|(event, _)| event.id == id)?;
        let body = json.to_string().into_bytes();
        let signature = sign(&body, webhook_secret, at);
        Some(SignedEvent { signature, body })
    }

    /// The calls that came in, in order.
    pub fn calls(&self) -> Vec<Called> {
        self.world().calls.clone()
    }

    /// How many calls of this kind came in.
    pub fn count(&self, call: Call) -> usize {
        let world = self.world();
        world
            .calls
            .iter()
            .filter(|called| called.call == call)
            .count()
    }

    /// How many things of this kind there are: `pi_`, `seti_`, `cs_`, `cus_`, `re_`.
    pub fn made(&self, prefix: &str) -> usize {
        let world = self.world();
        match prefix {
            "pi_" => world.payments.len(),
            "seti_" => world.setups.len(),
            "cs_" => world.sessions.len(),
            "cus_" => world.customers.len(),
            "re_" => world.refunds.len(),
            _ => 0,
        }
    }

    /// The money that was taken, payment by payment.
    pub fn charges(&self) -> Vec<Charged> {
        let world = self.world();
        let charged = world.payments.values().filter_map(|payment| {
            let amount = payment.charge.as_ref()?.captured;
            (amount > 0).then(|| Charged {
                payment_intent: payment.id.clone(),
                amount,
                currency: payment.currency.clone(),
                metadata: payment.metadata.clone(),
            })
        });
        charged.collect()
    }

    /// The money that was paid back or is on its way, refund by refund; failed ones too.
    pub fn refunds(&self) -> Vec<Refunded> {
        let world = self.world();
        let refunds = world.refunds.iter().map(|refund| Refunded {
            refund: refund.id.clone(),
            payment_intent: refund.payment_intent.clone(),
            amount: refund.amount,
            status: refund.status.to_owned(),
            metadata: refund.metadata.clone(),
        });
        refunds.collect()
    }

    /// An object as Stripe would answer it; null where there is none.
    pub fn object(&self, external_id: &str) -> Value {
        let world = self.world();
        match external_id.split('_').next() {
            Some("pi") => world.payment_of(external_id),
            Some("cs") => world.session_of(external_id),
            Some("seti") => world
                .setups
                .get(external_id)
                .map_or(Value::Null, World::setup_json),
            _ => Value::Null,
        }
    }
}
