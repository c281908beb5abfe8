//! Live: what changed, told to everyone who watches, on every node.
//!
//! There is one source: the event log. One task of each process ([`Engine::run_feed`]) reads it on, in an order that misses none
//! (`store::event`), and hands every event to whoever watches that business. A commit wakes the feed of its own process at once and
//! those of the others by NOTIFY; a poll once a second is the safety net. So it does not matter where a change was made.
//!
//! Whoever reads too slowly is cut off, not waited for.

mod availability;
mod bookings;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::event::Event;
use domain::id::{BusinessId, Id};
use futures_util::StreamExt;
use store::event::Running;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

pub use availability::AvailabilityUpdate;
pub use bookings::BookingEvent;

use crate::{Engine, Result};

/// How many events somebody may be behind before they are cut off.
const BEHIND: usize = 1_024;
/// How often the log is read when nobody says that there is something new.
const POLL: Duration = Duration::from_secs(1);
/// How soon it is read again while transactions that began earlier are still running.
const SOON: Duration = Duration::from_millis(4);

/// Somebody read too slowly and was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this subscription was too slow to keep up and was ended: subscribe again")]
pub struct CutOff;

/// Told at every commit of this process.
pub(crate) struct Committed(watch::Sender<u64>);

impl Committed {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// Who watches what.
pub(crate) struct Hub {
    /// Tells this process's notifications from those of others.
    node: String,
    businesses: Mutex<HashMap<BusinessId, broadcast::Sender<Arc<Event>>>>,
    questions: availability::Questions,
    /// Woken by other nodes' NOTIFY too; jobs wait on it.
    heard: watch::Sender<u64>,
    /// Whether the feed has found its place in the log.
    ready: watch::Sender<bool>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            node: Uuid::now_v7().to_string(),
            businesses: Mutex::default(),
            questions: availability::Questions::default(),
            heard: watch::Sender::new(0),
            ready: watch::Sender::new(false),
        }
    }

    /// Everything that happens in a business from now on.
    fn watch(&self, business: BusinessId) -> broadcast::Receiver<Arc<Event>> {
        let mut businesses = self
            .businesses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        businesses.retain(|_, sender| sender.receiver_count() > 0);
        businesses
            .entry(business)
            .or_insert_with(|| broadcast::Sender::new(BEHIND))
            .subscribe()
    }

    /// The businesses in which somebody watches.
    fn watched(&self) -> Vec<Uuid> {
        let businesses = self.businesses.lock();
        let businesses = businesses.unwrap_or_else(PoisonError::into_inner);
        let watched = businesses
            .iter()
            .filter(|(_, sender)| sender.receiver_count() > 0);
        watched.map(|(id, _)| id.uuid()).collect()
    }

    fn tell(&self, events: Vec<(BusinessId, Event)>) {
        let businesses = self
            .businesses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (business, event) in events {
            if let Some(sender) = businesses.get(&business) {
                // Nobody left to hear it: fine.
                let _ = sender.send(Arc::new(event));
            }
        }
    }
}

impl Engine {
    /// A counter that moves whenever something was committed, here or (while the feed runs) on another node.
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.0.live.heard.subscribe()
    }

    /// Reads the event log on and tells what happened, until it is dropped. Outlives the database: it reads on where it was.
    pub async fn run_feed(&self) {
        tokio::join!(self.read_log(), self.listen(), self.notify());
    }

    /// Waits until the feed has found its place in the log: what is committed from then on is told.
    pub async fn feed_ready(&self) {
        // The sender lives as long as the engine.
        let _ = self.0.live.ready.subscribe().wait_for(|ready| *ready).await;
    }

    async fn read_log(&self) {
        let mut heard = self.0.live.heard.subscribe();
        let mut committed = self.0.committed.0.subscribe();
        let mut seen = None;
        loop {
            heard.borrow_and_update();
            committed.borrow_and_update();
            let wait = match self.read_on(&mut seen).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(%error, "the event log could not be read");
                    POLL
                }
            };
            tokio::select! {
                _ = heard.changed() => {}
                _ = committed.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Reads what is new, and answers how long to wait for more if nobody says that there is some.
    async fn read_on(&self, seen: &mut Option<Running>) -> Result<Duration> {
        let conn = self.0.database.conn().await?;
        let running = store::event::event_running(&conn).await?;
        let last = *seen.get_or_insert(running);
        let from = if last.started == running.started {
            last.horizon
        } else {
            let start = store::event::event_horizon_at_start(&conn).await?;
            last.horizon.min(start)
        };
        self.0.live.ready.send_replace(true);
        if running.horizon > from {
            // Whoever begins to watch after this has read what lies below the horizon by itself.
            let watched = self.0.live.watched();
            if !watched.is_empty() {
                let events =
                    store::event::event_list_between(&conn, &watched, from, running.horizon)
                        .await?;
                self.0.live.tell(events);
            }
        }
        *seen = Some(running);
        Ok(if running.horizon < running.next {
            SOON
        } else {
            POLL
        })
    }

    /// Hears the other nodes.
    async fn listen(&self) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::warn!(%error, "the connection for notifications was lost");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn hear(&self) -> Result<()> {
        let mut conn = self.0.database.dedicated().await?;
        store::event::event_listen(&conn).await?;
        let mut notifications = std::pin::pin!(conn.notifications_stream());
        while let Some(notification) = notifications.next().await {
            let notification = notification.map_err(store::StoreError::from)?;
            if notification.payload == self.0.live.node {
                continue;
            }
            self.0.live.heard.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    /// Tells the other nodes (and the jobs here), many commits in one word. After the commits, so that none waits for it.
    async fn notify(&self) {
        let mut committed = self.0.committed.0.subscribe();
        while committed.changed().await.is_ok() {
            committed.borrow_and_update();
            self.0.live.heard.send_modify(|count| *count += 1);
            let told = async {
                let conn = self.0.database.conn().await?;
                store::event::event_notify(&conn, &self.0.live.node).await
            };
            if let Err(error) = told.await {
                // The others poll.
                tracing::debug!(%error, "the other nodes could not be told");
            }
        }
    }
}
