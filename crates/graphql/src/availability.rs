//! What is free: the question as the API puts it, and the answer, of which only what was asked for is worked out.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{NaiveDate, TimeDelta, Utc};
use domain::availability;
use domain::id::{LocationId, ServiceId};
use domain::problem::Problem;
use domain::service::Service;
use domain::zone::Zone;
use engine::availability::{AvailabilityAnswer, AvailabilityQuestion};
use engine::catalogue::Catalogue;

use crate::LIST_COST;
use crate::failure::{Failure, Result};
use crate::id::{list, optional, parsed};
use crate::problem::UnavailableReason;
use crate::request::Asked;
use crate::scalar::{Date, DateTime, TimeZone};
use crate::slot::{Slot, zone_of};

/// Which slots are asked for.
#[derive(InputObject)]
pub struct AvailabilityInput {
    /// Of which service.
    service_id: ID,
    /// From when: a slot is listed when `from <= startsAt < to`.
    from: DateTime,
    /// To when; at most 62 days after `from`.
    to: DateTime,
    /// The time zone of the answer: its instants carry its offsets, its days are its days. Default: the location's.
    time_zone: Option<TimeZone>,
    /// At which location. Default: at any.
    location_id: Option<ID>,
    /// With whom. Default: with any provider of the service.
    provider_ids: Option<Vec<ID>>,
    /// For how many.
    #[graphql(default = 1)]
    party_size: Option<i32>,
    /// A booking that is to move: its own time counts as free. Only whoever may change that booking may ask this.
    reschedule_of: Option<ID>,
}

impl AvailabilityInput {
    /// The question, and the zone that was asked for.
    pub(crate) fn parsed(
        &self,
        asked: &Asked<'_>,
    ) -> Result<(AvailabilityQuestion, Option<Zone>), Problem> {
        let zone = self.time_zone.as_ref().map(|name| {
            let zone = asked.engine.zones().get(&name.0);
            zone.ok_or_else(|| {
                Problem::invalid(
                    &["input", "timeZone"],
                    "is not an IANA time zone such as Europe/London",
                )
            })
        });
        let question = AvailabilityQuestion {
            service_id: parsed(&["input", "serviceId"], &self.service_id)?,
            from: self.from.utc(),
            to: self.to.utc(),
            location_id: optional(&["input", "locationId"], self.location_id.as_ref())?,
            provider_ids: list(&["input", "providerIds"], self.provider_ids.as_ref())?,
            party_size: self.party_size.unwrap_or(1),
            reschedule_of: optional(&["input", "rescheduleOf"], self.reschedule_of.as_ref())?,
        };
        Ok((question, zone.transpose()?))
    }
}

pub struct Availability {
    answer: AvailabilityAnswer,
    question: AvailabilityQuestion,
    zone: Option<Zone>,
    service: Arc<Service>,
}

impl Availability {
    fn shown(&self, slot: &availability::Slot) -> Slot {
        let party_size = u32::try_from(self.question.party_size).unwrap_or(1);
        Slot::new(
            &self.answer.catalogue,
            &self.service,
            party_size,
            self.zone.as_ref(),
            slot.clone(),
        )
    }
}

/// What is free of a service. Ask for as little as the page shows: a list of start times costs a fifth of a list of slots.
#[Object]
impl Availability {
    /// The starts of the slots alone, each once, in rising order.
    async fn start_times(&self) -> Vec<DateTime> {
        let catalogue = &self.answer.catalogue;
        let mut times: Vec<DateTime> = Vec::with_capacity(self.answer.slots.len());
        let mut last = None;
        for slot in &self.answer.slots {
            if last.replace(slot.starts) != Some(slot.starts) {
                let zone = zone_of(catalogue, self.zone.as_ref(), slot.location_id);
                times.push(DateTime::of_minute(slot.starts, zone));
            }
        }
        times
    }

    /// The slots, by start: one for each start and location.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn slots(&self) -> Vec<Slot> {
        self.answer
            .slots
            .iter()
            .map(|slot| self.shown(slot))
            .collect()
    }

    /// One for each local day of the window, also for those on which nothing is free: for a month view.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn days(&self) -> Vec<AvailabilityDay> {
        let zone = match &self.zone {
            Some(zone) => zone,
            None => zone_of_days(
                &self.answer.catalogue,
                &self.service,
                self.question.location_id,
            ),
        };
        days(
            zone,
            self.question.from,
            self.question.to,
            &self.answer.slots,
        )
        .into_iter()
        .map(|(date, slots)| AvailabilityDay {
            date: Date(date),
            slot_count: slots.len(),
            first_slot: slots.first().map(|slot| self.shown(slot)),
        })
        .collect()
    }

    /// The first slot at or after `from`, also when it lies past `to`. Null: none up to the maximum advance.
    async fn next_slot(&self) -> Option<Slot> {
        self.answer.next_slot().map(|slot| self.shown(&slot))
    }
}

/// A local day and what is free on it.
#[derive(SimpleObject)]
pub struct AvailabilityDay {
    /// The day, in the time zone asked for.
    date: Date,
    /// How many slots start on it.
    slot_count: usize,
    /// The first of them.
    first_slot: Option<Slot>,
}

/// Whether a start time can be booked, and why not.
#[derive(SimpleObject)]
pub struct SlotCheck {
    /// Whether it can be booked as things stand.
    bookable: bool,
    /// Every reason why not; empty when it can.
    reasons: Vec<UnavailableReason>,
}

