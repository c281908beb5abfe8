//! A business that asks for deposits, and the other side that takes them.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Role;
use domain::deposit::{CaptureMethod, Deposit};
use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Deliveries, Till, World, WorldOptions, invariants};

pub(super) const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { manageToken
    booking { id status expiresAt } payment { id status clientSecret expiresAt amount { amount currency } }
    problems { code message } } }";
pub(super) const BOOKING: &str =
    "query($id: ID!) { booking(id: $id) { status expiresAt balance { amount }
    payments { id kind status failure clientSecret checkoutUrl expiresAt amount { amount currency } refunded { amount } } history { kind } } }";
const FREE: &str =
    "query($input: AvailabilityInput!) { availability(input: $input) { startTimes } }";

pub(super) struct Stage {
    pub(super) app: App,
    pub(super) owner: Client,
    pub(super) till: Arc<Till>,
    pub(super) service: ServiceId,
    pub(super) deliveries: Deliveries,
}

/// A booking that waits for its payment.
pub(super) struct Asked {
    pub(super) booking: String,
    pub(super) payment: String,
    pub(super) external_id: String,
    pub(super) manage_token: String,
}

impl Stage {
    pub(super) async fn new(deposit: Deposit) -> Self {
        Self::with(deposit, CaptureMethod::Automatic, "GBP").await
    }

    pub(super) async fn with(
        deposit: Deposit,
        capture: CaptureMethod,
        currency: &'static str,
    ) -> Self {
        let till = Till::new();
        let world = World::with(WorldOptions {
            plugins: vec![till.clone()],
            currency,
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let priced = ServiceInput {
            price: Some(9000),
            deposit: Some(deposit),
            capture: Some(capture),
            ..ServiceInput::default()
        };
        let service = world.service(60, &[anna], priced).await;
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
            till,
            service,
            deliveries,
        }
    }

    pub(super) async fn book_at(&self, starts_at: &str) -> Value {
        let input = json!({ "serviceId": self.service.to_string(), "startsAt": starts_at, "customer": { "name": "Eve" } });
        let data = self
            .app
            .client()
            .data(BOOK, json!({ "input": input }))
            .await;
        data["book"].clone()
    }

    pub(super) async fn asked(&self) -> Asked {
        let booked = self.book_at("2027-03-02T10:00:00Z").await;
        assert_eq!(
            (&booked["problems"], &booked["booking"]["status"]),
            (&json!([]), &json!("PENDING"))
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let secret = text(&booked["payment"]["clientSecret"]);
        Asked {
            booking: text(&booked["booking"]["id"]),
            payment: text(&booked["payment"]["id"]),
            external_id: secret.trim_end_matches("_secret").to_owned(),
            manage_token: text(&booked["manageToken"]),
        }
    }

    pub(super) async fn booking(&self, asked: &Asked) -> Value {
        self.owner
            .data(BOOKING, json!({ "id": asked.booking }))
            .await["booking"]
            .clone()
    }

    /// A booking whose payment the customer has completed, and that stands.
    pub(super) async fn completed(&mut self) -> Asked {
        let asked = self.asked().await;
        assert!(self.till.pay(&asked.external_id));
        assert_eq!(self.call("evt_completed", &asked, "right").await, 200);
        self.done().await;
        assert_eq!(self.booking(&asked).await["status"], "CONFIRMED");
        asked
    }

    /// Staff ask for something; the payload.
    pub(super) async fn ask(&self, mutation: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ payment {{ id kind status clientSecret checkoutUrl }}
                problems {{ code path message }} }} }}"
        );
        self.owner.data(&query, json!({ "input": input })).await[mutation].clone()
    }

    pub(super) async fn cancel(&self, asked: &Asked) {
        let cancel =
            "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
        let input = json!({ "input": { "bookingId": asked.booking } });
        let data = self.owner.data(cancel, input).await;
        assert_eq!(data["cancel"]["problems"], json!([]));
    }

    /// What is noted of how a delivery ended whose part begins so.
    pub(super) async fn noted(&self, part: &str) -> String {
        let database = test_support::connect(&self.app.world.url).await;
        let query = format!("SELECT last_error FROM delivery WHERE part LIKE '{part}%'");
        database.query_one(&query, &[]).await.unwrap().get(0)
    }

    /// How often something was told.
    pub(super) async fn told(&self, kind: &str) -> i64 {
        let database = test_support::connect(&self.app.world.url).await;
        let query = "SELECT count(*) FROM event WHERE kind = $1";
        database.query_one(query, &[&kind]).await.unwrap().get(0)
    }

    /// What was tried and did not work is tried again.
    pub(super) async fn again(&mut self, part: &str) {
        let tried = format!(
            "status = 'waiting' AND part LIKE '{part}%' AND last_error IS NOT NULL AND leased_until IS NULL"
        );
        self.deliveries.until(1, &tried).await;
        self.app.world.clock.advance(chrono::TimeDelta::minutes(1));
        self.done().await;
    }

    pub(super) async fn free(&self) -> usize {
        let input = json!({ "serviceId": self.service.to_string(), "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" });
        let data = self.owner.data(FREE, json!({ "input": input })).await;
        data["availability"]["startTimes"].as_array().unwrap().len()
    }

    /// The other side calls.
    pub(super) async fn call(&self, id: &str, asked: &Asked, signature: &str) -> u16 {
        let path = "/plugins/payments-till/test";
        let request = self.app.client().request(reqwest::Method::POST, path);
        let body = json!({ "id": id, "payment": asked.external_id }).to_string();
        let answer = request
            .header("till-signature", signature)
            .body(body)
            .send()
            .await;
        answer.unwrap().status().as_u16()
    }

    /// Waits until all that is due is done.
    pub(super) async fn done(&mut self) {
        let now = self.app.world.clock.now().to_rfc3339();
        let due = format!("status = 'waiting' AND next_attempt_at <= '{now}'");
        self.deliveries.until(0, &due).await;
    }

    pub(super) async fn end(self) {
        assert_eq!(invariants(&self.app.world.url).await.unwrap(), []);
        self.app.stop().await;
    }
}
