//! The runner of one plugin: takes what is due, has the plugin work on it, records how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use engine::Engine;
use engine::delivery::{EndedAttempt, Ending, TakenDelivery};
use plugin_api::{Delivery, Done, Failure, Plugin};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::breaker::{Allowed, Breaker};
use crate::record::Recorder;
use crate::{JobOptions, stopped};

/// How much longer than the time limit a lease lasts, so that it does not run out while the result is recorded.
pub(crate) const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(30);
/// Commits that come within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(40);
/// So many writes under way are many: people wait for them, and nobody for a delivery, which then begins this much later.
const MANY_WRITES: usize = 4;
const STAND_BACK: Duration = Duration::from_millis(400);
/// How long to wait before the database is asked again after it failed.
pub(crate) const AFTER_FAULT: Duration = Duration::from_millis(500);
/// What needs other settings is tried again no sooner than this.
const MISCONFIGURED: Duration = Duration::from_secs(15 * 60);

/// The runner of one plugin.
#[derive(Clone)]
pub(crate) struct Runner {
    engine: Engine,
    plugin: Arc<dyn Plugin>,
    options: Arc<JobOptions>,
    stop: watch::Receiver<bool>,
    breaker: Arc<Breaker>,
    places: Arc<Semaphore>,
    recorder: Recorder,
}

impl Runner {
    pub(crate) fn new(
        engine: Engine,
        plugin: Arc<dyn Plugin>,
        options: Arc<JobOptions>,
        stop: watch::Receiver<bool>,
        recorder: Recorder,
    ) -> Self {
        let places = Arc::new(Semaphore::new(options.concurrency));
        Self {
            engine,
            plugin,
            options,
            stop,
            breaker: Arc::default(),
            places,
            recorder,
        }
    }

    /// Runs until it is stopped.
    pub(crate) async fn run(self) {
        let mut committed = self.engine.committed();
        let mut stop = self.stop.clone();
        let mut working = JoinSet::new();
        while !*stop.borrow() {
            committed.borrow_and_update();
            if let Err(error) = self.begin(&mut working).await {
                tracing::warn!(plugin = self.plugin.name(), %error, "deliveries could not be read");
                tokio::time::sleep(AFTER_FAULT).await;
                continue;
            }
            while working.try_join_next().is_some() {}
            tokio::select! {
                () = self.wait() => {}
                _ = committed.changed() => tokio::time::sleep(TOGETHER).await,
                () = stopped(&mut stop) => {}
            }
            if self.engine.writes_under_way() >= MANY_WRITES {
                tokio::time::sleep(STAND_BACK).await;
            }
        }
        // Each of them hears the stop, too, and ends within the grace.
        while working.join_next().await.is_some() {}
    }

    /// Begins what is due, as much as there is room for.
    async fn begin(&self, working: &mut JoinSet<()>) -> engine::Result<()> {
        let room = match self.breaker.allowed(self.engine.clock().now()) {
            Allowed::All => self.places.available_permits(),
            Allowed::One => {
                usize::from(self.places.available_permits() == self.options.concurrency)
            }
            Allowed::NoneBefore(_) => 0,
        };
        if room == 0 {
            return Ok(());
        }
        let room = i64::try_from(room).unwrap_or(1);
        let due = self.engine.deliveries_due(self.plugin.name(), room).await?;
        if due.is_empty() {
            return Ok(());
        }
        let limit = TimeDelta::from_std(self.options.time_limit).unwrap_or(TimeDelta::minutes(1));
        // Fewer than are due: somebody else was faster.
        let taken = self
            .engine
            .take_deliveries(&due, limit + LEASE_MARGIN)
            .await?;
        for taken in taken {
            let Ok(place) = self.places.clone().acquire_owned().await else {
                break;
            };
            let runner = self.clone();
            working.spawn(async move {
                runner.deliver(taken).await;
                drop(place);
            });
        }
        Ok(())
    }

