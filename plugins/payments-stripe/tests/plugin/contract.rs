use std::time::Duration;

use domain::id::{BusinessId, Id};
use fake_stripe::{Call, Fault};
use payments_stripe::PaymentsStripe;
use plugin_api::{Failure, Payments, Plugin, PluginSettings, contract};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Shop, plugin, plugin_with, settings};

async fn check(plugin: &PaymentsStripe, settings: &PluginSettings) -> Result<String, Failure> {
    let business = BusinessId::from_uuid(Uuid::from_u128(9));
    let check = Plugin::check(plugin).unwrap();
    check.check(business, settings).await
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    let plugin = plugin();
    contract::plugin(&plugin);
    assert_eq!(plugin.name(), "payments-stripe");
    assert!(!plugin.on_by_default());
    assert!(
        plugin.payments().is_some()
            && plugin.inbound().is_some()
            && Plugin::check(&plugin).is_some()
    );
    assert!(plugin.guard().is_none() && plugin.reaction().is_none());
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
            "cancelUrl",
            "paymentWindowMinutes",
            "publishableKey",
            "secretKey",
            "successUrl",
            "webhookSecret"
        ]
    );
    assert_eq!(schema["required"], json!(["secretKey"]));
    for (name, is_secret) in [
        ("secretKey", json!(true)),
        ("webhookSecret", json!(true)),
        ("publishableKey", Value::Null),
    ] {
        assert_eq!(schema["properties"][name]["writeOnly"], is_secret, "{name}");
    }
}

#[test]
fn settings_are_checked_without_asking_anybody() {
    let plugin = plugin();
    assert_eq!(
        plugin.validate(&json!({ "secretKey": "rk_live_1" })),
        Ok(())
    );
    let error = plugin.validate(&json!({})).unwrap_err();
    assert_eq!(error.path, ["secretKey"]);
}

#[tokio::test]
async fn a_customer_has_as_long_as_is_set() {
    let shop = Shop::with(json!({ "paymentWindowMinutes": 45 })).await;
    assert_eq!(shop.plugin.window_minutes(&shop.settings), 45);
    let default = settings(&shop.stripe, json!({}));
    assert_eq!(shop.plugin.window_minutes(&default), 30);
    assert_eq!(shop.plugin.window_minutes(&PluginSettings::none()), 30);
}

#[tokio::test]
async fn a_check_names_the_mode_and_changes_nothing() {
    let shop = Shop::open().await;
    let found = check(&shop.plugin, &shop.settings).await;
    assert_eq!(found, Ok("Stripe accepts the key, in test mode".to_owned()));
    let without = settings(&shop.stripe, json!({ "webhookSecret": null }));
    let found = check(&shop.plugin, &without).await.unwrap();
    assert!(found.contains("without a webhookSecret"), "{found}");
    assert_eq!(
        shop.stripe.count(Call::GetBalance),
        shop.stripe.calls().len()
    );
}

#[tokio::test]
async fn a_check_says_which_setting_is_wrong() {
    let shop = Shop::open().await;
    let wrong = settings(&shop.stripe, json!({ "secretKey": "sk_test_wrong" }));
    let nobody = settings(&shop.stripe, json!({ "apiBase": "http://127.0.0.1:1" }));
    let ill = settings(&shop.stripe, json!({ "apiBase": "stripe" }));
    for (settings, is_expected) in [
        (&wrong, is_misconfigured as fn(&Failure, &str) -> bool),
        (&ill, is_misconfigured),
        (&nobody, is_retry),
    ] {
        let failure = check(&shop.plugin, settings).await.unwrap_err();
        assert!(is_expected(&failure, ""), "{failure:?}");
    }
    shop.stripe.fault(Call::GetBalance, Fault::Forbidden);
    let failure = check(&shop.plugin, &shop.settings).await.unwrap_err();
    assert!(is_misconfigured(&failure, "permissions"), "{failure:?}");
}

fn is_misconfigured(failure: &Failure, words: &str) -> bool {
    matches!(failure, Failure::Misconfigured { reason } if reason.contains(words))
}

fn is_retry(failure: &Failure, words: &str) -> bool {
    matches!(failure, Failure::Retry { reason, .. } if reason.contains(words))
}

#[tokio::test]
async fn an_address_that_the_server_does_not_allow_is_never_called() {
    let shop = Shop::open().await;
    let plugin = plugin_with(Duration::from_secs(30), false);
    let by_name = shop.stripe.base().replace("127.0.0.1", "localhost");
    let by_name = settings(&shop.stripe, json!({ "apiBase": by_name }));
    for settings in [&shop.settings, &by_name] {
        let failure = check(&plugin, settings).await.unwrap_err();
        assert!(is_misconfigured(&failure, "private address"), "{failure:?}");
        assert!(is_misconfigured(&failure, "apiBase: "), "{failure:?}");
    }
    assert!(shop.stripe.calls().is_empty());
}
