//! Another side that takes payments, in memory: with idempotency keys, and bad days on request.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::money::{Currency, Money};
use plugin_api::{
    Dispute, DisputeStatus, ExternalStatus, FailedRefund, Failure, Inbound, InboundAbout,
    InboundRefused, InboundRequest, InboundWebhook, PaymentBegun, PaymentKind, PaymentRequest,
    PaymentState, Payments, Plugin, PluginSettings, RefundRequest, RefundState, RefundStatus,
    SettingsError, async_trait,
};
use serde_json::{Value, json};

/// What goes wrong with the next call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadDay {
    /// It is refused before anything is done.
    Refused(Failure),
    /// It is done, and the answer is lost.
    AnswerLost,
}

/// A payment as the other side has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TillPayment {
    /// What was asked.
    pub amount: i64,
    /// What was taken.
    pub taken: i64,
    /// What went back, by our id of the refund.
    pub refunds: BTreeMap<String, i64>,
    /// What was to go back and did not arrive, in the same way.
    pub failed_refunds: BTreeMap<String, i64>,
    /// What becomes of the money.
    pub kind: Option<PaymentKind>,
    /// Whether the card is saved.
    pub is_saved: bool,
    /// Whether it is reserved.
    pub is_reserved: bool,
    /// Of a fee: the payment that saved the card.
    pub saved_by: Option<String>,
    /// Why the bank has said no.
    pub declined: Option<String>,
    /// Whether it was called off.
    pub is_over: bool,
    /// What the customer's bank disputes.
    pub disputes: Vec<Dispute>,
}

#[derive(Default)]
struct State {
    payments: HashMap<String, TillPayment>,
    /// What was asked under each key.
    asked: HashMap<String, PaymentRequest>,
    days: VecDeque<Option<BadDay>>,
    is_closed: bool,
    declines: VecDeque<String>,
    refused_refunds: VecDeque<String>,
}

/// Why a refund came back.
const NOT_TAKEN: &str = "the account is closed";

/// The plugin, and its other side. Every business uses it.
#[derive(Default)]
pub struct Till(Mutex<State>);

impl Till {
    /// An empty till.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What goes wrong with the next call.
    pub fn bad_day(&self, day: BadDay) {
        self.state().days.push_back(Some(day));
    }

    /// From now on every call goes wrong, until it is open again.
    pub fn close(&self) {
        self.state().is_closed = true;
    }

    /// It is open again.
    pub fn open(&self) {
        self.state().is_closed = false;
    }

    /// Nothing goes wrong with the next call: what goes wrong then comes after it.
    pub fn good_day(&self) {
        self.state().days.push_back(None);
    }

    /// The customer pays; false if it was called off.
    pub fn pay(&self, external_id: &str) -> bool {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        if payment.is_over {
            return false;
        }
        if payment.kind == Some(PaymentKind::Authorize) {
            payment.is_reserved |= payment.taken == 0;
        } else {
            payment.taken = payment.amount;
        }
        payment.is_saved = payment.kind == Some(PaymentKind::SaveCard);
        true
    }

    /// What was reserved is let go by the bank.
    pub fn lapse(&self, external_id: &str) {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        payment.let_go();
    }

    /// The customer's bank takes the money back for now; false if there is none, or it did so before.
    pub fn dispute(&self, external_id: &str) -> bool {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        let back: i64 = payment.refunds.values().sum();
        if !payment.disputes.is_empty() || payment.taken == back {
            return false;
        }
        payment.disputes.push(Dispute {
            external_id: format!("dispute_{external_id}"),
            status: DisputeStatus::Open,
            amount: payment.taken - back,
            withdrawn: payment.taken - back,
            reinstated: 0,
            respond_by: None,
        });
        true
    }

    /// The customer's bank decides what it has disputed.
    pub fn decide(&self, external_id: &str, status: DisputeStatus) {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        for dispute in &mut payment.disputes {
            dispute.status = status;
            if status == DisputeStatus::Won {
                dispute.reinstated = dispute.withdrawn;
            }
        }
    }

    /// The bank says no to the next fee, in these words.
    pub fn decline(&self, words: &str) {
        self.state().declines.push_back(words.to_owned());
    }

