//! Holds: a slot kept for minutes. Held, given back, run out; redeemed by [`Engine::book`].

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::event::EventKind;
use domain::hold::{Hold, HoldStatus, TTL_SECONDS_MAX, TTL_SECONDS_MIN};
use domain::id::{BusinessId, CalendarId, HoldId, Id, ProviderId, ServiceId};
use domain::problem::Problem;
use domain::session::Session;
use domain::text;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::changes::{Changes, HoldEndingRow, HoldRow, SeatRow};
use uuid::Uuid;

use crate::availability::whole_minute;
use crate::booking::seating::{Seating, Wish};
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// A slot to hold.
#[derive(Debug, Clone, Serialize)]
pub struct HoldSlot {
    /// Of what.
    pub service_id: ServiceId,
    /// When it begins; a whole minute.
    pub starts_at: DateTime<Utc>,
    /// With whom; anybody where none is said.
    pub provider_id: Option<ProviderId>,
    /// For how many.
    pub party_size: i32,
    /// For how long, in seconds.
    pub ttl_seconds: i32,
}

/// A hold and the session it keeps seats in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldAndSession {
    /// The hold.
    pub hold: Hold,
    /// The session.
    pub session: Session,
}

/// What became of holds whose time had run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiredHolds {
    /// How many ended.
    pub ended: usize,
    /// Businesses whose holds could not be ended.
    pub failed: Vec<BusinessId>,
    /// When the next one runs out, of all other businesses.
    pub next: Option<DateTime<Utc>>,
}

struct HoldCase {
    engine: Engine,
    caller: Caller,
    wish: Wish,
    ttl: TimeDelta,
}

impl UseCase for HoldCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = Seating;
    type Answer = HoldAndSession;

    async fn plan(&self, attempt: u32) -> Result<Seating> {
        self.engine.seat(&self.caller, &self.wish, attempt).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        seating: &Seating,
    ) -> Result<(Changes, HoldAndSession), TxError> {
        let (engine, now) = (&self.engine, self.engine.clock().now());
        let mut changes = Changes::default();
        let seated = engine
            .seat_in_tx(conn, &self.caller, seating, &mut changes)
            .await?;
        let hold = Hold {
            id: HoldId::from_uuid(Uuid::now_v7()),
            session_id: seated.session.id,
            party_size: seating.scope.party_size,
            expires_at: now + self.ttl,
            status: HoldStatus::Active,
        };
        changes.holds.push(HoldRow {
            id: hold.id.uuid(),
            session_id: hold.session_id.uuid(),
            party_size: hold.party_size,
            expires_at: hold.expires_at,
            created_at: now,
        });
        let (kind, calendars) = (EventKind::Held, seated.calendars);
        let hold_id = Some(hold.id);
        engine.record(
            &seating.scope.catalogue,
            &mut changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking: None,
                hold: hold_id,
                payment: None,
            },
        )?;
        Ok((
            changes,
            HoldAndSession {
                hold,
                session: seated.session,
            },
        ))
    }
}

/// A hold that ends without a booking.
struct EndCase {
    engine: Engine,
    caller: Caller,
    id: HoldId,
    /// Only if its time has run out, instead of because somebody gives it back.
    overdue: bool,
}

struct EndPlan {
    hold: Hold,
    session: Session,
    catalogue: Arc<Catalogue>,
    calendars: Vec<CalendarId>,
}

impl UseCase for EndCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = EndPlan;
    type Answer = HoldAndSession;

    async fn plan(&self, _: u32) -> Result<EndPlan> {
        let (engine, caller) = (&self.engine, &self.caller);
        let (hold, session) = engine.hold_with_session(caller, self.id, &["id"]).await?;
        if hold.status == HoldStatus::Redeemed && !self.overdue {
            return Err(
                Problem::conflict("the hold was redeemed: cancel the booking instead").into(),
            );
        }
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, caller.business).await?;
        let calendars = engine
            .session_calendars(&conn, &catalogue, &session)
            .await?;
        Ok(EndPlan {
            hold,
            session,
            catalogue,
            calendars,
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &EndPlan,
    ) -> Result<(Changes, HoldAndSession), TxError> {
        let (engine, now) = (&self.engine, self.engine.clock().now());
        let EndPlan {
            hold,
            session,
            catalogue,
            calendars,
        } = plan;
        let over = hold.status != HoldStatus::Active || (self.overdue && now < hold.expires_at);
        if over {
            // Ended already, or not due: nothing to do.
            return Ok((
                Changes::default(),
                HoldAndSession {
                    hold: hold.clone(),
                    session: session.clone(),
                },
            ));
        }
        let mut changes = Changes::default();
        engine
            .lock_and_raise_in_tx(conn, &self.caller, calendars, &mut changes)
            .await?;
        let (status, name, kind) = if self.overdue || hold.expires_at <= now {
            (HoldStatus::Expired, "expired", EventKind::Expired)
        } else {
            (HoldStatus::Released, "released", EventKind::Released)
        };
        changes.hold_endings.push(HoldEndingRow {
            id: hold.id.uuid(),
            status: name,
        });
        changes.given_back.push(SeatRow {
            id: session.id.uuid(),
            seats: hold.party_size,
        });
        let calendars = calendars.clone();
        let hold_id = Some(hold.id);
        engine.record(
            catalogue,
            &mut changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking: None,
                hold: hold_id,
                payment: None,
            },
        )?;
        let hold = Hold {
            status,
            ..hold.clone()
        };
        let mut session = session.clone();
        session.seats_taken = session.seats_taken.saturating_sub(hold.party_size);
        Ok((changes, HoldAndSession { hold, session }))
    }
}

