//! The settings, and the account they describe: once read, every value is one that a mail can be sent with.

use std::fmt;

use lettre::Address;
use lettre::message::Mailbox;
use plugin_api::{SettingsError, read_settings};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

/// How to reach the server that takes the mail.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// The name or address of the SMTP server.
    #[schemars(length(min = 1, max = 253), extend("x-destination" = true))]
    pub host: String,
    /// Its port; default: 465 for TLS, 587 for STARTTLS, 25 for NONE.
    #[schemars(range(min = 1), extend("x-destination" = true))]
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected: TLS from the start, STARTTLS before anything is sent, or NONE.
    #[schemars(extend("x-destination" = true))]
    #[serde(default)]
    pub security: Security,
    /// The name to sign in with; none for a server that asks for none.
    #[serde(default)]
    pub username: Option<String>,
    /// The password that goes with it.
    #[schemars(with = "Option<String>", extend("writeOnly" = true))]
    #[serde(default)]
    pub password: Option<SecretString>,
    /// The sender, `bookings@example.com` or `Salon Aurora <bookings@example.com>`. Without a name, the business's.
    pub from: String,
    /// Where answers go; default: to the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
}

/// How the connection to the server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Security {
    /// Not at all: for a relay on the same machine or network.
    None,
    /// By STARTTLS; a server that does not offer it gets nothing.
    #[default]
    #[serde(rename = "STARTTLS")]
    StartTls,
    /// By TLS from the first byte.
    Tls,
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
        let host = self.host.trim();
        let plain = |c: char| c.is_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
            return Err(SettingsError::field(
                "host",
                "must be the name or address of a server, such as smtp.example.com",
            ));
        }
        let port = match (self.port, self.security) {
            (Some(0), _) => return Err(SettingsError::field("port", "must be from 1 to 65535")),
            (Some(port), _) => port,
            (None, Security::None) => 25,
            (None, Security::StartTls) => 587,
            (None, Security::Tls) => 465,
        };
        Ok(Account {
            host: host.to_owned(),
            port,
            security: self.security,
            login: self.login()?,
            sender: Sender {
                from: mailbox("from", &self.from)?,
                reply_to: self
                    .reply_to
                    .as_deref()
                    .map(|text| mailbox("replyTo", text))
                    .transpose()?,
            },
        })
    }

    fn login(&self) -> Result<Option<Login>, SettingsError> {
        let username = self.username.as_deref().filter(|name| !name.is_empty());
        let password = self
            .password
            .as_ref()
            .filter(|password| !password.expose_secret().is_empty());
        match (username, password) {
            (None, None) => Ok(None),
            (Some(username), Some(password)) => Ok(Some(Login {
                username: username.to_owned(),
                password: password.clone(),
            })),
            (Some(_), None) => Err(SettingsError::field(
                "password",
                "is required where there is a username",
            )),
            (None, Some(_)) => Err(SettingsError::field(
                "username",
                "is required where there is a password",
            )),
        }
    }
}

/// Settings that were checked.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<Login>,
    pub sender: Sender,
}

/// Who signs in.
#[derive(Clone)]
pub(crate) struct Login {
    pub username: String,
    pub password: SecretString,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Who the mail is from.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
}

impl Sender {
    /// The sender of mail that goes to files: no server was set up, so nobody can answer.
    pub fn of_files() -> Self {
        Self {
            from: Mailbox::new(None, Address::new_dangerous("bookings", "localhost")),
            reply_to: None,
        }
    }
}

fn mailbox(field: &str, text: &str) -> Result<Mailbox, SettingsError> {
    let expected =
        "must be an address such as bookings@example.com or Salon Aurora <bookings@example.com>";
    if text.chars().any(char::is_control) {
        return Err(SettingsError::field(field, expected));
    }
    text.trim()
        .parse()
        .map_err(|_| SettingsError::field(field, expected))
}

#[cfg(test)]
mod tests {
    use plugin_api::contract;
    use serde_json::json;

    use super::*;

    fn right() -> Value {
        json!({
            "host": "smtp.example.com", "port": 2525, "security": "STARTTLS", "username": "u", "password": "hunter2",
            "from": "Salon Aurora <bookings@example.com>", "replyTo": "desk@example.com"
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
            (with("host", json!("")), vec!["host"]),
            (with("host", json!("smtp example com")), vec!["host"]),
            (with("host", json!(7)), vec!["host"]),
            (with("port", json!(0)), vec!["port"]),
            (with("port", json!(65_536)), vec!["port"]),
            (with("port", json!("25")), vec!["port"]),
            (with("security", json!("SSL")), vec!["security"]),
            (with("username", json!(null)), vec!["username"]),
            (with("password", json!("")), vec!["password"]),
            (with("password", json!(5)), vec!["password"]),
            (with("from", json!("Salon Aurora")), vec!["from"]),
            (
                with("from", json!("a@b.example\nBcc: c@d.example")),
                vec!["from"],
            ),
            (with("replyTo", json!("nobody")), vec!["replyTo"]),
            (json!({ "host": "smtp.example.com" }), vec!["from"]),
        ];
        contract::settings(Settings::from_json, right(), wrong);
    }

    #[test]
    fn ports_follow_from_the_security() {
        for (security, port) in [("NONE", 25), ("STARTTLS", 587), ("TLS", 465)] {
            let mut json = with("security", json!(security));
            json["port"] = Value::Null;
            assert_eq!(
                Settings::from_json(json).unwrap().account().unwrap().port,
                port
            );
        }
    }

    #[test]
    fn a_password_shows_nowhere() {
        let settings = Settings::from_json(right()).unwrap();
        let shown = format!("{settings:?} {:?}", settings.account().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        let error = Settings::from_json(with("password", json!(["hunter2"]))).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
