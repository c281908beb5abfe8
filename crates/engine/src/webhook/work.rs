//! An event is posted to an endpoint, and what becomes of the endpoint then.

use domain::event::{Event, EventKind};
use domain::id::{EventId, Id, WebhookEndpointId};
use domain::webhook::{FORGOTTEN_AFTER, WebhookEndpoint, WebhookHealth};
use plugin_api::{Delivery, Done, Failure, Plugin, WebhookMessage};
use store::Conn;
use store::changes::Changes;
use store::webhook::SealedEndpoint;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::tx::{TxError, UseCase};
use crate::{Caller, Engine, Error, Result};

/// What a delivery to an endpoint comes to.
enum ToPost {
    /// It is posted there, however it fares.
    Endpoint(Box<SealedEndpoint>, Option<WebhookHealth>),
    /// It has come to its end.
    Ended(Result<Done, Failure>),
}

impl Engine {
    /// Posts an event to the endpoint that a delivery is for; none: the plugin posts nothing.
    pub(crate) async fn work_on_webhook(
        &self,
        plugin: &dyn Plugin,
        delivery: &Delivery,
        id: WebhookEndpointId,
    ) -> Option<Result<Done, Failure>> {
        let sender = plugin.webhooks()?;
        let caller = Caller::system(delivery.business_id);
        let (row, health) = match self.endpoint_to_post(&caller, id).await {
            Ok(ToPost::Endpoint(row, health)) => (row, health),
            Ok(ToPost::Ended(ended)) => return Some(ended),
            Err(error) => return Some(Err(away(&error))),
        };
        let now = self.clock().now();
        if let Some(left) = health.as_ref().and_then(|health| health.rests(now)) {
            return Some(Err(Failure::NotYet {
                after: left.to_std().ok(),
                reason: "the endpoint fails, and is left alone for a moment".to_owned(),
            }));
        }
        let Some(secrets) = self.secrets(&caller, &row) else {
            let reason = "the endpoint's secret cannot be opened with this server's secret key: rotate it, or start the server with the key it was sealed with";
            return Some(Err(Failure::misconfigured(reason)));
        };
        let message = WebhookMessage {
            business_id: caller.business,
            url: row.endpoint.url.clone(),
            secrets: secrets.signing(now),
            event: delivery.event.clone(),
            at: now,
        };
        let posted = sender.post(&message).await;
        let noted = self.note_health(&caller, &row.endpoint, health.is_some(), &posted);
        if let Err(error) = noted.await {
            tracing::warn!(%error, endpoint = %id, "how an endpoint fares could not be noted");
        }
        Some(posted.map(|()| Done::Delivered))
    }

    /// The endpoint, and how it fares; or how the delivery ends without it.
    async fn endpoint_to_post(&self, caller: &Caller, id: WebhookEndpointId) -> Result<ToPost> {
        let conn = self.0.database.conn().await?;
        let (found, health) = futures_util::try_join!(
            store::webhook::webhook_endpoint_find(&conn, caller.business, id),
            store::webhook::webhook_health_find(&conn, caller.business, id),
        )?;
        let Some(row) = found else {
            return Ok(ToPost::Ended(Ok(Done::skipped(
                "the endpoint was taken away",
            ))));
        };
        if !row.endpoint.enabled {
            let reason = "the endpoint is switched off: switch it on, then send this again";
            return Ok(ToPost::Ended(Err(Failure::give_up(reason))));
        }
        Ok(ToPost::Endpoint(Box::new(row), health))
    }

    /// Notes how an endpoint fares after an attempt, and pauses it when it has only failed for days.
    async fn note_health(
        &self,
        caller: &Caller,
        endpoint: &WebhookEndpoint,
        was_failing: bool,
        posted: &Result<(), Failure>,
    ) -> Result<()> {
        let (business, id, now) = (caller.business, endpoint.id, self.clock().now());
        let failure = match posted {
            Ok(()) if !was_failing => return Ok(()),
            Ok(()) => {
                let conn = self.0.database.conn().await?;
                return Ok(store::webhook::webhook_health_clear(&conn, business, id).await?);
            }
            Err(failure) => failure,
        };
        let conn = self.0.database.conn().await?;
        let failed = (now, failure.reason());
        let forgotten = now - FORGOTTEN_AFTER;
        let health =
            store::webhook::webhook_health_fail(&conn, business, id, failed, forgotten).await?;
        let failures = health.as_ref().map_or(0, |health| health.failures_in_row);
        if let Some(rest) = WebhookHealth::rest_after(failures) {
            store::webhook::webhook_health_rest(&conn, business, id, now + rest).await?;
        }
        drop(conn);
        if health.is_some_and(|health| health.is_hopeless(now)) {
            tracing::warn!(business = %caller.business, endpoint = %endpoint.id, "an endpoint that only failed for days is paused");
            let case = PauseCase {
                engine: self.clone(),
                caller: *caller,
                id: endpoint.id,
            };
            self.write(caller, None, &case).await?;
        }
        Ok(())
    }
}

/// Switches an endpoint off that has only failed for days, and says so.
struct PauseCase {
    engine: Engine,
    caller: Caller,
    id: WebhookEndpointId,
}

impl UseCase for PauseCase {
    /// The endpoint, and the catalogue without it.
    type Plan = Option<(SealedEndpoint, Catalogue)>;
    type Answer = ();

    async fn plan(&self, _: u32) -> Result<Self::Plan> {
        let business = self.caller.business;
        let conn = self.engine.0.database.conn().await?;
        let found = store::webhook::webhook_endpoint_find(&conn, business, self.id).await?;
        let catalogue = self.engine.catalogue_on(&conn, business).await?;
        let mut others = Catalogue::clone(&catalogue);
        others.webhooks.retain(|endpoint| endpoint.id != self.id);
        Ok(found
            .filter(|row| row.endpoint.enabled)
            .map(|row| (row, others)))
    }

    async fn write_in_tx(&self, conn: &Conn, plan: &Self::Plan) -> Result<(Changes, ()), TxError> {
        let mut changes = Changes::default();
        let Some((row, others)) = plan else {
            return Ok((changes, ()));
        };
        let (engine, business) = (&self.engine, self.caller.business);
        let now = engine.clock().now();
        store::business::business_catalogue_raise_in_tx(conn, business).await?;
        let paused = SealedEndpoint {
            endpoint: WebhookEndpoint {
                enabled: false,
                paused_at: Some(now),
                ..row.endpoint.clone()
            },
            version: row.version + 1,
            ..row.clone()
        };
        if !store::webhook::webhook_endpoint_put_in_tx(conn, business, &paused).await? {
            return Err(TxError::race("the endpoint was changed meanwhile"));
        }
        let event = Event {
            id: EventId::from_uuid(Uuid::now_v7()),
            kind: EventKind::WebhookPaused,
            at: now,
            calendar_ids: Vec::new(),
            booking: None,
            hold_id: None,
            payment_id: None,
            webhook_endpoint_id: Some(self.id),
            customer_id: None,
        };
        engine.record_event(others, &mut changes, &event)?;
        Ok((changes, ()))
    }
}

/// Trouble of our own: it passes.
fn away(error: &Error) -> Failure {
    tracing::warn!(%error, "an event could not be posted");
    Failure::retry("the database was away")
}
