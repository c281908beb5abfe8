//! Calling payments off: when the time to pay is over, when the booking was cancelled, and what becomes of those that cannot be.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::payment::{ExternalStatus, Payment, PaymentKind, PaymentState, PaymentStatus};
use plugin_api::{Done, Failure};

use super::desk::{Desk, away, is_undecided, over, settled};

/// How often the other side is asked whether something was paid whose time is over, when all attempts have failed, and for how long.
const ASK_AGAIN: Duration = Duration::from_secs(3600);
const ASKED_FOR: TimeDelta = TimeDelta::days(30);

/// How long that may take, of the time that the jobs give it.
const EXPIRE_PATIENCE: Duration = Duration::from_secs(45);

impl Desk<'_> {
    /// Calls it off when the time to pay is over. Its booking keeps its places until the other side has said that nobody paid: so that is asked
    /// for longer than anything else.
    pub(super) async fn expire(&self, payment: &Payment, is_last: bool) -> Result<Done, Failure> {
        let late = self.engine.clock().now() - payment.expires_at;
        if late < TimeDelta::zero() {
            return Err(Failure::NotYet {
                after: (-late).to_std().ok(),
                reason: "it can still be paid".to_owned(),
            });
        }
        let ended = tokio::time::timeout(EXPIRE_PATIENCE, self.call_off(payment, true)).await;
        let late_answer = |_| Err(Failure::retry("the other side did not answer in time"));
        let ended = ended.unwrap_or_else(late_answer);
        ended.map_err(|failure| match failure {
            failure if late > ASKED_FOR => failure,
            Failure::GiveUp { reason } => put_off(reason),
            Failure::Retry { reason, .. } | Failure::Misconfigured { reason } if is_last => {
                put_off(reason)
            }
            failure => failure,
        })
    }

    pub(super) async fn call_off(
        &self,
        payment: &Payment,
        has_expired: bool,
    ) -> Result<Done, Failure> {
        let can_be_let_go = !has_expired && payment.is_to_be_let_go();
        // It may have been over here before it was there.
        let can_come_late = has_expired && payment.status == PaymentStatus::Expired;
        if payment.status != PaymentStatus::Waiting && !can_be_let_go && !can_come_late {
            return Ok(settled(payment));
        }
        let reason = "it never began";
        let Some(external_id) = self.begun(payment, reason).await? else {
            return Ok(Done::skipped(reason));
        };
        let is_reservation = payment.kind == PaymentKind::Authorize;
        if is_reservation && has_expired && !can_come_late {
            // To cancel lets go also of what the customer has just reserved in time.
            let seen = self.payments.look_up(self.settings, &external_id).await?;
            if !is_undecided(&seen) {
                return self.settle(payment.id, &seen).await;
            }
        }
        let seen = self.payments.cancel(self.settings, &external_id).await?;
        if is_undecided(&seen) {
            return self.leave_undecided(payment, &seen, has_expired).await;
        }
        if is_reservation && seen.status == ExternalStatus::Authorized {
            return Err(Failure::not_yet(
                "the other side has not let go yet of what is reserved",
            ));
        }
        self.settle(payment.id, &seen).await
    }

    /// What cannot be called off and may still be paid is asked about again. A booking waits no longer for it than until its time to pay is over
    /// where nobody has paid, and than until it begins where a bank takes its time; what is paid after that goes back.
    async fn leave_undecided(
        &self,
        payment: &Payment,
        seen: &PaymentState,
        has_expired: bool,
    ) -> Result<Done, Failure> {
        let not_yet = |after: Option<TimeDelta>| Failure::NotYet {
            after: after.and_then(|after| after.to_std().ok()),
            reason: "the other side has not decided yet whether it was paid".to_owned(),
        };
        if !has_expired {
            return Err(not_yet(None));
        }
        let now = self.engine.clock().now();
        if payment.status == PaymentStatus::Expired {
            if now - payment.expires_at > ASKED_FOR {
                return Ok(Done::skipped("nobody has paid it"));
            }
            return Err(not_yet(None));
        }
        let left = self.starts_at(payment).await? - now;
        if seen.status == ExternalStatus::Unpaid || left <= TimeDelta::zero() {
            let over = over("nobody has paid in time".to_owned());
            self.settle(payment.id, &over).await?;
            return Err(not_yet(None));
        }
        // The last time to ask before the booking begins is when it does.
        let is_soon = left.to_std().is_ok_and(|left| left <= ASK_AGAIN);
        Err(not_yet(is_soon.then_some(left)))
    }

    /// When the booking begins that a payment is for.
    async fn starts_at(&self, payment: &Payment) -> Result<DateTime<Utc>, Failure> {
        let found = self.engine.booking(&self.caller, payment.booking_id).await;
        let found = found.map_err(|error| away(&error))?;
        let (_, session) = found.ok_or_else(|| Failure::give_up("its booking is gone"))?;
        Ok(session.starts_at)
    }

    /// The other side's name for a payment that is called off. One that is not known to have begun is over with that, and has none: nobody was ever
    /// told how to pay it, also where the other side knows it.
    pub(super) async fn begun(
        &self,
        payment: &Payment,
        reason: &str,
    ) -> Result<Option<String>, Failure> {
        if payment.external_id.is_some() {
            return Ok(payment.external_id.clone());
        }
        let (engine, caller) = (self.engine, &self.caller);
        let ended = engine.settle_unbegun(caller, payment.id, reason).await;
        if ended.map_err(|error| away(&error))? {
            return Ok(None);
        }
        Ok(self.payment(payment.id).await?.external_id)
    }
}

fn put_off(reason: String) -> Failure {
    let after = Some(ASK_AGAIN);
    Failure::NotYet { after, reason }
}
