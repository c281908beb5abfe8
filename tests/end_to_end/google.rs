//! A provider's calendar at Google in step with a business: what is busy there is busy here, as far ahead as anybody books.

use std::sync::Arc;
use std::time::Duration;

use calendar_google::{CalendarGoogle, Options};
use chrono::TimeDelta;
use domain::id::{BookingId, Id, ProviderId, ServiceId};
use domain::zone::ZoneDatabase;
use engine::calendar::ConnectCalendar;
use engine::catalogue::service::ServiceInput;
use engine::plugin::ConfigurePlugin;
use fake_google::{Call, FakeGoogle};
use jobs::JobOptions;
use outbound::{Outbound, OutboundOptions};
use serde_json::json;
use server::app::HttpOptions;
use test_support::{App, Deliveries, World, WorldOptions, at, invariants};

const PLUGIN: &str = "calendar-google";
const ANNA: &str = "anna@aurora.example";
/// A zone whose clocks are never moved.
const ZONE: &str = "Africa/Abidjan";
const FREE: &str = "[]";
const BLOCKED: &str = "[ProviderBlocked]";

/// Anna's calendar at Google, connected.
struct Stage {
    app: App,
    google: FakeGoogle,
    anna: ProviderId,
    ben: ProviderId,
    service: ServiceId,
    changes: Deliveries,
}

impl Stage {
    async fn new() -> Self {
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(ANNA, ZONE);
        let options = OutboundOptions {
            allow_private: true,
            ..OutboundOptions::default()
        };
        let plugin = CalendarGoogle::new(Options {
            outbound: Outbound::new(options).unwrap(),
            timeout: Duration::from_secs(20),
            zones: ZoneDatabase::bundled(),
        });
        let world = World::with(WorldOptions {
            plugins: vec![Arc::new(plugin)],
            ..WorldOptions::default()
        })
        .await;
        google.set_now(world.clock.now());
        let location = world.location(ZONE).await;
        let anna = world.provider("Anna", &[location]).await;
        let ben = world.provider("Ben", &[location]).await;
        let service = world
            .service(60, &[anna, ben], ServiceInput::default())
            .await;
        let configure = ConfigurePlugin {
            name: PLUGIN.to_owned(),
            settings: json!({ "clientId": google.client_id(), "clientSecret": google.client_secret(),
                "apiBase": google.api_base(), "tokenUrl": google.token_url() }),
            enabled: Some(true),
        };
        let (engine, owner) = (&world.engine, &world.owner);
        let configured = engine.configure_plugin(owner, configure, None).await;
        configured.unwrap();
        let changes = Deliveries::watch(&world.url).await;
        let jobs = JobOptions {
            poll: Duration::from_millis(50),
            ..JobOptions::default()
        };
        let app = App::start_with(world, HttpOptions::default(), jobs).await;
        let mut stage = Self {
            app,
            google,
            anna,
            ben,
            service,
            changes,
        };
        stage.connect().await;
        stage
    }

    async fn connect(&mut self) {
        let input = ConnectCalendar {
            provider_id: self.anna,
            plugin: PLUGIN.to_owned(),
            refresh_token: Some(self.google.refresh_token(ANNA).into()),
            read_from: None,
            write_to: None,
        };
        let world = &self.app.world;
        let connected = world.engine.connect_calendar(&world.owner, input, None);
        connected.await.unwrap();
        self.settled().await;
    }

    async fn settled(&mut self) {
        let now = self.app.world.clock.now().to_rfc3339();
        let due = format!(
            "SELECT (SELECT count(*) FROM delivery WHERE status = 'waiting' AND next_attempt_at <= '{now}') \
                  + (SELECT count(*) FROM calendar_source WHERE next_sync_at <= '{now}')"
        );
        self.changes.until_counted(0, &due).await;
    }

    async fn after(&mut self, minutes: i64) {
        self.app.world.clock.advance(TimeDelta::minutes(minutes));
        self.google.set_now(self.app.world.clock.now());
        self.settled().await;
    }

    async fn book(&self, starts_at: &str, provider: ProviderId) -> BookingId {
        let world = &self.app.world;
        let mut input = world.booking(self.service, starts_at, "Eve");
        input.provider_id = Some(provider);
        let booked = world.engine.book(&world.visitor, input, None).await;
        booked.unwrap().made.booking.id
    }

