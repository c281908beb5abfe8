//! Timers: holds run out on time and free their slot; answers under idempotency keys are forgotten after their time; what is booked
//! follows new rules of time zones.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::Engine;
use tokio::sync::watch;

use crate::{JobOptions, TOGETHER, stopped};

/// How many holds are ended in one go.
const BATCH: i64 = 200;
/// How often old answers are forgotten.
const FORGETTING: Duration = Duration::from_secs(3600);

/// Ends holds when their time has run out.
pub(crate) async fn run_holds(
    engine: Engine,
    options: Arc<JobOptions>,
    mut stop: watch::Receiver<bool>,
) {
    let mut committed = engine.committed();
    while !*stop.borrow() {
        committed.borrow_and_update();
        let next = match engine.expire_due_holds(BATCH).await {
            Ok((ended, _)) if ended > 0 => continue,
            Ok((_, next)) => next,
            Err(error) => {
                tracing::warn!(%error, "holds could not be ended: trying again");
                None
            }
        };
        tokio::select! {
            () = at(&engine, next) => {}
            _ = committed.changed() => tokio::time::sleep(TOGETHER).await,
            () = tokio::time::sleep(options.poll) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

/// Has what is booked follow the rules of time zones, once for each start of a process: rules come with a process.
pub(crate) async fn run_zones(
    engine: Engine,
    options: Arc<JobOptions>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let followed = tokio::select! {
            followed = engine.follow_zones() => followed,
            () = stopped(&mut stop) => return,
        };
        let Err(error) = followed else { return };
        tracing::warn!(%error, "the rules of time zones could not be followed: trying again");
        tokio::select! {
            () = tokio::time::sleep(options.poll) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// Forgets answers that nobody will ask for again.
pub(crate) async fn run_forgetting(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match engine.forget_answers().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "forgot old answers"),
            Err(error) => tracing::warn!(%error, "old answers could not be forgotten"),
        }
        tokio::select! {
            () = tokio::time::sleep(FORGETTING) => {}
            () = stopped(&mut stop) => {}
        }
    }
}

async fn at(engine: &Engine, next: Option<DateTime<Utc>>) {
    match next {
        Some(at) => engine.clock().sleep_until(at).await,
        None => std::future::pending().await,
    }
}
