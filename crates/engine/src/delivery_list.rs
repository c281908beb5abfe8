//! Deliveries as those see them who look after plugins: listed with every attempt, and sent on their way again.

use domain::booking::Booking;
use domain::id::{BookingId, DeliveryId};
use domain::problem::Problem;
use store::Conn;
use store::changes::Changes;
pub use store::delivery_list::{
    Delivery, DeliveryAttempt, DeliveryFilter, DeliveryPage, DeliveryStatus,
};

use crate::idempotency::Key;
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
        let found = self.engine.delivery(&self.caller, self.id).await?;
        let missing = || Problem::not_found(&["id"], "delivery");
        let status = found.ok_or_else(missing)?.status;
        if status == DeliveryStatus::Delivered {
            return Err(Problem::conflict("it is delivered already").into());
        }
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, DeliveryId), TxError> {
        let now = self.engine.clock().now();
        let business = self.caller.business;
        if !store::delivery_list::delivery_retry_in_tx(conn, business, self.id, now).await? {
            return Err(Problem::conflict("it is being delivered at this moment").into());
        }
        Ok((Changes::default(), self.id))
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
