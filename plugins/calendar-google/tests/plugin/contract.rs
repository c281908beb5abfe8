use std::time::Duration;

use calendar_google::CalendarGoogle;
use domain::id::{BusinessId, Id};
use fake_google::{Call, Fault};
use plugin_api::{CalendarSync, ExternalMove, Failure, Plugin, PluginSettings, contract};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Salon, plugin, plugin_by, settings, way_out};

async fn check(plugin: &CalendarGoogle, settings: &PluginSettings) -> Result<String, Failure> {
    let business = BusinessId::from_uuid(Uuid::from_u128(9));
    let check = Plugin::check(plugin).unwrap();
    check.check(business, settings).await
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    let plugin = plugin();
    contract::plugin(&plugin);
    assert_eq!(plugin.name(), "calendar-google");
    assert!(!plugin.on_by_default());
    assert!(
        plugin.calendar().is_some()
            && plugin.inbound().is_some()
            && Plugin::check(&plugin).is_some()
    );
    assert!(plugin.guard().is_none() && plugin.reaction().is_none() && plugin.payments().is_none());
}

#[test]
fn its_settings_describe_themselves_by_the_names_of_the_contract() {
    let schema = plugin().settings_schema();
    let mut names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "apiBase",
            "clientId",
            "clientSecret",
            "onExternalMove",
            "pollSeconds",
            "serviceAccount",
            "tokenUrl"
        ]
    );
    assert!(schema.get("required").is_none());
    for (name, is_secret) in [
        ("clientSecret", json!(true)),
        ("serviceAccount", json!(true)),
        ("clientId", Value::Null),
    ] {
        assert_eq!(schema["properties"][name]["writeOnly"], is_secret, "{name}");
    }
    assert_eq!(
        schema["properties"]["serviceAccount"]["type"],
        json!(["object", "string", "null"])
    );
}

#[test]
fn settings_are_checked_without_asking_anybody() {
    let plugin = plugin();
    let right = json!({ "clientId": "1-a", "clientSecret": "x" });
    assert_eq!(plugin.validate(&right), Ok(()));
    let error = plugin.validate(&json!({})).unwrap_err();
    assert_eq!(error.path, ["clientId"]);
}

#[tokio::test]
async fn what_is_set_is_answered() {
    let salon = Salon::open().await;
    let plugin = &salon.plugin;
    let more = json!({ "pollSeconds": 60, "onExternalMove": "FOLLOW", "serviceAccount": salon.google.service_account() });
    let set = settings(&salon.google, more);
    assert_eq!(plugin.poll_seconds(&set), 60);
    assert_eq!(plugin.on_external_move(&set), ExternalMove::Follow);
    assert!(plugin.has_own_access(&set));
    for usual in [&salon.settings, &PluginSettings::none()] {
        assert_eq!(plugin.poll_seconds(usual), 300);
        assert_eq!(plugin.on_external_move(usual), ExternalMove::Restore);
        assert!(!plugin.has_own_access(usual));
    }
}

#[tokio::test]
async fn a_check_asks_what_can_be_asked_without_a_provider() {
    let salon = Salon::open().await;
    let found = check(&salon.plugin, &salon.settings).await.unwrap();
    assert!(found.starts_with("Google accepts the client"), "{found}");
    assert_eq!(salon.google.count(Call::Token), salon.google.calls().len());

    let key = json!({ "serviceAccount": salon.google.service_account() });
    let both = settings(&salon.google, key);
    let found = check(&salon.plugin, &both).await.unwrap();
    assert!(found.contains("accepts the client"), "{found}");
    assert!(found.contains("accepts the key of bookable@"), "{found}");
    assert_eq!(salon.google.count(Call::ListCalendars), 1);
}

#[tokio::test]
async fn a_check_says_which_setting_is_wrong() {
    let salon = Salon::open().await;
    let google = &salon.google;
    let key = json!({ "serviceAccount": google.service_account(), "clientId": null, "clientSecret": null });
    let with = |name: &str, value: Value| settings(google, json!({ name: value }));
    for (settings, beginning) in [
        (with("clientId", json!("other")), "clientId: "),
        (with("clientSecret", json!("wrong")), "clientSecret: "),
        (with("clientSecret", json!(null)), "clientSecret: "),
    ] {
        let failure = check(&salon.plugin, &settings).await.unwrap_err();
        assert!(is_misconfigured(&failure, beginning), "{failure:?}");
    }
    let failure = check(
        &salon.plugin,
        &with("tokenUrl", json!("http://127.0.0.1:1/token")),
    )
    .await;
    assert!(matches!(failure, Err(Failure::Retry { .. })), "{failure:?}");

    google.fault(Call::ListCalendars, Fault::NotConfigured);
    let failure = check(&salon.plugin, &settings(google, key))
        .await
        .unwrap_err();
    assert!(
        is_misconfigured(&failure, "the Google Calendar API is not switched on"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_key_that_google_does_not_know_is_named() {
    let salon = Salon::open().await;
    let mut key = salon.google.service_account();
    key["client_email"] = json!("somebody@else.iam.gserviceaccount.com");
    let wrong = json!({ "serviceAccount": key, "clientId": null, "clientSecret": null });
    let failure = check(&salon.plugin, &settings(&salon.google, wrong)).await;
    let failure = failure.unwrap_err();
    assert!(
        is_misconfigured(&failure, "serviceAccount: "),
        "{failure:?}"
    );
}

fn is_misconfigured(failure: &Failure, beginning: &str) -> bool {
    matches!(failure, Failure::Misconfigured { reason } if reason.starts_with(beginning))
}

#[tokio::test]
async fn an_address_that_the_server_does_not_allow_is_never_called() {
    let salon = Salon::open().await;
    let plugin = plugin_by(&way_out(false), Duration::from_secs(30));
    let by_name = salon.google.token_url().replace("127.0.0.1", "localhost");
    let by_name = settings(&salon.google, json!({ "tokenUrl": by_name }));
    for settings in [&salon.settings, &by_name] {
        let failure = check(&plugin, settings).await.unwrap_err();
        assert!(is_misconfigured(&failure, "tokenUrl: "), "{failure:?}");
        assert!(failure.reason().contains("private address"), "{failure:?}");
    }
    assert!(salon.google.calls().is_empty());
}
