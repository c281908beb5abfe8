//! Plugins through the API: settings go in sealed and come out without secrets, and what is due is delivered with them.

use chrono::TimeDelta;
use engine::catalogue::service::ServiceInput;
use jobs::JobOptions;
use plugin_api::Failure;
use serde_json::{Value, json};
use server::app::HttpOptions;
use std::sync::Arc;
use std::time::Duration;
use test_support::{App, Client, Deliveries, Scripted, World, WorldOptions};

const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) {
    plugin { name enabled settings health { state } } problems { code path message } } }";
const PLUGINS: &str = "{ plugins { name capabilities enabled settings settingsSchema inboundUrl
    health { state lastSuccessAt lastErrorAt lastError waiting parked } } }";
const DELIVERIES: &str = "query($filter: DeliveryFilter, $first: Int, $after: String) {
    deliveries(filter: $filter, first: $first, after: $after) { pageInfo { hasNextPage hasPreviousPage endCursor }
      nodes { id plugin event status nextAttemptAt booking { reference } attempts { ok error } } } }";

struct Stage {
    app: App,
    owner: Client,
    service: domain::id::ServiceId,
    plugin: Arc<Scripted>,
    deliveries: Deliveries,
}

impl Stage {
    async fn new(plugin: Arc<Scripted>) -> Self {
        let world = World::with(WorldOptions {
            plugins: vec![plugin.clone()],
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
        let token = app.world.token(domain::actor::Role::Owner, None).await;
        Self {
            owner: app.client_with(&token),
            app,
            service,
            plugin,
            deliveries,
        }
    }

    async fn configure(&self, settings: Value, enabled: Option<bool>) -> Value {
        let input = json!({ "name": "scripted", "settings": settings, "enabled": enabled });
        let data = self.owner.data(CONFIGURE, json!({ "input": input })).await;
        data["configurePlugin"].clone()
    }

    async fn shown(&self) -> Value {
        self.owner.data(PLUGINS, json!({})).await["plugins"][0].clone()
    }

    async fn book(&self, starts_at: &str) {
        let world = &self.app.world;
        let input = world.booking(self.service, starts_at, "Eve");
        world
            .engine
            .book(&world.visitor, input, None)
            .await
            .unwrap();
    }

    async fn listed(&self, variables: Value) -> Value {
        self.owner.data(DELIVERIES, variables).await["deliveries"].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_and_never_come_out() {
    let stage = Stage::new(Scripted::set_up("scripted", Vec::new())).await;
    let before = stage.shown().await;
    assert_eq!(
        (
            &before["enabled"],
            &before["settings"],
            &before["health"]["state"]
        ),
        (&json!(false), &Value::Null, &json!("DISABLED"))
    );
    assert_eq!(before["capabilities"], json!(["REACTION"]));
    assert_eq!(
        before["settingsSchema"]["properties"]["apiKey"]["writeOnly"],
        true
    );

    let done = stage
        .configure(json!({ "endpoint": "here", "apiKey": "hunter2" }), None)
        .await;
    assert_eq!(done["problems"], json!([]));
    let shown = json!({ "endpoint": "here", "apiKey": "***" });
    assert_eq!(
        (&done["plugin"]["enabled"], &done["plugin"]["settings"]),
        (&json!(true), &shown)
    );
    // What is shown can be given back, and what is left out stays.
    stage
        .configure(json!({ "endpoint": "there", "apiKey": "***" }), None)
        .await;
    let row = test_support::connect(&stage.app.world.url).await;
    let sealed = row
        .query_one("SELECT sealed FROM plugin_setting", &[])
        .await
        .unwrap();
    let sealed: Vec<u8> = sealed.get(0);
    assert!(!String::from_utf8_lossy(&sealed).contains("there"));

    stage.book("2027-03-02T10:00:00Z").await;
    let handed = stage.plugin.seen(1).await;
    assert_eq!(
        handed[0].settings.json(),
        &json!({ "endpoint": "there", "apiKey": "hunter2" })
    );
    assert!(!format!("{:?}", handed[0]).contains("hunter2"));
    let all = stage.owner.send(PLUGINS, json!({})).await.to_string();
    assert!(!all.contains("hunter2"), "{all}");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_settings_is_named_and_changes_nothing() {
    let stage = Stage::new(Scripted::set_up("scripted", Vec::new())).await;
    for (settings, path) in [
        (json!({}), json!(["input", "settings", "endpoint"])),
        (
            json!({ "endpoint": "here", "endpiont": 1 }),
            json!(["input", "settings", "endpiont"]),
        ),
        (
            json!({ "endpoint": 1 }),
            json!(["input", "settings", "endpoint"]),
        ),
        (json!("here"), json!(["input", "settings"])),
    ] {
        let refused = stage.configure(settings, None).await;
        assert_eq!(
            (
                &refused["problems"][0]["code"],
                &refused["problems"][0]["path"]
            ),
            (&json!("INVALID"), &path)
        );
        assert_eq!(refused["plugin"], Value::Null);
    }
    let input = json!({ "name": "no-such-plugin", "settings": {} });
    let data = stage.owner.data(CONFIGURE, json!({ "input": input })).await;
    assert_eq!(data["configurePlugin"]["problems"][0]["code"], "NOT_FOUND");
    assert_eq!(stage.shown().await["settings"], Value::Null);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_is_asked_whether_the_settings_work() {
    let stage = Stage::new(Scripted::set_up("scripted", Vec::new())).await;
    let check = async || {
        let query = "mutation { checkPlugin(name: \"scripted\") { ok message problems { code } } }";
        stage.owner.data(query, json!({})).await["checkPlugin"].clone()
    };
    assert_eq!(
        check().await,
        json!({ "ok": false, "message": "endpoint: is required", "problems": [] })
    );
    stage
        .configure(json!({ "endpoint": "here", "apiKey": "wrong" }), None)
        .await;
    assert_eq!(check().await["message"], "apiKey: the key is wrong");
    stage.configure(json!({ "apiKey": "right" }), None).await;
    assert_eq!(
        check().await,
        json!({ "ok": true, "message": "the key is right", "problems": [] })
    );
    stage.app.stop().await;
}

/// The runtime of this test has one thread: whoever blocked that would block all.
#[tokio::test]
async fn a_plugin_that_blocks_its_thread_when_it_is_asked_holds_up_nobody() {
    let stage = Stage::new(Scripted::set_up("scripted", Vec::new())).await;
    let check = async || {
        let query = "mutation { checkPlugin(name: \"scripted\") { message } }";
        stage.owner.data(query, json!({})).await["checkPlugin"]["message"].clone()
    };
    let settings = json!({ "endpoint": "block", "apiKey": "right" });
    stage.configure(settings, None).await;
    let others = async {
        while stage.plugin.obstacle.came() == 0 {
            stage.shown().await;
        }
        stage.shown().await;
        stage.plugin.obstacle.clear();
    };
    let (message, ()) = tokio::join!(check(), others);
    assert_eq!(message, "the key is right");
    stage.configure(json!({ "endpoint": "panic" }), None).await;
    assert_eq!(check().await, "the plugin panicked");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_with_their_attempts_and_a_parked_one_is_sent_again() {
    let script = vec![Err(Failure::give_up("no such customer"))];
    let mut stage = Stage::new(Scripted::new("scripted", script)).await;
    stage.book("2027-03-02T10:00:00Z").await;
    stage.deliveries.until(1, "status = 'parked'").await;
    stage.book("2027-03-02T12:00:00Z").await;
    stage.deliveries.until(1, "status = 'delivered'").await;
    let page = stage.listed(json!({ "first": 1 })).await;
    assert_eq!(page["nodes"][0]["status"], "DELIVERED", "the latest first");
    assert_eq!(
        page["pageInfo"],
        json!({ "hasNextPage": true, "hasPreviousPage": false, "endCursor": page["nodes"][0]["id"] })
    );
    let rest = stage
        .listed(json!({ "first": 5, "after": page["pageInfo"]["endCursor"] }))
        .await;
    assert_eq!(rest["nodes"].as_array().unwrap().len(), 1);
    let parked = stage
        .listed(json!({ "filter": { "statuses": ["PARKED"], "plugin": "scripted" } }))
        .await;
    let parked = &parked["nodes"][0];
    assert_eq!(parked, &rest["nodes"][0]);
    assert_eq!(
        parked["attempts"],
        json!([{ "ok": false, "error": "no such customer" }])
    );
    assert!(parked["booking"]["reference"].is_string());
    let health = stage.shown().await["health"].clone();
    assert_eq!(
        (&health["parked"], &health["waiting"], &health["lastError"]),
        (&json!(1), &json!(0), &json!("no such customer"))
    );
    assert!(health["lastSuccessAt"].is_string() && health["state"] == "OK");

    let retry =
        "mutation($id: ID!) { retryDelivery(id: $id) { delivery { id } problems { code } } }";
    let again = stage.owner.data(retry, json!({ "id": parked["id"] })).await;
    assert_eq!(again["retryDelivery"]["problems"], json!([]));
    stage.deliveries.until(2, "status = 'delivered'").await;
    let again = stage.owner.data(retry, json!({ "id": parked["id"] })).await;
    assert_eq!(again["retryDelivery"]["problems"][0]["code"], "CONFLICT");
    let one = stage
        .listed(json!({ "filter": { "statuses": ["PARKED"] } }))
        .await;
    assert_eq!(one["nodes"], json!([]));
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_business_whose_other_side_is_down_stands_in_no_others_way() {
    let down = (0..5).map(|_| Err(Failure::retry("down"))).collect();
    let mut stage = Stage::new(Scripted::new("scripted", down)).await;
    for hour in 9..14 {
        stage.book(&format!("2027-03-02T{hour:02}:00:00Z")).await;
    }
    stage
        .deliveries
        .until(
            5,
            "status = 'waiting' AND attempts = 1 AND lease_id IS NULL",
        )
        .await;
    assert_eq!(stage.shown().await["health"]["state"], "BROKEN");
    stage.book("2027-03-02T15:00:00Z").await;
    let other = stage.app.world.another_business("other").await;
    let location = other.location("UTC").await;
    let ben = other.provider("Ben", &[location]).await;
    let service = other.service(60, &[ben], ServiceInput::default()).await;
    let input = other.booking(service, "2027-03-02T10:00:00Z", "Eve");
    other
        .engine
        .book(&other.visitor, input, None)
        .await
        .unwrap();
    let handed = stage.plugin.seen(6).await;
    assert_eq!(
        handed[5].business_id, other.visitor.business,
        "the first business is left alone"
    );
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.deliveries.until(7, "status = 'delivered'").await;
    assert_eq!(stage.shown().await["health"]["state"], "OK");
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_a_plugin_is_switched_off_is_parked_with_the_reason() {
    let mut stage = Stage::new(Scripted::new(
        "scripted",
        vec![Err(Failure::retry("not now"))],
    ))
    .await;
    stage.book("2027-03-02T10:00:00Z").await;
    stage
        .deliveries
        .until(
            1,
            "status = 'waiting' AND attempts = 1 AND lease_id IS NULL",
        )
        .await;
    stage.configure(json!({}), Some(false)).await;
    stage.book("2027-03-02T12:00:00Z").await;
    stage.app.world.clock.advance(TimeDelta::minutes(1));
    stage.deliveries.until(1, "status = 'parked'").await;
    let all = stage.listed(json!({})).await;
    assert_eq!(
        all["nodes"].as_array().unwrap().len(),
        1,
        "nothing new is written for it"
    );
    assert_eq!(
        all["nodes"][0]["attempts"][1]["error"],
        "this business does not use the plugin"
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_read_is_parked_and_holds_up_no_other() {
    let mut stage = Stage::new(Scripted::set_up("scripted", Vec::new())).await;
    stage.configure(json!({ "endpoint": "here" }), None).await;
    let database = test_support::connect(&stage.app.world.url).await;
    // Both are written in one commit's time, so that they are taken together.
    let spoil = "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.payload := ''{}''; RETURN NEW; END';
        CREATE TRIGGER spoil BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION spoil()";
    database.batch_execute(spoil).await.unwrap();
    stage.book("2027-03-02T10:00:00Z").await;
    database
        .batch_execute("DROP TRIGGER spoil ON event")
        .await
        .unwrap();
    stage.book("2027-03-02T12:00:00Z").await;
    stage.deliveries.until(1, "status = 'delivered'").await;
    stage.deliveries.until(1, "status = 'parked'").await;
    let parked = stage
        .listed(json!({ "filter": { "statuses": ["PARKED"] } }))
        .await;
    let error = parked["nodes"][0]["attempts"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("the event cannot be read"), "{error}");
    stage.app.stop().await;
}
