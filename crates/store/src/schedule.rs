//! Hours: weekly windows and date overrides, stored as small documents because they are only ever replaced whole.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, LocationId, ProviderId};
use uuid::Uuid;

use crate::schema::{date_override, weekly_hours};
use crate::{Conn, Result};

/// Weekday (0 is Monday), opens and closes in minutes after midnight.
pub type WeeklyWindow = (u8, u16, u16);
/// Opens and closes in minutes after midnight.
pub type Window = (u16, u16);

/// The weekly hours of one provider at one location.
pub struct WeeklyHours {
    /// Whose.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// When.
    pub windows: Vec<WeeklyWindow>,
}

/// What replaces the weekly hours of one provider at one location on one local day.
pub struct DateOverride {
    /// Whose.
    pub provider_id: ProviderId,
    /// Where.
    pub location_id: LocationId,
    /// The local day.
    pub date: NaiveDate,
    /// When; empty: closed.
    pub windows: Vec<Window>,
}

type OverrideColumns = (Uuid, Uuid, NaiveDate, serde_json::Value);
const OVERRIDE_COLUMNS: (
    date_override::provider_id,
    date_override::location_id,
    date_override::date,
    date_override::windows,
) = (
    date_override::provider_id,
    date_override::location_id,
    date_override::date,
    date_override::windows,
);

fn date_override_row((provider, location, date, windows): OverrideColumns) -> Result<DateOverride> {
    Ok(DateOverride {
        provider_id: ProviderId::from_uuid(provider),
        location_id: LocationId::from_uuid(location),
        date,
        windows: serde_json::from_value(windows)?,
    })
}

/// The weekly hours of these providers.
pub async fn weekly_hours_list(
    mut conn: &Conn,
    business: BusinessId,
    providers: &[Uuid],
) -> Result<Vec<WeeklyHours>> {
    let rows = weekly_hours::table
        .filter(weekly_hours::business_id.eq(business.uuid()))
        .filter(weekly_hours::provider_id.eq_any(providers))
        .select((
            weekly_hours::provider_id,
            weekly_hours::location_id,
            weekly_hours::windows,
        ))
        .load::<(Uuid, Uuid, serde_json::Value)>(&mut conn)
        .await?;
    rows.into_iter()
        .map(|(provider, location, windows)| {
            Ok(WeeklyHours {
                provider_id: ProviderId::from_uuid(provider),
                location_id: LocationId::from_uuid(location),
                windows: serde_json::from_value(windows)?,
            })
        })
        .collect()
}

/// The date overrides of these providers from a day on.
pub async fn date_override_list(
    mut conn: &Conn,
    business: BusinessId,
    providers: &[Uuid],
    from: NaiveDate,
) -> Result<Vec<DateOverride>> {
    let rows = date_override::table
        .filter(date_override::business_id.eq(business.uuid()))
        .filter(date_override::provider_id.eq_any(providers))
        .filter(date_override::date.ge(from))
        .select(OVERRIDE_COLUMNS)
        .load::<OverrideColumns>(&mut conn)
        .await?;
    rows.into_iter().map(date_override_row).collect()
}

/// The date overrides of these providers from one day to another, both included; by date and location.
pub async fn date_override_list_between(
    mut conn: &Conn,
    business: BusinessId,
    providers: &[Uuid],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DateOverride>> {
    let rows = date_override::table
        .filter(date_override::business_id.eq(business.uuid()))
        .filter(date_override::provider_id.eq_any(providers))
        .filter(date_override::date.between(from, to))
        .order((date_override::date, date_override::location_id))
        .select(OVERRIDE_COLUMNS)
        .load::<OverrideColumns>(&mut conn)
        .await?;
    rows.into_iter().map(date_override_row).collect()
}

/// Replaces the weekly hours of a provider at a location.
pub async fn weekly_hours_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &WeeklyHours,
) -> Result<()> {
    let windows = serde_json::to_value(&row.windows)?;
    diesel::insert_into(weekly_hours::table)
        .values((
            weekly_hours::business_id.eq(business.uuid()),
            weekly_hours::provider_id.eq(row.provider_id.uuid()),
            weekly_hours::location_id.eq(row.location_id.uuid()),
            weekly_hours::windows.eq(&windows),
        ))
        .on_conflict((
            weekly_hours::business_id,
            weekly_hours::provider_id,
            weekly_hours::location_id,
        ))
        .do_update()
        .set(weekly_hours::windows.eq(&windows))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Replaces what holds on one local day.
pub async fn date_override_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &DateOverride,
) -> Result<()> {
    let windows = serde_json::to_value(&row.windows)?;
    diesel::insert_into(date_override::table)
        .values((
            date_override::business_id.eq(business.uuid()),
            date_override::provider_id.eq(row.provider_id.uuid()),
            date_override::location_id.eq(row.location_id.uuid()),
            date_override::date.eq(row.date),
            date_override::windows.eq(&windows),
        ))
        .on_conflict((
            date_override::business_id,
            date_override::provider_id,
            date_override::location_id,
            date_override::date,
        ))
        .do_update()
        .set(date_override::windows.eq(&windows))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Takes an override away: the weekly hours hold again. Answers whether there was one.
pub async fn date_override_delete_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    provider: ProviderId,
    location: LocationId,
    date: NaiveDate,
) -> Result<bool> {
    let own = date_override::table.find((business.uuid(), provider.uuid(), location.uuid(), date));
    Ok(diesel::delete(own).execute(&mut conn).await? > 0)
}
