//! A hold that becomes a booking: what is booked must be what was held.

use std::sync::Arc;

use domain::hold::Hold;
use domain::id::{CalendarId, HoldId};
use domain::problem::Problem;
use domain::session::Session;

use super::Book;
use crate::catalogue::Catalogue;
use crate::{Caller, Engine, Result};

/// A hold on its way into a booking.
pub(super) struct Redeemed {
    pub hold: Hold,
    pub session: Session,
    pub catalogue: Arc<Catalogue>,
    pub calendars: Vec<CalendarId>,
}

impl Engine {
    /// The live hold with this id, if it is for what the input books.
    pub(super) async fn redeem(
        &self,
        caller: &Caller,
        id: HoldId,
        input: &Book,
    ) -> Result<Redeemed> {
        let (hold, session) = self
            .hold_with_session(caller, id, &["input", "holdId"])
            .await?;
        if !hold.is_live(self.clock().now()) {
            return Err(Problem::HoldExpired.into());
        }
        let differs = |path: &[&str], what: &str| {
            Problem::invalid(path, format!("the hold is for another {what}"))
        };
        if session.service_id != input.service_id {
            return Err(differs(&["input", "serviceId"], "service").into());
        }
        if session.starts_at != input.starts_at {
            return Err(differs(&["input", "startsAt"], "time").into());
        }
        if input
            .provider_id
            .is_some_and(|id| id != session.provider_id)
        {
            return Err(differs(&["input", "providerId"], "provider").into());
        }
        if u32::try_from(input.party_size) != Ok(hold.party_size) {
            return Err(differs(&["input", "partySize"], "party size").into());
        }
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let calendars = self.session_calendars(&conn, &catalogue, &session).await?;
        Ok(Redeemed {
            hold,
            session,
            catalogue,
            calendars,
        })
    }
}
