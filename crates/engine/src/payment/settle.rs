//! The one way in which what is known of a payment is written: what was observed, the ledger, and what follows for the booking.

use std::sync::Arc;

use domain::booking::{Booking, BookingStatus};
use domain::event::{BookingFacts, EventKind};
use domain::id::{CalendarId, Id, PaymentId, RefundId};
use domain::payment::{
    Consequence, ExternalStatus, Payment, PaymentKind, PaymentState, PaymentStatus,
};
use domain::session::Session;
use store::Conn;
use store::changes::{Changes, SeatRow};

use super::Work;
use super::asked::Asked;
use super::desk::over;
use super::work::write_refund;
use crate::booking::History;
use crate::booking::{Told, advanced, update_row};
use crate::catalogue::Catalogue;
use crate::event::{Happening, Recorded};
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

struct SettleCase {
    engine: Engine,
    caller: Caller,
    id: PaymentId,
    seen: PaymentState,
    why: Why,
}

/// Why it is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The other side says how it stands.
    Observed,
    /// Nobody has begun it; if that is still so.
    NeverBegan,
    /// The plugin has failed to begin it; if nobody else did.
    FailedToBegin,
}

struct SettlePlan {
    catalogue: Arc<Catalogue>,
    booking: Booking,
    session: Session,
    /// What the booking lets go of, if it expires.
    calendars: Vec<CalendarId>,
}

impl UseCase for SettleCase {
    const CARRIES_CALENDARS: bool = true;
    type Plan = SettlePlan;
    /// Whether it is settled.
    type Answer = bool;

    async fn plan(&self, _: u32) -> Result<SettlePlan> {
        let (engine, caller) = (&self.engine, &self.caller);
        let conn = engine.0.database.conn().await?;
        let payment = engine.payment_on(&conn, caller, self.id).await?;
        drop(conn);
        let found = engine.booking(caller, payment.booking_id).await?;
        let (booking, session) =
            found.ok_or_else(|| Error::Fault(format!("payment {} is for no booking", self.id)))?;
        let conn = engine.0.database.conn().await?;
        let catalogue = engine.catalogue_on(&conn, caller.business).await?;
        let is_over = matches!(self.seen.status, ExternalStatus::Over { .. });
        let calendars = if booking.status == BookingStatus::Pending && is_over {
            engine
                .session_calendars(&conn, &catalogue, &session)
                .await?
        } else {
            Vec::new()
        };
        Ok(SettlePlan {
            catalogue,
            booking,
            session,
            calendars,
        })
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        plan: &SettlePlan,
    ) -> Result<(Changes, bool), TxError> {
        let (engine, caller, now) = (&self.engine, &self.caller, self.engine.clock().now());
        let mut changes = Changes::default();
        engine
            .lock_and_raise_in_tx(conn, caller, &plan.calendars, &mut changes)
            .await?;
        let booking =
            store::booking::booking_lock_in_tx(conn, caller.business, plan.booking.id).await?;
        let booking = booking.ok_or_else(|| TxError::race("the booking is gone"))?;
        if booking.version != plan.booking.version {
            return Err(TxError::race("the booking has changed"));
        }
        let before = engine.lock_payment_in_tx(conn, caller, self.id).await?;
        if self.why != Why::Observed && before.external_id.is_some() {
            return Ok((Changes::default(), false));
        }
        let (after, entries) = before.observe(&self.seen, before.has_expired(now));
        let consequence = after.consequence(&before, booking.status);
        if after == before && consequence == Consequence::Nothing {
            return Ok((Changes::default(), true));
        }
        store::payment::payment_settle_in_tx(conn, caller.business, &after, &entries, now).await?;
        if let (Why::FailedToBegin, ExternalStatus::Over { reason }) = (self.why, &self.seen.status)
        {
            // No delivery tells of it: those of a payment that is over find nothing to do.
            let plugin = &before.plugin;
            store::plugin::plugin_fail_in_tx(conn, caller.business, plugin, reason, now).await?;
        }
        if consequence != Consequence::Expire {
            // Nothing became freer.
            changes.calendars.clear();
        }
        self.follow(
            conn,
            plan,
            &booking,
            (&before, &after),
            consequence,
            &mut changes,
        )
        .await?;
        Ok((changes, true))
    }
}

