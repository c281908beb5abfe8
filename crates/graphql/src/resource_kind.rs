//! Kinds of resources: treatment room, styling chair, court.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::ResourceKindId;
use domain::resource;
use engine::catalogue::Catalogue;
use engine::catalogue::resource as engine_resource;

use crate::LIST_COST;
use crate::failure::Result;
use crate::id::{parsed, shown};
use crate::problem::Problem;
use crate::request::Asked;
use crate::settle::{bare, changed};

pub struct ResourceKind(Arc<resource::ResourceKind>);

impl ResourceKind {
    /// The kind with this id, archived or not.
    pub(crate) fn find(catalogue: &Arc<Catalogue>, id: ResourceKindId) -> Option<Self> {
        catalogue.resource_kind(id).cloned().map(Self)
    }
}

/// A kind of resource that services can require: treatment room, styling chair, court.
#[Object]
impl ResourceKind {
    /// Its id, `rsk_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether no more resources of it are made. Those there are stay.
    async fn archived(&self) -> bool {
        self.0.archived
    }
}

/// What became of a mutation of a kind of resource.
#[derive(SimpleObject)]
pub struct ResourceKindPayload {
    /// The kind as it is now; null when nothing was done.
    resource_kind: Option<ResourceKind>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A kind of resource to make.
#[derive(InputObject)]
pub struct CreateResourceKindInput {
    /// Its name, 1 to 200 characters.
    name: String,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What to change of a kind of resource. What is left out, or null, stays as it is.
#[derive(InputObject)]
pub struct UpdateResourceKindInput {
    /// Which kind.
    id: ID,
    /// Its name, 1 to 200 characters.
    name: Option<String>,
    /// Whether no more resources of it are made: false brings an archived kind back.
    archived: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct ResourceKindQuery;

#[Object]
impl ResourceKindQuery {
    /// The kinds of resources, in the order in which they were made.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn resource_kinds(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Staff: also those that are archived. Nobody else sees them here."
        )]
        include_archived: Option<bool>,
    ) -> Result<Vec<ResourceKind>> {
        let asked = Asked::of(ctx)?;
        let archived = asked.wants_archived(include_archived);
        let catalogue = asked.catalogue().await?;
        let listed = catalogue
            .resource_kinds
            .values()
            .filter(|kind| archived || !kind.archived);
        Ok(listed
            .filter_map(|kind| ResourceKind::find(&catalogue, kind.id))
            .collect())
    }
}

#[derive(Default)]
pub struct ResourceKindMutation;

#[Object]
impl ResourceKindMutation {
    /// Makes a kind of resource. Owners and managers.
    async fn create_resource_kind(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The kind.")] input: CreateResourceKindInput,
    ) -> Result<ResourceKindPayload> {
        let asked = Asked::of(ctx)?;
        let create = engine_resource::CreateResourceKind { name: input.name };
        let key = input.idempotency_key.as_deref();
        payload(
            ctx,
            asked
                .engine
                .create_resource_kind(&asked.caller, create, key)
                .await,
        )
        .await
    }

    /// Changes a kind of resource. Owners and managers.
    async fn update_resource_kind(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateResourceKindInput,
    ) -> Result<ResourceKindPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["input", "id"], &input.id)?;
            let update = engine_resource::UpdateResourceKind {
                id,
                name: input.name,
                archived: input.archived,
            };
            asked
                .engine
                .update_resource_kind(&asked.caller, update, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Archives a kind of resource: no more resources of it are made. Owners and managers.
    async fn archive_resource_kind(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which kind.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ResourceKindPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let update = engine_resource::UpdateResourceKind {
                id,
                name: None,
                archived: Some(true),
            };
            asked
                .engine
                .update_resource_kind(&asked.caller, update, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await)).await
    }
}

async fn payload(
    ctx: &Context<'_>,
    outcome: engine::Result<ResourceKindId>,
) -> Result<ResourceKindPayload> {
    let (resource_kind, problems) = changed(ctx, outcome, ResourceKind::find).await?;
    Ok(ResourceKindPayload {
        resource_kind,
        problems,
    })
}
