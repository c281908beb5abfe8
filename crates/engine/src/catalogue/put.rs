//! The one way in which the catalogue is written: a thing is built from the catalogue as it is (that is where each noun has its
//! rules), then put in its place, with the event that tells of it. Two writers of one catalogue come one after the other: the second
//! builds on what the first wrote.

use std::sync::Arc;

use domain::actor::Right;
use domain::calendar::Versions;
use domain::event::EventKind;
use domain::id::{CalendarId, Id};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::changes::Changes;
use store::{Conn, StoreError};
use uuid::Uuid;

use super::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// A thing of the catalogue on its way into the database.
pub(crate) trait Thing: Send + Sync {
    /// Its id.
    type Id: Serialize + DeserializeOwned + Send;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Calendars whose version must rise with it.
    fn calendars(&self) -> Vec<CalendarId>;

    /// Puts it in its place.
    fn put_in_tx(
        &self,
        conn: &Conn,
        context: &Put,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Where a thing is put.
pub(crate) struct Put {
    pub engine: Engine,
    pub caller: Caller,
    /// Whether it is new: then its calendar has yet to be made.
    pub is_new: bool,
}

struct PutThing<B> {
    context: Put,
    build: B,
}

impl<T: Thing, B: Fn(&Catalogue) -> Result<T> + Send + Sync> UseCase for PutThing<B> {
    type Plan = (Arc<Catalogue>, T);
    type Answer = T::Id;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let catalogue = self.context.engine.catalogue(&self.context.caller).await?;
        let thing = (self.build)(&catalogue)?;
        Ok((catalogue, thing))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, thing): &Self::Plan,
    ) -> Result<(Changes, T::Id), TxError> {
        let Put {
            engine,
            caller,
            is_new,
        } = &self.context;
        let version =
            store::business::business_catalogue_raise_in_tx(conn, caller.business).await?;
        if version != catalogue.version + 1 {
            return Err(TxError::race("the catalogue has changed"));
        }
        thing.put_in_tx(conn, &self.context).await?;
        let calendars = thing.calendars();
        let mut changes = Changes::default();
        if !is_new {
            engine
                .lock_and_raise_in_tx(conn, caller, &calendars, &mut changes)
                .await?;
        }
        engine.record(
            catalogue,
            &mut changes,
            Happening {
                kind: EventKind::CatalogueChanged,
                at: engine.clock().now(),
                calendars,
                booking: None,
                hold: None,
                payment: None,
            },
        )?;
        Ok((changes, thing.id()))
    }
}

impl Engine {
    /// Builds a thing on the catalogue and puts it there, once for a key.
    pub(crate) async fn put<T, B, I>(
        &self,
        caller: &Caller,
        request: PutRequest<'_, I>,
        build: B,
    ) -> Result<T::Id>
    where
        T: Thing + 'static,
        T::Id: 'static,
        B: Fn(&Catalogue) -> Result<T> + Send + Sync + 'static,
        I: Serialize,
    {
        if !caller.actor.may(Right::ManageCatalogue) {
            return Err(Error::forbidden(caller, "change the catalogue"));
        }
        let key = Key::of(request.operation, request.key, request.input)?;
        let context = Put {
            engine: self.clone(),
            caller: *caller,
            is_new: request.is_new,
        };
        let (engine, caller) = (self.clone(), *caller);
        self.detached(async move {
            engine
                .write(&caller, key.as_ref(), &PutThing { context, build })
                .await
        })
        .await
    }

    /// Locks calendars and has their versions rise with these changes.
    pub(crate) async fn lock_and_raise_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        calendars: &[CalendarId],
        changes: &mut Changes,
    ) -> Result<Versions, StoreError> {
        let ids: Vec<Uuid> = calendars.iter().map(|id| id.uuid()).collect();
        if ids.is_empty() {
            return Ok(Versions::new());
        }
        let versions = store::calendar::calendar_lock_in_tx(conn, caller.business, &ids).await?;
        changes.calendars.extend(ids);
        Ok(versions)
    }
}

/// A request to put something, as the idempotency key sees it.
pub(crate) struct PutRequest<'a, I> {
    pub operation: &'static str,
    pub key: Option<&'a str>,
    pub input: &'a I,
    pub is_new: bool,
}
