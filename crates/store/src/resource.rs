//! Resources and their kinds.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id, LocationId, ResourceId, ResourceKindId};
use domain::resource::{Resource, ResourceKind};
use uuid::Uuid;

use crate::schema::{resource, resource_kind};
use crate::{Conn, Result};

/// Every kind of resource of the business, in the order in which they were made.
pub async fn resource_kind_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<Vec<ResourceKind>> {
    let rows = resource_kind::table
        .filter(resource_kind::business_id.eq(business.uuid()))
        .order(resource_kind::id)
        .select((
            resource_kind::id,
            resource_kind::name,
            resource_kind::archived_at,
        ))
        .load::<(Uuid, String, Option<DateTime<Utc>>)>(&mut conn)
        .await?;
    let row = |(id, name, archived_at): (Uuid, String, Option<DateTime<Utc>>)| ResourceKind {
        id: ResourceKindId::from_uuid(id),
        name,
        archived: archived_at.is_some(),
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Adds the kind, or writes it anew.
pub async fn resource_kind_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &ResourceKind,
    at: DateTime<Utc>,
) -> Result<()> {
    let content = (
        resource_kind::name.eq(&row.name),
        resource_kind::archived_at.eq(row.archived.then_some(at)),
    );
    diesel::insert_into(resource_kind::table)
        .values((
            resource_kind::business_id.eq(business.uuid()),
            resource_kind::id.eq(row.id.uuid()),
            resource_kind::created_at.eq(at),
            content,
        ))
        .on_conflict((resource_kind::business_id, resource_kind::id))
        .do_update()
        .set(content)
        .execute(&mut conn)
        .await?;
    Ok(())
}

type Columns = (Uuid, String, Uuid, Uuid, i32, Option<DateTime<Utc>>);

/// Every resource of the business, archived ones too, in the order in which they were made.
pub async fn resource_list(mut conn: &Conn, business: BusinessId) -> Result<Vec<Resource>> {
    let rows = resource::table
        .filter(resource::business_id.eq(business.uuid()))
        .order(resource::id)
        .select((
            resource::id,
            resource::name,
            resource::kind_id,
            resource::location_id,
            resource::units,
            resource::archived_at,
        ))
        .load::<Columns>(&mut conn)
        .await?;
    let row = |(id, name, kind, location, units, archived_at): Columns| Resource {
        id: ResourceId::from_uuid(id),
        name,
        kind_id: ResourceKindId::from_uuid(kind),
        location_id: LocationId::from_uuid(location),
        units: u32::try_from(units).unwrap_or(1),
        archived: archived_at.is_some(),
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Adds the resource (its calendar must exist), or writes it anew. Its kind and location stay.
pub async fn resource_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &Resource,
    at: DateTime<Utc>,
) -> Result<()> {
    let content = (
        resource::name.eq(&row.name),
        resource::units.eq(i32::try_from(row.units).unwrap_or(i32::MAX)),
        resource::archived_at.eq(row.archived.then_some(at)),
    );
    diesel::insert_into(resource::table)
        .values((
            resource::business_id.eq(business.uuid()),
            resource::id.eq(row.id.uuid()),
            resource::kind_id.eq(row.kind_id.uuid()),
            resource::location_id.eq(row.location_id.uuid()),
            resource::created_at.eq(at),
            content,
        ))
        .on_conflict((resource::business_id, resource::id))
        .do_update()
        .set(content)
        .execute(&mut conn)
        .await?;
    Ok(())
}
