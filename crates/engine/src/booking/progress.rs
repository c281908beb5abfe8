//! The steps of a booking's life after it stands: cancel, check in, complete, no-show. The state machine in `domain` says what makes
//! sense; here it is locked, written and told.

use chrono::{DateTime, Utc};
use domain::actor::Right;
use domain::booking::{Booking, BookingStatus, Change, Span};
use domain::event::EventKind;
use domain::id::{BookingId, CalendarId, Id};
use domain::problem::Problem;
use domain::session::Session;
use domain::text;
use serde::Serialize;
use store::Conn;
use store::changes::{Changes, SeatRow};

use super::facts::Told;
use super::{BookingAndSession, History, advanced, update_row};
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A step in a booking's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Step {
    /// It is called off.
    Cancel,
    /// The customer has arrived.
    CheckIn,
    /// The service was delivered.
    Complete,
    /// The customer did not come.
    MarkNoShow,
}

impl Step {
    fn operation(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::CheckIn => "checkIn",
            Self::Complete => "complete",
            Self::MarkNoShow => "markNoShow",
        }
    }

    fn decide(
        self,
        booking: &Booking,
        caller: &Caller,
        span: Span,
        now: DateTime<Utc>,
    ) -> Result<Change, Problem> {
        match self {
            Self::Cancel => booking.cancel(&caller.actor, span, now),
            Self::CheckIn => booking.check_in(span, now),
            Self::Complete => booking.complete(span, now),
            Self::MarkNoShow => booking.mark_no_show(span, now),
        }
    }
}

fn event_of(status: BookingStatus) -> EventKind {
    match status {
        BookingStatus::Cancelled => EventKind::BookingCancelled,
        BookingStatus::CheckedIn => EventKind::BookingCheckedIn,
        BookingStatus::Completed => EventKind::BookingCompleted,
        BookingStatus::NoShow => EventKind::BookingNoShow,
        BookingStatus::Expired => EventKind::Expired,
        BookingStatus::Pending | BookingStatus::Confirmed => EventKind::BookingConfirmed,
    }
}

struct StepCase {
    engine: Engine,
    caller: Caller,
    id: BookingId,
    step: Step,
    expected_version: Option<i64>,
    reason: Option<String>,
    path: &'static [&'static str],
}

struct StepPlan {
    session: Session,
    /// What it lets go of, if it does.
    calendars: Vec<CalendarId>,
}

impl UseCase for StepCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = StepPlan;
    type Answer = BookingAndSession;

    async fn plan(&self, _: u32) -> Result<StepPlan> {
        let (engine, caller) = (&self.engine, &self.caller);
        let (_, session) = engine.touchable(caller, self.id, self.path).await?;
        let runs = caller
            .actor
            .may(Right::RunBookings(Some(session.provider_id)));
        if self.step != Step::Cancel && !runs {
            return Err(Error::forbidden(caller, "run bookings"));
        }
        let mut calendars = Vec::new();
        if self.step == Step::Cancel {
            let conn = engine.0.database.conn().await?;
            let catalogue = engine.catalogue_on(&conn, caller.business).await?;
            calendars = engine
                .session_calendars(&conn, &catalogue, &session)
                .await?;
        }
        Ok(StepPlan { session, calendars })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &StepPlan,
    ) -> Result<(Changes, BookingAndSession), TxError> {
        let (engine, caller, now) = (&self.engine, &self.caller, self.engine.clock().now());
        let mut changes = Changes::default();
        engine
            .lock_and_raise_in_tx(conn, caller, &plan.calendars, &mut changes)
            .await?;
        let locked = store::booking::booking_lock_in_tx(conn, caller.business, self.id).await?;
        let booking = locked.ok_or_else(|| TxError::race("the booking is gone"))?;
        if booking.session_id != plan.session.id {
            return Err(TxError::race("the booking has moved"));
        }
        booking.expect_version(self.expected_version)?;
        let span = Span {
            starts_at: plan.session.starts_at,
            ends_at: plan.session.ends_at,
        };
        let Change::To(status) = self.step.decide(&booking, caller, span, now)? else {
            let answer = BookingAndSession {
                booking,
                session: plan.session.clone(),
            };
            return Ok((Changes::default(), answer));
        };
        let after = advanced(&booking, status);
        let mut session = plan.session.clone();
        if !status.takes_seats() {
            changes.given_back.push(SeatRow {
                id: session.id.uuid(),
                seats: booking.party_size,
            });
            session.seats_taken = session.seats_taken.saturating_sub(booking.party_size);
        }
        changes.booking_updates.push(update_row(&after));
        self.tell(
            conn,
            &booking,
            &after,
            &session,
            &plan.calendars,
            &mut changes,
        )
        .await?;
        Ok((
            changes,
            BookingAndSession {
                booking: after,
                session,
            },
        ))
    }
}

impl StepCase {
    async fn tell(
        &self,
        conn: &Conn,
        before: &Booking,
        booking: &Booking,
        session: &Session,
        calendars: &[CalendarId],
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let (engine, caller, now) = (&self.engine, &self.caller, self.engine.clock().now());
        let kind = event_of(booking.status);
        let history = History {
            kind: kind.name(),
            from: Some(before.status.name().to_owned()),
            to: Some(booking.status.name().to_owned()),
            reason: self.reason.as_deref(),
        };
        changes.history.push(history.row(booking, caller, now));
        let catalogue = engine.catalogue_on(conn, caller.business).await?;
        let customer = engine
            .customer_on(conn, caller, booking.customer_id)
            .await?;
        let reason = self.reason.clone();
        let told = Told {
            catalogue: &catalogue,
            booking,
            session,
            customer: &customer,
            previous: None,
            reason,
        };
        let (id, calendars, booking) = (booking.id, calendars.to_vec(), Some(told.facts()?));
        let recorded = engine.record(
            &catalogue,
            changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking,
                hold: None,
                payment: None,
            },
        )?;
        if kind == EventKind::BookingCancelled {
            engine
                .release_payments_in_tx(conn, caller, id, &recorded, changes)
                .await?;
        }
        Ok(())
    }
}

impl Engine {
    /// Calls a booking off.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: BookingId,
        expected_version: Option<i64>,
        reason: Option<&str>,
        key: Option<&str>,
    ) -> Result<BookingAndSession> {
        let key = Key::of("cancel", key, &(id, expected_version, reason))?;
        let reason = text::long(&["input", "reason"], reason)?;
        let (step, path) = (Step::Cancel, &["input", "bookingId"]);
        let (engine, caller) = (self.clone(), *caller);
        let case = StepCase {
            engine: self.clone(),
            caller,
            id,
            step,
            expected_version,
            reason,
            path,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// Takes a step in the life of a booking that staff run.
    pub async fn advance(
        &self,
        caller: &Caller,
        id: BookingId,
        step: Step,
        expected_version: Option<i64>,
        key: Option<&str>,
    ) -> Result<BookingAndSession> {
        let key = Key::of(step.operation(), key, &(id, expected_version))?;
        let (engine, caller) = (self.clone(), *caller);
        let (reason, path) = (None, &["id"]);
        let case = StepCase {
            engine: self.clone(),
            caller,
            id,
            step,
            expected_version,
            reason,
            path,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
