//! What is sent, what Twilio refuses, and that a repeat sends nothing twice.

use std::time::Duration;

use chrono::TimeDelta;
use fake_twilio::{Call, FROM, Fault, SERVICE};
use plugin_api::{Failure, MessageStatus, Sent};
use serde_json::{Value, json};

use crate::{CALLBACK, Shop, TO, message};

#[tokio::test]
async fn a_message_is_sent_as_it_is_and_says_where_to_call() {
    let shop = Shop::open().await;
    let message = message(&shop.clock, 1, "Jo’s cut: Monday, 12:00 – see you!");
    let sent = shop.send(&message).await.unwrap();
    let [taken] = shop.twilio.sent().try_into().unwrap();
    let expected = Sent {
        external_id: Some(taken.sid.clone()),
        status: MessageStatus::Sent,
    };
    assert_eq!(sent, expected);
    assert_eq!(taken.body, "Jo's cut: Monday, 12:00 - see you!");
    assert_eq!((taken.to.as_str(), taken.from.as_deref()), (TO, Some(FROM)));
    assert_eq!(
        taken.callback,
        Some(format!("{CALLBACK}?message={}", message.id))
    );
    assert_eq!(
        shop.twilio.calls().len(),
        1,
        "the first attempt looks for nothing"
    );
}

#[tokio::test]
async fn a_server_that_the_outside_does_not_reach_is_not_called() {
    let shop = Shop::open().await;
    let mut message = message(&shop.clock, 1, "Hello");
    message.callback_url = None;
    shop.send(&message).await.unwrap();
    assert_eq!(shop.twilio.sent()[0].callback, None);
}

#[tokio::test]
async fn a_service_chooses_the_sender_or_is_told_it() {
    for (from, expected) in [(Value::Null, None), (json!(FROM), Some(FROM))] {
        let shop = Shop::with(json!({ "from": from, "messagingServiceSid": SERVICE })).await;
        let sent = shop.send(&message(&shop.clock, 1, "Hello")).await.unwrap();
        assert_eq!(sent.status, MessageStatus::Sent);
        let [taken] = shop.twilio.sent().try_into().unwrap();
        assert_eq!(taken.service.as_deref(), Some(SERVICE));
        assert_eq!(taken.from.as_deref(), expected);
    }
}

#[tokio::test]
async fn what_can_never_get_there_is_given_up_in_words() {
    let shop = Shop::open().await;
    shop.twilio.opt_out("+447400123457");
    for (to, words) in [
        ("+15005550001", "is not a telephone number that exists"),
        ("+15005550002", "cannot be reached"),
        ("+15005550003", "Geo permissions"),
        ("+15005550004", "has opted out"),
        ("+15005550009", "is not a mobile number"),
        ("+447400123457", "has opted out"),
    ] {
        let mut message = message(&shop.clock, 1, "Hello");
        to.clone_into(&mut message.to);
        let failure = shop.send(&message).await.unwrap_err();
        assert!(
            matches!(failure, Failure::GiveUp { .. }),
            "{to}: {failure:?}"
        );
        assert!(failure.reason().contains(words), "{to}: {failure}");
    }
    for text in [String::new(), "a".repeat(1601)] {
        let failure = shop
            .send(&message(&shop.clock, 1, &text))
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::GiveUp { .. }), "{failure:?}");
    }
    assert_eq!(shop.twilio.sent(), []);
}

#[tokio::test]
async fn whoever_sends_must_be_one_who_can() {
    for (more, setting) in [
        (json!({ "from": "+15005550001" }), "from: "),
        (json!({ "from": "+15005550007" }), "from: "),
        (json!({ "from": "+442071838750" }), "from: "),
        (
            json!({ "messagingServiceSid": "MG00000000000000000000000000000000" }),
            "messagingServiceSid: ",
        ),
        (json!({ "authToken": "wrong" }), "authToken: "),
        (
            json!({ "accountSid": "AC00000000000000000000000000000000" }),
            "authToken: is not accepted for this accountSid",
        ),
        (json!({ "from": null }), "from: "),
        (json!({ "accountSid": 7 }), "accountSid: "),
    ] {
        let shop = Shop::with(more.clone()).await;
        let failure = shop
            .send(&message(&shop.clock, 1, "Hello"))
            .await
            .unwrap_err();
        assert!(
            matches!(failure, Failure::Misconfigured { .. }),
            "{more}: {failure:?}"
        );
        assert!(failure.reason().starts_with(setting), "{more}: {failure}");
        assert_eq!(shop.twilio.sent(), []);
    }
    let shop = Shop::open().await;
    shop.twilio.set_account_status("suspended");
    let failure = shop
        .send(&message(&shop.clock, 1, "Hello"))
        .await
        .unwrap_err();
    assert!(
        matches!(failure, Failure::Misconfigured { .. }),
        "{failure:?}"
    );
    // A queue that is full empties by itself.
    let shop = Shop::with(json!({ "from": "+15005550008" })).await;
    let failure = shop
        .send(&message(&shop.clock, 1, "Hello"))
        .await
        .unwrap_err();
    assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
}

