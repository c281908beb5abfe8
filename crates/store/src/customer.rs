//! Customers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::customer::Customer;
use domain::id::{BusinessId, CustomerId, Id};
use uuid::Uuid;

use crate::schema::customer;
use crate::{Conn, Result};

type Columns = (
    Uuid,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);
const COLUMNS: (
    customer::id,
    customer::name,
    customer::email,
    customer::phone,
    customer::time_zone,
    customer::locale,
) = (
    customer::id,
    customer::name,
    customer::email,
    customer::phone,
    customer::time_zone,
    customer::locale,
);

fn row((id, name, email, phone, time_zone, locale): Columns) -> Customer {
    Customer {
        id: CustomerId::from_uuid(id),
        name,
        email,
        phone,
        time_zone,
        locale,
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
        .select(COLUMNS)
        .load::<Columns>(&mut conn)
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

/// A customer who gave exactly these particulars before, so that one person who books twice is one customer. Whoever gives other
/// particulars is somebody else: a stranger who knows an address cannot change what is known under it.
pub async fn customer_same(
    mut conn: &Conn,
    business: BusinessId,
    wanted: &Customer,
) -> Result<Option<CustomerId>> {
    let Some(email) = &wanted.email else {
        return Ok(None);
    };
    let found = customer::table
        .filter(customer::business_id.eq(business.uuid()))
        .filter(lower(customer::email).eq(email.to_lowercase()))
        .filter(customer::name.eq(&wanted.name))
        .filter(customer::phone.is_not_distinct_from(wanted.phone.as_ref()))
        .filter(customer::time_zone.is_not_distinct_from(wanted.time_zone.as_ref()))
        .filter(customer::locale.is_not_distinct_from(wanted.locale.as_ref()))
        .order(customer::id)
        .select(customer::id)
        .first::<Uuid>(&mut conn)
        .await
        .optional()?;
    Ok(found.map(CustomerId::from_uuid))
}

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(
        text: diesel::sql_types::Nullable<diesel::sql_types::Text>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}
