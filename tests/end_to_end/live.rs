//! What is pushed: over WebSocket, from whichever process a change was made in.

use chrono::TimeDelta;
use domain::actor::Role;
use engine::availability::AvailabilityQuestion;
use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use engine::live::CutOff;
use futures_util::StreamExt;
use serde_json::{Value, json};
use test_support::{App, Socket, World, at};

const WATCH: &str = "subscription($input: AvailabilityInput!) { availability(input: $input) {
    slots { startsAt } added { startsAt } removed } }";

async fn stage() -> (App, domain::id::ServiceId, Value) {
    let world = World::new().await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let input = json!({ "input": { "serviceId": service.to_string(), "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" } });
    (App::start(world).await, service, input)
}

fn question(service_id: domain::id::ServiceId) -> AvailabilityQuestion {
    AvailabilityQuestion {
        service_id,
        from: at("2027-03-02T00:00:00Z"),
        to: at("2027-03-03T00:00:00Z"),
        location_id: None,
        provider_ids: None,
        party_size: 1,
        reschedule_of: None,
    }
}

async fn change(socket: &mut Socket) -> (usize, Vec<String>, Vec<String>) {
    let data = socket.data().await;
    let update = &data["availability"];
    let texts = |list: &Value, field: Option<&str>| {
        let text = |value: &Value| {
            field.map_or(value, |field| &value[field]).as_str().unwrap()[11..16].to_owned()
        };
        list.as_array().unwrap().iter().map(text).collect()
    };
    let count = update["slots"].as_array().unwrap().len();
    (
        count,
        texts(&update["added"], Some("startsAt")),
        texts(&update["removed"], None),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_sees_slots_go_and_come_whichever_process_they_went_in() {
    let (app, service, input) = stage().await;
    let mut page = app.client().socket().await;
    page.subscribe("1", WATCH, input).await;
    assert_eq!(change(&mut page).await.0, 8);
    // Another process, on the same database.
    let other = App::start(app.world.another_node(Vec::new())).await;
    let (engine, visitor) = (&other.world.engine, &other.world.visitor);
    let booked = engine
        .book(
            visitor,
            other.world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        change(&mut page).await,
        (7, vec![], vec!["10:00".to_owned()])
    );
    engine
        .cancel(&other.world.owner, booked.made.booking.id, None, None, None)
        .await
        .unwrap();
    assert_eq!(
        change(&mut page).await,
        (8, vec!["10:00".to_owned()], vec![])
    );
    let starts_at = at("2027-03-02T12:00:00Z");
    let hold = HoldSlot {
        service_id: service,
        starts_at,
        provider_id: None,
        party_size: 1,
        ttl_seconds: 60,
    };
    engine.hold_slot(visitor, hold, None).await.unwrap();
    assert_eq!(
        change(&mut page).await,
        (7, vec![], vec!["12:00".to_owned()])
    );
    // The hold runs out by itself.
    app.world.clock.advance(TimeDelta::seconds(60));
    assert_eq!(
        change(&mut page).await,
        (8, vec!["12:00".to_owned()], vec![])
    );
    // Time alone takes a slot away.
    app.world.clock.set(at("2027-03-02T09:00:01Z"));
    assert_eq!(
        change(&mut page).await,
        (7, vec![], vec!["09:00".to_owned()])
    );
    other.stop().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_pages_that_ask_the_same_cost_one_computation_for_each_change() {
    let (app, service, _) = stage().await;
    let engine = &app.world.engine;
    let mut pages = Vec::new();
    for _ in 0..1_000 {
        let mut page = Box::pin(
            engine
                .watch_availability(&app.world.visitor, question(service))
                .await
                .unwrap(),
        );
        assert_eq!(page.next().await.unwrap().unwrap().slots.len(), 8);
        pages.push(page);
    }
    assert_eq!(engine.watched_answers_computed(), 1, "for a thousand pages");
    app.world.statements.take();
    engine
        .book(
            &app.world.visitor,
            app.world.booking(service, "2027-03-02T10:00:00Z", "Eve"),
            None,
        )
        .await
        .unwrap();
    for page in &mut pages {
        assert_eq!(page.next().await.unwrap().unwrap().slots.len(), 7);
    }
    let reads = app
        .world
        .statements
        .take()
        .iter()
        .filter(|sql| sql.contains("FROM allocation a JOIN session"))
        .count();
    assert!(
        reads <= 1,
        "{reads} readings of the calendar for one change"
    );
    assert_eq!(
        engine.watched_answers_computed(),
        2,
        "once more for a change"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_told_late_is_not_computed_twice() {
    let (app, service, _) = stage().await;
    let (engine, visitor) = (&app.world.engine, &app.world.visitor);
    // The log waits for whatever transaction began before; the change itself is there for whoever asks.
    let long = test_support::connect(&app.world.url).await;
    let begin = "BEGIN; SELECT pg_current_xact_id()";
    long.batch_execute(begin).await.unwrap();
    app.world.location("Europe/Paris").await;
    let watch = engine.watch_availability(visitor, question(service)).await;
    let mut page = Box::pin(watch.unwrap());
    assert_eq!(page.next().await.unwrap().unwrap().slots.len(), 8);
    app.world.statements.take();
    long.batch_execute("COMMIT").await.unwrap();
    // Now it is told, and looked at.
    app.world.statements.until(1, "FROM \"calendar\"").await;
    let wanted = app.world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    engine.book(visitor, wanted, None).await.unwrap();
    assert_eq!(page.next().await.unwrap().unwrap().slots.len(), 7);
    assert_eq!(engine.watched_answers_computed(), 2, "then and now");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_not_looked_at_again_as_time_passes() {
    let (app, service, _) = stage().await;
    let world = &app.world;
    let location = world.location("Europe/London").await;
    let ben = world.provider("Ben", &[location]).await;
    let open = world.service(60, &[ben], ServiceInput::default()).await;
    // The open one is watched in another process, so that what is looked at here is the archived one.
    let other = world.another_node(Vec::new());
    let mut pages = Vec::new();
    for (engine, service) in [(&world.engine, service), (&other.engine, open)] {
        let watch = engine.watch_availability(&world.visitor, question(service));
        let mut page = Box::pin(watch.await.unwrap());
        assert_eq!(page.next().await.unwrap().unwrap().slots.len(), 8);
        pages.push(page);
    }
    let archive = ServiceInput {
        archived: Some(true),
        ..ServiceInput::default()
    };
    let archived = world
        .engine
        .update_service(&world.owner, service, archive, None);
    archived.await.unwrap();
    assert!(pages[0].next().await.unwrap().unwrap().slots.is_empty());
    world.statements.take();
    // Time takes a slot from the open one, again and again.
    for hour in 9..=15 {
        let now = at(&format!("2027-03-02T{hour:02}:00:01Z"));
        world.clock.set(now);
        let left = pages[1].next().await.unwrap().unwrap().slots.len();
        assert_eq!(left, 16 - hour);
    }
    let ran = world.statements.take();
    let looks = ran.iter().filter(|sql| sql.contains("catalogue_version"));
    assert_eq!(looks.count(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_falls_too_far_behind_is_cut_off_and_no_other_is() {
    let (app, service, _) = stage().await;
    let (engine, visitor) = (&app.world.engine, &app.world.visitor);
    let mut pages = Vec::new();
    for _ in 0..2 {
        let watch = engine.watch_availability(visitor, question(service)).await;
        let mut page = Box::pin(watch.unwrap());
        page.next().await.unwrap().unwrap();
        pages.push(page);
    }
    let (mut slow, mut quick) = (pages.remove(0), pages.remove(0));
    // More changes than are kept for anybody.
    for turn in 0..33 {
        let request = app
            .world
            .booking(service, "2027-03-02T10:00:00Z", &format!("Client {turn}"));
        let booked = engine.book(visitor, request, None).await.unwrap();
        assert_eq!(quick.next().await.unwrap().unwrap().slots.len(), 7);
        let id = booked.made.booking.id;
        let cancelled = engine.cancel(&app.world.owner, id, None, None, None).await;
        cancelled.unwrap();
        assert_eq!(quick.next().await.unwrap().unwrap().slots.len(), 8);
    }
    assert_eq!(slow.next().await.unwrap().err(), Some(CutOff));
    assert!(slow.next().await.is_none(), "that was the last word");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_every_change_of_a_booking_in_order() {
    let (app, service, _) = stage().await;
    let owner = app.client_with(&app.world.token(Role::Owner, None).await);
    let mut desk = owner.socket().await;
    let watch = "subscription { bookingChanged { kind booking { version status } } }";
    desk.subscribe("1", watch, json!({})).await;
    // A subscription has no answer before the first change: a question on the same socket shows that it stands.
    desk.subscribe("2", "{ business { slug } }", json!({}))
        .await;
    assert_eq!(desk.next().await["id"], "2");
    assert_eq!(desk.next().await["type"], "complete");
    let other = App::start(app.world.another_node(Vec::new())).await;
    let engine = &other.world.engine;
    let request = other.world.booking(service, "2027-03-02T10:00:00Z", "Eve");
    let id = engine
        .book(&other.world.visitor, request, None)
        .await
        .unwrap()
        .made
        .booking
        .id;
    engine
        .cancel(&other.world.owner, id, None, None, None)
        .await
        .unwrap();
    for (kind, version) in [("BOOKED", 1), ("CANCELLED", 2)] {
        let data = desk.data().await;
        assert_eq!(data["bookingChanged"]["kind"], kind);
        assert_eq!(data["bookingChanged"]["booking"]["version"], version);
    }
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn a_bad_token_closes_the_socket_with_4403_and_a_stop_with_1001() {
    let (app, _, input) = stage().await;
    let mut socket = app.client().raw_socket().await;
    socket
        .send(json!({ "type": "connection_init", "payload": { "token": "bk_nonsense" } }))
        .await;
    assert_eq!(socket.next_or_close().await, Err(4403));
    let mut socket = app.client().socket().await;
    socket.subscribe("1", WATCH, input).await;
    change(&mut socket).await;
    app.stop().await;
    assert_eq!(socket.next_or_close().await, Err(1001));
}
