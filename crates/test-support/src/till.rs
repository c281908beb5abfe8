//! Another side that takes payments, in memory: with idempotency keys, and bad days on request.

mod calls;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use plugin_api::{Dispute, DisputeStatus, Failure, PaymentKind, PaymentRequest};

use crate::Obstacle;

/// What goes wrong with the next call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadDay {
    /// It is refused before anything is done.
    Refused(Failure),
    /// It is done, and the answer is lost.
    AnswerLost,
    /// The plugin blocks its thread.
    Blocks,
    /// The plugin panics.
    Panics,
}

/// A way to pay that takes days, and that cannot be called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// The customer has a voucher, to be paid in a shop.
    Voucher,
    /// The customer has paid, and the bank is working on it.
    Bank,
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
    /// How it is being paid, if that takes days.
    pub slow: Option<Slow>,
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

/// The plugin, and its other side. Every business uses it.
#[derive(Default)]
pub struct Till {
    state: Mutex<State>,
    /// Where it blocks.
    pub obstacle: Obstacle,
}

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

    /// The customer begins to pay in a way that takes days, and [`Till::pay`] ends it; false if it was called off or is paid.
    pub fn pay_slowly(&self, external_id: &str, way: Slow) -> bool {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        let is_payable = !payment.is_over && payment.taken == 0;
        if is_payable && payment.kind == Some(PaymentKind::Charge) {
            payment.slow = Some(way);
        }
        is_payable
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

    /// The first refund that went out comes back: the customer's bank does not take it. False if there is none.
    pub fn fail_refund(&self, external_id: &str) -> bool {
        let mut state = self.state();
        let payment = state.payments.get_mut(external_id).expect("a payment");
        let failed = payment.refunds.pop_first();
        payment.failed_refunds.extend(failed.clone());
        failed.is_some()
    }

    /// Every payment, by its name here.
    pub fn payments(&self) -> HashMap<String, TillPayment> {
        self.state().payments.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Does a call, on a good day or a bad one.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
        let day = {
            let mut state = self.state();
            if state.is_closed {
                return Err(Failure::retry("closed"));
            }
            state.days.pop_front().flatten()
        };
        match day {
            Some(BadDay::Refused(failure)) => Err(failure),
            Some(BadDay::AnswerLost) => {
                act(&mut self.state())?;
                Err(Failure::retry("the connection was closed"))
            }
            Some(BadDay::Blocks) => {
                self.obstacle.block();
                act(&mut self.state())
            }
            Some(BadDay::Panics) => panic!("as it was told"),
            None => act(&mut self.state()),
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
        self.is_over = self.taken == 0 && !self.is_saved && self.slow.is_none();
    }
}
