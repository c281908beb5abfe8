//! A business of which something cannot be read stands still by itself: the others go on, and so does it when that is mended.

use std::time::Duration;

use chrono::TimeDelta;
use domain::id::{Id, ServiceId};
use engine::catalogue::service::ServiceInput;
use engine::hold::HoldSlot;
use jobs::{JobOptions, Jobs};
use test_support::{Deliveries, Scripted, World, WorldOptions, at};

const NOWHERE: &str = "Mars/Olympus_Mons";

struct Shop {
    world: World,
    service: ServiceId,
}

impl Shop {
    async fn open(world: World) -> Self {
        let location = world.location("Europe/London").await;
        let anna = world.provider("Anna", &[location]).await;
        let service = world.service(60, &[anna], ServiceInput::default()).await;
        Self { world, service }
    }

    /// Somebody books, somebody else holds a slot.
    async fn is_busy(&self) {
        let (engine, visitor) = (&self.world.engine, &self.world.visitor);
        let input = self
            .world
            .booking(self.service, "2027-03-02T10:00:00Z", "Eve");
        engine.book(visitor, input, None).await.unwrap();
        let slot = HoldSlot {
            service_id: self.service,
            starts_at: at("2027-03-02T12:00:00Z"),
            provider_id: None,
            party_size: 1,
            ttl_seconds: 300,
        };
        engine.hold_slot(visitor, slot, None).await.unwrap();
    }

    /// Its location is in a zone that nobody knows, or in London.
    async fn moves_to(&self, zone: &str) {
        let database = test_support::connect(&self.world.url).await;
        let id = self.world.owner.business.uuid();
        let change = format!(
            "UPDATE location SET time_zone = '{zone}' WHERE business_id = '{id}';
             UPDATE business SET catalogue_version = catalogue_version + 1 WHERE id = '{id}'"
        );
        database.batch_execute(&change).await.unwrap();
    }

    /// Waits until all is delivered and no hold is left.
    async fn is_done(&self, deliveries: &mut Deliveries) {
        let id = self.world.owner.business.uuid();
        let delivered = format!("business_id = '{id}' AND status = 'delivered'");
        deliveries.until(1, &delivered).await;
        let mut committed = self.world.engine.committed();
        let ended = async {
            loop {
                committed.borrow_and_update();
                if self.holds().await == 0 {
                    return;
                }
                committed.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), ended).await;
        assert!(waited.is_ok(), "a hold does not end");
    }

    async fn holds(&self) -> i64 {
        let database = test_support::connect(&self.world.url).await;
        let id = self.world.owner.business.uuid();
        let query =
            format!("SELECT count(*) FROM hold WHERE business_id = '{id}' AND status = 'active'");
        database.query_one(&query, &[]).await.unwrap().get(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_business_that_cannot_be_read_stands_in_no_other_s_way() {
    let plugin = Scripted::new("scripted", Vec::new());
    let world = World::with(WorldOptions {
        plugins: vec![plugin.clone()],
        ..WorldOptions::default()
    })
    .await;
    let ill = Shop::open(world.clone()).await;
    let well = Shop::open(world.another_business("well").await).await;
    ill.is_busy().await;
    well.is_busy().await;
    ill.moves_to(NOWHERE).await;
    world.clock.advance(TimeDelta::minutes(10));
    let mut deliveries = Deliveries::watch(&world.url).await;
    let options = JobOptions {
        poll: Duration::from_millis(50),
        ..JobOptions::default()
    };
    let feed = world.engine.clone();
    let feed = tokio::spawn(async move { feed.run_feed().await });
    let jobs = Jobs::start(world.engine.clone(), options);
    well.is_done(&mut deliveries).await;
    assert_eq!(ill.holds().await, 1);
    // Its own waits, however long, and is not given up on.
    for _ in 0..20 {
        world.clock.advance(TimeDelta::hours(2));
        let waits =
            "status = 'waiting' AND lease_id IS NULL AND attempts = 0 AND next_attempt_at > ";
        let waits = format!("{waits}'{}'", world.clock.now().to_rfc3339());
        deliveries.until(1, &waits).await;
    }
    assert_eq!(plugin.seen(1).await.len(), 1);
    ill.moves_to("Europe/London").await;
    world.clock.advance(TimeDelta::hours(2));
    ill.is_done(&mut deliveries).await;
    jobs.stop().await;
    feed.abort();
    assert_eq!(test_support::invariants(&world.url).await.unwrap(), []);
}
