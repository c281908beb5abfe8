//! Holds.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::hold::{Hold, HoldStatus};
use domain::id::{BusinessId, HoldId, Id, SessionId};
use uuid::Uuid;

use crate::schema::hold;
use crate::{Conn, Result, StoreError};

type Columns = (Uuid, Uuid, i32, DateTime<Utc>, String);
const COLUMNS: (
    hold::id,
    hold::session_id,
    hold::party_size,
    hold::expires_at,
    hold::status,
) = (
    hold::id,
    hold::session_id,
    hold::party_size,
    hold::expires_at,
    hold::status,
);

fn row((id, session, party_size, expires_at, status): Columns) -> Result<Hold> {
    let status = match status.as_str() {
        "active" => HoldStatus::Active,
        "redeemed" => HoldStatus::Redeemed,
        "released" => HoldStatus::Released,
        "expired" => HoldStatus::Expired,
        other => return Err(StoreError::Fault(format!("hold with status `{other}`"))),
    };
    let party_size = u32::try_from(party_size).unwrap_or(0);
    Ok(Hold {
        id: HoldId::from_uuid(id),
        session_id: SessionId::from_uuid(session),
        party_size,
        expires_at,
        status,
    })
}

/// The hold with this id.
pub async fn hold_find(mut conn: &Conn, business: BusinessId, id: HoldId) -> Result<Option<Hold>> {
    let found = hold::table
        .find((business.uuid(), id.uuid()))
        .select(COLUMNS)
        .first::<Columns>(&mut conn)
        .await;
    found.optional()?.map(row).transpose()
}

/// Holds whose time has run out, over all businesses, the oldest first.
pub async fn hold_due(
    mut conn: &Conn,
    but: &[Uuid],
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(BusinessId, HoldId)>> {
    let rows = hold::table
        .filter(hold::status.eq("active"))
        .filter(hold::business_id.ne_all(but))
        .filter(hold::expires_at.le(now))
        .order(hold::expires_at)
        .limit(limit)
        .select((hold::business_id, hold::id))
        .load::<(Uuid, Uuid)>(&mut conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(business, id)| (BusinessId::from_uuid(business), HoldId::from_uuid(id)))
        .collect())
}

/// When the next hold runs out, of all businesses but these.
pub async fn hold_next_expiry(mut conn: &Conn, but: &[Uuid]) -> Result<Option<DateTime<Utc>>> {
    let next = hold::table
        .filter(hold::status.eq("active"))
        .filter(hold::business_id.ne_all(but))
        .select(diesel::dsl::min(hold::expires_at));
    Ok(next.first(&mut conn).await?)
}
