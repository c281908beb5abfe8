//! Services, who offers them and what they need.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::deposit::CaptureMethod;
use domain::id::{BusinessId, Id, ProviderId, ResourceKindId, ServiceId};
use domain::money::{Currency, Money};
use domain::service::{ResourceRequirement, Service, SlotAlignment};
use uuid::Uuid;

use crate::schema::{service, service_provider, service_requirement};
use crate::{Conn, Result};

#[derive(Queryable, Selectable)]
#[diesel(table_name = service)]
struct Row {
    id: Uuid,
    name: String,
    description: Option<String>,
    duration_minutes: i32,
    buffer_before_minutes: i32,
    buffer_after_minutes: i32,
    slot_interval_minutes: i32,
    slot_alignment: String,
    capacity: i32,
    price_amount: i64,
    policy: serde_json::Value,
    daily_limit: Option<i32>,
    deposit: serde_json::Value,
    capture: String,
    archived_at: Option<DateTime<Utc>>,
}

impl Row {
    fn into_service(
        self,
        currency: Currency,
        provider_ids: Vec<ProviderId>,
        requires: Vec<ResourceRequirement>,
    ) -> Result<Service> {
        Ok(Service {
            id: ServiceId::from_uuid(self.id),
            name: self.name,
            description: self.description,
            duration_minutes: natural(self.duration_minutes),
            buffer_before_minutes: natural(self.buffer_before_minutes),
            buffer_after_minutes: natural(self.buffer_after_minutes),
            slot_interval_minutes: natural(self.slot_interval_minutes),
            slot_alignment: if self.slot_alignment == "clock" {
                SlotAlignment::Clock
            } else {
                SlotAlignment::Window
            },
            capacity: natural(self.capacity),
            price: Money {
                amount: self.price_amount,
                currency,
            },
            policy: serde_json::from_value(self.policy)?,
            deposit: serde_json::from_value(self.deposit)?,
            capture: CaptureMethod::from_name(&self.capture).unwrap_or_default(),
            daily_limit: self.daily_limit.map(natural),
            provider_ids,
            requires,
            archived: self.archived_at.is_some(),
        })
    }
}

/// Every service of the business, archived ones too, in the order in which they were made.
pub async fn service_list(
    conn: &Conn,
    business: BusinessId,
    currency: Currency,
) -> Result<Vec<Service>> {
    let mut first = conn;
    let rows = service::table
        .filter(service::business_id.eq(business.uuid()))
        .order(service::id)
        .select(Row::as_select())
        .load(&mut first);
    let rows = async { Ok(rows.await?) };
    let (rows, mut providers, mut requirements) = futures_util::try_join!(
        rows,
        service_provider_list(conn, business),
        service_requirement_list(conn, business),
    )?;
    rows.into_iter()
        .map(|row| {
            let offered_by = providers.remove(&row.id).unwrap_or_default();
            let requires = requirements.remove(&row.id).unwrap_or_default();
            row.into_service(currency, offered_by, requires)
        })
        .collect()
}

/// Who offers each service, by id.
async fn service_provider_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<BTreeMap<Uuid, Vec<ProviderId>>> {
    let rows = service_provider::table
        .filter(service_provider::business_id.eq(business.uuid()))
        .order(service_provider::provider_id)
        .select((service_provider::service_id, service_provider::provider_id))
        .load::<(Uuid, Uuid)>(&mut conn)
        .await?;
    let mut providers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (service, provider) in rows {
        let offered_by = providers.entry(service).or_default();
        offered_by.push(ProviderId::from_uuid(provider));
    }
    Ok(providers)
}

