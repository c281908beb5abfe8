//! How a use case says that something happened: an event, and a delivery for every part that wants it of every plugin that the
//! business uses. They are part of the [`Changes`], so they are written with what they tell of or not at all.

use chrono::{DateTime, Utc};
use domain::event::{BookingFacts, Event, EventKind};
use domain::id::{CalendarId, EventId, HoldId, Id, PaymentId};
use store::changes::{Changes, DeliveryRow, EventRow};
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::notification::PLAN;
use crate::{Engine, Error, Result};

/// Something that happens.
pub(crate) struct Happening {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// The calendars that become freer or busier.
    pub calendars: Vec<CalendarId>,
    /// The booking it happens to.
    pub booking: Option<BookingFacts>,
    /// The hold it happens to.
    pub hold: Option<HoldId>,
    /// The payment it happens to.
    pub payment: Option<PaymentId>,
}

/// An event that was added to the changes, for what is to be done about it.
pub(crate) struct Recorded {
    pub id: EventId,
    pub booking_id: Option<Uuid>,
    pub booking_version: i64,
    pub at: DateTime<Utc>,
}

impl Engine {
    /// Adds what happens to the changes.
    pub(crate) fn record(
        &self,
        catalogue: &Catalogue,
        changes: &mut Changes,
        happening: Happening,
    ) -> Result<Recorded> {
        let Happening {
            kind,
            at,
            calendars,
            booking,
            hold,
            payment,
        } = happening;
        let event = Event {
            id: EventId::from_uuid(Uuid::now_v7()),
            kind,
            at,
            calendar_ids: calendars,
            booking,
            hold_id: hold,
            payment_id: payment,
        };
        let recorded = Recorded {
            id: event.id,
            booking_id: event.booking.as_ref().map(|facts| facts.booking_id.uuid()),
            booking_version: event.booking.as_ref().map_or(0, |facts| facts.version),
            at,
        };
        self.deliver(catalogue, changes, kind, &recorded);
        changes.events.push(EventRow {
            id: event.id.uuid(),
            kind: kind.name(),
            at,
            booking_id: recorded.booking_id,
            calendar_ids: event.calendar_ids.iter().map(|id| id.uuid()).collect(),
            payload: serde_json::to_value(&event)
                .map_err(|error| Error::Fault(error.to_string()))?,
        });
        Ok(recorded)
    }

    /// Adds a delivery for every part that wants it of every plugin that the business uses.
    fn deliver(
        &self,
        catalogue: &Catalogue,
        changes: &mut Changes,
        kind: EventKind,
        recorded: &Recorded,
    ) {
        for plugin in self.plugins_in_use(catalogue) {
            let wants = plugin
                .reaction()
                .map(plugin_api::Reaction::wants)
                .unwrap_or_default();
            for want in wants.iter().filter(|want| want.event == kind) {
                changes
                    .deliveries
                    .push(row(recorded, plugin.name(), want.part));
            }
        }
        // What is said of it is planned after the commit: one row, however many are told.
        if recorded.booking_id.is_some()
            && let Some(plugin) = self.planner(catalogue, kind)
        {
            changes.deliveries.push(row(recorded, plugin, PLAN));
        }
    }
}

fn row(recorded: &Recorded, plugin: &str, part: &str) -> DeliveryRow {
    DeliveryRow {
        id: Uuid::now_v7(),
        event_id: recorded.id.uuid(),
        plugin: plugin.to_owned(),
        part: part.to_owned(),
        booking_id: recorded.booking_id,
        booking_version: recorded.booking_version,
        created_at: recorded.at,
        due_at: recorded.at,
    }
}
