//! Live availability: each distinct question is computed once for each change that bears on it, and the answer shared with everyone
//! who asked it. The first thing a watcher gets is the state; then every state that differs from the one before.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::availability::Slot;
use domain::event::{Event, EventKind};
use domain::id::BusinessId;
use domain::interval::Minute;
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::CutOff;
use crate::availability::{AvailabilityAnswer, AvailabilityQuestion, Ground, GroundVersions};
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Error, Result};

/// How many states a watcher may be behind before they are cut off.
const BEHIND: usize = 64;
/// How long to wait after the database could not be asked.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// The slots as they are, and how they differ from the state before.
pub struct AvailabilityUpdate {
    /// All of them.
    pub slots: Vec<Slot>,
    /// Those that are new or differ.
    pub added: Vec<Slot>,
    /// Starts at which a slot is gone; what is left at such a start is among `added`.
    pub removed: Vec<Minute>,
    /// The catalogue that they speak of.
    pub catalogue: Arc<Catalogue>,
}

type Key = (BusinessId, AvailabilityQuestion);

/// The questions that are watched.
#[derive(Default)]
pub(super) struct Questions {
    watched: Mutex<HashMap<Key, Arc<Shared>>>,
    computed: AtomicU64,
}

/// A question that is watched. The lock is held while a state is computed for the first time or handed on, so whoever comes gets a
/// state and every one after it.
struct Shared {
    latest: tokio::sync::Mutex<Option<Arc<AvailabilityUpdate>>>,
    sender: broadcast::Sender<Arc<AvailabilityUpdate>>,
}

impl Questions {
    fn shared(&self, key: &Key) -> Arc<Shared> {
        let mut questions = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            Arc::new(Shared {
                latest: tokio::sync::Mutex::new(None),
                sender: broadcast::Sender::new(BEHIND),
            })
        };
        questions.entry(key.clone()).or_insert_with(fresh).clone()
    }

    /// Forgets a question if nobody watches it; whoever is about to holds the entry.
    fn forget(&self, key: &Key) -> bool {
        let mut questions = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = |shared: &Arc<Shared>| {
            shared.sender.receiver_count() == 0 && Arc::strong_count(shared) <= 2
        };
        if questions.get(key).is_some_and(unused) {
            questions.remove(key);
            return true;
        }
        false
    }
}

impl Engine {
    /// The slots now, then every change of them.
    pub async fn watch_availability(
        &self,
        caller: &Caller,
        question: AvailabilityQuestion,
    ) -> Result<impl Stream<Item = Result<Arc<AvailabilityUpdate>, CutOff>> + Send + 'static> {
        if question.reschedule_of.is_some() {
            // Whether they may see that booking is asked of everyone who asks.
            self.availability(caller, &question).await?;
        }
        let key = (caller.business, question);
        let shared = self.0.live.questions.shared(&key);
        let (first, receiver) = {
            let mut latest = shared.latest.lock().await;
            let first = if let Some(known) = &*latest {
                known.clone()
            } else {
                let first = self.begin(&key, &shared).await?;
                *latest = Some(first.clone());
                first
            };
            (first, shared.sender.subscribe())
        };
        let updates = stream::unfold(Some(receiver), |receiver| async {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Ok(update) => Some((Ok(update), Some(receiver))),
                Err(RecvError::Lagged(_)) => Some((Err(CutOff), None)),
                Err(RecvError::Closed) => None,
            }
        });
        Ok(futures_util::StreamExt::chain(
            stream::iter([Ok(first)]),
            updates,
        ))
    }

    /// Computes the first state and starts the task that keeps it right.
    async fn begin(&self, key: &Key, shared: &Arc<Shared>) -> Result<Arc<AvailabilityUpdate>> {
        // Watch first, then look: what happens in between is looked at again.
        let events = self.0.live.watch(key.0);
        let ground = self.watched_ground(key).await;
        if ground.is_err() {
            self.0.live.questions.forget(key);
        }
        let answer = self.watched_answer(key, ground?);
        let (slots, catalogue) = (answer.slots.clone(), answer.catalogue.clone());
        let first = AvailabilityUpdate {
            added: slots.clone(),
            slots,
            removed: Vec::new(),
            catalogue,
        };
        let keeper = Keeper {
            engine: self.clone(),
            key: key.clone(),
            shared: shared.clone(),
            events,
        };
        tokio::spawn(keeper.run(Bearing::of(&answer)));
        Ok(Arc::new(first))
    }

    /// How often the answer to a watched question was computed, in the life of this process.
    pub fn watched_answers_computed(&self) -> u64 {
        self.0.live.questions.computed.load(Ordering::Relaxed)
    }

    async fn watched_ground(&self, (business, question): &Key) -> Result<Ground> {
        self.ground(&Caller::system(*business), question).await
    }

    fn watched_answer(&self, (_, question): &Key, ground: Ground) -> AvailabilityAnswer {
        let computed = &self.0.live.questions.computed;
        computed.fetch_add(1, Ordering::Relaxed);
        ground.answer(self.clock().now(), question.from, question.to)
    }
}

