//! Against Stripe's own library: it believes the fake's signatures, and we believe its.

use std::path::Path;

use fake_stripe::SignedEvent;
use plugin_api::{InboundRefused, InboundWebhook};
use serde_json::{Value, json};

use crate::inbound::call;
use crate::{Shop, WEBHOOK_SECRET, now};

#[tokio::test]
async fn stripes_own_library_believes_the_fake_and_we_believe_it() {
    let Some(modules) = npm_tools::modules("stripe", "signatures by the npm package stripe") else {
        return;
    };
    let shop = Shop::open().await;
    shop.paid().await;
    let events = shop.stripe.events().into_iter();
    let signed = events.map(|event| shop.stripe.signed_event(&event.id, WEBHOOK_SECRET, now()));
    let signed: Vec<SignedEvent> = signed.map(Option::unwrap).collect();
    let asked = |secret: &str, signed: &SignedEvent| {
        let body = String::from_utf8(signed.body.clone()).unwrap();
        json!({ "secret": secret, "header": signed.signature, "body": body, "at": now().timestamp() })
    };
    let right = signed.iter().map(|event| asked(WEBHOOK_SECRET, event));
    let wrong = signed.iter().map(|event| asked("whsec_another", event));
    let calls: Vec<Value> = right.chain(wrong).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/signatures.cjs");
    let judged = npm_tools::answered(&modules, &script, &json!(calls)).unwrap();
    for (number, event) in signed.iter().enumerate() {
        let (ours, others) = (&judged[number], &judged[number + signed.len()]);
        assert_eq!(ours["believed"], true, "{}", event.signature);
        assert_eq!(others["believed"], false);
        let by_them = |said: &Value| SignedEvent {
            signature: said["header"].as_str().unwrap().to_owned(),
            body: event.body.clone(),
        };
        assert!(
            shop.plugin
                .verify(&shop.settings, &call(&by_them(ours)))
                .is_ok()
        );
        let refused = shop.plugin.verify(&shop.settings, &call(&by_them(others)));
        assert_eq!(refused, Err(InboundRefused::Signature));
    }
}
