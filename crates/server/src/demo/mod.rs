//! Demo data: a salon, a clinic and a gym, each a business with two months behind it and six weeks of bookings ahead.
//!
//! Guaranteed: everything is made through the engine, by engines of its own whose clocks stand in the past and are moved up to now, so
//! that history has its true instants and keeps all the rules; those engines have no plugins, so nobody is sent mail about the demo.
//! A business whose slug is taken is left as it is, so loading again adds no bookings. A load that was cut off is not taken up again.

mod catalogue;
mod history;
mod loaded;
pub(crate) mod random;
mod shape;

use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Actor;
use domain::zone::ZoneDatabase;
use engine::business::CreateBusiness;
use engine::{Caller, Clock, Engine, EngineOptions, Error};
use futures_util::future::try_join_all;
use indicatif::{ProgressBar, ProgressStyle};
use store::Database;

use self::history::{DAYS_BACK, History};
use self::random::Random;
use self::shape::{SHAPES, Shape};

pub use self::loaded::{Loaded, LoadedBusiness};

/// What the demo is made of and with.
pub struct DemoParts {
    /// Where it goes; migrated.
    pub database: Database,
    /// The zones.
    pub zones: ZoneDatabase,
    /// What the engines need it for.
    pub vault: engine::Vault,
    /// The instant around which its bookings lie.
    pub now: DateTime<Utc>,
}

/// Loads the businesses that are not there yet, and answers how to reach all three. The tokens in the answer are made anew each
/// time; earlier ones stay good.
pub async fn load(parts: &DemoParts, on_progress: bool) -> anyhow::Result<Loaded> {
    let progress = progress_bar(on_progress)?;
    let mut stages = Vec::new();
    for shape in SHAPES {
        // One after the other: the first business of a server may take the place of its starter.
        stages.push(Stage::new(parts, shape).await?);
    }
    let days = u64::try_from(DAYS_BACK + 1)?;
    let new = stages.iter().filter(|stage| stage.is_new).count();
    progress.set_length(days * u64::try_from(new)?);
    let played = try_join_all(stages.iter().map(|stage| stage.play(parts.now, &progress))).await;
    progress.finish_and_clear();
    Ok(Loaded {
        businesses: played?,
    })
}

/// A business of the demo with an engine of its own.
struct Stage {
    shape: &'static Shape,
    engine: Engine,
    clock: Clock,
    system: Caller,
    is_new: bool,
}

impl Stage {
    /// The business, which is made where it is not there.
    async fn new(parts: &DemoParts, shape: &'static Shape) -> anyhow::Result<Self> {
        // A day before the first booking, so that the catalogue is older than what is booked from it.
        let clock = Clock::standing_at(parts.now - TimeDelta::days(DAYS_BACK + 1));
        let engine = Engine::new(EngineOptions {
            database: parts.database.clone(),
            clock: clock.clone(),
            zones: parts.zones.clone(),
            plugins: Vec::new(),
            vault: parts.vault.clone(),
            public_url: None,
        });
        let (system, is_new) = match engine.system_caller(shape.slug).await {
            Ok(system) => (system, false),
            Err(Error::NoBusiness(_)) => (create(&engine, shape).await?, true),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            shape,
            engine,
            clock,
            system,
            is_new,
        })
    }

    async fn play(
        &self,
        now: DateTime<Utc>,
        progress: &ProgressBar,
    ) -> anyhow::Result<LoadedBusiness> {
        let mut bookings_made = 0;
        if self.is_new {
            let services = catalogue::make(&self.engine, &self.system, self.shape, now).await?;
            let mut history = History {
                engine: &self.engine,
                clock: &self.clock,
                visitor: Caller {
                    actor: Actor::Anonymous,
                    ..self.system
                },
                system: self.system,
                shape: self.shape,
                services: &services,
                random: Random::new(self.shape.seed),
                open: Vec::new(),
            };
            bookings_made = history.live(now, progress).await?;
        }
        self.clock.set(now);
        loaded::describe(&self.engine, &self.system, bookings_made).await
    }
}

async fn create(engine: &Engine, shape: &Shape) -> anyhow::Result<Caller> {
    let input = CreateBusiness {
        slug: shape.slug.to_owned(),
        name: shape.name.to_owned(),
        time_zone: shape.zone.to_owned(),
        currency: shape.currency.to_owned(),
        locale: Some(shape.locale.to_owned()),
    };
    Ok(Caller {
        business: engine.create_business(&input).await?.id,
        actor: Actor::System,
    })
}

fn progress_bar(is_shown: bool) -> anyhow::Result<ProgressBar> {
    if !is_shown {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("Loading the demo {bar:40} {percent:>3} %")?;
    Ok(ProgressBar::new(0).with_style(style))
}
