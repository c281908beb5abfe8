//! A country changes its clocks: what is booked keeps its wall-clock time, and nothing is booked twice for it.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::event::EventKind;
use domain::id::{BookingId, ProviderId, ServiceId};
use domain::zone::ZoneDatabase;
use engine::booking::{Book, BookingChange, ZoneShift};
use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use engine::{Engine, EngineOptions};
use plugin_api::{Delivery, Done, Failure, Plugin, Reaction, Want, async_trait};
use store::database::DatabaseOptions;
use test_support::{World, at, invariants};

/// A zone whose clocks stand at one offset for ever, as compiled tzdata (RFC 8536, version 2).
fn compiled(name: &str, offset: i32, rule: &str) -> Vec<u8> {
    let block = || {
        let mut block = b"TZif2".to_vec();
        block.extend([0; 15]);
        let letters = u32::try_from(name.len() + 1).unwrap();
        for count in [0, 0, 0, 0, 1, letters] {
            block.extend(count.to_be_bytes());
        }
        block.extend(offset.to_be_bytes());
        block.extend([0, 0]);
        block.extend(name.bytes().chain([0]));
        block
    };
    let mut file = block();
    file.extend(block());
    file.extend(format!("\n{rule}\n").bytes());
    file
}

/// The rules of a version in which these zones alone exist.
fn rules(folder: &Path, version: &str, zones: &[(&str, &[u8])]) -> ZoneDatabase {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("tzdata.zi"), format!("# version {version}\n")).unwrap();
    for (name, bytes) in zones {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    ZoneDatabase::newest(Some(folder)).unwrap()
}

/// The United Kingdom stays on winter time for good.
fn without_summer_time(version: &str) -> ZoneDatabase {
    let folder = tempfile::tempdir().unwrap();
    let winter = compiled("GMT", 0, "GMT0");
    let paris = compiled("CEST", 7200, "CEST-2");
    let zones = [("Europe/London", &*winter), ("Europe/Paris", &*paris)];
    let rules = rules(folder.path(), version, &zones);
    for (name, _) in zones {
        // Read while the folder is there.
        assert!(rules.get(name).is_some());
    }
    rules
}

/// A plugin that wants to hear of every move.
struct Listener;

impl Plugin for Listener {
    fn name(&self) -> &'static str {
        "listener"
    }
    fn title(&self) -> &'static str {
        "Listener"
    }
    fn description(&self) -> &'static str {
        "Hears of moves."
    }
    fn settings_schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object", "additionalProperties": false })
    }
    fn on_by_default(&self) -> bool {
        true
    }
    fn validate(&self, _: &serde_json::Value) -> Result<(), plugin_api::SettingsError> {
        Ok(())
    }
    fn reaction(&self) -> Option<&dyn Reaction> {
        Some(self)
    }
}

#[async_trait]
impl Reaction for Listener {
    fn wants(&self) -> &[Want] {
        const { &[Want::all(EventKind::BookingRescheduled)] }
    }

    async fn react(&self, _: &Delivery) -> Result<Done, Failure> {
        Ok(Done::Delivered)
    }
}

/// The next process on the world's database, with other rules.
fn with_rules(world: &World, zones: ZoneDatabase) -> Engine {
    let database = store::Database::new(&world.url, DatabaseOptions::default()).unwrap();
    Engine::new(EngineOptions {
        database,
        clock: world.clock.clone(),
        zones,
        plugins: vec![Arc::new(Listener)],
        vault: engine::Vault::new(&[7; 32]),
        public_url: None,
    })
}

async fn book(world: &World, service: ServiceId, starts_at: &str, name: &str) -> BookingId {
    let input = world.booking(service, starts_at, name);
    book_as(world, input).await
}

async fn book_as(world: &World, input: Book) -> BookingId {
    let booked = world.engine.book(&world.visitor, input, None).await;
    booked.unwrap().made.booking.id
}

