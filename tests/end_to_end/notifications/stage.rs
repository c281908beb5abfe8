//! A salon that speaks to people by channels in memory.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Role;
use domain::id::{BookingId, ServiceId};
use domain::zone::ZoneDatabase;
use engine::booking::Book;
use engine::catalogue::service::ServiceInput;
use engine::plugin::ConfigurePlugin;
use jobs::{Backoff, JobOptions};
use notifications::Notifications;
use plugin_api::Plugin;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, Client, Courier, Deliveries, Diary, World, WorldOptions, invariants};

const TOLD: &str = "query($id: ID!) { booking(id: $id) { notifications {
    channel audience to dueAt status subject body error } } }";
const SET: &str = "mutation($input: NotificationRuleInput!) { setNotificationRule(input: $input) {
    rule { id event offsetMinutes audience channels template enabled services { id } customerTiers }
    problems { code path message } } }";

pub(super) struct Stage {
    pub(super) app: App,
    pub(super) owner: Client,
    pub(super) mail: Arc<Courier>,
    pub(super) texts: Arc<Courier>,
    pub(super) service: ServiceId,
    pub(super) deliveries: Deliveries,
}

pub(crate) fn composer() -> Arc<dyn Plugin> {
    Arc::new(Notifications::new(ZoneDatabase::bundled()).unwrap())
}

pub(super) fn jobs() -> JobOptions {
    JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    }
}

impl Stage {
    /// With mail and text messages.
    pub(super) async fn new() -> Self {
        let (mail, texts) = (Courier::of_mail(), Courier::of_texts());
        let plugins: Vec<Arc<dyn Plugin>> = vec![composer(), mail.clone(), texts.clone()];
        Self::with(plugins, mail, texts, jobs()).await
    }

    /// With mail and text messages, each tried once.
    pub(super) async fn of_one_attempt() -> Self {
        let (mail, texts) = (Courier::of_mail(), Courier::of_texts());
        let plugins: Vec<Arc<dyn Plugin>> = vec![composer(), mail.clone(), texts.clone()];
        let backoff = Backoff {
            attempts: 1,
            ..Backoff::default()
        };
        let jobs = JobOptions {
            time_limit: Duration::from_secs(2),
            backoff,
            ..jobs()
        };
        Self::with(plugins, mail, texts, jobs).await
    }

    /// With mail alone.
    pub(super) async fn of_mail() -> Self {
        let (mail, texts) = (Courier::of_mail(), Courier::of_texts());
        let plugins: Vec<Arc<dyn Plugin>> = vec![composer(), mail.clone()];
        Self::with(plugins, mail, texts, jobs()).await
    }

    /// With mail, and calendars elsewhere.
    pub(super) async fn with_calendars() -> Self {
        let (mail, texts) = (Courier::of_mail(), Courier::of_texts());
        let plugins: Vec<Arc<dyn Plugin>> = vec![composer(), mail.clone(), Diary::new()];
        Self::with(plugins, mail, texts, jobs()).await
    }

