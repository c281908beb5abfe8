//! Customers, as they come with a booking: known ones are found again, new ones checked.

use chrono::{DateTime, Utc};
use domain::actor::Actor;
use domain::customer::Customer;
use domain::id::{CustomerId, Id};
use domain::problem::Problem;
use domain::text;
use serde::Serialize;
use store::changes::CustomerRow;
use uuid::Uuid;

use crate::{Caller, Engine, Result};

/// A customer's particulars.
#[derive(Debug, Clone, Serialize)]
pub struct CustomerInput {
    /// Their name.
    pub name: String,
    /// Where confirmations go.
    pub email: Option<String>,
    /// Their telephone number.
    pub phone: Option<String>,
    /// The zone in which they read times.
    pub time_zone: Option<String>,
    /// Their language.
    pub locale: Option<String>,
}

impl Engine {
    /// The customer whom the input describes, or the one who is signed in where there is none.
    pub(crate) async fn customer_of(
        &self,
        caller: &Caller,
        input: Option<&CustomerInput>,
    ) -> Result<Customer> {
        let Some(input) = input else {
            let Actor::Customer(id) = caller.actor else {
                return Err(Problem::invalid(&["input", "customer"], "is required").into());
            };
            let conn = self.0.database.conn().await?;
            let found = store::customer::customer_list(&conn, caller.business, &[id])
                .await?
                .pop();
            return Ok(found.ok_or_else(|| Problem::not_found(&["input", "customer"], "customer"))?);
        };
        let path = |field| ["input", "customer", field];
        let zone = self.zone(&path("timeZone"), input.time_zone.as_deref())?;
        Ok(Customer {
            id: CustomerId::from_uuid(Uuid::now_v7()),
            name: text::name(&path("name"), &input.name)?,
            email: text::email(&path("email"), input.email.as_deref())?,
            phone: text::phone(&path("phone"), input.phone.as_deref())?,
            time_zone: zone.map(|zone| zone.name().to_owned()),
            locale: text::locale(&path("locale"), input.locale.as_deref())?,
        })
    }
}

pub(crate) fn customer_row(customer: &Customer, now: DateTime<Utc>) -> CustomerRow {
    CustomerRow {
        id: customer.id.uuid(),
        name: customer.name.clone(),
        email: customer.email.clone(),
        phone: customer.phone.clone(),
        time_zone: customer.time_zone.clone(),
        locale: customer.locale.clone(),
        created_at: now,
    }
}
