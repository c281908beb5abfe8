//! Catalogues in memory, by the version that the database gives them: one small statement tells whether one is still right, and a
//! constant number reads it anew when it is not.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use domain::id::{BusinessId, LocationId};
use domain::location::Location;
use domain::schedule::{LocalTime, LocalWindow, Schedule};
use domain::zone::{Zone, ZoneDatabase};
use moka::future::Cache;
use store::Conn;
use store::location::LocationRow;
use store::schedule::{WeeklyWindow, Window};

use super::Catalogue;
use crate::{Caller, Engine, Error, Result};

/// Catalogues by business.
pub(crate) struct Catalogues(Cache<BusinessId, Arc<Catalogue>>);

impl Default for Catalogues {
    fn default() -> Self {
        Self(Cache::new(1_000))
    }
}

impl Engine {
    /// The catalogue of the caller's business as it is now.
    pub async fn catalogue(&self, caller: &Caller) -> Result<Arc<Catalogue>> {
        let conn = self.0.database.conn().await?;
        self.catalogue_on(&conn, caller.business).await
    }

    /// The same, on a connection that the caller has already.
    pub(crate) async fn catalogue_on(
        &self,
        conn: &Conn,
        business: BusinessId,
    ) -> Result<Arc<Catalogue>> {
        let version = store::business::business_catalogue_version(conn, business).await?;
        let version =
            version.ok_or_else(|| Error::NoBusiness("there is no such business".to_owned()))?;
        if let Some(known) = self
            .0
            .catalogues
            .0
            .get(&business)
            .await
            .filter(|known| known.version == version)
        {
            return Ok(known);
        }
        let read = Arc::new(read(conn, business, self.zones()).await?);
        self.0.catalogues.0.insert(business, read.clone()).await;
        Ok(read)
    }
}

/// Reads a catalogue: its version first, so that what is kept under a version is never older than it.
async fn read(conn: &Conn, business: BusinessId, zones: &ZoneDatabase) -> Result<Catalogue> {
    let row = store::business::business_find(conn, business).await?;
    let row = row.ok_or_else(|| Error::NoBusiness("there is no such business".to_owned()))?;
    let (locations, providers, kinds, resources, services, plugins, webhooks, calendars, rules) = futures_util::try_join!(
        store::location::location_list(conn, business),
        store::provider::provider_list(conn, business),
        store::resource::resource_kind_list(conn, business),
        store::resource::resource_list(conn, business),
        store::service::service_list(conn, business, row.business.currency),
        store::plugin::plugin_setting_list(conn, business),
        store::webhook::webhook_endpoint_list(conn, business),
        store::calendar_route::route_list(conn, business),
        store::notification_rule::notification_rule_list(conn, business),
    )?;
    let locations = locations
        .into_iter()
        .map(|row| location(row, zones))
        .collect::<Result<Vec<_>>>()?;
    Ok(Catalogue {
        version: row.catalogue_version,
        zone: zone(zones, &row.business.time_zone)?,
        business: row.business,
        locations: by_id(locations, |location| location.id),
        providers: by_id(providers, |provider| provider.id),
        resource_kinds: by_id(kinds, |kind| kind.id),
        resources: by_id(resources, |resource| resource.id),
        services: by_id(services, |service| service.id),
        plugins: plugins
            .into_iter()
            .map(|row| (row.plugin.clone(), row))
            .collect(),
        webhooks: webhooks.into_iter().map(|row| row.endpoint).collect(),
        calendars: calendars.into_iter().collect(),
        notification_rules: rules,
    })
}

fn by_id<K: Ord + Hash, V>(things: Vec<V>, id: impl Fn(&V) -> K) -> BTreeMap<K, Arc<V>> {
    things
        .into_iter()
        .map(|thing| (id(&thing), Arc::new(thing)))
        .collect()
}

fn zone(zones: &ZoneDatabase, name: &str) -> Result<Zone> {
    zones.get(name).ok_or_else(|| {
        Error::Fault(format!(
            "the zone `{name}` is stored but not in the zone data"
        ))
    })
}

fn location(row: LocationRow, zones: &ZoneDatabase) -> Result<Location> {
    let LocationRow {
        id,
        name,
        time_zone,
        opening,
        archived,
    } = row;
    let opening = opening.map(|windows| Schedule {
        weekly: weekly(&windows),
        overrides: BTreeMap::new(),
    });
    Ok(Location {
        id,
        name,
        zone: zone(zones, &time_zone)?,
        opening,
        archived,
    })
}

/// Weekly windows as the rules read them.
pub(crate) fn weekly(windows: &[WeeklyWindow]) -> [Vec<LocalWindow>; 7] {
    let mut days: [Vec<LocalWindow>; 7] = Default::default();
    for &(weekday, opens, closes) in windows {
        if let (Some(day), Some(window)) =
            (days.get_mut(usize::from(weekday)), window((opens, closes)))
        {
            day.push(window);
        }
    }
    days
}

/// A stored window as the rules read it.
pub(crate) fn window((opens, closes): Window) -> Option<LocalWindow> {
    LocalWindow::new(
        LocalTime::from_minutes(opens)?,
        LocalTime::from_minutes(closes)?,
    )
}

/// A location as it is stored.
pub(crate) fn location_row(location: &Location, opening: Option<Vec<WeeklyWindow>>) -> LocationRow {
    LocationRow {
        id: location.id,
        name: location.name.clone(),
        time_zone: location.zone.name().to_owned(),
        opening,
        archived: location.archived,
    }
}

/// The stored form of a location's opening hours.
pub(crate) fn opening_windows(location: &Location) -> Option<Vec<WeeklyWindow>> {
    let opening = location.opening.as_ref()?;
    let day = |(weekday, windows): (usize, &Vec<LocalWindow>)| {
        let weekday = u8::try_from(weekday).unwrap_or(0);
        windows
            .iter()
            .map(move |w| (weekday, w.opens().minutes(), w.closes().minutes()))
            .collect::<Vec<_>>()
    };
    Some(opening.weekly.iter().enumerate().flat_map(day).collect())
}

/// The locations that are open to new bookings.
pub(crate) fn open_locations(catalogue: &Catalogue) -> Vec<LocationId> {
    catalogue
        .locations
        .values()
        .filter(|location| !location.archived)
        .map(|location| location.id)
        .collect()
}
