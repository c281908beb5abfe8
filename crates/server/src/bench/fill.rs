//! The data that are measured on: a business with many providers, and bookings over the coming months.
//!
//! Guaranteed: everything is made through the engine; what an earlier run has made, also one that was cut off, is used again.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Actor;
use domain::id::{ProviderId, ServiceId};
use engine::availability::AvailabilityQuestion;
use engine::booking::{Book, BookingFilter, Page};
use engine::business::CreateBusiness;
use engine::catalogue::location::CreateLocation;
use engine::catalogue::provider::CreateProvider;
use engine::catalogue::schedule::{SetWeeklyHours, WeeklyWindow};
use engine::catalogue::service::ServiceInput;
use engine::customer::CustomerInput;
use engine::{Caller, Engine, Error};
use futures_util::stream::{self, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};

use super::BenchArgs;
use crate::demo::random::Random;

/// Providers who offer the same service.
const GROUP: usize = 10;
/// Days of one question to the engine.
const WINDOW_DAYS: i64 = 62;
/// Bookings of one provider in one window: about 60 of a hundred slots.
const WINDOW_BOOKINGS: usize = 600;
/// Bookings that are made at once.
const AT_ONCE: usize = 16;
/// Slots that the fastest server would use up in a second.
const SLOTS_PER_SECOND: usize = 5_000;
/// How far ahead slots are looked for, in windows: about seven years.
const WINDOWS_MAX: usize = 40;

/// The business that is measured.
pub(super) struct BenchBusiness {
    pub slug: String,
    pub groups: Vec<Group>,
    pub system: Caller,
}

/// A service of 30 minutes and who offers it.
#[derive(Clone)]
pub(super) struct Group {
    pub service_id: ServiceId,
    pub provider_ids: Vec<ProviderId>,
}

/// A slot that nobody has.
pub(super) struct FreeSlot {
    pub service_id: ServiceId,
    pub provider_id: ProviderId,
    pub starts_at: DateTime<Utc>,
}

/// The business with all its providers and services; what is missing is made.
pub(super) async fn prepare(engine: &Engine, args: &BenchArgs) -> anyhow::Result<BenchBusiness> {
    let slug = format!("bench-{}", args.providers);
    let system = match engine.system_caller(&slug).await {
        Ok(system) => system,
        Err(Error::NoBusiness(_)) => create_business(engine, &slug).await?,
        Err(error) => return Err(error.into()),
    };
    let catalogue = engine.catalogue(&system).await?;
    let location_id = match catalogue.locations.keys().next() {
        Some(id) => *id,
        None => {
            let input = CreateLocation {
                name: "Main".to_owned(),
                time_zone: None,
            };
            engine.create_location(&system, input, None).await?
        }
    };
    let known: Vec<ProviderId> = catalogue.providers.keys().copied().collect();
    let mut providers = Vec::new();
    for number in 0..usize::try_from(args.providers)? {
        let id = match known.get(number) {
            Some(id) => *id,
            None => create_provider(engine, &system, number).await?,
        };
        // The last one known may have been cut off before it had its hours.
        if number + 1 >= known.len() {
            let windows = windows()?;
            let input = SetWeeklyHours {
                provider_id: id,
                location_id,
                windows,
            };
            engine.set_weekly_hours(&system, input, None).await?;
        }
        providers.push(id);
    }
    let known: Vec<ServiceId> = catalogue.services.keys().copied().collect();
    let mut groups = Vec::new();
    for (number, provider_ids) in providers.chunks(GROUP).map(<[_]>::to_vec).enumerate() {
        let service_id = match known.get(number) {
            Some(id) => *id,
            None => create_service(engine, &system, number, &provider_ids).await?,
        };
        groups.push(Group {
            service_id,
            provider_ids,
        });
    }
    Ok(BenchBusiness {
        slug,
        groups,
        system,
    })
}

async fn create_business(engine: &Engine, slug: &str) -> anyhow::Result<Caller> {
    let input = CreateBusiness {
        slug: slug.to_owned(),
        name: "Benchmark".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        currency: "EUR".to_owned(),
        locale: None,
    };
    let business = engine.create_business(&input).await?.id;
    Ok(Caller {
        business,
        actor: Actor::System,
    })
}

async fn create_provider(
    engine: &Engine,
    system: &Caller,
    number: usize,
) -> anyhow::Result<ProviderId> {
    let input = CreateProvider {
        name: format!("Provider {}", number + 1),
        email: None,
        location_ids: None,
        daily_limit: None,
    };
    Ok(engine.create_provider(system, input, None).await?)
}

async fn create_service(
    engine: &Engine,
    system: &Caller,
    number: usize,
    providers: &[ProviderId],
) -> anyhow::Result<ServiceId> {
    let input = ServiceInput {
        name: Some(format!("Service {}", number + 1)),
        duration_minutes: Some(30),
        price: Some(3_000),
        provider_ids: Some(providers.to_vec()),
        maximum_advance_days: Some(3_660),
        ..ServiceInput::default()
    };
    Ok(engine.create_service(system, input, None).await?)
}

/// Every day with a gap at noon: sixteen slots.
fn windows() -> anyhow::Result<Vec<WeeklyWindow>> {
    let mut windows = Vec::new();
    for weekday in 0..7 {
        for (opens, closes) in [("09:00", "12:30"), ("13:30", "18:00")] {
            let (opens, closes) = (opens.parse()?, closes.parse()?);
            windows.push(WeeklyWindow {
                weekday,
                opens,
                closes,
            });
        }
    }
    Ok(windows)
}

