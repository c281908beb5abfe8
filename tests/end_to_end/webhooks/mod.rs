//! Webhooks: what happens is posted, signed, to the endpoints that chose it, until they have it.

mod receiver;
mod stage;

use chrono::{DateTime, TimeDelta, Utc};
use domain::actor::Role;
use serde_json::{Value, json};
use test_support::{Client, invariants};

use self::stage::{SET, Stage};

const ROTATE: &str = "mutation($id: ID!) { rotateWebhookSecret(id: $id) { endpoint { secret } problems { code path } } }";
const REPLAY: &str = "mutation($endpoint: ID!, $from: DateTime!, $to: DateTime!) {
    replayWebhooks(endpointId: $endpoint, from: $from, to: $to) }";
const REPLAY_ONE: &str = "mutation($endpoint: ID!, $event: ID!) {
    replayWebhook(endpointId: $endpoint, eventId: $event) { delivery { id status } problems { code path } } }";

#[tokio::test]
async fn what_an_endpoint_chose_is_posted_to_it_signed_and_in_order() {
    let mut stage = Stage::new().await;
    let all = stage.endpoint("all", &["*"]).await;
    let cancelled = stage.endpoint("cancelled", &["booking.cancelled"]).await;
    let booking = stage.book("2027-03-02T10:00:00Z").await;
    stage.cancel(&booking).await;
    stage.deliveries.until(3, "status = 'delivered'").await;

    let posted = stage.receiver.posted("all", 2).await;
    let kinds: Vec<Value> = posted
        .iter()
        .map(|one| one.json()["type"].clone())
        .collect();
    assert_eq!(kinds, ["booking.confirmed", "booking.cancelled"]);
    let secret = all["secret"].as_str().unwrap();
    for one in &posted {
        assert!(one.is_signed_by(secret));
        assert_eq!(one.json()["id"], one.id);
        assert_eq!(one.timestamp, stage.app.world.clock.now().timestamp());
    }
    let chosen = &stage.receiver.posted("cancelled", 1).await[0];
    assert_eq!(chosen.id, posted[1].id, "an event has one id everywhere");
    assert_eq!(chosen.body, posted[1].body);
    assert!(chosen.is_signed_by(cancelled["secret"].as_str().unwrap()));
    assert!(
        !chosen.is_signed_by(secret),
        "every endpoint has a secret of its own"
    );

    let told = chosen.json();
    assert_eq!(told["version"], 1);
    assert_eq!(told["data"]["booking"]["id"], json!(booking));
    assert_eq!(told["data"]["booking"]["status"], "CANCELLED");
    assert_eq!(told["data"]["booking"]["reason"], "Rain");
    assert_eq!(
        told["data"]["booking"]["price"],
        json!({ "amount": 3000, "currency": "GBP" })
    );
    assert_eq!(
        told["data"]["booking"]["customer"]["email"],
        "eve@example.com"
    );
    assert_eq!(told["data"]["booking"]["startsAt"], "2027-03-02T10:00:00Z");
    assert_eq!(stage.receiver.count("cancelled"), 1);
    assert_eq!(invariants(&stage.app.world.url).await.unwrap(), []);
    stage.app.stop().await;
}

