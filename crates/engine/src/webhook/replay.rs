//! Events are posted again: one, or all of a span of time.

use chrono::{DateTime, Utc};
use domain::event::EventKind;
use domain::id::{DeliveryId, EventId, Id, WebhookEndpointId};
use domain::problem::Problem;
use domain::webhook::WebhookEndpoint;
use serde::Serialize;
use store::Conn;
use store::changes::Changes;
use store::webhook::{AgainRow, PostableEvent};
use uuid::Uuid;

use super::part;
use crate::idempotency::Key;
use crate::plugin::may_manage;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Result};

/// The most events that are posted again in one go.
const EVENTS_MAX: usize = 10_000;

/// Which events to post again.
#[derive(Debug, Clone, Serialize)]
pub enum Replay {
    /// This one.
    Event(EventId),
    /// All that the endpoint is for of a span of time, the end exclusive.
    Span {
        /// From.
        from: DateTime<Utc>,
        /// To.
        to: DateTime<Utc>,
    },
}

struct ReplayCase {
    engine: Engine,
    caller: Caller,
    plugin: &'static str,
    endpoint_id: WebhookEndpointId,
    replay: Replay,
}

impl UseCase for ReplayCase {
    type Plan = Vec<AgainRow>;
    type Answer = Vec<DeliveryId>;

    async fn plan(&self, _: u32) -> Result<Vec<AgainRow>> {
        let (engine, caller) = (&self.engine, &self.caller);
        let found = engine.webhook_endpoint(caller, self.endpoint_id).await?;
        let missing = || Problem::not_found(&["endpointId"], "webhook endpoint");
        let endpoint = found.ok_or_else(missing)?.endpoint;
        if !endpoint.enabled {
            return Err(Problem::conflict("the endpoint is switched off").into());
        }
        let events = match self.replay {
            Replay::Event(id) => vec![self.one(&endpoint, id).await?],
            Replay::Span { from, to } => self.span(&endpoint, from, to).await?,
        };
        let again = |event: PostableEvent| AgainRow {
            id: Uuid::now_v7(),
            event_id: event.id,
            booking_id: event.booking_id,
            booking_version: event.booking_version,
        };
        Ok(events.into_iter().map(again).collect())
    }

    async fn write_in_tx(
        &self,
        conn: &Conn,
        rows: &Vec<AgainRow>,
    ) -> Result<(Changes, Vec<DeliveryId>), TxError> {
        let now = self.engine.clock().now();
        let (business, part) = (self.caller.business, part(self.endpoint_id));
        store::webhook::webhook_health_wake_in_tx(conn, business, self.endpoint_id).await?;
        let sent =
            store::webhook::delivery_again_in_tx(conn, business, self.plugin, &part, rows, now);
        let sent = sent.await?.into_iter().map(DeliveryId::from_uuid);
        Ok((Changes::default(), sent.collect()))
    }
}

impl ReplayCase {
    async fn one(&self, endpoint: &WebhookEndpoint, id: EventId) -> Result<PostableEvent> {
        let conn = self.engine.0.database.conn().await?;
        let found = store::webhook::event_find_postable(&conn, self.caller.business, id).await?;
        let missing = || Problem::not_found(&["eventId"], "event");
        let event = found.ok_or_else(missing)?;
        let kind = EventKind::from_name(&event.kind);
        if !kind.is_some_and(|kind| endpoint.chooses(kind)) {
            let message = "is an event that the endpoint is not for";
            return Err(Problem::invalid(&["eventId"], message).into());
        }
        Ok(event)
    }

    async fn span(
        &self,
        endpoint: &WebhookEndpoint,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<PostableEvent>> {
        if from >= to {
            return Err(Problem::invalid(&["to"], "must be later than from").into());
        }
        let chosen = EventKind::ALL.into_iter();
        let chosen = chosen.filter(|kind| endpoint.chooses(*kind));
        let kinds: Vec<&str> = chosen.map(EventKind::name).collect();
        let conn = self.engine.0.database.conn().await?;
        let one_more = i64::try_from(EVENTS_MAX)
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        let business = self.caller.business;
        let events =
            store::webhook::event_list_between(&conn, business, &kinds, from, to, one_more).await?;
        if events.len() > EVENTS_MAX {
            let message = format!(
                "there are more than {EVENTS_MAX} events in this time: choose a shorter one"
            );
            return Err(Problem::invalid(&["to"], message).into());
        }
        Ok(events)
    }
}

impl Engine {
    /// Posts events again to an endpoint; answers their deliveries.
    pub async fn replay_webhooks(
        &self,
        caller: &Caller,
        endpoint_id: WebhookEndpointId,
        replay: Replay,
        key: Option<&str>,
    ) -> Result<Vec<DeliveryId>> {
        may_manage(caller)?;
        let key = Key::of("replayWebhooks", key, &(endpoint_id, &replay))?;
        let plugin = self.posting_plugin();
        let plugin = plugin.ok_or_else(|| Problem::conflict("this server posts no events"))?;
        let (engine, caller) = (self.clone(), *caller);
        let case = ReplayCase {
            engine: self.clone(),
            caller,
            plugin: plugin.name(),
            endpoint_id,
            replay,
        };
        self.detached(async move { engine.write(&caller, key.as_ref(), &case).await })
            .await
    }
}
