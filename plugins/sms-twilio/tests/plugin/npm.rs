//! Against software that is not ours: Twilio's own library believes the fake's signatures, and we believe its; Prism, with Twilio's own
//! description of its API, takes every call of ours and every answer of the fake. Installed by `scripts/test.sh`; without it the tests are
//! left out, and say so.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use domain::id::{BusinessId, Id};
use fake_twilio::{AUTH_TOKEN, Call, Callback, FakeTwilio, Fault, SERVICE};
use plugin_api::{InboundRequest, InboundWebhook, Plugin};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use uuid::Uuid;

use crate::inbound::request;
use crate::{CALLBACK, Clock, Shop, TO, message, plugin, settings};

fn tools(test: &str) -> Option<PathBuf> {
    npm_tools::modules("twilio", test)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/npm")
        .join(name)
}

/// What Twilio's library says of these calls.
fn judged(modules: &Path, calls: &[Value]) -> Vec<Value> {
    let answered = npm_tools::answered(modules, &script("signatures.cjs"), &json!(calls));
    answered.unwrap().as_array().unwrap().clone()
}

fn call_of(callback: &Callback) -> Value {
    json!({
        "token": AUTH_TOKEN, "signature": callback.signature, "url": callback.url, "fields": callback.fields
    })
}

#[tokio::test]
async fn twilios_own_library_believes_the_fake_and_we_believe_it() {
    let Some(modules) = tools("signatures by the npm package twilio") else {
        return;
    };
    let shop = Shop::open().await;
    let sid = shop.send(&message(&shop.clock, 1, "Hello")).await.unwrap();
    let sid = sid.external_id.unwrap();
    let status = shop.twilio.set_status(&sid, "undelivered", Some(30003));
    let mut callbacks = vec![status.unwrap().unwrap()];
    for (body, url) in [
        ("STOP", CALLBACK),
        ("Zoë: 5 € & more = \"fun\" + 100%\n😀", CALLBACK),
        ("", "http://book.example:8080/plugins/sms-twilio/a?b=c"),
        ("HELP", "https://book.example:443/plugins/sms-twilio/a"),
        ("HELP", "https://book.example"),
    ] {
        callbacks.push(shop.twilio.receive(TO, body, url));
    }
    let mut calls: Vec<Value> = callbacks.iter().map(call_of).collect();
    for call in calls.clone() {
        let mut wrong = call;
        wrong["signature"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        calls.push(wrong);
    }
    let judged = judged(&modules, &calls);
    assert_eq!(judged.len(), 2 * callbacks.len());
    let (right, wrong) = judged.split_at(callbacks.len());
    for (callback, said) in callbacks.iter().zip(right) {
        assert_eq!(said["believed"], json!(true), "{}", callback.url);
        assert_eq!(said["signature"], json!(callback.signature));
        let mut theirs = request(callback);
        theirs
            .headers
            .retain(|(name, _)| name != "x-twilio-signature");
        let signature = said["signature"].as_str().unwrap().to_owned();
        theirs
            .headers
            .push(("x-twilio-signature".to_owned(), signature));
        let ours = shop.plugin.verify(&shop.settings, &theirs);
        assert!(ours.is_ok(), "{}: {ours:?}", callback.url);
    }
    for said in wrong {
        assert_eq!(said["believed"], json!(false));
    }
}

#[tokio::test]
async fn we_believe_what_twilios_own_library_believes() {
    let Some(modules) = tools("quirks of signatures by the npm package twilio") else {
        return;
    };
    let body = r#"{"MessageSid":"SM1","MessageStatus":"sent"}"#;
    let digest = "fc1a85c3da8e0304d7195ae2bea3fa391521a8060142a85dbfaf6a9db8025570";
    let digested = format!("{CALLBACK}?bodySHA256={digest}");
    let form = json!({ "MessageSid": "SM1", "MessageStatus": "sent" });
    let signed = |url: &str, fields: &Value| json!({ "token": AUTH_TOKEN, "signature": "", "url": url, "fields": fields });
    let with_port = CALLBACK.replace("book.example", "book.example:443");
    let made = judged(
        &modules,
        &[
            signed(CALLBACK, &form),
            signed(&with_port, &form),
            signed(&digested, &json!({})),
        ],
    );
    let [plain, port, digest] = [0, 1, 2].map(|at: usize| made[at]["signature"].clone());
    // Which signature for which address, with which body.
    let mut calls = Vec::new();
    for (signature, url, body) in [
        (&plain, CALLBACK, None),
        (&plain, &with_port, None),
        (&port, CALLBACK, None),
        (&port, &with_port, None),
        (&digest, CALLBACK, None),
        (&digest, &digested, Some(body)),
        (&digest, &digested, Some("{}")),
        (&plain, &digested, Some(body)),
    ] {
        let mut call = signed(url, &form);
        call["signature"] = signature.clone();
        if let Some(body) = body {
            call["body"] = json!(body);
        }
        calls.push(call);
    }
    let plugin = plugin(&Clock::new());
    let twilio = FakeTwilio::start().await.unwrap();
    let settings = settings(&twilio, json!({}));
    let judged = judged(&modules, &calls);
    let believed: Vec<&Value> = judged.iter().map(|said| &said["believed"]).collect();
    assert_eq!(
        believed,
        [true, true, true, true, false, true, false, false]
    );
    for (call, said) in calls.iter().zip(&judged) {
        let sent = call["body"].as_str().map_or_else(
            || "MessageStatus=sent&MessageSid=SM1".to_owned(),
            str::to_owned,
        );
        let request = InboundRequest {
            url: call["url"].as_str().unwrap().to_owned(),
            headers: vec![(
                "x-twilio-signature".to_owned(),
                call["signature"].as_str().unwrap().to_owned(),
            )],
            body: sent.into_bytes(),
            at: crate::start(),
            business_name: "Salon".to_owned(),
        };
        let ours = plugin.verify(&settings, &request).is_ok();
        assert_eq!(json!(ours), said["believed"], "{call}");
    }
}

/// Prism between the plugin and the fake: it refuses a call, and an answer, that is not as Twilio describes it.
struct Prism {
    base: String,
    _process: tokio::process::Child,
    _document: Scratch,
}

/// A file that is gone with the value.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl Prism {
    async fn before(twilio: &FakeTwilio, modules: &Path) -> Self {
        let described = npm_tools::node(modules, &script("document.cjs"))
            .output()
            .unwrap();
        assert!(described.status.success());
        let name = format!("bookable-twilio-{}.json", std::process::id());
        let document = Scratch(std::env::temp_dir().join(name));
        std::fs::write(&document.0, described.stdout).unwrap();
        let mut process = tokio::process::Command::new("node")
            .arg(modules.join("@stoplight/prism-cli/dist/index.js"))
            .args(["proxy", "-h", "127.0.0.1", "-p", "0", "--errors"])
            .arg(&document.0)
            .arg(twilio.base())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let base = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.unwrap();
            if let Some((_, base)) = line.split_once("listening on ") {
                break base.trim().to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            base,
            _process: process,
            _document: document,
        }
    }
}

