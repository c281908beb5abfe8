//! Consents that were asked for: each is good for one answer, for a short while.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};
use uuid::Uuid;

use crate::schema::calendar_consent;
use crate::{Conn, Result};

/// A consent that was asked for.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendar_consent)]
pub struct ConsentRow {
    /// The hash of what the answer bears.
    pub state_hash: Vec<u8>,
    /// Whose calendars.
    pub provider_id: Uuid,
    /// By which plugin.
    pub plugin: String,
    /// Where the answer comes.
    pub redirect_url: String,
    /// The verifier of PKCE, sealed.
    pub sealed: Vec<u8>,
    /// Until when an answer is taken.
    pub expires_at: DateTime<Utc>,
}

/// Adds a consent, and forgets those whose time is over.
pub async fn consent_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ConsentRow,
    now: DateTime<Utc>,
) -> Result<()> {
    let over = calendar_consent::table
        .filter(calendar_consent::business_id.eq(business.uuid()))
        .filter(calendar_consent::expires_at.le(now));
    diesel::delete(over).execute(&mut conn).await?;
    diesel::insert_into(calendar_consent::table)
        .values((calendar_consent::business_id.eq(business.uuid()), row))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// A consent that waits for its answer.
pub async fn consent_get(
    mut conn: &Conn,
    business: BusinessId,
    state_hash: &[u8],
) -> Result<Option<ConsentRow>> {
    let own = calendar_consent::table.find((business.uuid(), state_hash));
    let found = own.select(ConsentRow::as_select()).first(&mut conn).await;
    Ok(found.optional()?)
}

/// Takes a consent away for its one answer; none: it was never asked for, or has had its answer.
pub async fn consent_take_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    state_hash: &[u8],
) -> Result<Option<ConsentRow>> {
    let own = calendar_consent::table.find((business.uuid(), state_hash));
    let found = diesel::delete(own)
        .returning(ConsentRow::as_returning())
        .get_result(&mut conn)
        .await;
    Ok(found.optional()?)
}
