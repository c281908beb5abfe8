//! The runner of one plugin: takes what is due, has the plugin work on it, records how it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::id::{BusinessId, Id};
use engine::Engine;
use engine::apart;
use engine::delivery::{DueDelivery, EndedAttempt, Ending, TakenDelivery};
use engine::plugin::NotInUse;
use plugin_api::{Delivery, Done, Failure, Plugin, PluginSettings};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::backoff::Next;
use crate::gate::{Ended, Gate};
use crate::pace::Pace;
use crate::record::Recorder;
use crate::share::SHARE;
use crate::{AFTER_FAULT, JobOptions, LEASE_MARGIN, stopped};

/// Who has not decided yet is asked again no sooner and no later than this.
const NOT_YET_MIN: TimeDelta = TimeDelta::seconds(10);
const NOT_YET_MAX: TimeDelta = TimeDelta::hours(1);
/// What needs other settings is tried again no sooner than this.
const MISCONFIGURED: TimeDelta = TimeDelta::minutes(15);

/// Of so many places a business that is alone has one: of a plugin whose attempts may take long it has fewer.
const SHARE_OF_SLOW: usize = 8;

/// The runner of one plugin.
#[derive(Clone)]
pub(crate) struct Runner {
    engine: Engine,
    plugin: Arc<dyn Plugin>,
    options: Arc<JobOptions>,
    stop: watch::Receiver<bool>,
    handed_on: watch::Receiver<()>,
    gate: Arc<Gate>,
    places: Arc<Semaphore>,
    pace: Pace,
    recorder: Recorder,
}

impl Runner {
    pub(crate) fn new(
        engine: Engine,
        plugin: Arc<dyn Plugin>,
        options: Arc<JobOptions>,
        stop: watch::Receiver<bool>,
        handed_on: watch::Receiver<()>,
        recorder: Recorder,
    ) -> Self {
        let places = Arc::new(Semaphore::new(options.concurrency));
        let pace = Pace::new(engine.clone(), &options);
        let share = plugin.time_limit().map_or(SHARE, |_| SHARE_OF_SLOW);
        let gate = Arc::new(Gate::new(options.concurrency, share));
        Self {
            engine,
            plugin,
            options,
            stop,
            handed_on,
            gate,
            places,
            pace,
            recorder,
        }
    }

    /// Runs until it is stopped.
    pub(crate) async fn run(self) {
        let mut handed_on = self.handed_on.clone();
        let mut stop = self.stop.clone();
        let mut working = JoinSet::new();
        while !*stop.borrow() {
            handed_on.borrow_and_update();
            if let Err(error) = self.begin(&mut working).await {
                tracing::warn!(plugin = self.plugin.name(), %error, "deliveries could not be read");
                tokio::time::sleep(AFTER_FAULT).await;
                continue;
            }
            while working.try_join_next().is_some() {}
            tokio::select! {
                () = self.wait() => {}
                // An error: the jobs stop.
                Ok(()) = handed_on.changed() => {}
                () = stopped(&mut stop) => {}
            }
            self.pace.stand_back().await;
        }
        // Each of them hears the stop, too, and ends within the grace.
        while working.join_next().await.is_some() {}
    }

    /// Begins what is due, as much as there is room for.
    async fn begin(&self, working: &mut JoinSet<()>) -> engine::Result<()> {
        loop {
            // A place is given back a moment before the gate hears of it.
            let free = self.places.available_permits().min(self.gate.free());
            let room = self.pace.room(free);
            if room == 0 {
                return Ok(());
            }
            let now = self.engine.clock().now();
            let (closed, _) = self.gate.closed(now);
            let room = i64::try_from(room).unwrap_or(1);
            let mut due = self
                .engine
                .deliveries_due(self.plugin.name(), &closed, room)
                .await?;
            let read = due.len();
            due.retain(|due| self.gate.begin(BusinessId::from_uuid(due.business_id), now));
            self.take(&due, working).await?;
            // Where a business had more than its share, others may be waiting behind it.
            if due.len() == read {
                return Ok(());
            }
        }
    }

    async fn take(&self, due: &[DueDelivery], working: &mut JoinSet<()>) -> engine::Result<()> {
        if due.is_empty() {
            return Ok(());
        }
        let taken = self
            .engine
            .take_deliveries(&*self.plugin, due, self.lease())
            .await;
        let had = |due: &DueDelivery| {
            let mut all = taken.iter().flatten();
            all.any(|(taken, _)| taken.id.uuid() == due.id)
        };
        // Somebody else was faster, or the database is away.
        for lost in due.iter().filter(|due| !had(due)) {
            let business = BusinessId::from_uuid(lost.business_id);
            self.gate
                .end(business, Ended::Untried, self.engine.clock().now());
        }
        for (taken, settings) in taken? {
            let Ok(place) = self.places.clone().acquire_owned().await else {
                break;
            };
            let runner = self.clone();
            working.spawn(async move {
                runner.deliver(taken, settings, place).await;
            });
        }
        Ok(())
    }

