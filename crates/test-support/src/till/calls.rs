//! The calls that the till takes, on good days and bad ones.

use domain::money::{Currency, Money};
use plugin_api::{
    ExternalStatus, FailedRefund, Failure, Inbound, InboundAbout, InboundRefused, InboundRequest,
    InboundWebhook, PaymentBegun, PaymentRequest, PaymentState, Payments, Plugin, PluginSettings,
    RefundRequest, RefundState, RefundStatus, SettingsError, async_trait,
};
use serde_json::{Value, json};

use super::{Slow, State, Till, TillPayment};

/// Why a refund came back.
const NOT_TAKEN: &str = "the account is closed";

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
            TillPayment {
                slow: Some(Slow::Voucher),
                ..
            } => ExternalStatus::Unpaid,
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
        match request.header("till-signature") {
            Some("right") => {}
            Some("blocks") => self.obstacle.block(),
            Some("panics") => panic!("as it was told"),
            _ => return Err(InboundRefused::Signature),
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
