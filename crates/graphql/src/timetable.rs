//! Hours and blocks read back as they were set. Each field of a list is read for the whole list in one statement.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{ID, SimpleObject};
use chrono::NaiveDate;
use domain::id::{CalendarId, LocationId, ProviderId};
use domain::provider::Provider;
use domain::schedule::LocalWindow;
use engine::catalogue::Catalogue;
use engine::catalogue::block::Block;
use engine::catalogue::timetable::{ProviderDay, ProviderHours};

use crate::failure::{Failure, Result};
use crate::id::optional;
use crate::location::Location;
use crate::request::{Asked, Reader};
use crate::scalar::{Date, DateTime, LocalTime};
use crate::schedule::WeeklyWindow;

/// Hours on one day.
#[derive(SimpleObject)]
pub struct Window {
    /// When it opens.
    opens: LocalTime,
    /// When it closes: on the same day where that is later than it opens, else on the next.
    closes: LocalTime,
}

impl From<&LocalWindow> for Window {
    fn from(window: &LocalWindow) -> Self {
        Self {
            opens: LocalTime(window.opens()),
            closes: LocalTime(window.closes()),
        }
    }
}

/// A provider's weekly hours at a location, as `setWeeklyHours` set them.
#[derive(SimpleObject)]
pub struct WeeklyHours {
    /// Where. The hours are in its time zone.
    location: Location,
    /// When, by weekday and opening.
    windows: Vec<WeeklyWindow>,
}

/// What replaces a provider's weekly hours at a location on one day, as `setDateOverride` set it.
#[derive(SimpleObject)]
pub struct DateOverride {
    /// Where. The day and the hours are in its time zone.
    location: Location,
    /// The day.
    date: Date,
    /// When, by opening; empty: closed.
    windows: Vec<Window>,
}

/// At which of their locations: the one asked for, else any that is open.
struct Where<'a> {
    catalogue: &'a Arc<Catalogue>,
    provider: &'a Provider,
    only: Option<LocationId>,
}

impl<'a> Where<'a> {
    fn new(
        catalogue: &'a Arc<Catalogue>,
        provider: &'a Provider,
        only: Option<&ID>,
    ) -> Result<Self> {
        Ok(Self {
            catalogue,
            provider,
            only: optional(&["locationId"], only)?,
        })
    }

    fn location(&self, id: LocationId) -> Option<Location> {
        let archived = self.catalogue.location(id)?.archived;
        let wanted = self.only.is_none_or(|only| only == id);
        let works_there = self.provider.location_ids.contains(&id);
        (wanted && works_there && !archived).then(|| Location::find(self.catalogue, id))?
    }
}

/// The weekly hours of a provider.
pub(crate) async fn weekly_hours(
    asked: &Asked<'_>,
    catalogue: &Arc<Catalogue>,
    provider: &Provider,
    location_id: Option<&ID>,
) -> Result<Vec<WeeklyHours>> {
    let place = Where::new(catalogue, provider, location_id)?;
    let hours = asked.load(HoursOf(provider.id)).await?.unwrap_or_default();
    let shown = hours.iter().filter_map(|hours| {
        Some(WeeklyHours {
            location: place.location(hours.location_id)?,
            windows: WeeklyWindow::of(&hours.schedule),
        })
    });
    Ok(shown.collect())
}

/// The date overrides of a provider in these days.
pub(crate) async fn date_overrides(
    asked: &Asked<'_>,
    catalogue: &Arc<Catalogue>,
    provider: &Provider,
    (from, to): (Date, Date),
    location_id: Option<&ID>,
) -> Result<Vec<DateOverride>> {
    let place = Where::new(catalogue, provider, location_id)?;
    let key = DaysOf {
        provider: provider.id,
        days: (from.0, to.0),
    };
    let days = asked.load(key).await?.unwrap_or_default();
    let shown = days.iter().filter_map(|day| {
        Some(DateOverride {
            location: place.location(day.location_id)?,
            date: Date(day.date),
            windows: day.windows.iter().map(Window::from).collect(),
        })
    });
    Ok(shown.collect())
}

/// The blocks on a calendar in this time.
pub(crate) async fn blocks(
    asked: &Asked<'_>,
    calendar: CalendarId,
    (from, to): (DateTime, DateTime),
) -> Result<Vec<Block>> {
    let key = BlocksOf {
        calendar,
        time: (from.utc(), to.utc()),
    };
    Ok(asked.load(key).await?.unwrap_or_default())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HoursOf(ProviderId);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DaysOf {
    provider: ProviderId,
    days: (NaiveDate, NaiveDate),
}

type Instant = chrono::DateTime<chrono::Utc>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlocksOf {
    calendar: CalendarId,
    time: (Instant, Instant),
}

impl Loader<HoursOf> for Reader {
    type Value = Vec<ProviderHours>;
    type Error = Failure;

    async fn load(&self, keys: &[HoursOf]) -> Result<HashMap<HoursOf, Vec<ProviderHours>>> {
        let ids: Vec<ProviderId> = keys.iter().map(|key| key.0).collect();
        let hours = self.engine.weekly_hours(&self.caller, &ids).await?;
        Ok(by_key(hours, |hours| HoursOf(hours.provider_id)))
    }
}

impl Loader<DaysOf> for Reader {
    type Value = Vec<ProviderDay>;
    type Error = Failure;

    async fn load(&self, keys: &[DaysOf]) -> Result<HashMap<DaysOf, Vec<ProviderDay>>> {
        let mut loaded = HashMap::new();
        for (days, ids) in by_time(keys, |key| (key.days, key.provider)) {
            let (from, to) = days;
            let read = self
                .engine
                .date_overrides(&self.caller, &ids, from, to)
                .await?;
            loaded.extend(by_key(read, |day| DaysOf {
                provider: day.provider_id,
                days,
            }));
        }
        Ok(loaded)
    }
}

impl Loader<BlocksOf> for Reader {
    type Value = Vec<Block>;
    type Error = Failure;

    async fn load(&self, keys: &[BlocksOf]) -> Result<HashMap<BlocksOf, Vec<Block>>> {
        let mut loaded = HashMap::new();
        for (time, ids) in by_time(keys, |key| (key.time, key.calendar)) {
            let (from, to) = time;
            let read = self.engine.blocks(&self.caller, &ids, from, to).await?;
            loaded.extend(by_key(read, |block| BlocksOf {
                calendar: block.calendar_id,
                time,
            }));
        }
        Ok(loaded)
    }
}

/// Keys of one time together: a field is asked about one time for all things of a list, by another name about another.
fn by_time<Key, Time: Eq + Hash, Of>(
    keys: &[Key],
    parts: impl Fn(&Key) -> (Time, Of),
) -> HashMap<Time, Vec<Of>> {
    let mut grouped: HashMap<Time, Vec<Of>> = HashMap::new();
    for (time, of) in keys.iter().map(parts) {
        grouped.entry(time).or_default().push(of);
    }
    grouped
}

fn by_key<Key: Eq + Hash, Value>(
    values: Vec<Value>,
    key: impl Fn(&Value) -> Key,
) -> HashMap<Key, Vec<Value>> {
    let mut grouped: HashMap<Key, Vec<Value>> = HashMap::new();
    for value in values {
        grouped.entry(key(&value)).or_default().push(value);
    }
    grouped
}
