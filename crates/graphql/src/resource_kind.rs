//! Kinds of resources, as they are shown.

use std::sync::Arc;

use async_graphql::{ID, Object};
use domain::id::ResourceKindId;
use domain::resource;
use engine::catalogue::Catalogue;

use crate::id::shown;

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
