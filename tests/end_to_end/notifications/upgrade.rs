//! Mails that were on their way when this server was older.

use std::sync::Arc;

use domain::zone::ZoneDatabase;
use email_smtp::{EmailSmtp, Options};
use engine::catalogue::service::ServiceInput;
use jobs::Jobs;
use notifications::Notifications;
use outbound::{Outbound, OutboundOptions};
use test_support::{Deliveries, World, WorldOptions};

use super::stage::jobs;

const DOWN: &str = include_str!("../../../migrations/2026-11-22-000002_notifications/down.sql");
const UP: &str = include_str!("../../../migrations/2026-11-22-000002_notifications/up.sql");
/// What was built on it since.
const SINCE_DOWN: [&str; 2] = [
    include_str!("../../../migrations/2026-11-26-000021_notification_attempts/down.sql"),
    include_str!("../../../migrations/2026-11-23-000001_customer_tiers/down.sql"),
];
const SINCE_UP: [&str; 2] = [
    include_str!("../../../migrations/2026-11-23-000001_customer_tiers/up.sql"),
    include_str!("../../../migrations/2026-11-26-000021_notification_attempts/up.sql"),
];
/// What was written for a booking before there were notifications.
const BEFORE: &str = "
    UPDATE delivery SET plugin = 'email-smtp', part = 'customer' WHERE plugin = 'notifications';
    INSERT INTO delivery (business_id, id, event_id, plugin, part, booking_id, booking_version, status, next_attempt_at, created_at)
    SELECT business_id, gen_random_uuid(), event_id, plugin, 'provider', booking_id, booking_version, status, next_attempt_at, created_at
    FROM delivery WHERE plugin = 'email-smtp'";

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_wait_when_the_database_is_brought_up_to_date_go_out_each_once() {
    let outbox = tempfile::tempdir().unwrap();
    let mail = EmailSmtp::new(Options {
        settings: None,
        outbox: outbox.path().to_owned(),
        outbound: Outbound::new(OutboundOptions::default()).unwrap(),
    });
    let composer = Notifications::new(ZoneDatabase::bundled());
    let world = World::with(WorldOptions {
        plugins: vec![Arc::new(composer.unwrap()), Arc::new(mail.unwrap())],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("Europe/London").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world.service(60, &[anna], ServiceInput::default()).await;
    let input = world.booking(service, "2027-03-05T10:00:00Z", "Eve");
    world.engine.book(&world.owner, input, None).await.unwrap();
    // They were deliveries from the start then.
    assert_eq!(world.engine.dispatch(10).await.unwrap(), 1);
    let database = test_support::connect(&world.url).await;
    database.batch_execute(BEFORE).await.unwrap();
    let steps = SINCE_DOWN.into_iter().chain([DOWN, UP]).chain(SINCE_UP);
    for step in steps {
        database.batch_execute(step).await.unwrap();
    }

    let mut deliveries = Deliveries::watch(&world.url).await;
    // Another process, which knows no rules yet but those in the database.
    let node = world.another_node(world.engine.plugins().to_vec());
    let jobs = Jobs::start(node.engine.clone(), jobs());
    deliveries.until(2, "status = 'delivered'").await;
    let entries = std::fs::read_dir(outbox.path()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| {
            name.split('-')
                .skip(3)
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    names.sort();
    assert_eq!(names, ["confirmed customer", "confirmed provider"]);
    jobs.stop().await;
}

#[tokio::test]
async fn businesses_from_before_are_told_of_refunds_that_failed_unless_they_have_said_how() {
    const UP: &str =
        include_str!("../../../migrations/2026-11-26-000002_failed_refund_rule/up.sql");
    const DOWN: &str =
        include_str!("../../../migrations/2026-11-26-000002_failed_refund_rule/down.sql");
    let before = World::new().await;
    let own = before.another_business("own").await;
    let database = test_support::connect(&before.url).await;
    let forget = "DELETE FROM notification_rule r USING business b
        WHERE b.id = r.business_id AND b.slug = 'test' AND r.moment = 'payment.refund_failed'";
    assert_eq!(database.execute(forget, &[]).await.unwrap(), 1);
    let raise = "UPDATE business SET catalogue_version = catalogue_version + 1";
    database.execute(raise, &[]).await.unwrap();
    let told = async |world: &World| {
        let rules = world.engine.notification_rules(&world.owner).await.unwrap();
        let failed = rules.iter().filter(|rule| rule.template == "refund-failed");
        failed.filter(|rule| rule.enabled).count()
    };
    assert_eq!((told(&before).await, told(&own).await), (0, 1));
    database.batch_execute(UP).await.unwrap();
    assert_eq!((told(&before).await, told(&own).await), (1, 1));
    database.batch_execute(DOWN).await.unwrap();
    assert_eq!((told(&before).await, told(&own).await), (0, 1));
}
