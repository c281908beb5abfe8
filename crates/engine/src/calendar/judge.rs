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
    /// It may be written at this moment, or have been already: it has to be read again in a while.
    Unsettled,
    /// It is written again.
    Rewrite,
    /// It is written again, and staff are told: nobody has deleted it, and it is not where it was.
    Lost,
    /// The booking goes to this start, if it can.
    Move(DateTime<Utc>),
    /// The booking is called off, if it can be.
    CallOff,
    /// It is taken away: it belongs to no booking that stands here.
    Stray,
}

/// Whether a delivery is on its way to write an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// None.
    No,
    /// One, that nobody has taken: it writes when the reading is over.
    Waits,
    /// One that somebody has taken: it may have written already.
    IsTaken,
}

/// What is known here of the booking that an event is of.
pub(super) struct Known<'a> {
    pub booking: &'a Booking,
    pub session: &'a Session,
    /// What we had written before the reading.
    pub before: Option<&'a LinkRow>,
    /// What we have written since.
    pub link: Option<&'a LinkRow>,
    /// What is on its way to write it.
    pub pending: Pending,
    /// Whether its bookings are written to the calendar that was read.
    pub is_written_here: bool,
    /// Whether another provider, whose the booking is, writes to the same calendar.
    pub is_others: bool,
    /// Whether another connection has written it here too: what it takes away is no wish of the calendar's owner.
    pub is_shared: bool,
    pub policy: ExternalMove,
    pub now: DateTime<Utc>,
}

