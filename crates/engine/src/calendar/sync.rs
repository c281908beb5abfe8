//! The reading of calendars elsewhere, for the jobs that do it: due, taken under a lease, read, put off.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{BusinessId, Id};
use plugin_api::{CalendarError, Failure, Plugin};
pub use store::calendar_source::DueSource;
use store::calendar_source::{Lease, SourceRow};
use uuid::Uuid;

use super::access::away;
use super::busy::BusyCase;
use super::finish::FinishCase;
use super::follow::Consequences;
use super::reading::{Reader, Reading};
use crate::plugin::is_in_use;
use crate::tx::UseCase;
use crate::{Caller, Engine, Result};

/// The shortest and the longest time between two readings.
const POLL_MIN: TimeDelta = TimeDelta::seconds(5);
const POLL_MAX: TimeDelta = TimeDelta::hours(24);
/// Where a channel tells of changes, a calendar is asked this rarely all the same.
const POLL_BESIDE_CHANNEL: TimeDelta = TimeDelta::hours(1);
/// What nobody can read for now is looked at again this rarely: whoever mends it has it read at once.
const IDLE: TimeDelta = TimeDelta::hours(6);
/// How often it is looked whether this server has a plugin again that it does not have.
const UNUSED: TimeDelta = TimeDelta::minutes(5);
/// How long to wait after a failure: twice as long after each further one, and not for long: nobody knows meanwhile when somebody is busy, and what is
/// told meanwhile has it read no sooner.
const BACK_OFF_MIN: TimeDelta = TimeDelta::seconds(15);
const BACK_OFF_MAX: TimeDelta = TimeDelta::minutes(15);
/// What needs other settings is tried again no sooner than this.
const MISCONFIGURED: TimeDelta = TimeDelta::minutes(15);

/// A calendar elsewhere that was taken to be read.
#[derive(Debug, Clone)]
pub struct TakenSource {
    /// The business.
    pub business: BusinessId,
    source: SourceRow,
    lease: Lease,
}

impl Engine {
    /// Which calendars elsewhere are due to be read, over all businesses but these.
    pub async fn calendars_due(&self, but: &[BusinessId], limit: i64) -> Result<Vec<DueSource>> {
        let conn = self.0.database.conn().await?;
        let but: Vec<Uuid> = but.iter().map(|id| id.uuid()).collect();
        let now = self.clock().now();
        Ok(store::calendar_source::source_due(&conn, &but, now, limit).await?)
    }

    /// When the next one may become due, of all businesses but these.
    pub async fn calendar_next(&self, but: &[BusinessId]) -> Result<Option<DateTime<Utc>>> {
        let conn = self.0.database.conn().await?;
        let but: Vec<Uuid> = but.iter().map(|id| id.uuid()).collect();
        Ok(store::calendar_source::source_next(&conn, &but).await?)
    }

    /// Takes one under a lease, unless somebody else was faster.
    pub async fn take_calendar(
        &self,
        due: DueSource,
        lease: TimeDelta,
    ) -> Result<Option<TakenSource>> {
        let conn = self.0.database.conn().await?;
        let (business, now) = (BusinessId::from_uuid(due.business_id), self.clock().now());
        let lease_id = Uuid::now_v7();
        let span = (now, now + lease);
        let taken =
            store::calendar_source::source_take(&conn, business, due.id, lease_id, span).await?;
        Ok(taken.map(|source| TakenSource {
            business,
            lease: Lease {
                source: source.id,
                id: lease_id,
            },
            source,
        }))
    }

    /// Reads one that was taken, and writes what follows. It may be dropped at any await: what was not written is read again.
    pub async fn read_calendar(&self, taken: &TakenSource) -> Result<(), Failure> {
        let caller = Caller::system(taken.business);
        let catalogue = self.catalogue(&caller).await;
        let catalogue = catalogue.map_err(|error| away(&error))?;
        let found = async {
            let conn = self.0.database.conn().await?;
            let id = taken.source.connection_id;
            store::calendar_connection::connection_find(&conn, taken.business, id).await
        };
        let found = found.await.map_err(|error| away(&error.into()))?;
        let Some(connection) = found.filter(|row| row.ended_at.is_none()) else {
            return self.leave(taken).await;
        };
        if connection.broken_at.is_some() {
            return self.leave(taken).await;
        }
        let mut all = self.plugins().iter();
        let Some(plugin) = all.find(|plugin| plugin.name() == connection.plugin) else {
            // Nobody keeps it in step any more: nothing that was read of it counts.
            let nothing = Reading {
                is_all: true,
                ..Reading::default()
            };
            if !self.write_busy(taken, &nothing).await? {
                return Ok(());
            }
            let again = self.clock().now() + UNUSED;
            let case = case(self, taken, &connection, (nothing, again));
            return self.finish(case).await;
        };
        if !is_in_use(&catalogue, &**plugin) {
            return self.leave(taken).await;
        }
        let settings = self.settings_of(&catalogue, plugin.name());
        let settings = settings.map_err(|not| Failure::misconfigured(not.to_string()))?;
        let Some(calendar) = Plugin::calendar(&**plugin) else {
            return self.leave(taken).await;
        };
        let reader = Reader {
            engine: self,
            business: taken.business,
            catalogue,
            access: self.access(taken.business, &connection, settings)?,
            connection,
            calendar,
            lease: taken.lease,
        };
        match reader.whole(taken).await {
            Ok(Some(case)) => self.finish(case).await,
            Ok(None) => Ok(()),
            Err(error) => Err(self
                .calendar_failed(taken.business, &reader.connection, error)
                .await),
        }
    }

