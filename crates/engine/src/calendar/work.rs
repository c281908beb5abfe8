//! What is done in calendars elsewhere, as deliveries to the plugin: a calendar is made to agree with a booking as it stands when the work
//! is done, whatever the delivery was written for.

use std::ops::Deref;

use domain::booking::{Booking, BookingStatus};
use domain::customer::Customer;
use domain::id::{BookingId, BusinessId, Id, ProviderId};
use domain::session::Session;
use plugin_api::{
    BookingEvent, CalendarAccess, CalendarError, CalendarSync, Delivery, Done, Failure, Plugin,
    PluginSettings,
};
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_link::{Intended, LinkRow};
use uuid::Uuid;

use super::access::{away, broken};
use crate::catalogue::Catalogue;
use crate::plugin::is_in_use;
use crate::{Caller, Engine};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Make the calendar of this provider agree with the delivery's booking.
    Keep(ProviderId),
    /// Clear up what this connection has left behind.
    Tidy(Uuid),
}

impl Work {
    /// The part of a delivery that asks for it.
    pub(crate) fn part(self) -> String {
        match self {
            Self::Keep(provider) => format!("calendar:{provider}"),
            Self::Tidy(connection) => format!("calendar-tidy:{connection}"),
        }
    }

    /// The work that the part of a delivery names.
    pub(crate) fn of(part: &str) -> Option<Self> {
        match part.split_once(':')? {
            ("calendar", provider) => Some(Self::Keep(provider.parse().ok()?)),
            ("calendar-tidy", connection) => Some(Self::Tidy(connection.parse().ok()?)),
            _ => None,
        }
    }
}

/// Whether a booking of this status stands in calendars.
pub(super) fn stands(status: BookingStatus) -> bool {
    status.takes_seats() && status != BookingStatus::Pending
}

impl Engine {
    /// Does what a delivery asks to be done in a calendar elsewhere; none: the plugin keeps no calendars.
    pub(crate) async fn work_on_calendar(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        work: Work,
    ) -> Option<Result<Done, Failure>> {
        let desk = Desk {
            engine: self,
            business: delivery.business_id,
            plugin: plugin.name(),
            calendar: plugin.calendar()?,
            settings: &delivery.settings,
        };
        Some(match work {
            Work::Keep(provider) => desk.keep(plugin, delivery, provider).await,
            Work::Tidy(connection) => desk.tidy(connection).await,
        })
    }
}

/// Where calendars of one business are worked on with one plugin.
pub(super) struct Desk<'a> {
    pub engine: &'a Engine,
    pub business: BusinessId,
    pub plugin: &'static str,
    pub calendar: &'a dyn CalendarSync,
    pub settings: &'a PluginSettings,
}

/// What is known of a booking that is to stand in a calendar, or not to.
struct Kept {
    catalogue: std::sync::Arc<Catalogue>,
    connection: ConnectionRow,
    access: CalendarAccess,
    booking: Booking,
    session: Session,
    link: Option<LinkRow>,
}

