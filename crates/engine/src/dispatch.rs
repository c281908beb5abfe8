//! Events are handed to the plugins that want them, after the commit that made them true.

use std::collections::BTreeMap;

use domain::id::{BusinessId, Id};
use sha2::{Digest, Sha256};
use store::dispatch::{Handover, PendingDispatch};
use uuid::{Builder, Uuid};

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
            let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
            let handovers: Vec<Handover<'_>> = rows.iter().flat_map(handovers).collect();
            let handed_on =
                store::dispatch::dispatch_hand_on(&conn, business, &seqs, &handovers).await;
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

/// The deliveries that an event becomes.
fn handovers(event: &PendingDispatch) -> impl Iterator<Item = Handover<'_>> {
    let wants = event.plugins.iter().zip(&event.parts);
    wants.map(|(plugin, part)| Handover {
        seq: event.seq,
        id: delivery_id(event.event_id, plugin, part),
        plugin,
        part,
    })
}

/// The id of the delivery of an event: what must be the same when the event is handed on again, since a crash of the database may have
/// forgotten the delivery, and the other side may know it by its id. The time of the event, and for the random part what it is to whom.
fn delivery_id(event: Uuid, plugin: &str, part: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(event);
    hash.update(plugin);
    hash.update("/");
    hash.update(part);
    let mut id = *event.as_bytes();
    for (byte, hashed) in id.iter_mut().zip(hash.finalize()).skip(6) {
        *byte = hashed;
    }
    Builder::from_bytes(id)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::SortRand)
        .into_uuid()
}
