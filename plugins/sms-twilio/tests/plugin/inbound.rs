//! What Twilio calls with, from the fake's own calls.

use fake_twilio::{AUTH_TOKEN, Callback, sign};
use plugin_api::{
    Channel, Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook, MessageStatus,
    Wish,
};
use serde_json::json;

use crate::{CALLBACK, Shop, TO, message, settings, start};

pub fn request(callback: &Callback) -> InboundRequest {
    InboundRequest {
        url: callback.url.clone(),
        headers: vec![
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
            ),
            ("x-twilio-signature".to_owned(), callback.signature.clone()),
        ],
        body: callback.body.clone(),
        at: start(),
        business_name: "Chez Zoë <& fils>".to_owned(),
    }
}

impl Shop {
    fn verify(&self, callback: &Callback) -> Result<Inbound, InboundRefused> {
        self.plugin.verify(&self.settings, &request(callback))
    }
}

#[tokio::test]
async fn a_status_says_of_which_message_and_how_it_fares() {
    let shop = Shop::open().await;
    let message = message(&shop.clock, 1, "Hello");
    let sid = shop.send(&message).await.unwrap().external_id.unwrap();
    for (status, code, expected) in [
        ("sending", None, MessageStatus::Sent),
        ("sent", None, MessageStatus::Sent),
        ("delivered", None, MessageStatus::Delivered),
        ("somehow", None, MessageStatus::Sent),
        (
            "undelivered",
            Some(30003),
            MessageStatus::Failed {
                reason: "the number cannot be reached: switched off, out of reach, or no longer in use (Twilio error 30003)"
                    .to_owned(),
            },
        ),
    ] {
        let callback = shop.twilio.set_status(&sid, status, code).unwrap().unwrap();
        let inbound = shop.verify(&callback).unwrap();
        let about = InboundAbout::Message {
            id: Some(message.id),
            external_id: sid.clone(),
            status: expected,
        };
        assert_eq!(inbound, Inbound::new(format!("{sid}:{status}"), about));
        assert_eq!(shop.verify(&callback), Ok(inbound), "a repeat says the same");
    }
}

#[tokio::test]
async fn a_status_without_our_id_is_known_by_twilios() {
    let shop = Shop::open().await;
    let mut message = message(&shop.clock, 1, "Hello");
    message.callback_url = None;
    let sid = shop.send(&message).await.unwrap().external_id.unwrap();
    assert_eq!(shop.twilio.set_status(&sid, "delivered", None), Ok(None));
    let status = [("MessageSid", sid.as_str()), ("MessageStatus", "delivered")];
    let callback = called(CALLBACK, &status);
    let about = shop.verify(&callback).unwrap().about;
    let expected = InboundAbout::Message {
        id: None,
        external_id: sid.clone(),
        status: MessageStatus::Delivered,
    };
    assert_eq!(about, expected);
}

/// A call with these fields.
fn called(url: &str, fields: &[(&str, &str)]) -> Callback {
    let fields = fields.iter();
    let fields = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Callback::new(url, fields.collect())
}

#[tokio::test]
async fn words_that_have_a_meaning_are_wishes() {
    let shop = Shop::open().await;
    for (word, wish) in [
        ("STOP", Some(Wish::Stop)),
        ("  stop ", Some(Wish::Stop)),
        ("Unsubscribe", Some(Wish::Stop)),
        ("START", Some(Wish::Start)),
        ("HELP", Some(Wish::Help)),
        ("See you on Monday!", None),
        ("", None),
    ] {
        let callback = shop.twilio.receive(TO, word, CALLBACK);
        let inbound = shop.verify(&callback).unwrap();
        let about = wish.map_or(InboundAbout::Nothing, |wish| InboundAbout::Wish {
            channel: Channel::Sms,
            address: TO.to_owned(),
            wish,
        });
        assert_eq!(inbound.about, about, "{word}");
        assert_eq!(inbound.external_id, callback.fields["MessageSid"]);
        let reply = inbound.reply.unwrap();
        assert_eq!(reply.content_type, "text/xml");
        let says_something = reply
            .body
            .contains("<Message>Chez Zoë &lt;&amp; fils&gt;: ");
        assert_eq!(says_something, wish == Some(Wish::Help), "{word}");
    }
}

