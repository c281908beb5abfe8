//! Everything that the server knows.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use serde_json::Value;

use crate::confirm::Decline;
use crate::event::Event;
use crate::fault::{Call, Fault};
use crate::form::Form;

pub(crate) const SECRET_KEY: &str = "sk_test_51FakeStripeOfTheTests";

pub(crate) type Metadata = BTreeMap<String, String>;

/// A call that came in, faults or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Which.
    pub call: Call,
    /// Its idempotency key.
    pub key: Option<String>,
    /// Its form or query, names and values as they came.
    pub form: Vec<(String, String)>,
}

/// Money that was really taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// For which payment, `pi_…`.
    pub payment_intent: String,
    /// How much, as Stripe counts it.
    pub amount: i64,
    /// In which currency, in lower case.
    pub currency: String,
    /// What was said of it.
    pub metadata: BTreeMap<String, String>,
}

/// Money that was really paid back, or is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// Which refund, `re_…`.
    pub refund: String,
    /// Of which payment, `pi_…`.
    pub payment_intent: String,
    /// How much, as Stripe counts it.
    pub amount: i64,
    /// `succeeded`, `pending` or `failed`.
    pub status: String,
    /// What was said of it.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct PaymentIntent {
    pub id: String,
    pub amount: i64,
    pub currency: String,
    pub is_manual: bool,
    pub status: &'static str,
    /// Whether a way of paying may be taken that sends the customer elsewhere.
    pub is_redirecting: bool,
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub metadata: Metadata,
    pub description: Option<String>,
    pub receipt_email: Option<String>,
    /// The session that made it.
    pub session: Option<String>,
    pub charge: Option<Charge>,
    pub last_error: Option<Decline>,
    pub cancellation_reason: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub id: String,
    pub captured: i64,
    /// Paid back, or let go of a reservation.
    pub refunded: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct SetupIntent {
    pub id: String,
    pub status: &'static str,
    pub customer: Option<String>,
    /// Once it is completed.
    pub payment_method: Option<String>,
    pub metadata: Metadata,
}

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub id: String,
    pub status: &'static str,
    pub is_paid: bool,
    pub is_setup: bool,
    pub amount: i64,
    pub currency: String,
    pub customer: Option<String>,
    /// What its PaymentIntent or SetupIntent is made of.
    pub intent: Form,
    pub metadata: Metadata,
    pub payment_intent: Option<String>,
    pub setup_intent: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub id: String,
    pub payment_intent: String,
    pub amount: i64,
    pub status: &'static str,
    pub failure_reason: Option<String>,
    pub metadata: Metadata,
}

#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub id: String,
    pub payment_intent: String,
    pub amount: i64,
    pub status: &'static str,
    /// What moved because of it: below zero away from the business.
    pub moved: Vec<i64>,
}

/// The answer to the first call with a key.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub asked: (String, Form),
    pub status: u16,
    pub body: Value,
    /// For how long.
    pub until: TimeDelta,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    sequence: u64,
    pub payments: BTreeMap<String, PaymentIntent>,
    pub setups: BTreeMap<String, SetupIntent>,
    pub sessions: BTreeMap<String, Session>,
    pub customers: BTreeMap<String, Metadata>,
    /// Cards that are saved, and whose they are.
    pub methods: BTreeMap<String, String>,
    /// What banks say to a card that is charged without its owner, where they say no.
    pub declines: Option<Decline>,
    /// In the order in which they were made.
    pub refunds: Vec<Refund>,
    /// In the order in which they were opened.
    pub disputes: Vec<Dispute>,
    pub kept: BTreeMap<String, Kept>,
    /// How much time has passed.
    pub passed: TimeDelta,
    pub faults: VecDeque<(Call, Fault)>,
    pub calls: Vec<Called>,
    pub events: Vec<(Event, Value)>,
    /// New refunds wait for the bank.
    pub refunds_wait: bool,
    /// What the account is paid out in, where it is not the currency of the payment.
    pub settles_in: Option<String>,
}

impl World {
    /// A new name, which sorts after the ones before.
    pub fn id(&mut self, prefix: &str) -> String {
        self.sequence += 1;
        format!("{prefix}_3Fake{:08}", self.sequence)
    }

    /// When something happened: one second after the other.
    pub fn tick(&mut self) -> u64 {
        self.sequence += 1;
        1_800_000_000 + self.sequence
    }
}
