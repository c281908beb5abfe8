//! Keeps what businesses entrust to plugins: settings are sealed before they are stored (XChaCha20-Poly1305), each for one business and one
//! plugin, so that a row that is copied to another opens nowhere.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use domain::id::BusinessId;
use serde_json::Value;

use crate::{Error, Result};

const NONCE_LENGTH: usize = 24;

/// Seals and opens with one key.
#[derive(Clone)]
pub struct Vault(XChaCha20Poly1305);

impl Vault {
    /// A vault with this key. Every server on one database needs the same one.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Seals settings of a business for a plugin.
    pub(crate) fn seal(
        &self,
        business: BusinessId,
        plugin: &str,
        settings: &Value,
    ) -> Result<Vec<u8>> {
        let mut sealed = vec![0; NONCE_LENGTH];
        getrandom::fill(&mut sealed)
            .map_err(|error| Error::Fault(format!("no randomness: {error}")))?;
        let text = settings.to_string();
        let aad = bound_to(business, plugin);
        let payload = Payload {
            msg: text.as_bytes(),
            aad: aad.as_bytes(),
        };
        let body = self.0.encrypt(XNonce::from_slice(&sealed), payload);
        sealed.extend(body.map_err(|_| Error::Fault("settings could not be sealed".to_owned()))?);
        Ok(sealed)
    }

    /// Opens them again. None: they were sealed with another key, or for somebody else, or changed since.
    pub(crate) fn open(&self, business: BusinessId, plugin: &str, sealed: &[u8]) -> Option<Value> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LENGTH)?;
        let aad = bound_to(business, plugin);
        let payload = Payload {
            msg: body,
            aad: aad.as_bytes(),
        };
        let text = self.0.decrypt(XNonce::from_slice(nonce), payload).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn bound_to(business: BusinessId, plugin: &str) -> String {
    format!("{business}/{plugin}")
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_is_sealed_opens_for_whom_it_was_sealed_and_for_nobody_else() {
        let (vault, other) = (Vault::new(&[7; 32]), Vault::new(&[8; 32]));
        let business = BusinessId::from_uuid(Uuid::from_u128(1));
        let stranger = BusinessId::from_uuid(Uuid::from_u128(2));
        let settings = json!({ "password": "hunter2" });
        let sealed = vault.seal(business, "email-smtp", &settings).unwrap();
        assert_eq!(
            vault.open(business, "email-smtp", &sealed),
            Some(settings.clone())
        );
        assert!(!String::from_utf8_lossy(&sealed).contains("hunter2"));
        assert_ne!(
            vault.seal(business, "email-smtp", &settings).unwrap(),
            sealed
        );
        assert_eq!(vault.open(stranger, "email-smtp", &sealed), None);
        assert_eq!(vault.open(business, "webhooks", &sealed), None);
        assert_eq!(other.open(business, "email-smtp", &sealed), None);
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(vault.open(business, "email-smtp", &changed), None);
        assert_eq!(vault.open(business, "email-smtp", b"short"), None);
    }
}
