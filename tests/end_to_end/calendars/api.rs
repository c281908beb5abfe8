//! Connections over HTTP: what is asked, what is refused, and who sees them.

use domain::actor::Role;
use domain::id::{Id, ProviderId};
use serde_json::{Value, json};
use test_support::{ANNAS_TOKEN, Client};

use super::stage::{PLUGIN, Stage, restore};

const CONNECT: &str = "mutation($input: ConnectCalendarInput!) { connectCalendar(input: $input) {
    provider { calendarConnection { plugin account state lastSyncAt lastError readFrom writeTo } }
    problems { code message ... on InvalidInput { path } ... on NotFound { path } } } }";
const DISCONNECT: &str =
    "mutation($id: ID!, $key: String) { disconnectCalendar(providerId: $id, idempotencyKey: $key) {
    provider { calendarConnection { plugin } } problems { code } } }";
const SHOWN: &str = "{ providers { name calendarConnection { state } } }";

async fn connect(client: &Client, input: Value) -> Value {
    client.data(CONNECT, json!({ "input": input })).await["connectCalendar"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_connected_chosen_and_disconnected() {
    let mut stage = Stage::new(restore()).await;
    let owner = stage.owner().await;
    let anna = stage.anna.to_string();
    let whole = json!({ "providerId": anna, "plugin": PLUGIN, "refreshToken": ANNAS_TOKEN, "idempotencyKey": "once" });
    let connected = connect(&owner, whole.clone()).await;
    let fresh = json!({ "plugin": PLUGIN, "account": "anna@example.com", "state": "OK", "lastSyncAt": null,
        "lastError": null, "readFrom": ["anna"], "writeTo": "anna" });
    assert_eq!(connected["problems"], json!([]));
    let shown = &connected["provider"]["calendarConnection"];
    assert_eq!(shown["readFrom"], fresh["readFrom"]);
    assert_eq!(
        (&shown["account"], &shown["writeTo"]),
        (&fresh["account"], &fresh["writeTo"])
    );
    assert!(!connected.to_string().contains(ANNAS_TOKEN));
    let asked = stage.diary.calls("account");
    assert_eq!(connect(&owner, whole).await["problems"], json!([]));
    assert_eq!(stage.diary.calls("account"), asked, "a repeat does nothing");
    stage.settled().await;
    // What is left out stays; null is nothing.
    let choose = json!({ "providerId": anna, "plugin": PLUGIN, "readFrom": ["private", "team"] });
    let chosen = connect(&owner, choose).await["provider"]["calendarConnection"].clone();
    assert_eq!(
        (&chosen["readFrom"], &chosen["writeTo"]),
        (&json!(["private", "team"]), &json!("anna"))
    );
    let nowhere = json!({ "providerId": anna, "plugin": PLUGIN, "writeTo": null });
    let chosen = connect(&owner, nowhere).await["provider"]["calendarConnection"].clone();
    assert_eq!(
        (&chosen["readFrom"], &chosen["writeTo"]),
        (&json!(["private", "team"]), &Value::Null)
    );
    stage.settled().await;
    let done = owner
        .data(DISCONNECT, json!({ "id": anna, "key": "away" }))
        .await;
    let done = &done["disconnectCalendar"];
    assert_eq!(
        (&done["provider"]["calendarConnection"], &done["problems"]),
        (&Value::Null, &json!([]))
    );
    stage.settled().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_connected_is_refused_where_it_is_wrong() {
    let stage = Stage::new(restore()).await;
    let owner = stage.owner().await;
    let whole = json!({ "providerId": stage.anna.to_string(), "plugin": PLUGIN, "refreshToken": ANNAS_TOKEN });
    let nobody = ProviderId::from_uuid(uuid::Uuid::now_v7()).to_string();
    for (field, value, code) in [
        ("providerId", json!(nobody), "NOT_FOUND"),
        ("plugin", json!("nothing"), "NOT_FOUND"),
        ("plugin", json!("payments-till"), "NOT_FOUND"),
        ("refreshToken", json!("wrong"), "INVALID"),
        ("refreshToken", Value::Null, "INVALID"),
        ("readFrom", json!(["anna", "unknown"]), "INVALID"),
        ("writeTo", json!("unknown"), "INVALID"),
        ("writeTo", json!("team"), "INVALID"),
    ] {
        let mut input = whole.clone();
        input[field] = value;
        let refused = connect(&owner, input).await;
        assert_eq!(refused["problems"][0]["code"], code, "{field}: {refused}");
        assert_eq!(
            refused["problems"][0]["path"],
            json!(["input", field]),
            "{refused}"
        );
        assert_eq!(refused["provider"], Value::Null);
        assert!(!refused.to_string().contains(ANNAS_TOKEN));
    }
    assert_eq!(stage.count("calendar_connection").await, 0);
    stage.diary.bad_call(test_support::BadCall::Refused(
        plugin_api::Failure::retry("the network is down").into(),
    ));
    let refused = connect(&owner, whole).await;
    assert_eq!(refused["problems"][0]["code"], "CONFLICT");
    assert!(
        refused["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains("the network is down")
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_business_s_own_access_stands_in_for_a_provider_by_their_address() {
    let mut stage = Stage::new(json!({ "ownAccess": true })).await;
    stage
        .diary
        .account("anna@example.com", "anna@example.com", &["main"]);
    let owner = stage.owner().await;
    let input = json!({ "providerId": stage.anna.to_string(), "plugin": PLUGIN });
    let connected = connect(&owner, input).await;
    assert_eq!(
        connected["provider"]["calendarConnection"]["writeTo"], "main",
        "{connected}"
    );
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    assert_eq!(stage.there("main"), ["02T10:00"]);
    let drop = "UPDATE provider SET email = NULL";
    stage.database.execute(drop, &[]).await.unwrap();
    let raise = "UPDATE business SET catalogue_version = catalogue_version + 1";
    stage.database.execute(raise, &[]).await.unwrap();
    let bens = json!({ "providerId": stage.ben.to_string(), "plugin": PLUGIN });
    let refused = connect(&owner, bens).await;
    assert_eq!(
        refused["problems"][0]["path"],
        json!(["input", "providerId"])
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_shown_to_whoever_may_change_it() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let seen = async |client: Client| {
        let data = client.data(SHOWN, json!({})).await;
        let anna = data["providers"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == "Anna");
        anna.unwrap()["calendarConnection"]["state"].clone()
    };
    let token = async |role, provider| {
        stage
            .app
            .client_with(&stage.world.token(role, provider).await)
    };
    assert_eq!(seen(token(Role::Owner, None).await).await, "OK");
    assert_eq!(seen(token(Role::Manager, None).await).await, "OK");
    assert_eq!(
        seen(token(Role::Provider, Some(stage.anna)).await).await,
        "OK"
    );
    assert_eq!(
        seen(token(Role::Provider, Some(stage.ben)).await).await,
        Value::Null
    );
    assert_eq!(seen(stage.app.client()).await, Value::Null);
    stage.end().await;
}
