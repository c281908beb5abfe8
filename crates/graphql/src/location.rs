//! Locations: places where services are delivered.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::LocationId;
use domain::location;
use engine::catalogue::Catalogue;
use engine::catalogue::location as engine_location;

use crate::LIST_COST;
use crate::failure::Result;
use crate::id::{parsed, shown};
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::TimeZone;
use crate::schedule::{SetOpeningHoursInput, WeeklyWindow};
use crate::settle::{bare, changed};

pub struct Location(Arc<location::Location>);

impl Location {
    /// The location with this id, archived or not.
    pub(crate) fn find(catalogue: &Arc<Catalogue>, id: LocationId) -> Option<Self> {
        catalogue.location(id).cloned().map(Self)
    }
}

/// A place where services are delivered. Its wall clocks show its time zone.
#[Object]
impl Location {
    /// Its id, `loc_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The time zone of its wall clocks: hours are stated in it, days begin and end in it.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.0.zone.name().to_owned())
    }

    /// Its own opening hours, by weekday and opening: sessions lie inside them. Null: it is open whenever its providers work.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn opening_hours(&self) -> Option<Vec<WeeklyWindow>> {
        self.0.opening.as_ref().map(WeeklyWindow::of)
    }

    /// Whether it is closed to new bookings. What was booked stands.
    async fn archived(&self) -> bool {
        self.0.archived
    }
}

/// What became of a mutation of a location.
#[derive(SimpleObject)]
pub struct LocationPayload {
    /// The location as it is now; null when nothing was done.
    location: Option<Location>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// A location to make.
#[derive(InputObject)]
pub struct CreateLocationInput {
    /// Its name, 1 to 200 characters.
    name: String,
    /// The time zone of its wall clocks. Default: the business's.
    time_zone: Option<TimeZone>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What to change of a location. What is left out, or null, stays as it is.
#[derive(InputObject)]
pub struct UpdateLocationInput {
    /// Which location.
    id: ID,
    /// Its name, 1 to 200 characters.
    name: Option<String>,
    /// The time zone of its wall clocks. Hours keep their wall-clock times; what is booked keeps its instants.
    time_zone: Option<TimeZone>,
    /// Whether it is closed to new bookings: false brings an archived location back.
    archived: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

#[derive(Default)]
pub struct LocationQuery;

#[Object]
impl LocationQuery {
    /// The locations, in the order in which they were made.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn locations(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(false)",
            desc = "Staff: also those that are archived. Nobody else sees them here."
        )]
        include_archived: Option<bool>,
    ) -> Result<Vec<Location>> {
        let asked = Asked::of(ctx)?;
        let archived = asked.wants_archived(include_archived);
        let catalogue = asked.catalogue().await?;
        let listed = catalogue
            .locations
            .values()
            .filter(|location| archived || !location.archived);
        Ok(listed.cloned().map(Location).collect())
    }
}

#[derive(Default)]
pub struct LocationMutation;

#[Object]
impl LocationMutation {
    /// Makes a location. Owners and managers.
    async fn create_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The location.")] input: CreateLocationInput,
    ) -> Result<LocationPayload> {
        let asked = Asked::of(ctx)?;
        let time_zone = input.time_zone.map(|zone| zone.0);
        let create = engine_location::CreateLocation {
            name: input.name,
            time_zone,
        };
        let outcome = asked
            .engine
            .create_location(&asked.caller, create, input.idempotency_key.as_deref())
            .await;
        payload(ctx, outcome).await
    }

    /// Changes a location. Owners and managers.
    async fn update_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateLocationInput,
    ) -> Result<LocationPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let update = engine_location::UpdateLocation {
                id: parsed(&["input", "id"], &input.id)?,
                name: input.name,
                time_zone: input.time_zone.map(|zone| zone.0),
                archived: input.archived,
            };
            asked
                .engine
                .update_location(&asked.caller, update, input.idempotency_key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }

    /// Closes a location to new bookings. What is booked there stands, and its history is kept. Owners and managers.
    async fn archive_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<LocationPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let update = engine_location::UpdateLocation {
                id,
                name: None,
                time_zone: None,
                archived: Some(true),
            };
            asked
                .engine
                .update_location(&asked.caller, update, idempotency_key.as_deref())
                .await
        };
        payload(ctx, bare(outcome.await)).await
    }

    /// Sets a location's own opening hours: sessions then lie inside them, whatever hours the providers work. Owners and managers.
    async fn set_opening_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The opening hours, which replace those before.")]
        input: SetOpeningHoursInput,
    ) -> Result<LocationPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let (set, key) = input.parsed()?;
            asked
                .engine
                .set_opening_hours(&asked.caller, set, key.as_deref())
                .await
        };
        payload(ctx, outcome.await).await
    }
}

async fn payload(
    ctx: &Context<'_>,
    outcome: engine::Result<LocationId>,
) -> Result<LocationPayload> {
    let (location, problems) = changed(ctx, outcome, Location::find).await?;
    Ok(LocationPayload { location, problems })
}
