//! Fees from cards that were saved: made without taking money, and taken by their name.

use plugin_api::{Failure, PaymentBegun, PaymentRequest, PaymentState};

use crate::PaymentsStripe;
use crate::answer::{Expandable, PaymentIntent, SetupIntent};
use crate::client::CallError;
use crate::map::{self, External};
use crate::payments::key;
use crate::settings::Account;

impl PaymentsStripe {
    /// Makes a fee that nobody has confirmed yet. Its secret stays here: nobody but us pays it.
    pub(crate) async fn ask_fee(
        &self,
        account: &Account,
        request: &PaymentRequest,
    ) -> Result<PaymentBegun, Failure> {
        let setup = self.setup_behind(account, request.saved.as_deref()).await?;
        let customer = setup.customer.as_ref().map(Expandable::id);
        let method = setup.payment_method.as_ref().map(Expandable::id);
        let (Some(customer), Some(method)) = (customer, method) else {
            return Err(no_card());
        };
        let form = map::fee(request, customer, method)?;
        let key = key(request, "payment-intent");
        let payment: PaymentIntent = self
            .client
            .post(account, "payment_intents", &form, Some(&key))
            .await?;
        Ok(PaymentBegun {
            external_id: payment.id,
            client_secret: None,
            checkout_url: None,
        })
    }

    /// The SetupIntent that saved the card, in the frontend or on Stripe's page.
    async fn setup_behind(
        &self,
        account: &Account,
        saved: Option<&str>,
    ) -> Result<SetupIntent, Failure> {
        match External::read(saved.ok_or_else(no_card)?)? {
            External::SetupIntent(id) => Ok(self.setup_intent(account, id).await?),
            External::Session(id) => {
                let session = self.session(account, id).await?;
                let setup = session.setup_intent.as_ref().and_then(Expandable::whole);
                setup.cloned().ok_or_else(no_card)
            }
            External::PaymentIntent(_) => Err(no_card()),
        }
    }

    /// Takes the money of a fee. Stripe takes it once in any case, and a key would repeat an old no for a day.
    pub(crate) async fn charge(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PaymentState, Failure> {
        let mut form = map::expanded("");
        form.extend(map::form([("off_session", "true")]));
        let path = format!("payment_intents/{id}/confirm");
        let confirmed: Result<PaymentIntent, _> =
            self.client.post(account, &path, &form, None).await;
        match confirmed {
            Ok(payment) => map::fee_state(&payment),
            Err(CallError::Refused(refusal)) => {
                // The bank has said no, or an earlier attempt did it: the payment itself knows.
                let payment = self.payment_intent(account, id).await;
                let payment = payment.map_err(CallError::unclear)?;
                if payment.status == map::UNCONFIRMED {
                    let words = format!("Stripe answered: {}", refusal.message);
                    return Err(Failure::give_up(words));
                }
                map::fee_state(&payment)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn no_card() -> Failure {
    Failure::give_up("Stripe has no card saved by this payment")
}
