//! Notifications: what is said to whom, when and by which channel; once, in order, and not when it is not true any more.

mod again;
mod changed;
mod channels;
mod cost;
mod customers;
mod invitations;
mod money;
mod quiet;
mod reminders;
mod rules;
mod stage;
mod tiers;
mod trouble;
mod upgrade;

use plugin_api::Recipient;
use serde_json::json;

use self::stage::Stage;

pub(crate) use self::stage::composer;

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_writes_one_delivery_and_its_rules_say_the_rest() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    insta::assert_snapshot!(stage.shown(id).await, @"
    2027-03-01T08:00:00+00:00 EMAIL anna@example.com SENT
    2027-03-01T08:00:00+00:00 EMAIL eve@example.com SENT
    2027-03-04T10:00:00+00:00 EMAIL eve@example.com PLANNED
    ");
    let said = stage.mail.carried();
    let mut to: Vec<_> = said
        .iter()
        .map(|one| (one.letter.recipient, one.to.as_str()))
        .collect();
    to.sort();
    assert_eq!(
        to,
        [
            (Recipient::Customer, "eve@example.com"),
            (Recipient::Provider, "anna@example.com")
        ]
    );
    let told = stage.told(id).await;
    let confirmed = told
        .iter()
        .find(|one| one["audience"] == "CUSTOMER")
        .unwrap();
    assert!(
        confirmed["body"]
            .as_str()
            .unwrap()
            .contains("is confirmed.")
    );
    // Planned by one delivery, sent by one for each who is told, and one waits for its day.
    stage.deliveries.until(1, "plugin = 'notifications'").await;
    stage.deliveries.until(3, "plugin = 'courier-mail'").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_moves_to_another_provider_is_told_to_all_three_and_its_end_to_the_last() {
    let mut stage = Stage::of_mail().await;
    let mut input = stage.input("2027-03-05T10:00:00Z");
    let anna = {
        let catalogue = stage
            .app
            .world
            .engine
            .catalogue(&stage.app.world.owner)
            .await;
        let catalogue = catalogue.unwrap();
        let mut providers = catalogue.providers.values();
        providers
            .find(|provider| provider.name == "Anna")
            .unwrap()
            .id
    };
    input.provider_id = Some(anna);
    let id = stage.book(input).await;
    stage.done().await;
    // Anna is taken at the new time.
    let mut other = stage.input("2027-03-06T10:00:00Z");
    other.provider_id = Some(anna);
    stage.book(other).await;
    stage.done().await;
    let before = stage.mail.carried().len();
    let query = "mutation($input: RescheduleInput!) { reschedule(input: $input) { problems { code message } } }";
    let ben = {
        let catalogue = stage
            .app
            .world
            .engine
            .catalogue(&stage.app.world.owner)
            .await;
        let catalogue = catalogue.unwrap();
        let mut providers = catalogue.providers.values();
        providers
            .find(|provider| provider.name == "Ben")
            .unwrap()
            .id
    };
    let input = json!({ "bookingId": id.to_string(), "startsAt": "2027-03-06T10:00:00Z", "providerId": ben.to_string() });
    let data = stage.owner.data(query, json!({ "input": input })).await;
    assert_eq!(data["reschedule"]["problems"], json!([]));
    stage.done().await;
    stage.cancel(id).await;
    stage.done().await;
    let said = stage.mail.carried();
    let mut told: Vec<String> = said[before..]
        .iter()
        .map(|one| {
            let invitation = one.letter.invitation.as_ref().unwrap();
            let version = one.event.booking.as_ref().unwrap().version;
            format!(
                "{version} {} {} cancelled: {}",
                one.letter.recipient.name(),
                one.to,
                invitation.is_cancelled
            )
        })
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @"
    2 customer eve@example.com cancelled: false
    2 previous-provider anna@example.com cancelled: true
    2 provider ben@example.com cancelled: false
    3 customer eve@example.com cancelled: true
    3 provider ben@example.com cancelled: true
    ");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_tried_again_is_not_overtaken_and_bears_the_same_id() {
    let mut stage = Stage::of_mail().await;
    let off = stage
        .rule("booking.confirmed", 0, "PROVIDER", "EMAIL")
        .await;
    stage.change(&off, json!({ "enabled": false })).await;
    stage.mail.next(Err(plugin_api::Failure::retry("not now")));
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.mail.until(1).await;
    stage.cancel(id).await;
    // The provider is told at once; the customer when the first message has come through.
    stage.mail.until(2).await;
    let failed = "status = 'waiting' AND last_error = 'not now' AND lease_id IS NULL";
    stage.deliveries.until(1, failed).await;
    let waiting = stage.told(id).await;
    let planned =
        |one: &&serde_json::Value| one["audience"] == "CUSTOMER" && one["status"] == "PLANNED";
    assert_eq!(waiting.iter().filter(planned).count(), 2);
    assert!(waiting.iter().any(|one| one["error"] == "not now"));
    stage.app.world.clock.advance(chrono::TimeDelta::minutes(1));
    let said = stage.mail.until(4).await;
    let to_eve: Vec<_> = said
        .iter()
        .filter(|one| one.to == "eve@example.com")
        .collect();
    let order: Vec<_> = to_eve
        .iter()
        .map(|one| {
            (
                one.letter.about.as_str(),
                one.attempt,
                one.may_have_been_sent,
            )
        })
        .collect();
    assert_eq!(
        order,
        [
            ("confirmed", 1, false),
            ("confirmed", 2, true),
            ("cancelled", 1, false)
        ]
    );
    assert_eq!(
        (to_eve[0].id, to_eve[0].since, &to_eve[0].text),
        (to_eve[1].id, to_eve[1].since, &to_eve[1].text)
    );
    stage.done().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_plan_one_event_once_and_nothing_is_lost_between_planning_and_sending() {
    let mut stage = Stage::of_mail().await;
    let database = test_support::connect(&stage.app.world.url).await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    // The process died after it had planned, and before that was recorded: both processes do it again, at the same time.
    let other = stage
        .app
        .world
        .another_node(vec![stage::composer(), stage.mail.clone()]);
    for _ in 0..5 {
        let again = "UPDATE delivery SET status = 'waiting' WHERE plugin = 'notifications'";
        database.batch_execute(again).await.unwrap();
        let due = stage
            .app
            .world
            .engine
            .deliveries_due("notifications", &[], 10)
            .await
            .unwrap();
        let plugin = stage.app.world.engine.plugins()[0].clone();
        let mut handed = Vec::new();
        for due in &due {
            let taken = stage.app.world.engine.take_deliveries(
                &*plugin,
                std::slice::from_ref(due),
                chrono::TimeDelta::zero(),
            );
            handed.extend(taken.await.unwrap());
        }
        let tries = handed.into_iter().flat_map(|(taken, settings)| {
            let delivery = plugin_api::Delivery {
                id: taken.id,
                business_id: taken.business_id,
                attempt: 2,
                part: taken.part.clone(),
                event: taken.event.clone().unwrap(),
                settings: settings.unwrap(),
            };
            [
                &stage.app.world.engine,
                &other.engine,
                &stage.app.world.engine,
                &other.engine,
            ]
            .map(|engine| {
                let (engine, plugin, delivery) = (engine.clone(), plugin.clone(), delivery.clone());
                tokio::spawn(async move { engine.work_on(&*plugin, &delivery, false).await })
            })
        });
        for tried in tries.collect::<Vec<_>>() {
            assert_eq!(tried.await.unwrap(), Ok(plugin_api::Done::Delivered));
        }
        stage.done().await;
    }
    assert_eq!(
        (stage.mail.carried().len(), stage.told(id).await.len()),
        (2, 3)
    );
    stage.end().await;
}
