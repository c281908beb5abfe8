//! The key of a service account, and what it signs: the assertion (RFC 7523) that Google gives an access token for.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// How long an assertion is good, in seconds: the most that Google takes.
const GOOD_FOR: i64 = 3600;

/// A service account, able to sign.
#[derive(Clone)]
pub(crate) struct ServiceKey {
    pub email: String,
    key_id: Option<String>,
    key: Arc<dyn SigningKey>,
}

/// The key file, as far as it is read. Its `token_uri` is not: where tokens are asked for the settings say.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: SecretString,
    private_key_id: Option<String>,
}

impl ServiceKey {
    /// Reads Google's JSON key. The error says what was expected, without anything of the key.
    pub fn read(text: &SecretString) -> Result<Self, &'static str> {
        const EXPECTED: &str =
            "must be the JSON key of a service account, with type, client_email and private_key";
        let file: KeyFile = serde_json::from_str(text.expose_secret()).map_err(|_| EXPECTED)?;
        if file.kind != "service_account" || file.client_email.is_empty() {
            return Err(EXPECTED);
        }
        let pem = file.private_key.expose_secret().as_bytes();
        let key = PrivateKeyDer::from_pem_slice(pem).ok();
        let key = key.and_then(|key| any_supported_type(&key).ok());
        let key = key.filter(|key| {
            key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])
                .is_some()
        });
        let key = key.ok_or("private_key: must be the RSA key of the file, in PEM")?;
        Ok(Self {
            email: file.client_email,
            key_id: file.private_key_id,
            key,
        })
    }

    /// The assertion that asks for access to this, in the name of an account where one is given. `now` is Google's time, the world's.
    pub fn assertion(
        &self,
        audience: &str,
        scope: &str,
        subject: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<SecretString, String> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (Some(id), Some(fields)) = (&self.key_id, header.as_object_mut()) {
            fields.insert("kid".to_owned(), id.as_str().into());
        }
        let mut claims = json!({
            "iss": self.email, "scope": scope, "aud": audience,
            "iat": now.timestamp(), "exp": now.timestamp() + GOOD_FOR
        });
        if let (Some(subject), Some(fields)) = (subject, claims.as_object_mut()) {
            fields.insert("sub".to_owned(), subject.into());
        }
        let encoded =
            |part: &serde_json::Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let text = format!("{}.{}", encoded(&header), encoded(&claims));
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.ok_or("the key cannot sign by RS256")?;
        let signature = signer.sign(text.as_bytes());
        let signature = signature.map_err(|_| "the key could not sign")?;
        Ok(format!("{text}.{}", BASE64URL_NOPAD.encode(&signature)).into())
    }
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceKey")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn key() -> ServiceKey {
        let pem = include_str!("../../../tests/fakes/google/src/service-account.pem");
        let file = json!({
            "type": "service_account", "client_email": "bookable@salon.example", "private_key": pem, "private_key_id": "7"
        });
        ServiceKey::read(&file.to_string().into()).unwrap()
    }

    /// What an assertion claims, and its head.
    fn parts(subject: Option<&str>) -> (Value, Value) {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let made = key().assertion("https://google.example/token", "a b", subject, now);
        let made = made.unwrap();
        let decoded = |part: &str| {
            let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let parts: Vec<&str> = made.expose_secret().split('.').collect();
        assert_eq!(parts.len(), 3);
        (decoded(parts[0]), decoded(parts[1]))
    }

    #[test]
    fn an_assertion_says_who_asks_for_what_in_whose_name() {
        let (header, claims) = parts(Some("maria@aurora.example"));
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "7" }));
        assert_eq!(
            claims,
            json!({
                "iss": "bookable@salon.example", "scope": "a b", "aud": "https://google.example/token",
                "iat": 1_800_000_000, "exp": 1_800_003_600, "sub": "maria@aurora.example"
            })
        );
        assert!(parts(None).1.get("sub").is_none());
    }

    #[test]
    fn a_key_does_not_show() {
        let shown = format!("{:?}", key());
        assert_eq!(
            shown,
            "ServiceKey { email: \"bookable@salon.example\", .. }"
        );
    }
}
