//! Providers: the people who deliver services.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::actor::Right;
use domain::id::ProviderId;
use domain::provider;
use engine::catalogue::Catalogue;
use engine::catalogue::provider as engine_provider;

use crate::LIST_COST;
use crate::block::Block;
use crate::calendar::CalendarConnection;
use crate::failure::Result;
use crate::id::{list, parsed, shown};
use crate::location::Location;
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::{Date, DateTime};
use crate::service::Service;
use crate::settle::{bare, changed};
use crate::timetable::{self, DateOverride, WeeklyHours};

pub struct Provider {
    catalogue: Arc<Catalogue>,
    provider: Arc<provider::Provider>,
}

impl Provider {
    /// The provider with this id, archived or not.
    pub(crate) fn find(catalogue: &Arc<Catalogue>, id: ProviderId) -> Option<Self> {
        let provider = catalogue.provider(id)?.clone();
        Some(Self {
            catalogue: catalogue.clone(),
            provider,
        })
    }
}

/// A person who delivers services.
#[Object]
impl Provider {
    /// Their id, `prv_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.provider.id)
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.provider.name
    }

    /// Where mail about their bookings goes. Shown to staff; null for anybody else.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self
            .provider
            .email
            .as_deref()
            .filter(|_| Asked::of(ctx).is_ok_and(|asked| asked.is_staff())))
    }

    /// The most sessions of theirs that may start on one local day; null: no limit. Shown to staff; null for anybody else.
    async fn daily_limit(&self, ctx: &Context<'_>) -> Result<Option<u32>> {
        Ok(self
            .provider
            .daily_limit
            .filter(|_| Asked::of(ctx).is_ok_and(|asked| asked.is_staff())))
    }

    /// The services that they offer, without archived ones.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn services(&self) -> Vec<Service> {
        let services = self.catalogue.services.values();
        let offered = services.filter(|service| {
            !service.archived && service.provider_ids.contains(&self.provider.id)
        });
        offered
            .filter_map(|service| Service::find(&self.catalogue, service.id))
            .collect()
    }

    /// The locations where they work, without archived ones.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn locations(&self) -> Vec<Location> {
        let open = |id: &&_| {
            self.catalogue
                .location(**id)
                .is_some_and(|location| !location.archived)
        };
        let ids = self.provider.location_ids.iter().filter(open);
        ids.filter_map(|id| Location::find(&self.catalogue, *id))
            .collect()
    }

    /// Their weekly hours, one entry for each location where they work and have any; `setWeeklyHours` sets them.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn weekly_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At this location alone.")] location_id: Option<ID>,
    ) -> Result<Vec<WeeklyHours>> {
        let asked = Asked::of(ctx)?;
        timetable::weekly_hours(
            &asked,
            &self.catalogue,
            &self.provider,
            location_id.as_ref(),
        )
        .await
    }

    /// What replaces their weekly hours on single days, by date; `setDateOverride` sets it.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn date_overrides(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day, at most 366 days later.")] to: Date,
        #[graphql(desc = "At this location alone.")] location_id: Option<ID>,
    ) -> Result<Vec<DateOverride>> {
        let asked = Asked::of(ctx)?;
        let (catalogue, days) = (&self.catalogue, (from, to));
        timetable::date_overrides(
            &asked,
            catalogue,
            &self.provider,
            days,
            location_id.as_ref(),
        )
        .await
    }

    /// Their time off and breaks, by beginning: all that lie in this time, at least in part; `createBlock` makes them. Shown to whoever
    /// may change them: owners, managers, and the provider themself; null for anybody else.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn blocks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The beginning of the time.")] from: DateTime,
        #[graphql(desc = "Its end, at most 366 days later.")] to: DateTime,
    ) -> Result<Option<Vec<Block>>> {
        let own = Right::ManageSchedule(Some(self.provider.id));
        Block::list(
            ctx,
            &self.catalogue,
            self.provider.id.into(),
            own,
            (from, to),
        )
        .await
    }

    /// Their connection to calendars elsewhere; `startCalendarConnection` and `connectCalendar` make it. Shown to whoever may change it: owners,
    /// managers, and the provider themself; null for anybody else, and where there is none.
    async fn calendar_connection(&self, ctx: &Context<'_>) -> Result<Option<CalendarConnection>> {
        let asked = Asked::of(ctx)?;
        let found = asked.calendar_connection(self.provider.id).await?;
        Ok(found.map(|shown| CalendarConnection::new(shown, &self.catalogue.zone)))
    }

    /// Whether they are closed to new bookings. What was booked stands.
    async fn archived(&self) -> bool {
        self.provider.archived
    }
}

