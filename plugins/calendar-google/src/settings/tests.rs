use plugin_api::contract;
use serde_json::json;

use super::*;

/// A key that is for nothing, in Google's file.
fn key() -> Value {
    json!({
        "type": "service_account", "client_email": "bookable@salon.iam.gserviceaccount.com", "private_key_id": "1",
        "private_key": include_str!("../../../../tests/fakes/google/src/service-account.pem"), "token_uri": "https://elsewhere.example/token"
    })
}

fn right() -> Value {
    json!({
        "clientId": "1-a.apps.googleusercontent.com", "clientSecret": "GOCSPX-hunter2", "serviceAccount": key(),
        "apiBase": "http://127.0.0.1:4242/calendar/v3", "tokenUrl": "http://127.0.0.1:4242/token",
        "pollSeconds": 60, "onExternalMove": "FOLLOW"
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut json = right();
    json[name] = value;
    json
}

fn account(json: Value) -> Account {
    Settings::from_json(json).unwrap().account().unwrap()
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let mut no_key = key();
    no_key["private_key"] = json!("hunter2");
    let mut a_user = key();
    a_user["type"] = json!("authorized_user");
    let wrong = [
        (json!({}), vec!["clientId"]),
        (json!({ "clientId": "1-a" }), vec!["clientSecret"]),
        (json!({ "clientSecret": "x" }), vec!["clientId"]),
        (with("clientId", json!("a b")), vec!["clientId"]),
        (with("clientId", json!(7)), vec!["clientId"]),
        (with("clientSecret", json!("a\r\nb")), vec!["clientSecret"]),
        (with("clientSecret", json!({})), vec!["clientSecret"]),
        (with("serviceAccount", json!(7)), vec!["serviceAccount"]),
        (with("serviceAccount", json!({})), vec!["serviceAccount"]),
        (with("serviceAccount", json!("{")), vec!["serviceAccount"]),
        (with("serviceAccount", no_key), vec!["serviceAccount"]),
        (with("serviceAccount", a_user), vec!["serviceAccount"]),
        (with("apiBase", json!("googleapis.com")), vec!["apiBase"]),
        (with("apiBase", json!("ftp://google.com")), vec!["apiBase"]),
        (
            with("apiBase", json!("https://u:p@google.com")),
            vec!["apiBase"],
        ),
        (
            with("tokenUrl", json!("https://google.com/?a")),
            vec!["tokenUrl"],
        ),
        (with("pollSeconds", json!(29)), vec!["pollSeconds"]),
        (with("pollSeconds", json!(86_401)), vec!["pollSeconds"]),
        (with("pollSeconds", json!("60")), vec!["pollSeconds"]),
        (
            with("onExternalMove", json!("follow")),
            vec!["onExternalMove"],
        ),
    ];
    contract::settings(Settings::from_json, right(), wrong);
}

#[test]
fn one_of_the_two_ways_is_enough() {
    let consent = account(json!({ "clientId": "1-a", "clientSecret": "x", "serviceAccount": "" }));
    assert!(consent.client.is_some() && consent.service.is_none());
    let own = account(json!({ "serviceAccount": key(), "clientId": "", "clientSecret": null }));
    assert!(own.client.is_none());
    let email = own.service.unwrap().email;
    assert_eq!(email, "bookable@salon.iam.gserviceaccount.com");
    let as_text = account(json!({ "serviceAccount": key().to_string() }));
    assert!(as_text.service.is_some());
}

#[test]
fn the_consent_page_follows_the_token_address() {
    let usual = account(json!({ "clientId": "1-a", "clientSecret": "x" }));
    assert_eq!(
        (
            usual.base.as_str(),
            usual.token_url.as_str(),
            usual.consent_page.as_str()
        ),
        (
            "https://www.googleapis.com/calendar/v3",
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/v2/auth"
        )
    );
    let other = account(right());
    assert_eq!(
        other.consent_page.as_str(),
        "http://127.0.0.1:4242/o/oauth2/v2/auth"
    );
    let slash = account(with("apiBase", json!("http://127.0.0.1:4242/calendar/v3/")));
    assert_eq!(slash.base, other.base);
}

#[test]
fn secrets_show_nowhere() {
    let settings = Settings::from_json(right()).unwrap();
    let shown = format!("{settings:?} {:?}", settings.account().unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("PRIVATE"));
    for wrong in [
        with("serviceAccount", json!("hunter2")),
        with("serviceAccount", json!({ "type": "hunter2" })),
        with("onExternalMove", json!("hunter2")),
    ] {
        let error = Settings::from_json(wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