#[derive(Default)]
pub struct AvailabilityQuery;

#[Object]
impl AvailabilityQuery {
    /// What is free of a service in a window of time. It may be taken a moment later: `holdSlot` keeps it while a form is filled in.
    async fn availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which slots.")] input: AvailabilityInput,
    ) -> Result<Availability> {
        let asked = Asked::of(ctx)?;
        let (question, zone) = input.parsed(&asked)?;
        let answer = asked.engine.availability(&asked.caller, &question).await?;
        let service = answer.catalogue.service(question.service_id).cloned();
        let service = service.ok_or_else(|| Failure::fault("an answer about no service"))?;
        Ok(Availability {
            answer,
            question,
            zone,
            service,
        })
    }

    /// Whether a start time can be booked, and if not, every reason why: by the same rules as the slots.
    async fn slot_check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which service.")] service_id: ID,
        #[graphql(desc = "The start; a whole minute.")] starts_at: DateTime,
        #[graphql(desc = "With whom. Default: with any provider of the service.")]
        provider_id: Option<ID>,
        #[graphql(default = 1, desc = "For how many.")] party_size: Option<i32>,
    ) -> Result<SlotCheck> {
        let asked = Asked::of(ctx)?;
        let service: ServiceId = parsed(&["serviceId"], &service_id)?;
        let provider = optional(&["providerId"], provider_id.as_ref())?;
        let (at, party) = (starts_at.utc(), party_size.unwrap_or(1));
        let reasons = asked
            .engine
            .slot_check(&asked.caller, service, at, provider, party)
            .await?;
        Ok(SlotCheck {
            bookable: reasons.is_empty(),
            reasons: reasons.into_iter().map(Into::into).collect(),
        })
    }
}

/// The zone of the days of an answer: the location's, of one or of all that agree; else the business's.
pub(crate) fn zone_of_days<'a>(
    catalogue: &'a Catalogue,
    service: &Service,
    location: Option<LocationId>,
) -> &'a Zone {
    let works_at = |id: LocationId| {
        let mut providers = service
            .provider_ids
            .iter()
            .filter_map(|id| catalogue.provider(*id));
        providers.any(|provider| !provider.archived && provider.location_ids.contains(&id))
    };
    let here = |id: LocationId| location.map_or_else(|| works_at(id), |wanted| wanted == id);
    let mut zones = catalogue
        .locations
        .values()
        .filter(|l| !l.archived && here(l.id))
        .map(|location| &location.zone);
    match zones.next() {
        Some(first) if zones.all(|zone| zone == first) => first,
        _ => &catalogue.zone,
    }
}

/// Each local day that shares an instant with the window, and the slots that start on it. The slots are sorted by start.
fn days<'a>(
    zone: &Zone,
    from: chrono::DateTime<Utc>,
    to: chrono::DateTime<Utc>,
    slots: &'a [availability::Slot],
) -> Vec<(NaiveDate, &'a [availability::Slot])> {
    let last = zone.date(to - TimeDelta::nanoseconds(1));
    let mut days = Vec::new();
    let mut rest = slots;
    for date in zone.date(from).iter_days().take_while(|date| *date <= last) {
        // A day that the zone skipped has no instant.
        let Some(day) = zone.day(date) else { continue };
        let (today, later) = rest.split_at(rest.partition_point(|slot| slot.starts < day.end()));
        days.push((date, today));
        rest = later;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::Id;
    use domain::interval::Minute;
    use domain::zone::ZoneDatabase;

    fn at(text: &str) -> chrono::DateTime<Utc> {
        text.parse().unwrap()
    }

    fn slot(starts: &str) -> availability::Slot {
        let starts = Minute::floor(at(starts));
        let location_id = LocationId::from_uuid(uuid::Uuid::from_u128(1));
        availability::Slot {
            starts,
            ends: starts.plus(30),
            location_id,
            provider_ids: availability::ProviderIds::from_iter([]),
            seats_left: 1,
        }
    }

    #[test]
    fn a_month_has_its_local_days_and_each_its_slots() {
        let zone = ZoneDatabase::bundled().get("America/New_York").unwrap();
        // 14 March 2027 has 23 hours; 03:30Z on the 15th is still the 14th there.
        let slots = [
            "2027-03-14T05:00:00Z",
            "2027-03-15T03:30:00Z",
            "2027-03-15T04:00:00Z",
        ]
        .map(slot);
        let days = days(
            &zone,
            at("2027-03-13T05:00:00Z"),
            at("2027-03-16T04:00:00Z"),
            &slots,
        );
        let counts: Vec<(String, usize)> = days
            .iter()
            .map(|(date, slots)| (date.to_string(), slots.len()))
            .collect();
        let expected = [("2027-03-13", 0), ("2027-03-14", 2), ("2027-03-15", 1)];
        assert_eq!(
            counts,
            expected.map(|(date, count)| (date.to_owned(), count))
        );
    }

    #[test]
    fn a_day_that_does_not_exist_is_not_listed() {
        let zone = ZoneDatabase::bundled().get("Pacific/Apia").unwrap();
        let days = days(
            &zone,
            at("2011-12-29T12:00:00Z"),
            at("2011-12-31T09:00:00Z"),
            &[],
        );
        let dates: Vec<String> = days.iter().map(|(date, _)| date.to_string()).collect();
        assert_eq!(dates, ["2011-12-29", "2011-12-31"]);
    }
}
