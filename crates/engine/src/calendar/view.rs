//! A connection as staff see it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Right;
use domain::id::{Id, ProviderId};
use store::calendar_connection::ConnectionRow;
use store::calendar_source::SourceRow;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::plugin::{PluginState, is_in_use};
use crate::{Caller, Engine, Result};

/// How long it is said that a booking could not follow its event.
const CONFLICT_SHOWN: TimeDelta = TimeDelta::days(7);

/// A provider's connection to their calendars elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarConnection {
    /// Whose.
    pub provider_id: ProviderId,
    /// By which plugin.
    pub plugin: String,
    /// The account, as its owner knows it.
    pub account: String,
    /// How it fares.
    pub state: PluginState,
    /// When all of its calendars had been read last.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// What is wrong.
    pub last_error: Option<String>,
    /// What is read for when the provider is busy.
    pub read_from: Vec<String>,
    /// Where bookings are written.
    pub write_to: Option<String>,
}

impl Engine {
    /// The connections of these providers, those that the caller may see.
    pub async fn calendar_connections(
        &self,
        caller: &Caller,
        providers: &[ProviderId],
    ) -> Result<Vec<CalendarConnection>> {
        let may = |id: &&ProviderId| caller.actor.may(Right::ManageSchedule(Some(**id)));
        let ids: Vec<Uuid> = providers.iter().filter(may).map(|id| id.uuid()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let rows =
            store::calendar_connection::connection_list(&conn, caller.business, &ids).await?;
        let connections: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let sources =
            store::calendar_source::source_list(&conn, caller.business, &connections).await?;
        let view = |row: ConnectionRow| {
            let own = |source: &&SourceRow| {
                source.connection_id == row.id && source.next_sync_at.is_some()
            };
            let own: Vec<&SourceRow> = sources.iter().filter(own).collect();
            self.shown_connection(&catalogue, row, &own)
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn shown_connection(
        &self,
        catalogue: &Catalogue,
        row: ConnectionRow,
        sources: &[&SourceRow],
    ) -> CalendarConnection {
        let mut all = self.plugins().iter();
        let is_used =
            all.any(|plugin| plugin.name() == row.plugin && is_in_use(catalogue, &**plugin));
        let failing = sources.iter().find(|source| source.failures > 0);
        let state = if !is_used {
            PluginState::Disabled
        } else if row.broken_at.is_some() {
            PluginState::Broken
        } else if failing.is_some() {
            PluginState::Retrying
        } else {
            PluginState::Ok
        };
        let now = self.clock().now();
        let conflict = row
            .conflict
            .filter(|_| row.conflict_at.is_some_and(|at| now - at < CONFLICT_SHOWN));
        let reading = failing.and_then(|source| source.last_error.clone());
        let last_sync_at = sources.iter().map(|source| source.last_sync_at).min();
        CalendarConnection {
            provider_id: ProviderId::from_uuid(row.provider_id),
            plugin: row.plugin,
            account: row.account,
            state,
            last_sync_at: last_sync_at.flatten(),
            last_error: row.last_error.or(reading).or(conflict),
            read_from: row.read_from,
            write_to: row.write_to,
        }
    }
}
