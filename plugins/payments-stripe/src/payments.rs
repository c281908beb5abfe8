//! The capability: which calls make up a payment, and which object at Stripe is the truth about it.
//!
//! A payment is one object at Stripe, never two, so that it cannot be paid twice: where the settings name a `successUrl` it is a Checkout
//! Session (`cs_…`, paid on Stripe's page), else a PaymentIntent (`pi_…`, paid in the frontend), or a SetupIntent (`seti_…`) for a card
//! that is only saved. A session makes its own PaymentIntent when the customer pays, so a session beside a PaymentIntent of ours would be
//! two debts for one booking.
//!
//! A repeat has no second effect. What makes something new bears an idempotency key of our id. What changes something there is (cancel,
//! capture, expire) bears none: Stripe does it once in any case, and a key would repeat an old no for a day. When Stripe says no to such
//! a change, the truth is looked up and answered. A fee is made first and taken then: it is one PaymentIntent, which Stripe takes once,
//! however late it is asked again.

use plugin_api::{
    ExternalStatus, Failure, PaymentBegun, PaymentKind, PaymentRequest, PaymentState, Payments,
    PluginSettings, RefundRequest, RefundState, async_trait,
};

use domain::money::{Currency, Money};

use crate::PaymentsStripe;
use crate::amount;
use crate::answer::{Expandable, Named, PaymentIntent, Session, SetupIntent};
use crate::client::{CallError, Form};
use crate::map::{self, External};
use crate::settings::{Account, Pages, Settings, WINDOW_DEFAULT};

#[async_trait]
impl Payments for PaymentsStripe {
    fn window_minutes(&self, settings: &PluginSettings) -> u32 {
        settings
            .read::<Settings>()
            .map_or(WINDOW_DEFAULT, |settings| settings.window_minutes())
    }

    fn step(&self, currency: Currency) -> Option<i64> {
        amount::step(currency)
    }

    async fn begin(
        &self,
        settings: &PluginSettings,
        request: &PaymentRequest,
    ) -> Result<PaymentBegun, Failure> {
        let account = account(settings)?;
        Ok(match (request.kind, &account.pages) {
            (PaymentKind::Fee, _) => self.ask_fee(&account, request).await?,
            (PaymentKind::SaveCard, pages) => {
                self.save_card(&account, request, pages.as_ref()).await?
            }
            (_, Some(pages)) => {
                let form = map::payment_session(request, pages)?;
                self.open_page(&account, request, form).await?
            }
            (_, None) => self.ask_payment(&account, request).await?,
        })
    }

    async fn begun_as(
        &self,
        settings: &PluginSettings,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        Ok(self.page_behind(&account(settings)?, name).await?)
    }