    /// The next refund is refused for good, in these words.
    pub fn refuse_refund(&self, words: &str) {
        self.state().refused_refunds.push_back(words.to_owned());
    }

    /// No refund is refused any more.
    pub fn refuse_no_refund(&self) {
        self.state().refused_refunds.clear();
    }

    /// The last refund that went out comes back: the customer's bank does not take it. False if there is none.
    pub fn fail_refund(&self, external_id: &str) -> bool {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        let failed = payment.refunds.pop_last();
        payment.failed_refunds.extend(failed.clone());
        failed.is_some()
    }

    /// Every payment, by its name here.
    pub fn payments(&self) -> HashMap<String, TillPayment> {
        self.state().payments.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Does a call, on a good day or a bad one.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Failure::retry("closed"));
        }
        match state.days.pop_front().flatten() {
            Some(BadDay::Refused(failure)) => Err(failure),
            Some(BadDay::AnswerLost) => {
                act(&mut state)?;
                Err(Failure::retry("the connection was closed"))
            }
            None => act(&mut state),
        }
    }
}

impl TillPayment {
    /// What the customer's bank has of it.
    pub fn kept_by_bank(&self) -> i64 {
        let disputes = self.disputes.iter();
        disputes
            .map(|dispute| dispute.withdrawn - dispute.reinstated)
            .sum()
    }

    fn let_go(&mut self) {
        self.is_reserved = false;
        self.is_over = self.taken == 0 && !self.is_saved;
    }
}

fn seen(payment: &TillPayment) -> PaymentState {
    let refunded = payment.refunds.values().sum();
    PaymentState {
        status: match payment {
            TillPayment { taken: 1.., .. } => ExternalStatus::Paid,
            TillPayment { is_saved: true, .. }
            | TillPayment {
                is_reserved: true, ..
            } => ExternalStatus::Authorized,
            TillPayment { is_over: true, .. } => ExternalStatus::Over {
                reason: "called off".to_owned(),
            },
            _ => ExternalStatus::Waiting,
        },
        taken: payment.taken,
        refunded,
        failed_refunds: payment.failed_refunds.iter().map(failed).collect(),
        fee: (payment.taken > 0).then_some(payment.taken / 50),
        disputes: payment.disputes.clone(),
    }
}

fn failed((id, amount): (&String, &i64)) -> FailedRefund {
    FailedRefund {
        id: id.parse().ok(),
        amount: *amount,
        reason: NOT_TAKEN.to_owned(),
    }
}

fn known<'a>(state: &'a mut State, external_id: &str) -> Result<&'a mut TillPayment, Failure> {
    let found = state.payments.get_mut(external_id);
    found.ok_or_else(|| Failure::give_up("no such payment"))
}

impl Plugin for Till {
    fn name(&self) -> &'static str {
        "payments-till"
    }

    fn title(&self) -> &'static str {
        "Till"
    }

    fn description(&self) -> &'static str {
        "Takes payments in memory."
    }

    fn settings_schema(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false })
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, _: &Value) -> Result<(), SettingsError> {
        Ok(())
    }

    fn payments(&self) -> Option<&dyn Payments> {
        Some(self)
    }

    fn inbound(&self) -> Option<&dyn InboundWebhook> {
        Some(self)
    }
}

#[async_trait]
impl Payments for Till {
    fn window_minutes(&self, _: &PluginSettings) -> u32 {
        30
    }

    /// The last of three decimals is 0, and there are no Iraqi dinars.
    fn step(&self, currency: Currency) -> Option<i64> {
        match currency.code() {
            "KWD" => Some(10),
            "IQD" => None,
            _ => Some(1),
        }
    }

    async fn begin(
        &self,
        _: &PluginSettings,
        request: &PaymentRequest,
    ) -> Result<PaymentBegun, Failure> {
        let external_id = format!("till_{}", request.id);
        self.call(|state| {
            let first = state.asked.entry(external_id.clone());
            if first.or_insert_with(|| request.clone()) != request {
                return Err(Failure::give_up("the same key with another request"));
            }
            let payment = state.payments.entry(external_id.clone()).or_default();
            payment.amount = request.amount.amount;
            payment.kind = Some(request.kind);
            payment.saved_by.clone_from(&request.saved);
            Ok(PaymentBegun {
                client_secret: Some(format!("{external_id}_secret")),
                checkout_url: None,
                external_id,
            })
        })
    }

