//! Rules that were changed: what they had planned is not said in words that were meant for another occasion, or for other people.

use serde_json::{Value, json};

use super::stage::Stage;

/// What was said to somebody about this, by mail.
fn said(stage: &Stage, to: &str, about: &str) -> usize {
    let mails = stage.mail.carried().into_iter();
    mails
        .filter(|mail| mail.to == to && mail.letter.about == about)
        .count()
}

async fn reminder(stage: &Stage) -> Value {
    stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_whose_rule_speaks_at_an_event_now_is_not_sent_in_its_words() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let cancelled =
        json!({ "event": "booking.cancelled", "offsetMinutes": 0, "template": "cancelled" });
    stage.change(&reminder(&stage).await, cancelled).await;
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SUPPRESSED the rule speaks of something else now"),
        "{told}"
    );
    let about_the_end = |mail: &plugin_api::Message| mail.text.contains("cancelled");
    assert!(!stage.mail.carried().iter().any(about_the_end));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_whose_rule_is_for_staff_now_does_not_reach_the_customer() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let staff = json!({ "audience": "PROVIDER", "template": "Do not forget the invoice of {{ customer }}" });
    stage.change(&reminder(&stage).await, staff).await;
    stage.done().await;
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SUPPRESSED the rule speaks to somebody else now"),
        "{told}"
    );
    assert_eq!(said(&stage, "eve@example.com", "reminder"), 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_morning_is_not_said_in_words_for_another_event() {
    let mut stage = Stage::of_mail().await;
    let quiet = json!({ "quietHours": { "from": "21:00", "to": "08:00", "forEvents": true } });
    stage.configure("notifications", quiet, true).await;
    stage.at("2027-03-01T22:00:00Z").await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let rule = stage
        .rule("booking.confirmed", 0, "CUSTOMER", "EMAIL")
        .await;
    let cancelled = json!({ "event": "booking.cancelled", "template": "cancelled" });
    stage.change(&rule, cancelled).await;
    stage.at("2027-03-02T08:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-02T08:00:00+00:00 EMAIL eve@example.com SUPPRESSED the rule speaks of something else now")
            && told.contains("2027-03-02T08:00:00+00:00 EMAIL anna@example.com SENT"),
        "{told}"
    );
    stage.end().await;
}
