//! The other side says that a calendar changed: it is read at once. Whether the call is of a channel of ours its secret tells.

use domain::id::BusinessId;
use store::Conn;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{Engine, Result};

/// A source whose channel called.
pub(crate) struct CalledSource(Uuid);

impl CalledSource {
    /// Has it read at once.
    pub(crate) async fn record_in_tx(
        &self,
        engine: &Engine,
        conn: &Conn,
        business: BusinessId,
    ) -> Result<(), store::StoreError> {
        let now = engine.clock().now();
        store::calendar_source::source_nudge_in_tx(conn, business, self.0, now).await
    }
}

impl Engine {
    /// The source whose channel this is, if the call bears its secret.
    pub(crate) async fn called_source(
        &self,
        conn: &Conn,
        business: BusinessId,
        channel: &str,
        digest: &[u8; 32],
    ) -> Result<Option<CalledSource>> {
        let Ok(channel) = channel.parse::<Uuid>() else {
            return Ok(None);
        };
        let found = store::calendar_channel::channel_source(conn, business, channel).await?;
        let own = found.filter(|(_, known)| bool::from(known.ct_eq(digest.as_slice())));
        Ok(own.map(|(source, _)| CalledSource(source)))
    }
}
