//! Which bookings are on their way to which calendars elsewhere.

use domain::event::EventKind;
use domain::id::{BookingId, Id, ProviderId};
use store::calendar_route::CalendarRoute;
use store::changes::{Changes, DeliveryRow};
use uuid::Uuid;

use super::Work;
use crate::Engine;
use crate::catalogue::Catalogue;
use crate::event::Recorded;
use crate::plugin::is_in_use;

impl Engine {
    /// Adds a delivery to the calendar of each provider whose booking stands otherwise since.
    pub(crate) fn deliver_to_calendars(
        &self,
        catalogue: &Catalogue,
        changes: &mut Changes,
        kind: EventKind,
        recorded: &Recorded,
    ) {
        let is_of_account = matches!(
            kind,
            EventKind::BookingConfirmed
                | EventKind::BookingRescheduled
                | EventKind::BookingCancelled
        );
        let Some(booking) = recorded.booking_id.filter(|_| is_of_account) else {
            return;
        };
        for provider in &recorded.providers {
            let Some(route) = catalogue.calendars.get(provider) else {
                continue;
            };
            if route.write_to.is_some() && self.is_route_in_use(catalogue, route) {
                let version = recorded.booking_version;
                let to = (route.plugin.as_str(), *provider);
                write(
                    changes,
                    recorded,
                    to,
                    (BookingId::from_uuid(booking), version),
                );
            }
        }
    }

    fn is_route_in_use(&self, catalogue: &Catalogue, route: &CalendarRoute) -> bool {
        let mut all = self.plugins().iter();
        all.any(|plugin| plugin.name() == route.plugin && is_in_use(catalogue, &**plugin))
    }
}

/// Adds a delivery that makes a provider's calendar agree with a booking at a version.
pub(super) fn write(
    changes: &mut Changes,
    recorded: &Recorded,
    (plugin, provider): (&str, ProviderId),
    (booking, version): (BookingId, i64),
) {
    changes.deliveries.push(DeliveryRow {
        booking_id: Some(booking.uuid()),
        booking_version: version,
        ..recorded.delivery(plugin, Work::Keep(provider).part())
    });
}

/// Adds a delivery that clears up what a connection has left behind.
pub(super) fn write_tidy(
    changes: &mut Changes,
    recorded: &Recorded,
    plugin: &str,
    connection: Uuid,
) {
    changes.deliveries.push(DeliveryRow {
        booking_id: None,
        booking_version: 0,
        ..recorded.delivery(plugin, Work::Tidy(connection).part())
    });
}