/// What each service needs, by kind.
async fn service_requirement_list(
    mut conn: &Conn,
    business: BusinessId,
) -> Result<BTreeMap<Uuid, Vec<ResourceRequirement>>> {
    let rows = service_requirement::table
        .filter(service_requirement::business_id.eq(business.uuid()))
        .order(service_requirement::kind_id)
        .select((
            service_requirement::service_id,
            service_requirement::kind_id,
            service_requirement::units,
        ))
        .load::<(Uuid, Uuid, i32)>(&mut conn)
        .await?;
    let mut requirements: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (service, kind, units) in rows {
        let requires = requirements.entry(service).or_default();
        requires.push(ResourceRequirement {
            kind_id: ResourceKindId::from_uuid(kind),
            units: natural(units),
        });
    }
    Ok(requirements)
}

/// Adds the service (its calendar must exist), or writes it anew, with who offers it and what it needs.
pub async fn service_put_in_tx(
    conn: &Conn,
    business: BusinessId,
    row: &Service,
    at: DateTime<Utc>,
) -> Result<()> {
    service_row_put_in_tx(conn, business, row, at).await?;
    service_providers_put_in_tx(conn, business, row).await?;
    service_requirements_put_in_tx(conn, business, row).await
}

async fn service_row_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &Service,
    at: DateTime<Utc>,
) -> Result<()> {
    let alignment = match row.slot_alignment {
        SlotAlignment::Window => "window",
        SlotAlignment::Clock => "clock",
    };
    let content = (
        service::name.eq(&row.name),
        service::description.eq(row.description.as_ref()),
        service::duration_minutes.eq(integer(row.duration_minutes)),
        service::buffer_before_minutes.eq(integer(row.buffer_before_minutes)),
        service::buffer_after_minutes.eq(integer(row.buffer_after_minutes)),
        service::slot_interval_minutes.eq(integer(row.slot_interval_minutes)),
        service::slot_alignment.eq(alignment),
        service::capacity.eq(integer(row.capacity)),
        service::price_amount.eq(row.price.amount),
        service::policy.eq(serde_json::to_value(row.policy)?),
        service::deposit.eq(serde_json::to_value(row.deposit)?),
        service::capture.eq(row.capture.name()),
        service::daily_limit.eq(row.daily_limit.map(integer)),
        service::archived_at.eq(row.archived.then_some(at)),
    );
    diesel::insert_into(service::table)
        .values((
            service::business_id.eq(business.uuid()),
            service::id.eq(row.id.uuid()),
            service::created_at.eq(at),
            content.clone(),
        ))
        .on_conflict((service::business_id, service::id))
        .do_update()
        .set(content)
        .execute(&mut conn)
        .await?;
    Ok(())
}

async fn service_providers_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &Service,
) -> Result<()> {
    let own = service_provider::table
        .filter(service_provider::business_id.eq(business.uuid()))
        .filter(service_provider::service_id.eq(row.id.uuid()));
    diesel::delete(own).execute(&mut conn).await?;
    let providers: Vec<_> = row
        .provider_ids
        .iter()
        .map(|provider| {
            (
                service_provider::business_id.eq(business.uuid()),
                service_provider::service_id.eq(row.id.uuid()),
                service_provider::provider_id.eq(provider.uuid()),
            )
        })
        .collect();
    diesel::insert_into(service_provider::table)
        .values(providers)
        .execute(&mut conn)
        .await?;
    Ok(())
}

async fn service_requirements_put_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    row: &Service,
) -> Result<()> {
    let own = service_requirement::table
        .filter(service_requirement::business_id.eq(business.uuid()))
        .filter(service_requirement::service_id.eq(row.id.uuid()));
    diesel::delete(own).execute(&mut conn).await?;
    let requirements: Vec<_> = row
        .requires
        .iter()
        .map(|requirement| {
            (
                service_requirement::business_id.eq(business.uuid()),
                service_requirement::service_id.eq(row.id.uuid()),
                service_requirement::kind_id.eq(requirement.kind_id.uuid()),
                service_requirement::units.eq(integer(requirement.units)),
            )
        })
        .collect();
    diesel::insert_into(service_requirement::table)
        .values(requirements)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The database's checks keep these columns from being negative.
fn natural(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn integer(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
