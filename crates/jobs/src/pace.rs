//! How fast what nobody waits for goes on: while many bookings are being written it stands back, goes on in small steps, and catches up when it
//! is quieter.

use std::time::Duration;

use engine::Engine;

use crate::JobOptions;

/// While many write, the next step begins this much later.
const STAND_BACK: Duration = Duration::from_secs(1);

/// The pace of one runner.
#[derive(Clone)]
pub(crate) struct Pace {
    engine: Engine,
    many_writes: usize,
    step: usize,
}

impl Pace {
    pub(crate) fn new(engine: Engine, options: &JobOptions) -> Self {
        Self {
            engine,
            many_writes: options.many_writes,
            step: options.step,
        }
    }

    /// Whether many write now.
    pub(crate) fn is_slow(&self) -> bool {
        self.engine.writes_under_way() >= self.many_writes
    }

    /// How many may begin where so many places are free.
    pub(crate) fn room(&self, free: usize) -> usize {
        if self.is_slow() {
            free.min(self.step)
        } else {
            free
        }
    }

    /// Waits while many write: a moment, not for as long as they do.
    pub(crate) async fn stand_back(&self) {
        if self.is_slow() {
            tokio::time::sleep(STAND_BACK).await;
        }
    }
}
