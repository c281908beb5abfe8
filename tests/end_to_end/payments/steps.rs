//! Money that the other side counts in larger steps than the currency has, or not at all.

use domain::deposit::{CaptureMethod, Deposit};
use serde_json::{Value, json};

use super::stage::Stage;

async fn stage(deposit: Deposit, currency: &'static str) -> Stage {
    Stage::with(deposit, CaptureMethod::Automatic, currency).await
}

async fn price(stage: &Stage, price: i64) {
    let update = "mutation($input: UpdateServiceInput!) { updateService(input: $input) { problems { code } } }";
    let input = json!({ "id": stage.service.to_string(), "price": price });
    let updated = stage.owner.data(update, json!({ "input": input })).await;
    assert_eq!(updated["updateService"]["problems"], json!([]));
}

async fn refused(stage: &Stage) -> Value {
    let free = stage.free().await;
    let booked = stage.book_at("2027-03-02T10:00:00Z").await;
    assert_eq!(booked["booking"], Value::Null);
    assert_eq!(stage.free().await, free, "nothing was written");
    assert!(stage.till.payments().is_empty());
    let problem = &booked["problems"][0];
    assert_eq!(problem["code"], "PLUGIN_REFUSED");
    problem["message"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_rounded_to_what_can_be_paid_and_never_above_the_price() {
    let stage = stage(Deposit::Percent { percent: 15 }, "KWD").await;
    price(&stage, 8500).await;
    let booked = stage.book_at("2027-03-02T12:00:00Z").await;
    assert_eq!(
        booked["payment"]["amount"],
        json!({ "amount": 1280, "currency": "KWD" }),
        "not 1.275"
    );
    stage.end().await;
    let stage = self::stage(Deposit::Full, "KWD").await;
    price(&stage, 8505).await;
    assert_eq!(
        refused(&stage).await,
        "this has to be paid online, and 8.505 KWD cannot: amounts are paid in steps of 0.010 KWD"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_currency_that_the_other_side_does_not_take_is_said_before_anything_is_written() {
    let stage = stage(Deposit::Full, "IQD").await;
    assert_eq!(
        refused(&stage).await,
        "this has to be paid online, and no IQD can be paid online"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_ask_for_whole_steps() {
    let mut stage = stage(Deposit::Full, "KWD").await;
    let asked = stage.completed().await;
    for (amount, path) in [(1255, json!(["input", "amount"])), (1250, Value::Null)] {
        let input = json!({ "paymentId": asked.payment, "amount": amount });
        let problems = stage.ask("refund", input).await["problems"].clone();
        assert_eq!(problems[0]["path"], path, "{problems}");
    }
    stage.done().await;
    let till = stage.till.payments()[&asked.external_id].clone();
    assert_eq!(till.refunds.into_values().collect::<Vec<_>>(), [1250]);
    stage.end().await;
}