#[tokio::test]
async fn calls_and_answers_are_as_twilio_describes_them() {
    let Some(modules) = tools("Prism with Twilio's description of its API") else {
        return;
    };
    let mut shop = Shop::open().await;
    let prism = Prism::before(&shop.twilio, &modules).await;
    let by_prism = json!({ "apiBase": prism.base, "messagingServiceSid": SERVICE });
    shop.settings = settings(&shop.twilio, by_prism);

    let check = Plugin::check(&shop.plugin).unwrap();
    let business = BusinessId::from_uuid(Uuid::from_u128(9));
    let found = check.check(business, &shop.settings).await;
    assert!(found.is_ok(), "{found:?}");
    let mut message = message(&shop.clock, 1, "Jo: Monday, 12:00 & more");
    shop.twilio.fault(Call::CreateMessage, Fault::ServerError);
    assert!(shop.send(&message).await.is_err());
    let sent = shop.again(&mut message).await;
    assert!(sent.is_ok(), "{sent:?}");
    let sid = sent.unwrap().external_id.unwrap();
    shop.twilio
        .set_status(&sid, "undelivered", Some(30003))
        .unwrap();
    let sent = shop.again(&mut message).await;
    assert_eq!(sent.unwrap().external_id, Some(sid));
    assert_eq!(shop.twilio.sent().len(), 1);

    // It does look: an account of another form is none.
    let wrong = format!("{}/2010-04-01/Accounts/AC1/Messages.json", prism.base);
    let client = outbound::Outbound::new(outbound::OutboundOptions {
        allow_private: true,
        roots: Vec::new(),
    });
    let client = client.unwrap();
    let request = client.http().get(wrong).basic_auth("AC1", Some("token"));
    let refused = client.send(request).await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    assert!(
        shop.twilio
            .calls()
            .iter()
            .all(|called| called.call != Call::Any)
    );
}