    /// Why Anna cannot be had at a time.
    async fn reasons(&self, starts_at: &str) -> String {
        let world = &self.app.world;
        let (engine, visitor, anna) = (&world.engine, &world.visitor, Some(self.anna));
        let reasons = engine.slot_check(visitor, self.service, at(starts_at), anna, 1);
        format!("{:?}", reasons.await.unwrap())
    }

    /// How often all of the calendar was read.
    fn whole_readings(&self) -> usize {
        let calls = self.google.calls();
        let lists = calls
            .iter()
            .filter(|called| called.call == Call::ListEvents);
        let is_whole = |query: &[(String, String)]| query.iter().any(|(name, _)| name == "timeMin");
        lists.filter(|called| is_whole(&called.query)).count()
    }

    async fn end(self) {
        assert_eq!(invariants(&self.app.world.url).await.unwrap(), []);
        self.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_blocks_and_frees_what_lies_further_ahead_than_google_tells_of() {
    let mut stage = Stage::new().await;
    let (soon, far) = ("2027-03-02T10:00:00Z", "2027-10-04T10:00:00Z");
    let daily = json!({
        "start": { "dateTime": soon, "timeZone": ZONE },
        "end": { "dateTime": "2027-03-02T11:00:00Z", "timeZone": ZONE }, "recurrence": ["RRULE:FREQ=DAILY;COUNT=300"]
    });
    let series = stage.google.put_event(ANNA, &daily).unwrap();
    stage.after(61).await;
    assert_eq!(stage.reasons(soon).await, BLOCKED);
    assert_eq!(stage.reasons(far).await, BLOCKED);
    stage.google.delete_event(ANNA, &series).unwrap();
    stage.after(61).await;
    assert_eq!(stage.reasons(soon).await, FREE);
    assert_eq!(stage.reasons(far).await, FREE);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_that_changes_all_the_time_is_not_read_whole_all_the_time() {
    let mut stage = Stage::new().await;
    let weekly = json!({
        "start": { "dateTime": "2027-03-02T10:00:00Z", "timeZone": ZONE },
        "end": { "dateTime": "2027-03-02T11:00:00Z", "timeZone": ZONE }, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=50"]
    });
    let series = stage.google.put_event(ANNA, &weekly).unwrap();
    stage.after(61).await;
    let before = stage.whole_readings();
    let calls = stage.google.count(Call::ListEvents);
    for minute in 0..9 {
        let title = json!({ "summary": format!("Team {minute}") });
        stage.google.change_event(ANNA, &series, &title).unwrap();
        stage.after(1).await;
    }
    assert!(stage.google.count(Call::ListEvents) > calls, "it is read");
    assert_eq!(stage.whole_readings(), before);
    stage.after(1).await;
    assert_eq!(stage.whole_readings(), before + 1);
    // And then it is left alone again: single events are told of one by one.
    stage.after(61).await;
    let (from, to) = (at("2027-03-03T10:00:00Z"), at("2027-03-03T11:00:00Z"));
    stage.google.put_busy(ANNA, from, to).unwrap();
    stage.after(61).await;
    assert_eq!(stage.reasons("2027-03-03T10:00:00Z").await, BLOCKED);
    assert_eq!(stage.whole_readings(), before + 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invitation_to_a_booking_of_theirs_makes_nobody_busy_and_one_of_another_s_does() {
    let mut stage = Stage::new().await;
    let hers = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    // She is the customer, here or elsewhere.
    let bens = stage.book("2027-03-02T10:00:00Z", stage.ben).await;
    let elsewhere = BookingId::from_uuid(uuid::Uuid::now_v7());
    let invitations = [(hers, "12"), (bens, "14"), (elsewhere, "16")];
    for (booking, hour) in invitations {
        let event = json!({
            "iCalUID": format!("{booking}@bookable"), "start": { "dateTime": format!("2027-03-02T{hour}:00:00Z") },
            "end": { "dateTime": format!("2027-03-02T{hour}:30:00Z") }
        });
        stage.google.put_event(ANNA, &event).unwrap();
    }
    stage.after(61).await;
    for when in ["read as changes", "read whole"] {
        assert_eq!(stage.reasons("2027-03-02T12:00:00Z").await, FREE, "{when}");
        for busy in ["2027-03-02T14:00:00Z", "2027-03-02T16:00:00Z"] {
            assert_eq!(stage.reasons(busy).await, BLOCKED, "{when}");
        }
        stage.google.expire_sync_tokens();
        stage.after(61).await;
    }
    stage.end().await;
}
