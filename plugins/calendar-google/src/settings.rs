//! The settings, and the account at Google that they describe.

use outbound::{Url, plain_address};
use plugin_api::{ExternalMove, SettingsError, read_settings};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::key::ServiceKey;

/// How often calendars are asked for changes of which nobody tells, in seconds.
pub(crate) const POLL_DEFAULT: u32 = 300;
const POLL: std::ops::RangeInclusive<u32> = 30..=86_400;
const API_BASE: &str = "https://www.googleapis.com/calendar/v3";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const CONSENT_PAGE: &str = "https://accounts.google.com/o/oauth2/v2/auth";
/// Where the consent page is at the host of another `tokenUrl`.
const CONSENT_PATH: &str = "/o/oauth2/v2/auth";

/// How to keep calendars at Google in step: by the consent of every provider (`clientId` and `clientSecret`), by a service account of the
/// organization's own, or by both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The id of the OAuth client (of the kind "Web application") that providers give their consent to: `….apps.googleusercontent.com`.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The secret of the OAuth client.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// The JSON key of a service account that stands in for the organization's people (domain-wide delegation), as an object or as a
    /// text: providers then need give no consent.
    #[schemars(with = "Option<Value>", extend("writeOnly" = true, "type" = ["object", "string", "null"]))]
    #[serde(default, deserialize_with = "key_text")]
    pub service_account: Option<SecretString>,
    /// Where Google's Calendar API is; default: `https://www.googleapis.com/calendar/v3`.
    #[schemars(extend("x-destination" = true))]
    #[serde(default)]
    pub api_base: Option<String>,
    /// Where Google gives access tokens; default: `https://oauth2.googleapis.com/token`. Where it is set, the consent page is looked for
    /// at the same host, under `/o/oauth2/v2/auth`.
    #[schemars(extend("x-destination" = true))]
    #[serde(default)]
    pub token_url: Option<String>,
    /// How often calendars are asked for changes of which Google does not tell, in seconds; default: 300.
    #[schemars(range(min = 30, max = 86_400))]
    #[serde(default)]
    pub poll_seconds: Option<u32>,
    /// What becomes of a booking whose event was moved or deleted in the calendar; default: `RESTORE`.
    #[serde(default)]
    pub on_external_move: Option<OnExternalMove>,
}

/// What becomes of a booking whose event was moved or deleted in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnExternalMove {
    /// The event is put back.
    Restore,
    /// The booking follows where it may; else the event is put back.
    Follow,
}

impl From<OnExternalMove> for ExternalMove {
    fn from(wish: OnExternalMove) -> Self {
        match wish {
            OnExternalMove::Restore => Self::Restore,
            OnExternalMove::Follow => Self::Follow,
        }
    }
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Where the API is, without a slash at the end.
    pub base: Url,
    pub token_url: Url,
    /// The page on which people give consent.
    pub consent_page: Url,
    pub client: Option<OAuthClient>,
    pub service: Option<ServiceKey>,
}

/// The OAuth client that providers give their consent to.
#[derive(Debug, Clone)]
pub(crate) struct OAuthClient {
    pub id: String,
    pub secret: SecretString,
}

impl Settings {
    /// Reads settings that were given as JSON and checks them.
    ///
    /// # Errors
    /// [`SettingsError`] naming the first field that is wrong, and never a value.
    pub fn from_json(json: Value) -> Result<Self, SettingsError> {
        let settings: Self = read_settings(json)?;
        settings.account()?;
        Ok(settings)
    }

    /// The account that they describe.
    pub(crate) fn account(&self) -> Result<Account, SettingsError> {
        if !POLL.contains(&self.poll()) {
            let expected = format!("must be from {} to {}", POLL.start(), POLL.end());
            return Err(SettingsError::field("pollSeconds", expected));
        }
        let base = given(self.api_base.as_deref()).unwrap_or(API_BASE);
        let token_url = given(self.token_url.as_deref()).unwrap_or(TOKEN_URL);
        let token_url = plain_address("tokenUrl", token_url, TOKEN_URL)?;
        let service = given_secret(self.service_account.as_ref());
        let service = service.map(ServiceKey::read).transpose();
        let service =
            service.map_err(|expected| SettingsError::field("serviceAccount", expected))?;
        let client = self.client()?;
        if client.is_none() && service.is_none() {
            let expected = "is required, with clientSecret, where there is no serviceAccount";
            return Err(SettingsError::field("clientId", expected));
        }
        Ok(Account {
            base: plain_address("apiBase", base.trim_end_matches('/'), API_BASE)?,
            consent_page: consent_page(&token_url)?,
            token_url,
            client,
            service,
        })
    }

    /// How often calendars are asked, in seconds.
    pub(crate) fn poll(&self) -> u32 {
        self.poll_seconds.unwrap_or(POLL_DEFAULT)
    }

    fn client(&self) -> Result<Option<OAuthClient>, SettingsError> {
        let secret = given_secret(self.client_secret.as_ref());
        let (id, secret) = match (given(self.client_id.as_deref()), secret) {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) => return Ok(None),
            (Some(_), None) => {
                let expected = "is required where there is a clientId";
                return Err(SettingsError::field("clientSecret", expected));
            }
            (None, Some(_)) => {
                let expected = "is required where there is a clientSecret";
                return Err(SettingsError::field("clientId", expected));
            }
        };
        for (name, text) in [("clientId", id), ("clientSecret", secret.expose_secret())] {
            if text.len() > 500 || !text.chars().all(|c| c.is_ascii_graphic()) {
                let expected = "must be as Google shows it, without blanks";
                return Err(SettingsError::field(name, expected));
            }
        }
        Ok(Some(OAuthClient {
            id: id.to_owned(),
            secret: secret.clone(),
        }))
    }
}

/// The key's text, whether it was given as a text or as the object that the text is of.
fn key_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.into())),
        object @ Value::Object(_) => Ok(Some(object.to_string().into())),
        _ => Err(de::Error::custom(
            "not a key, expected the JSON key of a service account, as an object or as a text",
        )),
    }
}

/// An empty text is one that was not given.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn given_secret(secret: Option<&SecretString>) -> Option<&SecretString> {
    secret.filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// Google's own consent page is at another host than its tokens. Elsewhere (a proxy, a server of tests) both are at one.
fn consent_page(token_url: &Url) -> Result<Url, SettingsError> {
    if token_url.as_str() == TOKEN_URL {
        return plain_address("tokenUrl", CONSENT_PAGE, TOKEN_URL);
    }
    let mut page = token_url.clone();
    page.set_path(CONSENT_PATH);
    Ok(page)
}

#[cfg(test)]
mod tests;
