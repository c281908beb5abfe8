//! Who asks, about which business: found once for a request, then handed to every use case.

use std::time::Duration;

use domain::actor::Actor;
use domain::id::BusinessId;
use moka::future::Cache;

use crate::secret::{self, TokenKind};
use crate::{Engine, Error, Result};

/// Who asks, about which business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The business.
    pub business: BusinessId,
    /// Who.
    pub actor: Actor,
}

impl Caller {
    /// The software itself, in a business.
    pub(crate) fn system(business: BusinessId) -> Self {
        Self {
            business,
            actor: Actor::System,
        }
    }
}

/// What a request says about its business and its bearer.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The slug in the `X-Business` header.
    pub slug: Option<String>,
    /// The bearer token.
    pub token: Option<String>,
}

/// Ids of businesses by slug. A slug can change, so an entry is believed for a minute.
pub(crate) struct Slugs(Cache<String, BusinessId>);

impl Default for Slugs {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(10_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
        )
    }
}

impl Engine {
    /// Finds the business (by slug, else of the token, else the only one) and the actor. A token of another business than the one
    /// named is refused.
    pub async fn identify(&self, claim: &Claim) -> Result<Caller> {
        let named = match &claim.slug {
            Some(slug) => Some(self.business_id(slug).await?),
            None => None,
        };
        let Some(token) = &claim.token else {
            let business = match named {
                Some(business) => business,
                None => self.only_business().await?,
            };
            return Ok(Caller {
                business,
                actor: Actor::Anonymous,
            });
        };
        let unknown = || Error::Unauthenticated("the token is not valid".to_owned());
        let (kind, business, hash) = secret::read_token(token).ok_or_else(unknown)?;
        if named.is_some_and(|named| named != business) {
            return Err(Error::Forbidden(
                "the token belongs to another business".to_owned(),
            ));
        }
        let conn = self.0.database.conn().await?;
        let actor = match kind {
            TokenKind::Access => store::token::token_actor(&conn, business, &hash).await?,
            TokenKind::Manage => store::token::token_booking(&conn, business, &hash)
                .await?
                .map(Actor::Guest),
        };
        Ok(Caller {
            business,
            actor: actor.ok_or_else(unknown)?,
        })
    }

    pub(crate) async fn business_id(&self, slug: &str) -> Result<BusinessId> {
        if let Some(id) = self.0.slugs.0.get(slug).await {
            return Ok(id);
        }
        let conn = self.0.database.conn().await?;
        let found = store::business::business_id_by_slug(&conn, slug).await?;
        let id = found
            .ok_or_else(|| Error::NoBusiness("there is no business with this slug".to_owned()))?;
        self.0.slugs.0.insert(slug.to_owned(), id).await;
        Ok(id)
    }

    async fn only_business(&self) -> Result<BusinessId> {
        let conn = self.0.database.conn().await?;
        match store::business::business_list(&conn, 2).await?.as_slice() {
            [only] => Ok(only.id),
            [] => Err(Error::NoBusiness(
                "there is no business yet: make one with `bookable business create`".to_owned(),
            )),
            _ => Err(Error::NoBusiness(
                "say which business: send the header X-Business, or a token".to_owned(),
            )),
        }
    }
}
