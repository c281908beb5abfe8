//! What services are made of and changed by, with the defaults of the contract.

use async_graphql::{ID, InputObject, MaybeUndefined};
use domain::id::{ProviderId, ResourceKindId, ServiceId};
use domain::problem::Problem;
use engine::catalogue::service::ServiceInput;

use crate::deposit::DepositInput;
use crate::id::{list, parsed};
use crate::service::SlotAlignment;

/// A service to make.
#[derive(InputObject)]
pub struct CreateServiceInput {
    /// Its name, 1 to 200 characters.
    name: String,
    /// What it is, for customers, up to 4,000 characters.
    description: Option<String>,
    /// How long a session lasts, in minutes, up to 7 days.
    duration_minutes: i32,
    /// How long the provider and the resources are kept free before a session, in minutes, up to a day.
    #[graphql(default = 0)]
    buffer_before_minutes: Option<i32>,
    /// How long the provider and the resources are kept free after a session, in minutes, up to a day.
    #[graphql(default = 0)]
    buffer_after_minutes: Option<i32>,
    /// The distance of start times, in minutes. Default: the duration.
    slot_interval_minutes: Option<i32>,
    /// From where start times are counted.
    #[graphql(default_with = "Some(SlotAlignment::Window)")]
    slot_alignment: Option<SlotAlignment>,
    /// How many seats a session has, 1 to 10,000: 1 for an appointment, more for a class.
    #[graphql(default = 1)]
    capacity: Option<i32>,
    /// The price of one seat, in minor units of the business's currency: 4500 is 45.00 EUR.
    #[graphql(default = 0)]
    price: Option<i32>,
    /// What is to be paid before a booking stands. Default: nothing.
    deposit: Option<DepositInput>,
    /// Who offers it. Without anybody it cannot be booked yet.
    provider_ids: Option<Vec<ID>>,
    /// The resources that a session takes beside its provider; each kind once.
    requires: Option<Vec<ResourceRequirementInput>>,
    /// A start is offered when it is at least so many minutes away; up to a year.
    #[graphql(default = 0)]
    minimum_notice_minutes: Option<i32>,
    /// A start is offered up to so many local days after today; up to ten years.
    #[graphql(default = 365)]
    maximum_advance_days: Option<i32>,
    /// A customer may cancel until so many minutes before the start. 0: until it starts.
    #[graphql(default = 0)]
    cancellation_notice_minutes: Option<i32>,
    /// A customer may reschedule until so many minutes before the start. 0: until it starts.
    #[graphql(default = 0)]
    reschedule_notice_minutes: Option<i32>,
    /// The most sessions of it that may start on one local day, 1 to 10,000. Default: no limit.
    daily_limit: Option<i32>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What to change of a service. What is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateServiceInput {
    /// Which service.
    id: ID,
    /// Its name, 1 to 200 characters.
    name: Option<String>,
    /// What it is, for customers, up to 4,000 characters. Null: nothing is said.
    description: MaybeUndefined<String>,
    /// How long a session lasts, in minutes, up to 7 days.
    duration_minutes: Option<i32>,
    /// How long the provider and the resources are kept free before a session, in minutes, up to a day.
    buffer_before_minutes: Option<i32>,
    /// How long the provider and the resources are kept free after a session, in minutes, up to a day.
    buffer_after_minutes: Option<i32>,
    /// The distance of start times, in minutes.
    slot_interval_minutes: Option<i32>,
    /// From where start times are counted.
    slot_alignment: Option<SlotAlignment>,
    /// How many seats a new session has, 1 to 10,000.
    capacity: Option<i32>,
    /// The price of one seat, in minor units of the business's currency: 4500 is 45.00 EUR.
    price: Option<i32>,
    /// What is to be paid before a new booking stands.
    deposit: Option<DepositInput>,
    /// Who offers it, instead of those who did.
    provider_ids: Option<Vec<ID>>,
    /// The resources that a session takes beside its provider, instead of those before; each kind once.
    requires: Option<Vec<ResourceRequirementInput>>,
    /// A start is offered when it is at least so many minutes away; up to a year.
    minimum_notice_minutes: Option<i32>,
    /// A start is offered up to so many local days after today; up to ten years.
    maximum_advance_days: Option<i32>,
    /// A customer may cancel until so many minutes before the start. 0: until it starts.
    cancellation_notice_minutes: Option<i32>,
    /// A customer may reschedule until so many minutes before the start. 0: until it starts.
    reschedule_notice_minutes: Option<i32>,
    /// The most sessions of it that may start on one local day, 1 to 10,000. Null: no limit.
    daily_limit: MaybeUndefined<i32>,
    /// Whether it is closed to new bookings: false brings an archived service back.
    archived: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// So many units of a kind of resource.
#[derive(InputObject)]
pub struct ResourceRequirementInput {
    /// The kind. Any resource of it at the location serves.
    kind_id: ID,
    /// How many units at once, 1 to 1,000.
    #[graphql(default = 1)]
    units: Option<i32>,
}

impl CreateServiceInput {
    pub(crate) fn parsed(self) -> Result<(ServiceInput, Option<String>), Problem> {
        let deposit = self.deposit.as_ref().map(DepositInput::parsed);
        let (deposit, capture) = deposit.transpose()?.unzip();
        let service = ServiceInput {
            name: Some(self.name),
            description: Some(self.description),
            duration_minutes: Some(self.duration_minutes),
            buffer_before_minutes: self.buffer_before_minutes,
            buffer_after_minutes: self.buffer_after_minutes,
            slot_interval_minutes: self.slot_interval_minutes,
            slot_alignment: self.slot_alignment.map(Into::into),
            capacity: self.capacity,
            price: self.price,
            deposit,
            capture,
            provider_ids: providers(self.provider_ids.as_ref())?,
            requires: requires(self.requires.as_ref())?,
            minimum_notice_minutes: self.minimum_notice_minutes,
            maximum_advance_days: self.maximum_advance_days,
            cancellation_notice_minutes: self.cancellation_notice_minutes,
            reschedule_notice_minutes: self.reschedule_notice_minutes,
            daily_limit: Some(self.daily_limit),
            archived: None,
        };
        Ok((service, self.idempotency_key))
    }
}

impl UpdateServiceInput {
    pub(crate) fn parsed(self) -> Result<(ServiceId, ServiceInput, Option<String>), Problem> {
        let deposit = self.deposit.as_ref().map(DepositInput::parsed);
        let (deposit, capture) = deposit.transpose()?.unzip();
        let service = ServiceInput {
            name: self.name,
            description: self.description.as_opt_ref().map(Option::<&String>::cloned),
            duration_minutes: self.duration_minutes,
            buffer_before_minutes: self.buffer_before_minutes,
            buffer_after_minutes: self.buffer_after_minutes,
            slot_interval_minutes: self.slot_interval_minutes,
            slot_alignment: self.slot_alignment.map(Into::into),
            capacity: self.capacity,
            price: self.price,
            deposit,
            capture,
            provider_ids: providers(self.provider_ids.as_ref())?,
            requires: requires(self.requires.as_ref())?,
            minimum_notice_minutes: self.minimum_notice_minutes,
            maximum_advance_days: self.maximum_advance_days,
            cancellation_notice_minutes: self.cancellation_notice_minutes,
            reschedule_notice_minutes: self.reschedule_notice_minutes,
            daily_limit: self.daily_limit.as_opt_ref().map(Option::<&i32>::copied),
            archived: self.archived,
        };
        Ok((
            parsed(&["input", "id"], &self.id)?,
            service,
            self.idempotency_key,
        ))
    }
}

fn providers(ids: Option<&Vec<ID>>) -> Result<Option<Vec<ProviderId>>, Problem> {
    list(&["input", "providerIds"], ids)
}

fn requires(
    needs: Option<&Vec<ResourceRequirementInput>>,
) -> Result<Option<Vec<(ResourceKindId, i32)>>, Problem> {
    let read = |need: &ResourceRequirementInput| {
        Ok((
            parsed(&["input", "requires", "kindId"], &need.kind_id)?,
            need.units.unwrap_or(1),
        ))
    };
    needs
        .map(|needs| needs.iter().map(read).collect())
        .transpose()
}
