//! What one channel cannot carry goes by the next: that it is not sent, and why, is written together with what is sent instead, so neither is
//! lost, and neither is there twice.

use std::sync::Arc;

use domain::event::Event;
use domain::id::{DeliveryId, Id};
use domain::notification::{Channel, Notification, NotificationStatus};
use store::Conn;
use store::changes::{Changes, DeliveryRow};
use uuid::Uuid;

use super::send::{after, is_later, was_tried};
use super::{MESSAGE, Saying};
use crate::catalogue::Catalogue;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// A notification that its channel does not carry.
#[derive(Clone)]
pub(super) struct Fallen {
    pub known: Notification,
    /// Failed, or suppressed.
    pub status: NotificationStatus,
    pub reason: String,
    /// What it told of; none: no other channel is to tell it either.
    pub event: Option<Event>,
    /// The one channel that is to carry it instead; none: the next of the rule.
    pub rather: Option<Channel>,
}

struct FallCase {
    engine: Engine,
    caller: Caller,
    fallen: Fallen,
}

impl UseCase for FallCase {
    const IS_WAITED_FOR: bool = false;
    type Plan = Arc<Catalogue>;
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Arc<Catalogue>> {
        self.engine.catalogue(&self.caller).await
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        catalogue: &Arc<Catalogue>,
    ) -> Result<(Changes, ()), TxError> {
        let mut changes = Changes::default();
        let (engine, caller) = (&self.engine, &self.caller);
        engine
            .fall_in_tx(conn, caller, catalogue, &self.fallen, &mut changes)
            .await?;
        Ok((changes, ()))
    }
}

impl Engine {
    /// Writes that a notification is not carried by its channel, and has the next one carry it.
    pub(super) async fn fall(&self, caller: &Caller, fallen: Fallen) -> Result<()> {
        let case = FallCase {
            engine: self.clone(),
            caller: *caller,
            fallen,
        };
        self.write(caller, None, &case).await
    }

    pub(super) async fn fall_in_tx(
        &self,
        conn: &Conn,
        caller: &Caller,
        catalogue: &Catalogue,
        fallen: &Fallen,
        changes: &mut Changes,
    ) -> Result<(), TxError> {
        use store::notification as stored;
        let (business, known) = (caller.business, &fallen.known);
        // One after the other, and after whoever plans.
        store::booking::booking_lock_in_tx(conn, business, known.booking_id).await?;
        let (status, reason) = (fallen.status, fallen.reason.as_str());
        let heard =
            stored::notification_hear(conn, business, known.id, status, Some(reason)).await?;
        if !heard {
            return Ok(());
        }
        let existing = stored::notification_list(conn, business, &[known.booking_id]).await?;
        let next = self.next(catalogue, fallen, &existing);
        for draft in &next {
            if let (Some(delivery), Some(event)) = (draft.delivery_id, &fallen.event) {
                changes.deliveries.push(DeliveryRow {
                    id: delivery.uuid(),
                    event_id: event.id.uuid(),
                    plugin: draft.plugin.clone(),
                    part: format!("{MESSAGE}{}", draft.id),
                    booking_id: Some(draft.booking_id.uuid()),
                    booking_version: draft.booking_version,
                    created_at: draft.created_at,
                    due_at: draft.due_at,
                });
            }
        }
        if !next.is_empty() {
            store::notification_plan::notification_plan_in_tx(conn, business, &next).await?;
        }
        Ok(())
    }

    /// What is sent instead. Of an event that something later is told of to the same recipient: nothing.
    fn next(
        &self,
        catalogue: &Catalogue,
        fallen: &Fallen,
        existing: &[Notification],
    ) -> Vec<Notification> {
        let known = &fallen.known;
        let Some(rule) = catalogue.notification_rule(known.rule_id) else {
            return Vec::new();
        };
        let facts = fallen.event.as_ref();
        let (Some(facts), Some(words)) = (
            facts.and_then(|event| event.booking.as_ref()),
            self.words(catalogue),
        ) else {
            return Vec::new();
        };
        if !known.is_reminder() && existing.iter().any(|other| is_later(known, other)) {
            return Vec::new();
        }
        let mut left = match fallen.rather {
            Some(channel) => vec![channel],
            None => after(rule, known, facts),
        };
        left.retain(|channel| !was_tried(existing, known, *channel));
        let now = self.clock().now();
        let saying = Saying {
            rule,
            recipient: known.recipient,
            occasion_id: known.occasion_id,
            facts,
            due_at: now,
            now,
        };
        let mut drafts = self.drafts(catalogue, &words.house, &saying, &left);
        for draft in &mut drafts {
            draft.booking_version = known.booking_version;
            if draft.status == NotificationStatus::Planned {
                draft.delivery_id = Some(DeliveryId::from_uuid(Uuid::now_v7()));
            }
        }
        drafts
    }
}
