//! Live bookings: one message for every change of a booking that the watcher may see, in order, none missed.

use chrono::{DateTime, Utc};
use domain::actor::Actor;
use domain::booking::Booking;
use domain::event::{BookingFacts, Event, EventKind};
use domain::id::BookingId;
use futures_util::{Stream, stream};
use store::booking::BookingFilter;
use tokio::sync::broadcast::error::RecvError;

use super::CutOff;
use crate::booking::narrowed;
use crate::{Caller, Engine, Result};

/// A change of a booking.
#[derive(Debug, Clone)]
pub struct BookingEvent {
    /// What happened.
    pub kind: EventKind,
    /// Whether the booking was made by it.
    pub is_first: bool,
    /// The booking as it was then.
    pub booking: Booking,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which bookings somebody watches.
enum Watched {
    One(BookingId),
    Filtered(Box<BookingFilter>),
}

impl Watched {
    fn holds(&self, facts: &BookingFacts) -> bool {
        let filter = match self {
            Self::One(id) => return facts.booking_id == *id,
            Self::Filtered(filter) => filter,
        };
        let provider = |id| {
            facts.provider.id == id || facts.previous_provider.as_ref().is_some_and(|p| p.id == id)
        };
        filter
            .statuses
            .as_ref()
            .is_none_or(|statuses| statuses.contains(&facts.status))
            && filter.from.is_none_or(|from| facts.starts_at >= from)
            && filter.to.is_none_or(|to| facts.starts_at < to)
            && filter.provider_id.is_none_or(provider)
            && filter.customer_id.is_none_or(|id| facts.customer.id == id)
            && filter.service_id.is_none_or(|id| facts.service.id == id)
    }
}

impl Engine {
    /// Every change of a booking from now on, of those that pass the filter and that the caller may see.
    pub fn watch_bookings(
        &self,
        caller: &Caller,
        filter: &BookingFilter,
    ) -> Result<impl Stream<Item = Result<BookingEvent, CutOff>> + Send + 'static> {
        let watched = match caller.actor {
            Actor::Guest(own) => Watched::One(own),
            _ => Watched::Filtered(Box::new(narrowed(caller, filter)?)),
        };
        let receiver = self.0.live.watch(caller.business);
        let (engine, caller) = (self.clone(), *caller);
        Ok(stream::unfold(
            Some((engine, caller, watched, receiver)),
            |state| async {
                let (engine, caller, watched, mut receiver) = state?;
                loop {
                    let event = match receiver.recv().await {
                        Ok(event) => event,
                        Err(RecvError::Lagged(_)) => return Some((Err(CutOff), None)),
                        Err(RecvError::Closed) => return None,
                    };
                    let Some(facts) = event.booking.as_ref().filter(|facts| watched.holds(facts))
                    else {
                        continue;
                    };
                    match engine.as_it_was(&caller, &event, facts).await {
                        Some(told) => {
                            return Some((Ok(told), Some((engine, caller, watched, receiver))));
                        }
                        None => return Some((Err(CutOff), None)),
                    }
                }
            },
        ))
    }

    /// The booking as it was when it happened. None when the database stays away: rather end than leave one out.
    async fn as_it_was(
        &self,
        caller: &Caller,
        event: &Event,
        facts: &BookingFacts,
    ) -> Option<BookingEvent> {
        let system = Caller::system(caller.business);
        let mut found = None;
        for _ in 0..20 {
            match self.booking(&system, facts.booking_id).await {
                Ok(booking) => {
                    found = booking;
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "a booking that changed could not be read: trying again");
                    tokio::time::sleep(super::POLL).await;
                }
            }
        }
        let (booking, _) = found?;
        let booking = Booking {
            status: facts.status,
            version: facts.version,
            session_id: facts.session_id,
            party_size: facts.party_size,
            price: facts.price,
            ..booking
        };
        Some(BookingEvent {
            kind: event.kind,
            is_first: facts.version == 1,
            booking,
            at: event.at,
        })
    }
}
