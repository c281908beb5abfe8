//! Payments by way of Stripe's protocol, from the API to the money: set up as a business would, paid as a customer would, told as Stripe tells,
//! in any order and any number of times.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::actor::Role;
use domain::deposit::{CaptureMethod, Deposit};
use domain::id::ServiceId;
use engine::catalogue::service::ServiceInput;
use fake_stripe::{Call, FakeStripe, Fault};
use jobs::JobOptions;
use outbound::{Outbound, OutboundOptions};
use payments_stripe::{Options, PaymentsStripe};
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Deliveries, World, WorldOptions, invariants};

const WEBHOOK_SECRET: &str = "whsec_for_tests";
const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) { manageToken
    booking { id status } payment { id clientSecret checkoutUrl } problems { code message } } }";
const BOOKING: &str = "query($id: ID!) { booking(id: $id) { status balance { amount }
    payments { status refunded { amount } disputes { status amount { amount } withheld { amount } } } } }";

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) owner: Client,
    pub(crate) stripe: FakeStripe,
    service: ServiceId,
    pub(crate) deliveries: Deliveries,
}

impl Stage {
    async fn new(settings: Value) -> Self {
        let half = Deposit::Percent { percent: 50 };
        Self::with(settings, half, CaptureMethod::Automatic).await
    }