/// What an event of ours means.
pub(super) fn judge(seen: &Seen, known: &Known<'_>) -> Verdict {
    let revision = |link: Option<&LinkRow>| link.map(|link| link.revision);
    let belongs = known.is_written_here && stands(known.booking.status);
    if known.pending == Pending::IsTaken && belongs && displaced(seen, known) != Verdict::Nothing {
        // What was changed may have been so after it was written, and then nobody writes it again.
        return Verdict::Unsettled;
    }
    if known.pending != Pending::No && (belongs || known.link.is_some()) {
        // What is about to be written counts: whatever was changed there is overwritten. Without a link no delivery takes anything away.
        return Verdict::Nothing;
    }
    if revision(known.before) != revision(known.link) {
        return Verdict::Overtaken;
    }
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
    // A booking that has moved on since it was written there was not moved there: what is seen is where it was before.
    let is_up_to_date = known
        .link
        .is_some_and(|link| link.starts_at == session.starts_at);
    let follows = known.policy == ExternalMove::Follow
        && written.is_some()
        && is_up_to_date
        && session.starts_at > known.now;
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
        ExternalState::Gone if follows && !known.is_shared => match seen.etag {
            Some(_) => Verdict::CallOff,
            None => Verdict::Lost,
        },
        _ => Verdict::Rewrite,
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::BookingStatus;
    use domain::id::Id;
    use domain::money::{Currency, Money};
    use domain::policy::BookingPolicy;
    use uuid::Uuid;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + hour * 3600, 0).unwrap()
    }

    fn id<I: Id>(number: u128) -> I {
        I::from_uuid(Uuid::from_u128(number))
    }

    fn booking(status: BookingStatus) -> Booking {
        Booking {
            id: id(1),
            reference: "ABCD-EFGH".to_owned(),
            status,
            version: 1,
            session_id: id(2),
            customer_id: id(3),
            party_size: 1,
            price: Money {
                amount: 0,
                currency: Currency::new("GBP").unwrap(),
            },
            policy: BookingPolicy {
                minimum_notice_minutes: 0,
                maximum_advance_days: 60,
                cancellation_notice_minutes: 0,
                reschedule_notice_minutes: 0,
            },
            note: None,
            created_at: at(0),
            expires_at: None,
        }
    }

    /// From 10 to 11.
    fn session() -> Session {
        Session {
            id: id(2),
            service_id: id(4),
            provider_id: id(5),
            location_id: id(6),
            starts_at: at(10),
            ends_at: at(11),
            capacity: 1,
            seats_taken: 1,
            resource_ids: Vec::new(),
        }
    }

    fn link(etag: Option<&str>, revision: i64) -> LinkRow {
        LinkRow {
            booking_id: Uuid::from_u128(1),
            calendar: "main".to_owned(),
            etag: etag.map(str::to_owned),
            starts_at: at(10),
            ends_at: at(11),
            revision,
        }
    }

    fn seen(etag: &str, state: ExternalState) -> Seen {
        Seen {
            booking: id(1),
            external_id: "event".to_owned(),
            etag: Some(etag.to_owned()),
            state,
        }
    }

    fn busy(from: i64, to: i64) -> ExternalState {
        ExternalState::Busy {
            starts_at: at(from),
            ends_at: at(to),
        }
    }

    /// The verdict on an event, of a booking written as `e1`, under a policy; `change` makes it another case.
    fn verdict(
        policy: ExternalMove,
        seen: &Seen,
        status: BookingStatus,
        change: impl for<'a> Fn(&mut Known<'a>),
    ) -> Verdict {
        let (booking, session, link) = (booking(status), session(), link(Some("e1"), 2));
        let mut known = Known {
            booking: &booking,
            session: &session,
            before: Some(&link),
            link: Some(&link),
            pending: Pending::No,
            is_written_here: true,
            is_others: false,
            is_shared: false,
            policy,
            now: at(0),
        };
        change(&mut known);
        judge(seen, &known)
    }

    #[test]
    fn what_is_as_we_wrote_it_or_as_it_should_be_is_nothing() {
        use ExternalMove::{Follow, Restore};
        for policy in [Follow, Restore] {
            let confirmed = |seen: &Seen| verdict(policy, seen, BookingStatus::Confirmed, |_| {});
            assert_eq!(confirmed(&seen("e1", busy(12, 13))), Verdict::Nothing);
            assert_eq!(confirmed(&seen("e9", busy(10, 11))), Verdict::Nothing);
            assert_eq!(confirmed(&seen("e9", busy(10, 12))), Verdict::Rewrite);
            assert_eq!(
                confirmed(&seen("e9", ExternalState::Free)),
                Verdict::Rewrite
            );
        }
    }

    #[test]
    fn what_was_changed_is_put_back_or_followed() {
        let moved = seen("e9", busy(12, 13));
        let gone = seen("e9", ExternalState::Gone);
        let of = |policy, seen| verdict(policy, seen, BookingStatus::Confirmed, |_| {});
        assert_eq!(of(ExternalMove::Restore, &moved), Verdict::Rewrite);
        assert_eq!(of(ExternalMove::Restore, &gone), Verdict::Rewrite);
        assert_eq!(of(ExternalMove::Follow, &moved), Verdict::Move(at(12)));
        assert_eq!(of(ExternalMove::Follow, &gone), Verdict::CallOff);
    }

    #[test]
    fn what_is_only_missing_is_put_back() {
        let missing = Seen {
            etag: None,
            ..seen("", ExternalState::Gone)
        };
        let of = |policy| verdict(policy, &missing, BookingStatus::Confirmed, |_| {});
        assert_eq!(of(ExternalMove::Restore), Verdict::Rewrite);
        assert_eq!(of(ExternalMove::Follow), Verdict::Lost);
    }

    #[test]
    fn nothing_is_followed_that_may_be_our_own_doing() {
        let moved = seen("e9", busy(12, 13));
        let of = |change: &dyn for<'a> Fn(&mut Known<'a>)| {
            verdict(
                ExternalMove::Follow,
                &moved,
                BookingStatus::Confirmed,
                change,
            )
        };
        assert_eq!(
            of(&|known| known.pending = Pending::Waits),
            Verdict::Nothing
        );
        assert_eq!(of(&|known| known.before = None), Verdict::Overtaken);
        assert_eq!(
            of(&|known| (known.before, known.link) = (None, None)),
            Verdict::Rewrite
        );
        assert_eq!(
            of(&|known| known.now = at(10)),
            Verdict::Rewrite,
            "it has begun"
        );
        assert_eq!(
            of(&|known| known.now = at(11)),
            Verdict::Nothing,
            "it is over"
        );
    }

    #[test]
    fn what_stands_where_we_wrote_it_while_the_booking_went_on_is_written_anew() {
        let earlier: &'static LinkRow = Box::leak(Box::new(LinkRow {
            starts_at: at(8),
            ends_at: at(9),
            ..link(Some("e1"), 2)
        }));
        for state in [busy(8, 9), busy(12, 13), ExternalState::Gone] {
            let of = verdict(
                ExternalMove::Follow,
                &seen("e9", state),
                BookingStatus::Confirmed,
                |known| (known.before, known.link) = (Some(earlier), Some(earlier)),
            );
            assert_eq!(of, Verdict::Rewrite, "{state:?}");
        }
    }

    #[test]
    fn what_another_connection_may_take_away_is_put_back() {
        let of = |seen: &Seen| {
            verdict(
                ExternalMove::Follow,
                seen,
                BookingStatus::Confirmed,
                |known| known.is_shared = true,
            )
        };
        assert_eq!(of(&seen("e9", ExternalState::Gone)), Verdict::Rewrite);
        assert_eq!(of(&seen("e9", busy(12, 13))), Verdict::Move(at(12)));
    }

    #[test]
    fn what_may_have_been_changed_after_it_was_written_is_read_again() {
        for policy in [ExternalMove::Follow, ExternalMove::Restore] {
            let of = |seen: &Seen| {
                verdict(policy, seen, BookingStatus::Confirmed, |known| {
                    known.pending = Pending::IsTaken;
                })
            };
            let gone = seen("e9", ExternalState::Gone);
            assert_eq!(of(&gone), Verdict::Unsettled);
            assert_eq!(of(&seen("e9", busy(12, 13))), Verdict::Unsettled);
            assert_eq!(of(&seen("e9", busy(10, 11))), Verdict::Nothing);
            assert_eq!(of(&seen("e1", busy(10, 11))), Verdict::Nothing);
        }
    }

    #[test]
    fn what_belongs_to_no_booking_that_stands_here_goes() {
        let there = seen("e1", busy(10, 11));
        let of = |status, change: &dyn for<'a> Fn(&mut Known<'a>)| {
            verdict(ExternalMove::Follow, &there, status, change)
        };
        assert_eq!(of(BookingStatus::Cancelled, &|_| {}), Verdict::Stray);
        assert_eq!(of(BookingStatus::Pending, &|_| {}), Verdict::Stray);
        assert_eq!(
            of(BookingStatus::Confirmed, &|known| known.is_written_here =
                false),
            Verdict::Stray
        );
        let shared: &dyn for<'a> Fn(&mut Known<'a>) = &|known| {
            (known.is_written_here, known.is_others) = (false, true);
        };
        assert_eq!(of(BookingStatus::Confirmed, shared), Verdict::Nothing);
        assert_eq!(
            of(BookingStatus::Cancelled, &|known| known.now = at(11)),
            Verdict::Nothing
        );
        // A delivery takes away what has a link.
        let waits: &dyn for<'a> Fn(&mut Known<'a>) = &|known| known.pending = Pending::Waits;
        assert_eq!(of(BookingStatus::Cancelled, waits), Verdict::Nothing);
        let unlinked: &dyn for<'a> Fn(&mut Known<'a>) = &|known| {
            (known.pending, known.before, known.link) = (Pending::Waits, None, None);
        };
        assert_eq!(of(BookingStatus::Cancelled, unlinked), Verdict::Stray);
        let gone = seen("e9", ExternalState::Gone);
        let cancelled = verdict(
            ExternalMove::Follow,
            &gone,
            BookingStatus::Cancelled,
            |_| {},
        );
        assert_eq!(cancelled, Verdict::Nothing);
    }
}
