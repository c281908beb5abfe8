//! Rules, previews and messages that are tried out.

use domain::actor::Role;
use serde_json::{Value, json};

use super::stage::Stage;

const PREVIEW: &str =
    "query($input: NotificationPreviewInput!) { previewNotification(input: $input) {
    subject body html language variables { name description } problems { line message } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_business_begins_with_the_usual_rules() {
    let stage = Stage::new().await;
    let query = "{ notificationRules { event offsetMinutes audience channels template enabled } }";
    let data = stage.owner.data(query, json!({})).await;
    let shown = data["notificationRules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| {
            let channels: Vec<&str> = rule["channels"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap())
                .collect();
            format!(
                "{} {} {} {} {} {}",
                rule["event"].as_str().unwrap(),
                rule["offsetMinutes"],
                rule["audience"].as_str().unwrap(),
                channels.join(","),
                rule["template"].as_str().unwrap(),
                rule["enabled"]
            )
        });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @"
    booking.confirmed 0 CUSTOMER EMAIL confirmed true
    booking.confirmed 0 PROVIDER EMAIL confirmed true
    booking.confirmed 0 CUSTOMER SMS confirmed true
    booking.rescheduled 0 CUSTOMER EMAIL rescheduled true
    booking.rescheduled 0 PROVIDER EMAIL rescheduled true
    booking.rescheduled 0 CUSTOMER SMS rescheduled true
    booking.cancelled 0 CUSTOMER EMAIL cancelled true
    booking.cancelled 0 PROVIDER EMAIL cancelled true
    booking.cancelled 0 CUSTOMER SMS cancelled true
    payment.refunded 0 CUSTOMER EMAIL,SMS refunded true
    payment.refunded 0 BUSINESS EMAIL refunded true
    payment.refund_failed 0 BUSINESS EMAIL refund-failed true
    booking.start -1440 CUSTOMER SMS,EMAIL reminder true
    booking.start -120 CUSTOMER SMS,EMAIL reminder false
    booking.end 1440 CUSTOMER EMAIL follow-up false
    ");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_rule_is_told_with_its_place() {
    let stage = Stage::new().await;
    let right = json!({ "event": "booking.confirmed", "audience": "CUSTOMER", "channels": ["EMAIL"], "template": "confirmed" });
    let mut told = Vec::new();
    for (field, value) in [
        ("event", json!("booking.begins")),
        ("event", json!("block.created")),
        ("offsetMinutes", json!(-60)),
        ("channels", json!([])),
        ("channels", json!(["EMAIL", "EMAIL"])),
        ("template", json!("confirmd")),
        ("template", json!("")),
        ("template", json!("Hello {{ customer }}\nat {{ where }}")),
        ("template", json!("Hello\n{% if customer %}")),
        ("template", json!("{% set x = 1 %}")),
        ("template", json!("{{ 'x' * 100000000 }}")),
        ("serviceIds", json!(["svc_01jd6y7t3hfb8vqx6p0n2c4m5k"])),
        ("id", json!("ntr_01jd6y7t3hfb8vqx6p0n2c4m5k")),
    ] {
        let mut input = right.clone();
        input[field] = value;
        let answer = stage.set(input).await;
        assert_eq!(answer["rule"], Value::Null);
        let problem = &answer["problems"][0];
        let path: Vec<&str> = problem["path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part.as_str().unwrap())
            .collect();
        let message: String = problem["message"]
            .as_str()
            .unwrap()
            .chars()
            .take(90)
            .collect();
        told.push(format!(
            "{} {}: {message}",
            problem["code"].as_str().unwrap(),
            path.join(".")
        ));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    INVALID input.event: `event` must be one of booking.start, booking.end, booking.confirmed, booking.pending, boo
    INVALID input.event: `event` must be one of booking.start, booking.end, booking.confirmed, booking.pending, boo
    INVALID input.offsetMinutes: `offsetMinutes` must be 0: what is said at an event is said at once
    INVALID input.channels: `channels` must name at least one channel
    INVALID input.channels: `channels` must not name a channel twice
    INVALID input.template: there is no text `confirmd`; there are confirmed, rescheduled, cancelled, reminder, follow
    INVALID input.template: `template` must not be empty
    INVALID input.template: line 2: `where` is not a variable; there are business, service, customer, provider, recipi
    INVALID input.template: line 2: syntax error: unexpected end of input, expected end of block
    INVALID input.template: line 1: `set` is not a tag of templates here; there are if, elif, else, endif, for, endfor
    INVALID input.template: line 1: `*` cannot be used in templates here
    NOT_FOUND input.serviceIds: there is no such service
    NOT_FOUND input.id: there is no such notification rule
    ");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_for_one_service_and_for_the_business_says_what_it_was_told_to() {
    let mut stage = Stage::of_mail().await;
    let world = &stage.app.world;
    let location = world.location("UTC").await;
    let cleo = world.provider("Cleo", &[location]).await;
    let other = world
        .service(
            30,
            &[cleo],
            engine::catalogue::service::ServiceInput::default(),
        )
        .await;
    let input = json!({
        "event": "booking.confirmed", "audience": "BUSINESS", "channels": ["SMS", "EMAIL"], "serviceIds": [other.to_string()],
        "template": "Subject: {{ customer }} comes\n{{ service }} with {{ provider }}, {{ start }}", "idempotencyKey": "once"
    });
    let first = stage.set(input.clone()).await;
    assert_eq!(
        first,
        stage.set(input).await,
        "the same key answers the same"
    );
    assert_eq!(first["rule"]["services"][0]["id"], other.to_string());
    // Nobody has said where the business reads its mail.
    let booking = stage
        .app
        .world
        .booking(other, "2027-03-05T10:00:00Z", "Eve");
    stage.book(booking).await;
    stage.done().await;
    let to_desk = |stage: &Stage| {
        let said = stage.mail.carried().into_iter();
        said.filter(|one| one.to == "desk@aurora.example")
            .collect::<Vec<_>>()
    };
    assert_eq!(to_desk(&stage).len(), 0);
    stage
        .configure(
            "notifications",
            json!({ "businessEmail": "desk@aurora.example" }),
            true,
        )
        .await;
    stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    let booking = stage
        .app
        .world
        .booking(other, "2027-03-05T11:00:00Z", "Eve");
    stage.book(booking).await;
    stage.done().await;
    let said = to_desk(&stage);
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].subject.as_deref(), Some("Eve comes"));
    assert_eq!(
        said[0].text,
        "Service of 30 minutes with Cleo, Friday 5 March 2027, 11:00"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_and_tried_out_before_anybody_gets_it() {
    let stage = Stage::new().await;
    let preview = async |input: Value| {
        let data = stage.owner.data(PREVIEW, json!({ "input": input })).await;
        data["previewNotification"].clone()
    };
    let german =
        preview(json!({ "template": "reminder", "event": "booking.start", "language": "de-AT" }))
            .await;
    assert_eq!(
        (&german["language"], &german["problems"]),
        (&json!("de"), &json!([]))
    );
    assert!(
        german["subject"]
            .as_str()
            .unwrap()
            .starts_with("Erinnerung: Service of 60 minutes, Dienstag, 2. März 2027, 08:00 Uhr")
    );
    assert!(german["html"].as_str().unwrap().contains("Test &amp; Sons"));
    assert!(
        german["variables"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == "feedback_url")
    );
    let text = preview(json!({ "template": "Hi {{ customer }}", "channel": "SMS" })).await;
    assert_eq!(
        (&text["subject"], &text["body"]),
        (&Value::Null, &json!("Hi Jo Smith"))
    );
    let wrong = preview(json!({ "template": "Hi\n{{ nobody }}" })).await;
    assert_eq!(
        (&wrong["body"], &wrong["problems"][0]["line"]),
        (&Value::Null, &json!(2))
    );

    let query = "mutation($input: NotificationTestInput!) { testNotification(input: $input) {
        ok message problems { code path } } }";
    let send = async |mut input: Value, to: &str| {
        input["to"] = json!(to);
        let data = stage.owner.data(query, json!({ "input": input })).await;
        data["testNotification"].clone()
    };
    let sent = send(
        json!({ "template": "confirmed", "channel": "SMS", "language": "ja" }),
        "+819012345678",
    )
    .await;
    assert_eq!(
        sent,
        json!({ "ok": true, "message": "Courier has taken it", "problems": [] })
    );
    let said = stage.texts.carried().pop().unwrap();
    assert!(said.to == "+819012345678" && said.text.contains("ご予約が確定しました"));
    let nowhere = send(json!({ "template": "confirmed", "channel": "SMS" }), "12").await;
    assert_eq!(
        (&nowhere["ok"], &nowhere["problems"][0]["path"]),
        (&json!(false), &json!(["input", "to"]))
    );
    let push = send(json!({ "template": "confirmed", "channel": "PUSH" }), "x").await;
    assert_eq!(push["problems"][0]["code"], "INVALID");
    stage
        .mail
        .next(Err(plugin_api::Failure::misconfigured("host: is wrong")));
    let refused = send(json!({ "template": "confirmed" }), "a@b.example").await;
    assert_eq!(
        (&refused["ok"], &refused["message"]),
        (&json!(false), &json!("host: is wrong"))
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_messages_are_for_staff() {
    let mut stage = Stage::new().await;
    let input = stage.input("2027-03-05T10:00:00Z");
    let world = stage.app.world.clone();
    let booked = world
        .engine
        .book(&world.visitor, input, None)
        .await
        .unwrap();
    stage.done().await;
    let id = booked.made.booking.id.to_string();
    let provider = {
        let catalogue = world.engine.catalogue(&world.owner).await.unwrap();
        catalogue.providers.values().next().unwrap().id
    };
    let guest = stage.app.client_with(&booked.manage_token);
    let provider = stage
        .app
        .client_with(&world.token(Role::Provider, Some(provider)).await);
    for client in [&guest, &provider, &stage.app.client()] {
        for query in [
            "{ notificationRules { id } }",
            "{ previewNotification(input: { template: \"confirmed\" }) { body } }",
        ] {
            let answer = client.send(query, json!({})).await;
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
                "{query}"
            );
        }
    }
    let query = "query($id: ID!) { booking(id: $id) { notifications { to } } }";
    let seen = guest.data(query, json!({ "id": id })).await;
    assert_eq!(seen["booking"]["notifications"], json!([]));
    assert!(stage.told(booked.made.booking.id).await.len() > 2);
    stage.end().await;
}
