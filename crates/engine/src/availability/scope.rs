//! The scope of a question: where a service could take place, who could deliver it, and which resources could serve; and from it, with
//! the calendars as they are, the question that `domain` answers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::availability::{Candidate, Place, Question, Requirement, Timeline};
use domain::id::{CalendarId, LocationId, ProviderId, ResourceId, ServiceId, SessionId};
use domain::problem::Problem;
use domain::schedule::Schedule;
use domain::service::Service;

use super::calendars::{Calendar, Calendars};
use crate::catalogue::Catalogue;

/// What may be narrowed: anything where none is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Narrow<'a> {
    pub location: Option<LocationId>,
    pub providers: Option<&'a [ProviderId]>,
}

/// Where a service could take place, and with whom.
pub(crate) struct Scope {
    pub catalogue: Arc<Catalogue>,
    pub service: Arc<Service>,
    pub party_size: u32,
    places: Vec<ScopePlace>,
    /// Every calendar that bears on the answer.
    pub calendar_ids: Vec<CalendarId>,
}

struct ScopePlace {
    location: LocationId,
    providers: Vec<ProviderId>,
    requirements: Vec<(u32, Vec<ResourceId>)>,
}

/// No hours at all: of a provider who has none set at a location.
static NO_HOURS: std::sync::LazyLock<Schedule> = std::sync::LazyLock::new(Schedule::default);

impl Scope {
    /// The scope of a service, which must be open to new bookings; party sizes beyond its capacity are refused.
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        service_id: ServiceId,
        party_size: i32,
        narrow: &Narrow<'_>,
    ) -> Result<Self, Problem> {
        let service = catalogue
            .service(service_id)
            .filter(|service| !service.archived)
            .cloned();
        let service =
            service.ok_or_else(|| Problem::not_found(&["input", "serviceId"], "service"))?;
        let capacity = i64::from(service.capacity);
        let party_size =
            domain::text::number(&["input", "partySize"], party_size.into(), 1..=capacity)?;
        for id in narrow.providers.unwrap_or_default() {
            catalogue
                .provider(*id)
                .ok_or_else(|| Problem::not_found(&["input", "providerIds"], "provider"))?;
        }
        if let Some(id) = narrow.location {
            catalogue
                .location(id)
                .ok_or_else(|| Problem::not_found(&["input", "locationId"], "location"))?;
        }
        let places = places(&catalogue, &service, narrow);
        let mut calendar_ids: Vec<CalendarId> = Vec::new();
        for place in &places {
            calendar_ids.extend(place.providers.iter().map(|id| CalendarId::from(*id)));
            let resources = place.requirements.iter().flat_map(|(_, pool)| pool);
            calendar_ids.extend(resources.map(|id| CalendarId::from(*id)));
        }
        calendar_ids.extend(service.daily_limit.map(|_| CalendarId::from(service.id)));
        calendar_ids.sort_unstable();
        calendar_ids.dedup();
        Ok(Self {
            catalogue,
            service,
            party_size,
            places,
            calendar_ids,
        })
    }

    /// The question, on calendars of this scope; a calendar that is not there bears nobody.
    pub(crate) fn question<'a>(
        &'a self,
        calendars: &'a Calendars,
        now: DateTime<Utc>,
    ) -> Question<'a> {
        let timeline = |id: CalendarId| calendars.get(&id).map(|calendar| &calendar.timeline);
        let places = self.places.iter().filter_map(|place| {
            let location = self.catalogue.location(place.location)?;
            Some(Place {
                location_id: place.location,
                zone: &location.zone,
                opening: location.opening.as_ref(),
                candidates: place
                    .providers
                    .iter()
                    .filter_map(|id| self.candidate(calendars, *id, place))
                    .collect(),
                requirements: place
                    .requirements
                    .iter()
                    .map(|need| requirement(need, &timeline))
                    .collect(),
            })
        });
        Question {
            service: &self.service,
            party_size: self.party_size,
            now,
            places: places.collect(),
            service_timeline: self
                .service
                .daily_limit
                .and_then(|_| timeline(self.service.id.into())),
        }
    }

    fn candidate<'a>(
        &'a self,
        calendars: &'a Calendars,
        id: ProviderId,
        place: &ScopePlace,
    ) -> Option<Candidate<'a>> {
        let calendar = calendars.get(&CalendarId::from(id))?;
        let schedule = calendar.schedules.get(&place.location).unwrap_or(&NO_HOURS);
        let daily_limit = self.catalogue.provider(id)?.daily_limit;
        Some(Candidate {
            provider_id: id,
            schedule,
            timeline: &calendar.timeline,
            daily_limit,
        })
    }
}

fn requirement<'a>(
    (units, pool): &(u32, Vec<ResourceId>),
    timeline: &impl Fn(CalendarId) -> Option<&'a Timeline>,
) -> Requirement<'a> {
    let pool = pool
        .iter()
        .filter_map(|id| Some((*id, timeline((*id).into())?)))
        .collect();
    Requirement {
        units: *units,
        pool,
    }
}

fn places(catalogue: &Catalogue, service: &Service, narrow: &Narrow<'_>) -> Vec<ScopePlace> {
    let wanted = |id: &ProviderId| {
        narrow
            .providers
            .is_none_or(|providers| providers.contains(id))
    };
    let offers = |id: &ProviderId, location: LocationId| {
        let provider = catalogue.provider(*id);
        provider
            .is_some_and(|provider| !provider.archived && provider.location_ids.contains(&location))
    };
    let open = catalogue
        .locations
        .values()
        .filter(|location| !location.archived);
    let open = open.filter(|location| narrow.location.is_none_or(|wanted| wanted == location.id));
    open.map(|location| ScopePlace {
        location: location.id,
        providers: service
            .provider_ids
            .iter()
            .copied()
            .filter(|id| wanted(id) && offers(id, location.id))
            .collect(),
        requirements: service
            .requires
            .iter()
            .map(|need| {
                let fits = |r: &&Arc<domain::resource::Resource>| {
                    r.kind_id == need.kind_id && r.location_id == location.id && !r.archived
                };
                (
                    need.units,
                    catalogue
                        .resources
                        .values()
                        .filter(fits)
                        .map(|r| r.id)
                        .collect(),
                )
            })
            .collect(),
    })
    .filter(|place| !place.providers.is_empty())
    .collect()
}

/// The same calendars, with these seats of a session counted as free: the booking that is to move (`rescheduleOf`).
pub(crate) fn without(calendars: &Calendars, session: SessionId, seats: u32) -> Calendars {
    calendars
        .iter()
        .map(|(id, calendar)| {
            let freed = Calendar {
                version: calendar.version,
                exact: false,
                timeline: calendar.timeline.without(session, seats),
                schedules: calendar.schedules.clone(),
                first_expiry: calendar.first_expiry,
            };
            (*id, Arc::new(freed))
        })
        .collect()
}