impl SettleCase {
    /// What follows for the booking, and who is told.
    async fn follow(
        &self,
        conn: &Conn,
        plan: &SettlePlan,
        booking: &Booking,
        (before, after): (&Payment, &Payment),
        consequence: Consequence,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        let (engine, caller) = (&self.engine, &self.caller);
        let mut session = plan.session.clone();
        let (booking, step) = self.advance(plan, booking, consequence, &mut session, changes);
        let customer = engine
            .customer_on(conn, caller, booking.customer_id)
            .await?;
        let told = Told {
            catalogue: &plan.catalogue,
            booking: &booking,
            session: &session,
            customer: &customer,
            previous: None,
            reason: None,
        };
        let facts = told.facts()?;
        let failed_late = self.fail_refunds_in_tx(conn).await?;
        for kind in step
            .into_iter()
            .chain(news(before, after, !failed_late.is_empty()))
        {
            let recorded = self.tell(plan, kind, &facts, changes)?;
            if kind == EventKind::RefundFailed {
                // Their own deliveries have ended well.
                for refund in &failed_late {
                    write_refund(changes, &recorded, &after.plugin, *refund);
                }
            }
            if consequence == Consequence::LetGo && kind == EventKind::PaymentPaid {
                Work::CallOff.write(changes, &recorded, &after.plugin, after.id, recorded.at);
            }
        }
        if consequence == Consequence::PayBack {
            let reason = Some("paid after the time was lost".to_owned());
            let refund = super::refund::ToRefund {
                payment: after,
                amount: after.at_hand(),
                reason,
            };
            let asked = Asked {
                catalogue: plan.catalogue.clone(),
                facts,
            };
            engine
                .refund_in_tx(conn, caller, &asked, &refund, changes)
                .await?;
        }
        Ok(())
    }

    /// Keeps which of our refunds have failed; answers those that seemed to have succeeded.
    async fn fail_refunds_in_tx(&self, conn: &Conn) -> Result<Vec<RefundId>, TxError> {
        let mut failed_late = Vec::new();
        for failed in &self.seen.failed_refunds {
            let Some(id) = failed.id else { continue };
            let (business, reason) = (self.caller.business, &failed.reason);
            let now = self.engine.clock().now();
            if store::payment::refund_fail_in_tx(conn, business, id, reason, now).await? {
                failed_late.push(id);
            }
        }
        Ok(failed_late)
    }

    /// The booking after what follows, and what happened to it.
    fn advance(
        &self,
        plan: &SettlePlan,
        booking: &Booking,
        consequence: Consequence,
        session: &mut Session,
        changes: &mut Changes,
    ) -> (Booking, Option<EventKind>) {
        let (status, kind) = match consequence {
            Consequence::Confirm => (BookingStatus::Confirmed, EventKind::BookingConfirmed),
            Consequence::Expire => (BookingStatus::Expired, EventKind::Expired),
            Consequence::PayBack | Consequence::LetGo | Consequence::Nothing => {
                return (booking.clone(), None);
            }
        };
        let after = advanced(booking, status);
        if !status.takes_seats() {
            let (id, seats) = (session.id.uuid(), after.party_size);
            session.seats_taken = session.seats_taken.saturating_sub(seats);
            changes.given_back.push(SeatRow { id, seats });
        }
        changes.booking_updates.push(update_row(&after));
        let history = History {
            kind: kind.name(),
            from: Some(plan.booking.status.name().to_owned()),
            to: Some(status.name().to_owned()),
            reason: None,
        };
        let at = self.engine.clock().now();
        changes.history.push(history.row(&after, &self.caller, at));
        (after, Some(kind))
    }

