//! Where mail goes, as flags say it: one address of a server, or its parts.
//!
//! Guaranteed: neither an error nor a debug print holds the password or the address that may hold it.

use std::fmt;

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use email_smtp::{Security, Settings};
use reqwest::Url;
use secrecy::SecretString;

/// Where mail goes.
#[derive(Clone, Default, Args)]
pub struct MailArgs {
    /// The SMTP server in one address, `smtps://user:password@host:465` (TLS) or `smtp://host` (STARTTLS); none: mail goes to files
    #[arg(
        long,
        env = "BOOKABLE_SMTP_URL",
        value_name = "URL",
        hide_env_values = true,
        conflicts_with = "smtp_host"
    )]
    pub smtp_url: Option<String>,
    /// The name or address of the SMTP server
    #[arg(long, env = "BOOKABLE_SMTP_HOST", value_name = "HOST")]
    pub smtp_host: Option<String>,
    /// Its port; 465 for tls, 587 for starttls, 25 for none, unless set
    #[arg(long, env = "BOOKABLE_SMTP_PORT", value_name = "PORT")]
    pub smtp_port: Option<u16>,
    /// How the connection is protected; starttls, unless set
    #[arg(long, env = "BOOKABLE_SMTP_SECURITY", value_enum)]
    pub smtp_security: Option<SecurityArg>,
    /// The name to sign in with
    #[arg(long, env = "BOOKABLE_SMTP_USERNAME", value_name = "NAME")]
    pub smtp_username: Option<String>,
    /// The password to sign in with; better in the environment than on the command line
    #[arg(long, env = "BOOKABLE_SMTP_PASSWORD", hide_env_values = true)]
    pub smtp_password: Option<String>,
    /// The sender, bookings@example.com or "Salon <bookings@example.com>"
    #[arg(long, env = "BOOKABLE_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Where answers go; to the sender, unless set
    #[arg(long, env = "BOOKABLE_MAIL_REPLY_TO", value_name = "ADDRESS")]
    pub mail_reply_to: Option<String>,
}

/// How the connection to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SecurityArg {
    /// TLS from the first byte
    Tls,
    /// TLS before anything is sent
    Starttls,
    /// None: for a relay on the same machine or network
    None,
}

impl From<SecurityArg> for Security {
    fn from(security: SecurityArg) -> Self {
        match security {
            SecurityArg::Tls => Self::Tls,
            SecurityArg::Starttls => Self::StartTls,
            SecurityArg::None => Self::None,
        }
    }
}

impl fmt::Debug for MailArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailArgs")
            .field("smtp_host", &self.smtp_host)
            .finish_non_exhaustive()
    }
}

impl MailArgs {
    /// The settings of the server that takes the mail; none where no server is named. The plugin checks their values.
    pub fn settings(&self) -> anyhow::Result<Option<Settings>> {
        let from_url = given(self.smtp_url.as_ref()).map(of_url).transpose()?;
        let Some(mut settings) = from_url.or_else(|| given(self.smtp_host.as_ref()).map(of_host))
        else {
            return self.nothing_without_server();
        };
        settings.port = self.smtp_port.or(settings.port);
        settings.security = self.smtp_security.map_or(settings.security, Security::from);
        settings.username = given(self.smtp_username.as_ref())
            .map(str::to_owned)
            .or(settings.username);
        settings.password = given(self.smtp_password.as_ref())
            .map(SecretString::from)
            .or(settings.password);
        settings.reply_to = given(self.mail_reply_to.as_ref()).map(str::to_owned);
        let from = given(self.mail_from.as_ref()).ok_or_else(|| {
            anyhow!("--mail-from is required with an SMTP server: expected an address such as bookings@example.com")
        })?;
        from.clone_into(&mut settings.from);
        Ok(Some(settings))
    }

    /// A setting of a server that is not named would be forgotten in silence.
    fn nothing_without_server(&self) -> anyhow::Result<Option<Settings>> {
        let stray = [
            ("--smtp-port", self.smtp_port.is_some()),
            ("--smtp-security", self.smtp_security.is_some()),
            (
                "--smtp-username",
                given(self.smtp_username.as_ref()).is_some(),
            ),
            (
                "--smtp-password",
                given(self.smtp_password.as_ref()).is_some(),
            ),
            (
                "--mail-reply-to",
                given(self.mail_reply_to.as_ref()).is_some(),
            ),
            ("--mail-from", given(self.mail_from.as_ref()).is_some()),
        ];
        match stray.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                bail!("{flag} needs an SMTP server: expected --smtp-host or --smtp-url beside it")
            }
            None => Ok(None),
        }
    }
}