    /// How long one attempt may take.
    fn time_limit(&self) -> Duration {
        self.plugin.time_limit().unwrap_or(self.options.time_limit)
    }

    /// How long a lease lasts.
    fn lease(&self) -> TimeDelta {
        let usual = TimeDelta::from_std(self.options.time_limit);
        usual.unwrap_or(TimeDelta::minutes(1)) + LEASE_MARGIN
    }

    /// Renews the lease of an attempt that may take longer than one lasts, so that what a process has in hand that dies is taken up as soon as of
    /// any other plugin. Ends when the lease was lost.
    async fn keep_lease(&self, taken: &TakenDelivery) {
        if self.plugin.time_limit().is_none() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.options.time_limit).await;
            match self.engine.renew_lease(taken, self.lease()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(plugin = self.plugin.name(), delivery = %taken.id, %error, "a lease could not be renewed");
                }
            }
        }
    }

    /// Waits until something may be due.
    async fn wait(&self) {
        let clock = self.engine.clock();
        let (closed, opens) = self.gate.closed(clock.now());
        let next = self.engine.delivery_next(self.plugin.name(), &closed).await;
        // What is due already and was not begun waits for a place, or for one before it: that is told when it ends.
        let next = next.ok().flatten().into_iter().chain(opens).min();
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

    async fn deliver(
        &self,
        taken: TakenDelivery,
        settings: Result<PluginSettings, NotInUse>,
        place: OwnedSemaphorePermit,
    ) {
        let began = Instant::now();
        let result = match handed(&taken, settings) {
            Ok(delivery) => self.react(&taken, delivery, place).await,
            Err(failure) => Some(Err(failure)),
        };
        let misconfigured = matches!(result, Some(Err(Failure::Misconfigured { .. })));
        let (ended, ending, note) = self.judge(&taken, result);
        self.end(&taken, ended, note.as_deref());
        let attempt = EndedAttempt {
            id: taken.id,
            lease_id: taken.lease_id,
            ending,
            misconfigured,
            note,
            at: self.engine.clock().now(),
            duration_ms: i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX),
        };
        self.recorder.record(taken.business_id, attempt);
    }

    /// Has the plugin work on it, apart: cut off at the time limit, a panic caught. None: the jobs stop, or somebody else has it by now.
    async fn react(
        &self,
        taken: &TakenDelivery,
        delivery: Delivery,
        place: OwnedSemaphorePermit,
    ) -> Option<Result<Done, Failure>> {
        let is_last = self.is_last(taken);
        let (plugin, engine) = (self.plugin.clone(), self.engine.clone());
        let given_up_on = is_last.then(|| delivery.clone());
        let work = async move { engine.work_on(&*plugin, &delivery, is_last).await };
        let mut apart = apart::begin(work, place);
        let mut stop = self.stop.clone();
        let grace = async {
            stopped(&mut stop).await;
            tokio::time::sleep(self.options.grace).await;
        };
        let broken = tokio::select! {
            ended = &mut apart.task => match ended {
                Ok(result) => return result,
                Err(_) => "the plugin panicked",
            },
            () = tokio::time::sleep(self.time_limit()) => "the plugin took too long",
            () = self.keep_lease(taken) => return None,
            () = grace => return None,
        };
        drop(apart);
        if let Some(delivery) = given_up_on {
            self.give_up_on(delivery, broken).await;
        }
        Some(Err(Failure::retry(broken)))
    }

    /// Has what a delivery asked for come to its end that broke off for the last time. Plugins are asked in that, too, so it runs apart as well.
    async fn give_up_on(&self, delivery: Delivery, reason: &'static str) {
        let (plugin, engine) = (self.plugin.clone(), self.engine.clone());
        let id = delivery.id;
        let work = async move { engine.give_up_on(&*plugin, &delivery, reason).await };
        let mut apart = apart::begin(work, ());
        let ended = tokio::time::timeout(self.options.time_limit, &mut apart.task).await;
        if !matches!(ended, Ok(Ok(_))) {
            tracing::error!(plugin = self.plugin.name(), delivery = %id, "what broke off could not be brought to its end");
        }
    }

    /// Whether the delivery is parked if this attempt fails.
    fn is_last(&self, taken: &TakenDelivery) -> bool {
        let attempts = self.plugin.attempts();
        let attempts = attempts.unwrap_or(self.options.backoff.attempts);
        u32::try_from(taken.attempt).unwrap_or(u32::MAX) >= attempts
    }

    /// What becomes of the delivery, what is noted about it, and how the gate sees it.
    fn judge(
        &self,
        taken: &TakenDelivery,
        result: Option<Result<Done, Failure>>,
    ) -> (Ended, Ending, Option<String>) {
        let is_alone = self.is_alone(result.as_ref());
        let (asked, least, reason) = match result {
            None => {
                let next_attempt_at = self.engine.clock().now();
                return (Ended::Untried, Ending::Returned { next_attempt_at }, None);
            }
            Some(Ok(Done::Delivered)) => return (Ended::Well, Ending::Delivered, None),
            Some(Ok(Done::Skipped { reason })) => {
                // Often the other side has said so: a gate that opens too early costs an attempt or two.
                return (Ended::Well, Ending::Skipped, Some(reason));
            }
            Some(Err(Failure::GiveUp { reason })) => {
                tracing::warn!(plugin = self.plugin.name(), delivery = %taken.id, reason, "a delivery was parked");
                return (Ended::Well, Ending::Parked, Some(reason));
            }
            Some(Err(Failure::NotYet { after, reason })) => {
                let now = self.engine.clock().now();
                let next_attempt_at = now + not_yet(now - taken.created_at, after);
                return (
                    Ended::Well,
                    Ending::Returned { next_attempt_at },
                    Some(reason),
                );
            }
            Some(Err(Failure::Retry { after, reason })) => (after, TimeDelta::zero(), reason),
            Some(Err(Failure::Misconfigured { reason })) => (None, MISCONFIGURED, reason),
        };
        let mut random = [0; 1];
        let _ = getrandom::fill(&mut random);
        let attempt = u32::try_from(taken.attempt).unwrap_or(u32::MAX);
        let attempts = self.plugin.attempts();
        let backoff = &self.options.backoff;
        let now = self.engine.clock().now();
        let next = backoff.after(attempt, attempts, asked, now - taken.created_at, random[0]);
        let ending = match next {
            Next::Again(wait) => {
                let wait = wait.max(least);
                tracing::info!(plugin = self.plugin.name(), delivery = %taken.id, attempt, reason, "a delivery failed");
                let next_attempt_at = now + wait;
                Ending::Waiting { next_attempt_at }
            }
            Next::Sooner(wait) => {
                tracing::info!(plugin = self.plugin.name(), delivery = %taken.id, attempt, reason, "a delivery is asked for again soon");
                let next_attempt_at = now + wait;
                Ending::Deferred { next_attempt_at }
            }
            Next::Never => {
                tracing::warn!(plugin = self.plugin.name(), delivery = %taken.id, attempt, reason, "a delivery was parked");
                Ending::Parked
            }
        };
        let ended = if is_alone { Ended::Well } else { Ended::Badly };
        (ended, ending, Some(reason))
    }

    /// Whether what went wrong says nothing of the business's other deliveries. An endpoint for webhooks that fails rests by itself; and of many
    /// calendars one may be gone, or not for this account.
    fn is_alone(&self, result: Option<&Result<Done, Failure>>) -> bool {
        let is_setting = matches!(result, Some(Err(Failure::Misconfigured { .. })));
        self.plugin.webhooks().is_some() || self.plugin.calendar().is_some() && is_setting
    }

    fn end(&self, taken: &TakenDelivery, ended: Ended, note: Option<&str>) {
        let now = self.engine.clock().now();
        if let Some(until) = self.gate.end(taken.business_id, ended, now) {
            tracing::warn!(plugin = self.plugin.name(), business = %taken.business_id, %until, reason = note, "a plugin only fails: it is left alone");
        }
    }
}