    async fn with(
        plugins: Vec<Arc<dyn Plugin>>,
        mail: Arc<Courier>,
        texts: Arc<Courier>,
        jobs: JobOptions,
    ) -> Self {
        let world = World::with(WorldOptions {
            plugins,
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("Europe/London").await;
        let anna = world.provider("Anna", &[location]).await;
        let ben = world.provider("Ben", &[location]).await;
        let service = world
            .service(60, &[anna, ben], ServiceInput::default())
            .await;
        let deliveries = Deliveries::watch(&world.url).await;
        let app = App::start_with(world, HttpOptions::default(), jobs).await;
        let token = app.world.token(Role::Owner, None).await;
        Self {
            owner: app.client_with(&token),
            app,
            mail,
            texts,
            service,
            deliveries,
        }
    }

    pub(super) fn input(&self, starts_at: &str) -> Book {
        self.app.world.booking(self.service, starts_at, "Eve")
    }

    pub(super) async fn book(&self, input: Book) -> BookingId {
        let world = &self.app.world;
        let booked = world.engine.book(&world.owner, input, None).await;
        booked.unwrap().made.booking.id
    }

    pub(super) async fn cancel(&self, id: BookingId) {
        let world = &self.app.world;
        let cancelled = world
            .engine
            .cancel(&world.owner, id, None, None, None)
            .await;
        cancelled.unwrap();
    }

    pub(super) async fn reschedule(&self, id: BookingId, starts_at: &str) {
        let query = "mutation($input: RescheduleInput!) { reschedule(input: $input) { problems { code message } } }";
        let input = json!({ "bookingId": id.to_string(), "startsAt": starts_at });
        let data = self.owner.data(query, json!({ "input": input })).await;
        assert_eq!(data["reschedule"]["problems"], json!([]));
    }

    /// Waits until all that is due is done.
    pub(super) async fn done(&mut self) {
        let now = self.app.world.clock.now().to_rfc3339();
        let due = format!("status = 'waiting' AND next_attempt_at <= '{now}'");
        self.deliveries.until(0, &due).await;
    }

    /// The time moves on, and what is due is done.
    pub(super) async fn at(&mut self, instant: &str) {
        self.app.world.clock.set(test_support::at(instant));
        self.done().await;
    }

    pub(super) async fn told(&self, id: BookingId) -> Vec<Value> {
        let data = self.owner.data(TOLD, json!({ "id": id.to_string() })).await;
        data["booking"]["notifications"].as_array().unwrap().clone()
    }

    /// `EMAIL eve@example.com SENT` and the reason, for each that is not about the event alone.
    pub(super) async fn shown(&self, id: BookingId) -> String {
        let mut lines = Vec::new();
        for told in self.told(id).await {
            let text = |field: &str| told[field].as_str().unwrap_or_default().to_owned();
            let parts = ["dueAt", "channel", "to", "status", "error"].map(text);
            lines.push(parts.join(" ").trim_end().to_owned());
        }
        lines.sort();
        lines.join("\n")
    }

    pub(super) async fn set(&self, input: Value) -> Value {
        let data = self.owner.data(SET, json!({ "input": input })).await;
        data["setNotificationRule"].clone()
    }

    /// The rule of this event, audience and first channel.
    pub(super) async fn rule(
        &self,
        event: &str,
        offset: i32,
        audience: &str,
        channel: &str,
    ) -> Value {
        let query =
            "{ notificationRules { id event offsetMinutes audience channels template enabled } }";
        let data = self.owner.data(query, json!({})).await;
        let rules = data["notificationRules"].as_array().unwrap();
        let is = |rule: &&Value| {
            rule["event"] == event
                && rule["offsetMinutes"] == offset
                && rule["audience"] == audience
                && rule["channels"][0] == channel
        };
        rules.iter().find(is).unwrap().clone()
    }

    /// Changes a rule.
    pub(super) async fn change(&self, rule: &Value, changes: Value) -> Value {
        let mut input = rule.clone();
        for (name, value) in changes.as_object().unwrap() {
            input[name] = value.clone();
        }
        let set = self.set(input).await;
        assert_eq!(set["problems"], json!([]));
        set["rule"].clone()
    }

    pub(super) async fn configure(&self, plugin: &str, settings: Value, enabled: bool) {
        let input = ConfigurePlugin {
            name: plugin.to_owned(),
            settings,
            enabled: Some(enabled),
        };
        let world = &self.app.world;
        let set = world
            .engine
            .configure_plugin(&world.owner, input, None)
            .await;
        set.unwrap();
    }

    /// The other side of a channel calls.
    pub(super) async fn call(&self, plugin: &str, body: Value) -> u16 {
        let path = format!("/plugins/{plugin}/test");
        let request = self.app.client().request(reqwest::Method::POST, &path);
        let answer = request.body(body.to_string()).send().await;
        answer.unwrap().status().as_u16()
    }

    pub(super) async fn end(self) {
        assert_eq!(invariants(&self.app.world.url).await.unwrap(), []);
        self.app.stop().await;
    }
}
