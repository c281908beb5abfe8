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

/// Forgets calls older than an instant, over all businesses; answers how many.
pub async fn inbound_call_forget(mut conn: &Conn, before: DateTime<Utc>) -> Result<usize> {
    let old = inbound_call::table.filter(inbound_call::received_at.lt(before));
    Ok(diesel::delete(old).execute(&mut conn).await?)
}
