//! Customers. They come with a booking: known ones are found again, new ones checked. What is known of them, and what the business calls their
//! kind, is changed by staff; changes of one customer follow one another, so none undoes what another one changed.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::actor::{Actor, Right};
use domain::customer::{Customer, CustomerChange};
use domain::event::{Event, EventKind};
use domain::id::{CustomerId, EventId, Id};
use domain::notification::Channel;
use domain::problem::Problem;
use domain::text;
use serde::Serialize;
use store::Conn;
use store::changes::{Changes, CustomerRow};
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::idempotency::Key;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

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
    /// The channel by which they would rather be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_channel: Option<Channel>,
}

/// What to change of a customer; what is none stays, and `Some(None)` clears: as input of an idempotency key the two differ.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateCustomer {
    /// Who.
    pub id: CustomerId,
    /// Their name.
    pub name: Option<String>,
    /// Where confirmations go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Option<String>>,
    /// The zone in which they read times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Option<String>>,
    /// Their language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Option<String>>,
    /// A word of the business for customers of their kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Option<String>>,
    /// The channel by which they would rather be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_channel: Option<Option<Channel>>,
}

struct UpdateCase {
    engine: Engine,
    caller: Caller,
    id: CustomerId,
    change: CustomerChange,
}

impl UseCase for UpdateCase {
    type Plan = Arc<Catalogue>;
    type Answer = CustomerId;

    async fn plan(&self, _: u32) -> Result<Arc<Catalogue>> {
        self.engine.catalogue(&self.caller).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        catalogue: &Arc<Catalogue>,
    ) -> Result<(Changes, CustomerId), TxError> {
        let (engine, business) = (&self.engine, self.caller.business);
        let known = store::customer::customer_lock_in_tx(conn, business, self.id).await?;
        let known = known.ok_or_else(|| Problem::not_found(&["input", "id"], CustomerId::NOUN))?;
        let new = known.changed(&self.change);
        let mut changes = Changes::default();
        if new != known {
            store::customer::customer_update_in_tx(conn, business, &new).await?;
            let event = Event {
                id: EventId::from_uuid(Uuid::now_v7()),
                kind: EventKind::CustomerChanged,
                at: engine.clock().now(),
                calendar_ids: Vec::new(),
                booking: None,
                hold_id: None,
                payment_id: None,
                webhook_endpoint_id: None,
                customer_id: Some(self.id),
            };
            engine.record_event(catalogue, &mut changes, &event)?;
        }
        Ok((changes, self.id))
    }
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
            tier: None,
            preferred_channel: input.preferred_channel,
        })
    }

    /// Changes what is known of a customer. Owners and managers.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        input: UpdateCustomer,
        key: Option<&str>,
    ) -> Result<CustomerId> {
        if !caller.actor.may(Right::ManageCustomers) {
            return Err(Error::forbidden(caller, "change customers"));
        }
        let key = Key::of("updateCustomer", key, &input)?;
        let case = UpdateCase {
            engine: self.clone(),
            caller: *caller,
            id: input.id,
            change: self.checked_change(&input)?,
        };
        let (engine, caller) = (self.clone(), *caller);
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }

    fn checked_change(&self, input: &UpdateCustomer) -> Result<CustomerChange> {
        let path = |field| ["input", field];
        let zone = |given: &Option<String>| -> Result<Option<String>> {
            let zone = self.zone(&path("timeZone"), given.as_deref())?;
            Ok(zone.map(|zone| zone.name().to_owned()))
        };
        let tier = |given: &Option<String>| {
            let tier = given.as_deref();
            tier.map(|tier| text::tier(&path("tier"), tier)).transpose()
        };
        let email = |given: &Option<String>| text::email(&path("email"), given.as_deref());
        let phone = |given: &Option<String>| text::phone(&path("phone"), given.as_deref());
        let locale = |given: &Option<String>| text::locale(&path("locale"), given.as_deref());
        let name = |given: &String| text::name(&path("name"), given);
        Ok(CustomerChange {
            name: input.name.as_ref().map(name).transpose()?,
            email: input.email.as_ref().map(email).transpose()?,
            phone: input.phone.as_ref().map(phone).transpose()?,
            time_zone: input.time_zone.as_ref().map(zone).transpose()?,
            locale: input.locale.as_ref().map(locale).transpose()?,
            tier: input.tier.as_ref().map(tier).transpose()?,
            preferred_channel: input.preferred_channel,
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
        preferred_channel: customer.preferred_channel.map(Channel::name),
    }
}
