//! A channel in trouble: set up wrong for days, or one whose code breaks.

use domain::id::BookingId;
use plugin_api::Failure;
use serde_json::json;

use super::stage::Stage;

fn wrong() -> Result<plugin_api::MessageStatus, Failure> {
    Err(Failure::misconfigured("password: is wrong"))
}

/// How the mail of the confirmation to the customer fares.
async fn mail(stage: &Stage, id: BookingId) -> String {
    let told = stage.shown(id).await;
    let mut lines = told.lines();
    let own = lines.find(|line| line.contains("EMAIL eve@example.com") && !line.contains("-04T"));
    own.unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_waited_for_its_settings_goes_out_with_them_also_where_it_was_parked() {
    let mut stage = Stage::of_one_attempt().await;
    let provider = stage
        .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
        .await;
    stage.change(&provider, json!({ "enabled": false })).await;
    stage.mail.next(wrong());
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    // Its recipient does not exist: no settings mend that.
    stage.mail.next(Err(Failure::give_up("no such mailbox")));
    stage.deliveries.until(1, "status = 'parked'").await;
    let refused = stage.book(stage.input("2027-03-06T10:00:00Z")).await;
    stage.mail.next(wrong());
    stage.deliveries.until(2, "status = 'parked'").await;
    // What is over by then is told to nobody.
    let past = stage.book(stage.input("2027-03-01T10:00:00Z")).await;
    stage.deliveries.until(3, "status = 'parked'").await;
    stage.at("2027-03-01T20:00:00Z").await;
    assert!(mail(&stage, id).await.contains("FAILED password: is wrong"));
    let right = json!({ "password": "hunter2" });
    stage.configure("courier-mail", right, true).await;
    stage.done().await;
    assert!(mail(&stage, id).await.contains("SENT"));
    assert!(
        mail(&stage, refused)
            .await
            .contains("FAILED no such mailbox")
    );
    assert!(
        mail(&stage, past)
            .await
            .contains("FAILED password: is wrong")
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_still_tried_goes_out_as_soon_as_its_settings_are_right() {
    let mut stage = Stage::of_mail().await;
    let provider = stage
        .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
        .await;
    stage.change(&provider, json!({ "enabled": false })).await;
    stage.mail.next(wrong());
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    let failed = "last_error = 'password: is wrong' AND lease_id IS NULL";
    stage.deliveries.until(1, failed).await;
    let right = json!({ "password": "hunter2" });
    stage.configure("courier-mail", right, true).await;
    stage.done().await;
    assert!(mail(&stage, id).await.contains("SENT"));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_panics_or_is_cut_off_for_the_last_time_leaves_it_to_the_next() {
    for (trouble, reason) in [
        ("panic", "the plugin panicked"),
        ("hang", "the plugin took too long"),
    ] {
        let mut stage = Stage::of_one_attempt().await;
        let mut input = stage.input("2027-03-05T10:00:00Z");
        input.customer.as_mut().unwrap().phone = Some("+442079460000".to_owned());
        let id = stage.book(input).await;
        stage.done().await;
        stage.texts.next(Err(Failure::give_up(trouble)));
        stage.at("2027-03-04T10:00:00Z").await;
        let told = stage.shown(id).await;
        assert!(
            told.contains(&format!("SMS +442079460000 FAILED {reason}"))
                && told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
            "{told}"
        );
        stage.end().await;
    }
}
