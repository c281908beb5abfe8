//! What a connection has left behind is cleared up, as far as the other side lets us: channels of calendars that are not read any more are
//! closed, and of a connection that has ended our events ahead are taken away, then its access is forgotten.

use domain::id::{BookingId, Id, ProviderId};
use plugin_api::{CalendarAccess, CalendarError, Done, Failure, WatchChannel};
use store::Conn;
use store::calendar_connection::ConnectionRow;
use store::calendar_link::LinkRow;
use store::calendar_source::SourceRow;
use store::changes::Changes;
use uuid::Uuid;

use super::access::away;
use super::work::{Desk, Work};
use crate::tx::{TxError, UseCase};
use crate::{Caller, Result};

/// The channel of a source, if it has one.
pub(super) fn channel_of(source: &SourceRow) -> Option<WatchChannel> {
    Some(WatchChannel {
        id: source.channel_id?.to_string(),
        resource_id: source.channel_resource.clone()?,
        expires_at: source.channel_expires_at?,
    })
}

impl Desk<'_> {
    pub(super) async fn tidy(&self, id: Uuid) -> Result<Done, Failure> {
        let conn = self.conn().await?;
        let business = self.business;
        let found = store::calendar_connection::connection_find(&conn, business, id).await;
        let found = found.map_err(|error| away(&error.into()))?;
        let Some(connection) = found else {
            return Ok(Done::skipped("the connection is not there any more"));
        };
        drop(conn);
        let settings = self.settings.clone();
        let access = self.engine.access(business, &connection, settings);
        let has_ended = connection.ended_at.is_some();
        if has_ended {
            self.let_others_end(&connection).await?;
        }
        let reached = match access {
            Ok(access) => self.clear(&connection, &access).await,
            Err(failure) => Err(failure),
        };
        let note = match reached {
            Ok(()) => None,
            // Nothing more can be done with an access that is not one any more: what is left there is its owner's.
            Err(Failure::NotYet { reason, .. } | Failure::Misconfigured { reason })
                if has_ended =>
            {
                Some(reason)
            }
            Err(failure) => return Err(failure),
        };
        if has_ended {
            self.leave_to_others(&connection).await?;
            self.forget(&connection).await?;
        }
        Ok(note.map_or(Done::Delivered, Done::skipped))
    }

    /// What could not be taken away, or may have been, has those write it again that write there too.
    async fn leave_to_others(&self, connection: &ConnectionRow) -> Result<(), Failure> {
        let conn = self.conn().await?;
        let links = store::calendar_link::link_list(&conn, self.business, connection.id).await;
        drop(conn);
        let now = self.engine.clock().now();
        let links = links.map_err(|error| away(&error.into()))?;
        for link in links.iter().filter(|link| link.ends_at > now) {
            self.unlink(connection, link).await?;
        }
        Ok(())
    }

    /// What is being written by the connection at this moment is written before it is taken away.
    async fn let_others_end(&self, connection: &ConnectionRow) -> Result<(), Failure> {
        let part = Work::Keep(ProviderId::from_uuid(connection.provider_id)).part();
        let now = self.engine.clock().now();
        let conn = self.conn().await?;
        let of = (self.plugin, part.as_str());
        let is_worked_on =
            store::calendar_delivery::calendar_delivery_is_worked_on(&conn, self.business, of, now)
                .await;
        match is_worked_on {
            Ok(false) => Ok(()),
            Ok(true) => Err(Failure::not_yet("the calendar is being written to")),
            Err(error) => Err(away(&error.into())),
        }
    }

    async fn clear(
        &self,
        connection: &ConnectionRow,
        access: &CalendarAccess,
    ) -> Result<(), Failure> {
        let conn = self.conn().await?;
        let all = [connection.id];
        let sources = store::calendar_source::source_list(&conn, self.business, &all).await;
        let links = store::calendar_link::link_list(&conn, self.business, connection.id).await;
        drop(conn);
        let sources = sources.map_err(|error| away(&error.into()))?;
        for source in sources
            .iter()
            .filter(|source| source.next_sync_at.is_none())
        {
            self.retire(access, connection, source).await?;
        }
        if connection.ended_at.is_none() {
            return Ok(());
        }
        let links = links.map_err(|error| away(&error.into()))?;
        self.take_all_away(access, connection, &links).await
    }

    /// Takes the events ahead away. One that cannot be taken away stands in no other's way; the failure that may pass is answered, if any.
    async fn take_all_away(
        &self,
        access: &CalendarAccess,
        connection: &ConnectionRow,
        links: &[LinkRow],
    ) -> Result<(), Failure> {
        let now = self.engine.clock().now();
        let mut worst = Ok(());
        for link in links.iter().filter(|link| link.ends_at > now) {
            match self.take_away(access, connection, link).await {
                Ok(()) => {}
                // Nothing works any more, or not for so long.
                Err(failure @ (Failure::NotYet { .. } | Failure::Retry { after: Some(_), .. })) => {
                    return Err(failure);
                }
                Err(failure @ Failure::Retry { .. }) => worst = Err(failure),
                Err(failure) => worst = worst.and(Err(failure)),
            }
        }
        worst
    }

    async fn retire(
        &self,
        access: &CalendarAccess,
        connection: &ConnectionRow,
        source: &SourceRow,
    ) -> Result<(), Failure> {
        if let Some(channel) = channel_of(source) {
            match self.calendar.unwatch(access, &channel).await {
                Ok(()) => {}
                Err(CalendarError::Failed(
                    Failure::GiveUp { reason } | Failure::Misconfigured { reason },
                )) => {
                    tracing::info!(
                        reason,
                        "a channel could not be closed: it runs out by itself"
                    );
                }
                Err(error) => return Err(self.failed(connection, error).await),
            }
        }
        let conn = self.conn().await?;
        store::calendar_source::source_retire(&conn, self.business, source.id, source.channel_id)
            .await
            .map_err(|error| away(&error.into()))
    }

    /// Takes an event away, unless it is another connection's by now. One that was taken away all the same, because that one wrote it at
    /// this moment, is written again.
    async fn take_away(
        &self,
        access: &CalendarAccess,
        connection: &ConnectionRow,
        link: &LinkRow,
    ) -> Result<(), Failure> {
        let booking = BookingId::from_uuid(link.booking_id);
        let of = (self.plugin, connection.id, link.calendar.as_str());
        let conn = self.conn().await?;
        let others = store::calendar_link::link_others(&conn, self.business, of, &[booking]).await;
        drop(conn);
        let others = others.map_err(|error| away(&error.into()))?;
        if !others.iter().any(|(_, is_active)| *is_active) {
            self.delete(connection, access, &link.calendar, booking)
                .await?;
        }
        self.unlink(connection, link).await
    }

    async fn forget(&self, connection: &ConnectionRow) -> Result<(), Failure> {
        let caller = Caller::system(self.business);
        let case = ForgetCase {
            caller,
            connection: connection.id,
        };
        let forgotten = self.engine.write(&caller, None, &case).await;
        forgotten.map_err(|error| away(&error))
    }
}

struct ForgetCase {
    caller: Caller,
    connection: Uuid,
}

impl UseCase for ForgetCase {
    type Plan = ();
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<()> {
        Ok(())
    }

    async fn write_in_tx(&self, conn: &Conn, (): &()) -> Result<(Changes, ()), TxError> {
        let business = self.caller.business;
        store::calendar_connection::connection_forget_in_tx(conn, business, self.connection)
            .await?;
        Ok((Changes::default(), ()))
    }
}
