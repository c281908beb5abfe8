//! What is pushed as it changes, over graphql-transport-ws.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject, Subscription};
use domain::event::EventKind;
use domain::service::Service;
use domain::zone::Zone;
use engine::availability::AvailabilityQuestion;
use engine::live;
use futures_util::{Stream, StreamExt};

use crate::LIST_COST;
use crate::availability::{AvailabilityInput, zone_of_days};
use crate::booking::Booking;
use crate::booking_list::BookingFilter;
use crate::failure::{Failure, Result};
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::slot::Slot;

/// Slots as they are now, and how they differ from the message before.
pub struct AvailabilityUpdate {
    update: Arc<live::AvailabilityUpdate>,
    question: Arc<(AvailabilityQuestion, Option<Zone>)>,
    service: Arc<Service>,
}

impl AvailabilityUpdate {
    fn new(
        update: Arc<live::AvailabilityUpdate>,
        question: &Arc<(AvailabilityQuestion, Option<Zone>)>,
    ) -> Result<Self> {
        let service = update.catalogue.service(question.0.service_id).cloned();
        let service = service.ok_or_else(|| Failure::fault("an update about no service"))?;
        Ok(Self {
            update,
            question: question.clone(),
            service,
        })
    }

    fn shown(&self, slots: &[domain::availability::Slot]) -> Vec<Slot> {
        let (question, zone) = &*self.question;
        let party_size = u32::try_from(question.party_size).unwrap_or(1);
        let slot = |slot: &domain::availability::Slot| {
            Slot::new(
                &self.update.catalogue,
                &self.service,
                party_size,
                zone.as_ref(),
                slot.clone(),
            )
        };
        slots.iter().map(slot).collect()
    }
}

/// The slots as they are now, and how they differ from the message before.
#[Object]
impl AvailabilityUpdate {
    /// All slots of the window as they are now.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn slots(&self) -> Vec<Slot> {
        self.shown(&self.update.slots)
    }

    /// Those that are new or differ from the message before. In the first message: all.
    #[graphql(complexity = "1 + LIST_COST * child_complexity")]
    async fn added(&self) -> Vec<Slot> {
        self.shown(&self.update.added)
    }

    /// Starts at which a slot is gone. What is left at such a start, at another location, is in `added`: so take out first, then add.
    async fn removed(&self) -> Vec<DateTime> {
        let (question, zone) = &*self.question;
        let own = || zone_of_days(&self.update.catalogue, &self.service, question.location_id);
        let zone = zone.as_ref().unwrap_or_else(own);
        self.update
            .removed
            .iter()
            .map(|start| DateTime::of_minute(*start, zone))
            .collect()
    }
}

/// Something that happened to a booking.
#[derive(SimpleObject)]
pub struct BookingEvent {
    /// What happened.
    kind: BookingEventKind,
    /// The booking as it was then.
    booking: Booking,
    /// When, in the business's time zone.
    at: DateTime,
}

/// What happens to bookings.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingEventKind {
    /// It was made.
    Booked,
    /// It had waited for something, a payment for instance, and stands now.
    Confirmed,
    /// It moved to another time or provider.
    Rescheduled,
    /// It was called off.
    Cancelled,
    /// The customer arrived.
    CheckedIn,
    /// The service was delivered.
    Completed,
    /// The customer did not come.
    NoShow,
    /// It had waited too long.
    Expired,
    /// The rules of its time zone changed, and its time by the clock is taken: it stays at its instant until somebody moves it.
    Displaced,
}

impl BookingEventKind {
    /// The kind of an event of a booking; none for events that are not of a booking.
    fn of(kind: EventKind, is_first: bool) -> Option<Self> {
        Some(match kind {
            EventKind::BookingPending => Self::Booked,
            EventKind::BookingConfirmed if is_first => Self::Booked,
            EventKind::BookingConfirmed => Self::Confirmed,
            EventKind::BookingRescheduled => Self::Rescheduled,
            EventKind::BookingCancelled => Self::Cancelled,
            EventKind::BookingCheckedIn => Self::CheckedIn,
            EventKind::BookingCompleted => Self::Completed,
            EventKind::BookingNoShow => Self::NoShow,
            EventKind::Expired => Self::Expired,
            EventKind::BookingDisplaced => Self::Displaced,
            _ => return None,
        })
    }
}

pub struct Subscription;

/// What is pushed as it changes, over graphql-transport-ws (the graphql-ws npm client) at the same path. Whoever reads too slowly is
/// cut off with an error of code `TOO_SLOW`, and subscribes again.
#[Subscription]
impl Subscription {
    /// What is free of a service in a window of time. The first message is the state now, all of it `added`; then comes one message
    /// for every change of the answer, in order, none missed.
    async fn availability<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Which slots.")] input: AvailabilityInput,
    ) -> Result<impl Stream<Item = Result<AvailabilityUpdate>> + use<'ctx>> {
        let asked = Asked::of(ctx)?;
        let (question, zone) = input.parsed(&asked)?;
        let updates = asked
            .engine
            .watch_availability(&asked.caller, question.clone())
            .await?
            .boxed();
        let question = Arc::new((question, zone));
        Ok(updates.map(move |update| AvailabilityUpdate::new(update?, &question)))
    }

    /// Every change of a booking from now on, of those that you may see: staff by their role, a customer the booking whose manage
    /// token they bear.
    async fn booking_changed<'ctx>(
        &self,
        ctx: &Context<'ctx>,
        #[graphql(desc = "Which bookings, as they are after the change. Default: all.")]
        filter: Option<BookingFilter>,
    ) -> Result<impl Stream<Item = Result<BookingEvent>> + use<'ctx>> {
        let asked = Asked::of(ctx)?;
        let filter = filter.unwrap_or_default().parsed()?;
        let events = asked.engine.watch_bookings(&asked.caller, &filter)?.boxed();
        Ok(events.filter_map(move |event| async move {
            match event {
                Ok(event) => shown(&asked, event).await.transpose(),
                Err(cut) => Some(Err(cut.into())),
            }
        }))
    }
}

async fn shown(asked: &Asked<'_>, event: live::BookingEvent) -> Result<Option<BookingEvent>> {
    let Some(kind) = BookingEventKind::of(event.kind, event.is_first) else {
        return Ok(None);
    };
    let catalogue = asked.catalogue_now().await?;
    let at = DateTime::new(event.at, &catalogue.zone);
    Ok(Some(BookingEvent {
        kind,
        booking: Booking::new(&catalogue, event.booking, None),
        at,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_is_booked_once_and_confirmed_later() {
        let of = |first| BookingEventKind::of(EventKind::BookingConfirmed, first);
        assert_eq!(of(true), Some(BookingEventKind::Booked));
        assert_eq!(of(false), Some(BookingEventKind::Confirmed));
    }

    #[test]
    fn every_event_of_a_booking_has_its_kind() {
        let bookings = EventKind::ALL
            .into_iter()
            .filter(|kind| kind.name().starts_with("booking."));
        for kind in bookings.filter(|kind| !matches!(kind, EventKind::Held | EventKind::Released)) {
            assert!(BookingEventKind::of(kind, false).is_some(), "{kind:?}");
        }
        assert_eq!(
            BookingEventKind::of(EventKind::CatalogueChanged, false),
            None
        );
    }
}
