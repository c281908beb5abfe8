//! Mail servers of businesses, set through the API: each business's mail goes to its own server, and what is wrong with one is told to its
//! staff.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::actor::Role;
use domain::id::ServiceId;
use domain::zone::ZoneDatabase;
use email_smtp::{EmailSmtp, Options};
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use notifications::Notifications;
use outbound::{Outbound, OutboundOptions};
use serde_json::{Value, json};
use server::app::HttpOptions;
use tempfile::TempDir;
use test_support::{App, Client, Deliveries, World, WorldOptions};

use fake_smtp::FakeSmtp;

#[path = "../../plugins/email-smtp/tests/plugin/fake_smtp.rs"]
#[expect(dead_code, reason = "shared with the tests of the plugin")]
mod fake_smtp;

const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) {
    plugin { settings } problems { code path message } } }";
const CHECK: &str =
    "mutation { checkPlugin(name: \"email-smtp\") { ok message problems { code } } }";
const HEALTH: &str = "{ plugins { name settings health { state lastError waiting parked } } }";
/// Mails that went out.
const MAILED: &str = "plugin = 'email-smtp' AND status = 'delivered'";
/// `\0desk\0hunter2`.
const LOGIN: &str = "AUTH PLAIN AGRlc2sAaHVudGVyMg==";

/// One business of several on a server.
struct Desk {
    world: World,
    owner: Client,
    service: ServiceId,
}

impl Desk {
    async fn open(app: &App, world: World) -> Self {
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let service = world.service(60, &[anna], ServiceInput::default()).await;
        let token = world.token(Role::Owner, None).await;
        let owner = Client::new(app.address, &world.slug, Some(&token));
        Self {
            world,
            owner,
            service,
        }
    }

    async fn configure(&self, settings: Value) -> Value {
        let input = json!({ "name": "email-smtp", "settings": settings });
        let data = self.owner.data(CONFIGURE, json!({ "input": input })).await;
        assert_eq!(data["configurePlugin"]["problems"], json!([]));
        data["configurePlugin"]["plugin"]["settings"].clone()
    }

    async fn check(&self) -> (bool, String) {
        let told = self.owner.data(CHECK, json!({})).await["checkPlugin"].clone();
        let message = told["message"].as_str().unwrap().to_owned();
        (told["ok"].as_bool().unwrap(), message)
    }

    async fn health(&self) -> Value {
        self.owner.data(HEALTH, json!({})).await["plugins"][0]["health"].clone()
    }

    /// A customer books: a mail to them and one to Anna.
    async fn book(&self, starts_at: &str, customer: &str) {
        let input = self.world.booking(self.service, starts_at, customer);
        let booked = self.world.engine.book(&self.world.visitor, input, None);
        booked.await.unwrap();
    }
}

struct Stage {
    app: App,
    deliveries: Deliveries,
    /// Where mail goes that has no server.
    outbox: TempDir,
}

impl Stage {
    async fn new(allow_private: bool) -> Self {
        let outbound = Outbound::new(OutboundOptions {
            allow_private,
            ..OutboundOptions::default()
        });
        let outbox = tempfile::tempdir().unwrap();
        let options = Options {
            settings: None,
            outbox: outbox.path().to_owned(),
            outbound: outbound.unwrap(),
        };
        let world = World::with(WorldOptions {
            plugins: vec![
                Arc::new(EmailSmtp::new(options).unwrap()),
                Arc::new(Notifications::new(ZoneDatabase::bundled()).unwrap()),
            ],
            ..WorldOptions::default()
        })
        .await;
        let deliveries = Deliveries::watch(&world.url).await;
        let jobs = JobOptions {
            poll: Duration::from_millis(50),
            ..JobOptions::default()
        };
        let app = App::start_with(world, HttpOptions::default(), jobs).await;
        Self {
            app,
            deliveries,
            outbox,
        }
    }

    async fn first(&self) -> Desk {
        Desk::open(&self.app, self.app.world.clone()).await
    }

    async fn another(&self, slug: &str) -> Desk {
        let world = self.app.world.another_business(slug).await;
        Desk::open(&self.app, world).await
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.outbox.path()).unwrap();
        let files = entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        files.collect()
    }
}

fn server(fake: &FakeSmtp, from: &str) -> Value {
    json!({
        "host": "127.0.0.1", "port": fake.address.port(), "security": "NONE",
        "username": "desk", "password": "hunter2", "from": from
    })
}

