//! The other side says that a calendar changed, also while it cannot be read: then it is read when it was to be tried again, and that is soon.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use engine::calendar::TakenSource;
use plugin_api::Failure;
use secrecy::ExposeSecret;
use test_support::{BadCall, Diary, World};

use super::stage::{PLUGIN, Stage, restore};

/// A business whose only calendar is read by hand.
struct Hand {
    diary: Arc<Diary>,
    world: World,
    channel: plugin_api::ChannelRequest,
    told: u32,
}

impl Hand {
    async fn new() -> Self {
        let mut stage = Stage::public(restore()).await;
        stage.connect(stage.input()).await;
        let channel = stage.diary.channels("anna").pop().unwrap();
        let (diary, world) = (stage.diary.clone(), stage.world.clone());
        stage.app.stop().await;
        Self {
            diary,
            world,
            channel,
            told: 0,
        }
    }

    async fn tell(&mut self) {
        self.told += 1;
        let secret = self.channel.secret.expose_secret();
        let headers = [
            ("diary-channel", self.channel.id.clone()),
            ("diary-secret", secret.to_owned()),
            ("diary-number", self.told.to_string()),
        ];
        let call = plugin_api::InboundRequest {
            url: String::new(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: Vec::new(),
            at: self.world.clock.now(),
            business_name: String::new(),
        };
        let taken = self.world.engine.take_call("test", PLUGIN, call).await;
        taken.unwrap();
    }

    async fn take(&self) -> TakenSource {
        let engine = &self.world.engine;
        let due = engine.calendars_due(&[], 10).await.unwrap();
        let lease = TimeDelta::seconds(90);
        let taken = engine.take_calendar(due[0], lease).await.unwrap();
        taken.unwrap()
    }

    /// Reads it, and puts it off where that fails. How long until it is read again.
    async fn read(&self, taken: &TakenSource) -> TimeDelta {
        let engine = &self.world.engine;
        if let Err(failure) = engine.read_calendar(taken).await {
            engine.put_off_calendar(taken, &failure).await.unwrap();
        }
        self.next().await
    }

    async fn next(&self) -> TimeDelta {
        let next = self.world.engine.calendar_next(&[]).await.unwrap();
        next.unwrap() - self.world.clock.now()
    }

    fn fails(&self, after: Option<Duration>) {
        let reason = "the quota is used up".to_owned();
        let failure = Failure::Retry { after, reason };
        let refused = BadCall::Refused(failure.into());
        self.diary.bad_call_of("pull", refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_left_alone_is_whatever_is_told_meanwhile() {
    let mut hand = Hand::new().await;
    hand.world.clock.advance(TimeDelta::hours(1));
    hand.fails(Some(Duration::from_secs(1800)));
    let taken = hand.take().await;
    let half = TimeDelta::minutes(30);
    assert_eq!(hand.read(&taken).await, half);
    hand.tell().await;
    assert_eq!(hand.next().await, half);
    hand.world.clock.advance(half);
    let taken = hand.take().await;
    hand.tell().await;
    assert_eq!(hand.read(&taken).await, TimeDelta::zero(), "told meanwhile");
    let taken = hand.take().await;
    assert_eq!(hand.read(&taken).await, TimeDelta::hours(1));
    hand.tell().await;
    assert_eq!(hand.next().await, TimeDelta::zero(), "it works again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_tried_again_soon_however_often_it_failed() {
    let mut hand = Hand::new().await;
    hand.world.clock.advance(TimeDelta::hours(1));
    let mut waited = TimeDelta::zero();
    for _ in 0..12 {
        hand.fails(None);
        let taken = hand.take().await;
        hand.tell().await;
        let wait = hand.read(&taken).await;
        assert!(wait > waited || wait == TimeDelta::minutes(15), "{wait}");
        assert!(wait <= TimeDelta::minutes(15), "{wait}");
        hand.tell().await;
        assert_eq!(hand.next().await, wait);
        hand.world.clock.advance(wait);
        waited = wait;
    }
    let taken = hand.take().await;
    assert_eq!(hand.read(&taken).await, TimeDelta::hours(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_ahead_is_not_compared_at_every_call() {
    let mut hand = Hand::new().await;
    hand.world.clock.advance(TimeDelta::hours(1));
    let mut compared = Vec::new();
    for _ in 0..11 {
        hand.tell().await;
        let taken = hand.take().await;
        hand.world.statements.take();
        hand.read(&taken).await;
        let ran = hand.world.statements.take();
        let compares = |sql: &String| sql.contains("WITH wrong AS");
        compared.push(u8::from(ran.iter().any(compares)));
        hand.world.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!(compared, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
}
