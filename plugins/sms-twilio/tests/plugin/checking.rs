use std::time::Duration;

use domain::id::{BusinessId, Id};
use fake_twilio::{Call, Fault, SERVICE};
use plugin_api::{Failure, Plugin};
use serde_json::json;
use uuid::Uuid;

use crate::{Shop, message, plugin_with, settings};

async fn check(shop: &Shop) -> Result<String, Failure> {
    let business = BusinessId::from_uuid(Uuid::from_u128(9));
    let check = Plugin::check(&shop.plugin).unwrap();
    check.check(business, &shop.settings).await
}

#[tokio::test]
async fn a_check_names_the_account_and_the_sender_and_sends_nothing() {
    let mut shop = Shop::open().await;
    let found = check(&shop).await.unwrap();
    let expected =
        "Twilio accepts the token of the account \"Fake\"; messages come from +15005550006";
    assert_eq!(found, expected);
    shop.settings = settings(
        &shop.twilio,
        json!({ "from": "Aurora", "messagingServiceSid": SERVICE }),
    );
    let found = check(&shop).await.unwrap();
    assert!(
        found.contains("from Aurora, which cannot be looked up"),
        "{found}"
    );
    assert!(found.ends_with(SERVICE), "{found}");
    assert_eq!(shop.twilio.sent(), []);
}

#[tokio::test]
async fn a_check_says_which_setting_is_wrong() {
    for (more, words) in [
        (json!({ "authToken": "wrong" }), "authToken: "),
        (
            json!({ "from": "+442071838750" }),
            "from: +442071838750 is not a number of this account",
        ),
        (
            json!({ "messagingServiceSid": "MG00000000000000000000000000000000" }),
            "messagingServiceSid: this account has no such",
        ),
        (json!({ "apiBase": "twilio" }), "apiBase: "),
        (json!({ "unknown": 1 }), "unknown: "),
    ] {
        let shop = Shop::with(more.clone()).await;
        let failure = check(&shop).await.unwrap_err();
        assert!(
            matches!(failure, Failure::Misconfigured { .. }),
            "{failure:?}"
        );
        assert!(failure.reason().starts_with(words), "{failure}");
    }
    let shop = Shop::open().await;
    shop.twilio.set_account_status("suspended");
    let failure = check(&shop).await.unwrap_err();
    assert_eq!(failure.reason(), "accountSid: the account is \"suspended\"");
    let shop = Shop::with(json!({ "apiBase": "http://127.0.0.1:1" })).await;
    let failure = check(&shop).await.unwrap_err();
    assert!(matches!(failure, Failure::Retry { .. }), "{failure:?}");
    let shop = Shop::open().await;
    shop.twilio.fault(Call::FetchAccount, Fault::Refused(20404));
    let failure = check(&shop).await.unwrap_err();
    assert!(failure.reason().starts_with("accountSid: "), "{failure}");
}

#[tokio::test]
async fn an_address_that_the_server_does_not_allow_is_never_called() {
    let mut shop = Shop::open().await;
    shop.plugin = plugin_with(&shop.clock, Duration::from_secs(30), false);
    let by_name = shop.twilio.base().replace("127.0.0.1", "localhost");
    for base in [shop.twilio.base(), by_name] {
        shop.settings = settings(&shop.twilio, json!({ "apiBase": base }));
        let sent = shop.send(&message(&shop.clock, 1, "Hello")).await.map(drop);
        for failed in [check(&shop).await.map(drop), sent] {
            let failure = failed.unwrap_err();
            assert!(
                matches!(failure, Failure::Misconfigured { .. }),
                "{failure:?}"
            );
            assert!(failure.reason().starts_with("apiBase: "), "{failure}");
            assert!(failure.reason().contains("private address"), "{failure}");
        }
        shop.clock.pass(chrono::TimeDelta::seconds(30));
    }
    assert!(shop.twilio.calls().is_empty());
}
