//! The plugin as the server sees it, in conversation with a server that speaks Stripe's API.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

mod contract;
mod disputes;
mod faults;
mod fees;
mod inbound;
mod npm;
mod payments;
mod python;
mod refunds;

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::id::{BookingId, Id, PaymentId, RefundId};
use domain::money::{Currency, Money};
use fake_stripe::FakeStripe;
use outbound::{Outbound, OutboundOptions};
use payments_stripe::{Options, PaymentsStripe};
use plugin_api::{
    Failure, PaymentBegun, PaymentKind, PaymentRequest, PaymentState, Payments, PluginSettings,
    RefundRequest, RefundState,
};
use serde_json::{Value, json};
use uuid::Uuid;

const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

/// The plugin; calls may take this long, and go to this machine or not.
fn plugin_with(timeout: Duration, allow_private: bool) -> PaymentsStripe {
    let options = OutboundOptions {
        allow_private,
        roots: Vec::new(),
    };
    PaymentsStripe::new(Options {
        outbound: Outbound::new(options).unwrap(),
        timeout,
    })
}

fn plugin() -> PaymentsStripe {
    plugin_with(Duration::from_secs(30), true)
}

/// A Stripe, and a business that uses it.
struct Shop {
    stripe: FakeStripe,
    plugin: PaymentsStripe,
    settings: PluginSettings,
}

impl Shop {
    /// Customers pay in the frontend.
    async fn open() -> Self {
        Self::with(json!({})).await
    }

    /// Customers pay on Stripe's page.
    async fn with_page() -> Self {
        Self::with(json!({ "successUrl": "https://salon.example/thanks" })).await
    }

    async fn with(more: Value) -> Self {
        let stripe = FakeStripe::start().await.unwrap();
        let settings = settings(&stripe, more);
        Self {
            stripe,
            plugin: plugin(),
            settings,
        }
    }

    async fn begin(&self, request: &PaymentRequest) -> Result<PaymentBegun, Failure> {
        self.plugin.begin(&self.settings, request).await
    }

    /// Begins a payment of this kind and answers its name.
    async fn begun(&self, kind: PaymentKind) -> String {
        self.begin(&request(kind)).await.unwrap().external_id
    }

    async fn paid(&self) -> String {
        let id = self.begun(PaymentKind::Charge).await;
        self.stripe.pay(&id).unwrap();
        id
    }

    async fn look_up(&self, id: &str) -> Result<PaymentState, Failure> {
        self.plugin.look_up(&self.settings, id).await
    }

    async fn cancel(&self, id: &str) -> Result<PaymentState, Failure> {
        self.plugin.cancel(&self.settings, id).await
    }

    async fn capture(&self, id: &str, amount: i64) -> Result<PaymentState, Failure> {
        self.plugin.capture(&self.settings, id, euros(amount)).await
    }

    /// A card that is saved, by the name of the payment that saved it.
    async fn card(&self) -> String {
        let id = self.begun(PaymentKind::SaveCard).await;
        self.stripe.pay(&id).unwrap();
        id
    }

    /// A fee that has begun and was not taken.
    async fn fee(&self) -> String {
        let saved = self.card().await;
        self.begin(&fee_of(&saved)).await.unwrap().external_id
    }

    async fn charge(&self, id: &str) -> Result<PaymentState, Failure> {
        self.plugin.charge_saved(&self.settings, id).await
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundState, Failure> {
        self.plugin.refund(&self.settings, request).await
    }
}

fn settings(stripe: &FakeStripe, more: Value) -> PluginSettings {
    let mut settings = json!({
        "secretKey": stripe.secret_key(), "webhookSecret": WEBHOOK_SECRET, "apiBase": stripe.base()
    });
    if let Value::Object(more) = more {
        settings.as_object_mut().unwrap().extend(more);
    }
    PluginSettings::new(1, settings)
}

fn euros(amount: i64) -> Money {
    let currency = Currency::new("EUR").unwrap();
    Money { amount, currency }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_803_898_800, 0).unwrap()
}

fn request(kind: PaymentKind) -> PaymentRequest {
    let amount = if kind == PaymentKind::SaveCard {
        0
    } else {
        4500
    };
    PaymentRequest {
        id: PaymentId::from_uuid(Uuid::from_u128(1)),
        booking_id: BookingId::from_uuid(Uuid::from_u128(2)),
        reference: "K7MQ2P".to_owned(),
        description: "Haircut at Salon Aurora".to_owned(),
        kind,
        amount: euros(amount),
        customer_email: Some("jo@customer.example".to_owned()),
        customer_name: "Jo".to_owned(),
        expires_at: now(),
        saved: None,
    }
}

fn fee_of(saved: &str) -> PaymentRequest {
    PaymentRequest {
        id: PaymentId::from_uuid(Uuid::from_u128(9)),
        saved: Some(saved.to_owned()),
        ..request(PaymentKind::Fee)
    }
}

fn refund_of(external_id: &str, number: u128, amount: i64) -> RefundRequest {
    RefundRequest {
        id: RefundId::from_uuid(Uuid::from_u128(number)),
        external_id: external_id.to_owned(),
        amount: euros(amount),
        reason: Some("The chair broke".to_owned()),
    }
}