impl Desk<'_> {
    pub(super) async fn conn(&self) -> Result<impl Deref<Target = Conn> + '_, Failure> {
        let conn = self.engine.0.database.conn().await;
        conn.map_err(|error| away(&error.into()))
    }

    async fn keep(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        provider: ProviderId,
    ) -> Result<Done, Failure> {
        let Some(booking) = self.booking_of(delivery).await? else {
            return Err(Failure::give_up("the delivery is about no booking"));
        };
        let caller = Caller::system(self.business);
        let catalogue = self.engine.catalogue(&caller).await;
        let catalogue = catalogue.map_err(|error| away(&error))?;
        if !is_in_use(&catalogue, plugin) {
            return Ok(Done::skipped("the business does not use the plugin"));
        }
        let Some(connection) = self.connection_of(provider).await? else {
            return Ok(Done::skipped(
                "the provider's calendar is not connected any more",
            ));
        };
        if connection.broken_at.is_some() {
            return Err(broken());
        }
        let (booking, session) = match self.engine.booking(&caller, booking).await {
            Ok(Some(found)) => found,
            Ok(None) => return Err(Failure::give_up("the booking is not there any more")),
            Err(error) => return Err(away(&error)),
        };
        let conn = self.conn().await?;
        let link =
            store::calendar_link::link_find(&conn, self.business, connection.id, booking.id).await;
        let link = link.map_err(|error| away(&error.into()))?;
        drop(conn);
        let settings = self.settings.clone();
        let kept = Kept {
            access: self.engine.access(self.business, &connection, settings)?,
            catalogue,
            connection,
            booking,
            session,
            link,
        };
        let is_theirs = kept.session.provider_id == provider && stands(kept.booking.status);
        match kept.connection.write_to.as_deref().filter(|_| is_theirs) {
            Some(calendar) => self.put(&kept, calendar).await,
            None => self.remove(&kept).await,
        }
    }

    async fn booking_of(&self, delivery: &Delivery) -> Result<Option<BookingId>, Failure> {
        if let Some(facts) = &delivery.event.booking {
            return Ok(Some(facts.booking_id));
        }
        let conn = self.conn().await?;
        let id = delivery.id.uuid();
        store::calendar_delivery::calendar_delivery_booking(&conn, self.business, id)
            .await
            .map_err(|error| away(&error.into()))
    }

    async fn connection_of(&self, provider: ProviderId) -> Result<Option<ConnectionRow>, Failure> {
        let conn = self.conn().await?;
        let ids = [provider.uuid()];
        let list = store::calendar_connection::connection_list(&conn, self.business, &ids).await;
        let mut list = list.map_err(|error| away(&error.into()))?;
        Ok(list.pop().filter(|row| row.plugin == self.plugin))
    }

    async fn put(&self, kept: &Kept, calendar: &str) -> Result<Done, Failure> {
        let (connection, booking) = (&kept.connection, kept.booking.id);
        let elsewhere = kept.link.as_ref().filter(|link| link.calendar != calendar);
        if let Some(link) = elsewhere {
            self.delete(connection, &kept.access, &link.calendar, booking)
                .await?;
        }
        let event = self.event(kept).await?;
        let intended = Intended {
            connection: connection.id,
            booking,
            calendar,
            starts_at: event.starts_at,
            ends_at: event.ends_at,
        };
        let conn = self.conn().await?;
        let revision = store::calendar_link::link_intend(&conn, self.business, intended).await;
        drop(conn);
        let Some(revision) = revision.map_err(|error| away(&error.into()))? else {
            return Ok(Done::skipped(
                "the provider's calendar is not connected any more",
            ));
        };
        let written = match self.calendar.put(&kept.access, calendar, &event).await {
            Ok(written) => written,
            Err(error) => return Err(self.failed(connection, error).await),
        };
        let conn = self.conn().await?;
        let of = (connection.id, booking);
        store::calendar_link::link_written(&conn, self.business, of, revision, &written.etag)
            .await
            .map_err(|error| away(&error.into()))?;
        Ok(Done::Delivered)
    }

    async fn remove(&self, kept: &Kept) -> Result<Done, Failure> {
        let Some(link) = &kept.link else {
            return Ok(Done::skipped("it is not in the calendar"));
        };
        let (connection, booking) = (&kept.connection, kept.booking.id);
        // Two providers who share a calendar share the event, too: it is the other's now.
        let is_taken_over = stands(kept.booking.status)
            && kept.session.provider_id.uuid() != connection.provider_id
            && is_written_to(&kept.catalogue, &kept.session, self.plugin, &link.calendar);
        if !is_taken_over {
            self.delete(connection, &kept.access, &link.calendar, booking)
                .await?;
        }
        self.unlink(connection, link).await?;
        Ok(Done::Delivered)
    }

    /// Takes an event away; where that can never be done, that is the end of it.
    pub(super) async fn delete(
        &self,
        connection: &ConnectionRow,
        access: &CalendarAccess,
        calendar: &str,
        booking: BookingId,
    ) -> Result<(), Failure> {
        match self.calendar.delete(access, calendar, booking).await {
            Err(CalendarError::Failed(Failure::GiveUp { reason })) => {
                tracing::warn!(%booking, reason, "an event could not be taken away");
                Ok(())
            }
            Err(error) => Err(self.failed(connection, error).await),
            Ok(()) => Ok(()),
        }
    }

    pub(super) async fn failed(&self, connection: &ConnectionRow, error: CalendarError) -> Failure {
        self.engine
            .calendar_failed(self.business, connection, error)
            .await
    }

    async fn event(&self, kept: &Kept) -> Result<BookingEvent, Failure> {
        let caller = Caller::system(self.business);
        let conn = self.conn().await?;
        let customer = self
            .engine
            .customer_on(&conn, &caller, kept.booking.customer_id)
            .await
            .map_err(|error| away(&error))?;
        told(&kept.catalogue, &kept.booking, &kept.session, &customer)
            .ok_or_else(|| Failure::give_up("the booking's service or location is gone"))
    }
}

/// Whether the provider of a session has bookings written to this calendar.
pub(super) fn is_written_to(
    catalogue: &Catalogue,
    session: &Session,
    plugin: &str,
    calendar: &str,
) -> bool {
    let route = catalogue.calendars.get(&session.provider_id);
    route.is_some_and(|route| route.plugin == plugin && route.write_to.as_deref() == Some(calendar))
}

/// A booking as its provider reads it in their calendar.
fn told(
    catalogue: &Catalogue,
    booking: &Booking,
    session: &Session,
    customer: &Customer,
) -> Option<BookingEvent> {
    let service = catalogue.service(session.service_id)?;
    let location = catalogue.location(session.location_id)?;
    let places = (booking.party_size > 1).then(|| format!("{} places", booking.party_size));
    let lines = [
        Some(format!("Booking {}", booking.reference)),
        places,
        customer.phone.clone(),
        customer.email.clone(),
        booking.note.clone(),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    Some(BookingEvent {
        booking_id: booking.id,
        starts_at: session.starts_at,
        ends_at: session.ends_at,
        time_zone: location.zone.name().to_owned(),
        summary: format!("{}: {}", service.name, customer.name),
        description: lines.join("\n"),
        location: location.name.clone(),
    })
}