    async fn begun_as(&self, _: &PluginSettings, name: &str) -> Result<Option<String>, Failure> {
        self.call(|state| Ok(state.payments.contains_key(name).then(|| name.to_owned())))
    }

    async fn look_up(
        &self,
        _: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure> {
        self.call(|state| Ok(seen(known(state, external_id)?)))
    }

    async fn cancel(&self, _: &PluginSettings, external_id: &str) -> Result<PaymentState, Failure> {
        self.call(|state| {
            let payment = known(state, external_id)?;
            payment.let_go();
            Ok(seen(payment))
        })
    }

    async fn capture(
        &self,
        _: &PluginSettings,
        external_id: &str,
        amount: Money,
    ) -> Result<PaymentState, Failure> {
        self.call(|state| {
            let payment = known(state, external_id)?;
            if payment.is_reserved {
                if amount.amount > payment.amount {
                    return Err(Failure::give_up("more than is reserved"));
                }
                payment.taken = amount.amount;
                payment.is_reserved = false;
            }
            Ok(seen(payment))
        })
    }

    async fn charge_saved(
        &self,
        _: &PluginSettings,
        external_id: &str,
    ) -> Result<PaymentState, Failure> {
        self.call(|state| {
            let payment = known(state, external_id)?.clone();
            let card = payment.saved_by.as_deref().unwrap_or_default();
            if !known(state, card)?.is_saved {
                return Err(Failure::give_up("no card is saved"));
            }
            let declined = if payment.taken == 0 && payment.declined.is_none() {
                state.declines.pop_front()
            } else {
                payment.declined
            };
            let payment = known(state, external_id)?;
            payment.declined = declined;
            if let Some(reason) = payment.declined.clone() {
                return Ok(PaymentState {
                    status: ExternalStatus::Over { reason },
                    ..seen(payment)
                });
            }
            payment.taken = payment.amount;
            Ok(seen(payment))
        })
    }

    async fn refund(
        &self,
        _: &PluginSettings,
        request: &RefundRequest,
    ) -> Result<RefundState, Failure> {
        self.call(|state| {
            let id = request.id.to_string();
            let failed = &known(state, &request.external_id)?.failed_refunds;
            if failed.contains_key(&id) {
                let reason = NOT_TAKEN.to_owned();
                return Ok(RefundState {
                    external_id: id,
                    status: RefundStatus::Failed { reason },
                });
            }
            let is_made = known(state, &request.external_id)?
                .refunds
                .contains_key(&id);
            if !is_made && let Some(words) = state.refused_refunds.pop_front() {
                return Err(Failure::give_up(words));
            }
            let payment = known(state, &request.external_id)?;
            let others: i64 = payment
                .refunds
                .iter()
                .filter(|(known, _)| **known != id)
                .map(|(_, amount)| amount)
                .sum();
            if others + request.amount.amount > payment.taken - payment.kept_by_bank() {
                return Err(Failure::give_up("more than is left"));
            }
            payment.refunds.insert(id.clone(), request.amount.amount);
            Ok(RefundState {
                external_id: id,
                status: RefundStatus::Succeeded,
            })
        })
    }
}

impl InboundWebhook for Till {
    fn verify(
        &self,
        _: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        if request.header("till-signature") != Some("right") {
            return Err(InboundRefused::Signature);
        }
        let unreadable = || InboundRefused::Unreadable("expected an id".to_owned());
        let call: Value = serde_json::from_slice(&request.body).map_err(|_| unreadable())?;
        let text = |field: &str| call[field].as_str().map(str::to_owned);
        let about = match text("payment") {
            Some(external_id) => InboundAbout::Payment { external_id },
            None => InboundAbout::Nothing,
        };
        Ok(Inbound::new(text("id").ok_or_else(unreadable)?, about))
    }
}
