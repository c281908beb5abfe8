//! How a booking or a hold gets its seats: decided on what is in memory, then again under locks wherever that has moved on.
//!
//! The plan names the calendars that it takes; those are locked in one order, and only if every one of them is as it was when the plan
//! was made (or the plan made anew on what they are now takes nothing else) is anything written. After some lost races everything that
//! could be taken is locked, so nobody loses for ever.

use std::sync::Arc;

use domain::availability::{Plan, Seats, alternatives, decide, decide_overriding};
use domain::calendar::Versions;
use domain::id::{CalendarId, Id, ProviderId, ServiceId, SessionId};
use domain::interval::Minute;
use domain::problem::{Problem, UnavailableReason};
use domain::session::Session;
use store::changes::{Changes, SeatRow};
use store::{Conn, StoreError};
use uuid::Uuid;

use crate::availability::calendars::Calendars;
use crate::availability::scope::{Narrow, Scope, without};
use crate::booking::opening::open;
use crate::catalogue::Catalogue;
use crate::tx::{CAREFUL_FROM, TxError};
use crate::{Caller, Engine, Result};

/// The seats that are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub service_id: ServiceId,
    pub starts: Minute,
    /// With whom; anybody where none is said.
    pub provider: Option<ProviderId>,
    /// With whom if they can, where nobody is named.
    pub rather: Option<ProviderId>,
    pub party_size: i32,
    /// The seats that are given up for them.
    pub moving: Option<Moving>,
    /// Against the rules (AVAILABILITY.md, 12).
    pub overriding: bool,
}

/// Seats that are given up for others: they count as free.
#[derive(Debug, Clone)]
pub(crate) struct Moving {
    pub session: SessionId,
    pub seats: u32,
    pub calendars: Vec<CalendarId>,
}

/// A decision, with what it was made on and what must be locked for it.
pub(crate) struct Seating {
    pub scope: Scope,
    pub plan: Plan,
    wish: Wish,
    calendars: Calendars,
    /// The calendars that the plan takes or gives back, sorted.
    lock: Vec<CalendarId>,
}

/// Seats on their way into the database.
pub(crate) struct Seated {
    /// The session as it will be.
    pub session: Session,
    /// The calendars that become busier (or freer).
    pub calendars: Vec<CalendarId>,
}

impl Engine {
    /// Decides where the wish is fulfilled, or says why it cannot be and what could be had instead.
    pub(crate) async fn seat(&self, caller: &Caller, wish: &Wish, attempt: u32) -> Result<Seating> {
        // One connection at a time: whoever waits for a second while holding a first can wait for ever.
        let mut conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        // Whoever is named is all that needs to be looked at; the others only where they are not to be had.
        let named = wish.provider.map(|id| [id]);
        let narrow = Narrow {
            location: None,
            providers: named.as_ref().map(<[_; 1]>::as_slice),
        };
        let scope = Scope::new(catalogue.clone(), wish.service_id, wish.party_size, &narrow)
            .map_err(named_in_the_singular)?;
        let mut calendars = self
            .calendars(&conn, &catalogue, &scope.calendar_ids)
            .await?;
        if has_overdue(&calendars, self) {
            drop(conn);
            self.expire_overdue(caller.business, &scope.calendar_ids)
                .await?;
            conn = self.0.database.conn().await?;
            calendars = self
                .calendars(&conn, &catalogue, &scope.calendar_ids)
                .await?;
        }
        let plan = match self.decide(&scope, &calendars, wish) {
            Ok(plan) => plan,
            Err(reasons) => {
                return Err(self.refusal(&conn, &catalogue, wish, reasons).await?.into());
            }
        };
        let mut lock = calendars_of(&conn, caller, &scope, &plan).await?;
        lock.extend(wish.moving.iter().flat_map(|moving| &moving.calendars));
        if attempt >= CAREFUL_FROM {
            lock.extend(&scope.calendar_ids);
        }
        lock.sort_unstable();
        lock.dedup();
        Ok(Seating {
            scope,
            plan,
            wish: wish.clone(),
            calendars,
            lock,
        })
    }

    /// Why the wish cannot be fulfilled, and what could be had instead, with others too.
    async fn refusal(
        &self,
        conn: &Conn,
        catalogue: &Arc<Catalogue>,
        wish: &Wish,
        reasons: Vec<UnavailableReason>,
    ) -> Result<Problem> {
        let scope = Scope::new(
            catalogue.clone(),
            wish.service_id,
            wish.party_size,
            &Narrow::default(),
        )?;
        let calendars = self.calendars(conn, catalogue, &scope.calendar_ids).await?;
        let freed = freed(&calendars, wish);
        let question = scope.question(&freed, self.clock().now());
        let alternatives = alternatives(&question, wish.starts, wish.provider);
        Ok(Problem::SlotUnavailable {
            reasons,
            alternatives,
        })
    }

