//! When a calendar's owner is busy elsewhere is written first of all that follows from a reading: whether a booking can follow its event is
//! decided on it. The next reading goes on from where this one began until its end is written, too; to write the same again does no harm.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::event::EventKind;
use domain::id::{CalendarId, Id, ProviderId};
use store::Conn;
use store::calendar_source::{Lease, SourceRow};
use store::changes::Changes;
use store::external_event::Owner;

use super::reading::Reading;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

pub(super) struct BusyCase<'a> {
    pub engine: &'a Engine,
    pub caller: Caller,
    pub source: &'a SourceRow,
    pub lease: Lease,
    pub reading: &'a Reading,
}

impl UseCase for BusyCase<'_> {
    type Plan = Arc<Catalogue>;
    /// Whether the lease was still held.
    type Answer = bool;

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        self.engine.catalogue(&self.caller).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        catalogue: &Self::Plan,
    ) -> Result<(Changes, bool), TxError> {
        let (business, provider) = (self.caller.business, self.source.provider_id);
        let mut changes = Changes::default();
        store::calendar::calendar_lock_in_tx(conn, business, &[provider]).await?;
        if !store::calendar_source::source_hold_in_tx(conn, business, self.lease).await? {
            return Ok((changes, false));
        }
        let owner = Owner {
            source: self.source.id,
            provider: ProviderId::from_uuid(provider),
        };
        let Reading {
            busy, free, is_all, ..
        } = self.reading;
        let rows = store::external_event::external_event_apply_in_tx(
            conn, business, owner, busy, free, *is_all,
        )
        .await?;
        if rows > 0 {
            changes.calendars.push(provider);
            let calendars = vec![CalendarId::from_uuid(provider)];
            let happening = changed(self.engine.clock().now(), calendars);
            self.engine.record(catalogue, &mut changes, happening)?;
        }
        Ok((changes, true))
    }
}

/// That calendars are otherwise elsewhere, or to be.
pub(super) fn changed(at: DateTime<Utc>, calendars: Vec<CalendarId>) -> Happening {
    Happening {
        kind: EventKind::CalendarChanged,
        at,
        calendars,
        booking: None,
        hold: None,
        payment: None,
    }
}
