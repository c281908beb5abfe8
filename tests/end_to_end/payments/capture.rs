//! Money that is reserved: the booking stands by it, staff take it once, and it is let go with the booking.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::deposit::{CaptureMethod, Deposit};
use plugin_api::Failure;
use serde_json::{Value, json};
use test_support::BadDay;

use super::stage::{Asked, Stage};

async fn reserving() -> Stage {
    Stage::with(Deposit::Full, CaptureMethod::Manual, "GBP").await
}

async fn capture(stage: &Stage, asked: &Asked, amount: Value) -> Value {
    let input = json!({ "paymentId": asked.payment, "amount": amount });
    stage.ask("capturePayment", input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_says_when_money_is_taken_and_only_where_it_takes_any() {
    let stage = Stage::new(Deposit::None).await;
    let update = "mutation($input: UpdateServiceInput!) { updateService(input: $input) {
        service { deposit { kind capture } } problems { code path } } }";
    let set = async |deposit: Value| {
        let input = json!({ "id": stage.service.to_string(), "deposit": deposit });
        let data = stage.owner.data(update, json!({ "input": input })).await;
        data["updateService"].clone()
    };
    for (deposit, expected) in [
        (json!({ "kind": "FULL", "capture": "MANUAL" }), "MANUAL"),
        (json!({ "kind": "FULL" }), "AUTOMATIC"),
        (json!({ "kind": "FULL", "capture": null }), "AUTOMATIC"),
        (
            json!({ "kind": "PERCENT", "percent": 50, "capture": "MANUAL" }),
            "MANUAL",
        ),
        (
            json!({ "kind": "CARD_ON_FILE", "capture": "AUTOMATIC" }),
            "AUTOMATIC",
        ),
    ] {
        let set = set(deposit.clone()).await;
        assert_eq!(set["service"]["deposit"]["capture"], expected, "{deposit}");
    }
    for kind in ["NONE", "CARD_ON_FILE"] {
        let set = set(json!({ "kind": kind, "capture": "MANUAL" })).await;
        assert_eq!(
            set["problems"],
            json!([{ "code": "INVALID", "path": ["input", "deposit", "capture"] }])
        );
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_taken_in_part_and_once_however_often_answers_are_lost() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    let reserved = stage.booking(&asked).await;
    assert_eq!(
        (
            &reserved["payments"][0]["kind"],
            &reserved["payments"][0]["status"],
            &reserved["balance"]["amount"]
        ),
        (&json!("AUTHORIZE"), &json!("AUTHORIZED"), &json!(9000))
    );
    for wrong in [0, -1, 9001] {
        let refused = capture(&stage, &asked, json!(wrong)).await;
        assert_eq!(
            (
                &refused["problems"][0]["code"],
                &refused["problems"][0]["path"]
            ),
            (&json!("INVALID"), &json!(["input", "amount"]))
        );
    }
    stage.till.bad_day(BadDay::AnswerLost);
    let input = json!({ "paymentId": asked.payment, "amount": 4000, "idempotencyKey": "once" });
    let first = stage.ask("capturePayment", input.clone()).await;
    assert_eq!(
        (&first["payment"]["id"], &first["problems"]),
        (&json!(asked.payment), &json!([]))
    );
    let repeated = stage.ask("capturePayment", input).await;
    assert_eq!(repeated["payment"]["id"], json!(asked.payment));
    let other = json!({ "paymentId": asked.payment, "amount": 5000, "idempotencyKey": "once" });
    let other = stage.ask("capturePayment", other).await;
    assert_eq!(other["problems"][0]["code"], "IDEMPOTENCY_CONFLICT");
    stage.again("payment-capture").await;
    let taken = stage.booking(&asked).await;
    assert_eq!(
        (
            &taken["status"],
            &taken["payments"][0]["status"],
            &taken["balance"]["amount"]
        ),
        (&json!("CONFIRMED"), &json!("PAID"), &json!(5000))
    );
    assert_eq!(stage.till.payments()[&asked.external_id].taken, 4000);
    let again = capture(&stage, &asked, Value::Null).await;
    assert_eq!(again["problems"][0]["code"], "CONFLICT");
    assert_eq!(stage.told("payment.capture_requested").await, 1);
    // That it was reserved is told when it was, and that it was taken, once, when that is known, however often it is heard of.
    for id in ["evt_1", "evt_2"] {
        assert_eq!(stage.call(id, &asked, "right").await, 200);
    }
    stage.done().await;
    assert_eq!(stage.told("payment.paid").await, 1);
    assert_eq!(stage.told("payment.captured").await, 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_takes_it() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    let all = (1..=8).map(|turn| capture(&stage, &asked, json!(turn * 100)));
    let all = futures_util::future::join_all(all).await;
    let codes: Vec<&Value> = all.iter().map(|one| &one["problems"][0]["code"]).collect();
    let refused = codes.iter().filter(|code| **code == "CONFLICT").count();
    assert_eq!((refused, codes.len()), (7, 8), "{codes:?}");
    stage.done().await;
    assert!(stage.till.payments()[&asked.external_id].taken > 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_let_go_with_its_booking() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    stage.till.bad_day(BadDay::AnswerLost);
    stage.cancel(&asked).await;
    let late = capture(&stage, &asked, Value::Null).await;
    assert_eq!(late["problems"][0]["code"], "CONFLICT");
    stage.again("payment-call-off").await;
    let after = stage.booking(&asked).await;
    assert_eq!(
        (&after["status"], &after["payments"][0]["status"]),
        (&json!("CANCELLED"), &json!("FAILED"))
    );
    let till = stage.till.payments()[&asked.external_id].clone();
    assert_eq!(
        (till.is_over, till.is_reserved, till.taken),
        (true, false, 0)
    );
    assert_eq!(stage.told("payment.captured").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_taken_before_the_booking_was_cancelled_is_taken_and_goes_back() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    capture(&stage, &asked, json!(4000)).await;
    let tried = "status = 'waiting' AND part LIKE 'payment-capture%' AND last_error = 'down'";
    stage.deliveries.until(1, tried).await;
    stage.cancel(&asked).await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(after["payments"][0]["status"], "REFUNDED");
    let till = stage.till.payments()[&asked.external_id].clone();
    let back: Vec<i64> = till.refunds.into_values().collect();
    assert_eq!((till.taken, back), (4000, vec![4000]));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_can_be_asked_for_again_or_is_let_go() {
    for is_cancelled in [false, true] {
        let mut stage = reserving().await;
        let asked = stage.completed().await;
        let odd = || BadDay::Refused(Failure::give_up("such an amount is not taken"));
        if is_cancelled {
            stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
            capture(&stage, &asked, json!(4001)).await;
            let tried =
                "status = 'waiting' AND part LIKE 'payment-capture%' AND last_error = 'down'";
            stage.deliveries.until(1, tried).await;
            stage.cancel(&asked).await;
            stage.till.bad_day(odd());
            stage.app.world.clock.advance(TimeDelta::minutes(1));
        } else {
            stage.till.bad_day(odd());
            capture(&stage, &asked, json!(4001)).await;
        }
        let parked = "status = 'parked' AND part LIKE 'payment-capture%'";
        stage.deliveries.until(1, parked).await;
        stage.done().await;
        let till = stage.till.payments()[&asked.external_id].clone();
        if is_cancelled {
            assert_eq!((till.is_over, till.taken), (true, 0));
        } else {
            assert!(till.is_reserved);
            assert_eq!(
                capture(&stage, &asked, json!(4000)).await["problems"],
                json!([])
            );
            stage.done().await;
            assert_eq!(stage.till.payments()[&asked.external_id].taken, 4000);
        }
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_that_lapses_has_failed_and_the_booking_stays() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    stage.till.lapse(&asked.external_id);
    for id in ["evt_lapsed", "evt_lapsed", "evt_again"] {
        assert_eq!(stage.call(id, &asked, "right").await, 200);
    }
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(
        (&after["status"], &after["payments"][0]["status"]),
        (&json!("CONFIRMED"), &json!("FAILED"))
    );
    assert_eq!(stage.told("payment.failed").await, 1);
    let late = capture(&stage, &asked, Value::Null).await;
    assert_eq!(late["problems"][0]["code"], "CONFLICT");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lapsed_before_it_was_taken_has_failed() {
    let mut stage = reserving().await;
    let asked = stage.completed().await;
    stage.till.lapse(&asked.external_id);
    assert_eq!(
        capture(&stage, &asked, Value::Null).await["problems"],
        json!([])
    );
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(
        (&after["status"], &after["payments"][0]["status"]),
        (&json!("CONFIRMED"), &json!("FAILED"))
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_reserved_in_time_and_told_by_nobody_is_not_let_go_when_the_time_is_over() {
    let mut stage = reserving().await;
    let asked = stage.asked().await;
    stage.till.pay(&asked.external_id);
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    stage.done().await;
    let found = stage.booking(&asked).await;
    assert_eq!(
        (&found["status"], &found["payments"][0]["status"]),
        (&json!("CONFIRMED"), &json!("AUTHORIZED"))
    );
    assert!(stage.till.payments()[&asked.external_id].is_reserved);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_reserved_is_taken() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    let waiting = capture(&stage, &asked, Value::Null).await;
    stage.till.pay(&asked.external_id);
    stage.call("evt_1", &asked, "right").await;
    stage.done().await;
    let paid = capture(&stage, &asked, Value::Null).await;
    let unknown = json!({ "paymentId": "pay_00000000000000000000000001" });
    let unknown = stage.ask("capturePayment", unknown).await;
    let codes: BTreeSet<String> = [waiting, paid, unknown]
        .iter()
        .map(|refused| refused["problems"][0]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        codes,
        ["CONFLICT".to_owned(), "NOT_FOUND".to_owned()].into()
    );
    assert_eq!(stage.till.payments()[&asked.external_id].taken, 9000);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_in_the_smallest_units_of_every_currency() {
    for currency in ["JPY", "KWD"] {
        let mut stage = Stage::with(Deposit::Full, CaptureMethod::Manual, currency).await;
        let asked = stage.completed().await;
        capture(&stage, &asked, json!(4320)).await;
        stage.done().await;
        assert_eq!(stage.till.payments()[&asked.external_id].taken, 4320);
        let balance = "query($id: ID!) { booking(id: $id) { balance { amount currency } } }";
        let data = stage
            .owner
            .data(balance, json!({ "id": asked.booking }))
            .await;
        assert_eq!(
            data["booking"]["balance"],
            json!({ "amount": 4680, "currency": currency })
        );
        stage.end().await;
    }
}
