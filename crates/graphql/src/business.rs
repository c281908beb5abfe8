//! The business that a request speaks about.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use engine::catalogue::Catalogue;

use crate::failure::Result;
use crate::id::shown;
use crate::request::Asked;
use crate::scalar::TimeZone;

pub struct Business {
    pub(crate) catalogue: Arc<Catalogue>,
}

/// A business as its customers know it. Everything else belongs to one.
#[Object]
impl Business {
    /// Its id, `biz_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.catalogue.business.id)
    }

    /// Its name in addresses, and in the `X-Business` header: lower-case letters, digits and hyphens.
    async fn slug(&self) -> &str {
        &self.catalogue.business.slug
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.catalogue.business.name
    }

    /// The time zone that new locations take, and in which times are shown that belong to no location.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.catalogue.business.time_zone.clone())
    }

    /// The currency of its prices, an ISO 4217 code: `EUR`.
    async fn currency(&self) -> &str {
        self.catalogue.business.currency.code()
    }

    /// Its language, a BCP 47 tag: `en-GB`.
    async fn locale(&self) -> &str {
        &self.catalogue.business.locale
    }
}

#[derive(Default)]
pub struct BusinessQuery;

#[Object]
impl BusinessQuery {
    /// The business that this request speaks about: the one in the `X-Business` header, else that of the token, else the only one.
    async fn business(&self, ctx: &Context<'_>) -> Result<Business> {
        Ok(Business {
            catalogue: Asked::of(ctx)?.catalogue().await?,
        })
    }
}