impl Engine {
    /// Holds a slot.
    pub async fn hold_slot(
        &self,
        caller: &Caller,
        input: HoldSlot,
        key: Option<&str>,
    ) -> Result<HoldAndSession> {
        let key = Key::of("holdSlot", key, &input)?;
        let starts = whole_minute(&["input", "startsAt"], input.starts_at)?;
        let range = TTL_SECONDS_MIN..=TTL_SECONDS_MAX;
        let ttl = text::number(&["input", "ttlSeconds"], input.ttl_seconds.into(), range)?;
        let wish = Wish {
            service_id: input.service_id,
            starts,
            provider: input.provider_id,
            rather: None,
            party_size: input.party_size,
            moving: None,
            overriding: false,
        };
        let (engine, caller) = (self.clone(), *caller);
        let case = HoldCase {
            engine: self.clone(),
            caller,
            wish,
            ttl: TimeDelta::seconds(ttl.into()),
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// Gives a hold back. Whoever knows its id may.
    pub async fn release_hold(
        &self,
        caller: &Caller,
        id: HoldId,
        key: Option<&str>,
    ) -> Result<HoldAndSession> {
        let key = Key::of("releaseHold", key, &id)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = EndCase {
            engine: self.clone(),
            caller,
            id,
            overdue: false,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    /// Ends the holds whose time has run out, of all businesses but these: so many at most. One that cannot be ended stands in the way of its own
    /// business only.
    pub async fn expire_due_holds(&self, but: &[BusinessId], limit: i64) -> Result<ExpiredHolds> {
        let mut without: Vec<Uuid> = but.iter().map(|id| id.uuid()).collect();
        let conn = self.0.database.conn().await?;
        let due = store::hold::hold_due(&conn, &without, self.clock().now(), limit).await?;
        drop(conn);
        let (mut ended, mut failed) = (0, Vec::new());
        for (business, id) in due {
            if failed.contains(&business) {
                continue;
            }
            match self.expire(business, id).await {
                Ok(()) => ended += 1,
                // Also where it lost every race: only where the database is away do all stand still.
                Err(error) => {
                    drop(self.0.database.conn().await?);
                    tracing::error!(%business, hold = %id, %error, "the holds of a business cannot be ended");
                    failed.push(business);
                }
            }
        }
        without.extend(failed.iter().map(|id| id.uuid()));
        let conn = self.0.database.conn().await?;
        Ok(ExpiredHolds {
            ended,
            failed,
            next: store::hold::hold_next_expiry(&conn, &without).await?,
        })
    }

    /// Ends the holds on these calendars whose time has run out, before somebody else takes their time.
    pub(crate) async fn expire_overdue(
        &self,
        business: BusinessId,
        calendars: &[CalendarId],
    ) -> Result<()> {
        let ids: Vec<Uuid> = calendars.iter().map(|id| id.uuid()).collect();
        let conn = self.0.database.conn().await?;
        let due =
            store::calendar::calendar_overdue(&conn, business, &ids, self.clock().now()).await?;
        drop(conn);
        for id in due {
            self.expire(business, id).await?;
        }
        Ok(())
    }

    async fn expire(&self, business: BusinessId, id: HoldId) -> Result<()> {
        let caller = Caller::system(business);
        let case = EndCase {
            engine: self.clone(),
            caller,
            id,
            overdue: true,
        };
        self.write(&caller, None, &case).await?;
        Ok(())
    }

    /// The hold with this id, as it is now, and its session.
    pub async fn hold(&self, caller: &Caller, id: HoldId) -> Result<Option<HoldAndSession>> {
        match self.hold_with_session(caller, id, &["id"]).await {
            Ok((hold, session)) => Ok(Some(HoldAndSession { hold, session })),
            Err(crate::Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn hold_with_session(
        &self,
        caller: &Caller,
        id: HoldId,
        path: &[&str],
    ) -> Result<(Hold, Session)> {
        let conn = self.0.database.conn().await?;
        let missing = || Problem::not_found(path, "hold");
        let hold = store::hold::hold_find(&conn, caller.business, id)
            .await?
            .ok_or_else(missing)?;
        let session = store::session::session_find(&conn, caller.business, hold.session_id).await?;
        Ok((hold, session.ok_or_else(missing)?))
    }
}
