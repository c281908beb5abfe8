//! The address of a database, and what it says about TLS in libpq's words: `sslmode` and `sslrootcert`.
//!
//! tokio-postgres reads all of an address but `verify-ca`, `verify-full` and the file of roots, so these are taken out before.
//! No error shows the address: it may hold a password.

use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::{Result, StoreError};

/// A database and how far its server has to prove itself.
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) tls: TlsOptions,
}

/// What is asked of the server's certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TlsOptions {
    pub(crate) proof: Proof,
    pub(crate) roots: Roots,
}

/// How far the server proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Not at all: nobody can listen who only listens.
    None,
    /// Its certificate comes from one of the roots.
    Chain,
    /// That, and it is for the host that was asked for.
    ChainAndHost,
}

/// Which certificates are trusted to sign.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those of the operating system.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

impl FromStr for Address {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self> {
        let parts = match after_scheme(text) {
            Some(rest) => of_url(text, rest)?,
            None => of_words(text)?,
        };
        let mut config: Config = parts.rest.parse().map_err(|_| {
            wrong("expected postgres://user:password@host/database, with options that this program knows")
        })?;
        let (mode, tls) = tls_options(parts.mode.as_deref(), parts.roots)?;
        config.ssl_mode(mode);
        let is_local = !config.get_hosts().is_empty()
            && config
                .get_hosts()
                .iter()
                .all(|host| matches!(host, Host::Unix(_)));
        if is_local {
            // As libpq does: nobody listens on a Unix socket, and the server speaks no TLS there.
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self { config, tls })
    }
}

fn tls_options(mode: Option<&str>, roots: Option<String>) -> Result<(SslMode, TlsOptions)> {
    let roots = roots.filter(|roots| !roots.is_empty());
    let is_system = roots.as_deref() == Some("system");
    let has_file = roots.is_some() && !is_system;
    let (mode, proof) = match mode {
        // libpq's rules: whoever trusts every public authority must look at the name too.
        None if is_system => (SslMode::Require, Proof::ChainAndHost),
        Some("disable" | "prefer" | "require" | "verify-ca") if is_system => {
            return Err(wrong("sslrootcert=system needs sslmode=verify-full"));
        }
        Some("disable") => (SslMode::Disable, Proof::None),
        None | Some("prefer") => (SslMode::Prefer, Proof::None),
        // libpq again: a file of roots is there to be used.
        Some("require") if has_file => (SslMode::Require, Proof::Chain),
        Some("require") => (SslMode::Require, Proof::None),
        Some("verify-ca") => (SslMode::Require, Proof::Chain),
        Some("verify-full") => (SslMode::Require, Proof::ChainAndHost),
        Some(_) => {
            return Err(wrong(
                "sslmode: expected disable, prefer, require, verify-ca or verify-full",
            ));
        }
    };
    let roots = match roots {
        Some(file) if has_file => Roots::File(PathBuf::from(file)),
        _ => Roots::System,
    };
    Ok((mode, TlsOptions { proof, roots }))
}

/// An address without what this module reads itself.
#[derive(Default)]
struct Parts {
    rest: String,
    mode: Option<String>,
    roots: Option<String>,
}

impl Parts {
    /// Whether the option is one of ours; then it is taken.
    fn take(&mut self, name: &str, value: &str) -> bool {
        match name {
            "sslmode" => self.mode = Some(value.to_owned()),
            "sslrootcert" => self.roots = Some(value.to_owned()),
            _ => return false,
        }
        true
    }
}

fn after_scheme(text: &str) -> Option<&str> {
    ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
}

/// `postgres://user:password@host/database?name=value&name=value`
fn of_url(text: &str, rest: &str) -> Result<Parts> {
    // A password may hold a question mark.
    let after_user = rest.split_once('@').map_or(rest, |(_, after)| after);
    let Some((_, options)) = after_user.split_once('?') else {
        return Ok(Parts {
            rest: text.to_owned(),
            ..Parts::default()
        });
    };
    let mut parts = Parts {
        rest: text.strip_suffix(options).unwrap_or(text).to_owned(),
        ..Parts::default()
    };
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| wrong("an option in it is not UTF-8"))?;
        if !parts.take(name, &value) {
            parts.rest.push_str(option);
            parts.rest.push('&');
        }
    }
    let whole = parts.rest.trim_end_matches(['&', '?']).len();
    parts.rest.truncate(whole);
    Ok(parts)
}

