//! The settings, and the account they describe.

use outbound::{Url, api_base};
use plugin_api::{SettingsError, read_settings};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

const API_BASE: &str = "https://api.twilio.com";

/// How to send text messages through a business's own Twilio account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The SID of the Twilio account (`AC…`).
    pub account_sid: String,
    /// The account's auth token. It also signs what Twilio calls with, so an API key cannot take its place.
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub auth_token: SecretString,
    /// Who messages come from: a number of the account (`+442071838750`), a short code, or a name of up to 11 letters and digits where the
    /// country allows it. Where there is a messaging service too, it is the one of the service's senders that is used.
    #[serde(default)]
    pub from: Option<String>,
    /// The SID of the messaging service (`MG…`) that chooses whom messages come from.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Where Twilio's API is, without `/2010-04-01`; default: `https://api.twilio.com`.
    #[schemars(extend("x-destination" = true))]
    #[serde(default)]
    pub api_base: Option<String>,
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Where the API is: the address that `2010-04-01/…` is appended to.
    pub base: Url,
    pub sid: String,
    pub token: SecretString,
    pub sender: Sender,
}

/// Who messages come from: one of the two at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    pub from: Option<String>,
    pub service: Option<String>,
}

impl Sender {
    /// The number that they come from, where it is one that people can be called at: no short code, and no name.
    pub fn number(&self) -> Option<&str> {
        self.from.as_deref().filter(|from| from.starts_with('+'))
    }
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
        if !is_sid(&self.account_sid, "AC") {
            let expected = "must be the SID of an account: AC and 32 hexadecimal digits";
            return Err(SettingsError::field("accountSid", expected));
        }
        let token = self.auth_token.expose_secret();
        if token.is_empty() || token.len() > 200 || !token.chars().all(|c| c.is_ascii_graphic()) {
            let expected = "must be the auth token of the account, without blanks";
            return Err(SettingsError::field("authToken", expected));
        }
        Ok(Account {
            sender: self.sender()?,
            base: api_base("apiBase", self.api_base.as_deref(), API_BASE, "2010-04-01")?,
            sid: self.account_sid.clone(),
            token: self.auth_token.clone(),
        })
    }

    fn sender(&self) -> Result<Sender, SettingsError> {
        let from = given(self.from.as_deref()).map(from).transpose()?;
        let service = given(self.messaging_service_sid.as_deref());
        if service.is_some_and(|sid| !is_sid(sid, "MG")) {
            let expected = "must be the SID of a messaging service: MG and 32 hexadecimal digits";
            return Err(SettingsError::field("messagingServiceSid", expected));
        }
        if from.is_none() && service.is_none() {
            let expected = "is required where there is no messagingServiceSid";
            return Err(SettingsError::field("from", expected));
        }
        let service = service.map(str::to_owned);
        Ok(Sender { from, service })
    }
}

/// An empty text is one that was not given.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 32 && rest.chars().all(|c| c.is_ascii_hexdigit()))
}

/// A number as Twilio takes it (people copy them with blanks), a short code, or a name.
fn from(text: &str) -> Result<String, SettingsError> {
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.'))
        .collect();
    let is_number = bare.strip_prefix('+').is_some_and(|number| {
        (7..=15).contains(&number.len()) && !number.starts_with('0') && digits(number)
    });
    let is_short_code = (3..=8).contains(&bare.len()) && digits(&bare);
    if is_number || is_short_code {
        return Ok(bare);
    }
    let is_name = (1..=11).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " +-_&".contains(c))
        && text.chars().any(|c| c.is_ascii_alphabetic());
    if is_name {
        return Ok(text.to_owned());
    }
    let expected = "must be a number with its country (+442071838750), a short code, or a name of up to 11 letters and digits";
    Err(SettingsError::field("from", expected))
}

#[cfg(test)]
mod tests {
    use plugin_api::contract;
    use serde_json::json;

    use super::*;

    const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

    fn right() -> Value {
        json!({
            "accountSid": ACCOUNT, "authToken": "0123456789abcdef", "from": "+442071838750", "messagingServiceSid": SERVICE,
            "apiBase": "http://127.0.0.1:4010"
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut json = right();
        json[name] = value;
        json
    }

    fn account(json: Value) -> Account {
        Settings::from_json(json).unwrap().account().unwrap()
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        let mut nobody = with("from", json!(null));
        nobody["messagingServiceSid"] = json!("");
        let mut wrong = vec![
            (json!({}), vec!["accountSid"]),
            (json!({ "accountSid": ACCOUNT }), vec!["authToken"]),
            (nobody, vec!["from"]),
        ];
        for (name, value) in [
            ("accountSid", json!("")),
            ("accountSid", json!("AC12")),
            ("accountSid", json!("ACg123456789abcdef0123456789abcdef")),
            ("accountSid", json!("SK0123456789abcdef0123456789abcdef")),
            ("accountSid", json!("AC0123456789abcdef0123456789abcd/.")),
            ("accountSid", json!(7)),
            ("authToken", json!("")),
            ("authToken", json!("a b")),
            ("authToken", json!("a\r\nb")),
            ("authToken", json!(null)),
            ("from", json!("+44")),
            ("from", json!("+0442071838750")),
            ("from", json!("+44207183875x")),
            ("from", json!("Salon Aurora Ltd")),
            ("from", json!("Salon\n")),
            ("from", json!(442_071_838_750_u64)),
            ("messagingServiceSid", json!("MG")),
            ("messagingServiceSid", json!(ACCOUNT)),
            ("apiBase", json!("api.twilio.com")),
            ("apiBase", json!("ftp://api.twilio.com")),
            ("apiBase", json!("https://u:p@api.twilio.com")),
            ("apiBase", json!("https://api.twilio.com/?q=1")),
            ("apiBase", json!(true)),
        ] {
            wrong.push((with(name, value), vec![name]));
        }
        contract::settings(Settings::from_json, right(), wrong);
    }

    #[test]
    fn senders_are_numbers_short_codes_names_or_services() {
        for (given, expected) in [
            ("+44 20 7183-8750", "+442071838750"),
            ("(+1) 500.555.0006", "+15005550006"),
            ("12345", "12345"),
            ("Aurora", "Aurora"),
            ("A & B", "A & B"),
        ] {
            let sender = account(with("from", json!(given))).sender;
            assert_eq!(sender.from.as_deref(), Some(expected));
            assert_eq!(sender.service.as_deref(), Some(SERVICE));
            assert_eq!(sender.number().is_some(), expected.starts_with('+'));
        }
        let sender = account(with("from", json!(null))).sender;
        assert_eq!(sender.from, None);
        let sender = account(with("messagingServiceSid", json!(""))).sender;
        assert_eq!(sender.service, None);
    }

    #[test]
    fn the_address_is_taken_with_and_without_its_end() {
        for (given, base) in [
            (Value::Null, "https://api.twilio.com/"),
            (json!(""), "https://api.twilio.com/"),
            (json!("http://localhost:1/"), "http://localhost:1/"),
            (
                json!("http://localhost:1/2010-04-01/"),
                "http://localhost:1/",
            ),
            (json!("http://localhost:1/fake"), "http://localhost:1/fake/"),
        ] {
            assert_eq!(account(with("apiBase", given)).base.as_str(), base);
        }
    }

    #[test]
    fn the_token_shows_nowhere() {
        let settings = Settings::from_json(right()).unwrap();
        let shown = format!("{settings:?} {:?}", settings.account().unwrap());
        assert!(!shown.contains("\"0123456789abcdef\""), "{shown}");
        let error = Settings::from_json(with("authToken", json!("hunter 2"))).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }
}
