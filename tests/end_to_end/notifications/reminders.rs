//! Reminders and follow-ups.

use plugin_api::Failure;
use serde_json::json;

use super::stage::Stage;

/// Mails that remind.
fn reminders(stage: &Stage) -> Vec<String> {
    let said = stage.mail.carried().into_iter();
    let reminds = said.filter(|one| one.letter.about == "reminder");
    reminds
        .map(|one| format!("{} {}", one.to, one.subject.unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_booking_is_reminded_of_once_however_often_it_moves() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    for starts_at in [
        "2027-03-08T10:00:00Z",
        "2027-03-04T12:00:00Z",
        "2027-03-06T11:00:00Z",
    ] {
        stage.reschedule(id, starts_at).await;
        stage.done().await;
    }
    stage.at("2027-03-04T12:00:00Z").await;
    assert_eq!(reminders(&stage), Vec::<String>::new());
    stage.at("2027-03-05T11:00:00Z").await;
    insta::assert_snapshot!(reminders(&stage).join("\n"), @"eve@example.com Reminder: Service of 60 minutes, Saturday 6 March 2027, 11:00 (Test & Sons)");
    // It was reminded of: no more, also when it moves again.
    stage.reschedule(id, "2027-03-12T11:00:00Z").await;
    stage.at("2027-03-11T11:00:00Z").await;
    stage.at("2027-03-13T11:00:00Z").await;
    assert_eq!(reminders(&stage).len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_off_is_not_reminded_of() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    stage.cancel(id).await;
    stage.done().await;
    insta::assert_snapshot!(stage.shown(id).await, @"
    2027-03-01T08:00:00+00:00 EMAIL anna@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL anna@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-04T10:00:00+00:00 EMAIL eve@example.com SUPPRESSED the booking was cancelled
    ");
    stage.at("2027-03-05T10:00:00Z").await;
    assert_eq!(reminders(&stage), Vec::<String>::new());
    stage.deliveries.until(0, "status = 'waiting'").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_whose_time_has_passed_is_not_sent_and_comes_back_when_the_booking_moves_away() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-01T15:00:00Z")).await;
    stage.done().await;
    assert_eq!(
        stage.told(id).await.len(),
        2,
        "there is nothing to remind of"
    );
    stage.reschedule(id, "2027-03-08T10:00:00Z").await;
    stage.done().await;
    stage.reschedule(id, "2027-03-01T16:00:00Z").await;
    stage.done().await;
    let late = stage.shown(id).await;
    assert!(
        late.contains("SUPPRESSED its time had passed already"),
        "{late}"
    );
    stage.reschedule(id, "2027-03-09T10:00:00Z").await;
    stage.done().await;
    stage.at("2027-03-08T10:00:00Z").await;
    assert_eq!(reminders(&stage).len(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_are_those_of_the_customer_and_end_before_the_booking() {
    let mut stage = Stage::of_mail().await;
    let quiet = json!({ "quietHours": { "from": "21:00", "to": "11:30" } });
    stage.configure("notifications", quiet, true).await;
    // In London the day before at 10:00: until 11:30.
    let here = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    // In New York it is 05:00 then: until 11:30 there.
    let mut input = stage.input("2027-03-05T10:00:00Z");
    input.customer.as_mut().unwrap().time_zone = Some("America/New_York".to_owned());
    let there = stage.book(input).await;
    stage.done().await;
    let due = async |id| {
        let told = stage.told(id).await;
        let planned = told.iter().find(|one| one["status"] == "PLANNED").unwrap();
        planned["dueAt"].as_str().unwrap().to_owned()
    };
    assert_eq!(due(here).await, "2027-03-04T11:30:00+00:00");
    assert_eq!(due(there).await, "2027-03-04T16:30:00+00:00");
    stage.at("2027-03-04T10:30:00Z").await;
    assert_eq!(reminders(&stage).len(), 0);
    stage.at("2027-03-04T12:00:00Z").await;
    assert_eq!(reminders(&stage).len(), 1);

    // Two hours before would be in them, and their end after the beginning: at theirs.
    let rule = stage.rule("booking.start", -120, "CUSTOMER", "SMS").await;
    stage.change(&rule, json!({ "enabled": true })).await;
    let early = stage.book(stage.input("2027-03-08T09:00:00Z")).await;
    stage.done().await;
    let told = stage.shown(early).await;
    assert!(
        told.contains("2027-03-07T21:00:00+00:00 EMAIL eve@example.com PLANNED"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follow_up_asks_for_feedback_the_day_after_but_not_those_who_did_not_come() {
    let mut stage = Stage::of_mail().await;
    let url = json!({ "feedbackUrl": "https://aurora.example/feedback/{reference}" });
    stage.configure("notifications", url, true).await;
    let rule = stage.rule("booking.end", 1440, "CUSTOMER", "EMAIL").await;
    stage.change(&rule, json!({ "enabled": true })).await;
    let came = stage.book(stage.input("2027-03-02T10:00:00Z")).await;
    let stayed_away = stage.book(stage.input("2027-03-02T11:00:00Z")).await;
    stage.at("2027-03-02T12:30:00Z").await;
    let query = "mutation($id: ID!) { markNoShow(id: $id) { problems { code } } }";
    let id = json!({ "id": stayed_away.to_string() });
    let marked = stage.owner.data(query, id).await;
    assert_eq!(marked["markNoShow"]["problems"], json!([]));
    stage.at("2027-03-03T13:00:00Z").await;
    let said = stage.mail.carried();
    let asked: Vec<_> = said
        .iter()
        .filter(|one| one.letter.about == "follow-up")
        .collect();
    assert_eq!(asked.len(), 1);
    let facts = asked[0].event.booking.as_ref().unwrap();
    assert_eq!(facts.booking_id, came);
    let link = format!("https://aurora.example/feedback/{}", facts.reference);
    assert!(asked[0].text.contains(&link), "{}", asked[0].text);
    let told = stage.shown(stayed_away).await;
    assert!(
        told.contains("SUPPRESSED the customer did not come"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_changed_in_between_counts_as_it_is_now() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let rule = stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await;
    let rule = stage
        .change(&rule, json!({ "offsetMinutes": -60, "template": "Subject: Soon\nIn an hour, {{ customer }}" }))
        .await;
    let mut rule = rule;
    rule.as_object_mut().unwrap().remove("services");
    stage.at("2027-03-04T10:00:00Z").await;
    assert_eq!(reminders(&stage), Vec::<String>::new());
    stage.at("2027-03-05T09:00:00Z").await;
    assert_eq!(reminders(&stage), ["eve@example.com Soon"]);

    let other = stage.book(stage.input("2027-03-08T10:00:00Z")).await;
    let third = stage.book(stage.input("2027-03-09T10:00:00Z")).await;
    stage.done().await;
    stage.change(&rule, json!({ "enabled": false })).await;
    stage.at("2027-03-08T09:00:00Z").await;
    let told = stage.shown(other).await;
    assert!(
        told.contains("SUPPRESSED the rule is switched off"),
        "{told}"
    );
    let query =
        "mutation($id: ID!) { deleteNotificationRule(id: $id) { rule { id } problems { code } } }";
    let deleted = stage.owner.data(query, json!({ "id": rule["id"] })).await;
    assert_eq!(deleted["deleteNotificationRule"]["rule"]["id"], rule["id"]);
    stage.at("2027-03-09T09:00:00Z").await;
    let told = stage.shown(third).await;
    assert!(told.contains("SUPPRESSED the rule was deleted"), "{told}");
    assert_eq!(reminders(&stage).len(), 1);
    let _ = id;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_cannot_be_sent_before_the_booking_begins_is_not_sent_at_all() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    stage.mail.next(Err(Failure::retry("not now")));
    stage.at("2027-03-04T10:00:00Z").await;
    stage.at("2027-03-05T10:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(told.contains("SUPPRESSED the booking has begun"), "{told}");
    assert_eq!(reminders(&stage).len(), 1, "it was tried once");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_is_being_retried_is_not_dropped_when_the_customer_is_edited() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    stage.mail.next(Err(Failure::retry("not now")));
    stage.at("2027-03-04T10:00:00Z").await;
    super::customers::updated(&mut stage, id, json!({ "tier": "vip" })).await;
    stage.at("2027-03-04T10:05:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_has_planned_for_another_service_or_by_another_channel_is_not_sent() {
    let mut stage = Stage::new().await;
    let world = &stage.app.world;
    let location = world.location("UTC").await;
    let cleo = world.provider("Cleo", &[location]).await;
    let other = engine::catalogue::service::ServiceInput::default();
    let other = world.service(30, &[cleo], other).await;
    let with_phone = |starts_at: &str| {
        let mut input = stage.input(starts_at);
        input.customer.as_mut().unwrap().phone = Some("+442079460000".to_owned());
        input
    };
    let first = stage.book(with_phone("2027-03-05T10:00:00Z")).await;
    let second = stage.book(with_phone("2027-03-08T10:00:00Z")).await;
    stage.done().await;
    let rule = stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await;
    let rule = stage.change(&rule, json!({ "channels": ["EMAIL"] })).await;
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(first).await;
    assert!(
        told.contains("10:00:00+00:00 SMS +442079460000 SUPPRESSED the rule does not speak by text messages any more")
            && told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    let mut rule = rule;
    rule.as_object_mut().unwrap().remove("services");
    stage
        .change(
            &rule,
            json!({ "channels": ["SMS"], "serviceIds": [other.to_string()] }),
        )
        .await;
    stage.at("2027-03-07T10:00:00Z").await;
    let told = stage.shown(second).await;
    assert!(
        told.contains("SMS +442079460000 SUPPRESSED the rule is for other services"),
        "{told}"
    );
    assert_eq!(reminders(&stage).len(), 1);
    stage.end().await;
}
