//! Events, and how Stripe signs them.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::World;

/// Something that happened at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name, `evt_…`.
    pub id: String,
    /// What happened, `payment_intent.succeeded`.
    pub kind: String,
    /// To which object: its id.
    pub object: String,
}

/// An event as Stripe posts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEvent {
    /// The header `Stripe-Signature`.
    pub signature: String,
    /// The body, to be posted as it is.
    pub body: Vec<u8>,
}

impl World {
    /// Notes that this happened to an object, and answers the name of the event.
    pub fn note(&mut self, kind: &str, object: &Value) -> String {
        let id = self.id("evt");
        let event = Event {
            id: id.clone(),
            kind: kind.to_owned(),
            object: object["id"].as_str().unwrap_or_default().to_owned(),
        };
        let body = json!({
            "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": self.tick(), "livemode": false,
            "pending_webhooks": 1, "request": { "id": null, "idempotency_key": null }, "type": kind, "data": { "object": object }
        });
        self.events.push((event, body));
        id
    }
}

/// The header `Stripe-Signature` for this body, sent at this time: HMAC-SHA-256 over time and body.
pub fn sign(body: &[u8], secret: &str, at: DateTime<Utc>) -> String {
    let time = at.timestamp();
    let mut signature = String::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            // Writing to a text cannot fail.
            let _ = write!(signature, "{byte:02x}");
        }
    }
    format!("t={time},v1={signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signed by the `stripe` package for Node.js, version 23.1.0, with `whsec_vector` at 1 803 898 800.
    #[test]
    fn it_signs_as_the_official_library_does() {
        let body = r#"{"id":"evt_vector","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_vector","object":"payment_intent","description":"Coupe à Genève ✂"}}}"#;
        let at = DateTime::from_timestamp(1_803_898_800, 0).unwrap();
        assert_eq!(
            sign(body.as_bytes(), "whsec_vector", at),
            "t=1803898800,v1=410a116479fd25342aa85fcb1699e0a5304130b89e3360c28b5d9e4a098f8521"
        );
    }
}
