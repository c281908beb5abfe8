//! Records how attempts ended: what comes in while one commit is under way goes into the next, together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::BusinessId;
use engine::Engine;
use engine::delivery::EndedAttempt;
use tokio::sync::{Notify, mpsc, watch};

use crate::{AFTER_FAULT, LEASE_MARGIN};

/// How many are recorded in one go.
const BATCH: usize = 256;

/// Where ended attempts of one plugin go.
#[derive(Clone)]
pub(crate) struct Recorder {
    ended: mpsc::UnboundedSender<(BusinessId, EndedAttempt)>,
    recorded: Arc<Notify>,
}

impl Recorder {
    /// A recorder, and the work it does until the last of its clones is gone.
    pub(crate) fn new(
        engine: Engine,
        plugin: &'static str,
        stop: watch::Receiver<bool>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (ended, mut endings) = mpsc::unbounded_channel();
        let recorded: Arc<Notify> = Arc::default();
        let told = recorded.clone();
        let work = async move {
            let mut batch = Vec::new();
            while endings.recv_many(&mut batch, BATCH).await > 0 {
                let mut by_business: BTreeMap<BusinessId, Vec<EndedAttempt>> = BTreeMap::new();
                for (business, attempt) in batch.drain(..) {
                    by_business.entry(business).or_default().push(attempt);
                }
                for (business, attempts) in by_business {
                    write(&engine, plugin, business, &attempts, &stop).await;
                }
                told.notify_one();
            }
        };
        (Self { ended, recorded }, work)
    }

    /// Has it recorded. There are never more under way than the plugin may work on at once, and a commit.
    pub(crate) fn record(&self, business: BusinessId, attempt: EndedAttempt) {
        // The work goes on for as long as this sender lives.
        let _ = self.ended.send((business, attempt));
    }

    /// Resolves when something has been recorded: the next delivery of its booking may be due.
    pub(crate) async fn recorded(&self) {
        self.recorded.notified().await;
    }
}

/// Writes it, also when the database is away for a while: as long as the leases may still be ours.
async fn write(
    engine: &Engine,
    plugin: &str,
    business: BusinessId,
    attempts: &[EndedAttempt],
    stop: &watch::Receiver<bool>,
) {
    let until = Instant::now() + Duration::from_secs(LEASE_MARGIN.num_seconds().unsigned_abs());
    loop {
        match engine.finish_deliveries(plugin, business, attempts).await {
            Ok(recorded) => {
                for lost in attempts
                    .iter()
                    .filter(|ended| !recorded.contains(&ended.id))
                {
                    tracing::warn!(plugin, delivery = %lost.id, "the lease was lost");
                }
                return;
            }
            Err(error) if Instant::now() < until && !*stop.borrow() => {
                tracing::warn!(plugin, %error, "results could not be recorded: trying again");
                tokio::time::sleep(AFTER_FAULT).await;
            }
            Err(error) => {
                tracing::error!(plugin, %error, "results could not be recorded");
                return;
            }
        }
    }
}
