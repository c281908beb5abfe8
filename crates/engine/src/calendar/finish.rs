//! What follows from a reading of a calendar elsewhere is written, with the token from which the next one goes on, in one transaction of whoever
//! still holds the lease.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::event::EventKind;
use domain::id::{BookingId, Id, ProviderId};
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_delivery::Desired;
use store::calendar_source::{Lease, ReadingEnd, SourceRow};
use store::changes::Changes;

use super::busy::changed;
use super::follow::Consequences;
use super::reading::Reading;
use super::route;
use super::work::Work;
use crate::catalogue::Catalogue;
use crate::event::Happening;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// How long to leave alone what is being written while it is read.
const UNSETTLED: TimeDelta = TimeDelta::seconds(5);
/// How often what lies ahead is compared with what was written, for what no delivery told of.
const COMPARED_EVERY: TimeDelta = TimeDelta::minutes(5);
/// How far apart all is read at least because a series changed. The other side may not tell of all of its events: of those that are gone Google is
/// known to leave out what lies far ahead.
const WHOLE_APART: TimeDelta = TimeDelta::minutes(10);
/// How long links to events that are over are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

pub(super) struct FinishCase {
    pub engine: Engine,
    pub caller: Caller,
    pub source: SourceRow,
    pub connection: ConnectionRow,
    pub lease: Lease,
    pub reading: Reading,
    pub consequences: Consequences,
    /// Whether our events are looked after.
    pub keeps_events: bool,
    pub next_sync_at: DateTime<Utc>,
}

impl UseCase for FinishCase {
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
        let compares = self.compares();
        self.tell(conn, catalogue, compares, &mut changes).await?;
        self.end_in_tx(conn, compares).await?;
        Ok((changes, true))
    }
}

impl FinishCase {
    /// The deliveries to our own events there, and what staff are told.
    async fn tell(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        compares: bool,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let business = self.caller.business;
        let mut rewrites: BTreeMap<BookingId, i64> =
            self.consequences.rewrites.iter().copied().collect();
        if compares {
            let provider = ProviderId::from_uuid(self.source.provider_id);
            let part = Work::Keep(provider).part();
            let desired = Desired {
                connection: self.connection.id,
                provider,
                write_to: self.connection.write_to.as_deref(),
                plugin: &self.connection.plugin,
                part: &part,
            };
            let now = self.engine.clock().now();
            let found =
                store::calendar_delivery::calendar_delivery_missing(conn, business, desired, now)
                    .await?;
            rewrites.extend(
                found
                    .into_iter()
                    .map(|row| (BookingId::from_uuid(row.booking_id), row.version)),
            );
        }
        if !rewrites.is_empty() {
            let happening = changed(self.engine.clock().now(), Vec::new());
            let recorded = self.engine.record(catalogue, changes, happening)?;
            let to = (
                self.connection.plugin.as_str(),
                ProviderId::from_uuid(self.source.provider_id),
            );
            for booking in rewrites {
                route::write(changes, &recorded, to, booking);
            }
        }
        for (booking, reason) in &self.consequences.conflicts {
            self.conflict(conn, catalogue, (*booking, reason), changes)
                .await?;
        }
        Ok(())
    }

    /// Whether what lies ahead is compared with what was written.
    fn compares(&self) -> bool {
        let now = self.engine.clock().now();
        let is_recent = |at: DateTime<Utc>| now - at < COMPARED_EVERY;
        self.keeps_events && !self.source.compared_at.is_some_and(is_recent)
    }

    /// Says that a booking could not follow its event.
    async fn conflict(
        &self,
        conn: &Conn,
        catalogue: &Catalogue,
        (booking, reason): (BookingId, &str),
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let now = self.engine.clock().now();
        let facts = self
            .engine
            .facts_on(conn, &self.caller, catalogue, booking)
            .await?;
        let said = format!(
            "booking {} was changed in the calendar and put back: {reason}",
            facts.reference
        );
        store::calendar_connection::connection_flag_in_tx(
            conn,
            self.caller.business,
            self.connection.id,
            now,
            &said,
        )
        .await?;
        let happening = Happening {
            kind: EventKind::CalendarConflict,
            at: now,
            calendars: Vec::new(),
            booking: Some(facts),
            hold: None,
            payment: None,
        };
        self.engine.record(catalogue, changes, happening)?;
        Ok(())
    }

    /// When all is to be read, sooner than otherwise: where a series has changed, as soon as it may be.
    fn whole_due_at(&self, is_again: bool) -> Option<DateTime<Utc>> {
        let known = self.source.whole_due_at;
        match (self.reading.is_all, self.reading.has_series) {
            (true, _) => known.filter(|_| is_again),
            (false, false) => known,
            (false, true) => known.or_else(|| {
                let now = self.engine.clock().now();
                let last = self.source.full_read_at;
                Some(last.map_or(now, |last| (last + WHOLE_APART).max(now)))
            }),
        }
    }

    async fn end_in_tx(&self, conn: &Conn, compares: bool) -> Result<(), TxError> {
        let (business, now) = (self.caller.business, self.engine.clock().now());
        let Consequences {
            is_overtaken,
            is_unsettled,
            ..
        } = self.consequences;
        let is_again = is_overtaken || is_unsettled;
        let token = if is_again {
            &self.source.sync_token
        } else {
            &self.reading.sync_token
        };
        let (next, whole_due_at) = (self.next_sync_at, self.whole_due_at(is_again));
        let end = ReadingEnd {
            sync_token: token.as_deref(),
            is_all: self.reading.is_all && !is_again,
            whole_due_at,
            is_compared: compares,
            nudges: self.source.nudges,
            at: now,
            next_sync_at: match (is_overtaken, is_unsettled) {
                (true, _) => now,
                (false, true) => now + UNSETTLED,
                (false, false) => whole_due_at.map_or(next, |due| due.min(next)),
            },
        };
        store::calendar_source::source_finish_in_tx(conn, business, self.source.id, &end).await?;
        if self.reading.is_all {
            let (connection, before) = (self.connection.id, now - KEPT);
            store::calendar_link::link_forget_in_tx(conn, business, connection, before).await?;
        }
        Ok(())
    }
}
