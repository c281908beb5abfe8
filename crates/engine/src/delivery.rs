//! Deliveries, for the jobs that work on them: due, taken under a lease, ended.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{BusinessId, DeliveryId, Id};
pub use store::delivery::{DueDelivery, EndedAttempt, Ending, TakenDelivery};
use uuid::Uuid;

use crate::{Engine, Result};

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

    /// Takes what is due under one lease, as much of it as nobody else has.
    pub async fn take_deliveries(
        &self,
        due: &[DueDelivery],
        lease: TimeDelta,
    ) -> Result<Vec<TakenDelivery>> {
        let mut by_business: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for due in due {
            by_business.entry(due.business_id).or_default().push(due.id);
        }
        let conn = self.0.database.conn().await?;
        let now = self.clock().now();
        let (until, lease_id) = (now + lease, Uuid::now_v7());
        let mut taken = Vec::with_capacity(due.len());
        for (business, ids) in by_business {
            let business = BusinessId::from_uuid(business);
            taken.extend(
                store::delivery::delivery_take(&conn, business, &ids, lease_id, now, until).await?,
            );
        }
        Ok(taken)
    }

    /// Records how attempts of a business ended, and answers which of them: those whose lease was lost meanwhile are not.
    pub async fn finish_deliveries(
        &self,
        business: BusinessId,
        attempts: &[EndedAttempt],
    ) -> Result<Vec<DeliveryId>> {
        let conn = self.0.database.conn().await?;
        Ok(store::delivery::delivery_finish(&conn, business, attempts).await?)
    }
}
