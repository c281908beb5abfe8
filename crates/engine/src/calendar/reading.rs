//! Reads a calendar elsewhere, page by page: what changed since the last reading, or all that lies ahead.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{BookingId, BusinessId, Id};
use plugin_api::{
    CalendarAccess, CalendarError, CalendarSync, ExternalChange, ExternalState, Failure, Next,
    PullFrom,
};
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_link::LinkRow;
use store::calendar_source::{Lease, SourceRow};
use store::external_event::ExternalEventRow;

use super::access::away;
use crate::Engine;
use crate::catalogue::Catalogue;

/// How much of the past is read, so that a day that has begun somewhere is whole.
const PAST: TimeDelta = TimeDelta::days(1);
/// How far is read at least.
const AHEAD_MIN: i64 = 400;
/// How often all is read anew: what lay too far ahead comes into sight.
pub(super) const WHOLE_EVERY: TimeDelta = TimeDelta::days(7);
/// A calendar with more pages than this is not read to its end.
const PAGES_MAX: usize = 2_000;

/// Reads one source under a lease.
pub(super) struct Reader<'a> {
    pub engine: &'a Engine,
    pub business: BusinessId,
    pub catalogue: Arc<Catalogue>,
    pub connection: ConnectionRow,
    pub access: CalendarAccess,
    pub calendar: &'a dyn CalendarSync,
    pub lease: Lease,
}

/// An event of ours as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub booking: BookingId,
    /// The other side's id of it, for what turns out not to be ours.
    pub external_id: String,
    /// None: it was not there when all was read. What was deleted has one.
    pub etag: Option<String>,
    pub state: ExternalState,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// When the owner is busy.
    pub busy: Vec<ExternalEventRow>,
    /// What makes them busy no more.
    pub free: Vec<String>,
    /// Events of ours.
    pub ours: Vec<Seen>,
    /// Invitations to bookings, as mails of ours brought them there.
    pub invitations: Vec<Seen>,
    /// Whether all was read.
    pub is_all: bool,
    /// Whether events of series were among it.
    pub has_series: bool,
    /// From what the next reading goes on.
    pub sync_token: Option<String>,
}

impl Reader<'_> {
    pub(super) async fn conn(&self) -> Result<impl Deref<Target = Conn> + '_, Failure> {
        let conn = self.engine.0.database.conn().await;
        conn.map_err(|error| away(&error.into()))
    }

    /// Reads the source. `links` are our events as they were written before.
    pub(super) async fn read(
        &self,
        source: &SourceRow,
        links: &[LinkRow],
    ) -> Result<Reading, CalendarError> {
        let now = self.engine.clock().now();
        let is_recent = source.full_read_at.is_some_and(|at| now - at < WHOLE_EVERY);
        let is_due = source.whole_due_at.is_some_and(|at| at <= now);
        let token = source.sync_token.clone().filter(|_| is_recent && !is_due);
        let window = (now - PAST, now + TimeDelta::days(self.days_ahead()));
        if token.is_some() {
            match self.pages(source, token, window).await {
                Err(CalendarError::TokenExpired) => {}
                read => return Ok(sorted(source, read?, false, window.0)),
            }
        }
        let (changes, token) = self.pages(source, None, window).await?;
        let mut reading = sorted(source, (changes, token), true, window.0);
        add_missing(&mut reading, source, links, (now, window.1));
        Ok(reading)
    }

    /// Further than anybody can book before all is read anew.
    fn days_ahead(&self) -> i64 {
        let services = self.catalogue.services.values();
        let furthest = services
            .filter(|service| !service.archived)
            .map(|service| i64::from(service.policy.maximum_advance_days))
            .max();
        (furthest.unwrap_or(0) + WHOLE_EVERY.num_days() + 1).clamp(AHEAD_MIN, 3_660)
    }

    async fn pages(
        &self,
        source: &SourceRow,
        sync_token: Option<String>,
        (after, before): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<(Vec<ExternalChange>, String), CalendarError> {
        let mut from = PullFrom {
            sync_token,
            page_token: None,
            after,
            before,
        };
        // What stands on two pages changed while it was read: the later one is newer.
        let mut changes = BTreeMap::new();
        for _ in 0..PAGES_MAX {
            let page = self
                .calendar
                .pull(&self.access, &source.calendar, &from)
                .await?;
            changes.extend(
                page.changes
                    .into_iter()
                    .map(|change| (change.id.clone(), change)),
            );
            match page.next {
                Next::Page(token) => from.page_token = Some(token),
                Next::Done { sync_token } => {
                    return Ok((changes.into_values().collect(), sync_token));
                }
            }
        }
        Err(Failure::retry("the calendar has too many events to be read").into())
    }
}

fn sorted(
    source: &SourceRow,
    (changes, token): (Vec<ExternalChange>, String),
    is_all: bool,
    after: DateTime<Utc>,
) -> Reading {
    let mut reading = Reading {
        is_all,
        has_series: changes.iter().any(|change| change.is_of_series),
        sync_token: Some(token),
        ..Reading::default()
    };
    for change in changes {
        let (list, booking) = match (change.booking_id, change.invited_to) {
            (Some(booking), _) => (&mut reading.ours, booking),
            (None, Some(booking)) => (&mut reading.invitations, booking),
            (None, None) => {
                reading.add(source, change.id, change.state, after);
                continue;
            }
        };
        list.push(Seen {
            booking,
            external_id: change.id,
            etag: Some(change.etag),
            state: change.state,
        });
    }
    reading
}

impl Reading {
    /// Adds an event that is not ours.
    fn add(
        &mut self,
        source: &SourceRow,
        external_id: String,
        state: ExternalState,
        after: DateTime<Utc>,
    ) {
        match state {
            ExternalState::Busy { starts_at, ends_at }
                if source.is_busy && starts_at < ends_at && ends_at > after =>
            {
                self.busy.push(ExternalEventRow {
                    external_id,
                    starts_at,
                    ends_at,
                });
            }
            _ => self.free.push(external_id),
        }
    }

    /// Adds an event that bears the name of a booking which is none of this business: it is an event like any other.
    pub(super) fn add_strange(&mut self, source: &SourceRow, seen: Seen, now: DateTime<Utc>) {
        self.add(source, seen.external_id, seen.state, now - PAST);
    }
}

/// Our events ahead, as far as was read, that were not there when all was: they may have been deleted, or be somewhere else.
fn add_missing(
    reading: &mut Reading,
    source: &SourceRow,
    links: &[LinkRow],
    (now, before): (DateTime<Utc>, DateTime<Utc>),
) {
    let is_there = |link: &LinkRow| {
        let mut ours = reading.ours.iter();
        ours.any(|seen| seen.booking.uuid() == link.booking_id)
    };
    let missing: Vec<Seen> = links
        .iter()
        .filter(|link| link.calendar == source.calendar && link.etag.is_some())
        .filter(|link| link.starts_at > now && link.starts_at < before && !is_there(link))
        .map(|link| Seen {
            booking: BookingId::from_uuid(link.booking_id),
            external_id: String::new(),
            etag: None,
            state: ExternalState::Gone,
        })
        .collect();
    reading.ours.extend(missing);
}
