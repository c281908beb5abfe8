//! Quiet hours: also what was due before them and did not get out, and what a changed rule has planned, leaves people alone in them.

use plugin_api::{Failure, Message};
use serde_json::{Value, json};

use super::stage::Stage;

const NIGHT: &str = "21:00";
const MORNING: &str = "09:30";

async fn with_quiet_hours(stage: &Stage, for_events: bool) {
    let quiet = json!({ "quietHours": { "from": NIGHT, "to": MORNING, "forEvents": for_events } });
    stage.configure("notifications", quiet, true).await;
}

/// The one reminder that a business begins with comes so many minutes before; the rule.
async fn with_reminder(stage: &Stage, offset: i32) -> Value {
    let rule = stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await;
    stage
        .change(&rule, json!({ "offsetMinutes": offset }))
        .await;
    rule
}

fn about(said: &[Message], what: &str) -> usize {
    let said = said.iter().filter(|one| one.letter.about == what);
    said.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_did_not_get_out_before_quiet_hours_waits_for_their_end() {
    let mut stage = Stage::of_mail().await;
    with_quiet_hours(&stage, false).await;
    with_reminder(&stage, -870).await;
    let id = stage.book(stage.input("2027-03-05T11:00:00Z")).await;
    stage.done().await;
    stage.mail.next(Err(Failure::retry("not now")));
    stage.at("2027-03-04T20:30:00Z").await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 1);
    for instant in [
        "2027-03-04T21:00:00Z",
        "2027-03-04T23:50:00Z",
        "2027-03-05T09:29:00Z",
    ] {
        stage.at(instant).await;
        assert_eq!(about(&stage.mail.carried(), "reminder"), 1, "{instant}");
    }
    stage.at("2027-03-05T09:30:00Z").await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 2);
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-04T20:30:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_for_which_the_end_of_quiet_hours_is_too_late_is_sent_in_them() {
    let mut stage = Stage::of_mail().await;
    with_quiet_hours(&stage, false).await;
    with_reminder(&stage, -750).await;
    stage.book(stage.input("2027-03-05T09:00:00Z")).await;
    stage.done().await;
    stage.mail.next(Err(Failure::retry("not now")));
    stage.at("2027-03-04T20:30:00Z").await;
    stage.at("2027-03-04T23:50:00Z").await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 2);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_another_way_at_night_waits_for_the_morning_too() {
    let mut stage = Stage::new().await;
    with_quiet_hours(&stage, false).await;
    with_reminder(&stage, -870).await;
    let mut input = stage.input("2027-03-05T11:00:00Z");
    input.customer.as_mut().unwrap().phone = Some("+442079460000".to_owned());
    let id = stage.book(input).await;
    stage.done().await;
    stage.at("2027-03-04T20:30:00Z").await;
    let said = stage.texts.carried().pop().unwrap();
    stage.at("2027-03-04T23:00:00Z").await;
    let lost = json!({ "id": "c1", "message": said.id.to_string(), "status": "failed" });
    assert_eq!(stage.call("courier-texts", lost).await, 200);
    stage.done().await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 0);
    // Whoever edits the customer meanwhile loses none of it.
    let changed = json!({ "tier": "vip" });
    super::customers::updated(&mut stage, id, changed).await;
    stage.at("2027-03-05T09:30:00Z").await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_before_quiet_hours_is_told_after_them_where_events_wait_too() {
    for (for_events, at_night) in [(true, 0), (false, 1)] {
        let mut stage = Stage::of_mail().await;
        with_quiet_hours(&stage, for_events).await;
        let rule = stage
            .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
            .await;
        stage.change(&rule, json!({ "enabled": false })).await;
        stage.at("2027-03-01T20:59:00Z").await;
        stage.mail.next(Err(Failure::retry("not now")));
        stage.book(stage.input("2027-03-05T10:00:00Z")).await;
        stage.done().await;
        stage.at("2027-03-01T23:00:00Z").await;
        assert_eq!(about(&stage.mail.carried(), "confirmed"), 1 + at_night);
        stage.at("2027-03-02T09:30:00Z").await;
        assert_eq!(about(&stage.mail.carried(), "confirmed"), 2);
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_follows_its_rule_to_another_time_by_the_booking_and_not_by_when_it_was_planned()
{
    let mut stage = Stage::of_mail().await;
    with_quiet_hours(&stage, false).await;
    let rule = with_reminder(&stage, -120).await;
    // Two hours before lies in quiet hours, and so does one: at their end.
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    // In New York it is five hours earlier: both lie before them ends there, and that is after the beginning.
    let mut input = stage.input("2027-03-05T11:00:00Z");
    input.customer.as_mut().unwrap().time_zone = Some("America/New_York".to_owned());
    let there = stage.book(input).await;
    stage.done().await;
    let due = async |stage: &Stage, id| {
        let told = stage.told(id).await;
        let planned = told.iter().find(|one| one["status"] == "PLANNED");
        let due = planned.map(|one| one["dueAt"].as_str().unwrap().to_owned());
        due.unwrap_or_default()
    };
    assert_eq!(due(&stage, id).await, "2027-03-05T09:30:00+00:00");
    assert_eq!(due(&stage, there).await, "2027-03-05T02:00:00+00:00");
    let moves = async |stage: &Stage, event: &str, offset: i32| {
        let changes = json!({ "event": event, "offsetMinutes": offset });
        stage.change(&rule, changes).await;
        (due(stage, id).await, due(stage, there).await)
    };
    let (here, away) = moves(&stage, "booking.start", -60).await;
    assert_eq!(here, "2027-03-05T09:30:00+00:00");
    assert_eq!(away, "2027-03-05T02:00:00+00:00");
    let (here, away) = moves(&stage, "booking.end", 30).await;
    assert_eq!(here, "2027-03-05T11:30:00+00:00");
    assert_eq!(away, "2027-03-05T14:30:00+00:00");
    let (here, _) = moves(&stage, "booking.start", -60).await;
    assert_eq!(here, "2027-03-05T09:30:00+00:00");
    stage.at("2027-03-05T02:00:00Z").await;
    stage.at("2027-03-05T09:30:00Z").await;
    assert_eq!(about(&stage.mail.carried(), "reminder"), 2);
    stage.end().await;
}
