//! Deliveries: events on their way to plugins, with every attempt.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::id::DeliveryId;
use domain::problem::Problem as Refusal;
use engine::catalogue::Catalogue;
use engine::delivery_list as engine_delivery;

use crate::LIST_COST;
use crate::booking::Booking;
use crate::connection::{self, Edges, PageInfo, estimated};
use crate::failure::{Failure, Result};
use crate::id::{optional, parsed, shown};
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};

/// Where a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DeliveryStatus {
    /// On its way, or waiting for its next attempt.
    Waiting,
    /// There.
    Delivered,
    /// Given up: `retryDelivery` sends it on its way again.
    Parked,
}

impl From<engine_delivery::DeliveryStatus> for DeliveryStatus {
    fn from(status: engine_delivery::DeliveryStatus) -> Self {
        match status {
            engine_delivery::DeliveryStatus::Waiting => Self::Waiting,
            engine_delivery::DeliveryStatus::Delivered => Self::Delivered,
            engine_delivery::DeliveryStatus::Parked => Self::Parked,
        }
    }
}

impl From<DeliveryStatus> for engine_delivery::DeliveryStatus {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Waiting => Self::Waiting,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Parked => Self::Parked,
        }
    }
}

#[derive(Clone)]
pub struct Delivery {
    catalogue: Arc<Catalogue>,
    delivery: engine_delivery::Delivery,
}

impl Delivery {
    /// The delivery with this id, for those who look after plugins.
    pub(crate) async fn find(asked: &Asked<'_>, id: DeliveryId) -> Result<Option<Self>> {
        let found = match asked.engine.delivery(&asked.caller, id).await {
            Err(engine::Error::Forbidden(_) | engine::Error::Unauthenticated(_)) => None,
            found => found?,
        };
        let catalogue = asked.catalogue().await?;
        Ok(found.map(|delivery| Self {
            catalogue,
            delivery,
        }))
    }
}

/// An event on its way to one plugin.
#[Object]
impl Delivery {
    /// Its id, `dlv_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.delivery.id)
    }

    /// The plugin's name.
    async fn plugin(&self) -> &str {
        &self.delivery.plugin
    }

    /// What happened, `booking.confirmed`.
    async fn event(&self) -> &str {
        &self.delivery.event
    }

    /// The booking that it happened to.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let Some(id) = self.delivery.booking_id else {
            return Ok(None);
        };
        let booking = Asked::of(ctx)?.delivered_booking(id).await?;
        Ok(booking.map(|booking| Booking::new(&self.catalogue, booking, None)))
    }

    /// Where it is.
    async fn status(&self) -> DeliveryStatus {
        self.delivery.status.into()
    }

    /// Every attempt so far, in order.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<DeliveryAttempt>> {
        let attempts = Asked::of(ctx)?.attempts(self.delivery.id).await?;
        let shown = attempts.into_iter().map(|attempt| DeliveryAttempt {
            at: DateTime::new(attempt.at, &self.catalogue.zone),
            ok: attempt.ok,
            error: attempt.error,
            duration_ms: attempt.duration_ms,
        });
        Ok(shown.collect())
    }

    /// When it is tried next; null where nobody tries any more.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        let next = self.delivery.next_attempt_at;
        next.map(|at| DateTime::new(at, &self.catalogue.zone))
    }

    /// When it was written: with the event.
    async fn created_at(&self) -> DateTime {
        DateTime::new(self.delivery.created_at, &self.catalogue.zone)
    }
}

/// One attempt at a delivery.
#[derive(SimpleObject)]
pub struct DeliveryAttempt {
    /// When it ended.
    at: DateTime,
    /// Whether it needs no other.
    ok: bool,
    /// What went wrong; of a good one, why there was nothing to do.
    error: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: i32,
}

/// Which deliveries: those of which everything holds that is given.
#[derive(InputObject, Default)]
pub struct DeliveryFilter {
    /// To this plugin.
    plugin: Option<String>,
    /// In one of these states.
    statuses: Option<Vec<DeliveryStatus>>,
    /// About this booking.
    booking_id: Option<ID>,
}

pub struct DeliveryConnection {
    deliveries: Vec<Delivery>,
    has_next: bool,
    has_previous: bool,
}

