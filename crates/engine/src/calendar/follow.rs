//! What becomes of events of ours that somebody changed elsewhere.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::actor::Actor;
use domain::booking::Booking;
use domain::id::{BookingId, BusinessId, Id, ProviderId, SessionId};
use domain::problem::Problem;
use domain::session::Session;
use plugin_api::{CalendarError, Failure};
use store::Conn;
use store::calendar_link::LinkRow;
use store::calendar_source::SourceRow;

use super::access::away;
use super::judge::{Known, Pending, Verdict, judge};
use super::reading::{Reader, Reading, Seen};
use super::work::{Work, is_written_to};
use crate::booking::Reschedule;
use crate::{Caller, Error};

/// What is to be written of them.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// Bookings whose events are written again, at these versions.
    pub rewrites: Vec<(BookingId, i64)>,
    /// Bookings that could not follow, and why.
    pub conflicts: Vec<(BookingId, String)>,
    /// Something was written while it was read: all this has to be read again.
    pub is_overtaken: bool,
    /// Something may be written at this moment: all this has to be read again when that is over.
    pub is_unsettled: bool,
}

/// Bookings that events name, as they stand.
struct Named {
    by_id: HashMap<BookingId, Booking>,
    sessions: HashMap<SessionId, Session>,
}

/// What is known about them.
struct Bookings {
    named: Named,
    links: HashMap<BookingId, LinkRow>,
    /// Those with a delivery on its way, and whether somebody has taken it.
    pending: HashMap<BookingId, bool>,
    /// Those that another connection has written to the same calendar.
    shared: HashSet<BookingId>,
}

