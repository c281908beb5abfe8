//! Events are handed to the plugins that want them, after the commit that made them true.

use std::collections::BTreeMap;

use domain::id::{BusinessId, Id};
use store::dispatch::PendingDispatch;

use crate::{Engine, Result};

impl Engine {
    /// Hands on the first events that are still to be handed on, so many at most: each becomes a delivery to everybody who wants it. Answers how many
    /// there were.
    pub async fn dispatch(&self, limit: usize) -> Result<usize> {
        let conn = self.0.database.conn().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let pending = store::dispatch::dispatch_pending(&conn, limit).await?;
        let count = pending.len();
        let mut by_business: BTreeMap<_, Vec<PendingDispatch>> = BTreeMap::new();
        for row in pending {
            by_business.entry(row.business_id).or_default().push(row);
        }
        let mut failed = None;
        for (business, rows) in by_business {
            let business = BusinessId::from_uuid(business);
            let handed_on = store::dispatch::dispatch_hand_on(&conn, business, &rows).await;
            // One that cannot be stands in no other's way.
            failed = handed_on.err().or(failed);
        }
        failed.map_or(Ok(count), |error| Err(error.into()))
    }

    /// Whether any event is still to be handed on.
    pub async fn is_dispatch_pending(&self) -> Result<bool> {
        let conn = self.0.database.conn().await?;
        Ok(!store::dispatch::dispatch_pending(&conn, 1)
            .await?
            .is_empty())
    }
}