/// One page of a list of deliveries.
#[Object]
impl DeliveryConnection {
    /// The deliveries of the page, each with its cursor.
    async fn edges(&self) -> Vec<DeliveryEdge> {
        let edge = |node: &Delivery| DeliveryEdge {
            cursor: node.delivery.id.to_string(),
            node: node.clone(),
        };
        self.deliveries.iter().map(edge).collect()
    }

    /// The deliveries of the page.
    async fn nodes(&self) -> Vec<Delivery> {
        self.deliveries.clone()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |node: &Delivery| node.delivery.id.to_string();
        PageInfo::Growing(Edges {
            has_next: self.has_next,
            has_previous: self.has_previous,
            start: self.deliveries.first().map(cursor),
            end: self.deliveries.last().map(cursor),
        })
    }
}

/// A delivery in a list.
#[derive(SimpleObject)]
pub struct DeliveryEdge {
    /// Its place in the list, for `after` and `before`.
    cursor: String,
    /// The delivery.
    node: Delivery,
}

/// What became of a mutation of a delivery.
#[derive(SimpleObject)]
pub struct DeliveryPayload {
    /// The delivery as it is now; null when nothing was done.
    delivery: Option<Delivery>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct DeliveryQuery;

#[Object]
impl DeliveryQuery {
    /// What is on its way to plugins, arrived or parked, the latest first, in pages of 20 where nothing else is said and 100 at most. Owners and
    /// managers.
    #[graphql(complexity = "1 + estimated(first, last) * child_complexity")]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deliveries. Default: all.")] filter: Option<DeliveryFilter>,
        #[graphql(desc = "The first so many, at most 100. Not together with `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only what lies after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100. Not together with `first`.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only what lies before this cursor.")] before: Option<String>,
    ) -> Result<DeliveryConnection> {
        let asked = Asked::of(ctx)?;
        let (limit, backward) = connection::size(first, last)?;
        let page = engine_delivery::DeliveryPage {
            after: after.map(|text| cursor("after", &text)).transpose()?,
            before: before.map(|text| cursor("before", &text)).transpose()?,
            backward,
            limit,
        };
        let filter = filter.unwrap_or_default();
        let filter = engine_delivery::DeliveryFilter {
            plugin: filter.plugin,
            statuses: filter
                .statuses
                .map(|statuses| statuses.into_iter().map(Into::into).collect()),
            booking_id: optional(&["filter", "bookingId"], filter.booking_id.as_ref())?,
            id: None,
        };
        let found = asked
            .engine
            .deliveries(&asked.caller, &filter, page)
            .await?;
        let catalogue = asked.catalogue().await?;
        let node = |delivery| Delivery {
            catalogue: catalogue.clone(),
            delivery,
        };
        // None is ever taken away: beyond a cursor lies at least the delivery that it names.
        Ok(DeliveryConnection {
            deliveries: found.deliveries.into_iter().map(node).collect(),
            has_next: if backward {
                page.before.is_some()
            } else {
                found.has_more
            },
            has_previous: if backward {
                found.has_more
            } else {
                page.after.is_some()
            },
        })
    }
}

#[derive(Default)]
pub struct DeliveryMutation;

#[Object]
impl DeliveryMutation {
    /// Sends a delivery on its way again that is parked or waits for a later attempt. `CONFLICT` where it has arrived, is under way, or was not
    /// tried and is not due yet. Owners and managers.
    async fn retry_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which delivery.")] id: ID,
        #[graphql(
            desc = "A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing."
        )]
        idempotency_key: Option<String>,
    ) -> Result<DeliveryPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id: DeliveryId = parsed(&["id"], &id)?;
            let key = idempotency_key.as_deref();
            asked.engine.retry_delivery(&asked.caller, id, key).await
        };
        match settled(ctx, bare(outcome.await), &About::Other).await? {
            Ok(id) => {
                let delivery = Delivery::find(&asked, id).await?;
                let delivery = delivery.ok_or_else(|| Failure::fault("a delivery has gone"))?;
                Ok(DeliveryPayload {
                    delivery: Some(delivery),
                    problems: Vec::new(),
                })
            }
            Err(problems) => Ok(DeliveryPayload {
                delivery: None,
                problems,
            }),
        }
    }
}

fn cursor(argument: &str, text: &str) -> Result<DeliveryId, Refusal> {
    let read = text.parse();
    read.map_err(|_| Refusal::invalid(&[argument], "is not a cursor of this list"))
}
