//! Reads calendars elsewhere when they are due, under leases: any number of processes read each once at a time, and one that dies loses nothing.
//!
//! One connection's trouble stands in nobody else's way: so many are read at once and no more, of one business its share ([`Shares`]), each for so long
//! and no longer; a panic is caught; and one that fails is asked again later and later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use domain::id::{BusinessId, Id};
use engine::Engine;
use engine::apart;
use engine::calendar::TakenSource;
use plugin_api::Failure;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::pace::Pace;
use crate::share::{SHARE, Shares};
use crate::{AFTER_FAULT, JobOptions, LEASE_MARGIN, TOGETHER, stopped};

/// How many calendars are read at once.
const CONCURRENCY: usize = 8;

/// Reads what is due.
#[derive(Clone)]
struct Runner {
    engine: Engine,
    options: Arc<JobOptions>,
    stop: watch::Receiver<bool>,
    places: Arc<Semaphore>,
    pace: Pace,
    /// How many are being read, by business.
    shares: Arc<Mutex<Shares>>,
    ended: Arc<Notify>,
}

/// Reads calendars elsewhere until it is stopped.
pub(crate) async fn run_calendars(
    engine: Engine,
    options: Arc<JobOptions>,
    stop: watch::Receiver<bool>,
) {
    let places = CONCURRENCY.min(options.concurrency);
    let runner = Runner {
        pace: Pace::new(engine.clone(), &options),
        engine,
        options,
        stop,
        places: Arc::new(Semaphore::new(places)),
        shares: Arc::new(Mutex::new(Shares::new(places, SHARE))),
        ended: Arc::default(),
    };
    runner.run().await;
}

impl Runner {
    async fn run(self) {
        let mut committed = self.engine.committed();
        let mut stop = self.stop.clone();
        let mut working = JoinSet::new();
        while !*stop.borrow() {
            committed.borrow_and_update();
            if let Err(error) = self.begin(&mut working).await {
                tracing::warn!(%error, "calendars elsewhere could not be looked up");
                tokio::time::sleep(AFTER_FAULT).await;
                continue;
            }
            while working.try_join_next().is_some() {}
            tokio::select! {
                () = self.wait() => {}
                _ = committed.changed() => tokio::time::sleep(TOGETHER).await,
                () = stopped(&mut stop) => {}
            }
            self.pace.stand_back().await;
        }
        // Each of them hears the stop, too, and ends within the grace.
        while working.join_next().await.is_some() {}
    }

    /// Begins what is due, as much as there is room for.
    async fn begin(&self, working: &mut JoinSet<()>) -> engine::Result<()> {
        let limit = TimeDelta::from_std(self.options.time_limit).unwrap_or(TimeDelta::minutes(1));
        loop {
            let (room, is_slow) = (
                self.pace.room(self.places.available_permits()),
                self.pace.is_slow(),
            );
            if room == 0 {
                return Ok(());
            }
            let room = i64::try_from(room).unwrap_or(1);
            let due = self.engine.calendars_due(&self.full(), room).await?;
            let mut has_begun = false;
            for due in due {
                let business = BusinessId::from_uuid(due.business_id);
                let Some(place) = self.place(business) else {
                    continue;
                };
                let taken = self.engine.take_calendar(due, limit + LEASE_MARGIN).await?;
                let Some(taken) = taken else { continue };
                has_begun = true;
                let runner = self.clone();
                working.spawn(async move { runner.read(taken, place).await });
            }
            if !has_begun || is_slow {
                return Ok(());
            }
        }
    }

    /// A place for one more of a business, if there is one.
    fn place(&self, business: BusinessId) -> Option<Place> {
        let permit = self.places.clone().try_acquire_owned().ok()?;
        let mut shares = self.shares();
        if !shares.has_room(business) {
            return None;
        }
        shares.begin(business);
        Some(Place {
            runner: self.clone(),
            business,
            permit: Some(permit),
        })
    }

    /// The businesses that have their share.
    fn full(&self) -> Vec<BusinessId> {
        self.shares().full().collect()
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may be due.
    async fn wait(&self) {
        let clock = self.engine.clock();
        let next = self.engine.calendar_next(&self.full()).await;
        // What is due already waits for a place: that is told when one is free.
        let next = next.ok().flatten().filter(|next| *next > clock.now());
        let due = async {
            match next {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = self.ended.notified() => {}
            () = tokio::time::sleep(self.options.poll) => {}
        }
    }

    /// Reads one, apart: cut off at the time limit, a panic caught, given back when the jobs stop.
    async fn read(&self, taken: TakenSource, place: Place) {
        let engine = self.engine.clone();
        let taken = Arc::new(taken);
        let reading = taken.clone();
        let work = async move { engine.read_calendar(&reading).await };
        let mut apart = apart::begin(work, place);
        let mut stop = self.stop.clone();
        let grace = async {
            stopped(&mut stop).await;
            tokio::time::sleep(self.options.grace).await;
        };
        let ended = tokio::select! {
            ended = &mut apart.task => ended.unwrap_or_else(|_| Some(Err(Failure::retry("the plugin panicked")))),
            () = tokio::time::sleep(self.options.time_limit) => Some(Err(Failure::retry("the plugin took too long"))),
            () = grace => None,
        };
        drop(apart);
        let recorded = match ended {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => {
                tracing::info!(business = %taken.business, reason = failure.reason(), "a calendar could not be read");
                self.engine.put_off_calendar(&taken, &failure).await
            }
            None => self.engine.return_calendar(&taken).await,
        };
        if let Err(error) = recorded {
            // Its lease runs out, and it is read then.
            tracing::warn!(%error, "a calendar could not be put off");
        }
    }
}

/// A place among those that are read at once.
struct Place {
    runner: Runner,
    business: BusinessId,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.runner.shares().end(self.business);
        self.permit.take();
        self.runner.ended.notify_one();
    }
}
