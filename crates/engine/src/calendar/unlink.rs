//! An event of a connection is gone, or another connection's: its link goes. Where the booking is written to that calendar by another connection,
//! the same transaction has it write the event again: what was taken away may have been what that one had written just before.

use domain::event::EventKind;
use domain::id::{BookingId, Id};
use plugin_api::Failure;
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_link::LinkRow;
use store::changes::Changes;

use super::access::away;
use super::route;
use super::work::{Desk, stands};
use crate::event::Happening;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

impl Desk<'_> {
    /// Takes the link of an event away that is not the connection's any more.
    pub(super) async fn unlink(
        &self,
        connection: &ConnectionRow,
        link: &LinkRow,
    ) -> Result<(), Failure> {
        let caller = Caller::system(self.business);
        let case = UnlinkCase {
            engine: self.engine.clone(),
            caller,
            connection: connection.clone(),
            link: link.clone(),
        };
        let unlinked = self.engine.write(&caller, None, &case).await;
        unlinked.map_err(|error| away(&error))
    }
}

struct UnlinkCase {
    engine: Engine,
    caller: Caller,
    connection: ConnectionRow,
    link: LinkRow,
}

impl UseCase for UnlinkCase {
    type Plan = ();
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, ()), TxError> {
        let (business, old) = (self.caller.business, &self.connection);
        let id = BookingId::from_uuid(self.link.booking_id);
        store::calendar_link::link_delete(conn, business, old.id, id).await?;
        let mut changes = Changes::default();
        let booking = store::booking::booking_find(conn, business, id).await?;
        let Some(booking) = booking.filter(|booking| stands(booking.status)) else {
            return Ok((changes, ()));
        };
        let session = store::session::session_find(conn, business, booking.session_id).await?;
        let Some(session) = session else {
            return Ok((changes, ()));
        };
        let ids = [session.provider_id.uuid()];
        let active = store::calendar_connection::connection_list(conn, business, &ids).await?;
        let is_owner = |row: &&ConnectionRow| {
            row.id != old.id
                && row.plugin == old.plugin
                && row.write_to.as_ref() == Some(&self.link.calendar)
        };
        if let Some(owner) = active.iter().find(is_owner) {
            let catalogue = self.engine.catalogue_on(conn, business).await?;
            let happening = Happening {
                kind: EventKind::CalendarChanged,
                at: self.engine.clock().now(),
                calendars: Vec::new(),
                booking: None,
                hold: None,
                payment: None,
            };
            let recorded = self.engine.record(&catalogue, &mut changes, happening)?;
            let to = (owner.plugin.as_str(), session.provider_id);
            route::write(&mut changes, &recorded, to, (booking.id, booking.version));
        }
        Ok((changes, ()))
    }
}