/// What became of a mutation of a provider.
#[derive(SimpleObject)]
pub struct ProviderPayload {
    /// The provider as they are now; null when nothing was done.
    provider: Option<Provider>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

impl ProviderPayload {
    pub(crate) async fn of(ctx: &Context<'_>, outcome: engine::Result<ProviderId>) -> Result<Self> {
        let (provider, problems) = changed(ctx, outcome, Provider::find).await?;
        Ok(Self { provider, problems })
    }
}

/// A provider to make.
#[derive(InputObject)]
pub struct CreateProviderInput {
    /// Their name, 1 to 200 characters.
    name: String,
    /// Where mail about their bookings goes.
    email: Option<String>,
    /// Where they work. Default: at every location.
    location_ids: Option<Vec<ID>>,
    /// The most sessions of theirs that may start on one local day, 1 to 10,000. Default: no limit.
    daily_limit: Option<i32>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What to change of a provider. What is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateProviderInput {
    /// Which provider.
    id: ID,
    /// Their name, 1 to 200 characters.
    name: Option<String>,
    /// Where mail about their bookings goes. Null: nowhere.
    email: MaybeUndefined<String>,
    /// Where they work, instead of where they did.
    location_ids: Option<Vec<ID>>,
    /// The most sessions of theirs that may start on one local day, 1 to 10,000. Null: no limit.
    daily_limit: MaybeUndefined<i32>,
    /// Whether they are closed to new bookings: false brings an archived provider back.
    archived: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct ProviderQuery;

#[Object]
impl ProviderQuery {
    /// The providers, in the order in which they were made.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn providers(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Staff: also those that are archived. Nobody else sees them here."
        )]
        include_archived: Option<bool>,
    ) -> Result<Vec<Provider>> {
        let asked = Asked::of(ctx)?;
        let archived = asked.wants_archived(include_archived);
        let catalogue = asked.catalogue().await?;
        let listed = catalogue
            .providers
            .values()
            .filter(|provider| archived || !provider.archived);
        Ok(listed
            .filter_map(|provider| Provider::find(&catalogue, provider.id))
            .collect())
    }
}

#[derive(Default)]
pub struct ProviderMutation;

#[Object]
impl ProviderMutation {
    /// Makes a provider. They can be booked once they have hours (`setWeeklyHours`) and a service names them. Owners and managers.
    async fn create_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The provider.")] input: CreateProviderInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let create = engine_provider::CreateProvider {
                name: input.name,
                email: input.email,
                location_ids: list(&["input", "locationIds"], input.location_ids.as_ref())?,
                daily_limit: input.daily_limit,
            };
            asked
                .engine
                .create_provider(&asked.caller, create, input.idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }

    /// Changes a provider. Owners and managers.
    async fn update_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProviderInput,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let update = engine_provider::UpdateProvider {
                id: parsed(&["input", "id"], &input.id)?,
                name: input.name,
                email: input.email.as_opt_ref().map(Option::<&String>::cloned),
                location_ids: list(&["input", "locationIds"], input.location_ids.as_ref())?,
                daily_limit: input.daily_limit.as_opt_ref().map(Option::<&i32>::copied),
                archived: input.archived,
            };
            asked
                .engine
                .update_provider(&asked.caller, update, input.idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, outcome.await).await
    }

    /// Closes a provider to new bookings. What is booked with them stands, and their history is kept. Owners and managers.
    async fn archive_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which provider.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ProviderPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let update = engine_provider::UpdateProvider {
                id: parsed(&["id"], &id)?,
                name: None,
                email: None,
                location_ids: None,
                daily_limit: None,
                archived: Some(true),
            };
            asked
                .engine
                .update_provider(&asked.caller, update, idempotency_key.as_deref())
                .await
        };
        ProviderPayload::of(ctx, bare(outcome.await)).await
    }
}
