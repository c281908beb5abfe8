//! The fake as a client sees it: what Twilio documents, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

use chrono::TimeDelta;
use fake_twilio::{ACCOUNT, AUTH_TOKEN, Call, FROM, FakeTwilio, Fault, SERVICE};
use serde_json::{Value, json};

type Pairs<'a> = &'a [(&'a str, &'a str)];

const TO: &str = "+447400123456";

/// For plain HTTP to this machine; a provider of TLS is asked for all the same.
fn http_client() -> reqwest::Client {
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().tls_certs_only([]);
    builder.build().unwrap()
}

async fn call(request: reqwest::RequestBuilder) -> (u16, Value) {
    let request = request.basic_auth(ACCOUNT, Some(AUTH_TOKEN));
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn create(twilio: &FakeTwilio, form: Pairs<'_>) -> (u16, Value) {
    let url = format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        twilio.base()
    );
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    call(http_client().post(url).body(body)).await
}

async fn get(twilio: &FakeTwilio, path: &str) -> (u16, Value) {
    call(http_client().get(format!("{}{path}", twilio.base()))).await
}

#[tokio::test]
async fn messages_are_created_fetched_and_listed_page_by_page() {
    let twilio = FakeTwilio::start().await.unwrap();
    let mut sids = Vec::new();
    for number in 0..5 {
        let body = number.to_string();
        let (status, made) = create(&twilio, &[("To", TO), ("From", FROM), ("Body", &body)]).await;
        assert_eq!((status, &made["status"]), (201, &json!("queued")));
        sids.push(made["sid"].as_str().unwrap().to_owned());
    }
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}.json", sids[2]);
    assert_eq!(get(&twilio, &path).await.1["body"], json!("2"));
    let mut found = Vec::new();
    let mut next = json!(format!(
        "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B447400123456&PageSize=2"
    ));
    while let Some(path) = next.as_str() {
        let (_, page) = get(&twilio, path).await;
        let messages = page["messages"].as_array().unwrap().iter();
        found.extend(messages.map(|message| message["sid"].as_str().unwrap().to_owned()));
        next = page["next_page_uri"].clone();
    }
    sids.reverse();
    assert_eq!(found, sids, "the latest first");
}

#[tokio::test]
async fn what_waits_is_on_no_day() {
    let twilio = FakeTwilio::start().await.unwrap();
    let (_, made) = create(&twilio, &[("To", TO), ("From", FROM), ("Body", "Hello")]).await;
    let sid = made["sid"].as_str().unwrap();
    let listed = async |query: &str| {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{query}");
        get(&twilio, &path).await.1["messages"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(listed("DateSent>=2000-01-01").await, 0);
    assert_eq!(listed("").await, 1);
    twilio.set_status(sid, "sent", None).unwrap();
    let day = twilio.message(sid)["date_sent"].clone();
    assert!(day.is_string());
    assert_eq!(listed("DateSent>=2000-01-01").await, 1);
    assert_eq!(listed("DateSent<=2000-01-01").await, 0);
    assert_eq!(listed("To=%2B1&DateSent>=2000-01-01").await, 0);
}

#[tokio::test]
async fn what_twilio_refuses_is_refused_by_its_codes() {
    let twilio = FakeTwilio::start().await.unwrap();
    twilio.receive("+447400123457", "Stop", "http://h/");
    for (code, form) in [
        (21604, &[("From", FROM), ("Body", "x")][..]),
        (21602, &[("To", TO), ("From", FROM)]),
        (21603, &[("To", TO), ("Body", "x")]),
        (
            21211,
            &[("To", "+15005550001"), ("From", FROM), ("Body", "x")],
        ),
        (21211, &[("To", "Jo"), ("From", FROM), ("Body", "x")]),
        (
            21614,
            &[("To", "+15005550009"), ("From", FROM), ("Body", "x")],
        ),
        (
            21610,
            &[("To", "+447400123457"), ("From", FROM), ("Body", "x")],
        ),
        (
            21606,
            &[("To", TO), ("From", "+15005550007"), ("Body", "x")],
        ),
        (
            21701,
            &[("To", TO), ("MessagingServiceSid", "MG1"), ("Body", "x")],
        ),
        (
            21609,
            &[
                ("To", TO),
                ("From", FROM),
                ("Body", "x"),
                ("StatusCallback", "h"),
            ],
        ),
        (
            20001,
            &[("To", TO), ("From", FROM), ("Body", "x"), ("Bdoy", "x")],
        ),
    ] {
        let (status, error) = create(&twilio, form).await;
        assert_eq!((status, &error["code"]), (400, &json!(code)), "{form:?}");
    }
    assert_eq!(twilio.sent(), []);
    twilio.receive("+447400123457", "START", "http://h/");
    let form = [
        ("To", "+447400123457"),
        ("MessagingServiceSid", SERVICE),
        ("Body", "x"),
    ];
    assert_eq!(create(&twilio, &form).await.0, 201);
}

#[tokio::test]
async fn only_the_account_is_let_in() {
    let twilio = FakeTwilio::start().await.unwrap();
    let path = format!("{}/2010-04-01/Accounts/{ACCOUNT}.json", twilio.base());
    let other = http_client()
        .get(&path)
        .basic_auth(ACCOUNT, Some("other"))
        .send();
    assert_eq!(other.await.unwrap().status(), 401);
    assert_eq!(http_client().get(&path).send().await.unwrap().status(), 401);
    twilio.set_account_status("suspended");
    let (_, account) = get(&twilio, &format!("/2010-04-01/Accounts/{ACCOUNT}.json")).await;
    assert_eq!(account["status"], json!("suspended"));
    let (status, error) = get(&twilio, "/v1/Services/MG1").await;
    assert_eq!((status, &error["code"]), (404, &json!(20404)));
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_act_and_clocks_can_differ() {
    let twilio = FakeTwilio::start().await.unwrap();
    twilio.set_ahead(TimeDelta::days(1));
    twilio.fault(Call::CreateMessage, Fault::BadGateway);
    let url = format!(
        "{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        twilio.base()
    );
    let lost = http_client()
        .post(url)
        .basic_auth(ACCOUNT, Some(AUTH_TOKEN))
        .body("To=%2B447400123456&From=%2B15005550006&Body=x")
        .send()
        .await
        .unwrap();
    assert_eq!(lost.status(), 502);
    let date = lost.headers()["date"].to_str().unwrap().to_owned();
    let [sent] = twilio.sent().try_into().unwrap();
    let created = twilio.message(&sent.sid)["date_created"].clone();
    let created = created.as_str().unwrap().replace("+0000", "GMT");
    assert_eq!(created, date);
    assert_eq!(twilio.count(Call::CreateMessage), 1);
}

#[tokio::test]
async fn callbacks_are_posted_with_their_signature() {
    let twilio = FakeTwilio::start().await.unwrap();
    let other = FakeTwilio::start().await.unwrap();
    let callback = twilio.receive(TO, "Hello", &format!("{}/here", other.base()));
    let (status, _) = twilio.post(&callback).await.unwrap();
    // Whoever is there knows nothing of it; it did come.
    assert_eq!(status, 401);
    let [called] = other.calls().try_into().unwrap();
    assert_eq!(called.get("Body"), Some("Hello"));
    assert_eq!(called.get("SmsStatus"), Some("received"));
}
