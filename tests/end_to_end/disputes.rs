//! Disputes by way of Stripe's protocol: seen wherever the money was paid, told to staff and to nobody else, and no booking is lost by one.

use domain::deposit::{CaptureMethod, Deposit};
use serde_json::{Value, json};

use crate::stripe::{Stage, ways};

const DISPUTES: &str = "query($id: ID!) { node(id: $id) { ... on Payment { status
    disputes { externalId status amount { amount currency } withheld { amount } respondBy } } } }";

impl Stage {
    async fn disputes(&self, booked: &Value) -> Value {
        let id = json!({ "id": booked["payment"]["id"] });
        self.owner.data(DISPUTES, id).await["node"]["disputes"].clone()
    }

    async fn refund(&self, booked: &Value) -> Value {
        let query =
            "mutation($input: RefundInput!) { refund(input: $input) { problems { code } } }";
        let input = json!({ "paymentId": booked["payment"]["id"] });
        let data = self.owner.data(query, json!({ "input": input })).await;
        data["refund"]["problems"].clone()
    }

    async fn parts(&self, part: &str) -> i64 {
        let database = test_support::connect(&self.app.world.url).await;
        let query = "SELECT count(*) FROM delivery WHERE part LIKE $1 AND status = 'delivered'";
        let part = format!("{part}%");
        database.query_one(query, &[&part]).await.unwrap().get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_a_dispute_wherever_it_was_paid_and_the_booking_stands() {
    for way in ways() {
        let is_page = way["successUrl"].is_string();
        let mut stage = Stage::with(way, Deposit::Full, CaptureMethod::Automatic).await;
        let (booked, external_id) = stage.completed().await;
        assert_eq!(stage.disputes(&booked).await, json!([]));

        let before = stage.stripe.events().len();
        let dispute = stage.stripe.dispute(&external_id).unwrap();
        stage.tell_since(before).await;
        let open = json!([{ "externalId": dispute, "status": "OPEN", "amount": { "amount": 9000, "currency": "GBP" },
            "withheld": { "amount": 9000 }, "respondBy": "2027-03-14T04:53:20+00:00" }]);
        assert_eq!(stage.disputes(&booked).await, open);
        assert_eq!(stage.parts("payment-find:pi_").await > 0, is_page);
        let standing = stage.booking(&booked).await;
        assert_eq!(
            (&standing["status"], &standing["payments"][0]["status"]),
            (&json!("CONFIRMED"), &json!("PAID"))
        );
        // The bank has it: there is nothing to pay back.
        assert_eq!(stage.refund(&booked).await[0]["code"], "CONFLICT");

        let before = stage.stripe.events().len();
        stage.stripe.close_dispute(&dispute, true).unwrap();
        stage.tell_since(before).await;
        let closed = stage.disputes(&booked).await;
        assert_eq!(
            (&closed[0]["status"], &closed[0]["withheld"]["amount"]),
            (&json!("WON"), &json!(0))
        );
        assert_eq!(
            (
                stage.told("payment.disputed").await,
                stage.told("payment.dispute_closed").await
            ),
            (1, 1)
        );
        assert_eq!(stage.refund(&booked).await, json!([]));
        stage.done().await;
        assert_eq!(
            stage.booking(&booked).await["payments"][0]["status"],
            "REFUNDED"
        );
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_is_cancelled_while_its_money_is_disputed_owes_what_is_at_hand() {
    let mut stage = Stage::with(json!({}), Deposit::Full, CaptureMethod::Automatic).await;
    let (booked, external_id) = stage.completed().await;
    let before = stage.stripe.events().len();
    stage.stripe.dispute(&external_id).unwrap();
    stage.tell_since(before).await;
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    let input = json!({ "input": { "bookingId": booked["booking"]["id"] } });
    stage.owner.data(cancel, input).await;
    stage.done().await;
    assert_eq!(stage.booking(&booked).await["status"], "CANCELLED");
    assert!(stage.stripe.refunds().is_empty());
    assert_eq!(stage.parts("payment-refund").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_elsewhere_is_asked_about_and_let_be_and_customers_see_no_dispute() {
    let [_, page] = ways();
    let mut stage = Stage::with(page, Deposit::Full, CaptureMethod::Automatic).await;
    let (booked, external_id) = stage.completed().await;
    // The same account, another shop.
    let http = reqwest::Client::new();
    let sold = http
        .post(format!("{}/v1/payment_intents", stage.stripe.base()))
        .bearer_auth(stage.stripe.secret_key())
        .header("stripe-version", "2026-10-28.endive")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("amount=700&currency=eur&metadata[page]=shop");
    let sold: Value = sold.send().await.unwrap().json().await.unwrap();
    let elsewhere = sold["id"].as_str().unwrap();
    stage.stripe.pay(elsewhere).unwrap();
    let before = stage.stripe.events().len();
    stage.stripe.dispute(elsewhere).unwrap();
    stage.tell_since(before).await;
    assert_eq!(stage.parts("payment-find:pi_").await, 2);
    assert_eq!(stage.disputes(&booked).await, json!([]));

    let before = stage.stripe.events().len();
    stage.stripe.dispute(&external_id).unwrap();
    stage.tell_since(before).await;
    assert_eq!(stage.disputes(&booked).await.as_array().unwrap().len(), 1);
    let guest = stage
        .app
        .client_with(booked["manageToken"].as_str().unwrap());
    let id = json!({ "id": booked["payment"]["id"] });
    let seen = guest.data(DISPUTES, id).await;
    assert_eq!(seen["node"], json!({ "status": "PAID", "disputes": [] }));
    stage.end().await;
}
