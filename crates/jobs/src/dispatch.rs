//! Hands events on to the plugins that want them, and tells their runners. One for all of them: a booking has written one row, whatever follows from it.

use std::sync::Arc;

use engine::Engine;
use tokio::sync::watch;

use crate::pace::Pace;
use crate::{AFTER_FAULT, JobOptions, TOGETHER, stopped};

/// How many events are handed on in one go.
const BATCH: usize = 256;
/// While many write, so many for each delivery that a plugin begins then: enough that none of them waits for this.
const PER_STEP: usize = 8;

/// Hands events on until it is stopped. The runners are told after each commit, of deliveries that were written with it, too.
pub(crate) async fn run_dispatch(
    engine: Engine,
    options: Arc<JobOptions>,
    mut stop: watch::Receiver<bool>,
    handed_on: watch::Sender<()>,
) {
    let pace = Pace::new(engine.clone(), &options);
    let mut committed = engine.committed();
    while !*stop.borrow() {
        committed.borrow_and_update();
        let many = if pace.is_slow() {
            options.step * PER_STEP
        } else {
            BATCH
        };
        let dispatched = engine.dispatch(many).await;
        handed_on.send_replace(());
        let count = match dispatched {
            Ok(count) => count,
            Err(error) => {
                tracing::warn!(%error, "events could not be handed on");
                tokio::time::sleep(AFTER_FAULT).await;
                continue;
            }
        };
        // Where there may be more, nobody needs to say so.
        if count < many {
            tokio::select! {
                () = tokio::time::sleep(options.poll) => {}
                _ = committed.changed() => tokio::time::sleep(TOGETHER).await,
                () = stopped(&mut stop) => {}
            }
        }
        pace.stand_back().await;
    }
}