    /// Locks, makes sure of the decision, and adds the session and what it takes to the changes.
    pub(crate) async fn seat_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        seating: &Seating,
        changes: &mut Changes,
    ) -> Result<Seated, TxError> {
        let ids: Vec<Uuid> = seating.lock.iter().map(|id| id.uuid()).collect();
        let versions = store::calendar::calendar_lock_in_tx(conn, caller.business, &ids).await?;
        let plan = self.confirmed_in_tx(conn, seating, &versions).await?;
        let mut calendars = calendars_of(conn, caller, &seating.scope, &plan).await?;
        if calendars
            .iter()
            .any(|id| seating.lock.binary_search(id).is_err())
        {
            return Err(TxError::race("the decision takes other calendars now"));
        }
        calendars.extend(
            seating
                .wish
                .moving
                .iter()
                .flat_map(|moving| &moving.calendars),
        );
        calendars.sort_unstable();
        calendars.dedup();
        changes
            .calendars
            .extend(calendars.iter().map(|id| id.uuid()));
        let session = match &plan.seats {
            Seats::Join(session) => {
                self.join_in_tx(conn, caller, *session, seating.scope.party_size, changes)
                    .await?
            }
            Seats::Open { .. } => open(&seating.scope, &plan, self.clock().now(), changes)?,
        };
        Ok(Seated { session, calendars })
    }

    /// The plan, if it still holds; else the plan on what is true now.
    async fn confirmed_in_tx(
        &self,
        conn: &Conn,
        seating: &Seating,
        versions: &Versions,
    ) -> Result<Plan, TxError> {
        let known = |id: &CalendarId| seating.calendars.get(id).map(|calendar| calendar.version);
        let moved_on = |(id, version): (&CalendarId, &i64)| {
            known(id)
                .filter(|known| known != version)
                .map(|_| (*id, *version))
        };
        let stale: Versions = versions.iter().filter_map(moved_on).collect();
        if stale.is_empty() {
            return Ok(seating.plan.clone());
        }
        let mut calendars = seating.calendars.clone();
        calendars.extend(
            self.calendars_at(conn, &seating.scope.catalogue, &stale)
                .await?,
        );
        if has_overdue(&calendars, self) {
            return Err(TxError::race("a hold has run out meanwhile"));
        }
        // A refusal is not answered from here: only part of what it rests on is locked and new.
        self.decide(&seating.scope, &calendars, &seating.wish)
            .map_err(|_| TxError::race("the time was taken"))
    }

    fn decide(
        &self,
        scope: &Scope,
        calendars: &Calendars,
        wish: &Wish,
    ) -> Result<Plan, Vec<UnavailableReason>> {
        let freed = freed(calendars, wish);
        let question = scope.question(&freed, self.clock().now());
        let decide = if wish.overriding {
            decide_overriding
        } else {
            decide
        };
        let rather = wish.rather.filter(|_| wish.provider.is_none());
        if let Some(plan) =
            rather.and_then(|rather| decide(&question, wish.starts, Some(rather)).ok())
        {
            return Ok(plan);
        }
        decide(&question, wish.starts, wish.provider)
    }

    async fn join_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        id: SessionId,
        party_size: u32,
        changes: &mut Changes,
    ) -> Result<Session, TxError> {
        let found = store::session::session_find(conn, caller.business, id).await?;
        let mut session = found.ok_or_else(|| TxError::race("the session is gone"))?;
        changes.seats.push(SeatRow {
            id: id.uuid(),
            seats: party_size,
        });
        session.seats_taken += party_size;
        Ok(session)
    }

    /// The calendars that a session takes, and its service's where sessions are counted: all that change when its seats do.
    pub(crate) async fn session_calendars(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        session: &Session,
    ) -> Result<Vec<CalendarId>> {
        let business = catalogue.business.id;
        let taken = store::calendar::calendar_list_of_session(conn, business, session.id).await?;
        let mut calendars: Vec<CalendarId> = taken.into_iter().map(CalendarId::from_uuid).collect();
        let limited = catalogue
            .service(session.service_id)
            .is_some_and(|service| service.daily_limit.is_some());
        if limited {
            calendars.push(session.service_id.into());
        }
        calendars.sort_unstable();
        Ok(calendars)
    }
}

/// A list of one provider is the provider that the input names.
fn named_in_the_singular(problem: Problem) -> Problem {
    match problem {
        Problem::NotFound { path, .. } if path.last().is_some_and(|last| last == "providerIds") => {
            Problem::not_found(&["input", "providerId"], "provider")
        }
        other => other,
    }
}

fn has_overdue(calendars: &Calendars, engine: &Engine) -> bool {
    let now = engine.clock().now();
    calendars
        .values()
        .any(|calendar| calendar.first_expiry.is_some_and(|at| at <= now))
}

fn freed(calendars: &Calendars, wish: &Wish) -> Calendars {
    match &wish.moving {
        Some(moving) => without(calendars, moving.session, moving.seats),
        None => calendars.clone(),
    }
}

/// The calendars that the plan takes.
async fn calendars_of(
    conn: &Conn,
    caller: &Caller,
    scope: &Scope,
    plan: &Plan,
) -> Result<Vec<CalendarId>, StoreError> {
    let mut calendars: Vec<CalendarId> = match &plan.seats {
        Seats::Open { taken, .. } => taken.iter().map(|taken| taken.calendar_id).collect(),
        Seats::Join(session) => {
            let taken =
                store::calendar::calendar_list_of_session(conn, caller.business, *session).await?;
            taken.into_iter().map(CalendarId::from_uuid).collect()
        }
    };
    calendars.extend(counted(scope));
    Ok(calendars)
}

fn counted(scope: &Scope) -> Option<CalendarId> {
    scope
        .service
        .daily_limit
        .map(|_| CalendarId::from(scope.service.id))
}
