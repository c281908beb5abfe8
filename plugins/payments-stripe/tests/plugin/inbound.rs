//! What Stripe calls with, from the fake's own events.

use chrono::TimeDelta;
use fake_stripe::SignedEvent;
use plugin_api::{
    Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook, PaymentKind,
};
use serde_json::json;

use crate::{Shop, WEBHOOK_SECRET, now, refund_of, settings};

impl Shop {
    fn signed(&self, event: &str) -> SignedEvent {
        self.stripe
            .signed_event(event, WEBHOOK_SECRET, now())
            .unwrap()
    }

    fn verify(&self, signed: &SignedEvent) -> Result<Inbound, InboundRefused> {
        self.plugin.verify(&self.settings, &call(signed))
    }

    /// Which payment the event is about.
    fn about(&self, event: &str) -> Option<String> {
        let inbound = self.verify(&self.signed(event)).unwrap();
        assert_eq!(inbound.external_id, event);
        match inbound.about {
            InboundAbout::Payment { external_id } => Some(external_id),
            InboundAbout::OurPayment { id } => Some(id.to_string()),
            InboundAbout::PaymentBehind { name } => Some(name),
            _ => None,
        }
    }
}

pub(crate) fn call(signed: &SignedEvent) -> InboundRequest {
    InboundRequest {
        url: "https://book.example/plugins/payments-stripe/aurora".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("stripe-signature".to_owned(), signed.signature.clone()),
        ],
        body: signed.body.clone(),
        at: now(),
        business_name: "Salon Aurora".to_owned(),
    }
}

#[tokio::test]
async fn every_event_of_a_payment_in_the_frontend_is_about_it() {
    let shop = Shop::open().await;
    let id = shop.paid().await;
    shop.refund(&refund_of(&id, 1, 500)).await.unwrap();
    shop.stripe.refund_by_hand(&id, 500).unwrap();
    shop.stripe.dispute(&id).unwrap();
    let events = shop.stripe.events();
    assert!(events.len() >= 6, "{events:?}");
    for event in events {
        assert_eq!(shop.about(&event.id), Some(id.clone()), "{}", event.kind);
    }
}

#[tokio::test]
async fn the_events_that_matter_of_a_payment_on_stripes_page_are_about_the_page() {
    let shop = Shop::with_page().await;
    let id = shop.begun(PaymentKind::Charge).await;
    let paid = shop.stripe.pay(&id).unwrap();
    assert_eq!(shop.about(&paid), Some(id.clone()));
    shop.stripe.let_refunds_wait(true);
    let refund = shop.refund(&refund_of(&id, 1, 500)).await.unwrap();
    let settled = shop
        .stripe
        .settle_refund(&refund.external_id, Ok(()))
        .unwrap();
    assert_eq!(shop.about(&settled), Some(id));
}

#[tokio::test]
async fn nothing_is_believed_without_the_right_signature() {
    let shop = Shop::open().await;
    let id = shop.begun(PaymentKind::Charge).await;
    let event = shop.stripe.pay(&id).unwrap();
    let right = shop.signed(&event);
    assert!(shop.verify(&right).is_ok());
    assert_eq!(
        shop.verify(&right),
        shop.verify(&right),
        "a repeat says the same"
    );

    let other = shop
        .stripe
        .signed_event(&event, "whsec_other", now())
        .unwrap();
    let old = now() - TimeDelta::minutes(6);
    let old = shop
        .stripe
        .signed_event(&event, WEBHOOK_SECRET, old)
        .unwrap();
    let mut changed = right.clone();
    *changed.body.last_mut().unwrap() = b' ';
    let mut unsigned = call(&right);
    unsigned.headers.clear();
    for wrong in [call(&other), call(&old), call(&changed), unsigned] {
        let verified = shop.plugin.verify(&shop.settings, &wrong);
        assert_eq!(verified, Err(InboundRefused::Signature));
    }
}

#[tokio::test]
async fn a_body_is_read_only_once_it_is_believed() {
    let shop = Shop::open().await;
    let body = b"\xff{ not json".to_vec();
    let signature = fake_stripe::sign(&body, WEBHOOK_SECRET, now());
    let signed = SignedEvent { signature, body };
    assert!(matches!(
        shop.verify(&signed),
        Err(InboundRefused::Unreadable(_))
    ));
    let signature = fake_stripe::sign(&signed.body, "whsec_other", now());
    let signed = SignedEvent {
        signature,
        ..signed
    };
    assert_eq!(shop.verify(&signed), Err(InboundRefused::Signature));
}

#[tokio::test]
async fn without_a_secret_nothing_can_be_believed() {
    let shop = Shop::open().await;
    let id = shop.begun(PaymentKind::Charge).await;
    let signed = shop.signed(&shop.stripe.pay(&id).unwrap());
    for secret in [json!(null), json!("")] {
        let settings = settings(&shop.stripe, json!({ "webhookSecret": secret }));
        let verified = shop.plugin.verify(&settings, &call(&signed));
        assert!(
            matches!(verified, Err(InboundRefused::Misconfigured(_))),
            "{verified:?}"
        );
    }
}
