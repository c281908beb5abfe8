//! Where requests do not go, and why.

use std::net::IpAddr;

use reqwest::Url;

use crate::address::is_public;

/// Why nobody is talked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address is not one of the web.
    #[error("expected an address that begins with https:// or http://")]
    Scheme,
    /// The address, or every address of the name, is not one of the public internet.
    #[error(
        "{host} is a private address: this server talks to those only when run with --allow-private-hosts"
    )]
    Private {
        /// The host that was given.
        host: String,
    },
    /// There is no such name, or nobody could be asked.
    #[error("no address of {host} could be found: {reason}")]
    Unknown {
        /// The host that was given.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The resolver did not answer.
    #[error("no address of {host} could be found in time")]
    Silent {
        /// The host that was given.
        host: String,
    },
}

/// Whether a request may go there, as far as the address alone says. Decimal, octal and hexadecimal notations are no disguise: a URL holds
/// what they mean.
pub(crate) fn vet(url: &Url, allow_private: bool) -> Result<(), Refused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme);
    }
    let host = url.host_str().ok_or(Refused::Scheme)?;
    match literal(host) {
        Some(address) if !allow_private && !is_public(address) => Err(Refused::Private {
            host: host.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The address, where the host is one itself, in brackets or not.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vetted(url: &str) -> Result<(), Refused> {
        vet(&url.parse().unwrap(), false)
    }

    #[test]
    fn literals_are_refused_in_every_notation() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "https://127.0.0.1.:8443/x",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::]:80/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
            "http://169.254.169.254/latest/meta-data",
            "https://user:password@10.0.0.1/",
            "http://１２７.0.0.1/",
            "http://[fd00::1]/",
            "http://1%32%37.0.0.1/",
        ] {
            let refused = vetted(url);
            assert!(
                matches!(refused, Err(Refused::Private { .. })),
                "{url}: {refused:?}"
            );
            assert_eq!(vet(&url.parse().unwrap(), true), Ok(()), "{url}");
        }
    }

    #[test]
    fn only_the_web_is_talked_to() {
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "data:,x",
            "unix:/run/docker.sock",
            "javascript:1",
        ] {
            assert_eq!(vetted(url), Err(Refused::Scheme), "{url}");
            assert_eq!(
                vet(&url.parse().unwrap(), true),
                Err(Refused::Scheme),
                "{url}"
            );
        }
        for url in [
            "https://example.com/",
            "http://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
            "http://localhost.example.com:8080/",
        ] {
            assert_eq!(vetted(url), Ok(()), "{url}");
        }
    }
}