#[tokio::test]
async fn what_twilio_recognized_it_also_answers() {
    let shop = Shop::open().await;
    for (kind, wish) in [
        ("STOP", Wish::Stop),
        ("START", Wish::Start),
        ("HELP", Wish::Help),
    ] {
        let callback = shop.twilio.receive_recognized(TO, "arrêt", CALLBACK, kind);
        let inbound = shop.verify(&callback).unwrap();
        assert!(matches!(inbound.about, InboundAbout::Wish { wish: said, .. } if said == wish));
        assert!(inbound.reply.unwrap().body.ends_with("<Response/>"));
    }
}

#[tokio::test]
async fn whoever_cannot_be_written_to_wishes_nothing() {
    let shop = Shop::open().await;
    for from in ["12345", "whatsapp:+447400123456", ""] {
        let callback = shop.twilio.receive(from, "STOP", CALLBACK);
        let inbound = shop.verify(&callback).unwrap();
        assert_eq!(inbound.about, InboundAbout::Nothing, "{from}");
    }
    let call = called(CALLBACK, &[("CallSid", "CA1"), ("CallStatus", "ringing")]);
    let inbound = shop.verify(&call).unwrap();
    assert_eq!(inbound, Inbound::new("CA1", InboundAbout::Nothing));
}

#[tokio::test]
async fn nothing_is_believed_without_the_right_signature() {
    let shop = Shop::open().await;
    let right = shop.twilio.receive(TO, "STOP", CALLBACK);
    assert!(shop.verify(&right).is_ok());
    let mut other_token = right.clone();
    other_token.signature = sign(&right.url, &right.fields, "another");
    let mut changed = right.clone();
    changed.body.extend_from_slice(b"&Body=START");
    let mut elsewhere = right.clone();
    elsewhere.url = elsewhere.url.replace("salon-aurora", "salon-other");
    let mut asked = right.clone();
    asked
        .url
        .push_str("?message=ntf_00000000000000000000000001");
    let mut empty = right.clone();
    empty.body.clear();
    for wrong in [&other_token, &changed, &elsewhere, &asked, &empty] {
        assert_eq!(shop.verify(wrong), Err(InboundRefused::Signature));
    }
    let mut unsigned = request(&right);
    unsigned.headers.clear();
    let refused = shop.plugin.verify(&shop.settings, &unsigned);
    assert_eq!(refused, Err(InboundRefused::Signature));
}

#[tokio::test]
async fn what_is_signed_and_says_nothing_is_refused() {
    let shop = Shop::open().await;
    let long = "S".repeat(200);
    for fields in [
        &[][..],
        &[("Body", "STOP")],
        &[("MessageSid", &long), ("MessageStatus", "sent")],
        &[("MessageSid", "SM 1"), ("MessageStatus", "sent")],
    ] {
        let refused = shop.verify(&called(CALLBACK, fields));
        assert!(
            matches!(refused, Err(InboundRefused::Unreadable(_))),
            "{refused:?}"
        );
    }
    let settings = settings(&shop.twilio, json!({ "accountSid": "AC" }));
    let callback = shop.twilio.receive(TO, "STOP", CALLBACK);
    let refused = shop.plugin.verify(&settings, &request(&callback));
    assert!(
        matches!(refused, Err(InboundRefused::Misconfigured(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn json_is_believed_by_its_digest_in_the_address() {
    let shop = Shop::open().await;
    let body = br#"{"MessageSid":"SM1","MessageStatus":"failed","ErrorCode":30005}"#;
    let digest = "1a2a5f4e";
    // printf '%s' BODY | sha256sum
    let right = "91f315173fd0052d18f723c0eecee1dfa2f9fc571a5d6b8dd56c51842dd72792";
    for (digest, is_right) in [(digest, false), (right, true)] {
        let url = format!("{CALLBACK}?bodySHA256={digest}");
        let callback = Callback {
            signature: sign(&url, &std::collections::BTreeMap::new(), AUTH_TOKEN),
            url,
            body: body.to_vec(),
            fields: std::collections::BTreeMap::new(),
        };
        let verified = shop.verify(&callback);
        match verified {
            Ok(inbound) => assert!(is_right && inbound.external_id == "SM1:failed"),
            Err(refused) => assert_eq!((is_right, refused), (false, InboundRefused::Signature)),
        }
    }
}
