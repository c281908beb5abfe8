//! PaymentIntents, SetupIntents and customers.

use serde_json::{Value, json};

use crate::error::Error;
use crate::form::Form;
use crate::world::{PaymentIntent, SetupIntent, World};

const CREATE: [&str; 10] = [
    "amount",
    "currency",
    "automatic_payment_methods[enabled]",
    "automatic_payment_methods[allow_redirects]",
    "capture_method",
    "customer",
    "payment_method",
    "description",
    "receipt_email",
    "metadata[",
];

impl World {
    pub fn create_payment(&mut self, form: &Form) -> Result<Value, Error> {
        form.only(&CREATE)?;
        let missing = || {
            Error::parameter(
                "parameter_missing",
                "amount",
                "Missing required param: amount.",
            )
        };
        let amount = form.integer("amount")?.ok_or_else(missing)?;
        let payment = self.payment(form, amount, form.required("currency")?, None)?;
        let json = self.payment_json(&payment, &form.expand());
        self.payments.insert(payment.id.clone(), payment);
        self.note("payment_intent.created", &json);
        Ok(json)
    }

    /// A payment of this much, with the rest from the form.
    pub fn payment(
        &mut self,
        form: &Form,
        amount: i64,
        currency: &str,
        session: Option<String>,
    ) -> Result<PaymentIntent, Error> {
        check_amount(amount, currency)?;
        check_email(form, "receipt_email")?;
        let is_manual = match form.get("capture_method") {
            None | Some("automatic" | "automatic_async") => false,
            Some("manual") => true,
            Some(other) => {
                let message = format!("Invalid capture_method: {other}");
                return Err(Error::parameter(
                    "parameter_invalid",
                    "capture_method",
                    &message,
                ));
            }
        };
        let (customer, payment_method) = (form.text("customer"), form.text("payment_method"));
        self.check_customer(customer.as_deref())?;
        self.check_method(payment_method.as_deref(), customer.as_deref())?;
        Ok(PaymentIntent {
            id: self.id("pi"),
            amount,
            currency: currency.to_owned(),
            is_manual,
            status: if payment_method.is_some() {
                "requires_confirmation"
            } else {
                "requires_payment_method"
            },
            is_redirecting: form.get("automatic_payment_methods[allow_redirects]") != Some("never"),
            customer,
            payment_method,
            metadata: form.metadata()?,
            description: form.text("description"),
            receipt_email: form.text("receipt_email"),
            session,
            charge: None,
            last_error: None,
            cancellation_reason: None,
        })
    }

