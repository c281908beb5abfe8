//! Plugins that are asked while somebody waits for the answer: before a booking, when it is to be paid, when the other side calls, when staff
//! set something up.
//!
//! Guaranteed: whoever asks has an answer or [`NoAnswer`] within the time limit, whatever the plugin does. It runs on a thread of its own, so one
//! that blocks or panics takes nothing from others: a plugin has its places, of which one business has a share, and what it knows by itself is not
//! asked in the places in which it waits for its other side.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::BusinessId;
use plugin_api::{Failure, Plugin};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use crate::{Engine, Error, apart};

/// How many ask one plugin at once in one way.
const PLACES: usize = 32;

/// How many of them are of one business.
const SHARE: usize = 8;

/// How long a plugin may take over what it knows by itself, with the time until there is a place.
const AT_ONCE: Duration = Duration::from_secs(10);

/// How many queues are kept before those are cleared away in which nobody is.
const KEPT: usize = 1024;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The plugin panicked.
    #[error("the plugin panicked")]
    Panicked,
    /// Not in time.
    #[error("the other side did not answer in time")]
    TookTooLong,
}

impl From<NoAnswer> for Failure {
    fn from(none: NoAnswer) -> Self {
        Self::retry(none.to_string())
    }
}

impl From<NoAnswer> for Error {
    fn from(none: NoAnswer) -> Self {
        Self::Unavailable(none.to_string())
    }
}

/// What a plugin is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    /// What it knows by itself.
    Knows,
    /// What its other side says.
    OtherSide,
}

/// The places in which plugins are asked: of each plugin in each way so many, and of them so many of one business.
pub(crate) struct Places {
    all: Queues<(&'static str, Way)>,
    shares: Queues<(&'static str, Way, BusinessId)>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Queues::of(PLACES),
            shares: Queues::of(SHARE),
        }
    }
}

impl Places {
    /// A place, when there is one. Who waits for the share of their business takes no place from others.
    async fn place(
        &self,
        plugin: &'static str,
        way: Way,
        business: BusinessId,
    ) -> [Option<OwnedSemaphorePermit>; 2] {
        let share = self.shares.queue((plugin, way, business));
        let all = self.all.queue((plugin, way));
        // They are never closed.
        let share = share.acquire_owned().await.ok();
        [share, all.acquire_owned().await.ok()]
    }
}

/// Queues for so many places each.
struct Queues<K> {
    places: usize,
    known: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Eq + Hash> Queues<K> {
    fn of(places: usize) -> Self {
        Self {
            places,
            known: Mutex::default(),
        }
    }

    fn queue(&self, key: K) -> Arc<Semaphore> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > KEPT {
            known.retain(|_, queue| Arc::strong_count(queue) > 1);
        }
        let queue = known.entry(key);
        let queue = queue.or_insert_with(|| Arc::new(Semaphore::new(self.places)));
        queue.clone()
    }
}

impl Engine {
    /// What a plugin says to a business that it knows by itself.
    pub(crate) async fn ask_plugin<T: Send + 'static>(
        &self,
        plugin: &Arc<dyn Plugin>,
        business: BusinessId,
        question: impl FnOnce(&dyn Plugin) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let asked = plugin.clone();
        let work = async move { question(&*asked) };
        self.ask(plugin.name(), (Way::Knows, business), AT_ONCE, work)
            .await
    }

    /// What the other side of a plugin says to a business, within so much time; what is under way then is cut off.
    pub(crate) async fn ask_other_side<T: Send + 'static>(
        &self,
        plugin: &Arc<dyn Plugin>,
        business: BusinessId,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        self.ask(plugin.name(), (Way::OtherSide, business), limit, work)
            .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        plugin: &'static str,
        (way, business): (Way, BusinessId),
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let asked = async {
            let place = self.0.places.place(plugin, way, business).await;
            let mut apart = apart::begin(work.in_current_span(), place);
            (&mut apart.task).await
        };
        match tokio::time::timeout(limit, asked).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Err(stopped)) => {
                tracing::error!(plugin, %stopped, "a plugin panicked");
                Err(NoAnswer::Panicked)
            }
            Ok(Ok(None)) | Err(_) => Err(NoAnswer::TookTooLong),
        }
    }
}
