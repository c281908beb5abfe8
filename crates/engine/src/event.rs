//! How a use case says that something happened: an event, and who wants it: parts of plugins that the business uses, each of which gets a delivery
//! ([`crate::dispatch`]). They are part of the [`Changes`], so they are written with what they tell of or not at all.

use chrono::{DateTime, Utc};
use domain::event::{BookingFacts, Event, EventKind};
use domain::id::{CalendarId, EventId, HoldId, Id, PaymentId, ProviderId};
use store::changes::{Changes, DeliveryRow, DispatchRow, EventRow};
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::notification::{NOTICE, PLAN};
use crate::{Engine, Error, Result, webhook};

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
    /// Whose bookings it bears on: the provider of its booking, and the one before.
    pub providers: Vec<ProviderId>,
}

impl Recorded {
    /// The way of the event to a part of a plugin, due at once.
    pub(crate) fn delivery(&self, plugin: &str, part: String) -> DeliveryRow {
        DeliveryRow {
            id: Uuid::now_v7(),
            event_id: self.id.uuid(),
            plugin: plugin.to_owned(),
            part,
            booking_id: self.booking_id,
            booking_version: self.booking_version,
            created_at: self.at,
            due_at: self.at,
        }
    }
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
            webhook_endpoint_id: None,
            customer_id: None,
        };
        self.record_event(catalogue, changes, &event)
    }

    /// Adds an event to the changes.
    pub(crate) fn record_event(
        &self,
        catalogue: &Catalogue,
        changes: &mut Changes,
        event: &Event,
    ) -> Result<Recorded> {
        let (kind, at) = (event.kind, event.at);
        let recorded = Recorded {
            id: event.id,
            booking_id: event.booking.as_ref().map(|facts| facts.booking_id.uuid()),
            booking_version: event.booking.as_ref().map_or(0, |facts| facts.version),
            at,
            providers: event.booking.as_ref().map_or_else(Vec::new, providers),
        };
        let wanted = self.wanted(catalogue, kind, &recorded);
        if !wanted.is_empty() {
            let (plugins, parts) = wanted.into_iter().unzip();
            changes.dispatches.push(DispatchRow {
                event_id: event.id.uuid(),
                booking_id: recorded.booking_id,
                booking_version: recorded.booking_version,
                at,
                plugins,
                parts,
            });
        }
        changes.events.push(EventRow {
            id: event.id.uuid(),
            kind: kind.name(),
            at,
            booking_id: recorded.booking_id,
            calendar_ids: event.calendar_ids.iter().map(|id| id.uuid()).collect(),
            payload: serde_json::to_value(event)
                .map_err(|error| Error::Fault(error.to_string()))?,
        });
        Ok(recorded)
    }

    /// Who wants an event of this kind, of the plugins that the business uses: the plugin, and which part of it.
    fn wanted(
        &self,
        catalogue: &Catalogue,
        kind: EventKind,
        recorded: &Recorded,
    ) -> Vec<(String, String)> {
        let mut wanted = self.wanted_by_calendars(catalogue, kind, recorded);
        for plugin in self.plugins_in_use(catalogue) {
            let wants = plugin
                .reaction()
                .map(plugin_api::Reaction::wants)
                .unwrap_or_default();
            let parts = wants
                .iter()
                .filter(|want| want.event == kind)
                .map(|want| want.part.to_owned())
                .chain(webhook::parts(catalogue, &**plugin, kind));
            wanted.extend(parts.map(|part| (plugin.name().to_owned(), part)));
        }
        if let Some(plugin) = self.carries_notice(catalogue, kind) {
            wanted.push((plugin.to_owned(), NOTICE.to_owned()));
        }
        // What is said of it is planned by one delivery, however many are told.
        if (recorded.booking_id.is_some() || kind == EventKind::CustomerChanged)
            && let Some(plugin) = self.planner(catalogue, kind)
        {
            wanted.push((plugin.to_owned(), PLAN.to_owned()));
        }
        wanted
    }
}

fn providers(facts: &BookingFacts) -> Vec<ProviderId> {
    let previous = facts.previous_provider.as_ref();
    std::iter::once(facts.provider.id)
        .chain(previous.map(|previous| previous.id))
        .collect()
}