    async fn look_up(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure> {
        let external = External::read(external_id)?;
        Ok(self.truth(&account(settings)?, external).await?)
    }

    async fn cancel(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure> {
        let external = External::read(external_id)?;
        let account = account(settings)?;
        let answered = match external {
            External::PaymentIntent(id) => self.cancel_payment(&account, id).await,
            External::SetupIntent(id) => self.cancel_setup(&account, id).await,
            External::Session(id) => self.cancel_session(&account, id).await,
        };
        match answered {
            Err(CallError::Refused(_)) => Ok(self.truth(&account, external).await?),
            other => Ok(other?),
        }
    }

    async fn capture(
        &self,
        settings: &PluginSettings,
        external_id: &str,
        amount: Money,
    ) -> Result<PaymentState, Failure> {
        let external = External::read(external_id)?;
        let account = account(settings)?;
        let payment = self.payment_of(&account, external).await?;
        let mut form = map::expanded("");
        let amount = amount::to_stripe(amount)?.to_string();
        form.extend(map::form([("amount_to_capture", &amount)]));
        let path = format!("payment_intents/{payment}/capture");
        match self
            .client
            .post::<PaymentIntent>(&account, &path, &form, None)
            .await
        {
            Ok(payment) => map::payment_state(&payment),
            Err(CallError::Refused(refusal)) => {
                // An earlier attempt may have taken it, or the reservation is gone.
                let state = self.truth(&account, external).await;
                let state = state.map_err(CallError::unclear)?;
                match state.status {
                    ExternalStatus::Paid | ExternalStatus::Over { .. } => Ok(state),
                    ExternalStatus::Authorized
                    | ExternalStatus::Waiting
                    | ExternalStatus::Unpaid => Err(refusal.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn charge_saved(
        &self,
        settings: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure> {
        let External::PaymentIntent(id) = External::read(external_id)? else {
            return Err(Failure::give_up("this is not a fee that Stripe knows"));
        };
        self.charge(&account(settings)?, id).await
    }

    async fn refund(
        &self,
        settings: &PluginSettings,
        request: &RefundRequest,
    ) -> Result<RefundState, Failure> {
        let external = External::read(&request.external_id)?;
        let account = account(settings)?;
        let payment = self.payment_of(&account, external).await?;
        self.pay_back(&account, request, &payment).await
    }
}

impl PaymentsStripe {
    async fn ask_payment(
        &self,
        account: &Account,
        request: &PaymentRequest,
    ) -> Result<PaymentBegun, CallError> {
        let form = map::payment_intent(request)?;
        let key = key(request, "payment-intent");
        let payment: PaymentIntent = self
            .client
            .post(account, "payment_intents", &form, Some(&key))
            .await?;
        in_the_frontend(payment.id, payment.client_secret)
    }

    async fn save_card(
        &self,
        account: &Account,
        request: &PaymentRequest,
        pages: Option<&Pages>,
    ) -> Result<PaymentBegun, CallError> {
        let form = map::customer(request);
        let key_of_customer = key(request, "customer");
        let customer: Named = self
            .client
            .post(account, "customers", &form, Some(&key_of_customer))
            .await?;
        if let Some(pages) = pages {
            let form = map::setup_session(request, pages, &customer.id);
            return self.open_page(account, request, form).await;
        }
        let form = map::setup_intent(request, &customer.id);
        let key = key(request, "setup-intent");
        let setup: SetupIntent = self
            .client
            .post(account, "setup_intents", &form, Some(&key))
            .await?;
        in_the_frontend(setup.id, setup.client_secret)
    }

    async fn open_page(
        &self,
        account: &Account,
        request: &PaymentRequest,
        form: Form,
    ) -> Result<PaymentBegun, CallError> {
        let key = key(request, "checkout-session");
        let session: Session = self
            .client
            .post(account, "checkout/sessions", &form, Some(&key))
            .await?;
        // Without its page nobody could pay it.
        if session.url.is_none() {
            return Err(map::not_understood().into());
        }
        Ok(PaymentBegun {
            external_id: session.id,
            client_secret: None,
            checkout_url: session.url,
        })
    }

    /// How it stands, by the one object that is it.
    async fn truth(
        &self,
        account: &Account,
        external: External<'_>,
    ) -> Result<PaymentState, CallError> {
        match external {
            External::PaymentIntent(id) => {
                let payment = self.payment_intent(account, id).await?;
                let mut state = map::payment_state(&payment)?;
                self.add_disputes(account, &payment, &mut state).await?;
                Ok(state)
            }
            External::SetupIntent(id) => {
                Ok(map::setup_state(&self.setup_intent(account, id).await?))
            }
            External::Session(id) => {
                let session = self.session(account, id).await?;
                let mut state = map::session_state(&session)?;
                let payment = session.payment_intent.as_ref().and_then(Expandable::whole);
                if let Some(payment) = payment {
                    self.add_disputes(account, payment, &mut state).await?;
                }
                Ok(state)
            }
        }
    }

    pub(crate) async fn payment_intent(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PaymentIntent, CallError> {
        let payment = self.payment_in_short(account, id).await?;
        let charge = payment.latest_charge.as_ref();
        if charge.is_some_and(Expandable::has_more_refunds) {
            return self.with_all_refunds(account, id).await;
        }
        Ok(payment)
    }

    /// The same, of which there may be more refunds than come with it.
    pub(crate) async fn payment_in_short(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PaymentIntent, CallError> {
        let path = format!("payment_intents/{id}");
        self.client.get(account, &path, &map::expanded("")).await
    }

    pub(crate) async fn setup_intent(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<SetupIntent, CallError> {
        let path = format!("setup_intents/{id}");
        self.client.get(account, &path, &Form::new()).await
    }

    pub(crate) async fn session(&self, account: &Account, id: &str) -> Result<Session, CallError> {
        let mut query = map::expanded("payment_intent.");
        query.extend(map::form([("expand[]", "setup_intent")]));
        let path = format!("checkout/sessions/{id}");
        let mut session: Session = self.client.get(account, &path, &query).await?;
        let payment = session.payment_intent.as_ref().and_then(Expandable::whole);
        let charge = payment.and_then(|payment| payment.latest_charge.as_ref());
        if let Some(payment) = payment
            && charge.is_some_and(Expandable::has_more_refunds)
        {
            let whole = self.payment_intent(account, &payment.id).await?;
            session.payment_intent = Some(Expandable::Whole(Box::new(whole)));
        }
        Ok(session)
    }

    async fn cancel_payment(&self, account: &Account, id: &str) -> Result<PaymentState, CallError> {
        let path = format!("payment_intents/{id}/cancel");
        let form = map::expanded("");
        let payment: PaymentIntent = self.client.post(account, &path, &form, None).await?;
        Ok(map::payment_state(&payment)?)
    }

    async fn cancel_setup(&self, account: &Account, id: &str) -> Result<PaymentState, CallError> {
        let path = format!("setup_intents/{id}/cancel");
        let setup: SetupIntent = self.client.post(account, &path, &Form::new(), None).await?;
        Ok(map::setup_state(&setup))
    }

    /// Closes the page. Where the customer was done with it, what is reserved is let go; a voucher that they were handed cannot be taken back.
    async fn cancel_session(&self, account: &Account, id: &str) -> Result<PaymentState, CallError> {
        let path = format!("checkout/sessions/{id}/expire");
        let closed: Result<Session, _> = self.client.post(account, &path, &Form::new(), None).await;
        match closed {
            // The answer may hold a payment in its short form, and that says nothing about it.
            Ok(_) | Err(CallError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
        let session = self.session(account, id).await?;
        let state = map::session_state(&session)?;
        let payment = session.payment_intent.as_ref().and_then(Expandable::whole);
        match (&state.status, payment) {
            (ExternalStatus::Authorized, Some(payment)) => {
                self.cancel_payment(account, &payment.id).await
            }
            _ => Ok(state),
        }
    }

    /// The PaymentIntent that holds the money.
    async fn payment_of(
        &self,
        account: &Account,
        external: External<'_>,
    ) -> Result<String, Failure> {
        let nothing = || Failure::give_up("Stripe holds no money for this payment");
        match external {
            External::PaymentIntent(id) => Ok(id.to_owned()),
            External::SetupIntent(_) => Err(nothing()),
            External::Session(id) => {
                let session = self.session(account, id).await;
                let session = session.map_err(CallError::unclear)?;
                let payment = session.payment_intent.as_ref().and_then(Expandable::whole);
                payment
                    .map(|payment| payment.id.clone())
                    .ok_or_else(nothing)
            }
        }
    }
}

/// The account that settings describe.
pub(crate) fn account(settings: &PluginSettings) -> Result<Account, Failure> {
    Ok(settings.read::<Settings>()?.account()?)
}

pub(crate) fn key(request: &PaymentRequest, purpose: &str) -> String {
    format!("{}:{purpose}", request.id)
}

/// Without its secret nobody could pay it.
fn in_the_frontend(id: String, secret: Option<String>) -> Result<PaymentBegun, CallError> {
    if secret.is_none() {
        return Err(map::not_understood().into());
    }
    Ok(PaymentBegun {
        external_id: id,
        client_secret: secret,
        checkout_url: None,
    })
}
