//! Signatures as Standard Webhooks write them: of id, time and body, by HMAC-SHA256, one for each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use plugin_api::Failure;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header `webhook-signature`: `v1,<base64>` for each secret, with blanks between.
///
/// # Errors
/// [`Failure::Misconfigured`] where a secret is not one of Standard Webhooks.
pub fn header(
    secrets: &[SecretString],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<String, Failure> {
    let signed = secrets
        .iter()
        .map(|secret| signature(secret, id, timestamp, body));
    let signatures = signed.collect::<Option<Vec<String>>>();
    let signatures = signatures.filter(|signatures| !signatures.is_empty());
    let signatures = signatures
        .ok_or_else(|| Failure::misconfigured("the endpoint's secret is damaged: rotate it"))?;
    Ok(signatures.join(" "))
}

fn signature(secret: &SecretString, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = secret.expose_secret().strip_prefix("whsec_")?;
    let key = STANDARD.decode(key).ok()?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    hmac.update(format!("{id}.{timestamp}.").as_bytes());
    hmac.update(body);
    let signature = STANDARD.encode(hmac.finalize().into_bytes());
    Some(format!("v1,{signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        let signed = header(std::slice::from_ref(&secret), id, 1_614_265_330, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let other = SecretString::from("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let both = header(&[other, secret], id, 1_614_265_330, body).unwrap();
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.ends_with(&signed));
    }

    #[test]
    fn without_a_secret_nothing_is_signed() {
        for secrets in [vec![], vec![SecretString::from("hunter2")]] {
            let failure = header(&secrets, "evt_1", 0, b"").unwrap_err();
            assert!(matches!(failure, Failure::Misconfigured { .. }));
            assert!(!failure.to_string().contains("hunter2"));
        }
    }
}