/// Makes bookings up to the number wanted, and answers how many there are.
pub(super) async fn fill(
    engine: &Engine,
    business: &BenchBusiness,
    args: &BenchArgs,
) -> anyhow::Result<usize> {
    let there = count(engine, &business.system).await?;
    let missing = usize::try_from(args.bookings)?.saturating_sub(there);
    let providers = business.pairs();
    let (each, rest) = (
        missing / providers.len().max(1),
        missing % providers.len().max(1),
    );
    let style = ProgressStyle::with_template("Loading bookings {bar:40} {pos}/{len} {eta}")?;
    let progress = ProgressBar::new(u64::try_from(missing)?).with_style(style);
    let shares = providers
        .into_iter()
        .enumerate()
        .map(|(place, pair)| Ok((pair, each + usize::from(place < rest))));
    stream::iter(shares)
        .try_for_each_concurrent(AT_ONCE, |((service, provider), share)| {
            fill_provider(
                engine,
                &business.system,
                service,
                provider,
                share,
                &progress,
            )
        })
        .await?;
    progress.finish_and_clear();
    Ok(there + missing)
}

async fn fill_provider(
    engine: &Engine,
    system: &Caller,
    service_id: ServiceId,
    provider_id: ProviderId,
    share: usize,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    let mut random = Random::new(u64::try_from(share)?);
    let mut left = share;
    for window in 0..WINDOWS_MAX {
        if left == 0 {
            return Ok(());
        }
        let mut starts = free_starts(engine, system, service_id, provider_id, window).await?;
        random.shuffle(&mut starts);
        for starts_at in starts.into_iter().take(left.min(WINDOW_BOOKINGS)) {
            let input = Book {
                service_id,
                starts_at,
                provider_id: Some(provider_id),
                hold_id: None,
                customer: Some(customer(random.below(1_000_000))),
                party_size: 1,
                note: None,
                override_reason: None,
            };
            engine.book(system, input, None).await?;
            left -= 1;
            progress.inc(1);
        }
    }
    anyhow::ensure!(
        left == 0,
        "so many bookings do not fit: ask for fewer, or for more providers"
    );
    Ok(())
}

fn customer(number: usize) -> CustomerInput {
    CustomerInput {
        name: format!("Customer {number}"),
        email: None,
        phone: None,
        time_zone: None,
        locale: None,
        preferred_channel: None,
    }
}

impl BenchBusiness {
    /// Every provider with the service that they offer.
    fn pairs(&self) -> Vec<(ServiceId, ProviderId)> {
        let of = |group: &Group| {
            let service = group.service_id;
            group
                .provider_ids
                .clone()
                .into_iter()
                .map(move |provider| (service, provider))
        };
        self.groups.iter().flat_map(of).collect()
    }
}

async fn count(engine: &Engine, system: &Caller) -> anyhow::Result<usize> {
    let mut page = Page {
        after: None,
        before: None,
        limit: 5_000,
        backward: false,
    };
    let mut count = 0;
    loop {
        let found = engine
            .bookings(system, &BookingFilter::default(), page)
            .await?;
        count += found.bookings.len();
        page.after = found.bookings.last().map(|(position, _)| *position);
        if !found.has_more || page.after.is_none() {
            return Ok(count);
        }
    }
}

/// Slots for bookings over HTTP, past those that are loaded, in no order; so many that they should last.
pub(super) async fn free_slots(
    engine: &Engine,
    business: &BenchBusiness,
    args: &BenchArgs,
) -> anyhow::Result<Vec<FreeSlot>> {
    let wanted = usize::try_from(args.seconds)? * args.clients.len() * SLOTS_PER_SECOND;
    let each = usize::try_from(args.bookings / args.providers)?;
    let first = each / WINDOW_BOOKINGS + 1;
    let mut slots = Vec::new();
    for window in first..WINDOWS_MAX {
        for (service_id, provider_id) in business.pairs() {
            let starts =
                free_starts(engine, &business.system, service_id, provider_id, window).await?;
            slots.extend(starts.into_iter().map(|starts_at| FreeSlot {
                service_id,
                provider_id,
                starts_at,
            }));
        }
        if slots.len() >= wanted {
            break;
        }
    }
    Random::new(7).shuffle(&mut slots);
    Ok(slots)
}

async fn free_starts(
    engine: &Engine,
    system: &Caller,
    service_id: ServiceId,
    provider_id: ProviderId,
    window: usize,
) -> anyhow::Result<Vec<DateTime<Utc>>> {
    let ahead = i64::try_from(window)?
        .checked_mul(WINDOW_DAYS)
        .context("too far ahead")?;
    let from = engine.clock().now() + TimeDelta::days(1 + ahead);
    let question = AvailabilityQuestion {
        service_id,
        from,
        to: from + TimeDelta::days(WINDOW_DAYS),
        location_id: None,
        provider_ids: Some(vec![provider_id]),
        party_size: 1,
        reschedule_of: None,
    };
    let answer = engine.availability(system, &question).await?;
    Ok(answer
        .slots
        .into_iter()
        .map(|slot| slot.starts.instant())
        .collect())
}
