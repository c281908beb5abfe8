//! Hours and blocks, read back as they were set: for many providers or calendars in one statement each.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use domain::id::{CalendarId, Id, LocationId, ProviderId};
use domain::problem::Problem;
use domain::schedule::{LocalWindow, Schedule};
use store::block::Block;
use uuid::Uuid;

use super::cache::{weekly, window};
use crate::availability::checked_span;
use crate::{Caller, Engine, Error, Result};

/// The longest time that can be asked about at once.
const SPAN_MAX: TimeDelta = TimeDelta::days(366);

/// The weekly hours of a provider at a location.
#[derive(Debug, Clone)]
pub struct ProviderHours {
    /// Whose.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// When, without any overrides.
    pub schedule: Schedule,
}

/// What replaces the weekly hours of a provider at a location on one local day.
#[derive(Debug, Clone)]
pub struct ProviderDay {
    /// Whose.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// The day.
    pub date: NaiveDate,
    /// When; empty: closed.
    pub windows: Vec<LocalWindow>,
}

impl Engine {
    /// The weekly hours of these providers, by provider and location. Anybody may know them: they show in what is free.
    pub async fn weekly_hours(
        &self,
        caller: &Caller,
        providers: &[ProviderId],
    ) -> Result<Vec<ProviderHours>> {
        let ids: Vec<Uuid> = providers.iter().map(|id| id.uuid()).collect();
        let conn = self.0.database.conn().await?;
        let rows = store::schedule::weekly_hours_list(&conn, caller.business, &ids).await?;
        let mut hours: Vec<ProviderHours> = rows
            .into_iter()
            .map(|row| ProviderHours {
                provider_id: row.provider_id,
                location_id: row.location_id,
                schedule: Schedule {
                    weekly: weekly(&row.windows),
                    ..Schedule::default()
                },
            })
            .collect();
        hours.sort_unstable_by_key(|hours| (hours.provider_id, hours.location_id));
        Ok(hours)
    }

    /// The date overrides of these providers from one day to another, both included; by date and location. Anybody may know them.
    pub async fn date_overrides(
        &self,
        caller: &Caller,
        providers: &[ProviderId],
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<ProviderDay>> {
        checked_days(from, to)?;
        let ids: Vec<Uuid> = providers.iter().map(|id| id.uuid()).collect();
        let conn = self.0.database.conn().await?;
        let rows =
            store::schedule::date_override_list_between(&conn, caller.business, &ids, from, to)
                .await?;
        Ok(rows
            .into_iter()
            .map(|row| ProviderDay {
                provider_id: row.provider_id,
                location_id: row.location_id,
                date: row.date,
                windows: row
                    .windows
                    .iter()
                    .filter_map(|stored| window(*stored))
                    .collect(),
            })
            .collect())
    }

    /// The blocks on these calendars that lie, at least in part, in a time; by beginning. For calendars that the caller may change.
    pub async fn blocks(
        &self,
        caller: &Caller,
        calendars: &[CalendarId],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Block>> {
        if !caller.actor.is_staff() {
            return Err(Error::forbidden(caller, "see blocks"));
        }
        checked_span(&["from"], &["to"], from, to)?;
        if to - from > SPAN_MAX {
            return Err(too_long().into());
        }
        let ids: Vec<Uuid> = calendars.iter().map(|id| id.uuid()).collect();
        let conn = self.0.database.conn().await?;
        Ok(store::block::block_list_between(&conn, caller.business, &ids, from, to).await?)
    }
}

fn checked_days(from: NaiveDate, to: NaiveDate) -> Result<(), Problem> {
    for (path, date) in [("from", from), ("to", to)] {
        if !(1970..=9999).contains(&date.year()) {
            return Err(Problem::invalid(
                &[path],
                "must lie in the years 1970 to 9999",
            ));
        }
    }
    if to < from {
        return Err(Problem::invalid(&["to"], "must not be before `from`"));
    }
    if to - from >= SPAN_MAX {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> Problem {
    Problem::invalid(&["to"], "must be at most 366 days after `from`")
}
