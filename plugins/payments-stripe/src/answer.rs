//! Stripe's answers, as far as they are read. Everything that is not needed is let be, so that other versions can be read too.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Something that Stripe answers by its id, or in full where that was asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expandable<T> {
    Whole(Box<T>),
    Id(String),
}

impl<T> Expandable<T> {
    /// The thing, where it came in full.
    pub fn whole(&self) -> Option<&T> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Id(_) => None,
        }
    }
}

impl Expandable<Charge> {
    /// Whether there are more refunds than came with it.
    pub fn has_more_refunds(&self) -> bool {
        let refunds = self.whole().and_then(|charge| charge.refunds.as_ref());
        refunds.is_some_and(|refunds| refunds.has_more)
    }
}

impl Expandable<Named> {
    /// The name of the thing.
    pub fn id(&self) -> &str {
        match self {
            Self::Whole(named) => &named.id,
            Self::Id(id) => id,
        }
    }
}

/// Something of which only the name is read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    pub id: String,
}

/// A payment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PaymentIntent {
    pub id: String,
    pub status: String,
    pub currency: String,
    #[serde(default)]
    pub amount_received: i64,
    pub client_secret: Option<String>,
    pub latest_charge: Option<Expandable<Charge>>,
    pub last_payment_error: Option<LastError>,
    pub cancellation_reason: Option<String>,
}

/// The card's side of a payment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Charge {
    #[serde(default)]
    pub amount: i64,
    #[serde(default)]
    pub amount_captured: i64,
    #[serde(default)]
    pub amount_refunded: i64,
    /// What was paid back and is, where it was asked for; of many the newest.
    pub refunds: Option<List<Refund>>,
    /// Whether there was ever a dispute about it.
    #[serde(default)]
    pub disputed: bool,
    pub balance_transaction: Option<Expandable<BalanceTransaction>>,
}

/// The business's side of a payment.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BalanceTransaction {
    pub fee: i64,
    pub currency: String,
}

/// Why the last attempt to pay failed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LastError {
    pub message: Option<String>,
}

/// A card that is to be saved.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SetupIntent {
    pub id: String,
    pub status: String,
    pub client_secret: Option<String>,
    pub cancellation_reason: Option<String>,
    pub customer: Option<Expandable<Named>>,
    pub payment_method: Option<Expandable<Named>>,
}

/// A visit to Stripe's own payment page.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Session {
    pub id: String,
    pub status: Option<String>,
    pub url: Option<String>,
    pub payment_intent: Option<Expandable<PaymentIntent>>,
    pub setup_intent: Option<Expandable<SetupIntent>>,
}

/// A refund.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Refund {
    pub id: String,
    #[serde(default)]
    pub amount: i64,
    pub status: Option<String>,
    pub failure_reason: Option<String>,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// A dispute about a charge.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dispute {
    pub id: String,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    #[serde(default)]
    pub balance_transactions: Vec<Movement>,
    pub evidence_details: Option<EvidenceDetails>,
}

/// Money that a dispute has moved: below zero away from the business.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Movement {
    pub amount: i64,
}

/// What can be answered to a dispute; only the time is read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EvidenceDetails {
    pub due_by: Option<i64>,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// What the account holds; only the mode is read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Balance {
    pub livemode: bool,
}
