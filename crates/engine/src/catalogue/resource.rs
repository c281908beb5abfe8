//! Resources and their kinds: create, change, archive.

use domain::id::{CalendarId, Id, LocationId, ResourceId, ResourceKindId};
use domain::problem::Problem;
use domain::resource::{Resource, ResourceKind};
use domain::text;
use serde::Serialize;
use store::calendar::{CalendarKind, calendar_insert_in_tx};
use store::{Conn, StoreError};
use uuid::Uuid;

use super::location::checked_locations;
use super::put::{Put, PutRequest, Thing};
use crate::{Caller, Engine, Result};

/// The most units that one resource may have.
const UNITS_MAX: i64 = 1_000;

/// A kind of resource to make.
#[derive(Debug, Clone, Serialize)]
pub struct CreateResourceKind {
    /// Its name.
    pub name: String,
}

/// What to change of a kind of resource; what is none stays.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateResourceKind {
    /// Which.
    pub id: ResourceKindId,
    /// Its name.
    pub name: Option<String>,
    /// Whether no new resources of it are made.
    pub archived: Option<bool>,
}

/// A resource to make.
#[derive(Debug, Clone, Serialize)]
pub struct CreateResource {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind_id: ResourceKindId,
    /// Where it stands.
    pub location_id: LocationId,
    /// How many sessions it takes at once.
    pub units: i32,
}

/// What to change of a resource; what is none stays.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateResource {
    /// Which.
    pub id: ResourceId,
    /// Its name.
    pub name: Option<String>,
    /// How many sessions it takes at once. What is booked already stands.
    pub units: Option<i32>,
    /// Whether it is closed to new bookings.
    pub archived: Option<bool>,
}

impl Thing for ResourceKind {
    type Id = ResourceKindId;

    fn id(&self) -> ResourceKindId {
        self.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        Vec::new()
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let at = context.engine.clock().now();
        store::resource::resource_kind_put_in_tx(conn, context.caller.business, self, at).await
    }
}

impl Thing for Resource {
    type Id = ResourceId;

    fn id(&self) -> ResourceId {
        self.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        vec![self.id.into()]
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let business = context.caller.business;
        if context.is_new {
            calendar_insert_in_tx(conn, business, self.id.into(), CalendarKind::Resource).await?;
        }
        store::resource::resource_put_in_tx(conn, business, self, context.engine.clock().now())
            .await
    }
}

impl Engine {
    /// Makes a kind of resource.
    pub async fn create_resource_kind(
        &self,
        caller: &Caller,
        input: CreateResourceKind,
        key: Option<&str>,
    ) -> Result<ResourceKindId> {
        let request = PutRequest {
            operation: "createResourceKind",
            key,
            input: &input.clone(),
            is_new: true,
        };
        let name = text::name(&["input", "name"], &input.name)?;
        let id = ResourceKindId::from_uuid(Uuid::now_v7());
        self.put(caller, request, move |_| {
            Ok(ResourceKind {
                id,
                name: name.clone(),
                archived: false,
            })
        })
        .await
    }

    /// Changes a kind of resource.
    pub async fn update_resource_kind(
        &self,
        caller: &Caller,
        input: UpdateResourceKind,
        key: Option<&str>,
    ) -> Result<ResourceKindId> {
        let request = PutRequest {
            operation: "updateResourceKind",
            key,
            input: &input.clone(),
            is_new: false,
        };
        self.put(caller, request, move |catalogue| {
            let known = catalogue.resource_kind(input.id);
            let mut kind = ResourceKind::clone(
                known.ok_or_else(|| Problem::not_found(&["input", "id"], "resource kind"))?,
            );
            if let Some(name) = &input.name {
                kind.name = text::name(&["input", "name"], name)?;
            }
            kind.archived = input.archived.unwrap_or(kind.archived);
            Ok(kind)
        })
        .await
    }

    /// Makes a resource, with a calendar of its own.
    pub async fn create_resource(
        &self,
        caller: &Caller,
        input: CreateResource,
        key: Option<&str>,
    ) -> Result<ResourceId> {
        let request = PutRequest {
            operation: "createResource",
            key,
            input: &input.clone(),
            is_new: true,
        };
        let name = text::name(&["input", "name"], &input.name)?;
        let units = text::number(&["input", "units"], input.units.into(), 1..=UNITS_MAX)?;
        let id = ResourceId::from_uuid(Uuid::now_v7());
        self.put(caller, request, move |catalogue| {
            let kind = catalogue
                .resource_kind(input.kind_id)
                .filter(|kind| !kind.archived);
            let kind =
                kind.ok_or_else(|| Problem::not_found(&["input", "kindId"], "resource kind"))?;
            checked_locations(catalogue, &["input", "locationId"], &[input.location_id])?;
            let (kind_id, location_id) = (kind.id, input.location_id);
            Ok(Resource {
                id,
                name: name.clone(),
                kind_id,
                location_id,
                units,
                archived: false,
            })
        })
        .await
    }

    /// Changes a resource.
    pub async fn update_resource(
        &self,
        caller: &Caller,
        input: UpdateResource,
        key: Option<&str>,
    ) -> Result<ResourceId> {
        let request = PutRequest {
            operation: "updateResource",
            key,
            input: &input.clone(),
            is_new: false,
        };
        self.put(caller, request, move |catalogue| {
            let known = catalogue.resource(input.id);
            let mut resource = Resource::clone(
                known.ok_or_else(|| Problem::not_found(&["input", "id"], "resource"))?,
            );
            if let Some(name) = &input.name {
                resource.name = text::name(&["input", "name"], name)?;
            }
            if let Some(units) = input.units {
                resource.units = text::number(&["input", "units"], units.into(), 1..=UNITS_MAX)?;
            }
            resource.archived = input.archived.unwrap_or(resource.archived);
            Ok(resource)
        })
        .await
    }
}
