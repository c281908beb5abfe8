//! Twilio's signature: base64 of HMAC-SHA1, keyed by the auth token, of the address that was called and, of a form, all names and values
//! in order of the names. Of a body that is no form the address holds a digest.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Under which name the digest of a body is in the address.
const BODY_DIGEST: &str = "bodySHA256";

/// Whether Twilio made this signature for this call. `url` is what Twilio called, query included.
pub(crate) fn is_right(token: &str, signature: &str, url: &str, body: &[u8]) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else {
        return false;
    };
    let fields = match body_digest(url) {
        Some(digest) if digest != sha256(body) => return false,
        Some(_) => Vec::new(),
        None => fields(body),
    };
    let Ok(keyed) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return false;
    };
    addresses(url).into_iter().any(|url| {
        let mut mac = keyed.clone();
        mac.update(url.as_bytes());
        for (name, value) in &fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac.verify_slice(&signature).is_ok()
    })
}

/// Whether the body is one that the address has the digest of, and no form.
pub(crate) fn is_digested(url: &str) -> bool {
    body_digest(url).is_some()
}

/// What follows the `?`.
pub(crate) fn query(url: &str) -> &str {
    url.split_once('?').map_or("", |(_, query)| query)
}

fn body_digest(url: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query(url).as_bytes());
    let (_, digest) = pairs.find(|(name, _)| name == BODY_DIGEST)?;
    Some(digest.to_ascii_lowercase())
}

fn sha256(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// By name; a value that occurs twice under a name counts once, as in Twilio's own libraries.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    fields.sort();
    fields.dedup();
    fields
}

/// The address as it came, without a port, and with the standard one: Twilio signs some calls with it and some without, and proxies
/// take it off or put it on.
fn addresses(url: &str) -> Vec<String> {
    let mut addresses = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return addresses;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A colon before the closing bracket of an IPv6 address begins no port.
    let from = authority.rfind(']').unwrap_or(0);
    let colon = authority
        .rfind(':')
        .filter(|colon| *colon >= from && !authority.ends_with(']'));
    match colon {
        Some(colon) => {
            let (host, _) = authority.split_at(colon);
            addresses.push(format!("{scheme}://{host}{path}"));
        }
        None => {
            let is_tls = scheme.eq_ignore_ascii_case("https");
            let port = if is_tls { 443 } else { 80 };
            addresses.push(format!("{scheme}://{authority}:{port}{path}"));
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Twilio's documentation.
    const TOKEN: &str = "12345";
    const URL: &str = "https://example.com/myapp.php?foo=1&bar=2";
    const BODY: &str = "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212";
    const SIGNATURE: &str = "L/OH5YylLD5NRKLltdqwSvS0BnU=";

    #[test]
    fn the_example_of_the_documentation_is_right() {
        assert!(is_right(TOKEN, SIGNATURE, URL, BODY.as_bytes()));
        let shuffled = "To=%2B18005551212&Digits=1234&Digits=1234&CallSid=CA1234567890ABCDE&From=%2B14158675310&Caller=%2B14158675310";
        assert!(is_right(TOKEN, SIGNATURE, URL, shuffled.as_bytes()));
        for url in [
            "https://example.com:443/myapp.php?foo=1&bar=2",
            "https://example.com:8443/myapp.php?foo=1&bar=2",
        ] {
            assert!(is_right(TOKEN, SIGNATURE, url, BODY.as_bytes()), "{url}");
        }
    }

    #[test]
    fn whatever_differs_is_wrong() {
        let body = BODY.as_bytes();
        assert!(!is_right("12346", SIGNATURE, URL, body));
        assert!(!is_right("", SIGNATURE, URL, body));
        for signature in [
            "",
            "L/OH5YylLD5NRKLltdqwSvS0BnU",
            "L/OH",
            "?",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            assert!(!is_right(TOKEN, signature, URL, body), "{signature}");
        }
        for url in [
            "http://example.com/myapp.php?foo=1&bar=2",
            "https://example.org/myapp.php?foo=1&bar=2",
            "https://example.com/myapp.php?foo=1&bar=3",
            "https://example.com/myapp.php",
            "",
        ] {
            assert!(!is_right(TOKEN, SIGNATURE, url, body), "{url}");
        }
        let more = format!("{BODY}&Body=STOP");
        assert!(!is_right(TOKEN, SIGNATURE, URL, more.as_bytes()));
        assert!(!is_right(TOKEN, SIGNATURE, URL, b""));
        let digested = format!("{URL}&bodySHA256={}", sha256(body));
        assert!(!is_right(TOKEN, SIGNATURE, &digested, body));
    }

    #[test]
    fn ports_are_found_where_there_are_some() {
        for (url, other) in [
            ("https://h/p?q=a:b", "https://h:443/p?q=a:b"),
            ("http://h", "http://h:80"),
            ("http://h:80?q", "http://h?q"),
            ("https://[::1]/", "https://[::1]:443/"),
            ("https://[::1]:8443/", "https://[::1]/"),
        ] {
            assert_eq!(addresses(url), [url, other]);
        }
        assert_eq!(addresses("nonsense"), ["nonsense"]);
    }
}
