//! What can go wrong outside, and what it means for a delivery.

use std::error::Error;
use std::time::Duration;

use plugin_api::Failure;
use reqwest::Url;

use crate::refused::Refused;

/// What keeps the way out from being made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TLS to the outside cannot be set up: {0}")]
pub struct StartError(pub(crate) String);

/// What went wrong, in words for staff. None holds a path or a query of an address, where secrets may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// Nobody was asked.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The request cannot be written down.
    #[error("the request cannot be made: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
    },
    /// No answer within the limit.
    #[error("{host} did not answer in time")]
    Silent {
        /// Who was asked.
        host: String,
    },
    /// No connection.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the answer of {host} cannot be read: {reason}")]
    Garbled {
        /// Who was asked.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The body of the answer is longer than anything that is expected.
    #[error("the answer of {host} has more than {max_bytes} bytes")]
    TooLong {
        /// Who was asked.
        host: String,
        /// What was allowed.
        max_bytes: usize,
    },
    /// The credentials are not taken: 401, 403.
    #[error("{host} answered {status}: it does not accept the credentials")]
    Denied {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
    },
    /// Too much was asked: 429, 503 and their like.
    #[error("{host} answered {status}: it asks to be tried again later")]
    Busy {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
        /// How long it asks to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// A redirect, which may lead anywhere.
    #[error(
        "{host} answered {status}, which points to another address: redirects are not followed"
    )]
    Elsewhere {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
    },
    /// A fault of the other side: 5xx.
    #[error("{host} answered {status}")]
    Faulty {
        /// Who was asked.
        host: String,
        /// The status.
        status: u16,
    },
}

/// What the settings are called that can be at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingNames {
    /// The one that says where: `apiBase`.
    pub address: &'static str,
    /// The one that says who: `secretKey`.
    pub credentials: &'static str,
}

impl SettingNames {
    /// One that says both: an address that is a secret.
    pub const fn one(name: &'static str) -> Self {
        Self {
            address: name,
            credentials: name,
        }
    }
}

impl OutboundError {
    /// What it means for a delivery: settings at fault are named, what may pass is tried again.
    pub fn failure(&self, settings: SettingNames) -> Failure {
        let SettingNames {
            address,
            credentials,
        } = settings;
        match self {
            Self::Refused(Refused::Scheme | Refused::Private { .. }) | Self::Elsewhere { .. } => {
                Failure::misconfigured(format!("{address}: {self}"))
            }
            Self::Denied { .. } => Failure::misconfigured(format!("{credentials}: {self}")),
            Self::Busy { after, .. } => Failure::Retry {
                after: *after,
                reason: self.to_string(),
            },
            Self::Request { .. } => Failure::give_up(self.to_string()),
            // A name that is not known may be a slip, and just as well a resolver that is away for a moment.
            Self::Refused(Refused::Unknown { .. } | Refused::Silent { .. }) => {
                Failure::retry(format!("{address}: {self}"))
            }
            Self::Silent { .. }
            | Self::Unreachable { .. }
            | Self::Garbled { .. }
            | Self::TooLong { .. }
            | Self::Faulty { .. } => Failure::retry(self.to_string()),
        }
    }

    /// What the client says of a request to this host.
    pub(crate) fn of(host: String, error: &reqwest::Error) -> Self {
        if let Some(refused) = refusal(error) {
            // The name behind it may be the stand-in of a literal address.
            return Self::Refused(match refused {
                Refused::Private { .. } => Refused::Private { host },
                other => other.clone(),
            });
        }
        let reason = root_cause(error);
        if error.is_timeout() {
            Self::Silent { host }
        } else if error.is_connect() {
            Self::Unreachable { host, reason }
        } else if error.is_builder() {
            Self::Request { reason }
        } else {
            Self::Garbled { host, reason }
        }
    }
}

fn refusal<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Refused> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        next = error.source();
    }
    None
}

/// The innermost words: those around it only repeat that something went wrong, and for what address.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

pub(crate) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
