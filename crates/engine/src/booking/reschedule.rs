//! Reschedule: the booking gives its seats back and takes others, in one transaction or not at all.

use chrono::{DateTime, Utc};
use domain::booking::{Booking, Span};
use domain::event::EventKind;
use domain::id::{BookingId, CalendarId, Id, ProviderId};
use domain::interval::Minute;
use domain::problem::Problem;
use domain::session::Session;
use domain::{availability, text};
use plugin_api::Proposal;
use serde::Serialize;
use store::Conn;
use store::changes::{Changes, SeatRow};

use super::facts::Told;
use super::seating::{Moving, Seated, Seating, Wish};
use super::{BookingAndSession, History, override_reason, update_row};
use crate::availability::whole_minute;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// A booking to move.
#[derive(Debug, Clone, Serialize)]
pub struct Reschedule {
    /// Which.
    pub booking_id: BookingId,
    /// To when; a whole minute.
    pub starts_at: DateTime<Utc>,
    /// To whom; where none is said to the same provider if they can, else to anybody.
    pub provider_id: Option<ProviderId>,
    /// The version that the client has seen.
    pub expected_version: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Why against the rules, by staff who may.
    pub override_reason: Option<String>,
}

struct RescheduleCase {
    engine: Engine,
    caller: Caller,
    input: Reschedule,
    starts: Minute,
    reason: Option<String>,
    overriding: bool,
}

struct ReschedulePlan {
    booking: Booking,
    session: Session,
    /// Where it goes; none: it is there already.
    seating: Option<Seating>,
}

impl UseCase for RescheduleCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = ReschedulePlan;
    type Answer = BookingAndSession;

    async fn plan(&self, attempt: u32) -> Result<ReschedulePlan> {
        let (engine, caller, input) = (&self.engine, &self.caller, &self.input);
        let (booking, session) = engine
            .touchable(caller, input.booking_id, &["input", "bookingId"])
            .await?;
        booking.expect_version(input.expected_version)?;
        let span = Span {
            starts_at: session.starts_at,
            ends_at: session.ends_at,
        };
        booking.reschedule(&caller.actor, span, engine.clock().now())?;
        let stays = input.provider_id.is_none_or(|id| id == session.provider_id);
        if session.starts_at == input.starts_at && stays {
            return Ok(ReschedulePlan {
                booking,
                session,
                seating: None,
            });
        }
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, caller.business).await?;
        let calendars = engine
            .session_calendars(&conn, &catalogue, &session)
            .await?;
        drop(conn);
        let wish = Wish {
            service_id: session.service_id,
            starts: self.starts,
            provider: input.provider_id,
            rather: Some(session.provider_id),
            party_size: i32::try_from(booking.party_size).unwrap_or(i32::MAX),
            moving: Some(Moving {
                session: session.id,
                seats: booking.party_size,
                calendars,
            }),
            overriding: self.overriding,
        };
        let seating = engine
            .seat(caller, &wish, attempt)
            .await
            .map_err(named_as_in_reschedule)?;
        self.ask_guards(&booking, &seating).await?;
        Ok(ReschedulePlan {
            booking,
            session,
            seating: Some(seating),
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &ReschedulePlan,
    ) -> Result<(Changes, BookingAndSession), TxError> {
        let (engine, caller) = (&self.engine, &self.caller);
        let ReschedulePlan {
            booking,
            session,
            seating,
        } = plan;
        let Some(seating) = seating else {
            let same = BookingAndSession {
                booking: booking.clone(),
                session: session.clone(),
            };
            return Ok((Changes::default(), same));
        };
        let mut changes = Changes::default();
        let seated = engine
            .seat_in_tx(conn, caller, seating, &mut changes)
            .await?;
        let locked = store::booking::booking_lock_in_tx(conn, caller.business, booking.id).await?;
        if locked.as_ref() != Some(booking) {
            return Err(TxError::race("the booking has changed"));
        }
        changes.given_back.push(SeatRow {
            id: session.id.uuid(),
            seats: booking.party_size,
        });
        let moved = Booking {
            session_id: seated.session.id,
            version: booking.version + 1,
            ..booking.clone()
        };
        changes.booking_updates.push(update_row(&moved));
        let Seated {
            session: to,
            calendars,
        } = seated;
        self.tell(
            conn,
            seating,
            &moved,
            (session, &to),
            calendars,
            &mut changes,
        )
        .await?;
        Ok((
            changes,
            BookingAndSession {
                booking: moved,
                session: to,
            },
        ))
    }
}

