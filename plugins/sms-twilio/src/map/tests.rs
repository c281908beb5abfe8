use domain::event::EventKind;
use domain::id::{BusinessId, Id};
use plugin_api::sample;
use serde_json::json;
use uuid::Uuid;

use super::*;

const ID: &str = "ntf_00000000000000000000000001";

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn message(callback_url: Option<&str>) -> Message {
    let delivery = sample::delivery(EventKind::BookingConfirmed, "customer", json!({}));
    Message {
        id: NotificationId::from_uuid(Uuid::from_u128(1)),
        business_id: BusinessId::from_uuid(Uuid::from_u128(2)),
        attempt: 1,
        may_have_been_sent: false,
        since: at("2027-03-01T11:59:00.75Z"),
        others: Vec::new(),
        to: "+447400123456".to_owned(),
        to_name: "Jo Smith".to_owned(),
        subject: None,
        text: "Jo, your cut is on Monday at 12:00.".to_owned(),
        language: "en-GB".to_owned(),
        event: delivery.event,
        callback_url: callback_url.map(str::to_owned),
        letter: plugin_api::Letter::default(),
    }
}

fn found(fields: &serde_json::Value) -> TwilioMessage {
    let mut message = json!({
        "sid": "SM00000000000000000000000000000001", "status": "queued", "body": "Hello", "to": "+447400123456",
        "direction": "outbound-api", "date_created": "Mon, 01 Mar 2027 11:59:00 +0000", "error_code": null, "num_segments": "1"
    });
    let fields = fields.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(fields);
    serde_json::from_value(message).unwrap()
}

#[test]
fn the_form_names_who_writes_and_where_to_call() {
    let sender = |from: Option<&str>, service: Option<&str>| Sender {
        from: from.map(str::to_owned),
        service: service.map(str::to_owned),
    };
    let shown = |sender: &Sender, callback: Option<&str>| {
        let form = form(sender, &message(callback), "Hello").unwrap();
        let pairs = form.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        shown(&sender(Some("+442071838750"), None), None),
        "To=+447400123456 From=+442071838750 Body=Hello"
    );
    let both = sender(Some("Aurora"), Some("MG1"));
    let callback = "https://book.example/plugins/sms-twilio/aurora";
    assert_eq!(
        shown(&both, Some(callback)),
        format!(
            "To=+447400123456 From=Aurora MessagingServiceSid=MG1 Body=Hello StatusCallback={callback}?message={ID}"
        )
    );
    assert_eq!(
        shown(&sender(None, Some("MG1")), Some("http://h/?a=b")),
        format!(
            "To=+447400123456 MessagingServiceSid=MG1 Body=Hello StatusCallback=http://h/?a=b&message={ID}"
        )
    );
    assert!(form(&both, &message(Some("nowhere")), "Hello").is_err());
}

#[test]
fn our_id_comes_back_from_the_address() {
    let id = message(None).id;
    for (query, expected) in [
        (format!("message={ID}"), Some(id)),
        (format!("a=b&message={ID}&bodySHA256=x"), Some(id)),
        ("message=bkg_00000000000000000000000001".to_owned(), None),
        ("message=".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(called_about(&query), expected, "{query}");
    }
}

#[test]
fn texts_are_bounded_and_say_something() {
    assert_eq!(body("  Jo’s cut \n").as_deref(), Ok("Jo's cut"));
    assert_eq!(body(&"a".repeat(1600)).unwrap().len(), 1600);
    for text in ["", " \n", &"a".repeat(1601), &"😀".repeat(801)] {
        assert!(matches!(body(text), Err(Failure::GiveUp { .. })), "{text}");
    }
}

#[test]
fn the_time_of_the_first_attempt_is_told_by_twilios_clock() {
    let since = at("2027-03-01T11:59:00.75Z");
    let now = at("2027-03-01T12:00:00.75Z");
    // A minute ago, and two seconds.
    assert_eq!(not_before(since, now, now), at("2027-03-01T11:58:58Z"));
    let theirs = at("2026-11-21T03:00:00Z");
    assert_eq!(not_before(since, now, theirs), at("2026-11-21T02:58:58Z"));
    assert_eq!(not_before(now, since, theirs), at("2026-11-21T02:59:58Z"));
}

#[test]
fn an_earlier_attempt_is_known_by_number_text_and_time() {
    let is_ours = |fields| {
        let not_before = at("2027-03-01T11:58:58Z");
        is_ours(&found(&fields), "+447400123456", "Hello", not_before)
    };
    for right in [
        json!({}),
        json!({ "body": "Sent from your Twilio trial account - Hello" }),
        json!({ "body": "Hello " }),
        json!({ "date_created": "Mon, 01 Mar 2027 11:58:58 +0000" }),
        json!({ "direction": "outbound-reply", "status": "failed" }),
        json!({ "direction": null }),
    ] {
        assert!(is_ours(right.clone()), "{right}");
    }
    for wrong in [
        json!({ "body": "Hello!" }),
        json!({ "body": null }),
        json!({ "to": "+447400123457" }),
        json!({ "to": null }),
        json!({ "direction": "inbound" }),
        json!({ "date_created": "Mon, 01 Mar 2027 11:58:57 +0000" }),
        json!({ "date_created": "yesterday" }),
        json!({ "date_created": null }),
    ] {
        assert!(!is_ours(wrong.clone()), "{wrong}");
    }
}

#[test]
fn statuses_are_success_only_where_twilio_says_so() {
    for word in [
        "queued",
        "accepted",
        "scheduled",
        "sending",
        "sent",
        "partially_delivered",
        "",
        "DELIVERED",
    ] {
        assert_eq!(status(word, None), MessageStatus::Sent, "{word}");
    }
    for word in ["delivered", "read"] {
        assert_eq!(status(word, Some(30003)), MessageStatus::Delivered);
    }
    for word in ["undelivered", "failed", "canceled"] {
        let failed = status(word, Some(30005));
        assert!(matches!(failed, MessageStatus::Failed { .. }), "{word}");
    }
    let MessageStatus::Failed { reason } = status("undelivered", Some(30005)) else {
        panic!("it failed");
    };
    assert!(reason.contains("no longer in use"), "{reason}");
}

#[test]
fn what_was_sent_bears_twilios_name() {
    let sent = sent(found(&json!({ "status": "delivered" })));
    let expected = Sent {
        external_id: Some("SM00000000000000000000000000000001".to_owned()),
        status: MessageStatus::Delivered,
    };
    assert_eq!(sent, expected);
}
