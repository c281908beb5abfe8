//! The settings, and the account they describe.

use outbound::{Url, api_base};
use plugin_api::{SettingsError, read_settings};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

/// How long a customer has to pay where nothing is set, in minutes.
pub(crate) const WINDOW_DEFAULT: u32 = 30;
/// A day: Stripe forgets idempotency keys after that.
const WINDOW_MAX: u32 = 1440;
const API_BASE: &str = "https://api.stripe.com";

/// How to take payments through a business's own Stripe account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The secret key (`sk_…`) or a restricted key (`rk_…`) of the Stripe account.
    #[schemars(with = "String", extend("writeOnly" = true))]
    pub secret_key: SecretString,
    /// The signing secret (`whsec_…`) of the webhook endpoint that was set up at Stripe for this business.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    #[serde(default)]
    pub webhook_secret: Option<SecretString>,
    /// The publishable key (`pk_…`), for frontends that show Stripe's Payment Element.
    #[serde(default)]
    pub publishable_key: Option<String>,
    /// Where Stripe's API is, without `/v1`; default: `https://api.stripe.com`.
    #[schemars(extend("x-destination" = true))]
    #[serde(default)]
    pub api_base: Option<String>,
    /// How many minutes a customer has to pay; default: 30.
    #[schemars(range(min = 1, max = 1440))]
    #[serde(default)]
    pub payment_window_minutes: Option<u32>,
    /// The page that a customer comes back to from Stripe's own payment page. Where it is set, customers pay on that page (`checkoutUrl`);
    /// where it is not, in the frontend's (`clientSecret`).
    #[serde(default)]
    pub success_url: Option<String>,
    /// The page behind the back button of Stripe's payment page.
    #[serde(default)]
    pub cancel_url: Option<String>,
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Where the API is: the address that `v1/…` is appended to.
    pub base: Url,
    pub key: SecretString,
    pub webhook_secret: Option<SecretString>,
    /// Where customers come back to from Stripe's page, if they pay there.
    pub pages: Option<Pages>,
}

/// Where customers come back to from Stripe's page. As given: Stripe fills in `{CHECKOUT_SESSION_ID}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages {
    pub success: String,
    pub cancel: Option<String>,
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
        if !looks_like(self.secret_key.expose_secret(), &["sk_", "rk_"]) {
            let expected = "must be a secret key (sk_…) or a restricted key (rk_…)";
            return Err(SettingsError::field("secretKey", expected));
        }
        if let Some(key) = given(self.publishable_key.as_deref())
            && !looks_like(key, &["pk_"])
        {
            let expected = "must be a publishable key (pk_…)";
            return Err(SettingsError::field("publishableKey", expected));
        }
        if !(1..=WINDOW_MAX).contains(&self.window_minutes()) {
            let expected = format!("must be from 1 to {WINDOW_MAX}");
            return Err(SettingsError::field("paymentWindowMinutes", expected));
        }
        Ok(Account {
            base: api_base("apiBase", self.api_base.as_deref(), API_BASE, "v1")?,
            key: self.secret_key.clone(),
            webhook_secret: self.webhook_secret()?,
            pages: self.pages()?,
        })
    }

    /// How long a customer has to pay.
    pub(crate) fn window_minutes(&self) -> u32 {
        self.payment_window_minutes.unwrap_or(WINDOW_DEFAULT)
    }

    fn webhook_secret(&self) -> Result<Option<SecretString>, SettingsError> {
        let secret = self.webhook_secret.as_ref();
        let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
        if let Some(secret) = secret
            && !secret.expose_secret().chars().all(|c| c.is_ascii_graphic())
        {
            let expected = "must be the signing secret of the endpoint (whsec_…), without blanks";
            return Err(SettingsError::field("webhookSecret", expected));
        }
        Ok(secret.cloned())
    }

    fn pages(&self) -> Result<Option<Pages>, SettingsError> {
        let success = page("successUrl", self.success_url.as_deref())?;
        let cancel = page("cancelUrl", self.cancel_url.as_deref())?;
        match (success, cancel) {
            (Some(success), cancel) => Ok(Some(Pages { success, cancel })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(SettingsError::field(
                "successUrl",
                "is required where there is a cancelUrl",
            )),
        }
    }
}

