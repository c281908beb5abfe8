//! Blocks: time off and breaks on a calendar.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BlockId, BusinessId, CalendarId, Id};
use uuid::Uuid;

use crate::schema::block;
use crate::{Conn, Result};

/// Time off or a break.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// The calendar it lies on.
    pub calendar_id: CalendarId,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

type Columns = (Uuid, Uuid, DateTime<Utc>, DateTime<Utc>, Option<String>);
const COLUMNS: (
    block::id,
    block::calendar_id,
    block::starts_at,
    block::ends_at,
    block::reason,
) = (
    block::id,
    block::calendar_id,
    block::starts_at,
    block::ends_at,
    block::reason,
);

fn row((id, calendar_id, starts_at, ends_at, reason): Columns) -> Block {
    let (id, calendar_id) = (BlockId::from_uuid(id), CalendarId::from_uuid(calendar_id));
    Block {
        id,
        calendar_id,
        starts_at,
        ends_at,
        reason,
    }
}

/// The blocks on these calendars that end after an instant.
pub async fn block_list(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
    after: DateTime<Utc>,
) -> Result<Vec<Block>> {
    let rows = block::table
        .filter(block::business_id.eq(business.uuid()))
        .filter(block::calendar_id.eq_any(calendars))
        .filter(block::ends_at.gt(after))
        .order((block::starts_at, block::id))
        .select(COLUMNS)
        .load::<Columns>(&mut conn)
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

/// The blocks on these calendars that lie between two instants, at least in part; by beginning.
pub async fn block_list_between(
    mut conn: &Conn,
    business: BusinessId,
    calendars: &[Uuid],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<Block>> {
    let rows = block::table
        .filter(block::business_id.eq(business.uuid()))
        .filter(block::calendar_id.eq_any(calendars))
        .filter(block::ends_at.gt(from))
        .filter(block::starts_at.lt(to))
        .order((block::starts_at, block::id))
        .select(COLUMNS)
        .load::<Columns>(&mut conn)
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

/// The block with this id.
pub async fn block_find(
    mut conn: &Conn,
    business: BusinessId,
    id: BlockId,
) -> Result<Option<Block>> {
    let found = block::table
        .find((business.uuid(), id.uuid()))
        .select(COLUMNS)
        .first::<Columns>(&mut conn)
        .await;
    Ok(found.optional()?.map(row))
}

/// Adds a block.
pub async fn block_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    new: &Block,
    at: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(block::table)
        .values((
            block::business_id.eq(business.uuid()),
            block::id.eq(new.id.uuid()),
            block::calendar_id.eq(new.calendar_id.uuid()),
            block::starts_at.eq(new.starts_at),
            block::ends_at.eq(new.ends_at),
            block::reason.eq(new.reason.as_ref()),
            block::created_at.eq(at),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Takes a block away. Answers whether it was there.
pub async fn block_delete_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: BlockId,
) -> Result<bool> {
    Ok(
        diesel::delete(block::table.find((business.uuid(), id.uuid())))
            .execute(&mut conn)
            .await?
            > 0,
    )
}
