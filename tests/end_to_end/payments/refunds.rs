//! Refunds that come to nothing, at once or days later: the money is the business's again, staff are told, and what they ask for next is done.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::stage::{Asked, Stage};
use domain::deposit::Deposit;

const RETRY: &str = "mutation($id: ID!) { retryDelivery(id: $id) { problems { code message } } }";

async fn refund(stage: &Stage, asked: &Asked, amount: i64) -> Value {
    let input = json!({ "paymentId": asked.payment, "amount": amount });
    stage.ask("refund", input).await["problems"].clone()
}

/// The status of the payment, and how much of it was paid back.
async fn stands(stage: &Stage, asked: &Asked) -> Value {
    let booking = stage.booking(asked).await;
    let payment = &booking["payments"][0];
    json!([payment["status"], payment["refunded"]["amount"]])
}

/// What is put before staff: why.
async fn parked(stage: &mut Stage, reason: &str) {
    stage.done().await;
    let found =
        format!("status = 'parked' AND part LIKE 'payment-refund:%' AND last_error = '{reason}'");
    stage.deliveries.until(1, &found).await;
}

/// Staff have what was parked tried again, and it ends.
async fn tried_again(stage: &mut Stage) {
    let list = "{ deliveries(filter: { statuses: [PARKED] }, first: 10) { nodes { id } } }";
    let found = stage.owner.data(list, json!({})).await;
    let nodes = found["deliveries"]["nodes"].as_array().unwrap().clone();
    for node in nodes {
        let retried = stage.owner.data(RETRY, json!({ "id": node["id"] })).await;
        assert_eq!(retried["retryDelivery"]["problems"], json!([]));
    }
    stage.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_refused_stands_in_the_way_of_no_other() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.completed().await;
    stage.till.refuse_refund("there is nothing in the drawer");
    assert_eq!(refund(&stage, &asked, 9000).await, json!([]));
    let reason = "the refund failed: there is nothing in the drawer";
    parked(&mut stage, reason).await;
    assert_eq!(stands(&stage, &asked).await, json!(["PAID", 0]));
    // As often as staff look, it has failed.
    tried_again(&mut stage).await;
    parked(&mut stage, reason).await;
    assert_eq!(refund(&stage, &asked, 4000).await, json!([]));
    stage.done().await;
    assert_eq!(
        stands(&stage, &asked).await,
        json!(["PARTLY_REFUNDED", 4000])
    );
    // The cancellation owes the rest, and with it all of it is made good.
    stage.cancel(&asked).await;
    stage.done().await;
    assert_eq!(stands(&stage, &asked).await, json!(["REFUNDED", 9000]));
    tried_again(&mut stage).await;
    stage.deliveries.until(0, "status = 'parked'").await;
    assert_eq!(
        stage.told("payment.refund_failed").await,
        0,
        "none went out"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_comes_back_is_told_and_can_be_made_again() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.completed().await;
    assert_eq!(refund(&stage, &asked, 9000).await, json!([]));
    stage.done().await;
    assert_eq!(stands(&stage, &asked).await, json!(["REFUNDED", 9000]));
    assert!(stage.till.fail_refund(&asked.external_id));
    for event in ["evt_failed", "evt_updated", "evt_failed"] {
        assert_eq!(stage.call(event, &asked, "right").await, 200);
    }
    parked(&mut stage, "the refund failed: the account is closed").await;
    assert_eq!(stands(&stage, &asked).await, json!(["PAID", 0]));
    assert_eq!(stage.told("payment.refund_failed").await, 1);
    assert_eq!(refund(&stage, &asked, 9000).await, json!([]));
    stage.done().await;
    assert_eq!(stands(&stage, &asked).await, json!(["REFUNDED", 9000]));
    tried_again(&mut stage).await;
    stage.deliveries.until(0, "status = 'parked'").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_not_made_good_by_what_was_paid_back_before() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.completed().await;
    for amount in [4000, 5000] {
        assert_eq!(refund(&stage, &asked, amount).await, json!([]));
        stage.done().await;
    }
    stage.app.world.clock.advance(TimeDelta::days(3));
    assert!(stage.till.fail_refund(&asked.external_id));
    assert_eq!(stage.call("evt_failed", &asked, "right").await, 200);
    parked(&mut stage, "the refund failed: the account is closed").await;
    assert_eq!(
        stands(&stage, &asked).await,
        json!(["PARTLY_REFUNDED", 5000])
    );
    tried_again(&mut stage).await;
    parked(&mut stage, "the refund failed: the account is closed").await;
    assert_eq!(refund(&stage, &asked, 4000).await, json!([]));
    stage.done().await;
    tried_again(&mut stage).await;
    stage.deliveries.until(0, "status = 'parked'").await;
    stage.end().await;
}
