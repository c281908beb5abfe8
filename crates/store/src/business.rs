//! Businesses: the tenants. The one table without `business_id`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::business::Business;
use domain::id::{BusinessId, Id};
use domain::money::Currency;
use domain::notification::Rule;
use uuid::Uuid;

use crate::notification_rule::RuleRow;
use crate::schema::business;
use crate::{Conn, Result, StoreError};

/// A business and the version of its catalogue.
pub struct BusinessRow {
    /// The business.
    pub business: Business,
    /// The version of its catalogue.
    pub catalogue_version: i64,
}

type Columns = (Uuid, String, String, String, String, String, i64);

fn row(
    (id, slug, name, time_zone, currency, locale, catalogue_version): Columns,
) -> Result<BusinessRow> {
    let currency = Currency::new(&currency)
        .ok_or_else(|| StoreError::Fault(format!("currency `{currency}`")))?;
    let business = Business {
        id: BusinessId::from_uuid(id),
        slug,
        name,
        time_zone,
        currency,
        locale,
    };
    Ok(BusinessRow {
        business,
        catalogue_version,
    })
}

const COLUMNS: (
    business::id,
    business::slug,
    business::name,
    business::time_zone,
    business::currency,
    business::locale,
    business::catalogue_version,
) = (
    business::id,
    business::slug,
    business::name,
    business::time_zone,
    business::currency,
    business::locale,
    business::catalogue_version,
);

/// Adds a business, whose bookings will follow this version of the rules of time zones, with the rules by which it speaks to people. A slug
/// that is taken is [`StoreError::Duplicate`].
pub async fn business_insert(
    mut conn: &Conn,
    new: &Business,
    zone_version: &str,
    rules: &[Rule],
    at: DateTime<Utc>,
) -> Result<()> {
    let rules: Vec<RuleRow<'_>> = rules.iter().map(RuleRow::of).collect();
    diesel::sql_query(
        "WITH new AS (INSERT INTO business (id, slug, name, time_zone, currency, locale, created_at, zone_version) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)) \
         INSERT INTO notification_rule (business_id, id, moment, offset_minutes, audience, channels, template, enabled, \
           service_ids, customer_tiers, created_at) \
         SELECT $1, x.*, $7 FROM jsonb_to_recordset($9) AS x (id uuid, moment text, offset_minutes int, audience text, \
           channels text[], template text, enabled boolean, service_ids uuid[], customer_tiers text[])",
    )
    .bind::<SqlUuid, _>(new.id.uuid())
    .bind::<Text, _>(&new.slug)
    .bind::<Text, _>(&new.name)
    .bind::<Text, _>(&new.time_zone)
    .bind::<Text, _>(new.currency.code())
    .bind::<Text, _>(&new.locale)
    .bind::<Timestamptz, _>(at)
    .bind::<Text, _>(zone_version)
    .bind::<Jsonb, _>(serde_json::to_value(rules)?)
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// Gives a business its slug, name, zone, currency and locale anew.
pub async fn business_rename(mut conn: &Conn, new: &Business) -> Result<()> {
    diesel::update(business::table.find(new.id.uuid()))
        .set((
            business::slug.eq(&new.slug),
            business::name.eq(&new.name),
            business::time_zone.eq(&new.time_zone),
            business::currency.eq(new.currency.code()),
            business::locale.eq(&new.locale),
            business::catalogue_version.eq(business::catalogue_version + 1),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The business with this id.
pub async fn business_find(mut conn: &Conn, id: BusinessId) -> Result<Option<BusinessRow>> {
    let found = business::table
        .find(id.uuid())
        .select(COLUMNS)
        .first::<Columns>(&mut conn)
        .await
        .optional()?;
    found.map(row).transpose()
}

/// The id of the business with this slug.
pub async fn business_id_by_slug(mut conn: &Conn, slug: &str) -> Result<Option<BusinessId>> {
    let found = business::table
        .filter(business::slug.eq(slug))
        .select(business::id)
        .first::<Uuid>(&mut conn)
        .await;
    Ok(found.optional()?.map(BusinessId::from_uuid))
}

/// Every business, by slug, up to a limit.
pub async fn business_list(mut conn: &Conn, limit: i64) -> Result<Vec<Business>> {
    let rows = business::table
        .order(business::slug)
        .limit(limit)
        .select(COLUMNS)
        .load::<Columns>(&mut conn)
        .await?;
    rows.into_iter()
        .map(|columns| Ok(row(columns)?.business))
        .collect()
}

/// Of all businesses, after one of them in order of id, those whose bookings follow other rules of time zones than this version, with
/// the version that they follow. None: all of them.
pub async fn business_list_of_other_zones(
    mut conn: &Conn,
    version: Option<&str>,
    after: BusinessId,
    limit: i64,
) -> Result<Vec<(BusinessId, Option<String>)>> {
    let rows = business::table
        .filter(business::id.gt(after.uuid()))
        .filter(business::zone_version.is_distinct_from(version.unwrap_or_default()))
        .order(business::id)
        .limit(limit)
        .select((business::id, business::zone_version))
        .load::<(Uuid, Option<String>)>(&mut conn)
        .await?;
    let row = |(id, version)| (BusinessId::from_uuid(id), version);
    Ok(rows.into_iter().map(row).collect())
}

/// Remembers which rules of time zones the bookings follow.
pub async fn business_zone_version_put(
    mut conn: &Conn,
    id: BusinessId,
    version: &str,
) -> Result<()> {
    diesel::update(business::table.find(id.uuid()))
        .set(business::zone_version.eq(version))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The version of the catalogue now.
pub async fn business_catalogue_version(mut conn: &Conn, id: BusinessId) -> Result<Option<i64>> {
    let found = business::table
        .find(id.uuid())
        .select(business::catalogue_version)
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// Raises the version of the catalogue, which locks it against other writers until the transaction ends; answers the new version.
pub async fn business_catalogue_raise_in_tx(mut conn: &Conn, id: BusinessId) -> Result<i64> {
    Ok(diesel::update(business::table.find(id.uuid()))
        .set(business::catalogue_version.eq(business::catalogue_version + 1))
        .returning(business::catalogue_version)
        .get_result(&mut conn)
        .await?)
}
