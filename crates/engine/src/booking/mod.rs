//! Bookings: made, moved, called off, run, and read. One file for each use case; [`seating`] is how they get their seats.

mod book;
mod facts;
mod opening;
mod progress;
mod read;
mod redeem;
mod reschedule;
pub(crate) mod seating;
mod zone_follow;
mod zone_shift;

use domain::actor::Right;
use domain::booking::{Booking, BookingStatus};
use domain::id::{Id, ProviderId};
use domain::problem::Problem;
use domain::session::Session;
use domain::text;
use serde::{Deserialize, Serialize};
use store::changes::{BookingUpdateRow, HistoryRow};
use uuid::Uuid;

pub use book::{Book, Booked};
pub(crate) use facts::Told;
pub use progress::Step;
pub use read::BookingPage;
pub(crate) use read::narrowed;
pub use reschedule::Reschedule;
pub use store::booking::{BookingChange, BookingFilter, Page, Position};
pub use zone_follow::ZoneShift;

use crate::{Caller, Error, Result};

/// A booking and the session it is in, as they were when they were written or read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BookingAndSession {
    /// The booking.
    pub booking: Booking,
    /// Its session.
    pub session: Session,
}

/// A line of history.
pub(crate) struct History<'a> {
    pub kind: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub reason: Option<&'a str>,
}

impl History<'_> {
    pub(crate) fn row(
        self,
        booking: &Booking,
        caller: &Caller,
        at: chrono::DateTime<chrono::Utc>,
    ) -> HistoryRow {
        HistoryRow {
            id: Uuid::now_v7(),
            booking_id: booking.id.uuid(),
            at,
            kind: self.kind,
            by: caller.actor.label(),
            was: self.from,
            becomes: self.to,
            reason: self.reason.map(str::to_owned),
        }
    }
}

/// The booking with a new status, one version on.
pub(crate) fn advanced(booking: &Booking, status: BookingStatus) -> Booking {
    Booking {
        status,
        version: booking.version + 1,
        ..booking.clone()
    }
}

pub(crate) fn update_row(booking: &Booking) -> BookingUpdateRow {
    BookingUpdateRow {
        id: booking.id.uuid(),
        status: booking.status.name(),
        session_id: booking.session_id.uuid(),
        version: booking.version,
    }
}

/// The reason for booking against the rules, from those who may.
fn override_reason(
    caller: &Caller,
    reason: Option<&str>,
    provider: Option<ProviderId>,
) -> Result<Option<String>> {
    let Some(reason) = reason else {
        return Ok(None);
    };
    if !caller.actor.may(Right::Override(provider)) {
        return Err(Error::forbidden(caller, "book against the rules"));
    }
    let reason = text::long(&["input", "overrideReason"], Some(reason))?;
    Ok(Some(reason.ok_or_else(|| {
        Problem::invalid(&["input", "overrideReason"], "must not be empty")
    })?))
}
