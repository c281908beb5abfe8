//! Blocks: time off and breaks on a provider's or a resource's calendar. Nobody is booked over a block from then on; what is booked
//! already stands, and is listed for somebody to move.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::actor::Right;
use domain::booking::Booking;
use domain::event::EventKind;
use domain::id::{BlockId, CalendarId, Id, ProviderId, ResourceId};
use domain::problem::Problem;
use domain::text;
use serde::{Deserialize, Serialize};
use store::Conn;
pub use store::block::Block;
use store::changes::Changes;
use uuid::Uuid;

use super::Catalogue;
use crate::availability::checked_span;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A block to make: of a provider or of a resource.
#[derive(Debug, Clone, Serialize)]
pub struct CreateBlock {
    /// Whose time.
    pub provider_id: Option<ProviderId>,
    /// Or which resource's.
    pub resource_id: Option<ResourceId>,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// A block, and the bookings that it lies over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blocked {
    /// The block.
    pub block: Block,
    /// They stand; somebody must move them.
    pub affected: Vec<Booking>,
}

enum Work {
    Create(Block),
    Delete,
}

struct ChangeBlock {
    engine: Engine,
    caller: Caller,
    id: BlockId,
    work: Work,
}

impl UseCase for ChangeBlock {
    type Plan = (Arc<Catalogue>, Block);
    type Answer = Blocked;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let catalogue = self.engine.catalogue(&self.caller).await?;
        let block = match &self.work {
            Work::Create(block) => block.clone(),
            Work::Delete => self.engine.block_of(&self.caller, self.id).await?,
        };
        Ok((catalogue, block))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, block): &Self::Plan,
    ) -> Result<(Changes, Blocked), TxError> {
        let (business, now) = (self.caller.business, self.engine.clock().now());
        let mut changes = Changes::default();
        let calendars = vec![block.calendar_id];
        self.engine
            .lock_and_raise_in_tx(conn, &self.caller, &calendars, &mut changes)
            .await?;
        let mut affected = Vec::new();
        let kind = match &self.work {
            Work::Create(_) => {
                store::block::block_insert_in_tx(conn, business, block, now).await?;
                let (from, to) = (block.starts_at, block.ends_at);
                let over =
                    store::session::session_list_over(conn, business, block.calendar_id, from, to)
                        .await?;
                affected = store::booking::booking_list_of_sessions(conn, business, &over).await?;
                EventKind::BlockCreated
            }
            Work::Delete => {
                if !store::block::block_delete_in_tx(conn, business, self.id).await? {
                    return Err(Problem::not_found(&["id"], "block").into());
                }
                EventKind::BlockDeleted
            }
        };
        self.engine.record(
            catalogue,
            &mut changes,
            Happening {
                kind,
                at: now,
                calendars,
                booking: None,
                hold: None,
                payment: None,
            },
        )?;
        Ok((
            changes,
            Blocked {
                block: block.clone(),
                affected,
            },
        ))
    }
}

impl Engine {
    /// Lays a block over a calendar.
    pub async fn create_block(
        &self,
        caller: &Caller,
        input: CreateBlock,
        key: Option<&str>,
    ) -> Result<Blocked> {
        let key = Key::of("createBlock", key, &input)?;
        let calendar_id = self.blockable(caller, &input).await?;
        checked_span(
            &["input", "startsAt"],
            &["input", "endsAt"],
            input.starts_at,
            input.ends_at,
        )?;
        let id = BlockId::from_uuid(Uuid::now_v7());
        let reason = text::long(&["input", "reason"], input.reason.as_deref())?;
        let block = Block {
            id,
            calendar_id,
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            reason,
        };
        self.change_block(caller, key, id, Work::Create(block))
            .await
    }

    /// Takes a block away.
    pub async fn delete_block(
        &self,
        caller: &Caller,
        id: BlockId,
        key: Option<&str>,
    ) -> Result<Blocked> {
        let key = Key::of("deleteBlock", key, &id)?;
        if !caller.actor.is_staff() {
            return Err(Error::forbidden(caller, "delete blocks"));
        }
        self.change_block(caller, key, id, Work::Delete).await
    }

    /// The block, for staff who may see it.
    pub async fn block(&self, caller: &Caller, id: BlockId) -> Result<Option<Block>> {
        match self.block_of(caller, id).await {
            Ok(block) => Ok(Some(block)),
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The block, if the caller may change the calendar it lies on.
    async fn block_of(&self, caller: &Caller, id: BlockId) -> Result<Block> {
        let conn = self.0.database.conn().await?;
        let found = store::block::block_find(&conn, caller.business, id).await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let found = found.filter(|block| {
            let provider = ProviderId::from_uuid(block.calendar_id.uuid());
            let provider = catalogue.provider(provider).map(|provider| provider.id);
            caller.actor.may(Right::ManageSchedule(provider))
        });
        Ok(found.ok_or_else(|| Problem::not_found(&["id"], "block"))?)
    }

    async fn change_block(
        &self,
        caller: &Caller,
        key: Option<Key>,
        id: BlockId,
        work: Work,
    ) -> Result<Blocked> {
        let (engine, caller) = (self.clone(), *caller);
        let case = ChangeBlock {
            engine: self.clone(),
            caller,
            id,
            work,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    async fn blockable(&self, caller: &Caller, input: &CreateBlock) -> Result<CalendarId> {
        if !caller.actor.may(Right::ManageSchedule(input.provider_id)) {
            return Err(Error::forbidden(caller, "block this calendar"));
        }
        let catalogue = self.catalogue(caller).await?;
        match (input.provider_id, input.resource_id) {
            (Some(id), None) => match catalogue.provider(id) {
                Some(provider) => Ok(provider.id.into()),
                None => Err(Problem::not_found(&["input", "providerId"], "provider").into()),
            },
            (None, Some(id)) => match catalogue.resource(id) {
                Some(resource) => Ok(resource.id.into()),
                None => Err(Problem::not_found(&["input", "resourceId"], "resource").into()),
            },
            _ => Err(Problem::invalid(&["input"], "names either a provider or a resource").into()),
        }
    }
}
