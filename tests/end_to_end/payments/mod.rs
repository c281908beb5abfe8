//! Payments: a booking that asks for money stands when it is paid and not before, nobody pays twice, and money that comes too late goes back.

mod capture;
mod expiry;
mod fee;
mod health;
mod refunds;
mod stage;
mod steps;
mod watch;

use chrono::TimeDelta;
use domain::deposit::Deposit;
use plugin_api::Failure;
use serde_json::{Value, json};
use test_support::BadDay;

use self::stage::{BOOK, BOOKING, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_waits_for_its_deposit_and_stands_when_it_is_paid() {
    let mut stage = Stage::new(Deposit::Percent { percent: 50 }).await;
    let free = stage.free().await;
    let asked = stage.asked().await;
    assert_eq!(stage.free().await, free - 1, "its time is kept meanwhile");
    let waiting = stage.booking(&asked).await;
    assert_eq!(
        (
            &waiting["payments"][0]["amount"]["amount"],
            &waiting["balance"]["amount"],
            &waiting["expiresAt"]
        ),
        (
            &json!(4500),
            &json!(9000),
            &json!("2027-03-01T08:30:00+00:00")
        )
    );
    assert!(stage.till.pay(&asked.external_id));
    assert_eq!(stage.call("evt_1", &asked, "wrong").await, 400);
    assert_eq!(
        stage.booking(&asked).await["status"],
        "PENDING",
        "nobody is believed who cannot sign"
    );
    assert_eq!(stage.call("evt_1", &asked, "right").await, 200);
    stage.done().await;
    let paid = stage.booking(&asked).await;
    assert_eq!(
        (
            &paid["status"],
            &paid["balance"]["amount"],
            &paid["payments"][0]["status"],
            &paid["expiresAt"]
        ),
        (
            &json!("CONFIRMED"),
            &json!(4500),
            &json!("PAID"),
            &Value::Null
        )
    );
    assert_eq!(paid["payments"][0]["clientSecret"], Value::Null);
    // Again and again, and when the time to pay is over: nothing more happens.
    for id in ["evt_1", "evt_2", "evt_2"] {
        assert_eq!(stage.call(id, &asked, "right").await, 200);
    }
    stage.app.world.clock.advance(TimeDelta::hours(1));
    stage.done().await;
    assert_eq!(stage.booking(&asked).await, paid);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_nobody_pays_expires_after_the_other_side_was_asked() {
    let mut stage = Stage::new(Deposit::Full).await;
    let free = stage.free().await;
    let asked = stage.asked().await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    stage
        .deliveries
        .until(1, "status = 'waiting' AND last_error = 'down'")
        .await;
    assert_eq!(
        stage.booking(&asked).await["status"],
        "PENDING",
        "nobody knows yet"
    );
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    let expired = stage.booking(&asked).await;
    assert_eq!(
        (&expired["status"], &expired["payments"][0]["status"]),
        (&json!("EXPIRED"), &json!("EXPIRED"))
    );
    assert_eq!(stage.free().await, free);
    assert!(
        !stage.till.pay(&asked.external_id),
        "it was called off there, too"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_which_no_call_came_is_found_when_the_time_is_over() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    stage.till.pay(&asked.external_id);
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    stage.done().await;
    assert_eq!(stage.booking(&asked).await["status"], "CONFIRMED");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_after_the_time_was_lost_goes_back_at_once() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    let guest = stage.app.client_with(&asked.manage_token);
    stage.till.pay(&asked.external_id);
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { booking { status } problems { code } } }";
    let input = json!({ "bookingId": asked.booking });
    let cancelled = guest.data(cancel, json!({ "input": input })).await;
    assert_eq!(cancelled["cancel"]["booking"]["status"], "CANCELLED");
    stage.done().await;
    let after = stage.booking(&asked).await;
    assert_eq!(
        (&after["status"], &after["payments"][0]["status"]),
        (&json!("CANCELLED"), &json!("REFUNDED"))
    );
    let till = stage.till.payments()[&asked.external_id].clone();
    assert_eq!(
        (till.taken, till.refunds.values().sum::<i64>()),
        (9000, 9000)
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_pay_back_a_part_and_never_more_than_there_is_and_a_cancellation_the_rest() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    stage.till.pay(&asked.external_id);
    stage.call("evt_1", &asked, "right").await;
    stage.done().await;
    let refund = async |amount: Value| {
        let query = "mutation($input: RefundInput!) { refund(input: $input) { payment { id } problems { code path } } }";
        let input = json!({ "paymentId": asked.payment, "amount": amount, "reason": "late" });
        stage.owner.data(query, json!({ "input": input })).await["refund"]["problems"].clone()
    };
    for wrong in [0, -1, 9001] {
        assert_eq!(
            refund(json!(wrong)).await[0]["path"],
            json!(["input", "amount"])
        );
    }
    // The answer to the first is lost: it is made once all the same.
    stage.till.bad_day(BadDay::AnswerLost);
    assert_eq!(refund(json!(2000)).await, json!([]));
    assert_eq!(
        refund(json!(7001)).await[0]["code"],
        "INVALID",
        "what is on its way is not there any more"
    );
    stage
        .deliveries
        .until(1, "status = 'waiting' AND last_error IS NOT NULL")
        .await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    let part = stage.booking(&asked).await;
    assert_eq!(
        (
            &part["payments"][0]["status"],
            &part["payments"][0]["refunded"]["amount"]
        ),
        (&json!("PARTLY_REFUNDED"), &json!(2000))
    );
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    stage
        .owner
        .data(cancel, json!({ "input": { "bookingId": asked.booking } }))
        .await;
    stage.done().await;
    let till = stage.till.payments()[&asked.external_id].clone();
    assert_eq!(
        till.refunds
            .values()
            .copied()
            .collect::<std::collections::BTreeSet<_>>(),
        [2000, 7000].into()
    );
    assert_eq!(
        stage.booking(&asked).await["payments"][0]["status"],
        "REFUNDED"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_one_payment_and_a_refusal_none() {
    let mut stage = Stage::new(Deposit::Full).await;
    let free = stage.free().await;
    stage.till.bad_day(BadDay::AnswerLost);
    let booked = stage.book_at("2027-03-02T10:00:00Z").await;
    assert_eq!(
        (
            &booked["booking"]["status"],
            &booked["payment"]["clientSecret"]
        ),
        (&json!("PENDING"), &Value::Null)
    );
    // What is asked again is the same, whatever the service is called by then.
    let rename = "mutation($input: UpdateServiceInput!) { updateService(input: $input) { problems { code } } }";
    let input = json!({ "id": stage.service.to_string(), "name": "Another name" });
    stage.owner.data(rename, json!({ "input": input })).await;
    stage.app.world.clock.advance(TimeDelta::seconds(21));
    stage.done().await;
    assert_eq!(stage.till.payments().len(), 1);
    let secret = "query($id: ID!) { node(id: $id) { ... on Payment { clientSecret } } }";
    let found = stage
        .owner
        .data(secret, json!({ "id": booked["payment"]["id"] }))
        .await;
    assert!(
        found["node"]["clientSecret"].is_string(),
        "the jobs have begun it"
    );

    stage
        .till
        .bad_day(BadDay::Refused(Failure::give_up("the amount is too small")));
    let refused = stage.book_at("2027-03-02T12:00:00Z").await;
    assert_eq!(
        (&refused["booking"], &refused["problems"][0]["code"]),
        (&Value::Null, &json!("PAYMENT_FAILED"))
    );
    assert_eq!(stage.free().await, free - 1, "its time is free again");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_ends_also_when_the_business_takes_no_payments_any_more() {
    let mut stage = Stage::new(Deposit::Full).await;
    let (paid, unpaid) = (
        stage.asked().await,
        stage.book_at("2027-03-02T12:00:00Z").await,
    );
    let off = "mutation { configurePlugin(input: { name: \"payments-till\", settings: {}, enabled: false }) { problems { code } } }";
    let done = stage.owner.data(off, json!({})).await;
    assert_eq!(done["configurePlugin"]["problems"], json!([]));
    let refused = stage.book_at("2027-03-02T14:00:00Z").await;
    assert_eq!(
        refused["problems"][0]["code"], "PLUGIN_REFUSED",
        "nobody is booked unpaid"
    );
    stage.till.pay(&paid.external_id);
    assert_eq!(stage.call("evt_1", &paid, "right").await, 200);
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    stage.done().await;
    assert_eq!(stage.booking(&paid).await["status"], "CONFIRMED");
    let unpaid = stage
        .owner
        .data(BOOKING, json!({ "id": unpaid["booking"]["id"] }))
        .await;
    assert_eq!(unpaid["booking"]["status"], "EXPIRED");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_repeated_when_all_is_over_begins_nothing() {
    let mut stage = Stage::new(Deposit::Full).await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    let input = json!({ "serviceId": stage.service.to_string(), "startsAt": "2027-03-02T10:00:00Z",
        "customer": { "name": "Eve" }, "idempotencyKey": "once" });
    let book = async || {
        let data = stage
            .app
            .client()
            .data(BOOK, json!({ "input": input }))
            .await;
        data["book"]["booking"]["id"].clone()
    };
    let id = book().await;
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    stage
        .owner
        .data(cancel, json!({ "input": { "bookingId": id } }))
        .await;
    let over = "status <> 'waiting' AND part LIKE 'payment-call-off%'";
    stage.deliveries.until(1, over).await;
    assert_eq!(stage.till.payments().len(), 0);
    assert_eq!(book().await, id, "it was booked, whatever came of it");
    assert_eq!(
        stage.till.payments().len(),
        0,
        "nobody is asked for a booking that is over"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_kept_without_a_charge_and_staff_who_say_why_ask_for_nothing() {
    let mut stage = Stage::new(Deposit::CardOnFile).await;
    let asked = stage.asked().await;
    stage.till.pay(&asked.external_id);
    stage.call("evt_1", &asked, "right").await;
    stage.done().await;
    let kept = stage.booking(&asked).await;
    assert_eq!(
        (&kept["status"], &kept["payments"][0]["status"]),
        (&json!("CONFIRMED"), &json!("AUTHORIZED"))
    );
    assert_eq!(kept["balance"]["amount"], 9000);
    let input = json!({ "serviceId": stage.service.to_string(), "startsAt": "2027-03-02T14:00:00Z",
        "customer": { "name": "Eve" }, "overrideReason": "pays in cash" });
    let booked = stage.owner.data(BOOK, json!({ "input": input })).await["book"].clone();
    assert_eq!(
        (&booked["booking"]["status"], &booked["payment"]),
        (&json!("CONFIRMED"), &Value::Null)
    );
    stage.end().await;
}
