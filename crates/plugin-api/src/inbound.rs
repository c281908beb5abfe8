//! What the other side calls us with: verified, stored once, then worked on.
//!
//! A call is answered as soon as it is stored, under the name that the other side gives it, so that a repeat is one. What it says is a
//! hint, not the truth: the work that follows asks the other side how things stand. So it does not matter how often calls come, in
//! which order, how late, or in which version of their format.

use chrono::{DateTime, Utc};
use domain::id::PaymentId;

use crate::settings::PluginSettings;

/// A call as it came in, before anything is believed of it.
#[derive(Debug, Clone)]
pub struct InboundRequest {
    /// The address that was called, as the outside sees it: behind a proxy the proxy's.
    pub url: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it came.
    pub at: DateTime<Utc>,
}

impl InboundRequest {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The other side's name for this call, the same when it is repeated: `evt_…`.
    pub external_id: String,
    /// What it is about.
    pub about: InboundAbout,
}

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundAbout {
    /// A payment: ask how it stands.
    Payment {
        /// The other side's name for it, as in [`crate::PaymentBegun::external_id`].
        external_id: String,
    },
    /// A payment that the other side calls by our own id of it: ask how it stands.
    OurPayment {
        /// As in [`crate::PaymentRequest::id`].
        id: PaymentId,
    },
    /// Nothing that matters here.
    Nothing,
}

/// A call that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InboundRefused {
    /// Its signature is missing or wrong, or it is too old.
    #[error("the signature is not right")]
    Signature,
    /// It is signed, and cannot be read.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// The settings lack the secret to verify it with.
    #[error("{0}")]
    Misconfigured(String),
}

/// Takes what the other side calls with.
pub trait InboundWebhook: Send + Sync {
    /// Checks the signature, on the bytes as they came and in constant time, before anything is parsed; then says what the call is about. No IO.
    ///
    /// # Errors
    /// [`InboundRefused`]; nothing is stored then.
    fn verify(
        &self,
        settings: &PluginSettings,
        request: &InboundRequest,
    ) -> Result<Inbound, InboundRefused>;
}
