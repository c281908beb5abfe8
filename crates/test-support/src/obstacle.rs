//! What blocks the threads of those who come to it, as careless code does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// How long it blocks at most, so that a test ends in which nobody can clear it away.
const LIMIT: Duration = Duration::from_secs(20);

/// The obstacle.
#[derive(Debug, Default)]
pub struct Obstacle {
    came: AtomicUsize,
    is_gone: (Mutex<bool>, Condvar),
    is_forgotten: AtomicBool,
}

impl Obstacle {
    /// Blocks this thread until the obstacle is gone.
    pub fn block(&self) {
        self.came.fetch_add(1, Ordering::SeqCst);
        let (is_gone, told) = &self.is_gone;
        let waiting = told.wait_timeout_while(is_gone.lock().unwrap(), LIMIT, |gone| !*gone);
        let has_waited_in_vain = waiting.unwrap().1.timed_out();
        self.is_forgotten
            .fetch_or(has_waited_in_vain, Ordering::SeqCst);
    }

    /// How many have come to it.
    pub fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    /// Takes it away.
    ///
    /// # Panics
    /// Where it is too late: who should have done so was blocked, too.
    pub fn clear(&self) {
        assert!(!self.is_forgotten.load(Ordering::SeqCst), "too late");
        *self.is_gone.0.lock().unwrap() = true;
        self.is_gone.1.notify_all();
    }
}
