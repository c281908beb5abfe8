//! Timers: holds run out on time and free their slot; what was kept long enough is forgotten; what is booked
//! follows new rules of time zones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::BusinessId;
use engine::Engine;
use engine::retention::Forgotten;
use tokio::sync::watch;

use crate::{JobOptions, TOGETHER, stopped};

/// How many holds are ended in one go.
const BATCH: i64 = 200;
/// How long a business is left alone whose holds cannot be ended.
const LEFT_ALONE: TimeDelta = TimeDelta::minutes(1);
/// How often what is old is forgotten.
const FORGETTING: Duration = Duration::from_secs(3600);

/// Ends holds when their time has run out. A business whose holds cannot be ended is left alone for a while: it stands in no other's way.
pub(crate) async fn run_holds(
    engine: Engine,
    options: Arc<JobOptions>,
    mut stop: watch::Receiver<bool>,
) {
    let mut committed = engine.committed();
    let mut alone: HashMap<BusinessId, DateTime<Utc>> = HashMap::new();
    while !*stop.borrow() {
        committed.borrow_and_update();
        let now = engine.clock().now();
        alone.retain(|_, until| *until > now);
        let but: Vec<BusinessId> = alone.keys().copied().collect();
        let next = match engine.expire_due_holds(&but, BATCH).await {
            Ok(expired) => {
                let until = now + LEFT_ALONE;
                alone.extend(expired.failed.iter().map(|business| (*business, until)));
                if expired.ended > 0 || !expired.failed.is_empty() {
                    continue;
                }
                expired
                    .next
                    .into_iter()
                    .chain(alone.values().copied())
                    .min()
            }
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

/// Forgets what was kept long enough.
pub(crate) async fn run_forgetting(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match engine.forget_old().await {
            Ok(nothing) if nothing == Forgotten::default() => {}
            Ok(Forgotten {
                answers,
                deliveries,
                calls,
            }) => tracing::info!(answers, deliveries, calls, "forgot what is old"),
            Err(error) => tracing::warn!(%error, "what is old could not be forgotten"),
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
