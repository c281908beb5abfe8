//! Holds: a slot kept for minutes, while a customer fills a form in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{HoldId, SessionId};

/// The shortest time a hold may be asked for, in seconds.
pub const TTL_SECONDS_MIN: i64 = 1;
/// The longest time a hold may be asked for, in seconds: an hour.
pub const TTL_SECONDS_MAX: i64 = 3600;

/// Where a hold is in its short life. Only an active hold takes seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// It keeps its seats until it expires.
    Active,
    /// A booking took its place.
    Redeemed,
    /// It was given back.
    Released,
    /// Its time ran out.
    Expired,
}

/// Seats of a session, kept until an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id, which is also the secret that redeems or releases it.
    pub id: HoldId,
    /// The session in which it keeps seats.
    pub session_id: SessionId,
    /// How many seats it keeps.
    pub party_size: u32,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Where it is in its life.
    pub status: HoldStatus,
}

impl Hold {
    /// Whether it keeps its seats at that instant.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.status == HoldStatus::Active && now < self.expires_at
    }
}
