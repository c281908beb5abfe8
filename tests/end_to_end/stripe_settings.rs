//! What went wrong by wrong settings goes on by itself once they are right, however long it took somebody to see to it.

use chrono::TimeDelta;
use domain::deposit::{CaptureMethod, Deposit};
use fake_stripe::{Call, Fault};
use serde_json::json;

use crate::stripe::{Stage, name_at_stripe};

impl Stage {
    async fn count(&self, query: &str) -> i64 {
        let database = test_support::connect(&self.app.world.url).await;
        database.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Lets time pass until nobody tries any more what goes wrong, but for what is asked now and then. Where several go wrong, one of them is tried
    /// at a time.
    async fn until_parked(&mut self, part: &str) {
        let tried = "SELECT count(*) FROM delivery WHERE status = 'waiting' AND attempts > 0 AND part NOT LIKE 'payment-expire%'";
        let parked = format!(
            "SELECT count(*) FROM delivery WHERE status = 'parked' AND part LIKE '{part}%'"
        );
        while self.count(&parked).await == 0 || self.count(tried).await > 0 {
            let before = self.count("SELECT count(*) FROM delivery_attempt").await;
            self.app.world.clock.advance(TimeDelta::hours(5));
            let more = format!("SELECT (count(*) > {before})::int::bigint FROM delivery_attempt");
            self.deliveries.until_counted(1, &more).await;
        }
    }

    /// Lets time pass until this was tried as often as anything is, and is asked about now and then.
    async fn until_asked_now_and_then(&mut self, part: &str) {
        let last =
            format!("SELECT count(*) FROM delivery WHERE part LIKE '{part}%' AND attempts = 19");
        while self.count(&last).await == 0 {
            let before = self.count("SELECT count(*) FROM delivery_attempt").await;
            self.app.world.clock.advance(TimeDelta::hours(5));
            let more = format!("SELECT (count(*) > {before})::int::bigint FROM delivery_attempt");
            self.deliveries.until_counted(1, &more).await;
        }
        self.app.world.clock.advance(TimeDelta::hours(1));
        let now = self.app.world.clock.now().to_rfc3339();
        let waits = format!(
            "part LIKE '{part}%' AND status = 'waiting' AND attempts = 19 AND next_attempt_at > '{now}'"
        );
        self.deliveries.until(1, &waits).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_nobody_paid_expires_once_the_key_is_right_again() {
    let mut stage = Stage::with(json!({}), Deposit::Full, CaptureMethod::Automatic).await;
    let booked = stage.book("2027-03-20T10:00:00Z").await;
    stage
        .configure(json!({ "secretKey": "sk_test_wrong" }))
        .await;
    stage.until_asked_now_and_then("payment-expire").await;
    assert_eq!(
        stage.booking(&booked).await["status"],
        "PENDING",
        "nobody could ask"
    );

    stage.configure(json!({})).await;
    stage.app.world.clock.advance(TimeDelta::minutes(10));
    stage.done().await;
    let expired = stage.booking(&booked).await;
    assert_eq!(
        (&expired["status"], &expired["payments"][0]["status"]),
        (&json!("EXPIRED"), &json!("EXPIRED"))
    );
    assert!(
        stage.stripe.pay(&name_at_stripe(&booked)).is_err(),
        "it was called off there, too"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_meanwhile_is_seen_and_what_is_owed_goes_back_once() {
    let mut stage = Stage::with(json!({}), Deposit::Full, CaptureMethod::Automatic).await;
    let (kept, lost) = (
        stage.book("2027-03-20T10:00:00Z").await,
        stage.book("2027-03-20T12:00:00Z").await,
    );
    stage.stripe.pay(&name_at_stripe(&lost)).unwrap();
    stage
        .configure(json!({ "secretKey": "sk_test_wrong" }))
        .await;
    stage.stripe.pay(&name_at_stripe(&kept)).unwrap();
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    let input = json!({ "input": { "bookingId": lost["booking"]["id"] } });
    stage.owner.data(cancel, input).await;
    stage.until_parked("payment-call-off").await;

    // Twice right is right once.
    stage.configure(json!({})).await;
    stage.configure(json!({})).await;
    for _ in 0..3 {
        stage.app.world.clock.advance(TimeDelta::minutes(10));
        stage.done().await;
    }
    assert_eq!(stage.booking(&kept).await["status"], "CONFIRMED");
    let cancelled = stage.booking(&lost).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["payments"][0]["status"]),
        (&json!("CANCELLED"), &json!("REFUNDED"))
    );
    assert_eq!(
        (stage.stripe.made("pi_"), stage.stripe.refunds().len()),
        (2, 1)
    );
    assert!(stage.stripe.count(Call::CreateRefund) >= 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_nobody_tries_any_more_is_taken_when_staff_ask_for_it_and_not_before() {
    let mut stage = Stage::with(json!({}), Deposit::CardOnFile, CaptureMethod::Automatic).await;
    let (booked, _) = stage.completed().await;
    // It was made, and what became of it is not known.
    stage
        .stripe
        .fault(Call::ConfirmPaymentIntent, Fault::ServerError);
    let fee = stage.fee(&booked, 3000).await;
    let tried =
        "status = 'waiting' AND part LIKE 'payment-fee%' AND attempts = 1 AND leased_until IS NULL";
    stage.deliveries.until(1, tried).await;
    stage
        .configure(json!({ "secretKey": "sk_test_wrong" }))
        .await;
    stage.until_parked("payment-fee").await;
    stage.app.world.clock.advance(TimeDelta::days(90));
    stage.configure(json!({})).await;
    stage.done().await;
    assert_eq!(stage.payment(&fee).await["status"], "WAITING");
    assert!(stage.charged().is_empty(), "nobody has asked for it");
    let query = "mutation($input: ChargeFeeInput!) { chargeFee(input: $input) { problems { code message } } }";
    let input = json!({ "bookingId": booked["booking"]["id"], "amount": 1000 });
    let refused = stage.owner.data(query, json!({ "input": input })).await;
    assert_eq!(
        refused["chargeFee"]["problems"],
        json!([{ "code": "CONFLICT", "message": "another fee of this booking is still to be charged: wait for how it ends, or have its delivery tried again" }])
    );
    let parked = "{ deliveries(filter: { statuses: [PARKED] }, first: 10) { nodes { id } } }";
    let parked = stage.owner.data(parked, json!({})).await;
    let retry = "mutation($id: ID!) { retryDelivery(id: $id) { problems { code } } }";
    let id = &parked["deliveries"]["nodes"][0]["id"];
    stage.owner.data(retry, json!({ "id": id })).await;
    stage.done().await;
    assert_eq!(stage.payment(&fee).await["status"], "PAID");
    assert_eq!(stage.charged(), [3000]);
    stage.end().await;
}
