//! Bookings that nobody pays let go of their time, whatever the other side does, and never before it is known that nobody paid.

use chrono::TimeDelta;
use domain::deposit::Deposit;
use plugin_api::Failure;
use serde_json::{Value, json};
use test_support::{BadDay, Slow};

use super::stage::{BOOKING, Stage};

async fn status(stage: &Stage, id: &Value) -> Value {
    let found = stage.owner.data(BOOKING, json!({ "id": id })).await;
    let booking = &found["booking"];
    json!([booking["status"], booking["payments"][0]["status"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_never_begin_expires_without_the_other_side() {
    let mut stage = Stage::new(Deposit::Full).await;
    let free = stage.free().await;
    stage.till.close();
    let booked = stage.book_at("2027-03-02T10:00:00Z").await;
    let id = &booked["booking"]["id"];
    assert_eq!(status(&stage, id).await, json!(["PENDING", "WAITING"]));
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    let expired = "status = 'delivered' AND part LIKE 'payment-expire:%'";
    stage.deliveries.until(1, expired).await;
    assert_eq!(status(&stage, id).await, json!(["EXPIRED", "EXPIRED"]));
    assert_eq!(stage.free().await, free);
    // What is begun after all is begun by nobody.
    stage.till.open();
    stage.app.world.clock.advance(TimeDelta::hours(5));
    stage.done().await;
    assert_eq!(stage.till.payments().len(), 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_somebody_paid_is_asked_until_it_is_known() {
    let mut stage = Stage::new(Deposit::Full).await;
    let (unpaid, paid) = (
        stage.asked().await,
        stage.book_at("2027-03-02T12:00:00Z").await,
    );
    let secret = paid["payment"]["clientSecret"].as_str().unwrap();
    stage.till.pay(secret.trim_end_matches("_secret"));
    for _ in 0..2 {
        let unknown = Failure::give_up("there is no such payment");
        stage.till.bad_day(BadDay::Refused(unknown));
    }
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    let put_off = "status = 'waiting' AND part LIKE 'payment-expire:%' AND last_error = 'there is no such payment'";
    stage.deliveries.until(2, put_off).await;
    let (unpaid, paid) = (json!(unpaid.booking), &paid["booking"]["id"]);
    assert_eq!(status(&stage, &unpaid).await, json!(["PENDING", "WAITING"]));
    stage.app.world.clock.advance(TimeDelta::hours(1));
    stage.done().await;
    assert_eq!(status(&stage, &unpaid).await, json!(["EXPIRED", "EXPIRED"]));
    assert_eq!(status(&stage, paid).await, json!(["CONFIRMED", "PAID"]));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_same_whoever_finds_that_nobody_paid_in_time() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    let down = "status = 'waiting' AND last_error = 'down'";
    stage.deliveries.until(1, down).await;
    // The other side calls about what it was to call off.
    stage.till.lapse(&asked.external_id);
    assert_eq!(stage.call("evt_over", &asked, "right").await, 200);
    stage.done().await;
    assert_eq!(
        status(&stage, &json!(asked.booking)).await,
        json!(["EXPIRED", "EXPIRED"])
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_pays_for_what_has_begun_without_them() {
    let mut stage = Stage::new(Deposit::Full).await;
    let soon = test_support::at("2027-03-02T09:50:00Z");
    let clock = &stage.app.world.clock;
    clock.advance(soon - clock.now());
    let booked = stage.book_at("2027-03-02T10:00:00Z").await;
    let payment = &booked["payment"];
    assert_eq!(payment["expiresAt"], "2027-03-02T10:00:00+00:00");
    stage.app.world.clock.advance(TimeDelta::minutes(10));
    stage.done().await;
    let id = &booked["booking"]["id"];
    assert_eq!(status(&stage, id).await, json!(["EXPIRED", "EXPIRED"]));
    stage.end().await;
}

/// The customer pays when it is too late, and nobody calls: it is seen within hours, and goes back once.
async fn pays_late(stage: &mut Stage, external_id: &str, booking: &Value) {
    assert!(stage.till.pay(external_id));
    for _ in 0..3 {
        stage.app.world.clock.advance(TimeDelta::hours(1));
        stage.done().await;
    }
    assert_eq!(status(stage, booking).await, json!(["EXPIRED", "REFUNDED"]));
    let payment = stage.till.payments()[external_id].clone();
    let back: Vec<i64> = payment.refunds.into_values().collect();
    assert_eq!((payment.taken, back), (9000, vec![9000]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_that_nobody_has_paid_in_time_keeps_no_time() {
    let mut stage = Stage::new(Deposit::Full).await;
    let free = stage.free().await;
    let asked = stage.asked().await;
    let booking = json!(asked.booking);
    assert!(stage.till.pay_slowly(&asked.external_id, Slow::Voucher));
    stage.app.world.clock.advance(TimeDelta::minutes(29));
    stage.done().await;
    assert_eq!(
        status(&stage, &booking).await,
        json!(["PENDING", "WAITING"])
    );
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(
        status(&stage, &booking).await,
        json!(["EXPIRED", "EXPIRED"])
    );
    assert_eq!(stage.free().await, free);
    pays_late(&mut stage, &asked.external_id, &booking).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_works_on_keeps_its_time_until_it_begins_and_no_longer() {
    for is_paid in [true, false] {
        let mut stage = Stage::new(Deposit::Full).await;
        let asked = stage.asked().await;
        let booking = json!(asked.booking);
        assert!(stage.till.pay_slowly(&asked.external_id, Slow::Bank));
        for before in [TimeDelta::hours(20), TimeDelta::minutes(20)] {
            let at = test_support::at("2027-03-02T10:00:00Z") - before;
            stage
                .app
                .world
                .clock
                .advance(at - stage.app.world.clock.now());
            stage.done().await;
            let waits = json!(["PENDING", "WAITING"]);
            assert_eq!(status(&stage, &booking).await, waits);
        }
        if is_paid {
            stage.till.pay(&asked.external_id);
        }
        stage.app.world.clock.advance(TimeDelta::minutes(20));
        stage.done().await;
        if is_paid {
            assert_eq!(status(&stage, &booking).await, json!(["CONFIRMED", "PAID"]));
        } else {
            let over = json!(["EXPIRED", "EXPIRED"]);
            assert_eq!(status(&stage, &booking).await, over);
            pays_late(&mut stage, &asked.external_id, &booking).await;
        }
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_that_nobody_ever_pays_is_forgotten_in_the_end() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    assert!(stage.till.pay_slowly(&asked.external_id, Slow::Voucher));
    for days in [1, 30, 1] {
        stage.app.world.clock.advance(TimeDelta::days(days));
        stage.done().await;
    }
    stage.deliveries.until(0, "status <> 'delivered'").await;
    let over = json!(["EXPIRED", "EXPIRED"]);
    assert_eq!(status(&stage, &json!(asked.booking)).await, over);
    stage.end().await;
}
