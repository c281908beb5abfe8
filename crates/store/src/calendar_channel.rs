//! Channels by which the other side tells that a source has changed. Each source has one at most.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::id::{BusinessId, Id};
use uuid::Uuid;

use crate::calendar_source::Lease;
use crate::schema::calendar_source;
use crate::{Conn, Result};

/// The source with this channel, and the digest of the channel's secret.
pub async fn channel_source(
    mut conn: &Conn,
    business: BusinessId,
    channel: Uuid,
) -> Result<Option<(Uuid, Vec<u8>)>> {
    let found = calendar_source::table
        .filter(calendar_source::business_id.eq(business.uuid()))
        .filter(calendar_source::channel_id.eq(channel))
        .filter(calendar_source::channel_digest.is_not_null())
        .filter(calendar_source::next_sync_at.is_not_null())
        .select((
            calendar_source::id,
            calendar_source::channel_digest.assume_not_null(),
        ))
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// A channel that is open.
#[derive(Debug, Clone, Copy)]
pub struct ChannelRow<'a> {
    /// Our name for it.
    pub id: Uuid,
    /// The other side's name for what it watches.
    pub resource: &'a str,
    /// The digest of its secret.
    pub digest: &'a [u8],
    /// Until when it tells.
    pub expires_at: DateTime<Utc>,
    /// When another takes its place.
    pub renew_at: DateTime<Utc>,
    /// Where it calls.
    pub address: &'a str,
}

/// Notes the channel of a source, if the lease is still held; answers whether it is.
pub async fn channel_set(
    mut conn: &Conn,
    business: BusinessId,
    lease: Lease,
    channel: &ChannelRow<'_>,
) -> Result<bool> {
    let own = calendar_source::table
        .find((business.uuid(), lease.source))
        .filter(calendar_source::lease_id.eq(lease.id));
    let set = diesel::update(own)
        .set((
            calendar_source::channel_id.eq(channel.id),
            calendar_source::channel_resource.eq(channel.resource),
            calendar_source::channel_digest.eq(channel.digest),
            calendar_source::channel_expires_at.eq(channel.expires_at),
            calendar_source::channel_renew_at.eq(channel.renew_at),
            calendar_source::channel_address.eq(channel.address),
        ))
        .execute(&mut conn)
        .await?;
    Ok(set == 1)
}

/// A channel that could not be had.
#[derive(Debug, Clone, Copy)]
pub struct MissedChannel<'a> {
    /// Where it would call.
    pub address: &'a str,
    /// Until when the one before tells, where there is one.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it is asked for again.
    pub again_at: DateTime<Utc>,
}

/// Says when a channel is asked for again that could not be had.
pub async fn channel_put_off(
    mut conn: &Conn,
    business: BusinessId,
    lease: Lease,
    missed: &MissedChannel<'_>,
) -> Result<()> {
    let own = calendar_source::table
        .find((business.uuid(), lease.source))
        .filter(calendar_source::lease_id.eq(lease.id));
    diesel::update(own)
        .set((
            calendar_source::channel_renew_at.eq(missed.again_at),
            calendar_source::channel_expires_at.eq(missed.expires_at),
            calendar_source::channel_address.eq(missed.address),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}
