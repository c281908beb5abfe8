//! A business with a case for every mutation: arguments that are right in all, made anew for whoever asks.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use domain::actor::Role;
use domain::id::ProviderId;
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use outbound::{Outbound, OutboundOptions};
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{
    ANNAS_TOKEN, App, At, Client, Courier, Diary, Scripted, Till, World, WorldOptions, at,
};
use webhooks::Webhooks;

use super::{EVERYBODY, ask, outcome};

/// A booking and the token of its guest.
pub(super) struct Guest {
    booking: String,
    token: String,
}

/// What is asked, and the token of the guest whose booking it is about.
pub(super) struct Case {
    pub(super) arguments: Value,
    guest: Option<String>,
}

impl From<Value> for Case {
    fn from(arguments: Value) -> Self {
        Self {
            arguments,
            guest: None,
        }
    }
}

pub(super) struct Stage {
    pub(super) app: App,
    pub(super) owner: Client,
    clients: Vec<Client>,
    location: String,
    elsewhere: String,
    kind: String,
    room: String,
    provider: String,
    service: String,
    /// Of a class that has begun.
    begun: Mutex<Vec<Guest>>,
    turn: AtomicU32,
}

impl Stage {
    pub(super) async fn new() -> Self {
        let world = World::with(WorldOptions {
            plugins: vec![
                Scripted::new("scripted", Vec::new()),
                Till::new(),
                Arc::new(Webhooks(Outbound::new(OutboundOptions::default()).unwrap())),
                Diary::new(),
                crate::notifications::composer(),
                Courier::of_mail(),
            ],
            public_url: Some("https://book.example.com".to_owned()),
            ..WorldOptions::default()
        });
        // Nothing is delivered, so every delivery can be sent on its way again.
        let jobs = JobOptions {
            concurrency: 0,
            ..JobOptions::default()
        };
        let app = App::start_with(world.await, HttpOptions::default(), jobs).await;
        let world = &app.world;
        let (location, elsewhere) = (world.location("UTC").await, world.location("UTC").await);
        let anna = world.provider("Anna", &[location]).await;
        let ben = world.provider("Ben", &[location]).await;
        let kind = world.kind("Room").await;
        let room = world.resource("Red", kind, location, 1).await;
        let class = ServiceInput {
            capacity: Some(1_000),
            ..ServiceInput::default()
        };
        let class = world.service(60, &[anna], class).await.to_string();
        let service = world.service(60, &[anna], ServiceInput::default()).await;
        let clients = everybody(&app, anna, ben).await;
        let stage = Self {
            owner: clients[6].clone(),
            clients,
            location: location.to_string(),
            elsewhere: elsewhere.to_string(),
            kind: kind.to_string(),
            room: room.to_string(),
            provider: anna.to_string(),
            service: service.to_string(),
            begun: Mutex::default(),
            turn: AtomicU32::new(0),
            app,
        };
        // Each of them checks in, completes and does not come; and one is the other guest's.
        for _ in 0..=3 * EVERYBODY.len() {
            let guest = stage.booked(&class, at("2027-03-01T09:00:00Z")).await;
            stage.begun.lock().unwrap().push(guest);
        }
        stage.app.world.clock.set(at("2027-03-01T09:30:00Z"));
        stage
    }

    /// Whoever asks. A guest's token depends on the case.
    pub(super) fn client(&self, who: usize, case: &Case, other: &Guest) -> Client {
        match (EVERYBODY[who], &case.guest) {
            ("own guest", Some(token)) => self.clients[who].with_token(token),
            ("own guest" | "other guest", _) => self.clients[who].with_token(&other.token),
            _ => self.clients[who].clone(),
        }
    }

    /// A guest whose booking nothing else is about.
    pub(super) fn other_guest(&self) -> Guest {
        self.begun.lock().unwrap().pop().unwrap()
    }