/// An empty text is one that was not given.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn looks_like(key: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| {
        key.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty()
                && rest.len() <= 500
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}

fn page(field: &str, text: Option<&str>) -> Result<Option<String>, SettingsError> {
    let Some(text) = given(text) else {
        return Ok(None);
    };
    let url: Option<Url> = text.parse().ok();
    let is_page = url.is_some_and(|url| ["http", "https"].contains(&url.scheme()));
    if !is_page || text.chars().any(|c| c.is_control() || c == ' ') {
        return Err(SettingsError::field(
            field,
            "must be an http or https address, such as https://salon.example/thanks",
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use plugin_api::contract;
    use serde_json::json;

    use super::*;

    fn right() -> Value {
        json!({
            "secretKey": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "webhookSecret": "whsec_test", "publishableKey": "pk_test_1",
            "apiBase": "http://127.0.0.1:4242", "paymentWindowMinutes": 15,
            "successUrl": "https://salon.example/thanks?session={CHECKOUT_SESSION_ID}", "cancelUrl": "https://salon.example/"
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut json = right();
        json[name] = value;
        json
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        let wrong = [
            (json!({}), vec!["secretKey"]),
            (with("secretKey", json!("")), vec!["secretKey"]),
            (with("secretKey", json!("sk_")), vec!["secretKey"]),
            (with("secretKey", json!("pk_test_1")), vec!["secretKey"]),
            (
                with("secretKey", json!("sk_test_1\r\nx")),
                vec!["secretKey"],
            ),
            (with("secretKey", json!(7)), vec!["secretKey"]),
            (
                with("webhookSecret", json!("whsec_ 1")),
                vec!["webhookSecret"],
            ),
            (
                with("publishableKey", json!("sk_live_1")),
                vec!["publishableKey"],
            ),
            (with("apiBase", json!("api.stripe.com")), vec!["apiBase"]),
            (with("apiBase", json!("ftp://stripe.com")), vec!["apiBase"]),
            (
                with("apiBase", json!("https://u:p@stripe.com")),
                vec!["apiBase"],
            ),
            (
                with("apiBase", json!("https://stripe.com/?q=1")),
                vec!["apiBase"],
            ),
            (
                with("paymentWindowMinutes", json!(0)),
                vec!["paymentWindowMinutes"],
            ),
            (
                with("paymentWindowMinutes", json!(1441)),
                vec!["paymentWindowMinutes"],
            ),
            (
                with("paymentWindowMinutes", json!(-1)),
                vec!["paymentWindowMinutes"],
            ),
            (with("successUrl", json!("/thanks")), vec!["successUrl"]),
            (
                with("successUrl", json!("javascript:alert(1)")),
                vec!["successUrl"],
            ),
            (with("successUrl", json!(null)), vec!["successUrl"]),
            (with("cancelUrl", json!("https://a b")), vec!["cancelUrl"]),
        ];
        contract::settings(Settings::from_json, right(), wrong);
    }

    #[test]
    fn the_address_is_taken_with_and_without_its_end() {
        for (given, base) in [
            (Value::Null, "https://api.stripe.com/"),
            (json!(""), "https://api.stripe.com/"),
            (json!("http://localhost:1/"), "http://localhost:1/"),
            (json!("http://localhost:1/v1"), "http://localhost:1/"),
            (
                json!("http://localhost:1/fake/v1/"),
                "http://localhost:1/fake/",
            ),
        ] {
            let settings = Settings::from_json(with("apiBase", given)).unwrap();
            assert_eq!(settings.account().unwrap().base.as_str(), base);
        }
    }

    #[test]
    fn keys_show_nowhere() {
        let settings = Settings::from_json(right()).unwrap();
        let shown = format!("{settings:?} {:?}", settings.account().unwrap());
        assert!(
            !shown.contains("4eC39") && !shown.contains("whsec"),
            "{shown}"
        );
        let error = Settings::from_json(with("secretKey", json!("hunter2"))).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
