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
    /// The calendars of the providers whose booking stands otherwise since: the plugin, and which part of it.
    pub(crate) fn wanted_by_calendars(
        &self,
        catalogue: &Catalogue,
        kind: EventKind,
        recorded: &Recorded,
    ) -> Vec<(String, String)> {
        let is_of_account = matches!(
            kind,
            EventKind::BookingConfirmed
                | EventKind::BookingRescheduled
                | EventKind::BookingCancelled
        );
        if !is_of_account || recorded.booking_id.is_none() {
            return Vec::new();
        }
        let wanted = recorded.providers.iter().filter_map(|provider| {
            let route = self.route_of(catalogue, *provider)?;
            Some((route.plugin.clone(), Work::Keep(*provider).part()))
        });
        wanted.collect()
    }

    /// Whether the bookings of a provider are written to a calendar elsewhere.
    pub(crate) fn is_entered(&self, catalogue: &Catalogue, provider: ProviderId) -> bool {
        self.route_of(catalogue, provider).is_some()
    }

    /// Where the bookings of a provider are written, if they are.
    fn route_of<'a>(
        &self,
        catalogue: &'a Catalogue,
        provider: ProviderId,
    ) -> Option<&'a CalendarRoute> {
        let route = catalogue.calendars.get(&provider)?;
        let mut all = self.plugins().iter();
        let is_used =
            all.any(|plugin| plugin.name() == route.plugin && is_in_use(catalogue, &**plugin));
        (is_used && route.write_to.is_some()).then_some(route)
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
