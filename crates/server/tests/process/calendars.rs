//! The binary, killed while it reads a calendar elsewhere, and while it writes to one.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Role;
use domain::id::{ProviderId, ServiceId};
use engine::catalogue::service::ServiceInput;
use fake_google::{Call, Called, FakeGoogle};
use serde_json::{Value, json};
use test_support::{Client, Deliveries, World, WorldOptions, at, invariants};

use crate::server::Server;

const ANNA: &str = "anna@aurora.example";
const CLOCK: &str = "2027-03-01T08:00:00Z";
/// So long before a lease runs out the server comes back.
const SOONER: TimeDelta = TimeDelta::milliseconds(1500);
const LEASE: &str = "SELECT leased_until, sync_token FROM calendar_source";
const WRITING: &str = "SELECT leased_until, part FROM delivery \
    WHERE plugin = 'calendar-google' AND status = 'waiting' AND lease_id IS NOT NULL";

struct Stage {
    world: World,
    data: tempfile::TempDir,
    google: FakeGoogle,
    token: String,
    anna: ProviderId,
    service: ServiceId,
    deliveries: Deliveries,
    database: tokio_postgres::Client,
}

impl Stage {
    async fn new() -> Self {
        let world = World::with(WorldOptions {
            now: Some(at(CLOCK)),
            ..WorldOptions::default()
        })
        .await;
        let location = world.location("Europe/London").await;
        let anna = world.provider("Anna", &[location]).await;
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(ANNA, "Europe/London");
        google.limit_pages(2);
        Self {
            data: tempfile::tempdir().unwrap(),
            token: world.token(Role::Owner, None).await,
            service: world.service(60, &[anna], ServiceInput::default()).await,
            deliveries: Deliveries::watch(&world.url).await,
            database: test_support::connect(&world.url).await,
            world,
            google,
            anna,
        }
    }

    /// Anna is busy at ten on this day of March; the event's id.
    fn busy(&self, day: u32) -> String {
        let from = at(&format!("2027-03-{day:02}T10:00:00Z"));
        let busy = self.google.put_busy(ANNA, from, from + TimeDelta::hours(1));
        busy.unwrap()
    }

    /// The server at this time, and its owner.
    fn serve(&self, clock: DateTime<Utc>) -> (Server, Client) {
        let clock = clock.to_rfc3339();
        let flags = ["--allow-private-hosts"];
        let server = Server::start_with(&self.world, self.data.path(), &clock, &flags);
        let owner = Client::new(server.address, &self.world.slug, Some(&self.token));
        (server, owner)
    }

    async fn connect(&self, owner: &Client) {
        let settings = json!({
            "clientId": self.google.client_id(), "clientSecret": self.google.client_secret(),
            "apiBase": self.google.api_base(), "tokenUrl": self.google.token_url()
        });
        let configure = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message } } }";
        let input = json!({ "name": "calendar-google", "settings": settings });
        let set = owner.data(configure, json!({ "input": input })).await;
        assert_eq!(set["configurePlugin"]["problems"], json!([]));
        let connect = "mutation($input: ConnectCalendarInput!) { connectCalendar(input: $input) { problems { message } } }";
        let refresh = self.google.refresh_token(ANNA);
        let input = json!({ "providerId": self.anna, "plugin": "calendar-google", "refreshToken": refresh });
        let set = owner.data(connect, json!({ "input": input })).await;
        assert_eq!(set["connectCalendar"]["problems"], json!([]));
    }

    /// Waits until nothing is due at this time.
    async fn settled(&mut self, now: DateTime<Utc>) {
        let now = now.to_rfc3339();
        let due = format!(
            "SELECT (SELECT count(*) FROM delivery WHERE status = 'waiting' AND next_attempt_at <= '{now}') \
                  + (SELECT count(*) FROM calendar_source WHERE next_sync_at <= '{now}')"
        );
        self.deliveries.until_counted(0, &due).await;
    }

    /// Until when somebody has taken something, and what more there is in that row.
    async fn lease(&self, query: &str) -> (DateTime<Utc>, Option<String>) {
        let row = self.database.query_one(query, &[]).await.unwrap();
        let until: std::time::SystemTime = row.get(0);
        (until.into(), row.get(1))
    }

    /// When Anna is busy elsewhere, as it is stored.
    async fn stored(&self) -> BTreeSet<DateTime<Utc>> {
        let query = "SELECT starts_at FROM external_event";
        let rows = self.database.query(query, &[]).await.unwrap();
        let start = |row: &tokio_postgres::Row| row.get::<_, std::time::SystemTime>(0).into();
        rows.iter().map(start).collect()
    }

    /// What stands in Anna's calendar there: her own events and ours.
    fn there(&self) -> (BTreeSet<DateTime<Utc>>, Vec<Value>) {
        let events = self.google.events(ANNA);
        let (own, ours): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| event["summary"] == "Private");
        let start = |event: &Value| at(event["start"]["dateTime"].as_str().unwrap());
        (own.iter().map(start).collect(), ours)
    }

    fn lists(&self) -> Vec<Called> {
        let mut calls = self.google.calls();
        calls.retain(|called| called.call == Call::ListEvents);
        calls
    }
}