impl Named {
    async fn read(conn: &Conn, business: BusinessId, ids: &[BookingId]) -> store::Result<Self> {
        let bookings = store::booking::booking_list_by_id(conn, business, ids).await?;
        let sessions: Vec<SessionId> = bookings.iter().map(|booking| booking.session_id).collect();
        let sessions = store::session::session_list(conn, business, &sessions).await?;
        Ok(Self {
            by_id: bookings.into_iter().map(|row| (row.id, row)).collect(),
            sessions: sessions.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    fn of(&self, seen: &Seen) -> Option<(&Booking, &Session)> {
        let booking = self.by_id.get(&seen.booking)?;
        Some((booking, self.sessions.get(&booking.session_id)?))
    }
}

impl Reader<'_> {
    /// Takes the events of ours out of what was read, and the invitations to bookings of the calendar's owner: they make nobody busy. One that
    /// bears the name of a booking which is none of this business is an event like any other, and so is the invitation to what the owner booked
    /// with somebody else.
    pub(super) async fn ours(
        &self,
        source: &SourceRow,
        reading: &mut Reading,
    ) -> Result<Vec<Seen>, Failure> {
        let seen = std::mem::take(&mut reading.ours);
        let invitations = std::mem::take(&mut reading.invitations);
        if seen.is_empty() && invitations.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<BookingId> = seen
            .iter()
            .chain(&invitations)
            .map(|seen| seen.booking)
            .collect();
        let conn = self.conn().await?;
        let bookings = Named::read(&conn, self.business, &named).await;
        drop(conn);
        let bookings = bookings.map_err(|error| away(&error.into()))?;
        let now = self.engine.clock().now();
        let (own, strange): (Vec<Seen>, Vec<Seen>) = seen
            .into_iter()
            .partition(|seen| bookings.of(seen).is_some());
        let is_theirs = |session: &Session| session.provider_id.uuid() == source.provider_id;
        let (doubles, others): (Vec<Seen>, Vec<Seen>) = invitations.into_iter().partition(|seen| {
            bookings
                .of(seen)
                .is_some_and(|(_, session)| is_theirs(session))
        });
        for seen in strange.into_iter().chain(others) {
            reading.add_strange(source, seen, now);
        }
        // It was an event like any other before it was known for what it is.
        let known = own.iter().chain(&doubles);
        reading
            .free
            .extend(known.map(|seen| seen.external_id.clone()));
        Ok(own)
    }

    /// Has bookings follow their events, takes away those that have no place, and answers what is to be written. When their owner is busy must
    /// have been written before: it decides on whether they can.
    pub(super) async fn follow(
        &self,
        source: &SourceRow,
        before: &[LinkRow],
        ours: Vec<Seen>,
    ) -> Result<Consequences, CalendarError> {
        let mut consequences = Consequences::default();
        if ours.is_empty() {
            return Ok(consequences);
        }
        let named: Vec<BookingId> = ours.iter().map(|seen| seen.booking).collect();
        let bookings = self.bookings(source, &named).await?;
        let now = self.engine.clock().now();
        for seen in &ours {
            let Some((booking, session)) = bookings.named.of(seen) else {
                continue;
            };
            let mut links = before.iter();
            let before = links.find(|link| link.booking_id == booking.id.uuid());
            let is_theirs = session.provider_id.uuid() == source.provider_id;
            let write_to = self.connection.write_to.as_deref();
            let known = Known {
                booking,
                session,
                before,
                link: bookings.links.get(&booking.id),
                pending: match bookings.pending.get(&booking.id) {
                    None => Pending::No,
                    Some(false) => Pending::Waits,
                    Some(true) => Pending::IsTaken,
                },
                is_written_here: is_theirs && write_to == Some(source.calendar.as_str()),
                is_others: !is_theirs
                    && is_written_to(
                        &self.catalogue,
                        session,
                        &self.connection.plugin,
                        &source.calendar,
                    ),
                is_shared: bookings.shared.contains(&booking.id),
                policy: self.calendar.on_external_move(&self.access.settings),
                now,
            };
            let verdict = judge(seen, &known);
            self.act(verdict, source, (booking, session), &mut consequences)
                .await?;
        }
        Ok(consequences)
    }

    async fn bookings(&self, source: &SourceRow, ids: &[BookingId]) -> Result<Bookings, Failure> {
        let provider = ProviderId::from_uuid(self.connection.provider_id);
        let part = Work::Keep(provider).part();
        let of = (self.connection.plugin.as_str(), part.as_str());
        let (business, connection) = (self.business, self.connection.id);
        let conn = self.conn().await?;
        let here = (
            self.connection.plugin.as_str(),
            connection,
            source.calendar.as_str(),
        );
        let read = async {
            // A link of another connection goes in the transaction that has the event written again: the one is seen, or the other.
            let shared = store::calendar_link::link_others(&conn, business, here, ids).await?;
            // Deliveries are read before what they write: whatever is on its way is seen, or what it wrote is.
            let pending =
                store::calendar_delivery::calendar_delivery_pending(&conn, business, of, ids)
                    .await?;
            let links = store::calendar_link::link_list(&conn, business, connection).await?;
            Ok::<_, store::StoreError>(Bookings {
                named: Named::read(&conn, business, ids).await?,
                links: links
                    .into_iter()
                    .map(|row| (BookingId::from_uuid(row.booking_id), row))
                    .collect(),
                pending: pending.into_iter().collect(),
                shared: shared.into_iter().map(|(id, _)| id).collect(),
            })
        };
        read.await.map_err(|error| away(&error.into()))
    }

    async fn act(
        &self,
        verdict: Verdict,
        source: &SourceRow,
        (booking, session): (&Booking, &Session),
        consequences: &mut Consequences,
    ) -> Result<(), CalendarError> {
        let followed = match verdict {
            Verdict::Nothing => return Ok(()),
            Verdict::Overtaken => Err(Stays::Overtaken),
            Verdict::Unsettled => {
                consequences.is_unsettled = true;
                return Ok(());
            }
            Verdict::Rewrite => {
                consequences.rewrites.push((booking.id, booking.version));
                return Ok(());
            }
            Verdict::Lost => Err(Stays::Refused(
                "its event could not be found there".to_owned(),
            )),
            Verdict::Stray => return self.take_away(source, booking.id).await,
            Verdict::Move(starts_at) => self.reschedule(booking, session, starts_at).await?,
            Verdict::CallOff => self.call_off(booking, session).await?,
        };
        match followed {
            Ok(()) => {}
            Err(Stays::Overtaken) => consequences.is_overtaken = true,
            Err(Stays::Refused(reason)) => {
                consequences.rewrites.push((booking.id, booking.version));
                consequences.conflicts.push((booking.id, reason));
            }
        }
        Ok(())
    }

    async fn take_away(&self, source: &SourceRow, booking: BookingId) -> Result<(), CalendarError> {
        let calendar = &source.calendar;
        match self.calendar.delete(&self.access, calendar, booking).await {
            // Read only, for instance: it stays there, and what else is in the calendar counts.
            Err(CalendarError::Failed(
                Failure::GiveUp { reason } | Failure::Misconfigured { reason },
            )) => {
                tracing::warn!(%booking, reason, "an event could not be taken away");
                Ok(())
            }
            deleted => deleted,
        }
    }

    /// The caller as which bookings follow.
    fn caller(&self) -> Caller {
        Caller {
            business: self.business,
            actor: Actor::Calendar,
        }
    }

    fn reason(&self, what: &str, session: &Session) -> String {
        let provider = self.catalogue.provider(session.provider_id);
        let name = provider.map_or("the provider", |provider| provider.name.as_str());
        format!("{what} in the calendar of {name}")
    }

    async fn reschedule(
        &self,
        booking: &Booking,
        session: &Session,
        starts_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<Result<(), Stays>, Failure> {
        let now = self.engine.clock().now();
        if !booking.policy.allows_reschedule(session.starts_at, now) {
            return Ok(Err(Stays::Refused(
                "it is too late to move this booking".to_owned(),
            )));
        }
        let input = Reschedule {
            booking_id: booking.id,
            starts_at,
            provider_id: Some(session.provider_id),
            expected_version: Some(booking.version),
            reason: Some(self.reason("moved", session)),
            override_reason: None,
        };
        let moved = self.engine.reschedule(&self.caller(), input, None).await;
        stays(moved)
    }

    async fn call_off(
        &self,
        booking: &Booking,
        session: &Session,
    ) -> Result<Result<(), Stays>, Failure> {
        let now = self.engine.clock().now();
        if !booking.policy.allows_cancel(session.starts_at, now) {
            return Ok(Err(Stays::Refused(
                "it is too late to cancel this booking".to_owned(),
            )));
        }
        let reason = self.reason("deleted", session);
        let version = Some(booking.version);
        let called_off = self
            .engine
            .cancel(&self.caller(), booking.id, version, Some(&reason), None)
            .await;
        stays(called_off)
    }
}

/// Why a booking does not follow its event.
enum Stays {
    /// It has changed meanwhile.
    Overtaken,
    /// It cannot.
    Refused(String),
}

fn stays<T>(done: crate::Result<T>) -> Result<Result<(), Stays>, Failure> {
    match done {
        Ok(_) => Ok(Ok(())),
        Err(Error::Refused(problems)) => {
            let overtaken = |problem: &Problem| matches!(problem, Problem::VersionConflict { .. });
            Ok(Err(if problems.iter().any(overtaken) {
                Stays::Overtaken
            } else {
                let said: Vec<String> = problems.iter().map(in_words).collect();
                Stays::Refused(said.join("; "))
            }))
        }
        Err(Error::Unavailable(reason)) => Err(Failure::Retry {
            after: Some(Duration::from_secs(1)),
            reason,
        }),
        Err(error) => Err(away(&error)),
    }
}

/// A problem in a sentence for staff.
pub(super) fn in_words(problem: &Problem) -> String {
    match problem {
        Problem::Invalid { message, .. }
        | Problem::NotFound { message, .. }
        | Problem::Conflict { message }
        | Problem::PolicyViolation { message, .. }
        | Problem::PaymentFailed { message }
        | Problem::PluginRefused { message } => message.clone(),
        Problem::SlotUnavailable { .. } => "the time cannot be had".to_owned(),
        Problem::VersionConflict { .. } | Problem::IdempotencyConflict | Problem::HoldExpired => {
            "it has changed meanwhile".to_owned()
        }
    }
}
