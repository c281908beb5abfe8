//! What is asked for after the booking, by way of Stripe's protocol: reservations that are taken, and fees from saved cards. Every answer is
//! lost once, keys are forgotten as after a day, and by Stripe's own records the money moves once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::deposit::{CaptureMethod, Deposit};
use fake_stripe::{Call, Decline, Fault};
use jobs::{Backoff, Next};
use outbound::{Outbound, OutboundOptions};
use payments_stripe::{Options, PaymentsStripe};
use plugin_api::Plugin;
use serde_json::{Value, json};

use crate::stripe::{Stage, name_at_stripe, ways};

impl Stage {
    /// A booking whose payment the customer has completed, and the name of the payment at Stripe.
    pub(crate) async fn completed(&mut self) -> (Value, String) {
        let booked = self.book("2027-03-02T10:00:00Z").await;
        let external_id = name_at_stripe(&booked);
        let event = self.stripe.pay(&external_id).unwrap();
        assert_eq!(self.tell(&event).await, 200);
        self.done().await;
        assert_eq!(self.booking(&booked).await["status"], "CONFIRMED");
        (booked, external_id)
    }

    async fn ask(&self, mutation: &str, kind: &str, input: Value) -> Value {
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ payment {{ id }} problems {{ code }} }} }}"
        );
        let data = self.owner.data(&query, json!({ "input": input })).await;
        assert_eq!(data[mutation]["problems"], json!([]));
        data[mutation]["payment"]["id"].clone()
    }

    pub(crate) async fn fee(&self, booked: &Value, amount: i64) -> Value {
        let input =
            json!({ "bookingId": booked["booking"]["id"], "amount": amount, "reason": "No-show" });
        self.ask("chargeFee", "ChargeFeeInput", input).await
    }

    pub(crate) async fn payment(&self, id: &Value) -> Value {
        let query = "query($id: ID!) { node(id: $id) { ... on Payment { kind status clientSecret checkoutUrl } } }";
        self.owner.data(query, json!({ "id": id })).await["node"].clone()
    }

    /// Waits until it was tried in vain, and until it works another day.
    async fn a_day_later(&mut self, part: &str) {
        let tried = format!(
            "status = 'waiting' AND part LIKE '{part}%' AND last_error IS NOT NULL AND leased_until IS NULL"
        );
        self.deliveries.until(1, &tried).await;
        self.stripe.forget_keys();
        self.app.world.clock.advance(TimeDelta::days(1));
        self.done().await;
    }

    /// Lets time pass, here and at Stripe, until a delivery whose part begins so is tried for the next time, has ended that, and so on until it is done;
    /// answers how often it was tried.
    async fn tried_until_done(&mut self, part: &str) -> usize {
        let database = test_support::connect(&self.app.world.url).await;
        let next = format!(
            "SELECT next_attempt_at FROM delivery WHERE part LIKE '{part}%' AND status = 'waiting'"
        );
        for attempt in 1.. {
            let ended = format!(
                "part LIKE '{part}%' AND leased_until IS NULL AND (status <> 'waiting' OR attempts = {attempt})"
            );
            self.deliveries.until(1, &ended).await;
            let Some(row) = database.query_opt(&next, &[]).await.unwrap() else {
                return attempt;
            };
            let next: std::time::SystemTime = row.get(0);
            let wait = chrono::DateTime::<chrono::Utc>::from(next) - self.app.world.clock.now();
            self.stripe.advance(wait);
            self.app.world.clock.advance(wait);
        }
        unreachable!()
    }

    pub(crate) fn charged(&self) -> Vec<i64> {
        let charges = self.stripe.charges();
        charges.iter().map(|charge| charge.amount).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_taken_once_whichever_answer_is_lost() {
    let calls = [Call::CapturePaymentIntent, Call::GetSession];
    for (way, call) in ways().into_iter().zip(calls) {
        let mut stage = Stage::with(way, Deposit::Full, CaptureMethod::Manual).await;
        let (booked, _) = stage.completed().await;
        assert!(stage.charged().is_empty());
        stage.stripe.fault(call, Fault::AnswerLost);
        stage
            .stripe
            .fault(Call::CapturePaymentIntent, Fault::AnswerLost);
        let input = json!({ "paymentId": booked["payment"]["id"], "amount": 4000 });
        let id = stage
            .ask("capturePayment", "CapturePaymentInput", input)
            .await;
        stage.a_day_later("payment-capture").await;
        if stage.payment(&id).await["status"] != "PAID" {
            stage.a_day_later("payment-capture").await;
        }
        assert_eq!(stage.payment(&id).await["status"], "PAID");
        assert_eq!(stage.booking(&booked).await["balance"]["amount"], 5000);
        assert_eq!(stage.charged(), [4000]);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_let_go_with_its_booking_or_by_the_bank() {
    for (turn, way) in ways().into_iter().cycle().take(4).enumerate() {
        let mut stage = Stage::with(way, Deposit::Full, CaptureMethod::Manual).await;
        let (booked, external_id) = stage.completed().await;
        let (status, is_cancelled) = if turn < 2 {
            let cancel =
                "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
            let input = json!({ "bookingId": booked["booking"]["id"] });
            stage.owner.data(cancel, json!({ "input": input })).await;
            ("CANCELLED", true)
        } else {
            let event = stage.stripe.let_lapse(&external_id).unwrap();
            assert_eq!(stage.tell(&event).await, 200);
            ("CONFIRMED", false)
        };
        stage.done().await;
        let after = stage.booking(&booked).await;
        assert_eq!(
            (&after["status"], &after["payments"][0]["status"]),
            (&json!(status), &json!("FAILED")),
            "cancelled: {is_cancelled}"
        );
        assert!(stage.charged().is_empty());
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_charged_once_whichever_answer_is_lost() {
    for (number, way) in ways().into_iter().enumerate() {
        let saved = [Call::GetSetupIntent, Call::GetSession][number];
        for calls in [
            vec![saved],
            vec![Call::CreatePaymentIntent],
            vec![Call::ConfirmPaymentIntent],
            vec![
                Call::CreatePaymentIntent,
                Call::ConfirmPaymentIntent,
                Call::GetPaymentIntent,
            ],
        ] {
            let mut stage =
                Stage::with(way.clone(), Deposit::CardOnFile, CaptureMethod::Automatic).await;
            let (booked, _) = stage.completed().await;
            for call in &calls {
                stage.stripe.fault(*call, Fault::AnswerLost);
            }
            let id = stage.fee(&booked, 3000).await;
            for _ in &calls {
                stage.a_day_later("payment-fee").await;
            }
            let fee = stage.payment(&id).await;
            assert_eq!(
                fee,
                json!({ "kind": "FEE", "status": "PAID", "clientSecret": null, "checkoutUrl": null }),
                "{calls:?}"
            );
            assert_eq!(stage.charged(), [3000], "{calls:?}");
            assert_eq!(stage.booking(&booked).await["status"], "CONFIRMED");
            stage.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_is_declined_is_told_and_not_tried_again() {
    for decline in [Decline::CardDeclined, Decline::AuthenticationRequired] {
        let mut stage = Stage::with(json!({}), Deposit::CardOnFile, CaptureMethod::Automatic).await;
        let (booked, _) = stage.completed().await;
        stage.stripe.decline_saved_cards(Some(decline));
        stage
            .stripe
            .fault(Call::ConfirmPaymentIntent, Fault::AnswerLost);
        let before = stage.stripe.events().len();
        let id = stage.fee(&booked, 3000).await;
        let tried = "status = 'waiting' AND part LIKE 'payment-fee%' AND last_error IS NOT NULL";
        stage.deliveries.until(1, tried).await;
        // By the time it is tried again the card would be good.
        stage.stripe.decline_saved_cards(None);
        stage.app.world.clock.advance(TimeDelta::minutes(1));
        stage.done().await;
        for event in stage.stripe.events().split_off(before) {
            assert_eq!(stage.tell(&event.id).await, 200);
        }
        stage.done().await;
        assert_eq!(stage.payment(&id).await["status"], "FAILED");
        assert_eq!(stage.booking(&booked).await["status"], "CONFIRMED");
        assert!(stage.charged().is_empty());
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_a_payment_is_found_while_there_is_time() {
    for way in ways() {
        let mut stage = Stage::with(way, Deposit::Full, CaptureMethod::Automatic).await;
        let booked = stage.book("2027-03-02T10:00:00Z").await;
        stage.app.world.clock.advance(TimeDelta::minutes(2));
        stage.done().await;
        stage.stripe.pay(&name_at_stripe(&booked)).unwrap();
        stage.app.world.clock.advance(TimeDelta::minutes(2));
        stage.done().await;
        assert_eq!(stage.booking(&booked).await["status"], "CONFIRMED");
        assert_eq!(stage.charged(), [9000]);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_gets_through_when_stripe_has_stopped_to_repeat_its_error() {
    let mut stage = Stage::with(json!({}), Deposit::Full, CaptureMethod::Automatic).await;
    let (booked, _) = stage.completed().await;
    stage.stripe.fault(Call::CreateRefund, Fault::BreakDown);
    let input = json!({ "paymentId": booked["payment"]["id"], "amount": 4000 });
    stage.ask("refund", "RefundInput", input).await;
    stage.tried_until_done("payment-refund").await;
    stage.deliveries.until(0, "status = 'parked'").await;
    let refunds = stage.stripe.refunds();
    assert_eq!((refunds.len(), refunds[0].amount), (1, 4000));
    let after = stage.booking(&booked).await;
    assert_eq!(after["payments"][0]["refunded"]["amount"], 4000);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_gets_through_when_stripe_has_stopped_to_repeat_its_error() {
    let mut stage = Stage::with(json!({}), Deposit::CardOnFile, CaptureMethod::Automatic).await;
    let (booked, _) = stage.completed().await;
    stage
        .stripe
        .fault(Call::CreatePaymentIntent, Fault::BreakDown);
    let id = stage.fee(&booked, 3000).await;
    stage.tried_until_done("payment-fee").await;
    assert_eq!(stage.payment(&id).await["status"], "PAID");
    assert_eq!(stage.charged(), [3000]);
    stage.end().await;
}

/// However the waits between attempts fall, there are some when Stripe has forgotten a key, which it may do after a day.
#[test]
fn some_attempts_come_after_the_life_of_a_key() {
    let outbound = Outbound::new(OutboundOptions::default()).unwrap();
    let plugin = PaymentsStripe::new(Options {
        outbound,
        timeout: Duration::from_secs(2),
    });
    let mut age = TimeDelta::zero();
    let mut late = 0;
    for attempt in 1.. {
        let shortest = Backoff::default().after(attempt, plugin.attempts(), None, age, 0);
        let Next::Again(wait) = shortest else { break };
        age += wait;
        late += usize::from(age >= TimeDelta::hours(30));
    }
    assert!(late >= 3, "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_of_a_page_keeps_no_time_and_what_is_paid_later_goes_back_once() {
    for is_told in [true, false] {
        let [_, page] = ways();
        let mut stage = Stage::with(page, Deposit::Full, CaptureMethod::Automatic).await;
        let booked = stage.book("2027-03-02T10:00:00Z").await;
        let session = name_at_stripe(&booked);
        let before = stage.stripe.events().len();
        stage.stripe.hand_voucher(&session).unwrap();
        stage.tell_since(before).await;
        stage.app.world.clock.advance(TimeDelta::minutes(31));
        stage.done().await;
        let over = stage.booking(&booked).await;
        assert_eq!(
            (&over["status"], &over["payments"][0]["status"]),
            (&json!("EXPIRED"), &json!("EXPIRED"))
        );
        let before = stage.stripe.events().len();
        stage.stripe.pay(&session).unwrap();
        if is_told {
            stage.tell_since(before).await;
            stage.tell_since(before).await;
        }
        for _ in 0..3 {
            stage.app.world.clock.advance(TimeDelta::hours(1));
            stage.done().await;
        }
        let after = stage.booking(&booked).await;
        assert_eq!(
            (&after["status"], &after["payments"][0]["status"]),
            (&json!("EXPIRED"), &json!("REFUNDED"))
        );
        let refunds = stage.stripe.refunds();
        assert_eq!((refunds.len(), refunds[0].amount), (1, 9000));
        stage.end().await;
    }
}