fn asked<'a>(called: &'a Called, name: &str) -> Option<&'a str> {
    let mut query = called.query.iter();
    query.find_map(|(known, value)| (known == name).then_some(value.as_str()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_was_killed_is_believed_in_no_part_and_is_taken_up_when_its_lease_runs_out()
{
    let mut stage = Stage::new().await;
    let first = stage.busy(2);
    for day in 3..7 {
        stage.busy(day);
    }
    stage.google.hold(Call::ListEvents, 1);
    let (server, owner) = stage.serve(at(CLOCK));
    stage.connect(&owner).await;
    stage.google.held(1).await;
    server.kill();
    assert_eq!(stage.lists().len(), 2, "the second of three pages");
    let (until, sync_token) = stage.lease(LEASE).await;
    assert_eq!(sync_token, None);
    assert_eq!(stage.stored().await, BTreeSet::new());

    // What stood on the first page is not there any more.
    stage.google.delete_event(ANNA, &first).unwrap();
    stage.busy(9);
    let (server, _) = stage.serve(until - SOONER);
    stage.settled(until).await;
    let read = "SELECT last_sync_at, sync_token FROM calendar_source";
    let (read_at, token) = stage.lease(read).await;
    assert!(
        read_at >= until,
        "{read_at}: it was somebody's until {until}"
    );
    assert_eq!(stage.stored().await, stage.there().0);
    assert_eq!(stage.stored().await.len(), 5);
    let lists = stage.lists();
    assert_eq!(lists.len(), 5, "all three pages, from the first on");
    assert_eq!(asked(&lists[2], "pageToken"), None);
    server.kill();

    // The token outlives its process: of the next reading there is one page, of what changed.
    stage.busy(10);
    let later = read_at + TimeDelta::minutes(6);
    let (server, _) = stage.serve(later);
    stage.settled(later).await;
    let lists = stage.lists();
    assert_eq!(lists.len(), 6);
    assert_eq!(asked(&lists[5], "syncToken"), token.as_deref());
    assert_eq!(stage.stored().await, stage.there().0);
    assert_eq!(stage.stored().await.len(), 6);
    server.kill();
    assert_eq!(invariants(&stage.world.url).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_written_before_a_kill_is_there_once_after_it() {
    let mut stage = Stage::new().await;
    let (server, owner) = stage.serve(at(CLOCK));
    stage.connect(&owner).await;
    stage.settled(at(CLOCK)).await;
    stage.google.hold(Call::InsertEvent, 0);
    let book = "mutation($input: BookInput!) { book(input: $input) { booking { reference } problems { message } } }";
    let input = json!({ "serviceId": stage.service, "startsAt": "2027-03-02T10:00:00Z", "customer": { "name": "Eve" } });
    let booked = owner.data(book, json!({ "input": input })).await;
    assert_eq!(booked["book"]["problems"], json!([]));
    stage.google.held(1).await;
    server.kill();
    assert_eq!(stage.there().1.len(), 1, "it is there");
    let link = "SELECT etag FROM calendar_link";
    let row = stage.database.query_one(link, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<String>>(0), None, "and nobody knows");
    let (until, part) = stage.lease(WRITING).await;
    assert_eq!(part, Some(format!("calendar:{}", stage.anna)));

    let (server, _) = stage.serve(until - SOONER);
    stage.settled(until).await;
    let ours = stage.there().1;
    assert_eq!(ours.len(), 1);
    assert_eq!(stage.google.count(Call::InsertEvent), 2);
    assert_eq!(
        stage.google.count(Call::UpdateEvent),
        0,
        "it is as it should be"
    );
    let row = stage.database.query_one(link, &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<&str>>(0), ours[0]["etag"].as_str());
    server.kill();
    // Read anew, it is no news: neither to be put back nor busy time.
    let later = until + TimeDelta::minutes(6);
    let (server, _) = stage.serve(later);
    stage.settled(later).await;
    assert_eq!(stage.stored().await, BTreeSet::new());
    assert_eq!(stage.google.count(Call::InsertEvent), 2);
    assert_eq!(stage.there().1, ours);
    server.kill();
    assert_eq!(invariants(&stage.world.url).await.unwrap(), []);
}
