//! Customers: those who book.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::actor::{Actor, Right};
use domain::customer;
use domain::id::CustomerId;
use engine::booking::{BookingFilter, Page};
use engine::customer::UpdateCustomer;

use crate::failure::{Failure, Result};
use crate::id::{parsed, shown};
use crate::notification::NotificationChannel;
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::TimeZone;
use crate::settle::{About, settled};

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

    /// The business's word for customers of their kind, `vip`, for staff to see. Null: none, and to everybody else.
    async fn tier(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        let is_staff = Asked::of(ctx)?.caller.actor.is_staff();
        Ok(self.0.tier.as_deref().filter(|_| is_staff))
    }

    /// The channel by which they would rather be reached: of a rule's channels it is tried first. Null: the rule's order.
    async fn preferred_channel(&self) -> Option<NotificationChannel> {
        self.0.preferred_channel.map(Into::into)
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
    /// The channel by which they would rather be reached: of the channels of a rule it is tried first. Default: the rule's order, or of a
    /// customer who has booked before with the same particulars what is known.
    preferred_channel: Option<NotificationChannel>,
}

impl From<CustomerInput> for engine::customer::CustomerInput {
    fn from(input: CustomerInput) -> Self {
        let CustomerInput {
            name,
            email,
            phone,
            time_zone,
            locale,
            preferred_channel,
        } = input;
        Self {
            name,
            email,
            phone,
            time_zone: time_zone.map(|zone| zone.0),
            locale,
            preferred_channel: preferred_channel.map(Into::into),
        }
    }
}

/// What to change of a customer. What is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateCustomerInput {
    /// Which customer.
    id: ID,
    /// Their name, 1 to 200 characters.
    name: Option<String>,
    /// Where confirmations go. Null: nowhere.
    email: MaybeUndefined<String>,
    /// Their telephone number. Null: none.
    phone: MaybeUndefined<String>,
    /// The time zone in which they read times. Null: the location's.
    time_zone: MaybeUndefined<TimeZone>,
    /// Their language, a BCP 47 tag: `en-GB`. Null: the business's.
    locale: MaybeUndefined<String>,
    /// A word of your own for customers of their kind, 1 to 40 characters: `vip`. Rules name it in `customerTiers`; `VIP` is the same. Null: none.
    tier: MaybeUndefined<String>,
    /// The channel by which they would rather be reached. Null: the order of each rule.
    preferred_channel: MaybeUndefined<NotificationChannel>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What became of a mutation of a customer.
#[derive(SimpleObject)]
pub struct CustomerPayload {
    /// The customer as they are now; null when nothing was done.
    customer: Option<Customer>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct CustomerMutation;

#[Object]
impl CustomerMutation {
    /// Changes what is known of a customer. Reminders of their bookings that are still to come follow: a rule for their new tier speaks, one for
    /// another tier does not. What has happened is told as it was. Owners and managers.
    async fn update_customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateCustomerInput,
    ) -> Result<CustomerPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let text =
                |given: &MaybeUndefined<String>| given.as_opt_ref().map(Option::<&_>::cloned);
            let zone = input.time_zone.as_opt_ref();
            let channel = input.preferred_channel.as_opt_ref();
            let update = UpdateCustomer {
                id: parsed(&["input", "id"], &input.id)?,
                name: input.name,
                email: text(&input.email),
                phone: text(&input.phone),
                time_zone: zone.map(|zone| zone.map(|zone| zone.0.clone())),
                locale: text(&input.locale),
                tier: text(&input.tier),
                preferred_channel: channel.map(|channel| channel.copied().map(Into::into)),
            };
            let key = input.idempotency_key.as_deref();
            asked
                .engine
                .update_customer(&asked.caller, update, key)
                .await
        };
        Ok(match settled(ctx, outcome.await, &About::Other).await? {
            Ok(id) => {
                let customer = Customer::find(&asked, id).await?;
                CustomerPayload {
                    customer: Some(customer.ok_or_else(|| Failure::fault("a customer has gone"))?),
                    problems: Vec::new(),
                }
            }
            Err(problems) => CustomerPayload {
                customer: None,
                problems,
            },
        })
    }
}
