//! What is free: questions from outside, answered by `domain` on what is in memory.
//!
//! A question costs one statement for the version of the catalogue and one for the versions of its calendars; what changed since it
//! was last read is read anew, in a constant number of statements. Nothing here decides on a booking: that is done under locks.

pub(crate) mod calendars;
mod carry;
pub(crate) mod scope;

use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::availability::{self, Question, Slot};
use domain::calendar::{Version, Versions};
use domain::id::{BookingId, LocationId, ProviderId, ServiceId, SessionId};
use domain::interval::Minute;
use domain::problem::{Problem, UnavailableReason};

use self::calendars::Calendars;
use self::scope::{Narrow, Scope};
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Result};

/// The longest span of a question.
const SPAN_MAX: TimeDelta = TimeDelta::days(62);

/// Which slots are asked for. Two that are equal have the same answer, for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AvailabilityQuestion {
    /// Of which service.
    pub service_id: ServiceId,
    /// From when (inclusive).
    pub from: DateTime<Utc>,
    /// To when (exclusive).
    pub to: DateTime<Utc>,
    /// Where; anywhere where none is said.
    pub location_id: Option<LocationId>,
    /// With whom; anybody where none is said.
    pub provider_ids: Option<Vec<ProviderId>>,
    /// For how many.
    pub party_size: i32,
    /// A booking whose own time counts as free.
    pub reschedule_of: Option<BookingId>,
}

/// The slots, and all that was looked at to find them.
pub struct AvailabilityAnswer {
    /// The slots, by start.
    pub slots: Vec<Slot>,
    /// The catalogue that they speak of.
    pub catalogue: Arc<Catalogue>,
    ground: Ground,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// What an answer stands on: all that was read of the database for it. Ground and time make the answer, and nothing else does.
pub(crate) struct Ground {
    scope: Scope,
    calendars: Calendars,
}

/// The versions of all that an answer stands on.
#[derive(PartialEq, Eq)]
pub(crate) struct GroundVersions {
    catalogue: Version,
    /// Of every calendar that bears on the answer.
    pub calendars: Versions,
}

impl Ground {
    /// The versions that the database gave it: one of the same has the same answers.
    pub(crate) fn versions(&self) -> GroundVersions {
        let calendars = self.calendars.iter();
        GroundVersions {
            catalogue: self.scope.catalogue.version,
            calendars: calendars
                .map(|(id, calendar)| (*id, calendar.version))
                .collect(),
        }
    }

    /// The answer at an instant, to a question about this span.
    pub(crate) fn answer(
        self,
        now: DateTime<Utc>,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> AvailabilityAnswer {
        AvailabilityAnswer {
            slots: availability::slots(&self.question(now), from, to),
            catalogue: self.scope.catalogue.clone(),
            ground: self,
            now,
            from,
            to,
        }
    }

    fn question(&self, now: DateTime<Utc>) -> Question<'_> {
        self.scope.question(&self.calendars, now)
    }
}

impl AvailabilityAnswer {
    /// The first slot at or after `from`, also when it lies past `to`.
    pub fn next_slot(&self) -> Option<Slot> {
        match self.slots.first() {
            Some(first) => Some(first.clone()),
            None => availability::next_slot(&self.ground.question(self.now), self.from),
        }
    }

    /// When time alone may change the answer.
    pub fn next_change(&self) -> Option<DateTime<Utc>> {
        availability::next_change(&self.ground.question(self.now), self.from, self.to)
    }

    /// The versions of what it stands on.
    pub(crate) fn versions(&self) -> GroundVersions {
        self.ground.versions()
    }
}

impl Engine {
    /// Which slots are free.
    pub async fn availability(
        &self,
        caller: &Caller,
        asked: &AvailabilityQuestion,
    ) -> Result<AvailabilityAnswer> {
        let ground = self.ground(caller, asked).await?;
        Ok(ground.answer(self.clock().now(), asked.from, asked.to))
    }

