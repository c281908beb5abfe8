//! Everything that can happen to payments, at random: booked, paid, reserved, taken, let go, called about twice and late, cancelled, paid back,
//! charged a fee, declined, run out of time, on good days and bad. In the end the ledger is what the other side has, paid means booked, and nobody paid for nothing.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::deposit::{CaptureMethod, Deposit};
use domain::id::{BookingId, ServiceId};
use domain::payment::{DisputeStatus, Payment, PaymentKind, PaymentStatus};
use engine::catalogue::service::ServiceInput;
use engine::inbound::InboundAnswer;
use engine::payment::{CapturePayment, ChargeFee, RefundPayment};
use engine::{Error, Result};
use jobs::{Backoff, JobOptions, Jobs};
use plugin_api::{Failure, InboundRequest};
use serde_json::json;
use test_support::{BadDay, Deliveries, Slow, Till, World, WorldOptions, invariants};

use crate::storm::Dice;

const STEPS: usize = 90;
const PRICE: i64 = 9000;

struct Stage {
    world: World,
    till: Arc<Till>,
    /// One for each way to ask for money.
    services: Vec<ServiceId>,
    dice: Dice,
    bookings: Vec<BookingId>,
    calls: Vec<(String, String)>,
}

impl Stage {
    async fn new(seed: u64) -> Self {
        let till = Till::new();
        let world = World::with(WorldOptions {
            plugins: vec![till.clone()],
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let mut services = Vec::new();
        for (number, (deposit, capture)) in [
            (Deposit::Percent { percent: 30 }, CaptureMethod::Automatic),
            (Deposit::Percent { percent: 30 }, CaptureMethod::Manual),
            (Deposit::CardOnFile, CaptureMethod::Automatic),
        ]
        .into_iter()
        .enumerate()
        {
            let priced = ServiceInput {
                name: Some(format!("Service {number}")),
                price: Some(i32::try_from(PRICE).unwrap()),
                capacity: Some(20),
                deposit: Some(deposit),
                capture: Some(capture),
                ..ServiceInput::default()
            };
            services.push(world.service(60, &[anna], priced).await);
        }
        Self {
            world,
            till,
            services,
            dice: Dice(seed * 7919 + 17),
            bookings: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn one(&mut self) -> Option<BookingId> {
        let turn = self.dice.roll(self.bookings.len().max(1));
        self.bookings.get(turn).copied()
    }

    /// What was asked for with the booking, and the fees since.
    async fn payments(&self, booking: BookingId) -> (Payment, Vec<Payment>) {
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        let views = engine.payments_of(owner, &[booking]).await.unwrap();
        let all = views.into_iter().map(|view| view.payment);
        let (fees, mut others): (Vec<_>, Vec<_>) =
            all.partition(|payment| payment.kind == PaymentKind::Fee);
        assert_eq!(others.len(), 1, "each is asked for once");
        (others.remove(0), fees)
    }

    async fn payment(&self, booking: BookingId) -> Payment {
        self.payments(booking).await.0
    }

    fn amount(&mut self, most: usize) -> i64 {
        1 + i64::try_from(self.dice.roll(most)).unwrap()
    }

    async fn book(&mut self) -> Result<()> {
        // A provider has one session at a time: each service has hours of its own.
        let kind = self.dice.roll(self.services.len());
        let hour = 9 + kind + 3 * self.dice.roll(2);
        let starts = format!("2027-03-02T{hour:02}:00:00Z");
        let input = self.world.booking(self.services[kind], &starts, "Eve");
        let booked = self
            .world
            .engine
            .book(&self.world.visitor, input, None)
            .await?;
        self.bookings.push(booked.made.booking.id);
        Ok(())
    }

    /// The customer pays if they can, and the other side calls: now, later, twice or never.
    async fn pay(&mut self, booking: BookingId) {
        let payment = self.payment(booking).await;
        let Some(external_id) = payment.external_id else {
            return;
        };
        let slow = [
            Some(Slow::Voucher),
            Some(Slow::Bank),
            None,
            None,
            None,
            None,
        ];
        match slow[self.dice.roll(slow.len())] {
            // Some come back another time and end it.
            Some(way) => self.till.pay_slowly(&external_id, way),
            None => self.till.pay(&external_id),
        };
        let name = format!("evt_{}", self.dice.roll(1000));
        for _ in 0..self.dice.roll(3) {
            self.calls.push((name.clone(), external_id.clone()));
        }
    }

    async fn call(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let turn = self.dice.roll(self.calls.len());
        let (id, payment) = self.calls.swap_remove(turn);
        let request = InboundRequest {
            url: String::new(),
            headers: vec![("till-signature".to_owned(), "right".to_owned())],
            body: json!({ "id": id, "payment": payment })
                .to_string()
                .into_bytes(),
            at: self.world.clock.now(),
            business_name: String::new(),
        };
        let (engine, slug) = (&self.world.engine, &self.world.slug);
        let answer = engine.take_call(slug, "payments-till", request).await;
        assert_eq!(answer.unwrap(), InboundAnswer::Kept(None));
    }

    /// A bank takes money back, and keeps some of it for good.
    async fn dispute(&mut self, booking: BookingId) {
        let (payment, mut of) = self.payments(booking).await;
        of.push(payment);
        let turn = self.dice.roll(of.len());
        let Some(external_id) = of[turn].external_id.clone() else {
            return;
        };
        if !self.till.dispute(&external_id) {
            self.till.decide(&external_id, DisputeStatus::Lost);
        }
        let name = format!("evt_dispute_{}", self.dice.roll(1_000_000_000));
        self.calls.push((name, external_id));
    }

    /// A bank does not take what was paid back.
    async fn fail_refund(&mut self, booking: BookingId) {
        let (payment, mut of) = self.payments(booking).await;
        of.push(payment);
        let turn = self.dice.roll(of.len());
        let Some(external_id) = of[turn].external_id.clone() else {
            return;
        };
        if self.till.fail_refund(&external_id) {
            let name = format!("evt_refund_{}", self.dice.roll(1_000_000_000));
            self.calls.push((name, external_id));
        }
    }

    async fn step(&mut self) -> Result<()> {
        let (engine, owner) = (self.world.engine.clone(), self.world.owner);
        match (self.dice.roll(16), self.one()) {
            (0 | 1, _) | (_, None) => self.book().await?,
            (2 | 3, Some(booking)) => self.pay(booking).await,
            (4, _) => self.call().await,
            (5, Some(booking)) => {
                engine.cancel(&owner, booking, None, None, None).await?;
            }
            (6, Some(booking)) => {
                let (payment, mut of) = self.payments(booking).await;
                of.push(payment);
                let turn = self.dice.roll(of.len());
                let refund = RefundPayment {
                    payment_id: of[turn].id,
                    amount: Some(self.amount(2000)),
                    reason: None,
                };
                engine.refund(&owner, refund, None).await?;
            }
            (8 | 9, Some(booking)) => {
                let capture = CapturePayment {
                    payment_id: self.payment(booking).await.id,
                    amount: (self.dice.roll(2) == 0).then(|| self.amount(2700)),
                };
                engine.capture_payment(&owner, capture, None).await?;
            }
            (10, Some(booking)) => {
                let fee = ChargeFee {
                    booking_id: booking,
                    amount: self.amount(6000),
                    reason: None,
                };
                if self.dice.roll(4) == 0 {
                    self.till.decline("Your card was declined.");
                }
                engine.charge_fee(&owner, fee, None).await?;
            }
            (11, Some(booking)) => {
                let payment = self.payment(booking).await;
                if payment.kind == PaymentKind::Authorize
                    && let Some(external_id) = payment.external_id
                {
                    // Now and then a bank lets go of what it has reserved.
                    self.till.lapse(&external_id);
                    self.calls
                        .push((format!("evt_{}", self.dice.roll(1000)), external_id));
                }
            }
            (12, Some(booking)) => self.dispute(booking).await,
            (13, Some(booking)) => self.fail_refund(booking).await,
            (14, _) => self.till.refuse_refund("not this one"),
            (7, _) => {
                let minutes = i64::try_from(self.dice.roll(20)).unwrap();
                self.world.clock.advance(TimeDelta::minutes(minutes));
            }
            (_, _) => self.till.bad_day(if self.dice.roll(2) == 0 {
                BadDay::AnswerLost
            } else {
                BadDay::Refused(Failure::retry("not now"))
            }),
        }
        Ok(())
    }

    /// Until nothing is left to do, however often it is put off.
    async fn settled(&self, deliveries: &mut Deliveries) {
        for _ in 0..40 {
            self.world.clock.advance(TimeDelta::minutes(10));
            let now = self.world.clock.now().to_rfc3339();
            let due = format!("status = 'waiting' AND next_attempt_at <= '{now}'");
            deliveries.until(0, &due).await;
        }
    }

    /// Staff pay back what failed to reach those who are not booked.
    async fn make_good(&self) {
        self.till.refuse_no_refund();
        for id in &self.bookings {
            let (engine, owner) = (&self.world.engine, &self.world.owner);
            let found = engine.booking(owner, *id).await.unwrap();
            let refund = RefundPayment {
                payment_id: self.payment(*id).await.id,
                amount: None,
                reason: None,
            };
            if found.unwrap().0.status == BookingStatus::Confirmed {
                continue;
            }
            match engine.refund(owner, refund, None).await {
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// What is true in the end.
    async fn check(&self) {
        assert_eq!(invariants(&self.world.url).await.unwrap(), []);
        let there = self.till.payments();
        let mut asked = 0;
        for id in &self.bookings {
            let found = self
                .world
                .engine
                .booking(&self.world.owner, *id)
                .await
                .unwrap();
            let (booking, _) = found.unwrap();
            let (payment, fees) = self.payments(*id).await;
            asked += 1 + fees.len();
            for known in fees.iter().chain([&payment]) {
                let Some(external_id) = &known.external_id else {
                    // It was over before it had begun, and nobody was told how to pay it.
                    assert_eq!(known.taken, 0, "{known:?}");
                    continue;
                };
                let till = &there[external_id];
                let back: i64 = till.refunds.values().sum();
                assert_eq!(
                    (known.taken, known.refunded, known.kept_by_banks()),
                    (till.taken, back, till.kept_by_bank()),
                    "{known:?}"
                );
            }
            for fee in fees.iter().filter(|fee| fee.external_id.is_some()) {
                let is_taken = fee.taken == fee.amount.amount;
                assert_ne!(fee.status == PaymentStatus::Failed, is_taken, "{fee:?}");
            }
            let fees: i64 = fees.iter().map(Payment::left).sum();
            assert!(fees <= PRICE, "{fees} of {id}");
            self.check_asked(booking.status, &payment);
        }
        assert!(there.len() <= asked, "nobody was asked twice");
    }

    /// What was asked for with the booking is as the booking is.
    fn check_asked(&self, booking: BookingStatus, payment: &Payment) {
        let Some(external_id) = &payment.external_id else {
            assert_ne!(booking, BookingStatus::Confirmed, "{payment:?}");
            return;
        };
        let till = &self.till.payments()[external_id];
        let back: i64 = till.refunds.values().sum();
        if booking != BookingStatus::Confirmed {
            assert_eq!(
                till.taken,
                back + till.kept_by_bank(),
                "whoever is not booked has their money: {payment:?}"
            );
            assert!(!till.is_reserved, "and all of it: {payment:?}");
            return;
        }
        match payment.kind {
            PaymentKind::Charge => assert_eq!(till.taken, 2700, "{payment:?}"),
            PaymentKind::SaveCard => assert!(till.is_saved, "{payment:?}"),
            _ => assert_eq!(
                till.taken,
                match payment.status {
                    PaymentStatus::Authorized | PaymentStatus::Failed => 0,
                    _ => payment.capture_amount.unwrap(),
                },
                "{payment:?}"
            ),
        }
    }
}

async fn storm(seed: u64) {
    let mut stage = Stage::new(seed).await;
    let mut deliveries = Deliveries::watch(&stage.world.url).await;
    let options = JobOptions {
        poll: Duration::from_millis(20),
        backoff: Backoff {
            first: Duration::from_secs(1),
            attempts: 1000,
            ..Backoff::default()
        },
        ..JobOptions::default()
    };
    let jobs = Jobs::start(stage.world.engine.clone(), options);
    for _ in 0..STEPS {
        match stage.step().await {
            // What makes no sense is refused, and that is all.
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    while !stage.calls.is_empty() {
        stage.call().await;
    }
    stage.settled(&mut deliveries).await;
    stage.make_good().await;
    stage.settled(&mut deliveries).await;
    stage.check().await;
    jobs.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_the_ledger_adds_up_and_paid_means_booked() {
    let storms = (1..=6).map(|seed| tokio::spawn(storm(seed)));
    for ended in futures_util::future::join_all(storms).await {
        ended.unwrap();
    }
}
