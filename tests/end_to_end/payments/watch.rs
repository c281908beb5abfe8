//! Where nobody calls: a payment is found while there is time.

use chrono::TimeDelta;
use domain::deposit::{CaptureMethod, Deposit};
use plugin_api::Failure;
use serde_json::json;
use test_support::BadDay;

use super::stage::Stage;

const LOOKED: &str =
    "status = 'waiting' AND part LIKE 'payment-watch%' AND last_error = 'nobody has paid yet'";

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_nobody_calls_about_is_found_within_two_minutes() {
    for (deposit, capture) in [
        (Deposit::Full, CaptureMethod::Automatic),
        (Deposit::Full, CaptureMethod::Manual),
        (Deposit::CardOnFile, CaptureMethod::Automatic),
    ] {
        let mut stage = Stage::with(deposit, capture, "GBP").await;
        let asked = stage.asked().await;
        for _ in 0..3 {
            stage.app.world.clock.advance(TimeDelta::minutes(2));
            stage.done().await;
            stage.deliveries.until(1, LOOKED).await;
            assert_eq!(stage.booking(&asked).await["status"], "PENDING");
        }
        stage.till.pay(&asked.external_id);
        stage.app.world.clock.advance(TimeDelta::minutes(2));
        stage.done().await;
        assert_eq!(stage.booking(&asked).await["status"], "CONFIRMED");
        let found = "part LIKE 'payment-watch%' AND status = 'delivered' AND attempts = 1";
        stage.deliveries.until(1, found).await;
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_time_to_pay_and_asks_nobody_then() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    stage.app.world.clock.advance(TimeDelta::minutes(2));
    stage.done().await;
    stage.app.world.clock.advance(TimeDelta::minutes(29));
    stage.done().await;
    assert_eq!(stage.booking(&asked).await["status"], "EXPIRED");
    let ended = "part LIKE 'payment-watch%' AND status = 'delivered'";
    stage.deliveries.until(1, ended).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_holds_up_nothing_else_of_the_booking_and_outlives_the_plugin_being_switched_off() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    let off = "mutation { configurePlugin(input: { name: \"payments-till\", settings: {}, enabled: false }) { problems { code } } }";
    stage.owner.data(off, json!({})).await;
    stage.till.bad_day(BadDay::Refused(Failure::retry("down")));
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    let down = "status = 'waiting' AND part LIKE 'payment-watch%' AND last_error = 'down'";
    stage.deliveries.until(1, down).await;
    // It waits for its next attempt, and a call comes.
    stage.till.pay(&asked.external_id);
    assert_eq!(stage.call("evt_1", &asked, "right").await, 200);
    stage.done().await;
    assert_eq!(stage.booking(&asked).await["status"], "CONFIRMED");
    stage.deliveries.until(1, down).await;
    // It finds that nothing is left to be found.
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    stage
        .deliveries
        .until(0, "status = 'waiting' AND part LIKE 'payment-watch%'")
        .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_finds_what_was_paid_also_when_the_plugin_is_switched_off() {
    let mut stage = Stage::new(Deposit::Full).await;
    let asked = stage.asked().await;
    let off = "mutation { configurePlugin(input: { name: \"payments-till\", settings: {}, enabled: false }) { problems { code } } }";
    stage.owner.data(off, json!({})).await;
    stage.till.pay(&asked.external_id);
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(stage.booking(&asked).await["status"], "CONFIRMED");
    stage.end().await;
}
