//! A plugin by which calendars elsewhere are read is switched off or on. What was read with it is kept all the while, and counts only while it is
//! on (`store::external_event`): so it does from the commit that says so, for every process, because that commit raises the calendars' versions.

use domain::id::CalendarId;
use store::Conn;
use store::changes::Changes;

use super::busy::changed;
use crate::catalogue::Catalogue;
use crate::tx::TxError;
use crate::{Caller, Engine};

impl Engine {
    /// Has the calendars that are connected by a plugin be as free or as busy as they are with it, or without it. Call it before anything else
    /// than the catalogue is locked.
    pub(crate) async fn switch_calendars_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Catalogue,
        (plugin, is_on): (&str, bool),
    ) -> Result<Changes, TxError> {
        let mut changes = Changes::default();
        let routes = catalogue.calendars.iter();
        let own = routes.filter(|(_, route)| route.plugin == plugin);
        let calendars: Vec<CalendarId> = own.map(|(id, _)| CalendarId::from(*id)).collect();
        if calendars.is_empty() {
            return Ok(changes);
        }
        self.lock_and_raise_in_tx(conn, caller, &calendars, &mut changes)
            .await?;
        let now = self.clock().now();
        if is_on {
            store::calendar_source::source_wake_in_tx(conn, caller.business, plugin, now).await?;
        }
        let happening = changed(now, calendars);
        self.record(catalogue, &mut changes, happening)?;
        Ok(changes)
    }
}
