//! Providers, and where they work.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, LocationId, ProviderId};
use domain::provider::Provider;
use uuid::Uuid;

use crate::schema::{provider, provider_location};
use crate::{Conn, Result};

type Columns = (
    Uuid,
    String,
    Option<String>,
    Option<i32>,
    Option<DateTime<Utc>>,
);

/// Every provider of the business, archived ones too, in the order in which they were made.
pub async fn provider_list(conn: &Conn, business: BusinessId) -> Result<Vec<Provider>> {
    let (mut first, mut second) = (conn, conn);
    let rows = provider::table
        .filter(provider::business_id.eq(business.uuid()))
        .order(provider::id)
        .select((
            provider::id,
            provider::name,
            provider::email,
            provider::daily_limit,
            provider::archived_at,
        ))
        .load::<Columns>(&mut first);
    let places = provider_location::table
        .filter(provider_location::business_id.eq(business.uuid()))
        .order(provider_location::location_id)
        .select((
            provider_location::provider_id,
            provider_location::location_id,
        ))
        .load::<(Uuid, Uuid)>(&mut second);
    let (rows, places) = futures_util::try_join!(rows, places)?;
    let mut location_ids: BTreeMap<Uuid, Vec<LocationId>> = BTreeMap::new();
    for (provider, location) in places {
        location_ids
            .entry(provider)
            .or_default()
            .push(LocationId::from_uuid(location));
    }
    let row = |(id, name, email, daily_limit, archived_at): Columns| Provider {
        id: ProviderId::from_uuid(id),
        name,
        email,
        daily_limit: daily_limit.and_then(|limit| u32::try_from(limit).ok()),
        location_ids: location_ids.remove(&id).unwrap_or_default(),
        archived: archived_at.is_some(),
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Adds the provider (their calendar must exist), or writes them anew, with where they work.
pub async fn provider_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &Provider,
    at: DateTime<Utc>,
) -> Result<()> {
    let content = (
        provider::name.eq(&row.name),
        provider::email.eq(row.email.as_ref()),
        provider::daily_limit.eq(row.daily_limit.and_then(|limit| i32::try_from(limit).ok())),
        provider::archived_at.eq(row.archived.then_some(at)),
    );
    diesel::insert_into(provider::table)
        .values((
            provider::business_id.eq(business.uuid()),
            provider::id.eq(row.id.uuid()),
            provider::created_at.eq(at),
            content,
        ))
        .on_conflict((provider::business_id, provider::id))
        .do_update()
        .set(content)
        .execute(&mut conn)
        .await?;
    let own = provider_location::table
        .filter(provider_location::business_id.eq(business.uuid()))
        .filter(provider_location::provider_id.eq(row.id.uuid()));
    diesel::delete(own).execute(&mut conn).await?;
    let places: Vec<_> = row
        .location_ids
        .iter()
        .map(|location| {
            (
                provider_location::business_id.eq(business.uuid()),
                provider_location::provider_id.eq(row.id.uuid()),
                provider_location::location_id.eq(location.uuid()),
            )
        })
        .collect();
    diesel::insert_into(provider_location::table)
        .values(places)
        .execute(&mut conn)
        .await?;
    Ok(())
}
