//! A provider's calendars elsewhere are disconnected: what was read of them makes nobody busy any more, and our events ahead are taken away
//! there, as far as the other side lets us.

use std::sync::Arc;

use domain::event::EventKind;
use domain::id::{CalendarId, Id, ProviderId};
use domain::problem::Problem;
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::changes::Changes;

use super::connect::{end_in_tx, may_connect};
use super::route;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

struct DisconnectCase {
    engine: Engine,
    caller: Caller,
    provider: ProviderId,
}

impl UseCase for DisconnectCase {
    type Plan = (Arc<Catalogue>, Option<ConnectionRow>);
    type Answer = ProviderId;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let business = self.caller.business;
        let conn = self.engine.0.database.conn().await?;
        let catalogue = self.engine.catalogue_on(&conn, business).await?;
        catalogue
            .provider(self.provider)
            .ok_or_else(|| Problem::not_found(&["providerId"], "provider"))?;
        let ids = [self.provider.uuid()];
        let list = store::calendar_connection::connection_list(&conn, business, &ids).await?;
        Ok((catalogue, list.into_iter().next()))
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        (catalogue, connection): &Self::Plan,
    ) -> Result<(Changes, ProviderId), TxError> {
        let (engine, caller) = (&self.engine, &self.caller);
        let mut changes = Changes::default();
        let Some(connection) = connection else {
            return Ok((changes, self.provider));
        };
        let now = engine.clock().now();
        let version =
            store::business::business_catalogue_raise_in_tx(conn, caller.business).await?;
        if version != catalogue.version + 1 {
            return Err(TxError::race("the catalogue has changed"));
        }
        let calendars = vec![CalendarId::from(self.provider)];
        engine
            .lock_and_raise_in_tx(conn, caller, &calendars, &mut changes)
            .await?;
        if !end_in_tx(conn, caller, connection, now).await? {
            return Err(TxError::race("the connection has changed"));
        }
        let happening = Happening {
            kind: EventKind::CatalogueChanged,
            at: now,
            calendars,
            booking: None,
            hold: None,
            payment: None,
        };
        let recorded = engine.record(catalogue, &mut changes, happening)?;
        route::write_tidy(&mut changes, &recorded, &connection.plugin, connection.id);
        Ok((changes, self.provider))
    }
}

impl Engine {
    /// Disconnects a provider's calendars elsewhere; one who has none is as they are.
    pub async fn disconnect_calendar(
        &self,
        caller: &Caller,
        provider: ProviderId,
        key: Option<&str>,
    ) -> Result<ProviderId> {
        may_connect(caller, provider)?;
        let key = Key::of("disconnectCalendar", key, &provider)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = DisconnectCase {
            engine: self.clone(),
            caller,
            provider,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
