//! Customers of a tier, and those who would rather be reached by one channel: what is said to them, and who says that they are.

use domain::id::BookingId;
use plugin_api::{Channel, Failure};
use serde_json::{Value, json};

use super::customers::{customer, updated};
use super::stage::Stage;

/// With both an email address and a telephone number.
async fn booked(stage: &mut Stage, starts_at: &str, preferred: Option<Channel>) -> BookingId {
    let mut input = stage.input(starts_at);
    let customer = input.customer.as_mut().unwrap();
    customer.phone = Some("+442079460000".to_owned());
    customer.preferred_channel = preferred;
    let id = stage.book(input).await;
    stage.done().await;
    id
}

/// The lines of what is or was due then.
async fn due(stage: &Stage, id: BookingId, instant: &str) -> String {
    let shown = stage.shown(id).await;
    let lines = shown.lines().filter_map(|line| line.strip_prefix(instant));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_a_tier_speaks_of_the_bookings_of_its_customers_to_whomever() {
    let mut stage = Stage::of_mail().await;
    for audience in ["CUSTOMER", "PROVIDER"] {
        let set = stage
            .set(json!({ "event": "booking.confirmed", "audience": audience, "channels": ["EMAIL"],
                "customerTiers": [" Gold ", "VIP"], "template": "Subject: VIP\n{{ customer }} is coming" }))
            .await;
        assert_eq!(set["problems"], json!([]));
        assert_eq!(set["rule"]["customerTiers"], json!(["Gold", "VIP"]));
    }
    let said = |stage: &Stage| {
        let all = stage.mail.carried().into_iter();
        let mut to: Vec<String> = all
            .filter(|one| one.subject.as_deref() == Some("VIP"))
            .map(|one| format!("{} {}", one.to, one.text.trim()))
            .collect();
        to.sort();
        to
    };
    let first = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    assert_eq!(said(&stage), Vec::<String>::new());
    let known = updated(&mut stage, first, json!({ "tier": "  vip " })).await;
    assert_eq!(known["tier"], "vip");
    assert_eq!(
        said(&stage),
        Vec::<String>::new(),
        "what has happened is told as it was"
    );

    // The same person books again, and somebody else.
    let again = stage.book(stage.input("2027-03-08T10:00:00Z")).await;
    assert_eq!(customer(&stage.owner, again).await["id"], known["id"]);
    let world = &stage.app.world;
    let other = world.booking(stage.service, "2027-03-09T10:00:00Z", "Joe");
    stage.book(other).await;
    stage.done().await;
    assert_eq!(
        said(&stage),
        [
            "anna@example.com Eve is coming",
            "eve@example.com Eve is coming"
        ]
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_becomes_a_vip_after_booking_is_reminded_as_one_and_whoever_is_none_any_more_is_not()
 {
    let mut stage = Stage::of_mail().await;
    let set = stage
        .set(
            json!({ "event": "booking.start", "offsetMinutes": -120, "audience": "CUSTOMER",
            "channels": ["EMAIL"], "customerTiers": ["VIP"], "template": "Subject: Champagne\nwaits" }),
        )
        .await;
    assert_eq!(set["problems"], json!([]));
    let when = "2027-03-05T08:00:00+00:00";
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    assert_eq!(due(&stage, id, when).await, "");
    updated(&mut stage, id, json!({ "tier": "vip" })).await;
    assert_eq!(due(&stage, id, when).await, "EMAIL eve@example.com PLANNED");
    updated(&mut stage, id, json!({ "tier": null })).await;
    assert_eq!(
        due(&stage, id, when).await,
        "EMAIL eve@example.com SUPPRESSED the rule is for customers of another tier"
    );
    updated(&mut stage, id, json!({ "tier": "Vip" })).await;
    stage.at("2027-03-05T08:00:00Z").await;
    assert_eq!(due(&stage, id, when).await, "EMAIL eve@example.com SENT");
    // It was sent: no change of theirs has it sent again.
    updated(&mut stage, id, json!({ "tier": null })).await;
    updated(&mut stage, id, json!({ "tier": "vip" })).await;
    assert_eq!(due(&stage, id, when).await, "EMAIL eve@example.com SENT");
    let said = stage.mail.carried().into_iter();
    let champagne = said.filter(|one| one.subject.as_deref() == Some("Champagne"));
    assert_eq!(champagne.count(), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_looks_at_the_tiers_of_its_rule_again_when_it_is_sent() {
    let mut stage = Stage::of_mail().await;
    let rule = stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    stage
        .change(&rule, json!({ "customerTiers": ["gold"] }))
        .await;
    stage.at("2027-03-04T10:00:00Z").await;
    assert_eq!(
        due(&stage, id, "2027-03-04T10:00:00+00:00").await,
        "EMAIL eve@example.com SUPPRESSED the rule is for customers of another tier"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_rules_channels_the_one_that_the_customer_prefers_is_tried_first() {
    let mut stage = Stage::new().await;
    let when = "2027-03-04T10:00:00+00:00";
    let rule = stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await;
    let start = "2027-03-05T10:00:00Z";
    let by_mail = booked(&mut stage, start, Some(Channel::Email)).await;
    assert_eq!(
        customer(&stage.owner, by_mail).await["preferredChannel"],
        "EMAIL"
    );
    assert_eq!(
        due(&stage, by_mail, when).await,
        "EMAIL eve@example.com PLANNED"
    );
    // The provider's messages go by the rule's order, and a rule that names no other channel by its own.
    assert_eq!(
        due(&stage, by_mail, "2027-03-01T08:00:00+00:00").await,
        "EMAIL anna@example.com SENT\nEMAIL eve@example.com SENT\nSMS +442079460000 SENT"
    );
    stage.cancel(by_mail).await;
    // One that is not among the rule's channels makes no difference.
    let by_app = booked(&mut stage, start, Some(Channel::Push)).await;
    assert_eq!(due(&stage, by_app, when).await, "SMS +442079460000 PLANNED");
    stage.cancel(by_app).await;
    // One that does not reach them leaves it to the others, and it is told why.
    stage
        .change(&rule, json!({ "channels": ["EMAIL", "SMS"] }))
        .await;
    let mut input = stage.input(start);
    input.customer.as_mut().unwrap().preferred_channel = Some(Channel::Sms);
    let without = stage.book(input).await;
    stage.done().await;
    assert_eq!(
        due(&stage, without, when).await,
        "EMAIL eve@example.com PLANNED\nSMS  SUPPRESSED the customer has no telephone number"
    );
    // Given one, it goes there.
    updated(&mut stage, without, json!({ "phone": "+442079461111" })).await;
    stage.at("2027-03-04T10:00:00Z").await;
    assert_eq!(
        due(&stage, without, when).await,
        "EMAIL eve@example.com SUPPRESSED the customer prefers text messages\nSMS +442079461111 SENT"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_has_come_to_prefer_counts_for_reminders_that_were_planned_before() {
    let mut stage = Stage::new().await;
    let when = "2027-03-04T10:00:00+00:00";
    let taken = booked(&mut stage, "2027-03-05T10:00:00Z", None).await;
    assert_eq!(due(&stage, taken, when).await, "SMS +442079460000 PLANNED");
    updated(&mut stage, taken, json!({ "preferredChannel": "EMAIL" })).await;
    stage.at("2027-03-04T10:00:00Z").await;
    assert_eq!(
        due(&stage, taken, when).await,
        "EMAIL eve@example.com SENT\nSMS +442079460000 SUPPRESSED the customer prefers mail"
    );

    // Where the preferred one gives up, the other one carries it after all.
    updated(&mut stage, taken, json!({ "preferredChannel": null })).await;
    let when = "2027-03-07T10:00:00+00:00";
    let given_up = booked(&mut stage, "2027-03-08T10:00:00Z", None).await;
    assert_eq!(
        due(&stage, given_up, when).await,
        "SMS +442079460000 PLANNED"
    );
    updated(&mut stage, given_up, json!({ "preferredChannel": "EMAIL" })).await;
    stage.mail.next(Err(Failure::give_up("no such mailbox")));
    stage.at("2027-03-07T10:00:00Z").await;
    assert_eq!(
        due(&stage, given_up, when).await,
        "EMAIL eve@example.com FAILED no such mailbox\nSMS +442079460000 SENT"
    );

    // By a channel that they want nothing more of they are not reached, whatever is preferred.
    let when = "2027-03-09T10:00:00+00:00";
    let stopped = booked(&mut stage, "2027-03-10T10:00:00Z", Some(Channel::Email)).await;
    assert_eq!(
        due(&stage, stopped, when).await,
        "EMAIL eve@example.com PLANNED"
    );
    updated(&mut stage, stopped, json!({ "preferredChannel": "SMS" })).await;
    let stop = json!({ "id": "w1", "wish": "stop", "address": "+442079460000" });
    assert_eq!(stage.call("courier-texts", stop).await, 200);
    stage.at("2027-03-09T10:00:00Z").await;
    assert_eq!(
        due(&stage, stopped, when).await,
        "EMAIL eve@example.com SENT"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tiers_of_a_rule_are_short_words_each_once() {
    let stage = Stage::of_mail().await;
    let mut told = Vec::new();
    for tiers in [
        json!(["vip", "VIP"]),
        json!(["vip", ""]),
        json!(["a".repeat(41)]),
        json!((0..51).map(|number| number.to_string()).collect::<Vec<_>>()),
    ] {
        let answer = stage
            .set(
                json!({ "event": "booking.confirmed", "audience": "CUSTOMER", "channels": ["EMAIL"],
                "template": "confirmed", "customerTiers": tiers }),
            )
            .await;
        let problem = &answer["problems"][0];
        assert_eq!(answer["rule"], Value::Null);
        assert_eq!(problem["path"], json!(["input", "customerTiers"]));
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        told.push(format!("{} {}", text("code"), text("message")));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    INVALID `customerTiers` must not name a tier twice
    INVALID `customerTiers` must not be empty
    INVALID `customerTiers` must be at most 40 characters long, not 41
    INVALID `customerTiers` must name at most 50 tiers
    ");
    stage.end().await;
}