    fn tell(
        &self,
        plan: &SettlePlan,
        kind: EventKind,
        facts: &BookingFacts,
        changes: &mut Changes,
    ) -> Result<Recorded, TxError> {
        let calendars = match kind {
            EventKind::Expired => plan.calendars.clone(),
            _ => Vec::new(),
        };
        let happening = Happening {
            kind,
            at: self.engine.clock().now(),
            calendars,
            booking: Some(facts.clone()),
            hold: None,
            payment: Some(self.id),
        };
        Ok(self.engine.record(&plan.catalogue, changes, happening)?)
    }
}

/// What there is to tell of a payment itself; also whether refunds failed that seemed to have succeeded.
fn news(before: &Payment, after: &Payment, has_failed_late: bool) -> Vec<EventKind> {
    let is_settled =
        |payment: &Payment| payment.taken > 0 || payment.status == PaymentStatus::Authorized;
    let is_over = |payment: &Payment| {
        matches!(
            payment.status,
            PaymentStatus::Failed | PaymentStatus::Expired
        )
    };
    let mut news = Vec::new();
    if is_settled(after) && !is_settled(before) {
        news.push(EventKind::PaymentPaid);
    }
    if after.kind == PaymentKind::Authorize && after.taken > 0 && before.taken == 0 {
        news.push(EventKind::PaymentCaptured);
    }
    if is_over(after) && !is_over(before) {
        news.push(EventKind::PaymentFailed);
    }
    // Where what was told of before has failed, what went out since is news, too.
    let more_went_out = has_failed_late && after.paid_out() > before.paid_out();
    if after.refunded > before.refunded || more_went_out {
        news.push(EventKind::PaymentRefunded);
    }
    if after.refund_failed > before.refund_failed {
        news.push(EventKind::RefundFailed);
    }
    news.extend(news_of_disputes(before, after));
    news
}

/// Of each dispute it is told once that there is one, and once how it ended.
fn news_of_disputes(before: &Payment, after: &Payment) -> Vec<EventKind> {
    let mut news = Vec::new();
    for dispute in &after.disputes {
        let mut known = before.disputes.iter();
        let known = known.find(|known| known.external_id == dispute.external_id);
        if known.is_none() {
            news.push(EventKind::PaymentDisputed);
        }
        let was_over = known.is_some_and(|known| known.status.is_over());
        if dispute.status.is_over() && !was_over {
            news.push(EventKind::DisputeClosed);
        }
    }
    news
}

impl Engine {
    /// Writes what was observed of a payment, and what follows. Observing the same again changes nothing.
    pub(crate) async fn settle(
        &self,
        caller: &Caller,
        id: PaymentId,
        seen: &PaymentState,
    ) -> Result<()> {
        let seen = seen.clone();
        self.settle_case(caller, id, seen, Why::Observed).await?;
        Ok(())
    }

    /// The same of one that came to nothing because it never began; answers whether it has not.
    pub(crate) async fn settle_unbegun(
        &self,
        caller: &Caller,
        id: PaymentId,
        reason: &str,
    ) -> Result<bool> {
        let seen = over(reason.to_owned());
        self.settle_case(caller, id, seen, Why::NeverBegan).await
    }

    /// The same of one that the plugin has failed to begin, which shows in how it fares.
    pub(crate) async fn settle_failed_to_begin(
        &self,
        caller: &Caller,
        id: PaymentId,
        reason: &str,
    ) -> Result<bool> {
        let seen = over(format!("a payment could not be begun: {reason}"));
        self.settle_case(caller, id, seen, Why::FailedToBegin).await
    }

    async fn settle_case(
        &self,
        caller: &Caller,
        id: PaymentId,
        seen: PaymentState,
        why: Why,
    ) -> Result<bool> {
        let case = SettleCase {
            engine: self.clone(),
            caller: *caller,
            id,
            seen,
            why,
        };
        self.write(caller, None, &case).await
    }
}
