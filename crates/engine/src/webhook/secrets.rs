//! The secrets of an endpoint: made here, sealed where they are stored, each signing along for a day once another has taken its place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use domain::id::{BusinessId, WebhookEndpointId};
use domain::webhook::SECRET_OVERLAP;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{Result, Vault, secret};

/// The secrets of one endpoint, the current one first.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Vec<Kept>);

#[derive(Debug, Clone)]
struct Kept {
    secret: SecretString,
    /// Until when it signs along; none: it is the current one.
    until: Option<DateTime<Utc>>,
}

impl Secrets {
    /// One new secret.
    pub(super) fn new() -> Result<Self> {
        Ok(Self(vec![Kept {
            secret: made()?,
            until: None,
        }]))
    }

    /// A new secret, with the others beside it for their time.
    pub(super) fn rotated(self, now: DateTime<Utc>) -> Result<Self> {
        let mut kept = Self::new()?.0;
        kept.extend(self.0.into_iter().map(|old| Kept {
            until: Some(old.until.unwrap_or(now + SECRET_OVERLAP)),
            ..old
        }));
        kept.retain(|kept| kept.signs(now));
        Ok(Self(kept))
    }

    /// The current one, as it is shown once.
    pub(super) fn current(&self) -> Option<&SecretString> {
        self.0.first().map(|kept| &kept.secret)
    }

    /// Those that sign now.
    pub(super) fn signing(self, now: DateTime<Utc>) -> Vec<SecretString> {
        let signing = self.0.into_iter().filter(|kept| kept.signs(now));
        signing.map(|kept| kept.secret).collect()
    }

    pub(super) fn sealed(
        &self,
        vault: &Vault,
        business: BusinessId,
        endpoint: WebhookEndpointId,
    ) -> Result<Vec<u8>> {
        let kept = self
            .0
            .iter()
            .map(|kept| json!({ "secret": kept.secret.expose_secret(), "until": kept.until }));
        vault.seal(business, &endpoint.to_string(), &kept.collect())
    }

    /// What was sealed; none with another key than it was sealed with.
    pub(super) fn opened(
        vault: &Vault,
        business: BusinessId,
        endpoint: WebhookEndpointId,
        sealed: &[u8],
    ) -> Option<Self> {
        let opened = vault.open(business, &endpoint.to_string(), sealed)?;
        let kept = |value: &Value| {
            let until = value.get("until").cloned()?;
            Some(Kept {
                secret: value.get("secret")?.as_str()?.into(),
                until: serde_json::from_value(until).ok()?,
            })
        };
        opened
            .as_array()?
            .iter()
            .map(kept)
            .collect::<Option<_>>()
            .map(Self)
    }
}

impl Kept {
    fn signs(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// As Standard Webhooks write it: `whsec_` and 32 random bytes in base64.
fn made() -> Result<SecretString> {
    let bytes = STANDARD.encode(secret::random()?);
    Ok(format!("whsec_{bytes}").into())
}
