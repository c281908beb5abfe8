//! What customers and their banks do.

use serde_json::Value;

use crate::checkout::no_session;
use crate::error::Error;
use crate::intent::no_payment;
use crate::world::{Charge, PaymentIntent, World};

impl World {
    pub fn payment_of(&self, id: &str) -> Value {
        let payment = self.payments.get(id);
        payment.map_or(Value::Null, |payment| self.payment_json(payment, &[]))
    }

    pub fn session_of(&self, id: &str) -> Value {
        let session = self.sessions.get(id);
        session.map_or(Value::Null, |session| self.session_json(session, &[]))
    }

    pub fn charge_of(&self, id: &str) -> Value {
        let payment = self.payments.get(id);
        let charge = payment.and_then(|payment| Some((payment, payment.charge.as_ref()?)));
        charge.map_or(Value::Null, |(payment, charge)| {
            self.charge_json(payment, charge, &[])
        })
    }

    /// The payment that an id names, and the session that it came of. An open session makes one.
    pub fn payment_behind(
        &mut self,
        external_id: &str,
    ) -> Result<(String, Option<String>), String> {
        if !external_id.starts_with("cs_") {
            let payment = self.payments.get(external_id);
            let payment = payment
                .ok_or_else(|| no_payment(external_id))
                .map_err(|error| words(&error))?;
            return Ok((payment.id.clone(), payment.session.clone()));
        }
        let session = self.sessions.get(external_id);
        let session = session
            .ok_or_else(|| no_session(external_id))
            .map_err(|error| words(&error))?
            .clone();
        let id = match session.payment_intent {
            Some(id) => id,
            None if session.status == "open" && !session.is_setup => {
                let made = self.payment(
                    &session.intent,
                    session.amount,
                    &session.currency,
                    Some(session.id),
                );
                let payment = made.map_err(|error| words(&error))?;
                let id = payment.id.clone();
                self.payments.insert(id.clone(), payment);
                if let Some(session) = self.sessions.get_mut(external_id) {
                    session.payment_intent = Some(id.clone());
                }
                id
            }
            None => return Err(format!("the page is {}", session.status)),
        };
        Ok((id, Some(external_id.to_owned())))
    }

    /// A payment that can still be paid.
    pub fn payable(&mut self, id: &str) -> Result<&mut PaymentIntent, String> {
        let payment = self
            .payments
            .get_mut(id)
            .ok_or_else(|| words(&no_payment(id)))?;
        if ["succeeded", "canceled", "requires_capture"].contains(&payment.status) {
            return Err(format!("the payment is {}", payment.status));
        }
        Ok(payment)
    }

    pub fn pay(&mut self, id: &str) -> Result<String, String> {
        let charge = self.id("ch");
        let payment = self.payable(id)?;
        let (status, captured, event) = if payment.is_manual {
            (
                "requires_capture",
                0,
                "payment_intent.amount_capturable_updated",
            )
        } else {
            ("succeeded", payment.amount, "payment_intent.succeeded")
        };
        payment.status = status;
        payment.last_error = None;
        payment.charge = Some(Charge {
            id: charge,
            captured,
            refunded: 0,
        });
        let json = self.charge_of(id);
        self.note("charge.succeeded", &json);
        let json = self.payment_of(id);
        Ok(self.note(event, &json))
    }

    pub fn pay_session(&mut self, id: &str) -> Result<String, String> {
        let session = self
            .sessions
            .get(id)
            .ok_or_else(|| words(&no_session(id)))?
            .clone();
        if session.is_setup {
            return self.save_card_on_page(id);
        }
        let (payment, _) = self.payment_behind(id)?;
        let status = self.payable(&payment)?.status;
        let was_under_way = ["processing", "requires_action"].contains(&status);
        if session.status != "open" && !was_under_way {
            return Err(format!("the page is {}", session.status));
        }
        self.pay(&payment)?;
        if let Some(session) = self.sessions.get_mut(id) {
            session.status = "complete";
            session.is_paid = true;
        }
        let json = self.session_of(id);
        Ok(self.note(
            if was_under_way {
                "checkout.session.async_payment_succeeded"
            } else {
                "checkout.session.completed"
            },
            &json,
        ))
    }

    pub fn save_card(&mut self, id: &str) -> Result<String, String> {
        let method = self.id("pm");
        let setup = self.setups.get_mut(id);
        let setup = setup.ok_or_else(|| format!("there is no {id}"))?;
        if setup.status != "requires_payment_method" {
            return Err(format!("the card is {}", setup.status));
        }
        setup.status = "succeeded";
        setup.payment_method = Some(method.clone());
        if let Some(customer) = setup.customer.clone() {
            self.methods.insert(method, customer);
        }
        let json = Self::setup_json(setup);
        Ok(self.note("setup_intent.succeeded", &json))
    }

    fn save_card_on_page(&mut self, id: &str) -> Result<String, String> {
        let session = self
            .sessions
            .get(id)
            .ok_or_else(|| words(&no_session(id)))?
            .clone();
        if session.status != "open" {
            return Err(format!("the page is {}", session.status));
        }
        let setup = self.setup(&session.intent, session.customer);
        let setup = setup.map_err(|error| words(&error))?;
        let setup_id = setup.id.clone();
        self.setups.insert(setup_id.clone(), setup);
        self.save_card(&setup_id)?;
        if let Some(session) = self.sessions.get_mut(id) {
            session.status = "complete";
            session.setup_intent = Some(setup_id);
        }
        let json = self.session_of(id);
        Ok(self.note("checkout.session.completed", &json))
    }
}

fn words(error: &Error) -> String {
    error.body["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
