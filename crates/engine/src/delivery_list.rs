//! Deliveries as those see them who look after plugins: listed with every attempt, and sent on their way again.

use chrono::{DateTime, Utc};
use domain::booking::Booking;
use domain::id::{BookingId, BusinessId, DeliveryId};
use domain::problem::Problem;
use store::Conn;
use store::changes::Changes;
use store::delivery_list::Standing;
pub use store::delivery_list::{
    Delivery, DeliveryAttempt, DeliveryFilter, DeliveryPage, DeliveryStatus,
};

use crate::idempotency::Key;
use crate::notification::to_say_again_in_tx;
use crate::plugin::may_manage;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// A stretch of the list of deliveries.
pub struct Deliveries {
    /// The deliveries, the latest first.
    pub deliveries: Vec<Delivery>,
    /// Whether there are more beyond the end from which the page was counted.
    pub has_more: bool,
}

struct RetryCase {
    engine: Engine,
    caller: Caller,
    id: DeliveryId,
}

impl UseCase for RetryCase {
    type Plan = ();
    type Answer = DeliveryId;

    async fn plan(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, DeliveryId), TxError> {
        let (now, business) = (self.engine.clock().now(), self.caller.business);
        match again_in_tx(conn, business, self.id, now).await? {
            Ok(()) => Ok((Changes::default(), self.id)),
            Err(why) => Err(Problem::conflict(why).into()),
        }
    }
}

/// Sends a delivery on its way again, and what it was to say; or answers why it stays as it is.
pub(crate) async fn again_in_tx(
    conn: &Conn,
    business: BusinessId,
    id: DeliveryId,
    now: DateTime<Utc>,
) -> Result<Result<(), &'static str>, TxError> {
    use store::delivery_list as stored;
    let again = to_say_again_in_tx(conn, business, id).await?;
    let found = stored::delivery_lock_in_tx(conn, business, id).await?;
    let found = found.ok_or_else(|| Problem::not_found(&["id"], "delivery"))?;
    if let Some(why) = stays(&found, now) {
        return Ok(Err(why));
    }
    stored::delivery_retry_in_tx(conn, business, id, now).await?;
    if !again.is_empty() {
        store::notification::notification_again_in_tx(conn, business, &again).await?;
    }
    Ok(Ok(()))
}

/// Why a delivery is not sent on its way again. One that nobody tried and that has its time still to come would come too early.
fn stays(delivery: &Standing, now: DateTime<Utc>) -> Option<&'static str> {
    let in_hand = delivery.leased_until.is_some_and(|until| until > now);
    match delivery.status {
        DeliveryStatus::Delivered => Some("it is delivered already"),
        DeliveryStatus::Waiting if in_hand => Some("it is being delivered at this moment"),
        DeliveryStatus::Waiting => {
            let was_tried = delivery.attempts > 0 || delivery.note.is_some();
            (!was_tried && delivery.next_attempt_at > now).then_some("it is not due yet")
        }
        DeliveryStatus::Parked => None,
    }
}

impl Engine {
    /// One page of the deliveries of the caller's business.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        filter: &DeliveryFilter,
        page: DeliveryPage,
    ) -> Result<Deliveries> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        let one_more = DeliveryPage {
            limit: page.limit + 1,
            ..page
        };
        let mut deliveries =
            store::delivery_list::delivery_list(&conn, caller.business, filter, one_more).await?;
        let wanted = usize::try_from(page.limit).unwrap_or(0);
        let has_more = deliveries.len() > wanted;
        if has_more && page.backward {
            deliveries.remove(0);
        }
        deliveries.truncate(wanted);
        Ok(Deliveries {
            deliveries,
            has_more,
        })
    }

    /// The delivery with this id.
    pub async fn delivery(&self, caller: &Caller, id: DeliveryId) -> Result<Option<Delivery>> {
        let filter = DeliveryFilter {
            id: Some(id),
            ..DeliveryFilter::default()
        };
        let page = DeliveryPage {
            after: None,
            before: None,
            backward: false,
            limit: 1,
        };
        let found = self.deliveries(caller, &filter, page).await?;
        Ok(found.deliveries.into_iter().next())
    }

    /// Every attempt at these deliveries, in order.
    pub async fn delivery_attempts(
        &self,
        caller: &Caller,
        ids: &[DeliveryId],
    ) -> Result<Vec<DeliveryAttempt>> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        Ok(store::delivery_list::delivery_attempt_list(&conn, caller.business, ids).await?)
    }

    /// The bookings that deliveries are about.
    pub async fn delivery_bookings(
        &self,
        caller: &Caller,
        ids: &[BookingId],
    ) -> Result<Vec<Booking>> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        Ok(store::booking::booking_list_by_id(&conn, caller.business, ids).await?)
    }

    /// Sends a delivery on its way again, with all its attempts before it.
    pub async fn retry_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
        key: Option<&str>,
    ) -> Result<DeliveryId> {
        may_manage(caller)?;
        let key = Key::of("retryDelivery", key, &id)?;
        let (engine, caller) = (self.clone(), *caller);
        let case = RetryCase {
            engine: self.clone(),
            caller,
            id,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_over_in_hand_or_still_to_come_is_not_sent_on_its_way_again() {
        use DeliveryStatus::{Delivered, Parked, Waiting};
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let (not_due, in_hand) = ("it is not due yet", "it is being delivered at this moment");
        for (status, attempts, note, minutes, leased, expected) in [
            (Delivered, 1, None, 0, None, Some("it is delivered already")),
            (Parked, 12, Some("refused"), 0, None, None),
            (Parked, 0, None, 60, None, None),
            (Waiting, 0, None, 60, None, Some(not_due)),
            (Waiting, 0, None, 0, None, None),
            (Waiting, 0, None, -60, None, None),
            (Waiting, 1, None, 60, None, None),
            // The other side has not decided yet: the attempt does not count.
            (Waiting, 0, Some("it is being looked at"), 60, None, None),
            (Waiting, 1, None, 0, Some(1), Some(in_hand)),
            // Whoever had it in hand is gone.
            (Waiting, 1, None, 60, Some(0), None),
        ] {
            let standing = Standing {
                status,
                attempts,
                note: note.map(str::to_owned),
                next_attempt_at: now + TimeDelta::minutes(minutes),
                leased_until: leased.map(|leased| now + TimeDelta::minutes(leased)),
            };
            assert_eq!(stays(&standing, now), expected, "{standing:?}");
        }
    }
}
