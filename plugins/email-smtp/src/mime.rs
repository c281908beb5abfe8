//! A mail as bytes: text and HTML, and where it has an invitation that beside them, as calendar programs look for it, and once more as an
//! attachment for those that do not. Nothing in it depends on the clock or on chance.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, ContentTypeErr, HeaderName, HeaderValue,
};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::ics::Method;

/// A mail's texts.
#[derive(Debug, Clone)]
pub struct Texts {
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
}

/// A mail, ready to be written down.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: Mailbox,
    pub to: Mailbox,
    pub reply_to: Option<Mailbox>,
    pub texts: Texts,
    /// What it asks the calendar program to do, and the invitation, an iCalendar object; none: it has none.
    pub invitation: Option<(Method, String)>,
    /// Its date: when that happened which it tells of.
    pub at: DateTime<Utc>,
    /// With its angle brackets.
    pub message_id: String,
    /// The id that all mails of one booking to one recipient refer to, with its angle brackets.
    pub thread_id: String,
    /// Whether this is the first of them.
    pub begins_thread: bool,
    /// Unique to the mail; ASCII letters, digits and underscores.
    pub boundary: String,
    /// The name under which it is written to a file.
    pub file_name: String,
}

/// Why a mail cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum MimeError {
    /// An address or header is missing.
    #[error("{0}")]
    Message(#[from] lettre::error::Error),
    /// A content type is malformed.
    #[error("{0}")]
    ContentType(#[from] ContentTypeErr),
    /// The date has no form in a mail.
    #[error("{0} is not a date that a mail can bear")]
    Date(DateTime<Utc>),
}

impl Mail {
    /// The mail as a message with its envelope.
    pub fn to_message(&self) -> Result<Message, MimeError> {
        if !(0..253_402_300_800).contains(&self.at.timestamp()) {
            return Err(MimeError::Date(self.at));
        }
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(&self.texts.subject)
            .date(SystemTime::from(self.at))
            .message_id(Some(self.message_id.clone()))
            .references(self.thread_id.clone())
            // Answering machines stay quiet (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if !self.begins_thread {
            builder = builder.in_reply_to(self.thread_id.clone());
        }
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let Some((_, ics)) = &self.invitation else {
            return Ok(builder.multipart(self.alternatives()?)?);
        };
        let attachment = Attachment::new("invite.ics".to_owned()).body(
            ics.clone().into_bytes(),
            ContentType::parse("application/ics; name=\"invite.ics\"")?,
        );
        let mixed = MultiPart::mixed().boundary(format!("=_mixed_{}", self.boundary));
        Ok(builder.multipart(mixed.multipart(self.alternatives()?).singlepart(attachment))?)
    }

    /// The same in three forms, the richest last (RFC 2046, 5.1.4). Quoted-printable and Base64 never contain `=_`, so no
    /// text can contain a boundary; Base64 also keeps the invitation's line ends as they are.
    fn alternatives(&self) -> Result<MultiPart, MimeError> {
        let part = |content_type, text: &str| {
            SinglePart::builder()
                .header(content_type)
                .header(ContentTransferEncoding::QuotedPrintable)
                .body(text.to_owned())
        };
        let alternative =
            MultiPart::alternative().boundary(format!("=_alternative_{}", self.boundary));
        let mut alternative =
            alternative.singlepart(part(ContentType::TEXT_PLAIN, &self.texts.text));
        if let Some(html) = &self.texts.html {
            alternative = alternative.singlepart(part(ContentType::TEXT_HTML, html));
        }
        if let Some((method, ics)) = &self.invitation {
            let calendar = format!("text/calendar; method={}; charset=utf-8", method.name());
            let invitation = SinglePart::builder()
                .header(ContentType::parse(&calendar)?)
                .header(ContentTransferEncoding::Base64)
                .body(ics.clone().into_bytes());
            alternative = alternative.singlepart(invitation);
        }
        Ok(alternative)
    }
}
