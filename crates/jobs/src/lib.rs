//! What happens by itself: events are handed on and delivered to plugins, calendars elsewhere are read, holds run out, old answers are forgotten.
//!
//! Deliveries: at least once, in order for one booking, plugin and part. They are taken under a lease by a conditional UPDATE and their
//! results recorded only by whoever still holds the lease, so any number of processes may work on one database and one that dies loses
//! nothing. A plugin that is slow, fails, panics or blocks its thread holds up nobody else: each has its own runner with a limit on how many it works on at
//! once (and a share of them for each business), a limit on how long one may take, and a gate that leaves a business alone for which
//! it only fails. While many bookings are being written,
//! deliveries stand back: they go on in small steps, and catch up when it is quieter.
//!
//! Timers have no memory of their own: what is due is read from the database, so a restart loses none.

mod backoff;
mod calendar;
mod delivery;
mod dispatch;
mod gate;
mod pace;
mod record;
mod share;
mod timer;

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use engine::Engine;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use backoff::{Backoff, Next};

/// How much longer than the time limit a lease lasts, so that it does not run out while the result is recorded.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(30);
/// How long to wait before the database is asked again after it failed.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// Commits that come within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(40);

/// How the jobs run.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// How many deliveries one plugin works on at once.
    pub concurrency: usize,
    /// So many writes under way in this process are many: deliveries stand back for them.
    pub many_writes: usize,
    /// How many deliveries one plugin then begins at a time, and how many calendars are then begun to be read.
    pub step: usize,
    /// How long one attempt may take, where a plugin says nothing else.
    pub time_limit: Duration,
    /// When a failed delivery is tried again, and when no more.
    pub backoff: Backoff,
    /// How often the database is asked when nobody says that there is something to do.
    pub poll: Duration,
    /// How long a stop waits for what is under way.
    pub grace: Duration,
}

impl Default for JobOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            concurrency: 32,
            many_writes: 2 * cores,
            step: cores.div_ceil(2),
            time_limit: Duration::from_secs(60),
            backoff: Backoff::default(),
            poll: Duration::from_secs(5),
            grace: Duration::from_secs(5),
        }
    }
}

/// The jobs of one process, running.
pub struct Jobs {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Jobs {
    /// Starts them: one runner for each plugin that reacts to anything, and the timers.
    pub fn start(engine: Engine, options: JobOptions) -> Self {
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let options = Arc::new(options);
        let handed_on = watch::Sender::new(());
        for plugin in engine
            .plugins()
            .iter()
            .filter(|plugin| engine::work::has_work(&***plugin))
        {
            let (recorder, recording) =
                record::Recorder::new(engine.clone(), plugin.name(), stop.subscribe());
            let runner = delivery::Runner::new(
                engine.clone(),
                plugin.clone(),
                options.clone(),
                stop.subscribe(),
                handed_on.subscribe(),
                recorder,
            );
            tasks.spawn(recording);
            tasks.spawn(runner.run());
        }
        tasks.spawn(dispatch::run_dispatch(
            engine.clone(),
            options.clone(),
            stop.subscribe(),
            handed_on,
        ));
        tasks.spawn(timer::run_holds(
            engine.clone(),
            options.clone(),
            stop.subscribe(),
        ));
        let keeps_calendars = |plugin: &Arc<dyn plugin_api::Plugin>| plugin.calendar().is_some();
        if engine.plugins().iter().any(keeps_calendars) {
            tasks.spawn(calendar::run_calendars(
                engine.clone(),
                options.clone(),
                stop.subscribe(),
            ));
        }
        tasks.spawn(timer::run_zones(
            engine.clone(),
            options.clone(),
            stop.subscribe(),
        ));
        tasks.spawn(timer::run_forgetting(engine, stop.subscribe()));
        Self { stop, tasks }
    }

    /// Stops them: nothing new is begun, what is under way has a moment to end, and the leases of the rest go back.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Resolves when the jobs are to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender lives in `Jobs`: when it is gone, stopping is right too.
    let _ = stop.wait_for(|stop| *stop).await;
}
