//! Checkout Sessions. A session makes its PaymentIntent when the customer pays, not before.

use serde_json::{Value, json};

use crate::error::Error;
use crate::form::Form;
use crate::intent::{check_amount, check_email};
use crate::world::{Session, World};

const CREATE: [&str; 14] = [
    "mode",
    "submit_type",
    "success_url",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "currency",
    "line_items[0][quantity]",
    "line_items[0][price_data][unit_amount]",
    "line_items[0][price_data][currency]",
    "line_items[0][price_data][product_data][name]",
    "metadata[",
    "payment_intent_data[",
];
const OF_SETUP: [&str; 7] = [
    "mode",
    "success_url",
    "cancel_url",
    "client_reference_id",
    "customer",
    "currency",
    "metadata[",
];
const UNIT_AMOUNT: &str = "line_items[0][price_data][unit_amount]";
const UNIT_CURRENCY: &str = "line_items[0][price_data][currency]";

impl World {
    pub fn create_session(&mut self, form: &Form) -> Result<Value, Error> {
        form.required("success_url")?;
        check_email(form, "customer_email")?;
        self.check_customer(form.get("customer"))?;
        let session = match form.required("mode")? {
            "payment" => self.payment_session(form)?,
            "setup" => self.setup_session(form)?,
            other => {
                let message = format!("Invalid mode: {other}");
                return Err(Error::parameter("parameter_invalid", "mode", &message));
            }
        };
        let json = self.session_json(&session, &form.expand());
        self.sessions.insert(session.id.clone(), session);
        Ok(json)
    }

    fn payment_session(&mut self, form: &Form) -> Result<Session, Error> {
        form.only(&CREATE)?;
        form.required("line_items[0][quantity]")?;
        form.required("line_items[0][price_data][product_data][name]")?;
        form.required(UNIT_AMOUNT)?;
        let amount = form.integer(UNIT_AMOUNT)?.unwrap_or_default();
        let currency = form.required(UNIT_CURRENCY)?;
        check_amount(amount, currency)?;
        let intent = form.inside("payment_intent_data");
        intent.only(&[
            "description",
            "receipt_email",
            "capture_method",
            "metadata[",
        ])?;
        check_email(&intent, "receipt_email")?;
        self.session(form, amount, currency, intent)
    }

    fn setup_session(&mut self, form: &Form) -> Result<Session, Error> {
        let intent = form.inside("setup_intent_data");
        let outside = |(name, _): &&(String, String)| !name.starts_with("setup_intent_data[");
        Form(form.0.iter().filter(outside).cloned().collect()).only(&OF_SETUP)?;
        intent.only(&["description", "metadata["])?;
        let currency = form.required("currency")?;
        let mut session = self.session(form, 0, currency, intent)?;
        session.is_setup = true;
        Ok(session)
    }

    fn session(
        &mut self,
        form: &Form,
        amount: i64,
        currency: &str,
        intent: Form,
    ) -> Result<Session, Error> {
        Ok(Session {
            id: self.id("cs_test"),
            status: "open",
            is_paid: false,
            is_setup: false,
            amount,
            currency: currency.to_owned(),
            customer: form.text("customer"),
            intent,
            metadata: form.metadata()?,
            payment_intent: None,
            setup_intent: None,
        })
    }

    pub fn get_session(&self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&[])?;
        let session = self.sessions.get(id).ok_or_else(|| no_session(id))?;
        Ok(self.session_json(session, &form.expand()))
    }

    pub fn list_sessions(&self, form: &Form) -> Result<Value, Error> {
        form.only(&["payment_intent", "limit"])?;
        let id = form.required("payment_intent")?;
        let mut all = self.sessions.values();
        let made = all.find(|session| session.payment_intent.as_deref() == Some(id));
        let page: Vec<Value> = made
            .map(|made| self.session_json(made, &[]))
            .into_iter()
            .collect();
        Ok(
            json!({ "object": "list", "url": "/v1/checkout/sessions", "has_more": false, "data": page }),
        )
    }

    pub fn expire_session(&mut self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&[])?;
        let session = self.sessions.get_mut(id).ok_or_else(|| no_session(id))?;
        if session.status != "open" {
            let status = session.status;
            let message = format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {status}."
            );
            return Err(Error::state(None, &message));
        }
        session.status = "expired";
        let session = session.clone();
        let payment = session.payment_intent.as_ref();
        if let Some(payment) = payment.and_then(|id| self.payments.get_mut(id)) {
            payment.status = "canceled";
            payment.cancellation_reason = Some("automatic".to_owned());
        }
        self.note(
            "checkout.session.expired",
            &self.session_json(&session, &[]),
        );
        Ok(self.session_json(&session, &form.expand()))
    }
}

pub(crate) fn no_session(id: &str) -> Error {
    Error::missing("checkout.session", id)
}
