//! What planning costs: as many statements however many rules there are.

use engine::catalogue::service::ServiceInput;
use engine::notification::SetRule;
use plugin_api::{Delivery, Done};
use test_support::{Courier, World, WorldOptions};

use super::composer;

/// Plans the event that waits, and answers how many statements that took.
async fn planned(world: &World) -> usize {
    let plugin = world.engine.plugins()[0].clone();
    world.engine.dispatch(10).await.unwrap();
    let due = world
        .engine
        .deliveries_due(plugin.name(), &[], 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 1, "one event is one delivery");
    let lease = chrono::TimeDelta::minutes(1);
    let taken = world
        .engine
        .take_deliveries(&*plugin, &due, lease)
        .await
        .unwrap();
    let (taken, settings) = taken.into_iter().next().unwrap();
    let delivery = Delivery {
        id: taken.id,
        business_id: taken.business_id,
        attempt: 1,
        part: taken.part.clone(),
        event: taken.event.unwrap(),
        settings: settings.unwrap(),
    };
    world.statements.take();
    let done = world.engine.work_on(&*plugin, &delivery, false).await;
    assert_eq!(done, Ok(Done::Delivered));
    world.statements.take().len()
}

#[tokio::test]
async fn an_event_is_planned_by_as_many_statements_however_many_rules_there_are() {
    let world = World::with(WorldOptions {
        plugins: vec![composer(), Courier::of_mail(), Courier::of_texts()],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let book = async |starts_at| {
        let input = world.booking(service, starts_at, "Eve");
        world.engine.book(&world.owner, input, None).await.unwrap();
    };
    book("2027-03-05T10:00:00Z").await;
    let few = planned(&world).await;
    for offset in 1..=20 {
        let rule = SetRule {
            id: None,
            event: "booking.start".to_owned(),
            offset_minutes: -offset,
            audience: domain::notification::Audience::Customer,
            channels: vec![plugin_api::Channel::Email],
            template: "reminder".to_owned(),
            enabled: true,
            service_ids: None,
            customer_tiers: None,
        };
        let set = world.engine.set_notification_rule(&world.owner, rule, None);
        set.await.unwrap();
    }
    book("2027-03-05T12:00:00Z").await;
    assert_eq!(planned(&world).await, few);
    assert!(few <= 9, "{few} statements");
}
