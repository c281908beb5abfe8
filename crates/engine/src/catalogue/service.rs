//! Services: create, change, archive. The bounds of their numbers stand here.

use domain::deposit::{CaptureMethod, Deposit};
use domain::id::{CalendarId, Id, ProviderId, ResourceKindId, ServiceId};
use domain::money::Money;
use domain::policy::BookingPolicy;
use domain::problem::Problem;
use domain::service::{ResourceRequirement, Service, SlotAlignment};
use domain::text;
use serde::Serialize;
use store::calendar::{CalendarKind, calendar_insert_in_tx};
use store::{Conn, StoreError};
use uuid::Uuid;

use super::Catalogue;
use super::provider::daily_limit;
use super::put::{Put, PutRequest, Thing};
use crate::{Caller, Engine, Result};

/// The longest session: 7 days, in minutes.
const DURATION_MAX: i64 = 7 * 1440;
/// The longest buffer: a day, in minutes.
const BUFFER_MAX: i64 = 1440;
/// The most seats of a session.
const CAPACITY_MAX: i64 = 10_000;
/// The longest notice: a year, in minutes.
const NOTICE_MAX: i64 = 366 * 1440;
/// The longest advance, in days: ten years.
const ADVANCE_MAX: i64 = 3_660;

/// What a service is made of; for a new one the caller fills what is required, for a change what is none stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServiceInput {
    /// Its name.
    pub name: Option<String>,
    /// What it is; `Some(None)`: nothing is said.
    pub description: Option<Option<String>>,
    /// How long a session lasts, in minutes.
    pub duration_minutes: Option<i32>,
    /// How long provider and resources are kept before it.
    pub buffer_before_minutes: Option<i32>,
    /// How long they are kept after it.
    pub buffer_after_minutes: Option<i32>,
    /// The distance of start times; for a new service the duration where none is given.
    pub slot_interval_minutes: Option<i32>,
    /// From where start times are counted.
    pub slot_alignment: Option<SlotAlignment>,
    /// Seats of a session.
    pub capacity: Option<i32>,
    /// The price of one place, in minor units of the business's currency.
    pub price: Option<i32>,
    /// Who offers it.
    pub provider_ids: Option<Vec<ProviderId>>,
    /// What a session needs: kinds and units.
    pub requires: Option<Vec<(ResourceKindId, i32)>>,
    /// The least time between booking and start.
    pub minimum_notice_minutes: Option<i32>,
    /// The most local days between booking and start.
    pub maximum_advance_days: Option<i32>,
    /// Until when a customer may cancel, in minutes before the start.
    pub cancellation_notice_minutes: Option<i32>,
    /// Until when a customer may reschedule, in minutes before the start.
    pub reschedule_notice_minutes: Option<i32>,
    /// What is to be paid before a booking stands.
    pub deposit: Option<Deposit>,
    /// When the money of it is taken.
    pub capture: Option<CaptureMethod>,
    /// The most sessions that may start on one local day; `Some(None)`: no limit.
    pub daily_limit: Option<Option<i32>>,
    /// Whether it is closed to new bookings.
    pub archived: Option<bool>,
}

impl Thing for Service {
    type Id = ServiceId;

    fn id(&self) -> ServiceId {
        self.id
    }

    fn calendars(&self) -> Vec<CalendarId> {
        vec![self.id.into()]
    }

    async fn put_in_tx(&self, conn: &Conn, context: &Put) -> Result<(), StoreError> {
        let business = context.caller.business;
        if context.is_new {
            calendar_insert_in_tx(conn, business, self.id.into(), CalendarKind::Service).await?;
        }
        store::service::service_put_in_tx(conn, business, self, context.engine.clock().now()).await
    }
}

impl Engine {
    /// Makes a service.
    pub async fn create_service(
        &self,
        caller: &Caller,
        input: ServiceInput,
        key: Option<&str>,
    ) -> Result<ServiceId> {
        let request = PutRequest {
            operation: "createService",
            key,
            input: &input.clone(),
            is_new: true,
        };
        let id = ServiceId::from_uuid(Uuid::now_v7());
        self.put(caller, request, move |catalogue| {
            let fresh = Service {
                id,
                name: String::new(),
                description: None,
                duration_minutes: 0,
                buffer_before_minutes: 0,
                buffer_after_minutes: 0,
                slot_interval_minutes: 0,
                slot_alignment: SlotAlignment::Window,
                capacity: 1,
                price: Money {
                    amount: 0,
                    currency: catalogue.business.currency,
                },
                policy: BookingPolicy {
                    minimum_notice_minutes: 0,
                    maximum_advance_days: 365,
                    cancellation_notice_minutes: 0,
                    reschedule_notice_minutes: 0,
                },
                deposit: Deposit::None,
                capture: CaptureMethod::Automatic,
                daily_limit: None,
                provider_ids: Vec::new(),
                requires: Vec::new(),
                archived: false,
            };
            let input = ServiceInput {
                name: Some(input.name.clone().unwrap_or_default()),
                duration_minutes: Some(input.duration_minutes.unwrap_or_default()),
                slot_interval_minutes: input.slot_interval_minutes.or(input.duration_minutes),
                ..input.clone()
            };
            changed(catalogue, fresh, &input)
        })
        .await
    }

