//! Customers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::customer::Customer;
use domain::id::{BusinessId, CustomerId, Id};
use domain::notification::Channel;
use uuid::Uuid;

use crate::schema::customer;
use crate::{Conn, Result, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = customer)]
struct Row {
    id: Uuid,
    name: String,
    email: Option<String>,
    phone: Option<String>,
    time_zone: Option<String>,
    locale: Option<String>,
    tier: Option<String>,
    preferred_channel: Option<String>,
}

impl TryFrom<Row> for Customer {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self> {
        let odd = || StoreError::Fault(format!("preferred channel of customer {}", row.id));
        let channel = |name: String| Channel::from_name(&name).ok_or_else(odd);
        Ok(Self {
            id: CustomerId::from_uuid(row.id),
            name: row.name,
            email: row.email,
            phone: row.phone,
            time_zone: row.time_zone,
            locale: row.locale,
            tier: row.tier,
            preferred_channel: row.preferred_channel.map(channel).transpose()?,
        })
    }
}

/// The customers with these ids.
pub async fn customer_list(
    mut conn: &Conn,
    business: BusinessId,
    ids: &[CustomerId],
) -> Result<Vec<Customer>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = customer::table
        .filter(customer::business_id.eq(business.uuid()))
        .filter(customer::id.eq_any(ids))
        .select(Row::as_select())
        .load(&mut conn)
        .await?;
    rows.into_iter().map(Customer::try_from).collect()
}

/// A customer who gave exactly these particulars before, so that one person who books twice is one customer. Whoever gives other
/// particulars is somebody else: a stranger who knows an address cannot change what is known under it. Who says nothing of a channel
/// is the same whichever is preferred.
pub async fn customer_same(
    mut conn: &Conn,
    business: BusinessId,
    wanted: &Customer,
) -> Result<Option<Customer>> {
    let Some(email) = &wanted.email else {
        return Ok(None);
    };
    let mut query = customer::table
        .filter(customer::business_id.eq(business.uuid()))
        .filter(lower(customer::email).eq(email.to_lowercase()))
        .filter(customer::name.eq(&wanted.name))
        .filter(customer::phone.is_not_distinct_from(wanted.phone.as_ref()))
        .filter(customer::time_zone.is_not_distinct_from(wanted.time_zone.as_ref()))
        .filter(customer::locale.is_not_distinct_from(wanted.locale.as_ref()))
        .into_boxed();
    if let Some(channel) = wanted.preferred_channel {
        query = query.filter(customer::preferred_channel.eq(channel.name()));
    }
    let found = query
        .order(customer::id)
        .select(Row::as_select())
        .first(&mut conn)
        .await;
    found.optional()?.map(Customer::try_from).transpose()
}

/// A customer as they are, kept from others who would change them until the transaction ends.
pub async fn customer_lock_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    id: CustomerId,
) -> Result<Option<Customer>> {
    let found = customer::table
        .find((business.uuid(), id.uuid()))
        .select(Row::as_select())
        .for_no_key_update()
        .first(&mut conn)
        .await;
    found.optional()?.map(Customer::try_from).transpose()
}

/// Writes a customer over the one with their id.
pub async fn customer_update_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    new: &Customer,
) -> Result<()> {
    diesel::update(customer::table.find((business.uuid(), new.id.uuid())))
        .set((
            customer::name.eq(&new.name),
            customer::email.eq(&new.email),
            customer::phone.eq(&new.phone),
            customer::time_zone.eq(&new.time_zone),
            customer::locale.eq(&new.locale),
            customer::tier.eq(&new.tier),
            customer::preferred_channel.eq(new.preferred_channel.map(Channel::name)),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(
        text: diesel::sql_types::Nullable<diesel::sql_types::Text>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}