    pub fn get_payment(&self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&[])?;
        let payment = self.payments.get(id).ok_or_else(|| no_payment(id))?;
        Ok(self.payment_json(payment, &form.expand()))
    }

    pub fn cancel_payment(&mut self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&["cancellation_reason"])?;
        let payment = self.payments.get_mut(id).ok_or_else(|| no_payment(id))?;
        // By docs.stripe.com/api/payment_intents/cancel: only what is reserved.
        if payment.session.is_some() && payment.status != "requires_capture" {
            let message = "You cannot cancel this PaymentIntent because it was created by Checkout. Expire the Checkout Session instead.";
            return Err(Error::state(None, message));
        }
        if ["succeeded", "canceled", "processing"].contains(&payment.status) {
            return Err(unexpected("cancel", payment));
        }
        payment.status = "canceled";
        payment.cancellation_reason = form.text("cancellation_reason");
        if let Some(charge) = &mut payment.charge {
            charge.refunded = payment.amount;
        }
        let payment = payment.clone();
        self.note("payment_intent.canceled", &self.payment_json(&payment, &[]));
        Ok(self.payment_json(&payment, &form.expand()))
    }

    pub fn capture_payment(&mut self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&["amount_to_capture"])?;
        let wanted = form.integer("amount_to_capture")?;
        let payment = self.payments.get_mut(id).ok_or_else(|| no_payment(id))?;
        if payment.status != "requires_capture" {
            return Err(unexpected("capture", payment));
        }
        let amount = wanted.unwrap_or(payment.amount);
        if amount <= 0 || amount > payment.amount {
            let message = format!(
                "The amount_to_capture ({amount}) must be greater than 0 and less than or equal to the amount ({}).",
                payment.amount
            );
            return Err(Error::state(Some("amount_too_large"), &message));
        }
        payment.status = "succeeded";
        if let Some(charge) = &mut payment.charge {
            charge.captured = amount;
            // What is not taken is let go.
            charge.refunded = 0;
        }
        let payment = payment.clone();
        self.note(
            "payment_intent.succeeded",
            &self.payment_json(&payment, &[]),
        );
        Ok(self.payment_json(&payment, &form.expand()))
    }

    pub fn create_setup(&mut self, form: &Form) -> Result<Value, Error> {
        form.only(&[
            "customer",
            "usage",
            "automatic_payment_methods[enabled]",
            "description",
            "metadata[",
        ])?;
        let setup = self.setup(form, form.text("customer"))?;
        let json = Self::setup_json(&setup);
        self.setups.insert(setup.id.clone(), setup);
        self.note("setup_intent.created", &json);
        Ok(json)
    }

    pub fn setup(&mut self, form: &Form, customer: Option<String>) -> Result<SetupIntent, Error> {
        self.check_customer(customer.as_deref())?;
        Ok(SetupIntent {
            id: self.id("seti"),
            status: "requires_payment_method",
            customer,
            payment_method: None,
            metadata: form.metadata()?,
        })
    }

    pub fn get_setup(&self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&[])?;
        let setup = self.setups.get(id).ok_or_else(|| no_setup(id))?;
        Ok(Self::setup_json(setup))
    }

    pub fn cancel_setup(&mut self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&["cancellation_reason"])?;
        let setup = self.setups.get_mut(id).ok_or_else(|| no_setup(id))?;
        if ["succeeded", "canceled", "processing"].contains(&setup.status) {
            let message = format!(
                "You cannot cancel this SetupIntent because it has a status of {}.",
                setup.status
            );
            return Err(Error::state(
                Some("setup_intent_unexpected_state"),
                &message,
            ));
        }
        setup.status = "canceled";
        let json = Self::setup_json(setup);
        self.note("setup_intent.canceled", &json);
        Ok(json)
    }

    pub fn create_customer(&mut self, form: &Form) -> Result<Value, Error> {
        form.only(&["name", "email", "metadata["])?;
        check_email(form, "email")?;
        let metadata = form.metadata()?;
        let id = self.id("cus");
        self.customers.insert(id.clone(), metadata.clone());
        Ok(json!({
            "id": id, "object": "customer", "email": form.get("email"), "livemode": false, "metadata": metadata, "name": form.get("name")
        }))
    }

    pub fn check_customer(&self, customer: Option<&str>) -> Result<(), Error> {
        match customer {
            Some(id) if !self.customers.contains_key(id) => Err(Error::missing("customer", id)),
            _ => Ok(()),
        }
    }

    /// A card that is saved can be used for its own customer only.
    fn check_method(&self, method: Option<&str>, customer: Option<&str>) -> Result<(), Error> {
        let Some(method) = method else { return Ok(()) };
        let owner = self.methods.get(method);
        let owner = owner.ok_or_else(|| Error::missing("PaymentMethod", method))?;
        if customer == Some(owner.as_str()) {
            return Ok(());
        }
        let message = format!(
            "The customer does not have a payment method with the ID {method}. The payment method must be attached to the customer."
        );
        Err(Error::parameter(
            "parameter_invalid",
            "payment_method",
            &message,
        ))
    }
}

pub(crate) fn no_payment(id: &str) -> Error {
    Error::missing("payment_intent", id)
}

fn no_setup(id: &str) -> Error {
    Error::missing("setupintent", id)
}

fn unexpected(what: &str, payment: &PaymentIntent) -> Error {
    let status = payment.status;
    let message =
        format!("This PaymentIntent could not be {what}ed because it has a status of {status}.");
    Error::state(Some("payment_intent_unexpected_state"), &message)
}

/// By docs.stripe.com/currencies, as far as tests go.
pub(crate) fn check_amount(amount: i64, currency: &str) -> Result<(), Error> {
    let step = match currency {
        "isk" | "ugx" => 100,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
        "eur" | "usd" | "gbp" | "chf" | "huf" | "twd" | "jpy" | "krw" | "xof" | "mga" => 1,
        other => {
            let message = format!(
                "Invalid currency: {other}. Stripe currently supports these currencies: usd, eur, …"
            );
            return Err(Error::parameter("parameter_invalid", "currency", &message));
        }
    };
    let wrong = |code: &str, message: &str| Err(Error::parameter(code, "amount", message));
    match amount {
        ..=0 => wrong(
            "parameter_invalid_integer",
            "This value must be greater than or equal to 1.",
        ),
        ..=49 if ["eur", "usd", "gbp", "chf"].contains(&currency) => wrong(
            "amount_too_small",
            "The Checkout Session's total amount must convert to at least 50 cents.",
        ),
        100_000_000.. => wrong("amount_too_large", "Amount must be no more than 999,999.99"),
        _ if amount % step != 0 => wrong(
            "parameter_invalid_integer",
            "Invalid amount for this currency.",
        ),
        _ => Ok(()),
    }
}

pub(crate) fn check_email(form: &Form, name: &str) -> Result<(), Error> {
    match form.get(name) {
        Some(email) if !is_taken(email) => {
            let message = format!("Invalid email address: {email}");
            Err(Error::parameter("email_invalid", name, &message))
        }
        _ => Ok(()),
    }
}

/// Stripe takes addresses of domains only, and no letters beyond ASCII.
fn is_taken(email: &str) -> bool {
    let host = email.rsplit_once('@').map(|(_, host)| host);
    email.is_ascii()
        && host.is_some_and(|host| host.split('.').filter(|label| !label.is_empty()).count() > 1)
}
