//! Calls of the other sides of plugins, each kept once, however often it comes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};

use crate::schema::inbound_call;
use crate::{Conn, Result};

/// Keeps a call of the other side; answers whether it is the first of its name.
pub async fn inbound_call_insert_in_tx(
    mut conn: &Conn,
    business: BusinessId,
    plugin: &str,
    external_id: &str,
    at: DateTime<Utc>,
) -> Result<bool> {
    let written = diesel::insert_into(inbound_call::table)
        .values((
            inbound_call::business_id.eq(business.uuid()),
            inbound_call::plugin.eq(plugin),
            inbound_call::external_id.eq(external_id),
            inbound_call::received_at.eq(at),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(written == 1)
}
