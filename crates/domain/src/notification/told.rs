//! What was or will be said, and how it fares: which only moves forward.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::who::{Channel, Recipient};
use crate::id::{BookingId, DeliveryId, NotificationId, NotificationRuleId};

/// How a notification fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationStatus {
    /// It will be sent.
    Planned,
    /// The other side has it.
    Sent,
    /// It is known to have arrived.
    Delivered,
    /// It is known never to arrive.
    Failed,
    /// It is not sent, and `error` says why.
    Suppressed,
}

impl NotificationStatus {
    /// Every status there is.
    pub const ALL: [Self; 5] = [
        Self::Planned,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Suppressed,
    ];

    /// The name under which it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// What it is after this was heard of it: further on, or as it was. What was sent after all was sent, also where it was
    /// not to be any more; where arrived and lost are both heard, the first stays.
    pub fn hearing(self, heard: Self) -> Self {
        match (self, heard) {
            (Self::Planned, heard) => heard,
            (Self::Suppressed, Self::Sent | Self::Delivered | Self::Failed)
            | (Self::Sent, Self::Delivered | Self::Failed) => heard,
            (stays, _) => stays,
        }
    }

    /// The statuses from which this one is reached by hearing it.
    pub fn reached_from(self) -> Vec<Self> {
        let moves = |from: &Self| *from != self && from.hearing(self) == self;
        Self::ALL.into_iter().filter(moves).collect()
    }
}

/// A message to one recipient by one channel, as it is planned and as it fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// About which booking.
    pub booking_id: BookingId,
    /// By which rule.
    pub rule_id: NotificationRuleId,
    /// What it is said of, once: the event; of a reminder the booking.
    pub occasion_id: uuid::Uuid,
    /// The version of the booking when it was planned.
    pub booking_version: i64,
    /// To whom.
    pub recipient: Recipient,
    /// By which channel.
    pub channel: Channel,
    /// By the channel of which plugin.
    pub plugin: String,
    /// To which address; empty where there is none.
    pub to: String,
    /// When.
    pub due_at: DateTime<Utc>,
    /// How it fares.
    pub status: NotificationStatus,
    /// What it said, once it was tried.
    pub subject: Option<String>,
    /// What it said, once it was tried.
    pub body: Option<String>,
    /// Why it failed or is not sent, or what went wrong last.
    pub error: Option<String>,
    /// The other side's name for it.
    pub external_id: Option<String>,
    /// The delivery that carries it; none where nothing does.
    pub delivery_id: Option<DeliveryId>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When the first attempt was made.
    pub tried_at: Option<DateTime<Utc>>,
}

impl Notification {
    /// Whether it reminds of the booking rather than telling of an event.
    pub fn is_reminder(&self) -> bool {
        use crate::id::Id;
        self.occasion_id == self.booking_id.uuid()
    }

    /// Whether its time has come: it is on its way, or tried again until it is.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.due_at <= now
    }
}
