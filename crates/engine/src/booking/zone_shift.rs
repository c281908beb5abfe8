//! A session whose wall-clock time means another instant, since the rules of its zone changed, goes there.
//!
//! Guaranteed: it moves whole, with its calendars, bookings and holds, in one transaction, and its customers are told as of any other
//! move. One whose new time is taken stays at its instant, and an event and the history of its bookings say so: somebody has to decide.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::booking::{Booking, BookingStatus};
use domain::event::EventKind;
use domain::id::{CalendarId, Id, SessionId};
use domain::session::Session;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::changes::{AllocationRow, Changes};
use store::session::MovedSessionRow;

use super::facts::Told;
use super::{History, advanced, update_row};
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A session whose wall-clock time means another instant now.
#[derive(Debug, Clone)]
pub(super) struct Displaced {
    pub session: SessionId,
    pub zone: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// What became of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Moved,
    /// Its new time is taken.
    Taken,
    /// It has begun, is given up or has moved already.
    Settled,
}

struct ShiftCase {
    engine: Engine,
    caller: Caller,
    displaced: Displaced,
    /// Whether to say so in the history when the time is taken: nothing more can make room.
    last_word: bool,
}

struct ShiftPlan {
    catalogue: std::sync::Arc<Catalogue>,
    calendars: Vec<CalendarId>,
}

impl UseCase for ShiftCase {
    type Plan = ShiftPlan;
    type Answer = Outcome;

    async fn plan(&self, _: u32) -> Result<ShiftPlan> {
        let (engine, business) = (&self.engine, self.caller.business);
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, business).await?;
        let session = store::session::session_find(&conn, business, self.displaced.session).await?;
        let calendars = match &session {
            Some(session) => engine.session_calendars(&conn, &catalogue, session).await?,
            None => Vec::new(),
        };
        drop(conn);
        engine.expire_overdue(business, &calendars).await?;
        Ok(ShiftPlan {
            catalogue,
            calendars,
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &ShiftPlan,
    ) -> Result<(Changes, Outcome), TxError> {
        let (business, displaced) = (self.caller.business, &self.displaced);
        let settled = (Changes::default(), Outcome::Settled);
        let mut changes = Changes::default();
        self.engine
            .lock_and_raise_in_tx(conn, &self.caller, &plan.calendars, &mut changes)
            .await?;
        let session = store::session::session_find(conn, business, displaced.session).await?;
        let still = session
            .filter(|session| session.seats_taken > 0 && session.starts_at == displaced.from);
        let Some(session) = still else {
            return Ok(settled);
        };
        let Some(bookings) = self.bookings_in_tx(conn).await? else {
            return Ok(settled);
        };
        let allocations = self.allocations_in_tx(conn).await?;
        if store::allocation::allocation_is_taken(conn, business, &allocations).await? {
            let stays = self.stays(conn, plan, &session, &bookings).await?;
            return Ok((stays, Outcome::Taken));
        }
        changes.allocations = allocations;
        self.moves(conn, plan, &session, &bookings, &mut changes)
            .await?;
        Ok((changes, Outcome::Moved))
    }
}

/// What is told of the bookings in a session.
struct News<'a> {
    kind: EventKind,
    session: &'a Session,
    previous: Option<&'a Session>,
    /// The calendars that become freer or busier.
    calendars: &'a [CalendarId],
}

impl ShiftCase {
    /// The bookings in the session, locked; none at all once any of them has begun.
    async fn bookings_in_tx(&self, conn: &Conn) -> Result<Option<Vec<Booking>>, TxError> {
        let (business, id) = (self.caller.business, self.displaced.session);
        let mut bookings = Vec::new();
        for listed in store::booking::booking_list_of_sessions(conn, business, &[id]).await? {
            let locked = store::booking::booking_lock_in_tx(conn, business, listed.id).await?;
            match locked.filter(|locked| locked.session_id == id) {
                Some(locked) if !locked.status.takes_seats() => {}
                Some(locked)
                    if matches!(
                        locked.status,
                        BookingStatus::Pending | BookingStatus::Confirmed
                    ) =>
                {
                    bookings.push(locked);
                }
                Some(_) => return Ok(None),
                None => return Err(TxError::race("a booking has moved")),
            }
        }
        Ok(Some(bookings))
    }

