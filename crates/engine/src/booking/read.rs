//! Reading bookings: everyone sees what is theirs, staff what their role allows. What one may not see is as if it were not there.

use domain::actor::{Actor, Right};
use domain::booking::Booking;
use domain::customer::Customer;
use domain::event::BookingFacts;
use domain::id::{BookingId, CustomerId, SessionId};
use domain::problem::Problem;
use domain::reference;
use domain::session::Session;
use store::Conn;
use store::booking::{BookingChange, BookingFilter, Page, Position};

use super::Told;
use crate::availability::checked_instant;
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Error, Result};

/// A stretch of the list of bookings.
pub struct BookingPage {
    /// The bookings, each with its place in the list.
    pub bookings: Vec<(Position, Booking)>,
    /// Whether there are more beyond the end from which the page was counted.
    pub has_more: bool,
}

impl Engine {
    /// The booking with this id, and its session.
    pub async fn booking(
        &self,
        caller: &Caller,
        id: BookingId,
    ) -> Result<Option<(Booking, Session)>> {
        let conn = self.0.database.conn().await?;
        let found = store::booking::booking_find(&conn, caller.business, id).await?;
        self.visible(&conn, caller, found).await
    }

    /// The booking with this reference, however it is typed, and its session.
    pub async fn booking_by_reference(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<Option<(Booking, Session)>> {
        let conn = self.0.database.conn().await?;
        let wanted = reference::normalise(text);
        let found = store::booking::booking_by_reference(&conn, caller.business, &wanted).await?;
        self.visible(&conn, caller, found).await
    }

    /// The booking that the caller may see and change, and its session; refused as not found otherwise.
    pub(crate) async fn touchable(
        &self,
        caller: &Caller,
        id: BookingId,
        path: &[&str],
    ) -> Result<(Booking, Session)> {
        let found = self.booking(caller, id).await?;
        Ok(found.ok_or_else(|| Problem::not_found(path, "booking"))?)
    }

    /// Bookings by start, one page of those that the caller may see.
    pub async fn bookings(
        &self,
        caller: &Caller,
        filter: &BookingFilter,
        page: Page,
    ) -> Result<BookingPage> {
        let filter = narrowed(caller, filter)?;
        let conn = self.0.database.conn().await?;
        let one_more = Page {
            limit: page.limit + 1,
            ..page
        };
        let mut rows =
            store::booking::booking_list(&conn, caller.business, &filter, one_more).await?;
        let limit = usize::try_from(page.limit).unwrap_or(0);
        let has_more = rows.len() > limit;
        if has_more {
            // The one too many lies at the far end.
            if page.backward {
                rows.remove(0);
            } else {
                rows.truncate(limit);
            }
        }
        let bookings = rows
            .into_iter()
            .map(|(at, booking)| ((at, booking.id), booking))
            .collect();
        Ok(BookingPage { bookings, has_more })
    }

    /// Sessions by id; for those who have come by the ids through what they may see.
    pub async fn sessions(&self, caller: &Caller, ids: &[SessionId]) -> Result<Vec<Session>> {
        let conn = self.0.database.conn().await?;
        Ok(store::session::session_list(&conn, caller.business, ids).await?)
    }

    /// Customers by id; for those who have come by the ids through what they may see.
    pub async fn customers(&self, caller: &Caller, ids: &[CustomerId]) -> Result<Vec<Customer>> {
        let conn = self.0.database.conn().await?;
        Ok(store::customer::customer_list(&conn, caller.business, ids).await?)
    }

    /// The history of bookings; for those who have come by the ids through what they may see.
    pub async fn booking_history(
        &self,
        caller: &Caller,
        ids: &[BookingId],
    ) -> Result<Vec<BookingChange>> {
        let conn = self.0.database.conn().await?;
        Ok(store::booking::booking_change_list(&conn, caller.business, ids).await?)
    }

    pub(crate) async fn customer_on(
        &self,
        conn: &Conn,
        caller: &Caller,
        id: CustomerId,
    ) -> Result<Customer> {
        let found = store::customer::customer_list(conn, caller.business, &[id])
            .await?
            .pop();
        found.ok_or_else(|| Error::Fault(format!("there is no customer {id}")))
    }

    /// A booking with everything it speaks of, as an event tells it.
    pub(crate) async fn facts_of(
        &self,
        caller: &Caller,
        catalogue: &Catalogue,
        id: BookingId,
    ) -> Result<BookingFacts> {
        let conn = self.0.database.conn().await?;
        self.facts_on(&conn, caller, catalogue, id).await
    }

    /// The same, on a connection that the caller has already.
    pub(crate) async fn facts_on(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Catalogue,
        id: BookingId,
    ) -> Result<BookingFacts> {
        let found = store::booking::booking_find(conn, caller.business, id).await?;
        let found = self.visible(conn, caller, found).await?;
        let (booking, session) =
            found.ok_or_else(|| Error::Fault(format!("there is no booking {id}")))?;
        let customer = self.customer_on(conn, caller, booking.customer_id).await?;
        let told = Told {
            catalogue,
            booking: &booking,
            session: &session,
            customer: &customer,
            previous: None,
            reason: None,
        };
        told.facts()
    }

    async fn visible(
        &self,
        conn: &Conn,
        caller: &Caller,
        found: Option<Booking>,
    ) -> Result<Option<(Booking, Session)>> {
        let Some(booking) = found else {
            return Ok(None);
        };
        let session =
            store::session::session_find(conn, caller.business, booking.session_id).await?;
        let session = session
            .ok_or_else(|| Error::Fault(format!("booking {} has no session", booking.id)))?;
        let may = caller
            .actor
            .may_touch(booking.id, booking.customer_id, session.provider_id);
        Ok(may.then_some((booking, session)))
    }
}

/// The filter, narrowed to what the caller may see; its instants are of the years that the software knows.
pub(crate) fn narrowed(caller: &Caller, filter: &BookingFilter) -> Result<BookingFilter> {
    let mut narrowed = filter.clone();
    match caller.actor {
        Actor::Customer(own) if filter.customer_id.is_none_or(|id| id == own) => {
            narrowed.customer_id = Some(own);
        }
        Actor::Provider(own, _) if filter.provider_id.is_none_or(|id| id == own) => {
            narrowed.provider_id = Some(own);
        }
        _ if caller.actor.may(Right::SeeBookings(filter.provider_id)) => {}
        _ => return Err(Error::forbidden(caller, "list these bookings")),
    }
    for (name, at) in [("from", filter.from), ("to", filter.to)] {
        if let Some(at) = at {
            checked_instant(&["filter", name], at)?;
        }
    }
    Ok(narrowed)
}
