//! Whoever looks after something is told by mail when it was switched off or cut off: an endpoint for webhooks, a calendar elsewhere.

use std::sync::Arc;
use std::time::Duration;

use engine::calendar::ConnectCalendar;
use engine::catalogue::service::ServiceInput;
use engine::plugin::ConfigurePlugin;
use engine::webhook::SetEndpoint;
use jobs::{JobOptions, Jobs};
use outbound::{Outbound, OutboundOptions};
use plugin_api::Message;
use serde_json::json;
use test_support::{ANNAS_TOKEN, Courier, Deliveries, Diary, World, WorldOptions};
use webhooks::Webhooks;

/// An endpoint at which nobody listens, and that has been so for days, until this morning.
async fn endpoint_that_fails(world: &World) {
    let endpoint = SetEndpoint {
        id: None,
        url: "http://127.0.0.1:1/hook".to_owned(),
        events: vec!["*".to_owned()],
        enabled: true,
    };
    let World { engine, owner, .. } = world;
    let set = engine.set_webhook_endpoint(owner, endpoint, None).await;
    set.unwrap();
    let database = test_support::connect(&world.url).await;
    let failing = "INSERT INTO webhook_health (business_id, endpoint_id, failures_in_row, failing_since, resting_until, last_error)
        SELECT business_id, id, 20, '2027-02-20', '2027-03-01', 'no' FROM webhook_endpoint";
    database.execute(failing, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_business_is_told_of_a_paused_endpoint_and_a_provider_of_their_calendar() {
    let options = OutboundOptions {
        allow_private: true,
        ..OutboundOptions::default()
    };
    let (courier, diary) = (Courier::of_mail(), Diary::new());
    let world = World::with(WorldOptions {
        plugins: vec![
            crate::notifications::composer(),
            courier.clone(),
            Arc::new(Webhooks(Outbound::new(options).unwrap())),
            diary.clone(),
        ],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let (engine, owner) = (&world.engine, &world.owner);
    let desk = ConfigurePlugin {
        name: "notifications".to_owned(),
        settings: json!({ "businessEmail": "desk@example.com" }),
        enabled: None,
    };
    engine.configure_plugin(owner, desk, None).await.unwrap();
    endpoint_that_fails(&world).await;
    let calendar = ConnectCalendar {
        provider_id: anna,
        plugin: "calendar-diary".to_owned(),
        refresh_token: Some(ANNAS_TOKEN.into()),
        read_from: None,
        write_to: None,
    };
    engine
        .connect_calendar(owner, calendar, None)
        .await
        .unwrap();
    diary.revoke(ANNAS_TOKEN, true);

    let booking = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    engine.book(owner, booking, None).await.unwrap();
    let jobs = JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    };
    let jobs = Jobs::start(engine.clone(), jobs);
    // Two mails of the booking, and two notices.
    let mails = courier.until(4).await;
    jobs.stop().await;
    let about = |words: &str| -> Message {
        let has = |mail: &&Message| mail.subject.as_deref().unwrap().contains(words);
        let found: Vec<&Message> = mails.iter().filter(has).collect();
        assert_eq!(found.len(), 1, "{words}: {mails:#?}");
        found[0].clone()
    };
    let paused = about("a webhook endpoint is switched off");
    assert_eq!(paused.to, "desk@example.com");
    assert!(paused.text.contains("http://127.0.0.1:1/hook"));
    let broken = about("the calendar of Anna is disconnected");
    assert_eq!(broken.to, "anna@example.com");
    let endpoints = engine.webhook_endpoints(owner).await.unwrap();
    assert!(!endpoints[0].endpoint.enabled && endpoints[0].endpoint.paused_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_for_which_nobody_has_an_address_is_parked_and_says_what_to_set() {
    let options = OutboundOptions {
        allow_private: true,
        ..OutboundOptions::default()
    };
    let world = World::with(WorldOptions {
        plugins: vec![
            crate::notifications::composer(),
            Courier::of_mail(),
            Arc::new(Webhooks(Outbound::new(options).unwrap())),
        ],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let (engine, owner) = (&world.engine, &world.owner);
    endpoint_that_fails(&world).await;
    let mut deliveries = Deliveries::watch(&world.url).await;
    let booking = world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    engine.book(owner, booking, None).await.unwrap();
    let jobs = JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    };
    let jobs = Jobs::start(engine.clone(), jobs);
    deliveries
        .until(1, "part = 'notice' AND finished_at IS NOT NULL")
        .await;
    jobs.stop().await;
    let database = test_support::connect(&world.url).await;
    let query = "SELECT status || ': ' || last_error FROM delivery WHERE part = 'notice'";
    let noted: String = database.query_one(query, &[]).await.unwrap().get(0);
    assert_eq!(
        noted,
        "parked: nobody is told: set `businessEmail` of the plugin `notifications`"
    );
}
