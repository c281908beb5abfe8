//! A business with a service, an owner who asks over HTTP, and a receiver.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Role;
use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use outbound::{Outbound, OutboundOptions};
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Deliveries, World, WorldOptions};
use webhooks::Webhooks;

use super::receiver::Receiver;

pub(super) const SET: &str = "mutation($input: WebhookEndpointInput!) { setWebhookEndpoint(input: $input) {
    endpoint { id url events enabled secret failingSince lastError pausedAt } problems { code path message } } }";

pub(super) struct Stage {
    pub app: App,
    pub owner: Client,
    pub receiver: Receiver,
    pub deliveries: Deliveries,
    service: ServiceId,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(true).await
    }

    pub(super) async fn with(allow_private: bool) -> Self {
        let options = OutboundOptions {
            allow_private,
            ..OutboundOptions::default()
        };
        let plugin = Webhooks(Outbound::new(options).unwrap());
        let world = World::with(WorldOptions {
            plugins: vec![Arc::new(plugin)],
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let service = world.service(60, &[anna], ServiceInput::default()).await;
        let deliveries = Deliveries::watch(&world.url).await;
        let jobs = JobOptions {
            poll: Duration::from_millis(50),
            ..JobOptions::default()
        };
        let app = App::start_with(world, HttpOptions::default(), jobs).await;
        let token = app.world.token(Role::Owner, None).await;
        Self {
            owner: app.client_with(&token),
            app,
            receiver: Receiver::start().await,
            deliveries,
            service,
        }
    }

    /// Makes an endpoint at the receiver for these events; answers it.
    pub(super) async fn endpoint(&self, name: &str, events: &[&str]) -> Value {
        let input = json!({ "url": self.receiver.url(name), "events": events });
        let set = self.set(input).await;
        assert_eq!(set["problems"], json!([]));
        set["endpoint"].clone()
    }

    pub(super) async fn set(&self, input: Value) -> Value {
        self.owner.data(SET, json!({ "input": input })).await["setWebhookEndpoint"].take()
    }

    /// The endpoint as it is listed.
    pub(super) async fn listed(&self, endpoint: &Value) -> Value {
        let query = "{ webhookEndpoints { id enabled secret failingSince lastError pausedAt } }";
        let data = self.owner.data(query, json!({})).await;
        let all = data["webhookEndpoints"].as_array().unwrap();
        let found = all.iter().find(|one| one["id"] == endpoint["id"]);
        found.unwrap().clone()
    }

    pub(super) async fn book(&self, starts_at: &str) -> String {
        let query = "mutation($input: BookInput!) { book(input: $input) { booking { id } problems { code } } }";
        let customer =
            json!({ "name": "Eve", "email": "eve@example.com", "phone": "+44 20 7183 8750" });
        let input =
            json!({ "serviceId": self.service, "startsAt": starts_at, "customer": customer });
        let data = self.owner.data(query, json!({ "input": input })).await;
        let id = data["book"]["booking"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{data:#}")).to_owned()
    }

    pub(super) async fn cancel(&self, booking: &str) {
        let query =
            "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
        let input = json!({ "bookingId": booking, "reason": "Rain" });
        let data = self.owner.data(query, json!({ "input": input })).await;
        assert_eq!(data["cancel"]["problems"], json!([]));
    }
}
