//! What the other side of a channel tells by itself: how a message fares, and who wants no more of them.

use std::sync::Arc;

use domain::event::Event;
use domain::notification::{Channel, Notification, NotificationStatus};
use plugin_api::{InboundAbout, MessageStatus, Wish};
use store::Conn;
use store::changes::Changes;

use super::fail_over::Fallen;
use crate::catalogue::Catalogue;
use crate::tx::TxError;
use crate::{Caller, Engine, Result};

/// What was heard.
pub(crate) enum Heard {
    /// How a message of ours fares.
    Fares {
        known: Box<Notification>,
        external_id: String,
        status: MessageStatus,
        /// What it tells of, where another channel may have to tell it.
        event: Option<Box<Event>>,
    },
    /// What somebody wishes.
    Wishes {
        channel: Channel,
        address: String,
        wish: Wish,
    },
}

impl Engine {
    /// What follows from a call of the other side of this plugin, if it is about messages and means anything here.
    pub(crate) async fn heard(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Arc<Catalogue>,
        plugin: &str,
        about: &InboundAbout,
    ) -> Result<Option<Heard>> {
        use store::notification as stored;
        let (id, external_id, status) = match about {
            InboundAbout::Message {
                id,
                external_id,
                status,
            } => (id, external_id, status),
            InboundAbout::Wish {
                channel,
                address,
                wish,
            } => {
                return Ok(Some(Heard::Wishes {
                    channel: *channel,
                    address: address.clone(),
                    wish: *wish,
                }));
            }
            _ => return Ok(None),
        };
        let business = caller.business;
        let by_id = match id {
            Some(id) => stored::notification_find(conn, business, *id).await?,
            None => None,
        };
        let found = match by_id {
            Some(found) => Some(found),
            None => {
                stored::notification_by_external_id(conn, business, plugin, external_id).await?
            }
        };
        let Some(known) = found.filter(|found| found.plugin == plugin) else {
            return Ok(None);
        };
        let event = match status {
            MessageStatus::Failed { .. } => self.told_by(conn, caller, catalogue, &known).await?,
            _ => None,
        };
        Ok(Some(Heard::Fares {
            known: Box::new(known),
            external_id: external_id.clone(),
            status: status.clone(),
            event: event.map(Box::new),
        }))
    }

    /// What a notification told of, where it is worth telling still.
    async fn told_by(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Arc<Catalogue>,
        known: &Notification,
    ) -> Result<Option<Event>> {
        let Some(delivery) = known.delivery_id else {
            return Ok(None);
        };
        let business = caller.business;
        let event = store::notification::notification_event(conn, business, delivery).await?;
        let Some(event) = event else {
            return Ok(None);
        };
        if !known.is_reminder() {
            return Ok(Some(event));
        }
        let facts = self.facts_of(caller, catalogue, known.booking_id).await?;
        let rule = catalogue.notification_rule(known.rule_id);
        let is_late = rule.is_some_and(|rule| {
            rule.silenced_by(facts.status).is_some()
                || (rule.is_ahead() && self.clock().now() >= facts.starts_at)
        });
        Ok((!is_late).then_some(Event {
            booking: Some(facts),
            ..event
        }))
    }

    /// Writes what was heard.
    pub(crate) async fn hear_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Catalogue,
        heard: &Heard,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        use store::notification as stored;
        use store::notification_rule as rules;
        let (business, now) = (caller.business, self.clock().now());
        match heard {
            Heard::Wishes {
                channel,
                address,
                wish: Wish::Stop,
            } => rules::opt_out_put_in_tx(conn, business, *channel, address, now).await?,
            Heard::Wishes {
                channel,
                address,
                wish: Wish::Start,
            } => rules::opt_out_delete_in_tx(conn, business, *channel, address).await?,
            Heard::Wishes { .. } => {}
            Heard::Fares {
                known,
                external_id,
                status,
                event,
            } => {
                stored::notification_name(conn, business, known.id, external_id).await?;
                let status = match status {
                    MessageStatus::Sent => NotificationStatus::Sent,
                    MessageStatus::Delivered => NotificationStatus::Delivered,
                    MessageStatus::Failed { reason } => {
                        let fallen = Fallen {
                            known: (**known).clone(),
                            status: NotificationStatus::Failed,
                            reason: reason.clone(),
                            event: event.as_deref().cloned(),
                            rather: None,
                        };
                        return self
                            .fall_in_tx(conn, caller, catalogue, &fallen, changes)
                            .await;
                    }
                };
                stored::notification_hear(conn, business, known.id, status, None).await?;
            }
        }
        Ok(())
    }
}
