//! Channels: which carries a message, what happens when it cannot, and what the other side says of it.

use plugin_api::{Failure, MessageStatus};
use serde_json::{Value, json};

use super::stage::Stage;

fn with_phone(stage: &Stage, phone: &str) -> engine::booking::Book {
    let mut input = stage.input("2027-03-05T10:00:00Z");
    input.customer.as_mut().unwrap().phone = Some(phone.to_owned());
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_goes_by_the_first_channel_that_reaches_the_customer() {
    let mut stage = Stage::new().await;
    let both = stage.book(with_phone(&stage, "020 7946 0000")).await;
    let mail_alone = stage.book(stage.input("2027-03-05T12:00:00Z")).await;
    stage.done().await;
    stage.at("2027-03-04T12:00:00Z").await;
    insta::assert_snapshot!(stage.shown(both).await, @"
    2027-03-01T08:00:00+00:00 EMAIL anna@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-01T08:00:00+00:00 SMS +442079460000 SENT
    2027-03-04T10:00:00+00:00 SMS +442079460000 SENT
    ");
    insta::assert_snapshot!(stage.shown(mail_alone).await, @"
    2027-03-01T08:00:00+00:00 EMAIL ben@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-01T08:00:00+00:00 SMS  SUPPRESSED the customer has no telephone number
    2027-03-04T12:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-04T12:00:00+00:00 SMS  SUPPRESSED the customer has no telephone number
    ");
    let said = stage.texts.carried();
    assert!(
        said.iter()
            .all(|one| one.to == "+442079460000" && one.subject.is_none())
    );
    assert_eq!(said.len(), 2, "a confirmation and a reminder");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_channel_gives_up_goes_by_the_next_and_both_are_shown() {
    let mut stage = Stage::new().await;
    let id = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    stage.texts.next(Err(Failure::give_up("no such number")));
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("SMS +442079460000 FAILED no such number"),
        "{told}"
    );
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    let reminds = stage.mail.carried();
    assert_eq!(
        reminds
            .iter()
            .filter(|one| one.letter.about == "reminder")
            .count(),
        1
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_set_up_wrong_or_switched_off_leaves_it_to_the_next() {
    let mut stage = Stage::new().await;
    let first = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    stage
        .texts
        .next(Err(Failure::misconfigured("token: is wrong")));
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(first).await;
    assert!(
        told.contains("FAILED token: is wrong")
            && told.contains("10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );

    let mut input = with_phone(&stage, "+442079460000");
    input.starts_at = test_support::at("2027-03-08T10:00:00Z");
    let second = stage.book(input).await;
    stage.done().await;
    stage.configure("courier-texts", json!({}), false).await;
    stage.at("2027-03-07T10:00:00Z").await;
    let told = stage.shown(second).await;
    assert!(
        told.contains("SMS +442079460000 SUPPRESSED the business does not use Courier any more"),
        "{told}"
    );
    assert!(
        told.contains("2027-03-07T10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_said_stop_gets_no_text_messages_until_they_say_start() {
    let mut stage = Stage::new().await;
    let id = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    assert_eq!(stage.texts.carried().len(), 1);
    let wish = |id: &str, wish: &str| json!({ "id": id, "wish": wish, "address": "+442079460000" });
    assert_eq!(stage.call("courier-texts", wish("w1", "stop")).await, 200);
    assert_eq!(stage.call("courier-texts", wish("w1", "stop")).await, 200);
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(id).await;
    assert!(
        told.contains("SMS +442079460000 SUPPRESSED opted out"),
        "{told}"
    );
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 EMAIL eve@example.com SENT"),
        "{told}"
    );
    assert_eq!(stage.call("courier-texts", wish("w2", "start")).await, 200);
    stage.cancel(id).await;
    stage.done().await;
    assert_eq!(
        stage.texts.carried().len(),
        2,
        "the cancellation is told again"
    );
    stage.end().await;
}

async fn status(stage: &Stage, id: domain::id::BookingId) -> (String, String) {
    let told = stage.told(id).await;
    let text = told.iter().find(|one| one["channel"] == "SMS").unwrap();
    let field = |name: &str| text[name].as_str().unwrap_or_default().to_owned();
    (field("status"), field("error"))
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_message_fares_only_moves_forward_in_whatever_order_it_is_heard() {
    let mut stage = Stage::new().await;
    let mut calls = 0;
    for (hour, (heard, ends)) in (9..).zip([
        (vec!["sent", "delivered", "failed", "sent"], "DELIVERED"),
        (vec!["delivered", "sent"], "DELIVERED"),
        (vec!["failed", "delivered", "sent"], "FAILED"),
        (vec!["failed", "failed"], "FAILED"),
    ]) {
        let mut input = with_phone(&stage, "+442079460000");
        input.starts_at = test_support::at(&format!("2027-03-02T{hour:02}:00:00Z"));
        let id = stage.book(input).await;
        stage.done().await;
        let said = stage.texts.carried().pop().unwrap();
        for (turn, one) in heard.into_iter().enumerate() {
            calls += 1;
            // By our id, or by the other side's.
            let call = if turn % 2 == 0 {
                json!({ "id": format!("c{calls}"), "message": said.id.to_string(), "external": format!("msg_{}", said.id), "status": one })
            } else {
                json!({ "id": format!("c{calls}"), "external": format!("msg_{}", said.id), "status": one })
            };
            assert_eq!(stage.call("courier-texts", call).await, 200);
        }
        assert_eq!(status(&stage, id).await.0, ends);
    }
    // The call about the message came before the answer to sending it was recorded.
    stage.texts.next(Ok(MessageStatus::Delivered));
    let id = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    assert_eq!(status(&stage, id).await.0, "DELIVERED");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_that_is_known_not_to_have_arrived_goes_by_the_next_channel_once() {
    let mut stage = Stage::new().await;
    let id = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    stage.at("2027-03-04T10:00:00Z").await;
    let said = stage.texts.carried().pop().unwrap();
    for call in ["c1", "c2"] {
        let body = json!({ "id": call, "message": said.id.to_string(), "status": "failed" });
        assert_eq!(stage.call("courier-texts", body).await, 200);
    }
    stage.done().await;
    let reminds = |mails: Vec<plugin_api::Message>| {
        mails
            .into_iter()
            .filter(|one| one.letter.about == "reminder")
            .count()
    };
    assert_eq!(reminds(stage.mail.carried()), 1);
    let told = stage.shown(id).await;
    assert!(told.contains("FAILED nobody there"), "{told}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_the_messages_of_another_business() {
    let mut stage = Stage::new().await;
    let id = stage.book(with_phone(&stage, "+442079460000")).await;
    stage.done().await;
    let said = stage.texts.carried().pop().unwrap();
    let other = stage.app.world.another_business("other").await;
    let path = "/plugins/courier-texts/other";
    let request = stage.app.client().request(reqwest::Method::POST, path);
    let body = json!({ "id": "c1", "message": said.id.to_string(), "external": format!("msg_{}", said.id), "status": "failed" });
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(status(&stage, id).await.0, "SENT");
    let token = other.token(domain::actor::Role::Owner, None).await;
    let stranger = test_support::Client::new(stage.app.address, "other", Some(&token));
    for node in [
        said.id.to_string(),
        stage.rule("booking.start", -1440, "CUSTOMER", "SMS").await["id"]
            .as_str()
            .unwrap()
            .to_owned(),
    ] {
        let query = "query($id: ID!) { node(id: $id) { id } }";
        let own = stage.owner.data(query, json!({ "id": node })).await;
        assert_eq!(own["node"]["id"], node);
        let theirs = stranger.data(query, json!({ "id": node })).await;
        assert_eq!(theirs["node"], Value::Null);
        let guest = stage.app.client().data(query, json!({ "id": node })).await;
        assert_eq!(guest["node"], Value::Null);
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_message_is_sent_again_by_hand() {
    let mut stage = Stage::of_mail().await;
    let rule = stage
        .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
        .await;
    stage.change(&rule, json!({ "enabled": false })).await;
    stage
        .mail
        .next(Err(Failure::give_up("the recipient was refused")));
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.deliveries.until(1, "status = 'parked'").await;
    let told = stage.shown(id).await;
    assert!(told.contains("FAILED the recipient was refused"), "{told}");
    let query = "{ deliveries(filter: { statuses: [PARKED] }, first: 5) { nodes { id } } }";
    let parked = stage.owner.data(query, json!({})).await["deliveries"]["nodes"][0]["id"].clone();
    let retry = "mutation($id: ID!) { retryDelivery(id: $id) { problems { code } } }";
    stage.owner.data(retry, json!({ "id": parked })).await;
    stage.mail.until(2).await;
    stage.done().await;
    let told = stage.shown(id).await;
    assert!(told.contains("EMAIL eve@example.com SENT"), "{told}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_other_channel_would_reach_is_sent_once_the_settings_are_right() {
    let mut stage = Stage::new().await;
    let mut alone = with_phone(&stage, "+442079460000");
    alone.customer.as_mut().unwrap().email = None;
    let alone = stage.book(alone).await;
    stage.done().await;
    let wrong = || Err(Failure::misconfigured("token: is wrong"));
    stage.texts.next(wrong());
    stage.at("2027-03-04T10:00:00Z").await;
    let told = stage.shown(alone).await;
    assert!(
        told.contains("SMS +442079460000 PLANNED token: is wrong"),
        "{told}"
    );
    stage.at("2027-03-04T10:20:00Z").await;
    let told = stage.shown(alone).await;
    assert!(
        told.contains("2027-03-04T10:00:00+00:00 SMS +442079460000 SENT"),
        "{told}"
    );

    // Nor is whoever wants no mail reached by it.
    let wish = json!({ "id": "w1", "wish": "stop", "address": "eve@example.com" });
    assert_eq!(stage.call("courier-mail", wish).await, 200);
    let mut input = with_phone(&stage, "+442079460001");
    input.starts_at = test_support::at("2027-03-08T10:00:00Z");
    let opted_out = stage.book(input).await;
    stage.done().await;
    stage.texts.next(wrong());
    stage.at("2027-03-07T10:00:00Z").await;
    stage.at("2027-03-07T10:20:00Z").await;
    let told = stage.shown(opted_out).await;
    assert!(
        told.contains("2027-03-07T10:00:00+00:00 SMS +442079460001 SENT"),
        "{told}"
    );
    stage.end().await;
}
