//! A business whose providers have calendars elsewhere, and the other side that keeps them.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::actor::Role;
use domain::booking::BookingStatus;
use domain::id::{BookingId, ProviderId, ServiceId};
use engine::booking::Reschedule;
use engine::calendar::{CalendarConnection, ConnectCalendar};
use engine::catalogue::service::ServiceInput;
use engine::plugin::ConfigurePlugin;
use jobs::{Backoff, JobOptions};
use plugin_api::Plugin;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{
    ANNAS_TOKEN, App, Client, Deliveries, Diary, Till, World, WorldOptions, at, invariants,
};

pub(crate) const PLUGIN: &str = "calendar-diary";

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) world: World,
    pub(crate) diary: Arc<Diary>,
    pub(crate) anna: ProviderId,
    pub(crate) ben: ProviderId,
    pub(crate) service: ServiceId,
    pub(crate) changes: Deliveries,
    pub(crate) database: tokio_postgres::Client,
}

pub(crate) fn options() -> JobOptions {
    JobOptions {
        poll: Duration::from_millis(50),
        backoff: Backoff {
            attempts: 1000,
            ..Backoff::default()
        },
        ..JobOptions::default()
    }
}

impl Stage {
    /// A server that the outside does not reach.
    pub(crate) async fn new(settings: Value) -> Self {
        Self::with(settings, None, options()).await
    }

    /// A server that the outside calls.
    pub(crate) async fn public(settings: Value) -> Self {
        Self::with(settings, Some("https://book.example.com"), options()).await
    }

    pub(crate) async fn with(settings: Value, public_url: Option<&str>, jobs: JobOptions) -> Self {
        let diary = Diary::new();
        let world = World::with(WorldOptions {
            plugins: vec![diary.clone(), Till::new()],
            public_url: public_url.map(str::to_owned),
            ..WorldOptions::default()
        })
        .await;
        diary.go_by(&world.clock);
        let location = world.location("Europe/London").await;
        let anna = world.provider("Anna", &[location]).await;
        let ben = world.provider("Ben", &[location]).await;
        let service = ServiceInput {
            name: Some("Haircut".to_owned()),
            ..ServiceInput::default()
        };
        let service = world.service(60, &[anna, ben], service).await;
        let configure = ConfigurePlugin {
            name: PLUGIN.to_owned(),
            settings,
            enabled: None,
        };
        let engine = &world.engine;
        engine
            .configure_plugin(&world.owner, configure, None)
            .await
            .unwrap();
        let changes = Deliveries::watch(&world.url).await;
        let database = test_support::connect(&world.url).await;
        let app = App::start_with(world.clone(), HttpOptions::default(), jobs).await;
        Self {
            app,
            world,
            diary,
            anna,
            ben,
            service,
            changes,
            database,
        }
    }

    pub(crate) fn input(&self) -> ConnectCalendar {
        ConnectCalendar {
            provider_id: self.anna,
            plugin: PLUGIN.to_owned(),
            refresh_token: Some(ANNAS_TOKEN.into()),
            read_from: None,
            write_to: None,
        }
    }

    pub(crate) async fn connect(&mut self, input: ConnectCalendar) {
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        engine.connect_calendar(owner, input, None).await.unwrap();
        self.settled().await;
    }

    pub(crate) async fn connection(&self) -> Option<CalendarConnection> {
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        let mut found = engine
            .calendar_connections(owner, &[self.anna])
            .await
            .unwrap();
        found.pop()
    }

    pub(crate) async fn book(&self, starts_at: &str, provider: ProviderId) -> BookingId {
        let mut input = self.world.booking(self.service, starts_at, "Eve");
        input.provider_id = Some(provider);
        let booked = self.world.engine.book(&self.world.visitor, input, None);
        booked.await.unwrap().made.booking.id
    }