/// When it begins, and its version.
async fn state(world: &World, id: BookingId) -> (String, i64) {
    let (booking, session) = world
        .engine
        .booking(&world.owner, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(booking.status, BookingStatus::Confirmed);
    let length = session.ends_at - session.starts_at;
    assert_eq!(length, TimeDelta::hours(1));
    let starts_at = session.starts_at.format("%dT%H:%MZ").to_string();
    (starts_at, booking.version)
}

async fn last_change(world: &World, id: BookingId) -> BookingChange {
    let history = world.engine.booking_history(&world.owner, &[id]).await;
    history.unwrap().pop().unwrap()
}

async fn shop() -> (World, ProviderId, ServiceId) {
    let world = World::new().await;
    let london = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[london]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    (world, anna, service)
}

fn moved(moved: usize) -> ZoneShift {
    ZoneShift { moved, left: 0 }
}

async fn count(url: &str, sql: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let count = client.query_one(sql, &[]).await.unwrap().get(0);
    drop(client);
    driver.await.unwrap().unwrap();
    count
}

#[tokio::test]
async fn what_is_booked_keeps_its_wall_clock_time() {
    let (world, _, service) = shop().await;
    let winter = book(&world, service, "2027-03-02T10:00:00Z", "Eve").await;
    // 10:00 by summer time.
    let summer = book(&world, service, "2027-05-04T09:00:00Z", "Bob").await;
    let next = with_rules(&world, without_summer_time("2099a"));
    assert_eq!(next.follow_zones().await.unwrap(), moved(1));
    assert_eq!(state(&world, winter).await, ("02T10:00Z".to_owned(), 1));
    assert_eq!(state(&world, summer).await, ("04T10:00Z".to_owned(), 2));
    let change = last_change(&world, summer).await;
    assert_eq!(
        (change.kind.as_str(), change.by.as_str()),
        ("booking.rescheduled", "system")
    );
    assert_eq!(change.from.as_deref(), Some("2027-05-04T09:00:00Z"));
    assert_eq!(change.to.as_deref(), Some("2027-05-04T10:00:00Z"));
    assert!(change.reason.unwrap().contains("Europe/London"));
    world.engine.dispatch(100).await.unwrap();
    let told = "SELECT count(*) FROM delivery d JOIN event e ON e.business_id = d.business_id AND e.id = d.event_id \
        WHERE e.kind = 'booking.rescheduled' AND d.plugin = 'listener' \
          AND e.payload #>> '{booking,previous_starts_at}' = '2027-05-04T09:00:00Z'";
    assert_eq!(count(&world.url, told).await, 1);
    assert_eq!(invariants(&world.url).await.unwrap(), []);

    // Every process sees it at once: the calendar's version rose.
    let early = book(&world, service, "2027-05-04T09:00:00Z", "Ann").await;
    assert_eq!(state(&world, early).await.0, "04T09:00Z");
    let taken = world.booking(service, "2027-05-04T10:00:00Z", "Joe");
    assert!(
        world
            .engine
            .book(&world.visitor, taken, None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn it_is_done_once_for_each_version() {
    let (world, _, service) = shop().await;
    let id = book(&world, service, "2027-05-04T09:00:00Z", "Bob").await;
    let next = with_rules(&world, without_summer_time("2099a"));
    assert_eq!(next.follow_zones().await.unwrap(), moved(1));
    assert_eq!(next.follow_zones().await.unwrap(), moved(0));
    // A process with older rules does not take it back.
    assert_eq!(world.engine.follow_zones().await.unwrap(), moved(0));
    assert_eq!(state(&world, id).await, ("04T10:00Z".to_owned(), 2));
    // The country thinks better of it.
    let folder = tempfile::tempdir().unwrap();
    let summer = compiled("BST", 3600, "BST-1");
    let again = rules(folder.path(), "2099b", &[("Europe/London", &summer)]);
    assert_eq!(
        with_rules(&world, again).follow_zones().await.unwrap(),
        moved(1)
    );
    assert_eq!(state(&world, id).await, ("04T09:00Z".to_owned(), 3));
}

#[tokio::test]
async fn neighbours_make_room_for_each_other() {
    let (world, _, service) = shop().await;
    let mut ids = Vec::new();
    for hour in 8..16 {
        let starts_at = format!("2027-05-04T{hour:02}:00:00Z");
        ids.push(book(&world, service, &starts_at, &format!("C{hour}")).await);
    }
    let next = with_rules(&world, without_summer_time("2099a"));
    assert_eq!(next.follow_zones().await.unwrap(), moved(8));
    for (id, hour) in ids.into_iter().zip(9..) {
        assert_eq!(state(&world, id).await, (format!("04T{hour:02}:00Z"), 2));
    }
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn two_processes_at_once_move_everything_once() {
    let (world, _, service) = shop().await;
    let mut ids = Vec::new();
    for day in 4..8 {
        let starts_at = format!("2027-05-{day:02}T09:00:00Z");
        ids.push(book(&world, service, &starts_at, &format!("C{day}")).await);
    }
    let rules = without_summer_time("2099a");
    let (one, other) = (with_rules(&world, rules.clone()), with_rules(&world, rules));
    let (one, other) = futures_util::join!(one.follow_zones(), other.follow_zones());
    assert_eq!(one.unwrap().moved + other.unwrap().moved, 4);
    for id in ids {
        assert_eq!(state(&world, id).await.1, 2);
    }
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}

#[tokio::test]
async fn a_session_whose_time_is_taken_stays_and_says_so() {
    let (world, anna, service) = shop().await;
    let paris = world.location("Europe/Paris").await;
    world.hours(anna, paris, "09:00", "17:00").await;
    let in_london = book(&world, service, "2027-05-04T09:00:00Z", "Bob").await;
    // The summer of Paris stays as it is.
    let in_paris = book(&world, service, "2027-05-04T10:00:00Z", "Eve").await;
    move_to(&world, in_paris, "Europe/Paris").await;
    let next = with_rules(&world, without_summer_time("2099a"));
    let left = ZoneShift { moved: 0, left: 1 };
    assert_eq!(next.follow_zones().await.unwrap(), left);
    assert_eq!(state(&world, in_paris).await, ("04T10:00Z".to_owned(), 1));
    assert_eq!(state(&world, in_london).await, ("04T09:00Z".to_owned(), 2));
    let change = last_change(&world, in_london).await;
    assert_eq!(change.kind, "booking.displaced");
    assert_eq!(change.to.as_deref(), Some("2027-05-04T10:00:00Z"));
    assert_eq!(invariants(&world.url).await.unwrap(), []);
    assert_eq!(next.follow_zones().await.unwrap(), moved(0));
    assert_eq!(state(&world, in_london).await.1, 2);
}

/// Has the session agreed on by the clocks of another zone.
async fn move_to(world: &World, id: BookingId, zone: &str) {
    let sql = format!(
        "WITH moved AS (UPDATE session SET time_zone = '{zone}', wall_start = starts_at AT TIME ZONE '{zone}' \
         WHERE id = (SELECT session_id FROM booking WHERE id = '{}') RETURNING 1) SELECT count(*) FROM moved",
        domain::id::Id::uuid(id)
    );
    assert_eq!(run(&world.url, &sql).await, 1);
}

async fn run(url: &str, sql: &str) -> i64 {
    count(url, sql).await
}

#[tokio::test]
async fn seats_that_are_only_held_go_with_their_session() {
    let (world, anna, _) = shop().await;
    let group = ServiceInput {
        capacity: Some(5),
        ..ServiceInput::default()
    };
    let service = world.service(60, &[anna], group).await;
    let first = book(&world, service, "2027-05-04T09:00:00Z", "Bob").await;
    let second = book(&world, service, "2027-05-04T09:00:00Z", "Eve").await;
    let hold = HoldSlot {
        service_id: service,
        starts_at: at("2027-05-04T09:00:00Z"),
        provider_id: None,
        party_size: 2,
        ttl_seconds: 600,
    };
    let held = world.engine.hold_slot(&world.visitor, hold, None).await;
    let held = held.unwrap().hold.id;
    let next = with_rules(&world, without_summer_time("2099a"));
    assert_eq!(next.follow_zones().await.unwrap(), moved(1));
    for id in [first, second] {
        assert_eq!(state(&world, id).await, ("04T10:00Z".to_owned(), 2));
    }
    let held = world
        .engine
        .hold(&world.visitor, held)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(held.session.starts_at, at("2027-05-04T10:00:00Z"));
    assert_eq!(held.session.seats_taken, 4);
    assert_eq!(invariants(&world.url).await.unwrap(), []);
}
