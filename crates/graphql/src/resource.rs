//! Resources: rooms, chairs, machines.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::actor::Right;
use domain::id::ResourceId;
use domain::resource;
use engine::catalogue::Catalogue;
use engine::catalogue::resource as engine_resource;

use crate::LIST_COST;
use crate::block::Block;
use crate::failure::{Failure, Result};
use crate::id::{parsed, shown};
use crate::location::Location;
use crate::problem::Problem;
use crate::request::Asked;
use crate::resource_kind::ResourceKind;
use crate::scalar::DateTime;
use crate::settle::{bare, changed};

pub struct Resource {
    catalogue: Arc<Catalogue>,
    resource: Arc<resource::Resource>,
}

impl Resource {
    /// The resource with this id, archived or not.
    pub(crate) fn find(catalogue: &Arc<Catalogue>, id: ResourceId) -> Option<Self> {
        let resource = catalogue.resource(id)?.clone();
        Some(Self {
            catalogue: catalogue.clone(),
            resource,
        })
    }
}

/// A resource of a kind, at a location.
#[Object]
impl Resource {
    /// Its id, `rsc_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.resource.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.resource.name
    }

    /// What kind it is of.
    async fn kind(&self) -> Result<ResourceKind> {
        let kind = ResourceKind::find(&self.catalogue, self.resource.kind_id);
        kind.ok_or_else(|| Failure::fault("a resource has no kind"))
    }

    /// Where it stands.
    async fn location(&self) -> Result<Location> {
        let location = Location::find(&self.catalogue, self.resource.location_id);
        location.ok_or_else(|| Failure::fault("a resource has no location"))
    }

    /// How many sessions it takes at once: a room with three chairs has 3.
    async fn units(&self) -> u32 {
        self.resource.units
    }

    /// When it is blocked, by beginning: all blocks that lie in this time, at least in part; `createBlock` makes them. Shown to owners
    /// and managers; null for anybody else.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn blocks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of the time.")] from: DateTime,
        #[graphql(desc = "Its end, at most 366 days later.")] to: DateTime,
    ) -> Result<Option<Vec<Block>>> {
        let right = Right::ManageSchedule(None);
        Block::list(
            ctx,
            &self.catalogue,
            self.resource.id.into(),
            right,
            (from, to),
        )
        .await
    }

    /// Whether it is closed to new bookings. What was booked stands.
    async fn archived(&self) -> bool {
        self.resource.archived
    }
}

/// What became of a mutation of a resource.
#[derive(SimpleObject)]
pub struct ResourcePayload {
    /// The resource as it is now; null when nothing was done.
    resource: Option<Resource>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A resource to make.
#[derive(InputObject)]
pub struct CreateResourceInput {
    /// Its name, 1 to 200 characters.
    name: String,
    /// What kind it is of.
    kind_id: ID,
    /// Where it stands.
    location_id: ID,
    /// How many sessions it takes at once, 1 to 1,000.
    #[graphql(default = 1)]
    units: Option<i32>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What to change of a resource. What is left out, or null, stays as it is.
#[derive(InputObject)]
pub struct UpdateResourceInput {
    /// Which resource.
    id: ID,
    /// Its name, 1 to 200 characters.
    name: Option<String>,
    /// How many sessions it takes at once, 1 to 1,000. What is booked already stands.
    units: Option<i32>,
    /// Whether it is closed to new bookings: false brings an archived resource back.
    archived: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct ResourceQuery;

#[Object]
impl ResourceQuery {
    /// The resources, in the order in which they were made.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn resources(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Staff: also those that are archived. Nobody else sees them here."
        )]
        include_archived: Option<bool>,
    ) -> Result<Vec<Resource>> {
        let asked = Asked::of(ctx)?;
        let archived = asked.wants_archived(include_archived);
        let catalogue = asked.catalogue().await?;
        let listed = catalogue
            .resources
            .values()
            .filter(|resource| archived || !resource.archived);
        Ok(listed
            .filter_map(|resource| Resource::find(&catalogue, resource.id))
            .collect())
    }
}

#[derive(Default)]
pub struct ResourceMutation;

#[Object]
impl ResourceMutation {
    /// Makes a resource. Owners and managers.
    async fn create_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The resource.")] input: CreateResourceInput,
    ) -> Result<ResourcePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let create = engine_resource::CreateResource {
                name: input.name,
                kind_id: parsed(&["input", "kindId"], &input.kind_id)?,
                location_id: parsed(&["input", "locationId"], &input.location_id)?,
                units: input.units.unwrap_or(1),
            };
            asked
                .engine
                .create_resource(&asked.caller, create, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Changes a resource. Owners and managers.
    async fn update_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateResourceInput,
    ) -> Result<ResourcePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["input", "id"], &input.id)?;
            let UpdateResourceInput {
                name,
                units,
                archived,
                ..
            } = input;
            let update = engine_resource::UpdateResource {
                id,
                name,
                units,
                archived,
            };
            asked
                .engine
                .update_resource(&asked.caller, update, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Closes a resource to new bookings. What is booked stands. Owners and managers.
    async fn archive_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which resource.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ResourcePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let update = engine_resource::UpdateResource {
                id,
                name: None,
                units: None,
                archived: Some(true),
            };
            asked
                .engine
                .update_resource(&asked.caller, update, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await)).await
    }
}

async fn payload(
    ctx: &Context<'_>,
    outcome: engine::Result<ResourceId>,
) -> Result<ResourcePayload> {
    let (resource, problems) = changed(ctx, outcome, Resource::find).await?;
    Ok(ResourcePayload { resource, problems })
}