    pub(crate) async fn reschedule(
        &self,
        booking_id: BookingId,
        starts_at: &str,
        provider: ProviderId,
    ) {
        let input = Reschedule {
            booking_id,
            starts_at: at(starts_at),
            provider_id: Some(provider),
            expected_version: None,
            reason: None,
            override_reason: None,
        };
        let moved = self.world.engine.reschedule(&self.world.owner, input, None);
        moved.await.unwrap();
    }

    pub(crate) async fn cancel(&self, booking: BookingId) {
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        engine
            .cancel(owner, booking, None, None, None)
            .await
            .unwrap();
    }

    pub(crate) async fn starts_of(&self, booking: BookingId) -> String {
        let found = self.world.engine.booking(&self.world.owner, booking).await;
        let (_, session) = found.unwrap().unwrap();
        session.starts_at.format("%dT%H:%M").to_string()
    }

    pub(crate) async fn status_of(&self, booking: BookingId) -> BookingStatus {
        let found = self.world.engine.booking(&self.world.owner, booking).await;
        found.unwrap().unwrap().0.status
    }

    /// Why Anna cannot be had at a time.
    pub(crate) async fn reasons(&self, starts_at: &str) -> String {
        let (engine, visitor) = (&self.world.engine, &self.world.visitor);
        let (service, anna) = (self.service, Some(self.anna));
        let reasons = engine.slot_check(visitor, service, at(starts_at), anna, 1);
        format!("{:?}", reasons.await.unwrap())
    }

    /// Waits until nothing is due.
    pub(crate) async fn settled(&mut self) {
        let now = self.world.clock.now().to_rfc3339();
        let due = format!(
            "SELECT (SELECT count(*) FROM delivery WHERE status = 'waiting' AND next_attempt_at <= '{now}') \
                  + (SELECT count(*) FROM calendar_source WHERE next_sync_at <= '{now}')"
        );
        self.changes.until_counted(0, &due).await;
    }

    /// Time passes until the calendars have been read again, and what follows is done.
    pub(crate) async fn later(&mut self) {
        self.world.clock.advance(TimeDelta::minutes(61));
        self.settled().await;
    }

    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {query}");
        self.database.query_one(&query, &[]).await.unwrap().get(0)
    }

    /// The version of Anna's calendar.
    pub(crate) async fn version(&self) -> i64 {
        let id = domain::id::Id::uuid(self.anna);
        let query = format!("SELECT version FROM calendar WHERE id = '{id}'");
        let row = self.database.query_one(&query, &[]).await;
        row.unwrap().get(0)
    }

    /// The other side calls: with what status it is answered.
    pub(crate) async fn call(&self, channel: &str, secret: &str, number: u32) -> u16 {
        let path = format!("/plugins/{PLUGIN}/test");
        let request = self.app.client().request(reqwest::Method::POST, &path);
        let request = request
            .header("diary-channel", channel)
            .header("diary-secret", secret)
            .header("diary-number", number.to_string());
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) async fn owner(&self) -> Client {
        self.app
            .client_with(&self.world.token(Role::Owner, None).await)
    }

    /// What is in Anna's main calendar of bookings: their starts.
    pub(crate) fn there(&self, calendar: &str) -> Vec<String> {
        let bookings = self.diary.bookings(calendar);
        let mut starts: Vec<String> = bookings
            .values()
            .map(|(from, _)| from.format("%dT%H:%M").to_string())
            .collect();
        starts.sort();
        starts
    }

    pub(crate) async fn end(self) {
        assert_eq!(invariants(&self.world.url).await.unwrap(), []);
        self.app.stop().await;
    }
}

pub(crate) fn restore() -> Value {
    json!({ "onExternalMove": "RESTORE" })
}

pub(crate) fn follow() -> Value {
    json!({ "onExternalMove": "FOLLOW" })
}

/// The plugins of another process.
pub(crate) fn plugins(diary: &Arc<Diary>) -> Vec<Arc<dyn Plugin>> {
    vec![diary.clone(), Till::new()]
}
