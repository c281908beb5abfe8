//! Deliveries, for the jobs that work on them: due, taken under a lease, ended.

use chrono::{DateTime, TimeDelta, Utc};
use plugin_api::Delivery;
pub use store::delivery::{DueDelivery, Ending, TakenDelivery};
use uuid::Uuid;

use crate::{Engine, Error, Result};

impl Engine {
    /// What is due for a plugin, over all businesses.
    pub async fn deliveries_due(&self, plugin: &str, limit: i64) -> Result<Vec<DueDelivery>> {
        let conn = self.0.database.conn().await?;
        Ok(store::delivery::delivery_due(&conn, plugin, self.clock().now(), limit).await?)
    }

    /// When the next delivery of a plugin may become due.
    pub async fn delivery_next(&self, plugin: &str) -> Result<Option<DateTime<Utc>>> {
        let conn = self.0.database.conn().await?;
        Ok(store::delivery::delivery_next(&conn, plugin).await?)
    }

    /// Takes a delivery under a lease, if nobody else has it, with what a plugin is handed.
    pub async fn take_delivery(
        &self,
        due: &DueDelivery,
        lease: TimeDelta,
    ) -> Result<Option<(TakenDelivery, Delivery)>> {
        let conn = self.0.database.conn().await?;
        let now = self.clock().now();
        let taken =
            store::delivery::delivery_take(&conn, due, Uuid::now_v7(), now, now + lease).await?;
        let Some(taken) = taken else { return Ok(None) };
        let event = store::event::event_find(&conn, taken.business_id, taken.event_id).await?;
        let event =
            event.ok_or_else(|| Error::Fault(format!("delivery {} has no event", taken.id)))?;
        let delivery = Delivery {
            id: taken.id,
            business_id: taken.business_id,
            attempt: u32::try_from(taken.attempt).unwrap_or(1),
            part: taken.part.clone(),
            event,
        };
        Ok(Some((taken, delivery)))
    }

    /// Records how an attempt ended; false if the lease was lost meanwhile, and then nothing is recorded.
    pub async fn finish_delivery(
        &self,
        taken: &TakenDelivery,
        ending: &Ending,
        note: Option<&str>,
        took: std::time::Duration,
    ) -> Result<bool> {
        let conn = self.0.database.conn().await?;
        let took = i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
        Ok(
            store::delivery::delivery_finish(&conn, taken, ending, note, self.clock().now(), took)
                .await?,
        )
    }
}
