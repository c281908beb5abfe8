//! What Stripe calls with: the signature first, on the bytes as they came; then no more of the event than what it is about.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use plugin_api::{
    Inbound, InboundAbout, InboundRefused, InboundRequest, InboundWebhook, PluginSettings,
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use crate::PaymentsStripe;
use crate::map;
use crate::settings::Settings;

/// How far the time in a signature may be from ours, in seconds.
const TOLERANCE: u64 = 300;
/// The longest name of an event that is kept.
const EVENT_ID_MAX: usize = 255;

impl InboundWebhook for PaymentsStripe {
    fn verify(
        &self,
        settings: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused> {
        let account = settings
            .read::<Settings>()
            .and_then(|settings| settings.account());
        let account = account.map_err(|error| InboundRefused::Misconfigured(error.to_string()))?;
        let secret = account
            .webhook_secret
            .ok_or_else(|| InboundRefused::Misconfigured("webhookSecret: is not set".to_owned()))?;
        let header = request
            .header("stripe-signature")
            .ok_or(InboundRefused::Signature)?;
        let secret = secret.expose_secret();
        if !is_signed(secret, header, &request.body, request.at) {
            return Err(InboundRefused::Signature);
        }
        read(&request.body)
    }
}

/// Whether one of the signatures is right, and recent. There are several while a secret is being replaced.
fn is_signed(secret: &str, header: &str, body: &[u8], at: DateTime<Utc>) -> bool {
    let parts = || {
        header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
    };
    let Some(time) = parts().find_map(|(name, value)| (name == "t").then_some(value)) else {
        return false;
    };
    let Ok(seconds) = time.parse::<i64>() else {
        return false;
    };
    if seconds.abs_diff(at.timestamp()) > TOLERANCE {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    parts()
        .filter(|(name, _)| *name == "v1")
        .filter_map(|(_, value)| bytes(value))
        .any(|signature| mac.clone().verify_slice(&signature).is_ok())
}

/// The bytes of a hexadecimal signature.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect()
}

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

/// What an event is about. The reading is tolerant: other versions of the API send other fields.
#[derive(Deserialize)]
struct About {
    id: Option<String>,
    payment_intent: Option<Value>,
    metadata: Option<BTreeMap<String, Value>>,
}

fn read(body: &[u8]) -> Result<Inbound, InboundRefused> {
    let event: Event = serde_json::from_slice(body)
        .map_err(|_| InboundRefused::Unreadable("it is not an event of Stripe".to_owned()))?;
    if event.id.is_empty() || event.id.len() > EVENT_ID_MAX {
        return Err(InboundRefused::Unreadable(
            "the event has no name".to_owned(),
        ));
    }
    let object = event.data.get("object").cloned();
    let about = object.and_then(|object| serde_json::from_value(object).ok());
    let about = about.map_or(InboundAbout::Nothing, |about| payment(&event.kind, &about));
    Ok(Inbound::new(event.id, about))
}

/// The payment that an event of this kind is about.
fn payment(kind: &str, about: &About) -> InboundAbout {
    let metadata = |name: &str| about.metadata.as_ref()?.get(name)?.as_str();
    // The engine knows the page, and what was paid on it says whose it is.
    if metadata("page") == Some("checkout")
        && let Some(id) = metadata("payment_id").and_then(|id| id.parse().ok())
    {
        return InboundAbout::OurPayment { id };
    }
    // An object, where the endpoint is set to send it in full.
    let payment_intent = || {
        let payment = about.payment_intent.as_ref()?;
        payment.as_str().or_else(|| payment.get("id")?.as_str())
    };
    if of(kind, &["charge.dispute"]) {
        // It says nothing of ours, and where it was paid on the page the engine does not know the name.
        return payment_intent().map_or(InboundAbout::Nothing, behind);
    }
    if of(kind, &["refund", "charge.refund"]) && metadata(map::EXTERNAL_ID).is_none() {
        // Made by hand, as above.
        return payment_intent().map_or(InboundAbout::Nothing, behind);
    }
    let external_id = if of(
        kind,
        &["payment_intent", "setup_intent", "checkout.session"],
    ) {
        about.id.as_deref()
    } else if of(kind, &["refund", "charge.refund"]) {
        // Our own refunds say which payment they are of.
        metadata(map::EXTERNAL_ID)
    } else if of(kind, &["charge"]) {
        payment_intent()
    } else {
        None
    };
    match external_id {
        Some(id) if map::External::read(id).is_ok() => InboundAbout::Payment {
            external_id: id.to_owned(),
        },
        _ => InboundAbout::Nothing,
    }
}

/// What only Stripe can say: which page the payment of this name was made on, if any.
fn behind(id: &str) -> InboundAbout {
    match map::External::read(id) {
        Ok(_) => InboundAbout::PaymentBehind {
            name: id.to_owned(),
        },
        Err(_) => InboundAbout::Nothing,
    }
}

/// Whether an event is one of these families: `charge.refunded` is of `charge`.
fn of(kind: &str, families: &[&str]) -> bool {
    families.iter().any(|family| {
        kind.strip_prefix(family)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests;