    /// Changes a service. Bookings that stand keep the price and the policy they were made under.
    pub async fn update_service(
        &self,
        caller: &Caller,
        id: ServiceId,
        input: ServiceInput,
        key: Option<&str>,
    ) -> Result<ServiceId> {
        let request = PutRequest {
            operation: "updateService",
            key,
            input: &(id, input.clone()),
            is_new: false,
        };
        self.put(caller, request, move |catalogue| {
            let known = catalogue
                .service(id)
                .ok_or_else(|| Problem::not_found(&["input", "id"], "service"))?;
            changed(catalogue, Service::clone(known), &input)
        })
        .await
    }
}

fn changed(catalogue: &Catalogue, mut service: Service, input: &ServiceInput) -> Result<Service> {
    if let Some(name) = &input.name {
        service.name = text::name(&["input", "name"], name)?;
    }
    if let Some(description) = &input.description {
        service.description = text::long(&["input", "description"], description.as_deref())?;
    }
    change_times(&mut service, input)?;
    change_policy(&mut service.policy, input)?;
    if let Some(price) = input.price {
        service.price.amount =
            text::number(&["input", "price"], price.into(), 0..=i64::from(i32::MAX))?.into();
    }
    if let Some(deposit) = input.deposit {
        service.deposit = checked_deposit(deposit)?;
    }
    service.capture = input.capture.unwrap_or(service.capture);
    if let Some(limit) = input.daily_limit {
        service.daily_limit = daily_limit(limit)?;
    }
    if let Some(ids) = &input.provider_ids {
        service.provider_ids = checked_providers(catalogue, ids)?;
    }
    if let Some(requires) = &input.requires {
        service.requires = checked_requirements(catalogue, requires)?;
    }
    service.archived = input.archived.unwrap_or(service.archived);
    Ok(service)
}

fn checked_deposit(deposit: Deposit) -> Result<Deposit, Problem> {
    let path = |field| ["input", "deposit", field];
    match deposit {
        Deposit::Amount { amount } => {
            text::number(&path("amount"), amount, 1..=i64::from(i32::MAX))?;
        }
        Deposit::Percent { percent } => {
            text::number(&path("percent"), percent.into(), 1..=100)?;
        }
        Deposit::None | Deposit::Full | Deposit::CardOnFile => {}
    }
    Ok(deposit)
}

fn change_times(service: &mut Service, input: &ServiceInput) -> Result<(), Problem> {
    set(
        &mut service.duration_minutes,
        input.duration_minutes,
        "durationMinutes",
        1,
        DURATION_MAX,
    )?;
    set(
        &mut service.buffer_before_minutes,
        input.buffer_before_minutes,
        "bufferBeforeMinutes",
        0,
        BUFFER_MAX,
    )?;
    set(
        &mut service.buffer_after_minutes,
        input.buffer_after_minutes,
        "bufferAfterMinutes",
        0,
        BUFFER_MAX,
    )?;
    set(
        &mut service.slot_interval_minutes,
        input.slot_interval_minutes,
        "slotIntervalMinutes",
        1,
        DURATION_MAX,
    )?;
    set(
        &mut service.capacity,
        input.capacity,
        "capacity",
        1,
        CAPACITY_MAX,
    )?;
    service.slot_alignment = input.slot_alignment.unwrap_or(service.slot_alignment);
    Ok(())
}

fn change_policy(policy: &mut BookingPolicy, input: &ServiceInput) -> Result<(), Problem> {
    set(
        &mut policy.minimum_notice_minutes,
        input.minimum_notice_minutes,
        "minimumNoticeMinutes",
        0,
        NOTICE_MAX,
    )?;
    set(
        &mut policy.maximum_advance_days,
        input.maximum_advance_days,
        "maximumAdvanceDays",
        0,
        ADVANCE_MAX,
    )?;
    let cancellation = input.cancellation_notice_minutes;
    set(
        &mut policy.cancellation_notice_minutes,
        cancellation,
        "cancellationNoticeMinutes",
        0,
        NOTICE_MAX,
    )?;
    let reschedule = input.reschedule_notice_minutes;
    set(
        &mut policy.reschedule_notice_minutes,
        reschedule,
        "rescheduleNoticeMinutes",
        0,
        NOTICE_MAX,
    )
}

fn set(field: &mut u32, value: Option<i32>, name: &str, min: i64, max: i64) -> Result<(), Problem> {
    if let Some(value) = value {
        *field = text::number(&["input", name], value.into(), min..=max)?;
    }
    Ok(())
}

fn checked_providers(catalogue: &Catalogue, ids: &[ProviderId]) -> Result<Vec<ProviderId>> {
    for id in ids {
        let known = catalogue
            .provider(*id)
            .filter(|provider| !provider.archived);
        known.ok_or_else(|| Problem::not_found(&["input", "providerIds"], "provider"))?;
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn checked_requirements(
    catalogue: &Catalogue,
    requires: &[(ResourceKindId, i32)],
) -> Result<Vec<ResourceRequirement>> {
    let mut checked: Vec<ResourceRequirement> = Vec::new();
    for (kind_id, units) in requires {
        let known = catalogue
            .resource_kind(*kind_id)
            .filter(|kind| !kind.archived);
        known
            .ok_or_else(|| Problem::not_found(&["input", "requires", "kindId"], "resource kind"))?;
        if checked
            .iter()
            .any(|requirement| requirement.kind_id == *kind_id)
        {
            return Err(
                Problem::invalid(&["input", "requires"], "names a kind of resource twice").into(),
            );
        }
        let units = text::number(&["input", "requires", "units"], (*units).into(), 1..=1_000)?;
        checked.push(ResourceRequirement {
            kind_id: *kind_id,
            units,
        });
    }
    Ok(checked)
}
