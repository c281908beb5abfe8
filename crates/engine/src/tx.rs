//! The one home of write transactions.
//!
//! Every write is a [`UseCase`]: it loads and decides outside the transaction ([`UseCase::plan`]), then locks, checks that what it
//! decided on still holds, and says what changes ([`UseCase::write_in_tx`]); this module writes that, with the answer under the
//! idempotency key, and commits. A lost race (exclusion, deadlock, serialization, a version that moved on) is rolled back and
//! planned anew, a bounded number of times, then answered as unavailable. After the commit everybody who waits for changes is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::problem::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::changes::{Changes, Written, changes_write_in_tx};
use store::{Conn, StoreError};

use crate::idempotency::Key;
use crate::{Caller, Engine, Error, Result};

/// How often a lost race is run again. From [`CAREFUL_FROM`] on a use case locks all that it might take, so that it cannot lose
/// again; the rest is for what no lock covers.
const ATTEMPTS: u32 = 12;

/// The attempt from which a use case does well to lock everything that it might take.
pub(crate) const CAREFUL_FROM: u32 = 3;

/// A write, in the two steps that every write has.
pub(crate) trait UseCase: Send + Sync {
    /// Whether its [`Changes`] hold all that it does to calendars, so that those in memory are carried forward (`availability::carry`).
    const CARRIES_CALENDARS: bool = false;
    /// Whether somebody waits for it: the jobs stand back for such writes, and not for their own.
    const IS_WAITED_FOR: bool = true;
    /// What is decided before the transaction.
    type Plan: Send + Sync;
    /// What the client is answered, and is answered again under the same idempotency key.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Loads and decides. Attempts are counted from 0.
    fn plan(&self, attempt: u32) -> impl Future<Output = Result<Self::Plan>> + Send;

    /// Locks, checks the plan and says what changes. May write what [`Changes`] has no place for.
    fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &Self::Plan,
    ) -> impl Future<Output = Result<(Changes, Self::Answer), TxError>> + Send;
}

/// What ends a transaction before its commit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TxError {
    /// The use case says no: nothing is written.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another request with the same key was faster: its answer is ours.
    #[error("the idempotency key was taken in the meantime")]
    KeyTaken,
}

impl TxError {
    /// What was decided on does not hold any more.
    pub(crate) fn race(what: &str) -> Self {
        Self::Store(StoreError::Race(what.to_owned()))
    }

    fn is_race(&self) -> bool {
        match self {
            Self::Store(StoreError::Race(_)) => true,
            // Two bookings drew the same reference: once in 10^11.
            Self::Store(StoreError::Duplicate(constraint)) => {
                constraint.starts_with("booking_reference")
            }
            _ => false,
        }
    }
}

impl From<diesel::result::Error> for TxError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Problem> for TxError {
    fn from(problem: Problem) -> Self {
        Self::Engine(problem.into())
    }
}

impl Engine {
    /// How many writes that somebody waits for are under way in this process.
    pub fn writes_under_way(&self) -> usize {
        self.0.writes.load(Ordering::Relaxed)
    }

    /// Does the use case, once for a key.
    pub(crate) async fn write<U: UseCase>(
        &self,
        caller: &Caller,
        key: Option<&Key>,
        case: &U,
    ) -> Result<U::Answer> {
        let _under_way = U::IS_WAITED_FOR.then(|| UnderWay::new(&self.0.writes));
        if let Some(answer) = self.answered(caller, key).await? {
            return Ok(answer);
        }
        for attempt in 0..ATTEMPTS {
            let failed = match case.plan(attempt).await {
                Ok(plan) => match self.transact(caller, key, case, &plan).await {
                    Ok(answer) => return Ok(answer),
                    Err(failed) => failed,
                },
                Err(error) => TxError::Engine(error),
            };
            match failed {
                failed if failed.is_race() => {
                    tracing::debug!(attempt, %failed, "lost a race");
                    back_off(attempt).await;
                }
                TxError::Store(error) => return Err(error.into()),
                // Whoever was faster may have been the same request, sent twice: then its answer is ours, not the refusal.
                TxError::KeyTaken | TxError::Engine(Error::Refused(_)) if key.is_some() => {
                    match (self.answered(caller, key).await?, failed) {
                        (Some(answer), _) => return Ok(answer),
                        (None, TxError::Engine(error)) => return Err(error),
                        (None, _) => back_off(attempt).await,
                    }
                }
                TxError::KeyTaken => {
                    return Err(Error::Fault(
                        "an idempotency key was taken without one".to_owned(),
                    ));
                }
                TxError::Engine(error) => return Err(error),
            }
        }
        Err(Error::Unavailable(
            "too many others want the same: try again".to_owned(),
        ))
    }

    #[allow(clippy::disallowed_methods, reason = "the one home of transactions")]
    async fn transact<U: UseCase>(
        &self,
        caller: &Caller,
        key: Option<&Key>,
        case: &U,
        plan: &U::Plan,
    ) -> Result<U::Answer, TxError> {
        use diesel_async::AsyncConnection;
        let mut conn = self.0.database.conn().await?;
        let (answer, changes, raised) = conn
            .transaction::<_, TxError, _>(async |conn| {
                let (mut changes, answer) = case.write_in_tx(conn, plan).await?;
                if let Some(key) = key {
                    let row = key.row(caller, &answer, self.clock().now())?;
                    changes.idempotency.push(row);
                }
                match changes_write_in_tx(conn, caller.business, &changes).await? {
                    Written::All(raised) => Ok((answer, changes, raised)),
                    Written::KeyTaken => Err(TxError::KeyTaken),
                }
            })
            .await?;
        drop(conn);
        if U::CARRIES_CALENDARS {
            self.carry_calendars(caller.business, &changes, &raised)
                .await;
        }
        self.0.committed.tell();
        Ok(answer)
    }
}

/// Counts a write for as long as it is under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A moment for the faster ones to finish, longer with every attempt and different for everyone.
async fn back_off(attempt: u32) {
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    let most = 2_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(u64::from(random[0]) * most / 256)).await;
}
