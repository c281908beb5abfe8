//! Customers: those who book.

use std::sync::Arc;

use async_graphql::{ID, InputObject, Object};
use domain::actor::{Actor, Right};
use domain::customer;
use domain::id::CustomerId;
use engine::booking::{BookingFilter, Page};

use crate::failure::Result;
use crate::id::shown;
use crate::request::Asked;
use crate::scalar::TimeZone;

pub struct Customer(pub(crate) Arc<customer::Customer>);

impl Customer {
    /// The customer with this id, for themself and for staff who see bookings of theirs.
    pub(crate) async fn find(asked: &Asked<'_>, id: CustomerId) -> Result<Option<Self>> {
        if !visible(asked, id).await? {
            return Ok(None);
        }
        let found = asked.engine.customers(&asked.caller, &[id]).await?.pop();
        Ok(found.map(|customer| Self(Arc::new(customer))))
    }
}

async fn visible(asked: &Asked<'_>, id: CustomerId) -> Result<bool> {
    Ok(match asked.caller.actor {
        Actor::Guest(own) => {
            let own = asked.engine.booking(&asked.caller, own).await?;
            own.is_some_and(|(booking, _)| booking.customer_id == id)
        }
        Actor::Customer(own) => own == id,
        Actor::Provider(..) => {
            let filter = BookingFilter {
                customer_id: Some(id),
                ..BookingFilter::default()
            };
            let any = Page {
                after: None,
                before: None,
                limit: 0,
                backward: false,
            };
            asked
                .engine
                .bookings(&asked.caller, &filter, any)
                .await?
                .has_more
        }
        actor => actor.may(Right::SeeBookings(None)),
    })
}

/// Someone who books. Seen by themself, and by staff through their bookings.
#[Object]
impl Customer {
    /// Their id, `cus_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.0.id)
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where confirmations go. Null: nowhere.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Their telephone number, as they gave it.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// The time zone in which they read times, in mail too. Null: the location's.
    async fn time_zone(&self) -> Option<TimeZone> {
        self.0.time_zone.clone().map(TimeZone)
    }

    /// Their language, a BCP 47 tag: `en-GB`. Null: the business's.
    async fn locale(&self) -> Option<&str> {
        self.0.locale.as_deref()
    }
}

/// A customer's particulars.
#[derive(InputObject)]
pub struct CustomerInput {
    /// Their name, 1 to 200 characters.
    name: String,
    /// Where confirmations go. Without one no mail is sent.
    email: Option<String>,
    /// Their telephone number, as people write them: `+44 20 7946 0018`.
    phone: Option<String>,
    /// The time zone in which they read times, in mail too. Default: the location's.
    time_zone: Option<TimeZone>,
    /// Their language, a BCP 47 tag: `en-GB`. Default: the business's.
    locale: Option<String>,
}

impl From<CustomerInput> for engine::customer::CustomerInput {
    fn from(input: CustomerInput) -> Self {
        let CustomerInput {
            name,
            email,
            phone,
            time_zone,
            locale,
        } = input;
        Self {
            name,
            email,
            phone,
            time_zone: time_zone.map(|zone| zone.0),
            locale,
        }
    }
}
