//! Endpoints for webhooks: addresses to which a business has its events posted.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use domain::id::{DeliveryId, EventId, WebhookEndpointId};
use engine::webhook::{EndpointAnswer, EndpointView, Replay, SetEndpoint};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::delivery::Delivery;
use crate::failure::Result;
use crate::id::{optional, parsed, shown};
use crate::problem::Problem;
use crate::request::Asked;
use crate::scalar::DateTime;
use crate::settle::{About, bare, settled};

/// An address to which a business has its events posted, signed as Standard Webhooks say.
pub struct WebhookEndpoint {
    view: EndpointView,
    secret: Option<SecretString>,
    zone: domain::zone::Zone,
}

impl WebhookEndpoint {
    /// The endpoint with this id, for those who look after plugins.
    pub(crate) async fn find(asked: &Asked<'_>, id: WebhookEndpointId) -> Result<Option<Self>> {
        let view = match asked.engine.webhook_endpoint(&asked.caller, id).await {
            Ok(view) => view,
            // What one may not see is as if it were not there.
            Err(engine::Error::Forbidden(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let zone = asked.catalogue().await?.zone.clone();
        Ok(view.map(|view| Self {
            view,
            secret: None,
            zone,
        }))
    }
}

/// An address to which a business has its events posted, signed as Standard Webhooks say.
#[Object]
impl WebhookEndpoint {
    /// Its id, `whe_…`.
    pub(crate) async fn id(&self) -> ID {
        shown(self.view.endpoint.id)
    }

    /// The address.
    async fn url(&self) -> &str {
        &self.view.endpoint.url
    }

    /// Which events: names such as `booking.confirmed`, `booking.*` for all of a noun, `*` for all.
    async fn events(&self) -> &[String] {
        &self.view.endpoint.events
    }

    /// Whether anything is posted.
    async fn enabled(&self) -> bool {
        self.view.endpoint.enabled
    }

    /// The secret to verify with, `whsec_…`: only in the answer that made it.
    async fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(ExposeSecret::expose_secret)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime::new(self.view.endpoint.created_at, &self.zone)
    }

    /// Since when it has only failed; null where it works.
    async fn failing_since(&self) -> Option<DateTime> {
        let health = self.view.health.as_ref()?;
        Some(DateTime::new(health.failing_since, &self.zone))
    }

    /// What went wrong last; null where it works.
    async fn last_error(&self) -> Option<&str> {
        let health = self.view.health.as_ref()?;
        Some(&health.last_error)
    }

    /// Since when it is off because it only failed for days; `setWebhookEndpoint` switches it on again.
    async fn paused_at(&self) -> Option<DateTime> {
        let at = self.view.endpoint.paused_at?;
        Some(DateTime::new(at, &self.zone))
    }
}

/// An endpoint to make or to change.
#[derive(InputObject)]
pub struct WebhookEndpointInput {
    /// Which to change. Left out: a new one is made.
    id: Option<ID>,
    /// The address, `https://…`, of the public internet.
    url: String,
    /// Which events: names such as `booking.confirmed`, `booking.*` for all of a noun, `*` for all.
    events: Vec<String>,
    /// Whether anything is posted. True for one that was paused begins anew.
    #[graphql(default_with = "Some(true)")]
    enabled: Option<bool>,
    /// A text of your choice, up to 255 characters, that makes this request safe to repeat: the same key answers the same and does nothing.
    idempotency_key: Option<String>,
}

/// What became of a mutation of an endpoint.
#[derive(SimpleObject)]
pub struct WebhookEndpointPayload {
    /// The endpoint as it is now; null when nothing was done, and when it was taken away.
    endpoint: Option<WebhookEndpoint>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

/// What became of posting one event again.
#[derive(SimpleObject)]
pub struct ReplayPayload {
    /// The event on its way; null when nothing was done.
    delivery: Option<Delivery>,
    /// What stood in the way; empty when it was done.
    problems: Vec<Problem>,
}

#[derive(Default)]
pub struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// Every endpoint of the business, in the order in which they were made. Owners and managers.
    #[graphql(complexity = "1 + crate::LIST_COST * child_complexity")]
    async fn webhook_endpoints(&self, ctx: &Context<'_>) -> Result<Vec<WebhookEndpoint>> {
        let asked = Asked::of(ctx)?;
        let views = asked.engine.webhook_endpoints(&asked.caller).await?;
        let zone = asked.catalogue().await?.zone.clone();
        let endpoint = |view| WebhookEndpoint {
            view,
            secret: None,
            zone: zone.clone(),
        };
        Ok(views.into_iter().map(endpoint).collect())
    }

    /// The JSON Schema (draft 2020-12) of what is posted to endpoints; null where this server posts nothing.
    async fn webhook_payload_schema(&self, ctx: &Context<'_>) -> Result<Option<Json<Value>>> {
        let asked = Asked::of(ctx)?;
        Ok(asked.engine.webhook_payload_schema().map(Json))
    }
}

#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Makes an endpoint, or changes one. The answer that makes one has its secret. Owners and managers.
    async fn set_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] input: WebhookEndpointInput,
    ) -> Result<WebhookEndpointPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let set = SetEndpoint {
                id: optional(&["input", "id"], input.id.as_ref())?,
                url: input.url,
                events: input.events,
                enabled: input.enabled.unwrap_or(true),
            };
            let key = input.idempotency_key.as_deref();
            asked
                .engine
                .set_webhook_endpoint(&asked.caller, set, key)
                .await
        };
        payload(ctx, &asked, outcome.await).await
    }

    /// Gives an endpoint a new secret, which the answer has. The old one signs along for a day. Owners and managers.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<WebhookEndpointPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let key = idempotency_key.as_deref();
            asked
                .engine
                .rotate_webhook_secret(&asked.caller, id, key)
                .await
        };
        payload(ctx, &asked, bare(outcome.await)).await
    }

    /// Takes an endpoint away; what is on its way to it is given up. Owners and managers.
    async fn delete_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<WebhookEndpointPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["id"], &id)?;
            let key = idempotency_key.as_deref();
            asked
                .engine
                .delete_webhook_endpoint(&asked.caller, id, key)
                .await
        };
        let problems = settled(ctx, bare(outcome.await), &About::Other)
            .await?
            .err();
        Ok(WebhookEndpointPayload {
            endpoint: None,
            problems: problems.unwrap_or_default(),
        })
    }

    /// Posts all events of a span of time again that the endpoint is for, up to 10,000; answers how many. Those that are on their way at
    /// this moment are not counted. Owners and managers.
    async fn replay_webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] endpoint_id: ID,
        #[graphql(desc = "From when on the events happened.")] from: DateTime,
        #[graphql(desc = "Until when, exclusive.")] to: DateTime,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<i32> {
        let asked = Asked::of(ctx)?;
        let id = parsed(&["endpointId"], &endpoint_id)?;
        let replay = Replay::Span {
            from: from.utc(),
            to: to.utc(),
        };
        let key = idempotency_key.as_deref();
        let sent = asked.engine.replay_webhooks(&asked.caller, id, replay, key);
        Ok(i32::try_from(sent.await?.len()).unwrap_or(i32::MAX))
    }

    /// Posts one event again to an endpoint that is for it. Owners and managers.
    async fn replay_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] endpoint_id: ID,
        #[graphql(desc = "The event, as the header `webhook-id` has it.")] event_id: ID,
        #[graphql(desc = "A text of your choice that makes this request safe to repeat.")]
        idempotency_key: Option<String>,
    ) -> Result<ReplayPayload> {
        let asked = Asked::of(ctx)?;
        let outcome = async {
            let id = parsed(&["endpointId"], &endpoint_id)?;
            let event: EventId = parsed(&["eventId"], &event_id)?;
            let key = idempotency_key.as_deref();
            let replay = Replay::Event(event);
            asked
                .engine
                .replay_webhooks(&asked.caller, id, replay, key)
                .await
        };
        let sent: Vec<DeliveryId> = match settled(ctx, outcome.await, &About::Other).await? {
            Ok(sent) => sent,
            Err(problems) => {
                return Ok(ReplayPayload {
                    delivery: None,
                    problems,
                });
            }
        };
        let delivery = match sent.first() {
            Some(id) => Delivery::find(&asked, *id).await?,
            // Somebody works on it at this moment.
            None => None,
        };
        Ok(ReplayPayload {
            delivery,
            problems: Vec::new(),
        })
    }
}

async fn payload(
    ctx: &Context<'_>,
    asked: &Asked<'_>,
    outcome: engine::Result<EndpointAnswer>,
) -> Result<WebhookEndpointPayload> {
    let answer = match settled(ctx, outcome, &About::Other).await? {
        Ok(answer) => answer,
        Err(problems) => {
            return Ok(WebhookEndpointPayload {
                endpoint: None,
                problems,
            });
        }
    };
    let secret = asked.engine.webhook_secret(&asked.caller, &answer).await?;
    let endpoint = WebhookEndpoint::find(asked, answer.id).await?;
    Ok(WebhookEndpointPayload {
        endpoint: endpoint.map(|endpoint| WebhookEndpoint { secret, ..endpoint }),
        problems: Vec::new(),
    })
}
