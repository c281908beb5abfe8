//! The fake as a client sees it: what Google documents, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

mod oauth;

use chrono::{DateTime, TimeDelta, Utc};
use fake_google::{Call, FakeGoogle, Fault};
use reqwest::Method;
use serde_json::{Value, json};

const MARIA: &str = "maria@aurora.example";
const EVENT: &str = "abc0123";

/// For plain HTTP to this machine; a provider of TLS is asked for all the same.
fn http_client() -> reqwest::Client {
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none());
    builder.build().unwrap()
}

struct Client {
    google: FakeGoogle,
    token: String,
}

impl Client {
    async fn new() -> Self {
        let google = FakeGoogle::start().await.unwrap();
        google.add_account(MARIA, "Europe/London");
        let refresh = google.refresh_token(MARIA);
        let form = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
        let (status, answer) = token(&google, &form).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { google, token }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call_if(method, path, body, None).await
    }

    async fn call_if(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.google.api_base());
        let mut request = http_client().request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(etag) = if_match {
            request = request.header("if-match", etag);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn events(&self, query: &str) -> (u16, Value) {
        let path = format!("/calendars/primary/events?{query}");
        self.call(Method::GET, &path, None).await
    }

    async fn insert(&self, event: &Value) -> (u16, Value) {
        self.call(Method::POST, "/calendars/primary/events", Some(event))
            .await
    }

    async fn update(&self, event: &Value, if_match: Option<&str>) -> (u16, Value) {
        let path = format!("/calendars/primary/events/{EVENT}");
        self.call_if(Method::PUT, &path, Some(event), if_match)
            .await
    }
}

/// Asks for a token as the client.
async fn token(google: &FakeGoogle, form: &[(&str, &str)]) -> (u16, Value) {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .extend_pairs([
            ("client_id", google.client_id()),
            ("client_secret", google.client_secret()),
        ])
        .finish();
    let request = http_client()
        .post(google.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn noon() -> DateTime<Utc> {
    "2027-03-01T12:00:00Z".parse().unwrap()
}

fn event(start: &str, end: &str) -> Value {
    json!({ "id": EVENT, "summary": "Tea", "start": { "dateTime": start, "timeZone": "Europe/London" }, "end": { "dateTime": end } })
}

fn tea() -> Value {
    event("2027-03-01T12:00:00Z", "2027-03-01T13:00:00Z")
}

fn reason(answer: &(u16, Value)) -> (u16, &str) {
    let reason = answer.1["error"]["errors"][0]["reason"].as_str();
    (answer.0, reason.unwrap_or_default())
}

#[tokio::test]
async fn an_id_is_taken_once_even_by_an_event_that_was_deleted() {
    let client = Client::new().await;
    let made = client.insert(&tea()).await;
    assert_eq!((made.0, &made.1["sequence"]), (200, &json!(0)));
    assert_eq!(reason(&client.insert(&tea()).await), (409, "duplicate"));
    let path = format!("/calendars/primary/events/{EVENT}");
    assert_eq!(client.call(Method::DELETE, &path, None).await.0, 204);
    let again = client.call(Method::DELETE, &path, None).await;
    assert_eq!(reason(&again), (410, "deleted"));
    assert_eq!(reason(&client.insert(&tea()).await), (409, "duplicate"));
    let there = client.call(Method::GET, &path, None).await;
    assert_eq!(there.1["status"], "cancelled");
    let missing = client
        .call(Method::GET, "/calendars/primary/events/nothing", None)
        .await;
    assert_eq!(reason(&missing), (404, "notFound"));

    // Written whole with the sequence that it has, it is there again.
    let mut revived = tea();
    revived["sequence"] = there.1["sequence"].clone();
    let revived = client.update(&revived, None).await;
    assert_eq!(
        (revived.0, &revived.1["status"]),
        (200, &json!("confirmed"))
    );
    assert_eq!(reason(&client.update(&tea(), None).await), (400, "invalid"));
}

#[tokio::test]
async fn an_etag_names_one_state() {
    let client = Client::new().await;
    let first = client.insert(&tea()).await.1["etag"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = client.update(&tea(), Some(&first)).await;
    assert_eq!(second.0, 200);
    assert_ne!(second.1["etag"], first.as_str());
    let stale = client.update(&tea(), Some(&first)).await;
    assert_eq!(reason(&stale), (412, "conditionNotMet"));
    let path = format!("/calendars/primary/events/{EVENT}");
    let cake = json!({ "summary": "Cake", "location": "Here" });
    let patched = client.call(Method::PATCH, &path, Some(&cake)).await;
    assert_eq!(patched.1["summary"], "Cake");
    assert_eq!(patched.1["start"], second.1["start"]);
    let deleted = client
        .call_if(Method::DELETE, &path, None, Some(&first))
        .await;
    assert_eq!(reason(&deleted), (412, "conditionNotMet"));
}

#[tokio::test]
async fn what_is_not_documented_is_refused() {
    let client = Client::new().await;
    let with = |name: &str, value: Value| {
        let mut event = tea();
        event[name] = value;
        event
    };
    for (event, expected) in [
        (with("booking", json!(1)), "invalid"),
        (with("id", json!("UPPER")), "invalid"),
        (with("id", json!("wxyz0")), "invalid"),
        (with("id", json!("abc")), "invalid"),
        (with("end", json!(null)), "required"),
        (
            with("end", json!({ "date": "2027-03-02" })),
            "timeRangeEmpty",
        ),
        (
            with("end", json!({ "dateTime": "2027-03-01T11:00:00Z" })),
            "timeRangeEmpty",
        ),
        (with("start", json!({ "dateTime": "noon" })), "invalid"),
        (
            with(
                "start",
                json!({ "dateTime": "2027-03-01T12:00:00Z", "timeZone": "London" }),
            ),
            "invalid",
        ),
        (with("status", json!("done")), "invalid"),
    ] {
        let answer = client.insert(&event).await;
        assert_eq!(reason(&answer), (400, expected), "{event}");
    }
    assert_eq!(client.events("order=start").await.0, 400);
    assert_eq!(client.events("maxResults=2501").await.0, 400);
    assert_eq!(client.events("fields=items(id").await.0, 400);
    assert_eq!(client.events("pageToken=x").await.0, 400);
    let elsewhere = client.call(Method::GET, "/calendars/x/events", None).await;
    assert_eq!(reason(&elsewhere), (404, "notFound"));
    assert_eq!(client.call(Method::GET, "/colours", None).await.0, 404);
    let nobody = http_client().get(format!(
        "{}/users/me/calendarList",
        client.google.api_base()
    ));
    assert_eq!(
        nobody.bearer_auth("ya29.x").send().await.unwrap().status(),
        401
    );
}

#[tokio::test]
async fn a_sync_token_goes_on_from_where_it_was_given() {
    let client = Client::new().await;
    client.insert(&tea()).await;
    let query = "singleEvents=true&timeMin=2027-02-01T00:00:00Z&timeMax=2027-04-01T00:00:00Z";
    let (status, first) = client.events(query).await;
    assert_eq!((status, first["items"].as_array().unwrap().len()), (200, 1));
    let token = first["nextSyncToken"].as_str().unwrap().to_owned();
    let on = format!("singleEvents=true&syncToken={token}");
    assert_eq!(client.events(&on).await.1["items"], json!([]));
    client.google.delete_event(MARIA, EVENT).unwrap();
    let changed = client.events(&on).await.1;
    assert_eq!(changed["items"][0]["status"], "cancelled");
    assert!(changed["items"][0]["summary"].is_null());
    for wrong in [
        format!("{on}&timeMin=2027-02-01T00:00:00Z"),
        format!("{on}&showDeleted=false"),
        format!("syncToken={token}"),
    ] {
        assert_eq!(client.events(&wrong).await.0, 400, "{wrong}");
    }
    client.google.expire_sync_tokens();
    let expired = client.events(&on).await;
    assert_eq!(reason(&expired), (410, "fullSyncRequired"));
}

#[tokio::test]
async fn a_page_token_goes_with_what_was_asked_first() {
    let client = Client::new().await;
    for days in 0..3 {
        let start = noon() + TimeDelta::days(days);
        let end = start + TimeDelta::hours(1);
        client.google.put_busy(MARIA, start, end).unwrap();
    }
    let fields = "maxResults=2&fields=nextPageToken,nextSyncToken,items(id,start/dateTime)";
    let first = client.events(fields).await.1;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        first["items"][0]["start"],
        json!({ "dateTime": "2027-03-01T12:00:00Z" })
    );
    assert!(first["nextSyncToken"].is_null() && first["timeZone"].is_null());
    let token = first["nextPageToken"].as_str().unwrap();
    assert_eq!(client.events(&format!("pageToken={token}")).await.0, 400);
    let last = client
        .events(&format!("{fields}&pageToken={token}"))
        .await
        .1;
    assert_eq!(last["items"].as_array().unwrap().len(), 1);
    assert!(last["nextSyncToken"].is_string());
}

#[tokio::test]
async fn recurring_events_are_expanded_by_the_clocks_of_their_zone() {
    let client = Client::new().await;
    let daily = json!({
        "id": EVENT, "start": { "dateTime": "2027-03-27T09:00:00", "timeZone": "Europe/London" },
        "end": { "dateTime": "2027-03-27T10:00:00", "timeZone": "Europe/London" }, "recurrence": ["RRULE:FREQ=DAILY;UNTIL=20270329T235959Z"]
    });
    assert_eq!(client.insert(&daily).await.0, 200);
    let single = client.events("singleEvents=true").await.1;
    let starts: Vec<&str> = single["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["start"]["dateTime"].as_str().unwrap())
        .collect();
    // The clocks are moved in the night to 28 March.
    assert_eq!(
        starts,
        [
            "2027-03-27T09:00:00Z",
            "2027-03-28T09:00:00+01:00",
            "2027-03-29T09:00:00+01:00"
        ]
    );
    let whole = client.events("singleEvents=false").await.1;
    assert_eq!(whole["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_channel_greets_and_ends() {
    let client = Client::new().await;
    client.google.set_now(noon());
    let open = json!({
        "id": "c-1", "type": "web_hook", "token": "t", "address": "http://127.0.0.1:1/hook", "params": { "ttl": "3600" }
    });
    let watch = async || {
        let path = "/calendars/primary/events/watch";
        client.call(Method::POST, path, Some(&open)).await
    };
    let (status, opened) = watch().await;
    assert_eq!(status, 200, "{opened}");
    let expires = (noon() + TimeDelta::hours(1)).timestamp_millis();
    assert_eq!(opened["expiration"], expires.to_string());
    assert_eq!(reason(&watch().await), (400, "channelIdNotUnique"));
    client.insert(&tea()).await;
    client.google.notified(2).await;
    let made = client.google.notifications();
    let told: Vec<(u64, &str)> = made
        .iter()
        .map(|call| (call.number, call.state.as_str()))
        .collect();
    assert_eq!(told, [(1, "sync"), (2, "exists")]);
    assert_eq!(made[0].status, None, "nobody listens there");

    client.google.be_silent(true);
    client.google.delete_event(MARIA, EVENT).unwrap();
    client.google.be_silent(false);
    client.google.set_now(noon() + TimeDelta::hours(1));
    client
        .google
        .put_busy(MARIA, noon(), noon() + TimeDelta::hours(1))
        .unwrap();
    assert_eq!(client.google.notifications().len(), 2);

    let stop = json!({ "id": "c-1", "resourceId": opened["resourceId"] });
    let other = json!({ "id": "c-1", "resourceId": "other" });
    let path = "/channels/stop";
    assert_eq!(client.call(Method::POST, path, Some(&other)).await.0, 404);
    assert_eq!(client.call(Method::POST, path, Some(&stop)).await.0, 204);
    assert_eq!(client.call(Method::POST, path, Some(&stop)).await.0, 404);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_act() {
    let client = Client::new().await;
    client.google.fault(Call::InsertEvent, Fault::AnswerLost);
    let url = format!("{}/calendars/primary/events", client.google.api_base());
    let request = http_client().post(url).bearer_auth(&client.token);
    let is_lost = match request.json(&tea()).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(is_lost);
    assert_eq!(client.google.events(MARIA).len(), 1);
    assert_eq!(client.google.count(Call::InsertEvent), 1);
}

#[tokio::test]
async fn it_ends_with_its_value() {
    let google = FakeGoogle::start().await.unwrap();
    let url = google.token_url();
    drop(google);
    // The task is told to end; until it has, the port may still take a connection and then says nothing.
    while http_client().get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_can_be_held_back() {
    let client = Client::new().await;
    client.google.hold(Call::ListEvents, 1);
    assert_eq!(client.events("singleEvents=true").await.0, 200);
    let release = async {
        client.google.held(1).await;
        let made = client
            .google
            .put_busy(MARIA, noon(), noon() + TimeDelta::hours(1));
        made.unwrap();
        client.google.let_go();
    };
    let ((status, list), ()) = tokio::join!(client.events("singleEvents=true"), release);
    assert_eq!(
        (status, &list["items"]),
        (200, &json!([])),
        "as it was then"
    );
    let (_, list) = client.events("singleEvents=true").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}
