//! What goes wrong with payments is seen where staff look how a plugin fares, also where no delivery is left that could tell of it.

use chrono::TimeDelta;
use domain::deposit::Deposit;
use plugin_api::Failure;
use serde_json::{Value, json};
use test_support::BadDay;

use super::stage::Stage;

async fn health(stage: &Stage) -> Value {
    let query = "{ plugins { health { state lastError lastSuccessAt lastErrorAt } } }";
    stage.owner.data(query, json!({})).await["plugins"][0]["health"].clone()
}

/// A booking that cannot be paid, and all that is left to do about it when its time to pay is over.
async fn lost(stage: &mut Stage, failure: Failure) {
    stage.till.bad_day(BadDay::Refused(failure));
    let refused = stage.book_at("2027-03-02T10:00:00Z").await;
    assert_eq!(refused["problems"][0]["code"], "PAYMENT_FAILED");
    stage.app.world.clock.advance(TimeDelta::minutes(31));
    stage.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_cannot_be_begun_show_until_one_can() {
    let mut stage = Stage::new(Deposit::Full).await;
    for (turn, failure) in [
        Failure::misconfigured("secretKey: it is not accepted"),
        Failure::give_up("the amount is too small"),
        Failure::misconfigured("secretKey: it is not accepted"),
        Failure::misconfigured("secretKey: it is not accepted"),
        Failure::misconfigured("secretKey: it is not accepted"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = stage.app.world.clock.now();
        let why = format!("a payment could not be begun: {failure}");
        lost(&mut stage, failure).await;
        let state = if turn < 4 { "RETRYING" } else { "BROKEN" };
        assert_eq!(
            health(&stage).await,
            json!({ "state": state, "lastError": why, "lastSuccessAt": null,
                "lastErrorAt": at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string() })
        );
    }
    let booked = stage.book_at("2027-03-02T10:00:00Z").await;
    assert_eq!(booked["booking"]["status"], "PENDING");
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(health(&stage).await["state"], "OK");
    stage.end().await;
}
