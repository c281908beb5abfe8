//! Locations: create, change, set the opening hours of, archive.

use domain::id::{CalendarId, Id, LocationId};
use domain::location::Location;
use domain::problem::Problem;
use domain::schedule::Schedule;
use domain::text;
use domain::zone::Zone;
use serde::Serialize;
use store::{Conn, StoreError};
use uuid::Uuid;

use super::Catalogue;
use super::cache::{location_row, opening_windows};
use super::put::{Put, PutRequest, Thing};
use super::schedule::{WeeklyWindow, checked_weekly};
use crate::{Caller, Engine, Result};

/// A location to make.
#[derive(Debug, Clone, Serialize)]
pub struct CreateLocation {
    /// Its name.
    pub name: String,
    /// The IANA zone of its wall clocks; the business's where none is given.
    pub time_zone: Option<String>,
}

/// What to change of a location; what is none stays.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateLocation {
    /// Which.
    pub id: LocationId,
    /// Its name.
    pub name: Option<String>,
    /// Its zone.
    pub time_zone: Option<String>,
    /// Whether it is closed to new bookings.
    pub archived: Option<bool>,
}

/// A location's own opening hours; none: open whenever its providers work.
#[derive(Debug, Clone, Serialize)]
pub struct SetOpeningHours {
    /// Which.
    pub location_id: LocationId,
    /// When, for each weekday.
    pub windows: Option<Vec<WeeklyWindow>>,
}

impl Thing for Location {
    type Id = LocationId;

    fn id(&self) -> LocationId {
        self.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        Vec::new()
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let row = location_row(self, opening_windows(self));
        store::location::location_put_in_tx(
            conn,
            context.caller.business,
            &row,
            context.engine.clock().now(),
        )
        .await
    }
}

impl Engine {
    /// Makes a location.
    pub async fn create_location(
        &self,
        caller: &Caller,
        input: CreateLocation,
        key: Option<&str>,
    ) -> Result<LocationId> {
        let request = PutRequest {
            operation: "createLocation",
            key,
            input: &input.clone(),
            is_new: true,
        };
        let zone = self.zone(&["input", "timeZone"], input.time_zone.as_deref())?;
        let name = text::name(&["input", "name"], &input.name)?;
        let id = LocationId::from_uuid(Uuid::now_v7());
        self.put(caller, request, move |catalogue| {
            let zone = zone.clone().unwrap_or_else(|| catalogue.zone.clone());
            Ok(Location {
                id,
                name: name.clone(),
                zone,
                opening: None,
                archived: false,
            })
        })
        .await
    }

    /// Changes a location.
    pub async fn update_location(
        &self,
        caller: &Caller,
        input: UpdateLocation,
        key: Option<&str>,
    ) -> Result<LocationId> {
        let request = PutRequest {
            operation: "updateLocation",
            key,
            input: &input.clone(),
            is_new: false,
        };
        let zone = self.zone(&["input", "timeZone"], input.time_zone.as_deref())?;
        self.put(caller, request, move |catalogue| {
            let mut location = known(catalogue, &["input", "id"], input.id)?;
            if let Some(name) = &input.name {
                location.name = text::name(&["input", "name"], name)?;
            }
            if let Some(zone) = &zone {
                location.zone = zone.clone();
            }
            location.archived = input.archived.unwrap_or(location.archived);
            Ok(location)
        })
        .await
    }

    /// Sets a location's own opening hours (AVAILABILITY.md, 4).
    pub async fn set_opening_hours(
        &self,
        caller: &Caller,
        input: SetOpeningHours,
        key: Option<&str>,
    ) -> Result<LocationId> {
        let request = PutRequest {
            operation: "setOpeningHours",
            key,
            input: &input.clone(),
            is_new: false,
        };
        let windows = input.windows.as_deref().map(checked_weekly).transpose()?;
        self.put(caller, request, move |catalogue| {
            let mut location = known(catalogue, &["input", "locationId"], input.location_id)?;
            location.opening = windows.as_ref().map(|windows| Schedule {
                weekly: super::cache::weekly(windows),
                ..Schedule::default()
            });
            Ok(location)
        })
        .await
    }

    pub(crate) fn zone(&self, path: &[&str], name: Option<&str>) -> Result<Option<Zone>> {
        let Some(name) = name else { return Ok(None) };
        let zone = self.zones().get(name);
        Ok(Some(zone.ok_or_else(|| {
            Problem::invalid(path, "is not an IANA time zone such as Europe/London")
        })?))
    }
}

fn known(catalogue: &Catalogue, path: &[&str], id: LocationId) -> Result<Location> {
    let location = catalogue
        .location(id)
        .ok_or_else(|| Problem::not_found(path, "location"))?;
    Ok(Location::clone(location))
}

/// The ids, each of a location that is open to new bookings; sorted, each once.
pub(crate) fn checked_locations(
    catalogue: &Catalogue,
    path: &[&str],
    ids: &[LocationId],
) -> Result<Vec<LocationId>> {
    for id in ids {
        catalogue
            .location(*id)
            .filter(|known| !known.archived)
            .ok_or_else(|| Problem::not_found(path, "location"))?;
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