/// `name=value name='a value with spaces'`
fn of_words(text: &str) -> Result<Parts> {
    let mut parts = Parts::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| wrong("expected postgres://user:password@host/database"))?;
        let begin = after.trim_start();
        let (value, after) = word(begin)?;
        if !parts.take(name.trim(), &value) {
            let quoted = value.replace('\\', r"\\").replace('\'', r"\'");
            parts
                .rest
                .extend([name.trim(), "='", quoted.as_str(), "' "]);
        }
        rest = after.trim_start();
    }
    Ok(parts)
}

/// A value, bare or in quotes, and what follows. A backslash takes the next character as it is.
fn word(text: &str) -> Result<(String, &str)> {
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if quoted => return Ok((value, letters.as_str())),
            '\\' => value.extend(letters.next()),
            letter if !quoted && letter.is_whitespace() => return Ok((value, letters.as_str())),
            letter => value.push(letter),
        }
    }
    if quoted {
        return Err(wrong("a quotation mark in it is not closed"));
    }
    Ok((value, ""))
}

fn wrong(text: &str) -> StoreError {
    StoreError::Address(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Address {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn modes_mean_what_libpq_means() {
        let file = |proof| TlsOptions {
            proof,
            roots: Roots::File(PathBuf::from("/etc/my roots.pem")),
        };
        let system = |proof| TlsOptions {
            proof,
            roots: Roots::System,
        };
        let table = [
            ("", SslMode::Prefer, system(Proof::None)),
            ("?sslmode=disable", SslMode::Disable, system(Proof::None)),
            ("?sslmode=prefer", SslMode::Prefer, system(Proof::None)),
            ("?sslmode=require", SslMode::Require, system(Proof::None)),
            ("?sslmode=verify-ca", SslMode::Require, system(Proof::Chain)),
            (
                "?sslrootcert=system",
                SslMode::Require,
                system(Proof::ChainAndHost),
            ),
            (
                "?sslrootcert=%2Fetc%2Fmy%20roots.pem&sslmode=require",
                SslMode::Require,
                file(Proof::Chain),
            ),
            (
                "?connect_timeout=3&sslmode=verify-full&application_name=x&sslrootcert=/etc/my%20roots.pem",
                SslMode::Require,
                file(Proof::ChainAndHost),
            ),
        ];
        for (options, mode, tls) in table {
            let address = parsed(&format!(
                "postgres://eve:p?a%2F@db.example:6000/shop{options}"
            ));
            assert_eq!(address.config.get_ssl_mode(), mode, "{options}");
            assert_eq!(address.tls, tls, "{options}");
            assert_eq!(address.config.get_password(), Some(&b"p?a/"[..]));
            assert_eq!(address.config.get_dbname(), Some("shop"));
        }
    }

    #[test]
    fn words_are_read_as_well() {
        let address = parsed(
            r"host = db.example password='it\'s \\ mine' sslmode=verify-full  sslrootcert='/a b/c.pem' dbname=shop",
        );
        assert_eq!(address.config.get_password(), Some(&br"it's \ mine"[..]));
        assert_eq!(address.config.get_dbname(), Some("shop"));
        assert_eq!(
            address.tls,
            TlsOptions {
                proof: Proof::ChainAndHost,
                roots: Roots::File(PathBuf::from("/a b/c.pem"))
            }
        );
    }

    #[test]
    fn a_unix_socket_needs_no_tls() {
        let address = parsed("host=/run/postgresql sslmode=verify-full");
        assert_eq!(address.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_address() {
        for text in [
            "postgres://eve:secret@h/d?sslmode=allow",
            "postgres://eve:secret@h/d?sslmode=require&sslrootcert=system",
            "postgres://eve:secret@h/d?nonsense=secret",
            "password='secret",
            "secret",
        ] {
            let error = text.parse::<Address>().map(|_| ()).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