#[tokio::test]
async fn a_repeat_answers_the_message_that_came_through_as_it_now_is() {
    let shop = Shop::open().await;
    let mut message = message(&shop.clock, 1, "Hello");
    shop.twilio.fault(Call::CreateMessage, Fault::AnswerLost);
    assert!(matches!(
        shop.send(&message).await,
        Err(Failure::Retry { .. })
    ));
    let sid = shop.twilio.sent()[0].sid.clone();
    let status = async |message: &mut _| {
        let sent = shop.again(message).await.unwrap();
        assert_eq!(sent.external_id.as_ref(), Some(&sid));
        sent.status
    };
    assert_eq!(status(&mut message).await, MessageStatus::Sent);
    shop.twilio.set_status(&sid, "delivered", None).unwrap();
    assert_eq!(status(&mut message).await, MessageStatus::Delivered);
    shop.twilio
        .set_status(&sid, "undelivered", Some(30003))
        .unwrap();
    let failed = status(&mut message).await;
    assert!(matches!(failed, MessageStatus::Failed { reason } if reason.contains("switched off")));
    assert_eq!(shop.twilio.sent().len(), 1);
}

#[tokio::test]
async fn other_messages_are_not_taken_for_it() {
    let shop = Shop::open().await;
    // The same words a minute ago, other words since, and the same words from them.
    shop.send(&message(&shop.clock, 1, "Hello")).await.unwrap();
    shop.clock.pass(TimeDelta::minutes(1));
    let mut wanted = message(&shop.clock, 2, "Hello");
    shop.send(&message(&shop.clock, 3, "Hello, Jo"))
        .await
        .unwrap();
    shop.twilio.receive(TO, "Hello", CALLBACK);
    let sent = shop.again(&mut wanted).await.unwrap();
    assert_eq!(shop.twilio.sent().len(), 3);
    let last = shop.twilio.sent()[2].sid.clone();
    assert_eq!(sent.external_id, Some(last));
}

#[tokio::test]
async fn what_is_known_to_be_another_is_not_taken_for_it_whatever_it_says() {
    let shop = Shop::open().await;
    let other = shop.send(&message(&shop.clock, 1, "Hello")).await.unwrap();
    let mut wanted = message(&shop.clock, 2, "Hello");
    wanted.others = vec![other.external_id.clone().unwrap()];
    let sent = shop.again(&mut wanted).await.unwrap();
    assert_eq!(shop.twilio.sent().len(), 2);
    assert_ne!(sent.external_id, other.external_id);
    // And then that one is found.
    let found = shop.again(&mut wanted).await.unwrap();
    assert_eq!(found.external_id, sent.external_id);
    assert_eq!(shop.twilio.sent().len(), 2);
}

#[tokio::test]
async fn an_earlier_attempt_is_found_behind_many_others_and_by_clocks_that_differ() {
    for ahead in [
        TimeDelta::zero(),
        TimeDelta::days(-100),
        TimeDelta::hours(3),
    ] {
        let shop = Shop::open().await;
        shop.twilio.set_ahead(ahead);
        let mut first = message(&shop.clock, 1, "Hello");
        shop.twilio.fault(Call::CreateMessage, Fault::AnswerLost);
        assert!(shop.send(&first).await.is_err());
        for number in 0..120 {
            shop.clock.pass(TimeDelta::seconds(12));
            let other = message(&shop.clock, 2, &format!("Number {number}"));
            shop.send(&other).await.unwrap();
        }
        shop.again(&mut first).await.unwrap();
        assert_eq!(shop.twilio.sent().len(), 121);
        assert_eq!(shop.twilio.count(Call::ListMessages), 3, "page by page");
    }
}

#[tokio::test]
async fn one_person_is_not_written_to_faster_than_they_read() {
    let shop = Shop::open().await;
    shop.send(&message(&shop.clock, 1, "One")).await.unwrap();
    let failure = shop
        .send(&message(&shop.clock, 2, "Two"))
        .await
        .unwrap_err();
    let second = Some(Duration::from_secs(1));
    assert!(
        matches!(failure, Failure::NotYet { after, .. } if after == second),
        "{failure:?}"
    );
    let mut other = message(&shop.clock, 3, "Three");
    "+447400123457".clone_into(&mut other.to);
    shop.send(&other).await.unwrap();
    shop.clock.pass(TimeDelta::seconds(1));
    shop.send(&message(&shop.clock, 2, "Two")).await.unwrap();
    assert_eq!(shop.twilio.sent().len(), 3);
}

#[tokio::test]
async fn what_may_have_been_sent_is_looked_for_whatever_number_the_attempt_bears() {
    let shop = Shop::open().await;
    let mut message = message(&shop.clock, 1, "Hello");
    shop.twilio.fault(Call::CreateMessage, Fault::AnswerLost);
    assert!(shop.send(&message).await.is_err());
    shop.clock.pass(TimeDelta::seconds(30));
    message.may_have_been_sent = true;
    assert_eq!(message.attempt, 1);
    assert!(shop.send(&message).await.is_ok());
    assert_eq!(shop.twilio.sent().len(), 1);
}