    async fn write_busy(&self, taken: &TakenSource, reading: &Reading) -> Result<bool, Failure> {
        let Reading {
            busy, free, is_all, ..
        } = reading;
        if busy.is_empty() && free.is_empty() && !is_all {
            return Ok(true);
        }
        let case = BusyCase {
            engine: self,
            caller: Caller::system(taken.business),
            source: &taken.source,
            lease: taken.lease,
            reading,
        };
        self.write_held(&case.caller, &case).await
    }

    async fn finish(&self, case: FinishCase) -> Result<(), Failure> {
        self.write_held(&case.caller, &case).await.map(drop)
    }

    /// Writes what only the holder of the lease writes; answers whether it was still held.
    async fn write_held(
        &self,
        caller: &Caller,
        case: &impl UseCase<Answer = bool>,
    ) -> Result<bool, Failure> {
        let is_held = self.write(caller, None, case).await;
        let is_held = is_held.map_err(|error| away(&error))?;
        if !is_held {
            tracing::info!(business = %caller.business, "the lease on a calendar was lost");
        }
        Ok(is_held)
    }

    /// Leaves it for now.
    async fn leave(&self, taken: &TakenSource) -> Result<(), Failure> {
        let at = self.clock().now() + IDLE;
        let put_off = self.put_off(taken, None, at).await;
        put_off.map_err(|error| away(&error))
    }

    async fn put_off(
        &self,
        taken: &TakenSource,
        error: Option<&str>,
        at: DateTime<Utc>,
    ) -> Result<()> {
        let conn = self.0.database.conn().await?;
        let (business, lease) = (taken.business, taken.lease);
        Ok(store::calendar_source::source_put_off(&conn, business, lease, error, at).await?)
    }

    /// Puts off one whose reading failed: until the other side wants to be asked again, or the longer the more often it failed.
    pub async fn put_off_calendar(&self, taken: &TakenSource, failure: &Failure) -> Result<()> {
        let now = self.clock().now();
        let (error, wait) = match failure {
            // The connection says itself what is wrong.
            Failure::NotYet { .. } => (None, IDLE),
            Failure::Retry { after, reason } => {
                (Some(reason), back_off(taken.source.failures, *after))
            }
            Failure::GiveUp { reason } => (Some(reason), BACK_OFF_MAX),
            Failure::Misconfigured { reason } => (Some(reason), MISCONFIGURED),
        };
        self.put_off(taken, error.map(String::as_str), now + wait)
            .await
    }

    /// Gives one back that was not read after all.
    pub async fn return_calendar(&self, taken: &TakenSource) -> Result<()> {
        self.put_off(taken, None, self.clock().now()).await
    }
}

impl Reader<'_> {
    /// Reads it, and has follow what follows from it; none: the lease was lost.
    async fn whole(&self, taken: &TakenSource) -> Result<Option<FinishCase>, CalendarError> {
        let source = &taken.source;
        let renew_at = self.keep_channel(source).await?;
        let conn = self.conn().await?;
        let links = store::calendar_link::link_list(&conn, self.business, self.connection.id).await;
        drop(conn);
        let links = links.map_err(|error| away(&error.into()))?;
        let mut reading = self.read(source, &links).await?;
        let ours = self.ours(source, &mut reading).await?;
        if !self.engine.write_busy(taken, &reading).await? {
            return Ok(None);
        }
        let consequences = self.follow(source, &links, ours).await?;
        let next_sync_at = self.next_sync_at(renew_at);
        let case = case(
            self.engine,
            taken,
            &self.connection,
            (reading, next_sync_at),
        );
        Ok(Some(FinishCase {
            consequences,
            keeps_events: true,
            ..case
        }))
    }

    fn next_sync_at(&self, renew_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let seconds = self.calendar.poll_seconds(&self.access.settings);
        let poll = TimeDelta::seconds(i64::from(seconds)).clamp(POLL_MIN, POLL_MAX);
        let now = self.engine.clock().now();
        match renew_at {
            Some(renew_at) => renew_at.min(now + poll.max(POLL_BESIDE_CHANNEL)),
            None => now + poll,
        }
    }
}

fn case(
    engine: &Engine,
    taken: &TakenSource,
    connection: &store::calendar_connection::ConnectionRow,
    (reading, next_sync_at): (Reading, DateTime<Utc>),
) -> FinishCase {
    FinishCase {
        engine: engine.clone(),
        caller: Caller::system(taken.business),
        source: taken.source.clone(),
        connection: connection.clone(),
        lease: taken.lease,
        reading,
        consequences: Consequences::default(),
        keeps_events: false,
        next_sync_at,
    }
}

/// How long to wait after so many failures in a row and one more.
fn back_off(failures: i32, asked: Option<Duration>) -> TimeDelta {
    let asked = asked.and_then(|asked| TimeDelta::from_std(asked).ok());
    if let Some(asked) = asked {
        return asked.clamp(TimeDelta::seconds(1), POLL_MAX);
    }
    let times = 1_i32 << failures.clamp(0, 12);
    let mut random = [0; 1];
    let _ = getrandom::fill(&mut random);
    let wait = BACK_OFF_MIN * times;
    (wait + wait * i32::from(random[0]) / 1024).min(BACK_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_fails_is_tried_later_and_later_and_not_much_later() {
        let mut before = TimeDelta::zero();
        for failures in 0..6 {
            let wait = back_off(failures, None);
            assert!(before < wait && wait <= BACK_OFF_MAX, "{wait}");
            before = wait;
        }
        for failures in [6, 10, 1000] {
            assert_eq!(back_off(failures, None), BACK_OFF_MAX);
        }
        let asked = Some(Duration::from_secs(3600));
        assert_eq!(back_off(0, asked), TimeDelta::hours(1));
    }
}