    /// Waits until something may be due.
    async fn wait(&self) {
        let clock = self.engine.clock();
        let next = match self.breaker.allowed(clock.now()) {
            Allowed::NoneBefore(until) => Some(until),
            _ => match self.engine.delivery_next(self.plugin.name()).await {
                Ok(next) => next.filter(|next| *next > clock.now()),
                Err(_) => None,
            },
        };
        let due = async {
            match next {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = self.recorder.recorded() => {}
            () = tokio::time::sleep(self.options.poll) => {}
        }
    }

    async fn deliver(&self, taken: TakenDelivery) {
        let began = Instant::now();
        let delivery = Delivery {
            id: taken.id,
            business_id: taken.business_id,
            attempt: u32::try_from(taken.attempt).unwrap_or(1),
            part: taken.part.clone(),
            event: taken.event.clone(),
        };
        let result = self.react(delivery).await;
        let (ending, note) = self.judge(&taken, result);
        let attempt = EndedAttempt {
            id: taken.id,
            lease_id: taken.lease_id,
            ending,
            note,
            at: self.engine.clock().now(),
            duration_ms: i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX),
        };
        self.recorder.record(taken.business_id, attempt);
    }

    /// Has the plugin work on it, on a task of its own: cut off at the time limit, a panic caught. None: the jobs stop.
    async fn react(&self, delivery: Delivery) -> Option<Result<Done, Failure>> {
        let plugin = self.plugin.clone();
        let mut task = tokio::spawn(async move {
            match plugin.reaction() {
                Some(reaction) => reaction.react(&delivery).await,
                None => Err(Failure::give_up(
                    "the plugin does not react to anything any more",
                )),
            }
        });
        let mut stop = self.stop.clone();
        let grace = async {
            stopped(&mut stop).await;
            tokio::time::sleep(self.options.grace).await;
        };
        let result = tokio::select! {
            ended = &mut task => Some(ended.unwrap_or_else(|_| Err(Failure::retry("the plugin panicked")))),
            () = tokio::time::sleep(self.options.time_limit) => Some(Err(Failure::retry("the plugin took too long"))),
            () = grace => None,
        };
        task.abort();
        result
    }

    /// What becomes of the delivery, and what is noted about it.
    fn judge(
        &self,
        taken: &TakenDelivery,
        result: Option<Result<Done, Failure>>,
    ) -> (Ending, Option<String>) {
        let Some(result) = result else {
            return (Ending::Returned, None);
        };
        let (asked, reason) = match result {
            Ok(done) => {
                self.breaker.succeeded();
                let note = match done {
                    Done::Delivered => None,
                    Done::Skipped { reason } => Some(reason),
                };
                return (Ending::Delivered, note);
            }
            Err(Failure::GiveUp { reason }) => {
                self.breaker.succeeded();
                tracing::warn!(plugin = self.plugin.name(), delivery = %taken.id, reason, "a delivery was parked");
                return (Ending::Parked, Some(reason));
            }
            Err(Failure::Retry { after, reason }) => (after, reason),
            Err(Failure::Misconfigured { reason }) => (Some(MISCONFIGURED), reason),
        };
        let now = self.engine.clock().now();
        if let Some(until) = self.breaker.failed(now) {
            tracing::warn!(plugin = self.plugin.name(), %until, reason, "a plugin only fails: it is left alone");
        }
        let mut random = [0; 1];
        let _ = getrandom::fill(&mut random);
        let attempt = u32::try_from(taken.attempt).unwrap_or(u32::MAX);
        match self.options.backoff.after(attempt, asked, random[0]) {
            Some(wait) => {
                tracing::info!(plugin = self.plugin.name(), delivery = %taken.id, attempt, reason, "a delivery failed");
                (
                    Ending::Waiting {
                        next_attempt_at: now + wait,
                    },
                    Some(reason),
                )
            }
            None => {
                tracing::warn!(plugin = self.plugin.name(), delivery = %taken.id, attempt, reason, "a delivery was parked");
                (Ending::Parked, Some(reason))
            }
        }
    }
}
