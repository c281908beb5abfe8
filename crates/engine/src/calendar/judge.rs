//! What an event of ours elsewhere means, that is not as we wrote it last: nothing, that it is put back, that its booking follows, or that
//! it has no place there. Pure.

use chrono::{DateTime, Utc};
use domain::booking::Booking;
use domain::session::Session;
use plugin_api::{ExternalMove, ExternalState};
use store::calendar_link::LinkRow;

use super::reading::Seen;
use super::work::stands;

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as it should be, or about to be.
    Nothing,
    /// We wrote it while it was read: it has to be read again.
    Overtaken,
    /// It is written again.
    Rewrite,
    /// The booking goes to this start, if it can.
    Move(DateTime<Utc>),
    /// The booking is called off, if it can be.
    CallOff,
    /// It is taken away: it belongs to no booking that stands here.
    Stray,
}

/// What is known here of the booking that an event is of.
pub(super) struct Known<'a> {
    pub booking: &'a Booking,
    pub session: &'a Session,
    /// What we had written before the reading.
    pub before: Option<&'a LinkRow>,
    /// What we have written since.
    pub link: Option<&'a LinkRow>,
    /// Whether a delivery is on its way to write it.
    pub is_pending: bool,
    /// Whether its bookings are written to the calendar that was read.
    pub is_written_here: bool,
    /// Whether another provider, whose the booking is, writes to the same calendar.
    pub is_others: bool,
    pub policy: ExternalMove,
    pub now: DateTime<Utc>,
}

/// What an event of ours means.
pub(super) fn judge(seen: &Seen, known: &Known<'_>) -> Verdict {
    let revision = |link: Option<&LinkRow>| link.map(|link| link.revision);
    if known.is_pending {
        // What is about to be written counts: whatever was changed there is overwritten.
        return Verdict::Nothing;
    }
    if revision(known.before) != revision(known.link) {
        return Verdict::Overtaken;
    }
    let belongs = known.is_written_here && stands(known.booking.status);
    if belongs {
        displaced(seen, known)
    } else {
        let is_over =
            matches!(seen.state, ExternalState::Busy { ends_at, .. } if ends_at <= known.now);
        match seen.state {
            ExternalState::Gone => Verdict::Nothing,
            _ if known.is_others || is_over => Verdict::Nothing,
            _ => Verdict::Stray,
        }
    }
}

/// What it means for an event that belongs where it was read.
fn displaced(seen: &Seen, known: &Known<'_>) -> Verdict {
    let session = known.session;
    if session.ends_at <= known.now {
        return Verdict::Nothing;
    }
    let written = known.link.and_then(|link| link.etag.as_deref());
    let is_echo = seen.etag.is_some() && seen.etag.as_deref() == written;
    let follows =
        known.policy == ExternalMove::Follow && written.is_some() && session.starts_at > known.now;
    match seen.state {
        _ if is_echo => Verdict::Nothing,
        ExternalState::Busy { starts_at, ends_at }
            if (starts_at, ends_at) == (session.starts_at, session.ends_at) =>
        {
            Verdict::Nothing
        }
        ExternalState::Busy { starts_at, .. } if follows && starts_at != session.starts_at => {
            Verdict::Move(starts_at)
        }
        ExternalState::Gone if follows => Verdict::CallOff,
        _ => Verdict::Rewrite,
    }
}
