//! Channels: the other side tells us that a calendar changed. One is opened before a calendar is first read and another before it runs out; where
//! there can be none, or it has run out or calls an address of before, calendars are asked now and then all the same.

use chrono::{DateTime, TimeDelta, Utc};
use plugin_api::{CalendarError, ChannelRequest};
use store::calendar_channel::{ChannelRow, MissedChannel};
use store::calendar_source::SourceRow;
use uuid::Uuid;

use super::reading::Reader;
use super::tidy::channel_of;
use crate::secret;

/// How long before it runs out another channel takes its place, at most.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// However short it lasts, another is not asked for sooner than this.
const SOONEST: TimeDelta = TimeDelta::minutes(1);
/// When a channel is asked for again that could not be had.
const AGAIN: TimeDelta = TimeDelta::hours(1);

impl Reader<'_> {
    /// Opens a channel for the source where it needs one. Answers until when the calendar need not be asked for its sake, where one tells.
    pub(super) async fn keep_channel(
        &self,
        source: &SourceRow,
    ) -> Result<Option<DateTime<Utc>>, CalendarError> {
        let now = self.engine.clock().now();
        let slug = &self.catalogue.business.slug;
        let Some(address) = self.engine.inbound_url(&self.connection.plugin, slug) else {
            return Ok(None);
        };
        // What calls an address of before tells nobody.
        let is_ours = source.channel_address.as_ref() == Some(&address);
        let renew_at = source.channel_renew_at.filter(|at| is_ours && *at > now);
        if let Some(renew_at) = renew_at {
            let tells_until = source.channel_expires_at.filter(|at| *at > now);
            return Ok(tells_until.map(|until| until.min(renew_at)));
        }
        match self.open(source, &address, now).await {
            Ok(renew_at) => Ok(Some(renew_at)),
            Err(revoked @ CalendarError::Revoked { .. }) => Err(revoked),
            Err(error) => {
                tracing::info!(%error, plugin = self.connection.plugin, "no channel could be had: the calendar is asked now and then");
                let tells_until = |at: DateTime<Utc>| if is_ours { at } else { at.min(now) };
                let missed = MissedChannel {
                    address: &address,
                    expires_at: source.channel_expires_at.map(tells_until),
                    again_at: now + AGAIN,
                };
                let conn = self.conn().await?;
                store::calendar_channel::channel_put_off(&conn, self.business, self.lease, &missed)
                    .await
                    .map_err(|error| super::access::away(&error.into()))?;
                Ok(None)
            }
        }
    }

    async fn open(
        &self,
        source: &SourceRow,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let secret = secret::random().map_err(|error| super::access::away(&error))?;
        let secret = secret::hex(&secret);
        let digest = secret::hash(secret.as_bytes());
        let id = Uuid::now_v7();
        let request = ChannelRequest {
            id: id.to_string(),
            secret: secret.into(),
            address: address.to_owned(),
        };
        let channel = self
            .calendar
            .watch(&self.access, &source.calendar, &request)
            .await?;
        let lasts = channel.expires_at - now;
        let renew_at = (channel.expires_at - AHEAD.min(lasts / 4)).max(now + SOONEST);
        let row = ChannelRow {
            id,
            resource: &channel.resource_id,
            digest: &digest,
            expires_at: channel.expires_at,
            renew_at,
            address,
        };
        let conn = self.conn().await?;
        let is_held = store::calendar_channel::channel_set(&conn, self.business, self.lease, &row)
            .await
            .map_err(|error| super::access::away(&error.into()))?;
        drop(conn);
        // The one before calls no more; where the lease was lost, neither does this one.
        let over = if is_held {
            channel_of(source)
        } else {
            Some(channel)
        };
        if let Some(over) = over
            && let Err(error) = self.calendar.unwatch(&self.access, &over).await
        {
            tracing::debug!(%error, "a channel could not be closed: it runs out by itself");
        }
        Ok(renew_at)
    }
}