/// The recipients of what a server took, sorted.
fn recipients(fake: &FakeSmtp, from: &str) -> Vec<String> {
    let mails = fake.take_mails();
    assert!(
        mails
            .iter()
            .all(|mail| mail.from == format!("MAIL FROM:<{from}>")),
        "{mails:?}"
    );
    let mut to: Vec<String> = mails.into_iter().map(|mail| mail.to).collect();
    to.sort();
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn each_business_sends_by_its_own_server() {
    let mut stage = Stage::new(true).await;
    let (first, second) = (FakeSmtp::start().await, FakeSmtp::start().await);
    let (aurora, bruno) = (stage.first().await, stage.another("bruno").await);
    let carla = stage.another("carla").await;
    let shown = aurora.configure(server(&first, "a@aurora.example")).await;
    assert_eq!(shown["password"], "***");
    bruno.configure(server(&second, "b@bruno.example")).await;
    assert_eq!(
        aurora.check().await,
        (
            true,
            "127.0.0.1 takes mail from a@aurora.example".to_owned()
        )
    );
    let (ok, said) = carla.check().await;
    assert!(ok && said.contains("no mail server is set"), "{said}");

    aurora.book("2027-03-02T10:00:00Z", "Ada").await;
    bruno.book("2027-03-02T10:00:00Z", "Bea").await;
    carla.book("2027-03-02T10:00:00Z", "Cleo").await;
    stage.deliveries.until(6, MAILED).await;

    let to = |customer: &str| {
        let mut both = [customer, "anna"].map(|name| format!("RCPT TO:<{name}@example.com>"));
        both.sort();
        both.to_vec()
    };
    assert_eq!(recipients(&first, "a@aurora.example"), to("ada"));
    assert_eq!(recipients(&second, "b@bruno.example"), to("bea"));
    let files = stage.files();
    assert_eq!(files.len(), 2);
    let of_carla = |mail: &&String| mail.contains("cleo@example.com") || mail.contains("anna@");
    assert_eq!(files.iter().filter(of_carla).count(), 2);

    // What was set can be taken back.
    let nothing = ["host", "port", "security", "username", "password", "from"];
    let nothing: Value = nothing
        .map(|name| (name.to_owned(), Value::Null))
        .into_iter()
        .collect();
    aurora.configure(nothing).await;
    aurora.book("2027-03-02T12:00:00Z", "Ada").await;
    stage.deliveries.until(8, MAILED).await;
    assert_eq!((stage.files().len(), first.take_mails().len()), (4, 0));
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_mended_and_no_mail_is_lost() {
    let mut stage = Stage::new(true).await;
    let fake = FakeSmtp::start().await;
    fake.accept(LOGIN);
    let desk = stage.first().await;
    let mut settings = server(&fake, "a@aurora.example");
    settings["password"] = json!("hunter3");
    desk.configure(settings).await;
    let (ok, said) = desk.check().await;
    assert!(!ok && said.starts_with("username or password: "), "{said}");

    desk.book("2027-03-02T10:00:00Z", "Ada").await;
    let failed =
        "plugin = 'email-smtp' AND status = 'waiting' AND attempts = 1 AND lease_id IS NULL";
    stage.deliveries.until(2, failed).await;
    let health = desk.health().await;
    assert_eq!(
        (&health["state"], &health["waiting"]),
        (&json!("RETRYING"), &json!(3)),
        "two that failed, and a reminder that waits for its time"
    );
    let told = health["lastError"].as_str().unwrap();
    assert!(
        told.starts_with("username or password: ") && !told.contains("hunter3"),
        "{told}"
    );

    desk.configure(json!({ "password": "hunter2" })).await;
    // What waited goes out at once; only then the clock moves on, or what is in hand would lose its lease.
    stage.deliveries.until(2, MAILED).await;
    assert!(desk.check().await.0);
    desk.world.clock.advance(TimeDelta::days(1));
    stage.deliveries.until(3, MAILED).await;
    assert_eq!(recipients(&fake, "a@aurora.example").len(), 3);
    assert_eq!(desk.health().await["state"], "OK");
    assert!(stage.files().is_empty(), "none of it went elsewhere");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_business_makes_the_server_talk_to_its_own_network() {
    let mut stage = Stage::new(false).await;
    let fake = FakeSmtp::start().await;
    let desk = stage.first().await;
    for host in ["127.0.0.1", "localhost", "::ffff:127.0.0.1"] {
        let mut settings = server(&fake, "a@aurora.example");
        settings["host"] = json!(host);
        desk.configure(settings).await;
        let (ok, said) = desk.check().await;
        let expected = format!("host: {host} is a private address");
        assert!(!ok && said.starts_with(&expected), "{said}");
    }
    desk.book("2027-03-02T10:00:00Z", "Ada").await;
    let failed =
        "plugin = 'email-smtp' AND status = 'waiting' AND attempts = 1 AND lease_id IS NULL";
    stage.deliveries.until(2, failed).await;
    let health = desk.health().await;
    assert!(
        health["lastError"].as_str().unwrap().starts_with("host: "),
        "{health}"
    );
    assert_eq!((fake.connections(), stage.files().len()), (0, 0));
    stage.app.stop().await;
}
