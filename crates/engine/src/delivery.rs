//! Deliveries, for the jobs that work on them: due, taken under a lease, ended.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{BusinessId, DeliveryId, Id};
use plugin_api::{Plugin, PluginSettings};
pub use store::delivery::{EndedAttempt, Ending, TakenDelivery};
pub use store::delivery_due::DueDelivery;
use uuid::Uuid;

use crate::part::Part;
use crate::plugin::NotInUse;
use crate::{Engine, Error, Result};

impl Engine {
    /// What is due for a plugin, over all businesses but these.
    pub async fn deliveries_due(
        &self,
        plugin: &str,
        but: &[BusinessId],
        limit: i64,
    ) -> Result<Vec<DueDelivery>> {
        let conn = self.0.database.conn().await?;
        let but: Vec<Uuid> = but.iter().map(|id| id.uuid()).collect();
        let now = self.clock().now();
        Ok(store::delivery_due::delivery_due(&conn, plugin, &but, now, limit).await?)
    }

    /// When the next delivery of a plugin that is not due yet may become so, of all businesses but these.
    pub async fn delivery_next(
        &self,
        plugin: &str,
        but: &[BusinessId],
    ) -> Result<Option<DateTime<Utc>>> {
        let conn = self.0.database.conn().await?;
        let but: Vec<Uuid> = but.iter().map(|id| id.uuid()).collect();
        let now = self.clock().now();
        Ok(store::delivery_due::delivery_next(&conn, plugin, &but, now).await?)
    }

    /// Takes what is due for a plugin under one lease, as much of it as nobody else has, each with the settings of its business as they are
    /// now, or why there are none. A business of which nothing can be read stands in no other's way.
    pub async fn take_deliveries(
        &self,
        plugin: &dyn Plugin,
        due: &[DueDelivery],
        lease: TimeDelta,
    ) -> Result<Vec<(TakenDelivery, Result<PluginSettings, NotInUse>)>> {
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
            let rows =
                store::delivery::delivery_take(&conn, business, &ids, lease_id, now, until).await?;
            let catalogue = match self.catalogue_on(&conn, business).await {
                Ok(catalogue) => Some(catalogue),
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(%business, plugin = plugin.name(), %error, "deliveries wait: the business's catalogue cannot be read");
                    None
                }
            };
            taken.extend(rows.into_iter().map(|row| {
                let settings = match &catalogue {
                    None => Err(NotInUse::Unreadable),
                    Some(catalogue) if Part::of(&row.part).outlives_use() => {
                        self.settings_of(catalogue, plugin.name())
                    }
                    Some(catalogue) => self.settings_in_use(catalogue, plugin),
                };
                (row, settings)
            }));
        }
        Ok(taken)
    }

    /// Has the lease of a delivery last so long from now on; answers whether it is still held.
    pub async fn renew_lease(&self, taken: &TakenDelivery, lease: TimeDelta) -> Result<bool> {
        let conn = self.0.database.conn().await?;
        let until = self.clock().now() + lease;
        Ok(store::delivery::delivery_renew(&conn, taken, until).await?)
    }

    /// Records how attempts of a plugin for a business ended, and answers which of them: those whose lease was lost meanwhile are not.
    pub async fn finish_deliveries(
        &self,
        plugin: &str,
        business: BusinessId,
        attempts: &[EndedAttempt],
    ) -> Result<Vec<DeliveryId>> {
        let conn = self.0.database.conn().await?;
        Ok(store::delivery::delivery_finish(&conn, business, plugin, attempts).await?)
    }
}
