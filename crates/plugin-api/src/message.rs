//! Messages: a channel that carries what somebody else has put into words. Whether, when and to whom something is said is not its matter.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::event::Event;
use domain::id::{BookingId, BusinessId, NotificationId};
pub use domain::notification::{Channel, Recipient};
use serde::{Deserialize, Serialize};

use crate::delivery::Failure;
use crate::settings::PluginSettings;

/// Carries messages.
#[async_trait]
pub trait MessageChannel: Send + Sync {
    /// By which way.
    fn channel(&self) -> Channel;

    /// An address in the one form in which it is written to and compared: `+442071838750`. `region` is the ISO 3166 code of the country
    /// that a number without one is of, where it is known.
    ///
    /// # Errors
    /// [`NoAddress`]: nothing can ever reach it.
    fn address(&self, given: &str, region: Option<&str>) -> Result<String, NoAddress>;

    /// Sends a message. Repeated with the same [`Message::id`] it is sent once: where the other side takes an idempotency key that is it;
    /// where it takes none, one that may have been sent ([`Message::may_have_been_sent`]) is looked for first.
    ///
    /// # Errors
    /// [`Failure`]; [`Failure::GiveUp`] where this channel will never carry it to this address, so that another may be tried, and
    /// [`Failure::NotYet`] where nothing was sent at this attempt for certain: it does not count as one.
    async fn send(&self, settings: &PluginSettings, message: &Message) -> Result<Sent, Failure>;
}

/// A message to one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id, the same at every attempt.
    pub id: NotificationId,
    /// The business that sends it.
    pub business_id: BusinessId,
    /// Which attempt of its delivery this is: 1 for the first, and again for the first after staff sent it on its way again, or after a
    /// process was stopped that had it in hand. Whether the other side may have it already is told by `may_have_been_sent` alone.
    pub attempt: u32,
    /// Whether it was handed over before, however that ended: the other side may have it.
    pub may_have_been_sent: bool,
    /// When the first attempt may have been made: what the other side has got of it is not older.
    pub since: DateTime<Utc>,
    /// What the other side calls the messages to the same address that are known to be others: none of them is an earlier attempt at this one.
    /// Only where it may have been sent.
    pub others: Vec<String>,
    /// To which address, as [`MessageChannel::address`] writes it.
    pub to: String,
    /// The name of whom it is for.
    pub to_name: String,
    /// What it is about, in one line; none on channels without one.
    pub subject: Option<String>,
    /// What it says: plain text.
    pub text: String,
    /// Its language, a BCP 47 tag.
    pub language: String,
    /// What happened, with the facts as they were then: a mail has an invitation made of it.
    pub event: Event,
    /// The address of ours at which the other side says how the message fares; none where the outside does not reach this server.
    pub callback_url: Option<String>,
    /// What a mail needs besides; other channels pass it over.
    pub letter: Letter,
}

/// What a message is made of where it is a mail.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Letter {
    /// The same as the text, with its form; none: the text is all there is.
    pub html: Option<String>,
    /// For the recipient's calendar; none: there is nothing to enter or to take out.
    pub invitation: Option<Invitation>,
    /// Who is written to: mails of one booking to one of them are a conversation.
    pub recipient: Recipient,
    /// Who writes, where it is about no booking, whose facts would say so.
    pub from_name: String,
    /// What it is about, in one kebab-case word: `confirmed`.
    pub about: String,
    /// Its date; none: when that happened which it tells of.
    pub date: Option<DateTime<Utc>>,
}

/// A booking for a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Whether it is taken out rather than entered.
    pub is_cancelled: bool,
    /// When it begins, as it stands in the recipient's calendar.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Its title, one line.
    pub summary: String,
    /// Where, one line.
    pub place: String,
    /// What there is to know, lines ended by `\n`.
    pub description: String,
}

/// What ends the UIDs of invitations.
const UID_END: &str = "@bookable";

impl Invitation {
    /// The UID (RFC 5545) of every invitation to a booking, whoever is invited, for the life of the booking.
    pub fn uid(booking: BookingId) -> String {
        format!("{booking}{UID_END}")
    }

    /// The booking that an event of this UID is the invitation to; none where it is no invitation of ours.
    pub fn booking_of(uid: &str) -> Option<BookingId> {
        uid.strip_suffix(UID_END)?.parse().ok()
    }
}

/// A message that the other side has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The other side's name for it, where it has one.
    pub external_id: Option<String>,
    /// How it fares, as far as is known.
    pub status: MessageStatus,
}

/// How a message fares. It only moves forward: sent, then delivered or failed, and there it stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum MessageStatus {
    /// The other side has it; also what the plugin does not know.
    Sent,
    /// It is known to have arrived.
    Delivered,
    /// It is known never to arrive.
    Failed {
        /// Why, for staff.
        reason: String,
    },
}

/// What somebody wishes who answers a message by a word that has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// No more messages: STOP.
    Stop,
    /// Messages again: START.
    Start,
    /// To know who writes: HELP. The plugin's reply says it.
    Help,
}

/// Nothing can ever reach this address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoAddress {
    /// Why, for staff, without the address.
    pub reason: String,
}

impl NoAddress {
    /// Nothing can reach it, for this reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}