    /// What the answer to a question stands on now.
    pub(crate) async fn ground(
        &self,
        caller: &Caller,
        asked: &AvailabilityQuestion,
    ) -> Result<Ground> {
        checked_span(&["input", "from"], &["input", "to"], asked.from, asked.to)?;
        if asked.to - asked.from > SPAN_MAX {
            return Err(
                Problem::invalid(&["input", "to"], "must be at most 62 days after `from`").into(),
            );
        }
        let moved = self.moved(caller, asked.reschedule_of).await?;
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let narrow = Narrow {
            location: asked.location_id,
            providers: asked.provider_ids.as_deref(),
        };
        let scope = Scope::new(
            catalogue.clone(),
            asked.service_id,
            asked.party_size,
            &narrow,
        )?;
        let mut calendars = self
            .calendars(&conn, &catalogue, &scope.calendar_ids)
            .await?;
        if let Some((session, seats)) = moved {
            calendars = scope::without(&calendars, session, seats);
        }
        Ok(Ground { scope, calendars })
    }

    /// Why a start cannot be booked; no reasons: it can.
    pub async fn slot_check(
        &self,
        caller: &Caller,
        service_id: ServiceId,
        starts_at: DateTime<Utc>,
        provider_id: Option<ProviderId>,
        party_size: i32,
    ) -> Result<Vec<UnavailableReason>> {
        let starts = whole_minute(&["startsAt"], starts_at)?;
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let scope = Scope::new(
            catalogue.clone(),
            service_id,
            party_size,
            &Narrow::default(),
        );
        let scope = scope.map_err(without_input)?;
        if let Some(id) = provider_id {
            catalogue
                .provider(id)
                .ok_or_else(|| Problem::not_found(&["providerId"], "provider"))?;
        }
        let calendars = self
            .calendars(&conn, &catalogue, &scope.calendar_ids)
            .await?;
        let question = scope.question(&calendars, self.clock().now());
        Ok(availability::decide(&question, starts, provider_id)
            .err()
            .unwrap_or_default())
    }

    /// Session and seats of the booking that is to move, which the caller must be allowed to touch.
    async fn moved(
        &self,
        caller: &Caller,
        booking: Option<BookingId>,
    ) -> Result<Option<(SessionId, u32)>> {
        let Some(id) = booking else { return Ok(None) };
        let found = self.booking(caller, id).await?;
        let (booking, _) =
            found.ok_or_else(|| Problem::not_found(&["input", "rescheduleOf"], "booking"))?;
        Ok(booking
            .status
            .takes_seats()
            .then_some((booking.session_id, booking.party_size)))
    }
}

/// The names of arguments that stand outside an `input`.
fn without_input(problem: Problem) -> Problem {
    let cut = |path: Vec<String>| path.into_iter().filter(|part| part != "input").collect();
    match problem {
        Problem::Invalid { path, message } => Problem::Invalid {
            path: cut(path),
            message,
        },
        Problem::NotFound { path, message } => Problem::NotFound {
            path: cut(path),
            message,
        },
        other => other,
    }
}

/// A span that does not end before it begins, within the years that the software knows.
pub(crate) fn checked_span(
    from_path: &[&str],
    to_path: &[&str],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<(), Problem> {
    checked_instant(from_path, from)?;
    checked_instant(to_path, to)?;
    if to <= from {
        return Err(Problem::invalid(to_path, "must be after the beginning"));
    }
    Ok(())
}

/// An instant in the years 1970 to 9999.
pub(crate) fn checked_instant(path: &[&str], at: DateTime<Utc>) -> Result<(), Problem> {
    if (1970..=9999).contains(&at.year()) {
        return Ok(());
    }
    Err(Problem::invalid(path, "must lie in the years 1970 to 9999"))
}

/// A start: a whole minute in the years that the software knows.
pub(crate) fn whole_minute(path: &[&str], at: DateTime<Utc>) -> Result<Minute, Problem> {
    checked_instant(path, at)?;
    Minute::exact(at).ok_or_else(|| Problem::invalid(path, "must be a whole minute"))
}
