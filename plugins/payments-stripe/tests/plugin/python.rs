//! Against a Stripe that somebody else wrote: localstripe. It knows fewer parameters than Stripe, and so refuses what begins a payment; payments
//! are made there by hand, and then looked up, taken, let go and paid back by the plugin. It says of no payment how much was received, and has
//! no use for idempotency keys: that a refund is made once is all our doing.

use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use chrono::DateTime;
use outbound::{Outbound, OutboundOptions};
use payments_stripe::PaymentsStripe;
use plugin_api::{
    ExternalStatus, Failure, Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook,
    PaymentKind, PaymentState, Payments, Plugin, PluginSettings, RefundStatus,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{WEBHOOK_SECRET, euros, plugin, refund_of, request};

const KEY: &str = "sk_test_12345";

struct Local {
    server: python_tools::Server,
    outbound: Outbound,
    plugin: PaymentsStripe,
    settings: PluginSettings,
}

impl Local {
    /// None: it is not installed, and that is said.
    async fn start(test: &str) -> Option<Self> {
        let python = python_tools::python("localstripe", test)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/server.py");
        let server = python_tools::Server::start(&python, &script, &json!({})).await;
        let server = server.unwrap();
        let outbound = Outbound::new(OutboundOptions {
            allow_private: true,
            roots: Vec::new(),
        });
        Some(Self {
            settings: settings(&server, KEY),
            outbound: outbound.unwrap(),
            plugin: plugin(),
            server,
        })
    }

    /// Does something there by hand.
    async fn by_hand(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("http://127.0.0.1:{}/{path}", self.server.port);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self.outbound.http().post(url).basic_auth(KEY, Some(""));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = self.outbound.send(request.body(body)).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        let body = answer.bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// A payment by this card.
    async fn payment(&self, card: &str, more: &[(&str, &str)]) -> String {
        let card = [
            ("type", "card"),
            ("card[number]", card),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2040"),
            ("card[cvc]", "123"),
        ];
        let card = self.by_hand("v1/payment_methods", &card).await;
        let mut form = vec![("amount", "4500"), ("currency", "eur")];
        form.push(("payment_method", card["id"].as_str().unwrap()));
        form.extend(more);
        let payment = self.by_hand("v1/payment_intents", &form).await;
        payment["id"].as_str().unwrap().to_owned()
    }

    async fn paid(&self) -> String {
        self.payment("4242424242424242", &[("confirm", "true")])
            .await
    }

    async fn look_up(&self, id: &str) -> PaymentState {
        self.plugin.look_up(&self.settings, id).await.unwrap()
    }
}

fn settings(server: &python_tools::Server, key: &str) -> PluginSettings {
    let base = format!("http://127.0.0.1:{}", server.port);
    let settings = json!({ "secretKey": key, "webhookSecret": WEBHOOK_SECRET, "apiBase": base });
    PluginSettings::new(1, settings)
}

#[tokio::test]
async fn a_stripe_that_is_not_ours_is_understood() {
    let Some(local) = Local::start("payments at localstripe").await else {
        return;
    };
    let (plugin, settings) = (&local.plugin, &local.settings);
    let business = domain::id::Id::from_uuid(uuid::Uuid::from_u128(9));
    let check = Plugin::check(plugin).unwrap();
    let said = check.check(business, settings).await;
    assert_eq!(said.as_deref(), Ok("Stripe accepts the key, in test mode"));
    // It knows no restricted keys.
    let wrong = self::settings(&local.server, "rk_test_12345");
    let refused = check.check(business, &wrong).await.unwrap_err();
    assert!(
        matches!(&refused, Failure::Misconfigured { reason } if reason.contains("secretKey: Stripe does not accept it")),
        "{refused:?}"
    );
    let begun = plugin.begin(settings, &request(PaymentKind::Charge)).await;
    assert!(
        matches!(&begun, Err(Failure::GiveUp { reason }) if reason.contains("Unexpected ")),
        "{begun:?}"
    );
    let unknown = plugin.look_up(settings, "pi_unknown").await;
    assert!(
        matches!(&unknown, Err(Failure::GiveUp { reason }) if reason.contains("Not Found")),
        "{unknown:?}"
    );

    let waits = local.payment("4242424242424242", &[]).await;
    assert_eq!(local.look_up(&waits).await.status, ExternalStatus::Waiting);
    let gone = plugin.cancel(settings, &waits).await.unwrap();
    let over = ExternalStatus::Over {
        reason: "canceled".to_owned(),
    };
    assert_eq!(gone.status, over);
    // What is over is told again: the refusal leads to a look.
    assert_eq!(plugin.cancel(settings, &waits).await, Ok(gone));

    let paid = local.look_up(&local.paid().await).await;
    assert_eq!(
        (paid.status, paid.refunded, paid.fee),
        (ExternalStatus::Paid, 0, Some(0))
    );
    // Their customer has to sign in at the bank.
    let asked = local
        .payment("4000002500003155", &[("confirm", "true")])
        .await;
    assert_eq!(local.look_up(&asked).await.status, ExternalStatus::Unpaid);

    let manual = [("confirm", "true"), ("capture_method", "manual")];
    let reserved = local.payment("4242424242424242", &manual).await;
    let state = local.look_up(&reserved).await;
    assert_eq!(
        (state.status, state.refunded),
        (ExternalStatus::Authorized, 0)
    );
    for _ in 0..2 {
        let taken = plugin.capture(settings, &reserved, euros(4500)).await;
        assert_eq!(taken.unwrap().status, ExternalStatus::Paid);
    }
    let kept = plugin.cancel(settings, &reserved).await.unwrap();
    assert_eq!(kept.status, ExternalStatus::Paid, "it is taken");
    local.server.stop().await.unwrap();
}

#[tokio::test]
async fn money_goes_back_once_where_no_key_is_known() {
    let Some(local) = Local::start("refunds at localstripe").await else {
        return;
    };
    let id = local.paid().await;
    let mut made = Vec::new();
    for number in [1, 1, 2, 1, 2] {
        let refund = local
            .plugin
            .refund(&local.settings, &refund_of(&id, number, 1000))
            .await
            .unwrap();
        assert_eq!(refund.status, RefundStatus::Succeeded);
        made.push(refund.external_id);
    }
    assert!(made[0] != made[2] && made[0] == made[1] && made[0] == made[3] && made[2] == made[4]);
    assert_eq!(local.look_up(&id).await.refunded, 2000);
    local.server.stop().await.unwrap();
}

#[tokio::test]
async fn its_signed_calls_are_believed() {
    let Some(local) = Local::start("calls of localstripe").await else {
        return;
    };
    let (called, mut calls) = mpsc::unbounded_channel();
    let take = move |headers: HeaderMap, body: Bytes| async move {
        called.send((headers, body)).unwrap();
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().route("/", post(take))).await });
    let hook = [("url", url.as_str()), ("secret", WEBHOOK_SECRET)];
    local.by_hand("_config/webhooks/ours", &hook).await;

    let id = local.paid().await;
    let (headers, body) = calls.recv().await.unwrap();
    let signature = headers["stripe-signature"].to_str().unwrap();
    let time = signature.strip_prefix("t=").unwrap().split(',').next();
    let call = InboundRequest {
        url,
        headers: vec![("stripe-signature".to_owned(), signature.to_owned())],
        body: body.to_vec(),
        at: DateTime::from_timestamp(time.unwrap().parse().unwrap(), 0).unwrap(),
        business_name: "Salon Aurora".to_owned(),
    };
    let event: Value = serde_json::from_slice(&body).unwrap();
    let about = InboundAbout::Payment { external_id: id };
    let believed = Inbound::new(event["id"].as_str().unwrap(), about);
    let verify = |call: &InboundRequest| local.plugin.verify(&local.settings, call);
    assert_eq!(verify(&call), Ok(believed));
    let mut changed = call;
    changed.body.push(b' ');
    assert_eq!(verify(&changed), Err(InboundRefused::Signature));
    local.server.stop().await.unwrap();
}