impl RescheduleCase {
    /// The line of history, and the event.
    async fn tell(
        &self,
        conn: &Conn,
        seating: &Seating,
        moved: &Booking,
        (from, to): (&Session, &Session),
        calendars: Vec<CalendarId>,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let (engine, caller, at) = (&self.engine, &self.caller, self.engine.clock().now());
        let start = |session: &Session| {
            let text = session
                .starts_at
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            Some(text)
        };
        let history = History {
            kind: EventKind::BookingRescheduled.name(),
            from: start(from),
            to: start(to),
            reason: self.reason.as_deref(),
        };
        changes.history.push(history.row(moved, caller, at));
        let customer = engine.customer_on(conn, caller, moved.customer_id).await?;
        let told = Told {
            catalogue: &seating.scope.catalogue,
            booking: moved,
            session: to,
            customer: &customer,
            previous: Some(from),
            reason: self.reason.clone(),
        };
        let happening = Happening {
            kind: EventKind::BookingRescheduled,
            at,
            calendars,
            booking: Some(told.facts()?),
            hold: None,
            payment: None,
        };
        engine.record(&seating.scope.catalogue, changes, happening)?;
        Ok(())
    }

    async fn ask_guards(&self, booking: &Booking, seating: &Seating) -> Result<()> {
        let availability::Plan {
            provider_id,
            location_id,
            span,
            ..
        } = seating.plan.clone();
        let conn = self.engine.0.database.conn().await?;
        let customer = self
            .engine
            .customer_on(&conn, &self.caller, booking.customer_id)
            .await?;
        drop(conn);
        let proposal = Proposal {
            business_id: self.caller.business,
            booking_id: Some(booking.id),
            service_id: seating.scope.service.id,
            provider_id,
            location_id,
            starts_at: span.start().instant(),
            ends_at: span.end().instant(),
            party_size: booking.party_size,
            customer_id: Some(customer.id),
            customer_name: customer.name,
            customer_email: customer.email,
            customer_phone: customer.phone,
            note: booking.note.clone(),
            by: self.caller.actor,
        };
        let catalogue = &seating.scope.catalogue;
        self.engine.ask_guards(catalogue, proposal).await
    }
}

/// What a reschedule takes over from the booking cannot be wrong in its input: it points at the booking.
fn named_as_in_reschedule(error: crate::Error) -> crate::Error {
    let crate::Error::Refused(problems) = error else {
        return error;
    };
    let renamed = problems.into_iter().map(|problem| match problem {
        Problem::NotFound { path, .. } if path.last().is_some_and(|last| last == "serviceId") => {
            Problem::conflict("the service of this booking is archived")
        }
        Problem::Invalid { path, .. } if path.last().is_some_and(|last| last == "partySize") => {
            Problem::conflict("the service does not take so many any more")
        }
        other => other,
    });
    crate::Error::Refused(renamed.collect())
}

impl Engine {
    /// Moves a booking to another time or provider.
    pub async fn reschedule(
        &self,
        caller: &Caller,
        input: Reschedule,
        key: Option<&str>,
    ) -> Result<BookingAndSession> {
        let key = Key::of("reschedule", key, &input)?;
        let starts = whole_minute(&["input", "startsAt"], input.starts_at)?;
        let override_reason =
            override_reason(caller, input.override_reason.as_deref(), input.provider_id)?;
        let overriding = override_reason.is_some();
        let reason = text::long(&["input", "reason"], input.reason.as_deref())?.or(override_reason);
        let case = RescheduleCase {
            engine: self.clone(),
            caller: *caller,
            input,
            starts,
            reason,
            overriding,
        };
        let (engine, caller) = (self.clone(), *caller);
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