/// How long until the other side is asked again that has not decided yet: the longer it has lasted the longer.
fn not_yet(age: TimeDelta, asked: Option<Duration>) -> TimeDelta {
    let asked = asked.and_then(|asked| TimeDelta::from_std(asked).ok());
    asked.unwrap_or(age / 4).clamp(NOT_YET_MIN, NOT_YET_MAX)
}

/// What the plugin is handed, or why it is handed nothing.
fn handed(
    taken: &TakenDelivery,
    settings: Result<PluginSettings, NotInUse>,
) -> Result<Delivery, Failure> {
    let settings = settings.map_err(|not| match not {
        // It was written while the business still used the plugin: staff can send it on its way again.
        NotInUse::Disabled => Failure::give_up(not.to_string()),
        NotInUse::Sealed => Failure::misconfigured(not.to_string()),
        // However long that lasts, it is nothing that the delivery has failed at.
        NotInUse::Unreadable => Failure::not_yet(not.to_string()),
    })?;
    let unreadable = |error| Failure::give_up(format!("the event cannot be read: {error}"));
    Ok(Delivery {
        id: taken.id,
        business_id: taken.business_id,
        attempt: u32::try_from(taken.attempt).unwrap_or(1),
        part: taken.part.clone(),
        event: taken.event.clone().map_err(unreadable)?,
        settings,
    })
}
