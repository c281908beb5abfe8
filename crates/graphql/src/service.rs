//! Services: what can be booked.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use domain::id::ServiceId;
use domain::service;
use engine::catalogue::Catalogue;
use engine::catalogue::service::ServiceInput;

use crate::LIST_COST;
use crate::deposit::Deposit;
use crate::failure::{Failure, Result};
use crate::id::{parsed, shown};
use crate::money::Money;
use crate::problem::Problem;
use crate::provider::Provider;
use crate::request::Asked;
use crate::resource_kind::ResourceKind;
use crate::service_input::{CreateServiceInput, UpdateServiceInput};
use crate::settle::{bare, changed};

pub struct Service {
    catalogue: Arc<Catalogue>,
    service: Arc<service::Service>,
}

impl Service {
    /// The service with this id, archived or not.
    pub(crate) fn find(catalogue: &Arc<Catalogue>, id: ServiceId) -> Option<Self> {
        let service = catalogue.service(id)?.clone();
        Some(Self {
            catalogue: catalogue.clone(),
            service,
        })
    }
}

/// What can be booked: a haircut, a consultation, a class.
#[Object]
impl Service {
    /// Its id, `svc_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.service.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.service.name
    }

    /// What it is, for customers.
    async fn description(&self) -> Option<&str> {
        self.service.description.as_deref()
    }

    /// How long a session lasts, in minutes.
    async fn duration_minutes(&self) -> u32 {
        self.service.duration_minutes
    }

    /// How long the provider and the resources are kept free before a session, in minutes. Customers do not see that time.
    async fn buffer_before_minutes(&self) -> u32 {
        self.service.buffer_before_minutes
    }

    /// How long the provider and the resources are kept free after a session, in minutes. Customers do not see that time.
    async fn buffer_after_minutes(&self) -> u32 {
        self.service.buffer_after_minutes
    }

    /// The distance of start times, in minutes.
    async fn slot_interval_minutes(&self) -> u32 {
        self.service.slot_interval_minutes
    }

    /// From where start times are counted.
    async fn slot_alignment(&self) -> SlotAlignment {
        self.service.slot_alignment.into()
    }

    /// How many seats a session has: 1 for an appointment, more for a class.
    async fn capacity(&self) -> u32 {
        self.service.capacity
    }

    /// The price of one seat.
    async fn price(&self) -> Money {
        self.service.price.into()
    }

    /// What is to be paid before a booking stands.
    async fn deposit(&self) -> Deposit {
        (&*self.service).into()
    }

    /// When it may be booked, moved and called off. A booking keeps the policy under which it was made.
    async fn policy(&self) -> BookingPolicy {
        let policy = self.service.policy;
        BookingPolicy {
            minimum_notice_minutes: policy.minimum_notice_minutes,
            maximum_advance_days: policy.maximum_advance_days,
            cancellation_notice_minutes: policy.cancellation_notice_minutes,
            reschedule_notice_minutes: policy.reschedule_notice_minutes,
        }
    }

    /// The most sessions of it that may start on one local day; null: no limit.
    async fn daily_limit(&self) -> Option<u32> {
        self.service.daily_limit
    }

    /// Who offers it, without archived providers.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn providers(&self) -> Vec<Provider> {
        let open = |id: &&_| {
            self.catalogue
                .provider(**id)
                .is_some_and(|provider| !provider.archived)
        };
        let ids = self.service.provider_ids.iter().filter(open);
        ids.filter_map(|id| Provider::find(&self.catalogue, *id))
            .collect()
    }

    /// The resources that a session takes beside its provider.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn requires(&self) -> Result<Vec<ResourceRequirement>> {
        let requirement = |need: &service::ResourceRequirement| {
            let kind = ResourceKind::find(&self.catalogue, need.kind_id);
            let kind = kind.ok_or_else(|| Failure::fault("a requirement has no kind"))?;
            Ok(ResourceRequirement {
                kind,
                units: need.units,
            })
        };
        self.service.requires.iter().map(requirement).collect()
    }

    /// Whether it is closed to new bookings. What was booked stands.
    async fn archived(&self) -> bool {
        self.service.archived
    }
}

/// From where start times are counted.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "service::SlotAlignment")]
pub enum SlotAlignment {
    /// From where the working window opens: one that opens at 09:10 offers 09:10, 09:40, 10:10 every 30 minutes.
    Window,
    /// From midnight by the wall clock: the same window offers 09:30, 10:00, 10:30.
    Clock,
}

/// So many units of a kind of resource, for as long as a session and its buffers last.
#[derive(SimpleObject)]
pub struct ResourceRequirement {
    /// The kind. Any resource of it at the location serves.
    kind: ResourceKind,
    /// How many units at once.
    units: u32,
}

/// When a service may be booked, moved and called off.
#[derive(SimpleObject)]
pub struct BookingPolicy {
    /// A start is offered when it is at least so many minutes away.
    minimum_notice_minutes: u32,
    /// A start is offered up to so many local days after today.
    maximum_advance_days: u32,
    /// A customer may cancel until so many minutes before the start. 0: until it starts. Staff may at any time.
    cancellation_notice_minutes: u32,
    /// A customer may reschedule until so many minutes before the start. 0: until it starts. Staff may at any time.
    reschedule_notice_minutes: u32,
}

/// What became of a mutation of a service.
#[derive(SimpleObject)]
pub struct ServicePayload {
    /// The service as it is now; null when nothing was done.
    service: Option<Service>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// The services, in the order in which they were made.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Staff: also those that are archived. Nobody else sees them here."
        )]
        include_archived: Option<bool>,
    ) -> Result<Vec<Service>> {
        let asked = Asked::of(ctx)?;
        let archived = asked.wants_archived(include_archived);
        let catalogue = asked.catalogue().await?;
        let listed = catalogue
            .services
            .values()
            .filter(|service| archived || !service.archived);
        Ok(listed
            .filter_map(|service| Service::find(&catalogue, service.id))
            .collect())
    }

    /// The service with this id, archived or not; null if there is none.
    async fn service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service, `svc_…`.")] id: ID,
    ) -> Result<Option<Service>> {
        let Ok(id) = id.parse::<ServiceId>() else {
            return Ok(None);
        };
        Ok(Service::find(&Asked::of(ctx)?.catalogue().await?, id))
    }
}

#[derive(Default)]
pub struct ServiceMutation;

#[Object]
impl ServiceMutation {
    /// Makes a service. Owners and managers.
    async fn create_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service.")] input: CreateServiceInput,
    ) -> Result<ServicePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let (create, key) = input.parsed()?;
            asked
                .engine
                .create_service(&asked.caller, create, key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Changes a service. Bookings that stand keep their time, and the price and the policy under which they were made. Owners and
    /// managers.
    async fn update_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateServiceInput,
    ) -> Result<ServicePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let (id, update, key) = input.parsed()?;
            asked
                .engine
                .update_service(&asked.caller, id, update, key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Closes a service to new bookings. What is booked stands, and its history is kept. Owners and managers.
    async fn archive_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ServicePayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let update = ServiceInput {
                archived: Some(true),
                ..ServiceInput::default()
            };
            asked
                .engine
                .update_service(&asked.caller, id, update, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await)).await
    }
}

async fn payload(ctx: &Context<'_>, outcome: engine::Result<ServiceId>) -> Result<ServicePayload> {
    let (service, problems) = changed(ctx, outcome, Service::find).await?;
    Ok(ServicePayload { service, problems })
}