/// The flag behind a setting of the plugin, for its errors.
pub fn flag_of(setting: &str) -> String {
    match setting {
        "from" => "--mail-from".to_owned(),
        "replyTo" => "--mail-reply-to".to_owned(),
        other => format!("--smtp-{other}"),
    }
}

/// An empty variable of the environment is none.
fn given(value: Option<&String>) -> Option<&str> {
    value
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

fn of_host(host: &str) -> Settings {
    Settings {
        host: host.to_owned(),
        port: None,
        security: Security::StartTls,
        username: None,
        password: None,
        from: String::new(),
        reply_to: None,
    }
}

/// The parts of `smtps://user:password@host:465`. The error does not repeat the address: it may hold the password.
fn of_url(text: &str) -> anyhow::Result<Settings> {
    let expected = || {
        anyhow!(
            "--smtp-url: expected smtps://user:password@host:465, or smtp:// for STARTTLS, ?security=none for neither"
        )
    };
    let url: Url = text.parse().map_err(|_| expected())?;
    let asked = url
        .query_pairs()
        .find(|(name, _)| name == "security")
        .map(|(_, value)| value.to_ascii_lowercase());
    let security = match (url.scheme(), asked.as_deref()) {
        ("smtps", None | Some("tls")) => Security::Tls,
        ("smtp", None | Some("starttls")) => Security::StartTls,
        ("smtp", Some("none")) => Security::None,
        _ => return Err(expected()),
    };
    let bare_path = matches!(url.path(), "" | "/");
    let host = url
        .host_str()
        .filter(|host| !host.is_empty() && bare_path)
        .ok_or_else(expected)?;
    let username = decoded(url.username()).ok_or_else(expected)?;
    let password = url
        .password()
        .map(|text| decoded(text).ok_or_else(expected))
        .transpose()?;
    Ok(Settings {
        port: url.port(),
        security,
        username: Some(username).filter(|name| !name.is_empty()),
        password: password
            .filter(|text| !text.is_empty())
            .map(SecretString::from),
        ..of_host(host.trim_matches(['[', ']']))
    })
}

/// The text behind `%40` and its like.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn with_url(url: &str) -> MailArgs {
        MailArgs {
            smtp_url: Some(url.to_owned()),
            mail_from: Some("a@b.example".to_owned()),
            ..MailArgs::default()
        }
    }

    #[test]
    fn an_address_says_all_about_a_server() {
        let settings = with_url("smtps://me%40b.example:p%3Ass@mail.b.example:2465")
            .settings()
            .unwrap()
            .unwrap();
        assert_eq!(
            (settings.host.as_str(), settings.port, settings.security),
            ("mail.b.example", Some(2465), Security::Tls)
        );
        assert_eq!(settings.username.as_deref(), Some("me@b.example"));
        assert_eq!(settings.password.unwrap().expose_secret(), "p:ss");
        let security = |url: &str| with_url(url).settings().unwrap().unwrap().security;
        assert_eq!(security("smtp://mail.b.example"), Security::StartTls);
        assert_eq!(
            security("smtp://localhost:1025/?security=none"),
            Security::None
        );
    }

    #[test]
    fn a_wrong_address_is_named_and_not_repeated() {
        for url in [
            "mail.b.example",
            "http://u:hunter2@h",
            "smtp://u:hunter2@h/path",
            "smtps://u:hunter2@h?security=none",
        ] {
            let text = format!("{:#}", with_url(url).settings().unwrap_err());
            assert!(
                text.contains("--smtp-url") && !text.contains("hunter2"),
                "{text}"
            );
        }
        assert!(!format!("{:?}", with_url("smtp://u:hunter2@h")).contains("hunter2"));
    }

    #[test]
    fn parts_belong_together() {
        assert!(MailArgs::default().settings().unwrap().is_none());
        let empty = MailArgs {
            smtp_host: Some(String::new()),
            mail_from: Some(" ".to_owned()),
            ..MailArgs::default()
        };
        assert!(empty.settings().unwrap().is_none());
        let refusal = |args: MailArgs| args.settings().unwrap_err().to_string();
        let no_server = MailArgs {
            mail_from: Some("a@b.example".to_owned()),
            ..MailArgs::default()
        };
        assert!(refusal(no_server).contains("--mail-from needs an SMTP server"));
        let no_sender = MailArgs {
            smtp_host: Some("h".to_owned()),
            ..MailArgs::default()
        };
        assert!(refusal(no_sender).contains("--mail-from is required"));
    }
}