/// What bears on an answer: what it stands on, and time.
struct Bearing {
    /// None: it could not be read, or there is nothing to stand on.
    versions: Option<GroundVersions>,
    next_change: Option<DateTime<Utc>>,
}

impl Bearing {
    fn of(answer: &AvailabilityAnswer) -> Self {
        Self {
            versions: Some(answer.versions()),
            next_change: answer.next_change(),
        }
    }

    fn concerns(&self, event: &Event) -> bool {
        let versions = self.versions.as_ref();
        let bears = |id| versions.is_some_and(|versions| versions.calendars.contains_key(id));
        event.kind == EventKind::CatalogueChanged || event.calendar_ids.iter().any(bears)
    }

    /// Whether an answer on this ground at this time would be the one that there is. The log tells of a change later than it can be
    /// read, so an answer may stand on it already when it is told.
    fn is_still(&self, ground: &Ground, now: DateTime<Utc>) -> bool {
        self.versions.as_ref() == Some(&ground.versions())
            && self.next_change.is_none_or(|change| now < change)
    }
}

/// Keeps the answer to one question right as long as somebody watches.
struct Keeper {
    engine: Engine,
    key: Key,
    shared: Arc<Shared>,
    events: broadcast::Receiver<Arc<Event>>,
}

impl Keeper {
    async fn run(mut self, mut bearing: Bearing) {
        while self.changed(&bearing).await {
            bearing = self.look_again(bearing).await;
        }
    }

    /// Waits for something that bears on the answer; false when nobody watches any more.
    async fn changed(&mut self, bearing: &Bearing) -> bool {
        loop {
            let clock = self.engine.clock().clone();
            let time = async {
                match bearing.next_change {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) if bearing.concerns(&event) => break,
                    Ok(_) => {}
                    // More than could be kept: look at everything again.
                    Err(_) => break,
                },
                () = time => break,
                () = self.shared.sender.closed() => {
                    if self.engine.0.live.questions.forget(&self.key) {
                        return false;
                    }
                    // Somebody is coming just now: they watch when they let go of this lock.
                    drop(self.shared.latest.lock().await);
                    tokio::task::yield_now().await;
                }
            }
        }
        // What else has happened by now is in the same look.
        while self.events.try_recv().is_ok() {}
        true
    }

    async fn look_again(&self, bearing: Bearing) -> Bearing {
        let now = self.engine.clock().now();
        match self.engine.watched_ground(&self.key).await {
            Ok(ground) if bearing.is_still(&ground, now) => bearing,
            Ok(ground) => {
                let answer = self.engine.watched_answer(&self.key, ground);
                let bearing = Bearing::of(&answer);
                self.hand_on(answer.slots, Some(answer.catalogue)).await;
                bearing
            }
            // The service was archived meanwhile: nothing is free until the catalogue changes again.
            Err(Error::Refused(_)) => {
                self.hand_on(Vec::new(), None).await;
                Bearing {
                    versions: None,
                    next_change: None,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a watched question could not be answered: trying again");
                tokio::time::sleep(AFTER_FAULT).await;
                Bearing {
                    versions: None,
                    next_change: Some(now),
                }
            }
        }
    }

    /// Tells everyone, if it is something new; the catalogue is the one from before where none is said.
    async fn hand_on(&self, slots: Vec<Slot>, catalogue: Option<Arc<Catalogue>>) {
        let mut latest = self.shared.latest.lock().await;
        let Some(before) = latest.as_ref().filter(|before| before.slots != slots) else {
            return;
        };
        let (added, removed) = difference(&before.slots, &slots);
        let update = Arc::new(AvailabilityUpdate {
            catalogue: catalogue.unwrap_or_else(|| before.catalogue.clone()),
            slots,
            added,
            removed,
        });
        *latest = Some(update.clone());
        // Nobody left to hear it: the next turn ends this task.
        let _ = self.shared.sender.send(update);
    }
}

/// What is new or differs, and the starts at which something is gone.
fn difference(before: &[Slot], after: &[Slot]) -> (Vec<Slot>, Vec<Minute>) {
    let at = |slots: &[Slot]| {
        let mut starts: BTreeMap<Minute, Vec<Slot>> = BTreeMap::new();
        for slot in slots {
            starts.entry(slot.starts).or_default().push(slot.clone());
        }
        starts
    };
    let (before, after) = (at(before), at(after));
    let none = Vec::new();
    let gone = |start: &Minute, were: &[Slot]| {
        let are = after.get(start).unwrap_or(&none);
        were.iter()
            .any(|was| !are.iter().any(|is| is.location_id == was.location_id))
    };
    let removed: Vec<Minute> = before
        .iter()
        .filter(|(start, were)| gone(start, were))
        .map(|(start, _)| *start)
        .collect();
    let added = after
        .iter()
        .flat_map(|(start, are)| {
            let were = before.get(start).unwrap_or(&none);
            let anew = removed.contains(start);
            are.iter()
                .filter(move |slot| anew || !were.contains(slot))
                .cloned()
        })
        .collect();
    (added, removed)
}
