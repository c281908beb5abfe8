//! Access tokens of staff, by the hash of their secret.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::actor::{Actor, Role};
use domain::id::{BookingId, BusinessId, Id, ProviderId, TokenId};
use uuid::Uuid;

use crate::schema::{access_token, booking};
use crate::{Conn, Result, StoreError};

/// A token to store. The secret itself is nowhere.
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of the secret.
    pub secret_hash: Vec<u8>,
    /// The role it gives.
    pub role: Role,
    /// The provider it speaks for, with the role of a provider.
    pub provider_id: Option<ProviderId>,
}

/// Stores a token.
pub async fn token_insert(
    mut conn: &Conn,
    business: BusinessId,
    new: &NewToken,
    at: DateTime<Utc>,
) -> Result<()> {
    let role = match new.role {
        Role::Owner => "owner",
        Role::Manager => "manager",
        Role::Provider => "provider",
    };
    diesel::insert_into(access_token::table)
        .values((
            access_token::business_id.eq(business.uuid()),
            access_token::id.eq(new.id.uuid()),
            access_token::secret_hash.eq(&new.secret_hash),
            access_token::role.eq(role),
            access_token::provider_id.eq(new.provider_id.map(Id::uuid)),
            access_token::created_at.eq(at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Who bears the token with this hash, if it is one and has not been revoked.
pub async fn token_actor(
    mut conn: &Conn,
    business: BusinessId,
    secret_hash: &[u8],
) -> Result<Option<Actor>> {
    let found = access_token::table
        .filter(access_token::business_id.eq(business.uuid()))
        .filter(access_token::secret_hash.eq(secret_hash))
        .filter(access_token::revoked_at.is_null())
        .select((
            access_token::id,
            access_token::role,
            access_token::provider_id,
        ))
        .first::<(Uuid, String, Option<Uuid>)>(&mut conn)
        .await
        .optional()?;
    let Some((id, role, provider)) = found else {
        return Ok(None);
    };
    let id = TokenId::from_uuid(id);
    match (role.as_str(), provider) {
        ("owner", _) => Ok(Some(Actor::Owner(id))),
        ("manager", _) => Ok(Some(Actor::Manager(id))),
        ("provider", Some(provider)) => {
            Ok(Some(Actor::Provider(ProviderId::from_uuid(provider), id)))
        }
        _ => Err(StoreError::Fault(format!("token with role `{role}`"))),
    }
}

/// The booking that the secret with this hash manages.
pub async fn token_booking(
    mut conn: &Conn,
    business: BusinessId,
    manage_hash: &[u8],
) -> Result<Option<BookingId>> {
    let found = booking::table
        .filter(booking::business_id.eq(business.uuid()))
        .filter(booking::manage_hash.eq(manage_hash))
        .select(booking::id)
        .first::<Uuid>(&mut conn)
        .await
        .optional()?;
    Ok(found.map(BookingId::from_uuid))
}
