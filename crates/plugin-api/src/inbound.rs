//! What the other side calls us with: verified, stored once, then worked on.
//!
//! A call is answered as soon as it is stored, under the name that the other side gives it, so that a repeat is one; one from which nothing follows
//! is answered and not kept. What it says is a hint, not the truth: the work that follows asks the other side how things stand. So it does not matter how often calls come, in
//! which order, how late, or in which version of their format.

use chrono::{DateTime, Utc};
use domain::id::{NotificationId, PaymentId};

use crate::message::{Channel, MessageStatus, Wish};
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
    /// The name of the business that was called, for people to read. The engine fills it in.
    pub business_name: String,
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
    /// What the other side wants to read in the answer; none: the status alone.
    pub reply: Option<InboundReply>,
}

impl Inbound {
    /// A call about this, under the other side's name for it; answered by the status alone.
    pub fn new(external_id: impl Into<String>, about: InboundAbout) -> Self {
        Self {
            external_id: external_id.into(),
            about,
            reply: None,
        }
    }
}

/// What is answered to a call that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundReply {
    /// Its media type: `text/xml`.
    pub content_type: &'static str,
    /// The text.
    pub body: String,
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
    /// A payment that the other side calls by the name of something that came of it: if that is not known here, ask which payment it is, and
    /// how that stands. For what is rare and matters: of what began elsewhere the other side is asked, too.
    PaymentBehind {
        /// The other side's name for what came of it.
        name: String,
    },
    /// A message that was sent: how it fares. It only moves forward, in whatever order this is heard.
    Message {
        /// Our own id of it, where the call bears it: known also where the answer to sending it was lost.
        id: Option<NotificationId>,
        /// The other side's name for it, as in [`crate::Sent::external_id`].
        external_id: String,
        /// How it fares.
        status: MessageStatus,
    },
    /// Somebody answered by a word that has a meaning: no more messages, messages again.
    Wish {
        /// By which channel, and so for which.
        channel: Channel,
        /// Whose address, as [`crate::MessageChannel::address`] writes it.
        address: String,
        /// What is wished.
        wish: Wish,
    },
    /// A calendar elsewhere changed: ask what. The engine looks whether the call bears the channel's secret.
    Calendar {
        /// Our name for the channel, as in [`crate::ChannelRequest::id`].
        channel_id: String,
        /// The SHA-256 digest of the secret that the call bears.
        secret_digest: [u8; 32],
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
