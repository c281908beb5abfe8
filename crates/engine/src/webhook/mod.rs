//! Webhooks: a business has its events posted to endpoints of its choice.
//!
//! Guaranteed: what happens is posted to every endpoint that chose it, each by a delivery of its own, at least once and in order for one
//! booking and endpoint, under the event's id, by which a repeat is known for one. A secret is shown in the answer that made it and nowhere
//! else. One endpoint that fails stands in the way of no other: it rests by itself ([`domain::webhook`]), and is paused only after days.

mod replay;
mod secrets;
mod set;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use domain::event::EventKind;
use domain::id::WebhookEndpointId;
use domain::webhook::{WebhookEndpoint, WebhookHealth};
use plugin_api::Plugin;

use crate::catalogue::Catalogue;
use crate::plugin::may_manage;
use crate::{Caller, Engine, Result};

pub use replay::Replay;
pub use set::{EndpointAnswer, SetEndpoint};

/// An endpoint, and how it fares if it fails.
#[derive(Debug, Clone)]
pub struct EndpointView {
    /// The endpoint.
    pub endpoint: WebhookEndpoint,
    /// How it fares; none where it works.
    pub health: Option<WebhookHealth>,
}

/// The part of the deliveries to an endpoint.
fn part(endpoint: WebhookEndpointId) -> String {
    format!("webhook:{endpoint}")
}

/// The endpoint whose delivery bears this part.
pub(crate) fn of_part(part: &str) -> Option<WebhookEndpointId> {
    part.strip_prefix("webhook:")?.parse().ok()
}

/// The parts of a plugin that an event of this kind is delivered to, because endpoints have chosen it.
pub(crate) fn parts(
    catalogue: &Catalogue,
    plugin: &dyn Plugin,
    kind: EventKind,
) -> impl Iterator<Item = String> {
    let posts = plugin.webhooks().is_some();
    let endpoints = catalogue.webhooks.iter();
    let wanting = endpoints.filter(move |endpoint| posts && endpoint.wants(kind));
    wanting.map(|endpoint| part(endpoint.id))
}

impl Engine {
    /// The endpoints of the caller's business, in the order in which they were made.
    pub async fn webhook_endpoints(&self, caller: &Caller) -> Result<Vec<EndpointView>> {
        may_manage(caller)?;
        let conn = self.0.database.conn().await?;
        let catalogue = self.catalogue_on(&conn, caller.business).await?;
        let health = store::webhook::webhook_health_list(&conn, caller.business).await?;
        let mut health: HashMap<_, _> = health.into_iter().collect();
        let view = |endpoint: &WebhookEndpoint| EndpointView {
            endpoint: endpoint.clone(),
            health: health.remove(&endpoint.id),
        };
        Ok(catalogue.webhooks.iter().map(view).collect())
    }

    /// The endpoint with this id.
    pub async fn webhook_endpoint(
        &self,
        caller: &Caller,
        id: WebhookEndpointId,
    ) -> Result<Option<EndpointView>> {
        let mut all = self.webhook_endpoints(caller).await?.into_iter();
        Ok(all.find(|view| view.endpoint.id == id))
    }

    /// The JSON Schema of what is posted; none where this server posts nothing.
    pub fn webhook_payload_schema(&self) -> Option<serde_json::Value> {
        let sender = self.posting_plugin()?.webhooks()?;
        Some(sender.payload_schema())
    }

    /// The plugin that posts events, if this server has one.
    fn posting_plugin(&self) -> Option<&Arc<dyn Plugin>> {
        let mut all = self.plugins().iter();
        all.find(|plugin| plugin.webhooks().is_some())
    }
}
