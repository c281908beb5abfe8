//! What plugins share that call the API of a vendor: addresses in settings, and what the vendor says when it says no.

use plugin_api::SettingsError;
use reqwest::{Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::answer::{judged, read_bounded};
use crate::error::OutboundError;

/// The most of a vendor's words that is shown, in characters.
const WORDS_MAX: usize = 300;

/// Where an API is: the address that is set under this name, or the vendor's own where none is. The address ends with a slash, so that paths
/// are joined to it. The end that vendors' documentation shows and their libraries add (`v1`) is taken off: people copy it with or without.
///
/// # Errors
/// [`SettingsError`] where it is no http or https address, or has more to it than host, port and path.
pub fn api_base(
    name: &str,
    given: Option<&str>,
    default: &str,
    end: &str,
) -> Result<Url, SettingsError> {
    let text = given.filter(|text| !text.is_empty()).unwrap_or(default);
    let text = text.trim_end_matches('/');
    let text = match text.strip_suffix(end) {
        Some(base) if base.ends_with('/') => base.trim_end_matches('/'),
        _ => text,
    };
    plain_address(name, &format!("{text}/"), default)
}

/// The address that is set under this name, whatever it has in it.
///
/// # Errors
/// [`SettingsError`] where it is no http or https address.
pub fn address(name: &str, text: &str) -> Result<Url, SettingsError> {
    let url = http(text);
    url.ok_or_else(|| SettingsError::field(name, "must be an http or https address"))
}

fn http(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    (["http", "https"].contains(&url.scheme()) && url.has_host()).then_some(url)
}

/// The address that is set under this name.
///
/// # Errors
/// [`SettingsError`] where it is no http or https address, or has more to it than host, port and path; it names an example.
pub fn plain_address(name: &str, text: &str, example: &str) -> Result<Url, SettingsError> {
    let plain = http(text).filter(|url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    plain.ok_or_else(|| {
        let expected =
            format!("must be an http or https address without a query, such as {example}");
        SettingsError::field(name, expected)
    })
}

/// What a vendor says in an answer that is no success, as JSON; none where it is not said in the vendor's way. Of credentials that are not taken
/// vendors say why; of other troubles the status says all.
///
/// # Errors
/// [`OutboundError`] by the status, or what went wrong on the way.
pub async fn refusal<T: DeserializeOwned>(
    response: Response,
    max_bytes: usize,
) -> Result<Option<T>, OutboundError> {
    let is_denied = matches!(response.status().as_u16(), 401 | 403);
    let response = if is_denied {
        response
    } else {
        judged(response)?
    };
    let body = read_bounded(response, max_bytes).await?;
    Ok(serde_json::from_slice(&body).ok())
}

/// A vendor's words, as far as staff may read them: one line of bounded length, without these secrets.
pub fn presentable(words: &str, secrets: &[&SecretString]) -> String {
    let secrets = secrets.iter().map(|secret| secret.expose_secret());
    let words = secrets
        .filter(|secret| !secret.is_empty())
        .fold(words.to_owned(), |words, secret| {
            words.replace(secret, "***")
        });
    let words: Vec<&str> = words.split(|c: char| c.is_control() || c == ' ').collect();
    let words = words.into_iter().filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "https://api.vendor.example";

    fn base(given: &str) -> Result<String, SettingsError> {
        api_base("apiBase", Some(given), DEFAULT, "v1").map(|url| url.to_string())
    }

    #[test]
    fn an_address_is_taken_with_and_without_its_end() {
        for (given, expected) in [
            ("", "https://api.vendor.example/"),
            ("http://localhost:1", "http://localhost:1/"),
            ("http://localhost:1/", "http://localhost:1/"),
            ("http://localhost:1/v1", "http://localhost:1/"),
            ("http://localhost:1/fake/v1//", "http://localhost:1/fake/"),
            ("http://localhost:1/rev1", "http://localhost:1/rev1/"),
        ] {
            assert_eq!(base(given).unwrap(), expected);
        }
        let default = api_base("apiBase", None, DEFAULT, "v1").unwrap();
        assert_eq!(default.as_str(), "https://api.vendor.example/");
    }

    #[test]
    fn what_is_no_plain_address_is_refused_by_its_name_and_not_repeated() {
        for wrong in [
            "vendor.example",
            "ftp://vendor.example",
            "https://u:hunter2@vendor.example",
            "https://vendor.example/?hunter2",
            "https://vendor.example/#hunter2",
            "/v1",
        ] {
            let error = base(wrong).unwrap_err();
            assert_eq!(error.path, ["apiBase"], "{wrong}");
            assert!(error.message.contains(DEFAULT) && !error.message.contains("hunter2"));
        }
    }

    #[test]
    fn an_address_may_hold_a_secret_which_is_not_repeated() {
        let room = address("url", "https://chat.example/room?key=hunter2");
        assert_eq!(room.unwrap().query(), Some("key=hunter2"));
        for wrong in [
            "chat.example",
            "ftp://hunter2.example",
            "mailto:hunter2",
            "/hunter2",
            "",
        ] {
            let error = address("url", wrong).unwrap_err();
            assert_eq!(error.to_string(), "url: must be an http or https address");
        }
    }

    #[test]
    fn words_are_shown_in_one_line_without_secrets() {
        let key = SecretString::from("sk_test_1");
        let words = "Invalid key:\r\n sk_test_1, \u{7}really";
        assert_eq!(presentable(words, &[&key]), "Invalid key: ***, really");
        assert_eq!(presentable(&"é".repeat(1000), &[]).chars().count(), 300);
        assert_eq!(presentable("as is", &[&SecretString::from("")]), "as is");
    }
}