#[tokio::test]
async fn a_secret_is_shown_once_and_an_old_one_signs_along_for_a_day() {
    let mut stage = Stage::new().await;
    let input =
        json!({ "url": stage.receiver.url("a"), "events": ["booking.*"], "idempotencyKey": "k" });
    let made = stage.set(input.clone()).await;
    let again = stage.set(input.clone()).await;
    assert_eq!(made, again, "a repeat answers the same");
    let endpoint = &made["endpoint"];
    let old = endpoint["secret"].as_str().unwrap().to_owned();
    assert_eq!(stage.listed(endpoint).await["secret"], Value::Null);
    let changed =
        json!({ "id": endpoint["id"], "url": stage.receiver.url("b"), "events": ["booking.*"] });
    assert_eq!(stage.set(changed).await["endpoint"]["secret"], Value::Null);

    let id = json!({ "id": endpoint["id"] });
    let rotated = stage.owner.data(ROTATE, id.clone()).await["rotateWebhookSecret"].take();
    let new = rotated["endpoint"]["secret"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    let repeated = stage.set(input).await;
    assert_eq!(
        repeated["endpoint"]["secret"],
        Value::Null,
        "it is not the secret any more"
    );

    stage.book("2027-03-02T10:00:00Z").await;
    let first = stage.receiver.posted("b", 1).await.remove(0);
    assert!(first.is_signed_by(&new) && first.is_signed_by(&old));
    assert!(first.signatures.len() == 2, "{:?}", first.signatures);
    stage.deliveries.until(1, "status = 'delivered'").await;
    stage.app.world.clock.advance(TimeDelta::days(1));
    stage.book("2027-03-03T10:00:00Z").await;
    let second = stage.receiver.posted("b", 2).await.remove(1);
    assert!(second.is_signed_by(&new) && !second.is_signed_by(&old));

    let database = test_support::connect(&stage.app.world.url).await;
    let stored = "SELECT (SELECT string_agg(w::text, '') FROM webhook_endpoint w) || (SELECT string_agg(i::text, '') FROM idempotency i)";
    let stored: String = database.query_one(stored, &[]).await.unwrap().get(0);
    assert!(
        !stored.contains("whsec_"),
        "no secret is stored in the clear"
    );
    stage.app.stop().await;
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_tried_for_three_days_and_the_others_do_not_wait_for_it() {
    let mut stage = Stage::new().await;
    let down = stage.endpoint("down", &["booking.*"]).await;
    stage.endpoint("up", &["*"]).await;
    stage.receiver.answer("down", 500);
    let began = stage.app.world.clock.now();
    stage.book("2027-03-02T10:00:00Z").await;
    stage.receiver.posted("up", 1).await;
    let mut tried = 1;
    // An attempt fails, and its time comes, and the next one fails.
    loop {
        stage.receiver.posted("down", tried).await;
        let failed = format!("lease_id IS NULL AND attempts = {tried} AND last_error IS NOT NULL");
        stage.deliveries.until(1, &failed).await;
        let database = test_support::connect(&stage.app.world.url).await;
        let query = "SELECT ceil(extract(epoch FROM next_attempt_at))::bigint FROM delivery WHERE status = 'waiting'";
        let Some(row) = database.query_opt(query, &[]).await.unwrap() else {
            break;
        };
        let clock = &stage.app.world.clock;
        let next = DateTime::<Utc>::from_timestamp(row.get(0), 0).unwrap();
        clock.set(next.max(clock.now() + TimeDelta::minutes(5)));
        tried += 1;
    }
    let lasted = stage.app.world.clock.now() - began;
    assert!(
        lasted >= TimeDelta::hours(72),
        "{tried} attempts in {lasted}"
    );
    let posted = stage.receiver.posted("down", tried).await;
    assert!(
        posted
            .iter()
            .all(|one| one.id == posted[0].id && one.body == posted[0].body),
        "a repeat says the same under the same id"
    );
    let listed = stage.listed(&down).await;
    assert_eq!(listed["lastError"], "127.0.0.1 answered 500");
    assert!(listed["failingSince"].is_string() && listed["enabled"] == true);
    let query = "{ deliveries(filter: { statuses: [PARKED] }) { nodes { plugin event attempts { ok error } } } }";
    let data = stage.owner.data(query, json!({})).await;
    let parked = &data["deliveries"]["nodes"];
    assert_eq!(parked[0]["attempts"].as_array().unwrap().len(), tried);
    assert_eq!(parked[0]["plugin"], "webhooks");

    // What failed is sent again by hand, and the endpoint is well.
    stage.receiver.answer("down", 200);
    let span = json!({ "endpoint": down["id"], "from": began, "to": began + TimeDelta::hours(1) });
    assert_eq!(stage.owner.data(REPLAY, span).await["replayWebhooks"], 1);
    stage.deliveries.until(2, "status = 'delivered'").await;
    assert_eq!(stage.listed(&down).await["failingSince"], Value::Null);
    assert_eq!(stage.receiver.count("up"), 1);
    stage.app.stop().await;
}

#[tokio::test]
async fn only_days_of_failure_pause_an_endpoint_and_everybody_is_told() {
    let mut stage = Stage::new().await;
    let down = stage.endpoint("down", &["booking.*"]).await;
    stage.endpoint("up", &["webhook.paused"]).await;
    stage.receiver.answer("down", 503);
    for (day, tried) in [(2, 1), (4, 2), (6, 3)] {
        stage.book(&format!("2027-03-0{day}T10:00:00Z")).await;
        stage.receiver.posted("down", tried).await;
    }
    stage
        .deliveries
        .until(3, "last_error IS NOT NULL AND lease_id IS NULL")
        .await;
    let clock = stage.app.world.clock.clone();
    // Each passes its rest, until it is hopeless.
    for half_day in 1.. {
        let tried = stage.receiver.count("down");
        clock.advance(TimeDelta::hours(12));
        stage.receiver.posted("down", tried + 1).await;
        stage.deliveries.until(0, "lease_id IS NOT NULL").await;
        if stage.listed(&down).await["enabled"] == false {
            break;
        }
        assert!(half_day < 60, "it is never paused");
    }
    let listed = stage.listed(&down).await;
    assert!(listed["pausedAt"].is_string());
    let told = stage.receiver.posted("up", 1).await;
    assert_eq!(told[0].json()["data"]["webhookEndpointId"], down["id"]);
    // Nothing more is written for it, and nothing more posted.
    let posted = stage.receiver.count("down");
    stage.book("2027-03-12T10:00:00Z").await;
    clock.advance(TimeDelta::hours(12));
    stage.deliveries.until(0, "status = 'waiting'").await;
    assert_eq!(stage.receiver.count("down"), posted);
    // Switched on again it begins anew.
    stage.receiver.answer("down", 200);
    let on =
        json!({ "id": down["id"], "url": stage.receiver.url("down"), "events": ["booking.*"] });
    let on = stage.set(on).await["endpoint"].clone();
    assert_eq!(
        (&on["enabled"], &on["pausedAt"], &on["failingSince"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    stage.book("2027-03-13T10:00:00Z").await;
    stage.receiver.posted("down", posted + 1).await;
    assert_eq!(stage.receiver.count("up"), 1);
    stage.app.stop().await;
}

#[tokio::test]
async fn failures_before_a_long_silence_do_not_count() {
    let mut stage = Stage::new().await;
    let endpoint = stage.endpoint("down", &["booking.*"]).await;
    // One event failed for days, was parked, and nothing has happened since.
    let database = test_support::connect(&stage.app.world.url).await;
    let failing = "INSERT INTO webhook_health (business_id, endpoint_id, failures_in_row, failing_since, resting_until, last_error)
        SELECT business_id, id, 20, '2027-02-05', '2027-02-08', 'no' FROM webhook_endpoint";
    database.execute(failing, &[]).await.unwrap();
    stage.receiver.answer("down", 502);
    stage.book("2027-03-02T10:00:00Z").await;
    let failed = "last_error IS NOT NULL AND lease_id IS NULL";
    stage.deliveries.until(1, failed).await;
    let query = "SELECT failures_in_row, resting_until IS NULL FROM webhook_health";
    let row = database.query_one(query, &[]).await.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (1, true));
    let listed = stage.listed(&endpoint).await;
    assert_eq!(
        (&listed["enabled"], &listed["failingSince"]),
        (&json!(true), &json!("2027-03-01T08:00:00+00:00"))
    );
    stage.app.stop().await;
}

#[tokio::test]
async fn failures_at_the_same_time_are_all_counted() {
    let mut stage = Stage::new().await;
    stage.endpoint("down", &["booking.*"]).await;
    stage.receiver.answer("down", 503);
    stage.receiver.answer_together("down", 6);
    for hour in 9..15 {
        stage.book(&format!("2027-03-02T{hour:02}:00:00Z")).await;
    }
    let failed = "last_error IS NOT NULL AND lease_id IS NULL";
    stage.deliveries.until(6, failed).await;
    let database = test_support::connect(&stage.app.world.url).await;
    let query = "SELECT failures_in_row, ceil(extract(epoch FROM resting_until))::bigint FROM webhook_health";
    let row = database.query_one(query, &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 6);
    let rests_until = stage.app.world.clock.now() + TimeDelta::seconds(20);
    assert_eq!(row.get::<_, Option<i64>>(1), Some(rests_until.timestamp()));
    // One that works counts for all of them.
    stage.receiver.answer("down", 204);
    stage.app.world.clock.advance(TimeDelta::hours(1));
    stage.deliveries.until(6, "status = 'delivered'").await;
    let query = "SELECT FROM webhook_health";
    assert!(database.query(query, &[]).await.unwrap().is_empty());
    stage.app.stop().await;
}

#[tokio::test]
async fn one_event_or_a_span_of_time_is_posted_again() {
    let mut stage = Stage::new().await;
    let began = stage.app.world.clock.now();
    let early = stage.book("2027-03-02T10:00:00Z").await;
    stage.app.world.clock.advance(TimeDelta::hours(1));
    // It was made after the first booking: that one can be posted to it, too.
    let endpoint = stage.endpoint("a", &["booking.confirmed"]).await;
    stage.book("2027-03-02T11:00:00Z").await;
    stage.cancel(&early).await;
    let first = stage.receiver.posted("a", 1).await.remove(0);
    // What is being posted is not posted again: until that is noted, too.
    stage.deliveries.until(1, "status = 'delivered'").await;
    let span = |from, to| json!({ "endpoint": endpoint["id"], "from": began + TimeDelta::minutes(from), "to": began + TimeDelta::minutes(to) });
    let replayed = stage.owner.data(REPLAY, span(0, 120)).await;
    assert_eq!(replayed["replayWebhooks"], 2, "two were confirmed");
    let posted = stage.receiver.posted("a", 3).await;
    assert!(
        posted[1..]
            .iter()
            .any(|one| one.json()["data"]["booking"]["id"] == json!(early))
    );
    assert!(
        posted[1..]
            .iter()
            .any(|one| one.id == first.id && one.body == first.body)
    );
    stage.deliveries.until(2, "status = 'delivered'").await;
    let replayed = stage.owner.data(REPLAY, span(0, 60)).await;
    assert_eq!(replayed["replayWebhooks"], 1, "the end is exclusive");
    stage.receiver.posted("a", 4).await;

    let one = json!({ "endpoint": endpoint["id"], "event": first.id });
    let one = stage.owner.data(REPLAY_ONE, one).await;
    assert_eq!(one["replayWebhook"]["problems"], json!([]));
    assert!(one["replayWebhook"]["delivery"]["id"].is_string());
    assert_eq!(stage.receiver.posted("a", 5).await[4].id, first.id);

    let backwards = stage.owner.send(REPLAY, span(60, 0)).await;
    assert_eq!(backwards["errors"][0]["extensions"]["path"], json!(["to"]));
    let database = test_support::connect(&stage.app.world.url).await;
    let cancelled = "SELECT payload ->> 'id' FROM event WHERE kind = 'booking.cancelled'";
    let cancelled: String = database.query_one(cancelled, &[]).await.unwrap().get(0);
    let refused = json!({ "endpoint": endpoint["id"], "event": cancelled });
    let refused = stage.owner.data(REPLAY_ONE, refused).await;
    let problem = json!([{ "code": "INVALID", "path": ["eventId"] }]);
    assert_eq!(refused["replayWebhook"]["problems"], problem);
    stage.app.stop().await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_its_place_and_another_business_has_no_endpoint_here() {
    let stage = Stage::with(false).await;
    for (url, events, place) in [
        ("http://127.0.0.1:9/", vec!["*"], "url"),
        ("http://169.254.169.254/latest", vec!["*"], "url"),
        ("http://[::1]/", vec!["*"], "url"),
        ("file:///etc/passwd", vec!["*"], "url"),
        ("example.com", vec!["*"], "url"),
        ("https://user:hunter2@example.com/", vec!["*"], "url"),
        ("", vec!["*"], "url"),
        ("https://example.com/", vec![], "events"),
        (
            "https://example.com/",
            vec!["booking.confirmed", "nonsense"],
            "events",
        ),
        ("https://example.com/", vec!["payment.called"], "events"),
    ] {
        let set = stage.set(json!({ "url": url, "events": events })).await;
        assert_eq!(set["endpoint"], Value::Null, "{url} {events:?}");
        assert_eq!(set["problems"][0]["code"], "INVALID");
        assert_eq!(set["problems"][0]["path"][1], place, "{set:#}");
        assert!(!set.to_string().contains("hunter2"));
    }
    let fine = json!({ "url": "https://example.com/hook", "events": ["*"] });
    let endpoint = stage.set(fine.clone()).await["endpoint"].clone();

    let world = stage.app.world.another_business("other").await;
    let token = world.token(Role::Owner, None).await;
    let stranger = Client::new(stage.app.address, "other", Some(&token));
    let mut theirs = fine;
    theirs["id"] = endpoint["id"].clone();
    let set = stranger.data(SET, json!({ "input": theirs })).await;
    assert_eq!(
        set["setWebhookEndpoint"]["problems"][0]["code"],
        "NOT_FOUND"
    );
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let id = json!({ "id": endpoint["id"] });
    assert_eq!(stranger.data(node, id.clone()).await["node"], Value::Null);
    assert_eq!(
        stage.owner.data(node, id).await["node"],
        json!({ "id": endpoint["id"] })
    );
    stage.app.stop().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_private_address_is_not_talked_to() {
    let mut stage = Stage::new().await;
    let endpoint = stage.endpoint("moved", &["*"]).await;
    stage.receiver.answer("moved", 302);
    stage.book("2027-03-02T10:00:00Z").await;
    stage
        .deliveries
        .until(1, "last_error LIKE '%redirects are not followed'")
        .await;
    assert_eq!(stage.receiver.count("elsewhere"), 0);
    let listed = stage.listed(&endpoint).await;
    assert!(listed["lastError"].as_str().unwrap().contains("302"));
    stage.app.stop().await;

    // A name that leads to this machine passes where it is set, and not where it is resolved.
    let mut stage = Stage::with(false).await;
    let url = stage
        .receiver
        .url("inside")
        .replace("127.0.0.1", "localhost");
    let set = stage.set(json!({ "url": url, "events": ["*"] })).await;
    assert_eq!(set["problems"], json!([]));
    stage.book("2027-03-02T10:00:00Z").await;
    stage
        .deliveries
        .until(1, "last_error LIKE 'url: %private%'")
        .await;
    assert_eq!(stage.receiver.count("inside"), 0);
    stage.app.stop().await;
}
