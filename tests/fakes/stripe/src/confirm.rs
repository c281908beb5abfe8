//! PaymentIntents that are confirmed with a card that was saved, without its owner (docs.stripe.com/payments/save-and-reuse, "Charge the
//! saved payment method later").

use serde_json::Value;

use crate::error::Error;
use crate::form::Form;
use crate::intent::no_payment;
use crate::world::World;

/// What a bank says to a card that is charged without its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decline {
    /// No.
    CardDeclined,
    /// Only with its owner.
    AuthenticationRequired,
}

impl Decline {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::CardDeclined => "card_declined",
            Self::AuthenticationRequired => "authentication_required",
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::CardDeclined => "Your card was declined.",
            Self::AuthenticationRequired => {
                "Your card was declined. This transaction requires authentication."
            }
        }
    }
}

impl World {
    pub fn confirm_payment(&mut self, id: &str, form: &Form) -> Result<Value, Error> {
        form.only(&["off_session"])?;
        let decline = self.declines;
        let payment = self.payments.get_mut(id).ok_or_else(|| no_payment(id))?;
        let refuse = |message: &str| {
            Err(Error::state(
                Some("payment_intent_unexpected_state"),
                message,
            ))
        };
        match payment.status {
            "requires_confirmation" => {}
            "requires_payment_method" => {
                return refuse(
                    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent \
                     with a payment method and then confirm it again, or confirm it again directly with a payment method or \
                     ConfirmationToken.",
                );
            }
            "succeeded" => {
                return refuse(
                    "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
                );
            }
            other => {
                let message = format!(
                    "You cannot confirm this PaymentIntent because it has a status of {other}. Only a PaymentIntent with one of the \
                     following statuses may be confirmed: requires_confirmation, requires_action."
                );
                return refuse(&message);
            }
        }
        // Nobody is there to be sent elsewhere.
        if payment.is_redirecting || form.get("off_session") != Some("true") {
            let message = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these \
                           payment methods might redirect your customer off of your page, you must provide a `return_url`.";
            return Err(Error::parameter("parameter_missing", "return_url", message));
        }
        if let Some(decline) = decline {
            payment.status = "requires_payment_method";
            payment.payment_method = None;
            payment.last_error = Some(decline);
            let json = self.payment_of(id);
            self.note("payment_intent.payment_failed", &json);
            return Err(Error::card(decline.code(), decline.message(), &json));
        }
        // It cannot fail: it can be paid.
        let paid = self.pay(id);
        paid.map_err(|message| Error::state(None, &message))?;
        self.get_payment(
            id,
            &Form(
                form.0
                    .iter()
                    .filter(|(name, _)| name.starts_with("expand["))
                    .cloned()
                    .collect(),
            ),
        )
    }
}
