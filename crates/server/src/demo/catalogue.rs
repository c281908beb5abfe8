//! Makes the catalogue of a business of the demo: who and what there is, when they work, and when for once they do not.

use anyhow::Context;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::id::{LocationId, ProviderId, ResourceId, ResourceKindId, ServiceId};
use domain::zone::Zone;
use engine::catalogue::block::CreateBlock;
use engine::catalogue::location::CreateLocation;
use engine::catalogue::provider::CreateProvider;
use engine::catalogue::resource::{CreateResource, CreateResourceKind};
use engine::catalogue::schedule::{SetDateOverride, SetWeeklyHours, WeeklyWindow, Window};
use engine::catalogue::service::ServiceInput;
use engine::{Caller, Engine};

use super::shape::{Kind, Offer, Person, Shape};

/// Makes everything in the shape, and answers the services in its order. `now` is when the demo is looked at.
pub(super) async fn make(
    engine: &Engine,
    system: &Caller,
    shape: &Shape,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<ServiceId>> {
    let maker = Maker { engine, system };
    let location = CreateLocation {
        name: shape.location.to_owned(),
        time_zone: None,
    };
    let location = engine.create_location(system, location, None).await?;
    let mut providers = Vec::new();
    for person in shape.providers {
        providers.push(maker.provider(person, location).await?);
    }
    let (mut kinds, mut resources) = (Vec::new(), Vec::new());
    for kind in shape.kinds {
        kinds.push(maker.kind(kind, location, &mut resources).await?);
    }
    let mut services = Vec::new();
    for offer in shape.services {
        services.push(maker.service(offer, &providers, &kinds).await?);
    }
    let zone = engine.zones().get(shape.zone).context("an unknown zone")?;
    maker
        .overrides(&providers, location, zone.date(now))
        .await?;
    maker
        .blocks(&providers, &resources, &zone, zone.date(now))
        .await?;
    Ok(services)
}

struct Maker<'a> {
    engine: &'a Engine,
    system: &'a Caller,
}

impl Maker<'_> {
    async fn provider(
        &self,
        person: &Person,
        location_id: LocationId,
    ) -> anyhow::Result<ProviderId> {
        let input = CreateProvider {
            name: person.name.to_owned(),
            email: Some(person.email.to_owned()),
            location_ids: Some(vec![location_id]),
            daily_limit: None,
        };
        let provider_id = self
            .engine
            .create_provider(self.system, input, None)
            .await?;
        let mut windows = Vec::new();
        for &weekday in person.weekdays {
            for (opens, closes) in person.windows {
                let (opens, closes) = (opens.parse()?, closes.parse()?);
                windows.push(WeeklyWindow {
                    weekday,
                    opens,
                    closes,
                });
            }
        }
        let input = SetWeeklyHours {
            provider_id,
            location_id,
            windows,
        };
        Ok(self
            .engine
            .set_weekly_hours(self.system, input, None)
            .await?)
    }

    async fn kind(
        &self,
        kind: &Kind,
        location_id: LocationId,
        resources: &mut Vec<ResourceId>,
    ) -> anyhow::Result<ResourceKindId> {
        let input = CreateResourceKind {
            name: kind.name.to_owned(),
        };
        let kind_id = self
            .engine
            .create_resource_kind(self.system, input, None)
            .await?;
        for name in kind.resources {
            let input = CreateResource {
                name: (*name).to_owned(),
                kind_id,
                location_id,
                units: 1,
            };
            resources.push(
                self.engine
                    .create_resource(self.system, input, None)
                    .await?,
            );
        }
        Ok(kind_id)
    }

    async fn service(
        &self,
        offer: &Offer,
        providers: &[ProviderId],
        kinds: &[ResourceKindId],
    ) -> anyhow::Result<ServiceId> {
        let of = |places: &[usize]| {
            places
                .iter()
                .filter_map(|place| providers.get(*place).copied())
                .collect()
        };
        let required = offer.requires.iter().filter_map(|place| kinds.get(*place));
        let input = ServiceInput {
            name: Some(offer.name.to_owned()),
            description: Some(Some(offer.description.to_owned())),
            duration_minutes: Some(offer.minutes),
            buffer_before_minutes: Some(offer.buffers.0),
            buffer_after_minutes: Some(offer.buffers.1),
            slot_interval_minutes: Some(offer.interval),
            capacity: Some(offer.capacity),
            price: Some(offer.price),
            provider_ids: Some(of(offer.providers)),
            requires: Some(required.map(|kind| (*kind, 1)).collect()),
            minimum_notice_minutes: Some(offer.notice_minutes),
            maximum_advance_days: Some(90),
            cancellation_notice_minutes: Some(offer.cancellation_minutes),
            reschedule_notice_minutes: Some(offer.cancellation_minutes),
            ..ServiceInput::default()
        };
        Ok(self.engine.create_service(self.system, input, None).await?)
    }

    /// A day off and a short day, in the coming weeks and in those gone by.
    async fn overrides(
        &self,
        providers: &[ProviderId],
        location_id: LocationId,
        today: NaiveDate,
    ) -> anyhow::Result<()> {
        let short = Window {
            opens: "10:00".parse()?,
            closes: "14:00".parse()?,
        };
        for (place, days, windows) in [
            (0, 12, vec![]),
            (1, 8, vec![short]),
            (1, -16, vec![]),
            (2, -37, vec![short]),
            (2, 29, vec![]),
        ] {
            let input = SetDateOverride {
                provider_id: *providers.get(place).context("too few providers")?,
                location_id,
                date: shifted(today, days)?,
                windows: Some(windows),
            };
            self.engine
                .set_date_override(self.system, input, None)
                .await?;
        }
        Ok(())
    }

    /// Holidays, appointments of the staff's own, and a resource that is mended.
    async fn blocks(
        &self,
        providers: &[ProviderId],
        resources: &[ResourceId],
        zone: &Zone,
        today: NaiveDate,
    ) -> anyhow::Result<()> {
        let who = |place: usize| providers.get(place).copied();
        let resource = resources.first().copied();
        for (provider_id, resource_id, days, hour, hours, reason) in [
            (who(2), None, 19, 0, 5 * 24, "Holiday"),
            (who(0), None, -31, 0, 48, "Training"),
            (who(1), None, 3, 9, 2, "Dentist"),
            (who(0), None, 1, 16, 1, "Phone calls"),
            (None, resource, 6, 8, 4, "Maintenance"),
        ] {
            let hour = NaiveTime::from_hms_opt(hour, 0, 0).context("an hour of a day")?;
            let starts_at = zone.to_instant(shifted(today, days)?.and_time(hour));
            let input = CreateBlock {
                provider_id,
                resource_id,
                starts_at,
                ends_at: starts_at + TimeDelta::hours(hours),
                reason: Some(reason.to_owned()),
            };
            self.engine.create_block(self.system, input, None).await?;
        }
        Ok(())
    }
}

fn shifted(day: NaiveDate, days: i64) -> anyhow::Result<NaiveDate> {
    let by = Days::new(days.unsigned_abs());
    let shifted = if days < 0 {
        day.checked_sub_days(by)
    } else {
        day.checked_add_days(by)
    };
    shifted.context("a day outside the calendar")
}