    /// A start that nobody has asked for yet.
    fn start(&self) -> At {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (day, hour) = (turn / 8, turn % 8);
        at("2027-03-02T09:00:00Z") + TimeDelta::days(day.into()) + TimeDelta::hours(hour.into())
    }

    /// The owner makes something; its id.
    async fn made(&self, mutation: &str, input: Value) -> String {
        let answer = ask(&self.owner, mutation, &json!({ "input": input })).await;
        assert_eq!(outcome(&answer), "yes", "{answer:#}");
        let payload = answer["data"].as_object().unwrap().values().next().unwrap();
        payload["thing"]["id"].as_str().unwrap().to_owned()
    }

    async fn booked(&self, service: &str, starts_at: At) -> Guest {
        let input =
            json!({ "serviceId": service, "startsAt": starts_at, "customer": { "name": "Eve" } });
        let query =
            "mutation($input: BookInput!) { book(input: $input) { booking { id } manageToken } }";
        let data = self.owner.data(query, json!({ "input": input })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Guest {
            booking: text(&data["book"]["booking"]["id"]),
            token: text(&data["book"]["manageToken"]),
        }
    }

    /// A booking with a payment for this deposit. Nothing is delivered here, so the database is told what became of it.
    async fn paid(&self, deposit: Value, became: &str) -> Value {
        let input = json!({ "id": self.service, "price": 5000, "deposit": deposit });
        let update = "mutation($input: UpdateServiceInput!) { updateService(input: $input) { problems { code } } }";
        self.owner.data(update, json!({ "input": input })).await;
        let input = json!({ "serviceId": self.service, "startsAt": self.start(), "customer": { "name": "Eve" } });
        let book = "mutation($input: BookInput!) { book(input: $input) { booking { id } payment { id } } }";
        let booked = self.owner.data(book, json!({ "input": input })).await;
        let free = json!({ "id": self.service, "deposit": { "kind": "NONE" } });
        self.owner.data(update, json!({ "input": free })).await;
        let database = test_support::connect(&self.app.world.url).await;
        let became = format!("UPDATE payment SET {became} WHERE status = 'waiting'");
        database.execute(&became, &[]).await.unwrap();
        booked["book"].clone()
    }

    async fn payment_case(&self, mutation: &str) -> Value {
        let reserved = "status = 'authorized'";
        let (deposit, became) = match mutation {
            "refund" => (json!({ "kind": "FULL" }), "status = 'paid', taken = amount"),
            "capturePayment" => (json!({ "kind": "FULL", "capture": "MANUAL" }), reserved),
            _ => (json!({ "kind": "CARD_ON_FILE" }), reserved),
        };
        let booked = self.paid(deposit, became).await;
        if mutation == "chargeFee" {
            return json!({ "input": { "bookingId": booked["booking"]["id"], "amount": 100 } });
        }
        json!({ "input": { "paymentId": booked["payment"]["id"] } })
    }

    pub(super) async fn case(&self, mutation: &str) -> Case {
        match mutation.split(',').next().unwrap() {
            "setWeeklyHours" | "setDateOverride" | "deleteDateOverride" | "createBlock"
            | "deleteBlock" => self.schedule_case(mutation).await.into(),
            "configurePlugin" => {
                let settings = json!({ "endpoint": "here" });
                Case::from(json!({ "input": { "name": "scripted", "settings": settings } }))
            }
            "refund" | "capturePayment" | "chargeFee" => self.payment_case(mutation).await.into(),
            "checkPlugin" => Case::from(json!({ "name": "scripted" })),
            "retryDelivery" => {
                let query =
                    "{ deliveries(filter: { plugin: \"scripted\" }, first: 1) { nodes { id } } }";
                let data = self.owner.data(query, json!({})).await;
                Case::from(json!({ "id": data["deliveries"]["nodes"][0]["id"] }))
            }
            "setWebhookEndpoint" => Case::from(json!({ "input": webhook_endpoint() })),
            "rotateWebhookSecret" | "deleteWebhookEndpoint" => {
                Case::from(json!({ "id": self.webhook_endpoint().await }))
            }
            "replayWebhooks" => Case::from(json!({
                "endpointId": self.webhook_endpoint().await,
                "from": "2027-03-01T00:00:00Z", "to": "2027-03-01T00:00:01Z"
            })),
            "replayWebhook" => {
                let endpoint = self.webhook_endpoint().await;
                Case::from(json!({ "endpointId": endpoint, "eventId": self.event().await }))
            }
            "startCalendarConnection" => {
                let plugin = "calendar-diary";
                Case::from(json!({ "providerId": self.provider, "plugin": plugin }))
            }
            "connectCalendar" => Case::from(json!({ "input": self.calendar() })),
            "disconnectCalendar" => {
                self.made("connectCalendar", self.calendar()).await;
                Case::from(json!({ "providerId": self.provider }))
            }
            "setNotificationRule" | "deleteNotificationRule" | "testNotification" => {
                self.notification_case(mutation).await.into()
            }
            "holdSlot" | "releaseHold" | "book" => self.slot_case(mutation).await.into(),
            "reschedule" | "cancel" => self.change_case(mutation).await,
            "checkIn" | "complete" | "markNoShow" => {
                let guest = self.other_guest();
                Case {
                    arguments: json!({ "id": guest.booking }),
                    guest: Some(guest.token),
                }
            }
            "updateCustomer" => {
                let id = self.customer().await;
                Case::from(json!({ "input": { "id": id, "name": "Renamed", "tier": "vip" } }))
            }
            _ => self.catalogue_case(mutation).await.into(),
        }
    }

    /// Somebody who has booked just now.
    async fn customer(&self) -> String {
        let guest = self.booked(&self.service, self.start()).await;
        let query = "query($id: ID!) { booking(id: $id) { customer { id } } }";
        let data = self.owner.data(query, json!({ "id": guest.booking })).await;
        let id = data["booking"]["customer"]["id"].as_str();
        id.unwrap().to_owned()
    }

    /// One endpoint serves for all: there may not be one for each of them.
    async fn webhook_endpoint(&self) -> String {
        let query = "mutation($input: WebhookEndpointInput!) { setWebhookEndpoint(input: $input) { endpoint { id } } }";
        let mut input = webhook_endpoint();
        input["idempotencyKey"] = json!(self.turn.fetch_add(1, Ordering::Relaxed).to_string());
        let data = self.owner.data(query, json!({ "input": input })).await;
        let id = data["setWebhookEndpoint"]["endpoint"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{data:#}")).to_owned()
    }

    /// Something that happened.
    async fn event(&self) -> String {
        let database = test_support::connect(&self.app.world.url).await;
        let query = "SELECT payload ->> 'id' FROM event WHERE kind = 'booking.confirmed' LIMIT 1";
        database.query_one(query, &[]).await.unwrap().get(0)
    }

    /// The calendar of the provider.
    fn calendar(&self) -> Value {
        json!({ "providerId": self.provider, "plugin": "calendar-diary", "refreshToken": ANNAS_TOKEN })
    }

    async fn notification_case(&self, mutation: &str) -> Value {
        let rule = json!({ "event": "booking.start", "offsetMinutes": -60, "audience": "PROVIDER",
            "channels": ["EMAIL"], "template": "reminder" });
        match mutation {
            "setNotificationRule" => json!({ "input": rule }),
            "testNotification" => {
                json!({ "input": { "template": "confirmed", "to": "desk@example.com" } })
            }
            _ => json!({ "id": self.made("setNotificationRule", rule).await }),
        }
    }

    async fn catalogue_case(&self, mutation: &str) -> Value {
        let Self {
            location,
            kind,
            provider,
            ..
        } = self;
        let name = "Another";
        let create = |thing: &str| match thing {
            "Provider" => json!({ "name": name, "locationIds": [location] }),
            "Location" | "ResourceKind" => json!({ "name": name }),
            "Resource" => json!({ "name": name, "kindId": kind, "locationId": location }),
            "Service" => {
                json!({ "name": name, "durationMinutes": 60, "providerIds": [provider] })
            }
            _ => panic!("say in this test how to ask for {mutation}"),
        };
        if let Some(thing) = mutation.strip_prefix("create") {
            return json!({ "input": create(thing) });
        }
        let made = async |thing: &str| self.made(&format!("create{thing}"), create(thing)).await;
        if let Some(thing) = mutation.strip_prefix("update") {
            return json!({ "input": { "id": made(thing).await, "name": "Renamed" } });
        }
        if let Some(thing) = mutation.strip_prefix("archive") {
            return json!({ "id": made(thing).await });
        }
        assert_eq!(mutation, "setOpeningHours");
        json!({ "input": { "locationId": made("Location").await, "windows": [] } })
    }

    async fn schedule_case(&self, mutation: &str) -> Value {
        let (provider, elsewhere) = (&self.provider, &self.elsewhere);
        let date = (at("2028-01-01T00:00:00Z") + (self.start() - at("2027-03-02T00:00:00Z")) * 24)
            .date_naive();
        let mut day = json!({ "providerId": provider, "locationId": elsewhere, "date": date });
        let starts_at = self.start();
        let mut block = json!({ "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1) });
        if mutation.ends_with("resource") {
            block["resourceId"] = json!(self.room);
        } else {
            block["providerId"] = json!(provider);
        }
        match mutation.split(',').next().unwrap() {
            "setWeeklyHours" => {
                json!({ "input": { "providerId": provider, "locationId": elsewhere, "windows": [] } })
            }
            "deleteDateOverride" => {
                let mut set = day.clone();
                set["windows"] = json!([]);
                self.made("setDateOverride", set).await;
                json!({ "input": day })
            }
            "setDateOverride" => {
                day["windows"] = json!([]);
                json!({ "input": day })
            }
            "createBlock" => json!({ "input": block }),
            _ => json!({ "id": self.made("createBlock", block).await }),
        }
    }

    async fn slot_case(&self, mutation: &str) -> Value {
        let mut input = json!({ "serviceId": self.service, "startsAt": self.start() });
        match mutation {
            "holdSlot" => return json!({ "input": input }),
            "releaseHold" => return json!({ "id": self.made("holdSlot", input).await }),
            "book" => {}
            "book, override" => {
                input["overrideReason"] = json!("A friend");
                input["providerId"] = json!(self.provider);
            }
            _ => input["overrideReason"] = json!("A friend"),
        }
        input["customer"] = json!({ "name": "Bob" });
        json!({ "input": input })
    }

    async fn change_case(&self, mutation: &str) -> Case {
        let guest = self.booked(&self.service, self.start()).await;
        let mut input = json!({ "bookingId": guest.booking });
        if mutation.starts_with("reschedule") {
            input["startsAt"] = json!(self.start());
        }
        if mutation == "reschedule, override" {
            input["overrideReason"] = json!("A friend");
            input["providerId"] = json!(self.provider);
        }
        Case {
            arguments: json!({ "input": input }),
            guest: Some(guest.token),
        }
    }
}

fn webhook_endpoint() -> Value {
    json!({ "url": "https://example.com/hook", "events": ["booking.confirmed"] })
}

async fn everybody(app: &App, own: ProviderId, other: ProviderId) -> Vec<Client> {
    let world = &app.world;
    let stranger = world.another_business("other").await;
    let stranger = stranger.token(Role::Owner, None).await;
    let staff = [
        (Role::Provider, Some(own)),
        (Role::Provider, Some(other)),
        (Role::Manager, None),
        (Role::Owner, None),
    ];
    let mut clients = vec![app.client(); 3];
    for (role, provider) in staff {
        clients.push(app.client_with(&world.token(role, provider).await));
    }
    clients.push(app.client_with(&stranger));
    clients.push(Client::new(app.address, "other", Some(&stranger)));
    clients
}