    async fn allocations_in_tx(&self, conn: &Conn) -> Result<Vec<AllocationRow>, TxError> {
        let (business, displaced) = (self.caller.business, &self.displaced);
        let distance = displaced.to - displaced.from;
        let mut rows =
            store::allocation::allocation_list_of_session(conn, business, displaced.session)
                .await?;
        for row in &mut rows {
            row.kept_from += distance;
            row.kept_to += distance;
        }
        Ok(rows)
    }

    async fn stays(
        &self,
        conn: &Conn,
        plan: &ShiftPlan,
        session: &Session,
        bookings: &[Booking],
    ) -> Result<Changes, TxError> {
        let mut changes = Changes::default();
        if self.last_word {
            let news = News {
                kind: EventKind::BookingDisplaced,
                session,
                previous: None,
                calendars: &[],
            };
            self.tell(conn, plan, &news, bookings, &mut changes).await?;
        }
        Ok(changes)
    }

    async fn moves(
        &self,
        conn: &Conn,
        plan: &ShiftPlan,
        session: &Session,
        bookings: &[Booking],
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let to = self.displaced.to;
        let moved = Session {
            starts_at: to,
            ends_at: to + (session.ends_at - session.starts_at),
            ..session.clone()
        };
        changes.moved.push(MovedSessionRow {
            id: moved.id.uuid(),
            starts_at: moved.starts_at,
            ends_at: moved.ends_at,
        });
        let news = News {
            kind: EventKind::BookingRescheduled,
            session: &moved,
            previous: Some(session),
            calendars: &plan.calendars,
        };
        self.tell(conn, plan, &news, bookings, changes).await
    }

    async fn tell(
        &self,
        conn: &Conn,
        plan: &ShiftPlan,
        news: &News<'_>,
        bookings: &[Booking],
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let (engine, caller, at) = (&self.engine, &self.caller, self.engine.clock().now());
        let happening = |kind, booking| Happening {
            kind,
            at,
            calendars: news.calendars.to_vec(),
            booking,
            hold: None,
            payment: None,
        };
        let reason = format!("the clocks of {} have new rules", self.displaced.zone);
        for booking in bookings {
            let booking = advanced(booking, booking.status);
            changes.booking_updates.push(update_row(&booking));
            let history = self.history(news.kind, &reason);
            changes.history.push(history.row(&booking, caller, at));
            let customer = engine
                .customer_on(conn, caller, booking.customer_id)
                .await?;
            let told = Told {
                catalogue: &plan.catalogue,
                booking: &booking,
                session: news.session,
                customer: &customer,
                previous: news.previous,
                reason: Some(reason.clone()),
            };
            engine.record(
                &plan.catalogue,
                changes,
                happening(news.kind, Some(told.facts()?)),
            )?;
        }
        if bookings.is_empty() && news.previous.is_some() {
            // Only held so far: nobody to tell but those who watch what is free.
            engine.record(
                &plan.catalogue,
                changes,
                happening(EventKind::ScheduleChanged, None),
            )?;
        }
        Ok(())
    }

    fn history<'a>(&self, kind: EventKind, reason: &'a str) -> History<'a> {
        let shown = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        History {
            kind: kind.name(),
            from: Some(shown(self.displaced.from)),
            to: Some(shown(self.displaced.to)),
            reason: Some(reason),
        }
    }
}

impl Engine {
    /// Moves one, unless its new time is taken; with the last word that is told.
    pub(super) async fn shift(
        &self,
        caller: &Caller,
        displaced: &Displaced,
        last_word: bool,
    ) -> Result<Outcome> {
        // Several processes may be at it: each session is spoken of once.
        let name = last_word.then(|| {
            let version = self.zones().version();
            format!("{version} {} {}", displaced.session, displaced.to)
        });
        let key = Key::of("followZones", name.as_deref(), &())?;
        let (engine, caller) = (self.clone(), *caller);
        let case = ShiftCase {
            engine: self.clone(),
            caller,
            displaced: displaced.clone(),
            last_word,
        };
        let done = self.detached(async move { engine.write(&caller, key.as_ref(), &case).await });
        match done.await {
            Err(Error::Fault(error)) => {
                tracing::error!(session = %displaced.session, error, "a session could not be moved");
                Ok(Outcome::Settled)
            }
            other => other,
        }
    }
}
