//! What Twilio calls, signed as its documentation says: the address that is called, then of every parameter, in alphabetical order, its name
//! and its value with nothing between them; HMAC-SHA1 of that, keyed by the auth token; base64.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::world::{ACCOUNT, AUTH_TOKEN, Message};

/// A call that Twilio makes: a form, and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Where.
    pub url: String,
    /// `X-Twilio-Signature`.
    pub signature: String,
    /// The form.
    pub body: Vec<u8>,
    /// What stands in the form.
    pub fields: BTreeMap<String, String>,
}

/// The signature of a call to this address with these fields.
pub fn sign(url: &str, fields: &BTreeMap<String, String>, token: &str) -> String {
    let mut signed = url.to_owned();
    for (name, value) in fields {
        signed.push_str(name);
        signed.push_str(value);
    }
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

impl Callback {
    /// A call to this address with these fields, of the one account.
    pub fn new(url: &str, fields: BTreeMap<String, String>) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&fields)
            .finish();
        Self {
            url: url.to_owned(),
            signature: sign(url, &fields, AUTH_TOKEN),
            body: body.into_bytes(),
            fields,
        }
    }

    /// How this message fares.
    pub(crate) fn of_status(message: &Message) -> Option<Self> {
        let mut fields = common(message);
        fields.insert("MessageStatus".to_owned(), message.status.clone());
        if let Some(code) = message.error_code {
            fields.insert("ErrorCode".to_owned(), code.to_string());
        }
        Some(Self::new(message.callback.as_deref()?, fields))
    }

    /// This message came in.
    pub(crate) fn of_incoming(message: &Message, url: &str, opt_out: Option<&str>) -> Self {
        let mut fields = common(message);
        for (name, value) in [
            ("Body", message.body.as_str()),
            ("SmsMessageSid", &message.sid),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
        ] {
            fields.insert(name.to_owned(), value.to_owned());
        }
        if let Some(kind) = opt_out {
            fields.insert("OptOutType".to_owned(), kind.to_owned());
        }
        Self::new(url, fields)
    }
}

fn common(message: &Message) -> BTreeMap<String, String> {
    let from = message.from.as_deref().unwrap_or_default();
    let pairs = [
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("MessageSid", &message.sid),
        ("SmsSid", &message.sid),
        ("SmsStatus", &message.status),
        ("From", from),
        ("To", &message.to),
    ];
    let mut fields: BTreeMap<String, String> = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(service) = &message.service {
        fields.insert("MessagingServiceSid".to_owned(), service.clone());
    }
    fields
}
