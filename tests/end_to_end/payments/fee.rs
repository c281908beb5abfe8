//! Fees from cards that were saved: taken once and not beyond the price, whatever the booking has come to, and without a change to it.

use chrono::TimeDelta;
use domain::actor::Role;
use domain::deposit::{CaptureMethod, Deposit};
use plugin_api::Failure;
use serde_json::{Value, json};
use test_support::{BadDay, Client, TillPayment};

use super::stage::{Asked, Stage};

async fn charge(stage: &Stage, asked: &Asked, amount: i64) -> Value {
    let input = json!({ "bookingId": asked.booking, "amount": amount, "reason": "No-show" });
    stage.ask("chargeFee", input).await
}

/// The fees that the other side has.
fn fees(stage: &Stage) -> Vec<TillPayment> {
    let all = stage.till.payments().into_values();
    all.filter(|payment| payment.saved_by.is_some()).collect()
}

/// The fee of a booking that has one.
async fn fee(stage: &Stage, asked: &Asked) -> Value {
    stage.booking(asked).await["payments"][1].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_taken_from_the_card_that_was_saved_and_can_be_paid_back() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.asked().await;
    let unsaved = charge(&stage, &asked, 3000).await;
    assert_eq!(unsaved["problems"][0]["code"], "CONFLICT");
    stage.till.pay(&asked.external_id);
    stage.call("evt_1", &asked, "right").await;
    stage.done().await;
    for wrong in [0, -1, 9001] {
        let refused = charge(&stage, &asked, wrong).await;
        assert_eq!(
            (
                &refused["problems"][0]["code"],
                &refused["problems"][0]["path"]
            ),
            (&json!("INVALID"), &json!(["input", "amount"]))
        );
    }
    let before = stage.booking(&asked).await;
    let asked_for = charge(&stage, &asked, 3000).await;
    assert_eq!(asked_for["problems"], json!([]));
    assert_eq!(
        (
            &asked_for["payment"]["kind"],
            &asked_for["payment"]["clientSecret"]
        ),
        (&json!("FEE"), &Value::Null)
    );
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(
        (&after["status"], &after["balance"], &after["history"]),
        (&before["status"], &before["balance"], &before["history"])
    );
    let paid = fee(&stage, &asked).await;
    assert_eq!(
        (
            &paid["status"],
            &paid["amount"]["amount"],
            &paid["expiresAt"]
        ),
        (&json!("PAID"), &json!(3000), &Value::Null)
    );
    let there = fees(&stage);
    assert_eq!((there.len(), there[0].taken), (1, 3000));
    assert_eq!(there[0].saved_by.as_ref(), Some(&asked.external_id));
    // All fees together are at most the price, and what went back counts no more.
    let too_much = charge(&stage, &asked, 6001).await;
    assert_eq!(too_much["problems"][0]["code"], "INVALID");
    let input = json!({ "paymentId": asked_for["payment"]["id"] });
    assert_eq!(stage.ask("refund", input).await["problems"], json!([]));
    stage.done().await;
    assert_eq!(fee(&stage, &asked).await["status"], "REFUNDED");
    assert_eq!(charge(&stage, &asked, 9000).await["problems"], json!([]));
    stage.done().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_taken_once_wherever_an_answer_is_lost_also_a_day_later() {
    let lost = || Some(BadDay::AnswerLost);
    let down = || Some(BadDay::Refused(Failure::retry("down")));
    // Call by call: it is made until that is known, and then taken until that is known.
    for days in [
        vec![lost()],
        vec![None, lost()],
        vec![lost(), None, lost()],
        vec![down(), lost(), None, down(), lost(), lost()],
    ] {
        let mut stage = Stage::new(Deposit::CardOnFile).await;
        let asked = stage.completed().await;
        let attempts = days.iter().flatten().count();
        for day in days {
            match day {
                Some(day) => stage.till.bad_day(day),
                None => stage.till.good_day(),
            }
        }
        let input = json!({ "bookingId": asked.booking, "amount": 3000, "idempotencyKey": "once" });
        let first = stage.ask("chargeFee", input.clone()).await;
        let second = stage.ask("chargeFee", input).await;
        assert_eq!(first["payment"]["id"], second["payment"]["id"]);
        let other = json!({ "bookingId": asked.booking, "amount": 3001, "idempotencyKey": "once" });
        let other = stage.ask("chargeFee", other).await;
        assert_eq!(other["problems"][0]["code"], "IDEMPOTENCY_CONFLICT");
        for attempt in 1..=attempts {
            let tried = format!(
                "status = 'waiting' AND part LIKE 'payment-fee%' AND attempts = {attempt} AND leased_until IS NULL"
            );
            stage.deliveries.until(1, &tried).await;
            stage.app.world.clock.advance(TimeDelta::days(1));
        }
        stage.done().await;
        assert_eq!(fee(&stage, &asked).await["status"], "PAID");
        let there = fees(&stage);
        assert_eq!((there.len(), there[0].taken), (1, 3000));
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_the_bank_declines_has_failed_and_is_told() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    stage.till.decline("Your card was declined.");
    // The no is lost, too.
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    stage.till.bad_day(BadDay::AnswerLost);
    charge(&stage, &asked, 3000).await;
    stage.again("payment-fee").await;
    stage.app.world.clock.advance(TimeDelta::minutes(5));
    stage.done().await;
    assert_eq!(fee(&stage, &asked).await["status"], "FAILED");
    let words = "Your card was declined.";
    assert_eq!(stage.noted("payment-fee").await, words);
    assert_eq!(fee(&stage, &asked).await["failure"], words);
    let guest = stage.app.client_with(&asked.manage_token);
    let data = guest
        .data(super::BOOKING, json!({ "id": asked.booking }))
        .await;
    assert_eq!(data["booking"]["payments"][1]["failure"], Value::Null);
    assert_eq!(stage.booking(&asked).await["status"], "CONFIRMED");
    assert_eq!(stage.told("payment.failed").await, 1);
    // The card may be good another day.
    assert_eq!(charge(&stage, &asked, 9000).await["problems"], json!([]));
    stage.done().await;
    let taken: i64 = fees(&stage).iter().map(|fee| fee.taken).sum();
    assert_eq!(taken, 9000);
    stage.end().await;
}

/// Waits for every attempt at a fee but the last, and lets it be tried for the last time.
async fn tried_to_the_end(stage: &mut Stage) {
    for attempt in 1..=11 {
        let tried = format!(
            "status = 'waiting' AND part LIKE 'payment-fee%' AND attempts = {attempt} AND leased_until IS NULL"
        );
        stage.deliveries.until(1, &tried).await;
        stage.app.world.clock.advance(TimeDelta::days(1));
    }
    stage.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_cannot_be_taken_has_failed_in_the_end_and_is_called_off() {
    for is_begun in [false, true] {
        let mut stage = Stage::new(Deposit::CardOnFile).await;
        let asked = stage.completed().await;
        if is_begun {
            stage.till.good_day();
        }
        for _ in 0..12 {
            let down = BadDay::Refused(Failure::retry("down"));
            stage.till.bad_day(down);
        }
        charge(&stage, &asked, 3000).await;
        let tried = "status = 'waiting' AND part LIKE 'payment-fee%' AND attempts = 1 AND leased_until IS NULL";
        stage.deliveries.until(1, tried).await;
        let refused = charge(&stage, &asked, 1000).await;
        assert_eq!(refused["problems"][0]["code"], "CONFLICT", "{refused}");
        tried_to_the_end(&mut stage).await;
        assert_eq!(fee(&stage, &asked).await["status"], "FAILED");
        stage.deliveries.until(0, "status = 'parked'").await;
        assert!(fees(&stage).iter().all(|fee| fee.is_over));
        assert_eq!(fees(&stage).len(), usize::from(is_begun));
        assert_eq!(charge(&stage, &asked, 9000).await["problems"], json!([]));
        stage.done().await;
        let taken: i64 = fees(&stage).iter().map(|fee| fee.taken).sum();
        assert_eq!(taken, 9000);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_was_taken_after_all_is_paid_in_the_end() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    stage.till.good_day();
    for _ in 0..11 {
        stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    }
    stage.till.bad_day(BadDay::AnswerLost);
    charge(&stage, &asked, 3000).await;
    tried_to_the_end(&mut stage).await;
    assert_eq!(fee(&stage, &asked).await["status"], "PAID");
    assert_eq!(fees(&stage)[0].taken, 3000);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_makes_no_sense_to_the_other_side_has_failed() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    stage
        .till
        .bad_day(BadDay::Refused(Failure::give_up("too small")));
    charge(&stage, &asked, 1).await;
    stage.done().await;
    assert_eq!(fee(&stage, &asked).await["status"], "FAILED");
    assert!(fees(&stage).is_empty());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_stays_when_the_booking_is_cancelled_and_can_be_asked_for_after_it() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    charge(&stage, &asked, 3000).await;
    stage.done().await;
    // One is on its way while the booking is cancelled.
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    charge(&stage, &asked, 2000).await;
    let tried = "status = 'waiting' AND part LIKE 'payment-fee%' AND last_error = 'down'";
    stage.deliveries.until(1, tried).await;
    stage.cancel(&asked).await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(charge(&stage, &asked, 1000).await["problems"], json!([]));
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(after["status"], "CANCELLED");
    let payments = after["payments"].as_array().unwrap();
    let statuses: Vec<&str> = payments
        .iter()
        .map(|payment| payment["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["AUTHORIZED", "PAID", "PAID", "PAID"]);
    assert!(fees(&stage).iter().all(|fee| fee.refunds.is_empty()));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_complete_a_fee_is_shown_to_nobody() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    // It has begun and is not taken.
    stage.till.bad_day(BadDay::AnswerLost);
    charge(&stage, &asked, 3000).await;
    let tried = "status = 'waiting' AND part LIKE 'payment-fee%' AND last_error IS NOT NULL";
    stage.deliveries.until(1, tried).await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    let guest = stage.app.client_with(&asked.manage_token);
    for client in [&stage.owner, &guest] {
        let data = client
            .data(super::BOOKING, json!({ "id": asked.booking }))
            .await;
        let fee = &data["booking"]["payments"][1];
        assert_eq!(
            (&fee["status"], &fee["clientSecret"], &fee["checkoutUrl"]),
            (&json!("WAITING"), &Value::Null, &Value::Null)
        );
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_is_heard_and_no_more_is_taken_than_the_price() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    stage.till.close();
    let all = (0..8).map(|_| charge(&stage, &asked, 3000));
    let all = futures_util::future::join_all(all).await;
    let codes = all
        .iter()
        .filter_map(|one| one["problems"][0]["code"].as_str());
    assert_eq!(codes.collect::<Vec<_>>(), ["CONFLICT"; 7]);
    let tried = "status = 'waiting' AND part LIKE 'payment-fee%' AND last_error IS NOT NULL AND leased_until IS NULL";
    stage.deliveries.until(1, tried).await;
    stage.till.open();
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(
        charge(&stage, &asked, 6001).await["problems"][0]["code"],
        "INVALID"
    );
    assert_eq!(charge(&stage, &asked, 6000).await["problems"], json!([]));
    stage.done().await;
    let taken: i64 = fees(&stage).iter().map(|fee| fee.taken).sum();
    assert_eq!(taken, 9000);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_that_takes_no_payments_any_more_asks_for_none_and_ends_what_it_asked_for() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.completed().await;
    stage.till.bad_day(BadDay::AnswerLost);
    charge(&stage, &asked, 3000).await;
    let off = "mutation { configurePlugin(input: { name: \"payments-till\", settings: {}, enabled: false }) { problems { code } } }";
    stage.owner.data(off, json!({})).await;
    let refused = charge(&stage, &asked, 1000).await;
    assert_eq!(refused["problems"][0]["code"], "PLUGIN_REFUSED");
    stage.again("payment-fee").await;
    assert_eq!(fee(&stage, &asked).await["status"], "PAID");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_without_a_card_or_of_another_business_has_no_fee() {
    let mut stage = Stage::with(Deposit::Full, CaptureMethod::Automatic, "GBP").await;
    let asked = stage.completed().await;
    let refused = charge(&stage, &asked, 1000).await;
    assert_eq!(refused["problems"][0]["code"], "CONFLICT");
    let other = stage.app.world.another_business("other").await;
    let token = other.token(Role::Owner, None).await;
    let other = Client::new(stage.app.address, "other", Some(&token));
    let fee = "mutation($input: ChargeFeeInput!) { it: chargeFee(input: $input) { problems { code path } } }";
    let capture = "mutation($input: CapturePaymentInput!) { it: capturePayment(input: $input) { problems { code path } } }";
    for (query, name, id) in [
        (fee, "bookingId", &asked.booking),
        (capture, "paymentId", &asked.payment),
    ] {
        let mut input = json!({ "amount": 1000 });
        input[name] = json!(id);
        let data = other.data(query, json!({ "input": input })).await;
        let problem = json!({ "code": "NOT_FOUND", "path": ["input", name] });
        assert_eq!(data["it"]["problems"], json!([problem]));
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_are_in_the_smallest_units_of_every_currency() {
    for currency in ["JPY", "KWD"] {
        let mut stage = Stage::with(Deposit::CardOnFile, CaptureMethod::Automatic, currency).await;
        let asked = stage.completed().await;
        charge(&stage, &asked, 4320).await;
        stage.done().await;
        let paid = fee(&stage, &asked).await;
        assert_eq!(
            (&paid["status"], &paid["amount"]["currency"]),
            (&json!("PAID"), &json!(currency))
        );
        assert_eq!(fees(&stage)[0].taken, 4320);
        stage.end().await;
    }
}
