//! Access tokens: made here, shown once.

use domain::actor::Role;
use domain::id::{Id, ProviderId, TokenId};
use domain::problem::Problem;
use uuid::Uuid;

use crate::secret::{self, TokenKind};
use crate::{Caller, Engine, Error, Result};

impl Engine {
    /// Makes a token for the caller's business and answers it. It cannot be read again.
    pub async fn create_token(
        &self,
        caller: &Caller,
        role: Role,
        provider: Option<ProviderId>,
    ) -> Result<String> {
        if !matches!(
            caller.actor,
            domain::actor::Actor::System | domain::actor::Actor::Owner(_)
        ) {
            return Err(Error::forbidden(caller, "make tokens"));
        }
        let provider_id = match (role, provider) {
            (Role::Provider, Some(id)) => {
                let catalogue = self.catalogue(caller).await?;
                catalogue
                    .provider(id)
                    .ok_or_else(|| Problem::not_found(&["provider"], "provider"))?;
                Some(id)
            }
            (Role::Provider, None) => {
                return Err(Problem::invalid(
                    &["provider"],
                    "a provider's token needs the provider",
                )
                .into());
            }
            (_, Some(_)) => {
                return Err(Problem::invalid(
                    &["provider"],
                    "only a provider's token names a provider",
                )
                .into());
            }
            (_, None) => None,
        };
        let text = secret::token(TokenKind::Access, caller.business, &secret::random()?);
        let new = store::token::NewToken {
            id: TokenId::from_uuid(Uuid::now_v7()),
            secret_hash: secret::hash(text.as_bytes()),
            role,
            provider_id,
        };
        let conn = self.0.database.conn().await?;
        store::token::token_insert(&conn, caller.business, &new, self.clock().now()).await?;
        Ok(text)
    }
}
