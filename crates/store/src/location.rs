//! Locations.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, LocationId};
use uuid::Uuid;

use crate::schedule::WeeklyWindow;
use crate::schema::location;
use crate::{Conn, Result};

/// A location as it is stored: its zone by name.
#[derive(Debug, Clone)]
pub struct LocationRow {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: String,
    /// The IANA zone of its wall clocks.
    pub time_zone: String,
    /// Its own opening hours, where it has any.
    pub opening: Option<Vec<WeeklyWindow>>,
    /// Closed to new bookings.
    pub archived: bool,
}

type Columns = (
    Uuid,
    String,
    String,
    Option<serde_json::Value>,
    Option<DateTime<Utc>>,
);

/// Every location of the business, archived ones too, in the order in which they were made.
pub async fn location_list(mut conn: &Conn, business: BusinessId) -> Result<Vec<LocationRow>> {
    let rows = location::table
        .filter(location::business_id.eq(business.uuid()))
        .order(location::id)
        .select((
            location::id,
            location::name,
            location::time_zone,
            location::opening,
            location::archived_at,
        ))
        .load::<Columns>(&mut conn)
        .await?;
    let row = |(id, name, time_zone, opening, archived_at): Columns| {
        let opening = opening.map(serde_json::from_value).transpose()?;
        Ok(LocationRow {
            id: LocationId::from_uuid(id),
            name,
            time_zone,
            opening,
            archived: archived_at.is_some(),
        })
    };
    rows.into_iter().map(row).collect()
}

/// Adds the location, or writes it anew.
pub async fn location_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &LocationRow,
    at: DateTime<Utc>,
) -> Result<()> {
    let content = (
        location::name.eq(&row.name),
        location::time_zone.eq(&row.time_zone),
        location::opening.eq(row.opening.as_ref().map(serde_json::to_value).transpose()?),
        location::archived_at.eq(row.archived.then_some(at)),
    );
    diesel::insert_into(location::table)
        .values((
            location::business_id.eq(business.uuid()),
            location::id.eq(row.id.uuid()),
            location::created_at.eq(at),
            content.clone(),
        ))
        .on_conflict((location::business_id, location::id))
        .do_update()
        .set(content)
        .execute(&mut conn)
        .await?;
    Ok(())
}