    pub(crate) async fn with(settings: Value, deposit: Deposit, capture: CaptureMethod) -> Self {
        let options = OutboundOptions {
            allow_private: true,
            ..OutboundOptions::default()
        };
        let plugin = PaymentsStripe::new(Options {
            outbound: Outbound::new(options).unwrap(),
            timeout: Duration::from_secs(2),
        });
        let world = World::with(WorldOptions {
            plugins: vec![Arc::new(plugin)],
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
        let stage = Self {
            owner: app.client_with(&token),
            app,
            stripe: FakeStripe::start().await.unwrap(),
            service,
            deliveries,
        };
        stage.configure(settings).await;
        stage
    }

    pub(crate) async fn configure(&self, more: Value) {
        let mut settings = json!({ "secretKey": self.stripe.secret_key(), "webhookSecret": WEBHOOK_SECRET, "apiBase": self.stripe.base() });
        let fields = settings.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let query = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { plugin { enabled inboundUrl } problems { code path message } } }";
        let input = json!({ "name": "payments-stripe", "settings": settings });
        let done = self.owner.data(query, json!({ "input": input })).await;
        let expected = json!({ "enabled": true, "inboundUrl": "/plugins/payments-stripe/test" });
        assert_eq!(
            done["configurePlugin"],
            json!({ "plugin": expected, "problems": [] })
        );
    }

    pub(crate) async fn book(&self, starts_at: &str) -> Value {
        let customer = json!({ "name": "Eve", "email": "eve@example.com" });
        let input = json!({ "serviceId": self.service.to_string(), "startsAt": starts_at, "customer": customer });
        let data = self
            .app
            .client()
            .data(BOOK, json!({ "input": input }))
            .await;
        data["book"].clone()
    }

    pub(crate) async fn booking(&self, booked: &Value) -> Value {
        let id = &booked["booking"]["id"];
        self.owner.data(BOOKING, json!({ "id": id })).await["booking"].clone()
    }

    /// Stripe tells of an event; the status of our answer.
    pub(crate) async fn tell(&self, event: &str) -> u16 {
        let now = self.app.world.clock.now();
        let signed = self
            .stripe
            .signed_event(event, WEBHOOK_SECRET, now)
            .unwrap();
        let request = self
            .app
            .client()
            .request(reqwest::Method::POST, "/plugins/payments-stripe/test");
        let request = request
            .header("stripe-signature", signed.signature)
            .body(signed.body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Stripe tells of all that has happened since there were so many events.
    pub(crate) async fn tell_since(&mut self, before: usize) {
        for event in self.stripe.events().split_off(before) {
            assert_eq!(self.tell(&event.id).await, 200);
        }
        self.done().await;
    }

    /// How often something was told.
    pub(crate) async fn told(&self, kind: &str) -> i64 {
        let database = test_support::connect(&self.app.world.url).await;
        let query = "SELECT count(*) FROM event WHERE kind = $1";
        database.query_one(query, &[&kind]).await.unwrap().get(0)
    }

    /// Waits until all that is due is done.
    pub(crate) async fn done(&mut self) {
        let now = self.app.world.clock.now().to_rfc3339();
        let due = format!("status = 'waiting' AND next_attempt_at <= '{now}'");
        self.deliveries.until(0, &due).await;
    }

    pub(crate) async fn end(self) {
        assert_eq!(invariants(&self.app.world.url).await.unwrap(), []);
        self.app.stop().await;
    }
}

/// The name under which a payment began, in the frontend or on Stripe's page.
pub(crate) fn name_at_stripe(booked: &Value) -> String {
    let shown = &booked["payment"];
    match (&shown["clientSecret"], &shown["checkoutUrl"]) {
        (Value::String(_), _) => payment_intent(booked),
        (_, Value::String(url)) => url.rsplit('/').next().unwrap().to_owned(),
        other => panic!("nobody can pay it: {other:?}"),
    }
}

/// The name of the payment that a client secret is for.
fn payment_intent(booked: &Value) -> String {
    let secret = booked["payment"]["clientSecret"].as_str().unwrap();
    secret.split("_secret").next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_every_order_twice_and_at_once_end_the_same() {
    for way in ways() {
        in_every_order(way).await;
    }
}

/// In the frontend, and on Stripe's page.
pub(crate) fn ways() -> [Value; 2] {
    let page = json!({ "successUrl": "https://salon.example/thanks" });
    [json!({}), page]
}

/// Tried, paid, paid back in part, disputed and decided.
async fn in_every_order(way: Value) {
    let mut stage = Stage::new(way).await;
    let mut ends = Vec::new();
    for turn in 0..6_usize {
        let booked = stage
            .book(&format!("2027-03-02T{:02}:00:00Z", 9 + turn))
            .await;
        let intent = name_at_stripe(&booked);
        let before = stage.stripe.events().len();
        stage.stripe.fail_payment(&intent).unwrap();
        stage.stripe.pay(&intent).unwrap();
        stage.stripe.refund_by_hand(&intent, 500).unwrap();
        let dispute = stage.stripe.inquire(&intent).unwrap();
        stage.stripe.escalate(&dispute).unwrap();
        stage.stripe.close_dispute(&dispute, turn % 2 == 0).unwrap();
        let mut events: Vec<String> = stage
            .stripe
            .events()
            .split_off(before)
            .into_iter()
            .map(|event| event.id)
            .collect();
        assert!(events.len() >= 7, "{events:?}");
        let length = events.len();
        events.rotate_left(2 * turn % length);
        if turn % 3 == 1 {
            events.reverse();
        }
        let twice = events.iter().chain(&events).map(|event| stage.tell(event));
        assert_eq!(
            futures_util::future::join_all(twice).await,
            vec![200; 2 * length]
        );
        stage.done().await;
        ends.push(stage.booking(&booked).await);
    }
    let paid = |turn: usize| {
        let (status, withheld) = if turn.is_multiple_of(2) {
            ("WON", 0)
        } else {
            ("LOST", 4000)
        };
        let dispute = json!({ "status": status, "amount": { "amount": 4000 }, "withheld": { "amount": withheld } });
        json!({ "status": "CONFIRMED", "balance": { "amount": 5000 },
            "payments": [{ "status": "PARTLY_REFUNDED", "refunded": { "amount": 500 }, "disputes": [dispute] }] })
    };
    assert_eq!(ends, (0..6).map(paid).collect::<Vec<_>>());
    for (kind, times) in [
        ("payment.paid", 6),
        ("payment.disputed", 6),
        ("payment.dispute_closed", 6),
        ("payment.captured", 0),
    ] {
        assert_eq!(stage.told(kind).await, times, "{kind}");
    }
    let charged: Vec<i64> = stage
        .stripe
        .charges()
        .iter()
        .map(|charge| charge.amount)
        .collect();
    assert_eq!(charged, [4500; 6]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_stripes_is_paid_and_a_refund_at_its_dashboard_is_seen() {
    let mut stage = Stage::new(json!({ "successUrl": "https://salon.example/thanks", "cancelUrl": "https://salon.example/again" })).await;
    let booked = stage.book("2027-03-02T10:00:00Z").await;
    assert!(
        booked["payment"]["checkoutUrl"].is_string() && booked["payment"]["clientSecret"].is_null()
    );
    let sessions = stage.stripe.events().into_iter();
    let page = sessions
        .map(|event| event.object)
        .find(|object| object.starts_with("cs_"));
    let page = page.unwrap_or_else(|| {
        let url = booked["payment"]["checkoutUrl"].as_str().unwrap();
        let at = url.find("cs_").unwrap();
        url[at..].split(['/', '?', '#']).next().unwrap().to_owned()
    });
    let event = stage.stripe.pay(&page).unwrap();
    stage.tell(&event).await;
    stage.done().await;
    assert_eq!(stage.booking(&booked).await["status"], "CONFIRMED");
    let intent = stage.stripe.charges()[0].payment_intent.clone();
    let before = stage.stripe.events().len();
    stage.stripe.refund_by_hand(&intent, 1000).unwrap();
    for event in stage.stripe.events().split_off(before) {
        stage.tell(&event.id).await;
    }
    stage.done().await;
    assert_eq!(
        stage.booking(&booked).await["payments"][0]["refunded"]["amount"],
        1000
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice_on_a_bad_day_and_what_is_due_is_done_after_it() {
    let mut stage = Stage::new(json!({})).await;
    for fault in [
        Fault::AnswerLost,
        Fault::Html,
        Fault::TooManyRequests(Some(3)),
        Fault::Huge,
    ] {
        stage.stripe.fault(Call::CreatePaymentIntent, fault);
    }
    let booked = stage.book("2027-03-02T10:00:00Z").await;
    assert_eq!(
        (
            &booked["booking"]["status"],
            &booked["payment"]["clientSecret"]
        ),
        (&json!("PENDING"), &Value::Null)
    );
    for _ in 0..6 {
        stage.app.world.clock.advance(TimeDelta::minutes(3));
        stage.done().await;
    }
    assert_eq!(
        stage.stripe.made("pi_"),
        1,
        "one payment, however often it was asked for"
    );
    let query = "query($id: ID!) { node(id: $id) { ... on Payment { clientSecret } } }";
    let found = stage
        .owner
        .data(query, json!({ "id": booked["payment"]["id"] }))
        .await;
    let intent = payment_intent(&json!({ "payment": found["node"] }));
    let event = stage.stripe.pay(&intent).unwrap();
    stage
        .stripe
        .fault(Call::GetPaymentIntent, Fault::ServerError);
    assert_eq!(stage.tell(&event).await, 200);
    stage
        .deliveries
        .until(
            1,
            "status = 'waiting' AND part LIKE 'payment-look-up%' AND last_error IS NOT NULL",
        )
        .await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(stage.booking(&booked).await["status"], "CONFIRMED");
    stage.stripe.fault(Call::CreateRefund, Fault::AnswerLost);
    let cancel = "mutation($input: CancelInput!) { cancel(input: $input) { problems { code } } }";
    stage
        .owner
        .data(
            cancel,
            json!({ "input": { "bookingId": booked["booking"]["id"] } }),
        )
        .await;
    stage
        .deliveries
        .until(
            1,
            "status = 'waiting' AND part LIKE 'payment-refund%' AND last_error IS NOT NULL",
        )
        .await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.done().await;
    assert_eq!(
        (stage.stripe.charges().len(), stage.stripe.refunds().len()),
        (1, 1)
    );
    assert_eq!(
        stage.booking(&booked).await["payments"][0]["status"],
        "REFUNDED"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_said_where_it_is_wrong_and_takes_no_booking_with_it() {
    let stage = Stage::new(json!({ "secretKey": "sk_test_wrong" })).await;
    let check = "mutation { checkPlugin(name: \"payments-stripe\") { ok message } }";
    let checked = stage.owner.data(check, json!({})).await["checkPlugin"].clone();
    assert!(
        checked["ok"] == false
            && checked["message"]
                .as_str()
                .unwrap()
                .starts_with("secretKey:"),
        "{checked}"
    );
    let refused = stage.book("2027-03-02T10:00:00Z").await;
    assert_eq!(refused["problems"][0]["code"], "PAYMENT_FAILED");
    stage.configure(json!({})).await;
    let checked = stage.owner.data(check, json!({})).await["checkPlugin"].clone();
    assert_eq!(checked["ok"], true, "{checked}");
    assert_eq!(
        stage.book("2027-03-02T10:00:00Z").await["booking"]["status"],
        "PENDING"
    );
    stage.end().await;
}
