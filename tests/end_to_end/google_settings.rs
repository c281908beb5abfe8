//! Google Calendar as staff set it up: what is a secret shows to nobody, and a check says what Google says.

use std::sync::Arc;
use std::time::Duration;

use calendar_google::{CalendarGoogle, Options};
use domain::actor::Role;
use domain::zone::ZoneDatabase;
use fake_google::FakeGoogle;
use outbound::{Outbound, OutboundOptions};
use serde_json::{Value, json};
use test_support::{App, Client, World, WorldOptions};

const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) {
    plugin { enabled settings inboundUrl } problems { code path message } } }";
const CHECK: &str = "mutation { checkPlugin(name: \"calendar-google\") { ok message } }";

async fn start() -> (App, Client) {
    let options = OutboundOptions {
        allow_private: true,
        ..OutboundOptions::default()
    };
    let plugin = CalendarGoogle::new(Options {
        outbound: Outbound::new(options).unwrap(),
        timeout: Duration::from_secs(5),
        zones: ZoneDatabase::bundled(),
    });
    let world = World::with(WorldOptions {
        plugins: vec![Arc::new(plugin)],
        ..WorldOptions::default()
    })
    .await;
    let token = world.token(Role::Owner, None).await;
    let app = App::start(world).await;
    let owner = app.client_with(&token);
    (app, owner)
}

async fn configure(owner: &Client, settings: Value) -> Value {
    let input = json!({ "name": "calendar-google", "settings": settings });
    let done = owner.data(CONFIGURE, json!({ "input": input })).await;
    done["configurePlugin"].clone()
}

async fn check(owner: &Client) -> (bool, String) {
    let checked = owner.data(CHECK, json!({})).await["checkPlugin"].clone();
    let message = checked["message"].as_str().unwrap().to_owned();
    (checked["ok"] == true, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_set_up_by_a_client_or_a_key_or_both() {
    let google = FakeGoogle::start().await.unwrap();
    let (app, owner) = start().await;
    let refused = configure(&owner, json!({ "apiBase": google.api_base() })).await;
    assert_eq!(refused["problems"][0]["code"], "INVALID");
    assert_eq!(
        refused["problems"][0]["path"],
        json!(["input", "settings", "clientId"])
    );

    let places = json!({ "apiBase": google.api_base(), "tokenUrl": google.token_url() });
    let mut settings = places.clone();
    settings["clientId"] = json!(google.client_id());
    settings["clientSecret"] = json!("wrong");
    let done = configure(&owner, settings).await;
    assert_eq!(done["problems"], json!([]));
    let (ok, message) = check(&owner).await;
    assert!(!ok && message.starts_with("clientSecret: "), "{message}");

    // The key as the object that Google's file holds; the client's secret as it is shown stays.
    configure(&owner, json!({ "clientSecret": google.client_secret() })).await;
    let more = json!({ "clientSecret": "***", "serviceAccount": google.service_account() });
    let done = configure(&owner, more).await;
    let mut shown = places;
    shown["clientId"] = json!(google.client_id());
    shown["clientSecret"] = json!("***");
    shown["serviceAccount"] = json!("***");
    assert_eq!(
        done["plugin"],
        json!({ "enabled": true, "settings": shown, "inboundUrl": "/plugins/calendar-google/test" })
    );
    google.add_service_account();
    let (ok, message) = check(&owner).await;
    assert!(ok && message.contains("accepts the client"), "{message}");
    assert!(message.contains("accepts the key of"), "{message}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_keeps_secret_is_sent_nowhere_but_where_it_was_given_for() {
    let (google, other) = (
        FakeGoogle::start().await.unwrap(),
        FakeGoogle::start().await.unwrap(),
    );
    let (app, owner) = start().await;
    google.add_service_account();
    let secrets = json!({ "clientSecret": google.client_secret(), "serviceAccount": google.service_account() });
    let mut settings = secrets.clone();
    settings["clientId"] = json!(google.client_id());
    settings["apiBase"] = json!(google.api_base());
    settings["tokenUrl"] = json!(google.token_url());
    let set = configure(&owner, settings).await["plugin"]["settings"].clone();
    for elsewhere in [
        json!({ "tokenUrl": other.token_url() }),
        json!({ "apiBase": other.api_base(), "clientSecret": "***" }),
        json!({ "tokenUrl": null, "pollSeconds": 600 }),
    ] {
        let refused = configure(&owner, elsewhere).await;
        assert_eq!(refused["plugin"], Value::Null);
        let problems = refused["problems"].as_array().unwrap();
        let paths: Vec<&Value> = problems.iter().map(|problem| &problem["path"]).collect();
        assert_eq!(
            paths,
            [
                &json!(["input", "settings", "clientSecret"]),
                &json!(["input", "settings", "serviceAccount"]),
            ]
        );
    }
    let (ok, message) = check(&owner).await;
    assert!(ok, "{message}");
    let same = json!({ "tokenUrl": google.token_url(), "pollSeconds": 600 });
    let mut shown = set.clone();
    shown["pollSeconds"] = json!(600);
    let done = configure(&owner, same).await;
    assert_eq!(
        done["plugin"]["settings"], shown,
        "nothing else has changed"
    );
    let mut moved = secrets;
    moved["apiBase"] = json!(other.api_base());
    let done = configure(&owner, moved).await;
    shown["apiBase"] = json!(other.api_base());
    assert_eq!(done["plugin"]["settings"], shown);
    app.stop().await;
}
