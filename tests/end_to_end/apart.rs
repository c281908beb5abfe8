//! Plugins that block their thread or panic while somebody waits for them: nobody else is held up, and whoever waits is told.
//!
//! The runtime of these tests has one thread: whoever blocked that would block all.

use std::sync::Arc;

use domain::deposit::Deposit;
use domain::event::EventKind;
use domain::id::{ProviderId, ServiceId};
use domain::notification::{Audience, Channel};
use domain::payment::PaymentStatus;
use domain::problem::Problem;
use engine::calendar::{ConnectCalendar, ConsentAnswer, ConsentOutcome};
use engine::catalogue::service::ServiceInput;
use engine::notification::Sample;
use engine::{Error, Result};
use plugin_api::{
    Compose, ComposeError, Composed, Composer, HouseRules, Plugin, PluginSettings, Proposal,
    SettingsError, TemplateProblem, Variable,
};
use serde_json::{Value, json};
use test_support::{
    ANNAS_TOKEN, App, BadCall, BadDay, Diary, Guarding, Obstacle, Till, World, WorldOptions,
};

/// A business with plugins, and Anna.
struct Stage {
    world: World,
    anna: ProviderId,
    service: ServiceId,
}

impl Stage {
    async fn new(plugins: Vec<Arc<dyn Plugin>>, service: ServiceInput) -> Self {
        let world = World::with(WorldOptions {
            plugins,
            public_url: Some("https://book.example.com".to_owned()),
            ..WorldOptions::default()
        });
        Self::of(world.await, service).await
    }

    async fn of(world: World, service: ServiceInput) -> Self {
        let location = world.location("UTC").await;
        let anna = world.provider("Anna", &[location]).await;
        let service = world.service(60, &[anna], service).await;
        Self {
            world,
            anna,
            service,
        }
    }

    async fn book(&self, starts_at: &str) -> Result<engine::booking::Booked> {
        let input = self.world.booking(self.service, starts_at, "Eve");
        self.world
            .engine
            .book(&self.world.visitor, input, None)
            .await
    }

    /// What comes of something for which a plugin blocks its thread; others are answered meanwhile.
    async fn while_blocked<T>(&self, obstacle: &Obstacle, asked: impl Future<Output = T>) -> T {
        let others = async {
            while obstacle.came() == 0 {
                self.world.engine.ready().await.unwrap();
            }
            self.world.engine.ready().await.unwrap();
            obstacle.clear();
        };
        tokio::join!(asked, others).0
    }
}

#[tokio::test]
async fn a_payment_that_is_begun_while_somebody_books() {
    let till = Till::new();
    let full = ServiceInput {
        price: Some(9000),
        deposit: Some(Deposit::Full),
        ..ServiceInput::default()
    };
    let stage = Stage::new(vec![till.clone()], full).await;
    till.bad_day(BadDay::Blocks);
    let booking = Box::pin(stage.book("2027-03-02T10:00:00Z"));
    let booked = stage.while_blocked(&till.obstacle, booking).await.unwrap();
    let payment = booked.payment.unwrap();
    assert!(payment.client_secret.is_some());

    till.bad_day(BadDay::Panics);
    let booked = stage.book("2027-03-02T12:00:00Z").await.unwrap();
    let payment = booked.payment.unwrap();
    assert_eq!(payment.payment.status, PaymentStatus::Waiting);
    assert!(payment.client_secret.is_none(), "the jobs begin it");
}

#[tokio::test]
async fn a_guard_and_none_but_those_of_the_business_it_blocks_wait() {
    let obstacle = Arc::new(Obstacle::default());
    let blocked = obstacle.clone();
    let guard = Guarding(move |proposal: &Proposal| {
        match proposal.customer_name.as_str() {
            "Eve" => blocked.block(),
            "Mallory" => panic!("secret words"),
            _ => {}
        }
        Ok(())
    });
    let stage = Stage::new(vec![Arc::new(guard)], ServiceInput::default()).await;
    let other = stage.world.another_business("other").await;
    let other = Stage::of(other, ServiceInput::default()).await;
    // More than one plugin has places for: one business has no more than its share of them.
    let bookings = (0..40).map(|number| {
        let day = [2, 3, 4, 5, 8][number / 8];
        let starts_at = format!("2027-03-{day:02}T{:02}:00:00Z", 9 + number % 8);
        let stage = &stage;
        async move { stage.book(&starts_at).await }
    });
    let bookings = futures_util::future::join_all(bookings);
    let others = async {
        while obstacle.came() == 0 {
            stage.world.engine.ready().await.unwrap();
        }
        let input = other
            .world
            .booking(other.service, "2027-03-02T15:00:00Z", "Bob");
        let engine = &other.world.engine;
        engine
            .book(&other.world.visitor, input, None)
            .await
            .unwrap();
        obstacle.clear();
    };
    let (bookings, ()) = tokio::join!(bookings, others);
    for booked in bookings {
        booked.unwrap();
    }
    let input = stage
        .world
        .booking(stage.service, "2027-03-12T10:00:00Z", "Mallory");
    let engine = &stage.world.engine;
    let refused = engine.book(&stage.world.visitor, input, None).await;
    let Err(Error::Refused(problems)) = refused else {
        panic!("{refused:?}");
    };
    let message = "this cannot be booked at the moment".to_owned();
    assert_eq!(problems, [Problem::PluginRefused { message }]);
}

#[tokio::test]
async fn a_calendar_that_is_connected() {
    let diary = Diary::new();
    let stage = Stage::new(vec![diary.clone()], ServiceInput::default()).await;
    let connect = || {
        let input = ConnectCalendar {
            provider_id: stage.anna,
            plugin: "calendar-diary".to_owned(),
            refresh_token: Some(ANNAS_TOKEN.into()),
            read_from: None,
            write_to: None,
        };
        let World { engine, owner, .. } = &stage.world;
        async move { engine.connect_calendar(owner, input, None).await }
    };
    diary.bad_call_of("account", BadCall::Blocks);
    stage
        .while_blocked(&diary.obstacle, connect())
        .await
        .unwrap();
    diary.bad_call_of("account", BadCall::Panics);
    let Err(Error::Refused(problems)) = connect().await else {
        panic!("it panicked");
    };
    let message = "the calendar could not be reached: the plugin panicked";
    assert_eq!(problems, [Problem::conflict(message)]);
}

#[tokio::test]
async fn a_consent_that_is_redeemed() {
    let diary = Diary::new();
    let stage = Stage::new(vec![diary.clone()], ServiceInput::default()).await;
    let World { engine, owner, .. } = &stage.world;
    let url = engine.start_calendar_connection(owner, stage.anna, "calendar-diary");
    let (state, code) = diary.consent(&url.await.unwrap(), ANNAS_TOKEN);
    let answer = ConsentAnswer {
        state: Some(state),
        code: Some(code.into()),
        error: None,
    };
    diary.bad_call_of("redeem", BadCall::Blocks);
    let taken = engine.take_consent("test", "calendar-diary", answer);
    let taken = stage.while_blocked(&diary.obstacle, taken).await.unwrap();
    assert!(matches!(taken, ConsentOutcome::Connected(_)), "{taken:?}");
}

#[tokio::test]
async fn a_call_of_the_other_side() {
    let till = Till::new();
    let stage = Stage::new(vec![till.clone()], ServiceInput::default()).await;
    let app = App::start(stage.world.clone()).await;
    let call = |signature: &'static str| {
        let path = "/plugins/payments-till/test";
        let request = app.client().request(reqwest::Method::POST, path);
        let request = request.header("till-signature", signature);
        let body = json!({ "id": "evt_1" }).to_string();
        async move { request.body(body).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(
        stage.while_blocked(&till.obstacle, call("blocks")).await,
        200
    );
    assert_eq!(call("panics").await, 503, "the other side calls again");
    assert_eq!(call("wrong").await, 400);
    app.stop().await;
}

/// Puts nothing into words for as long as it blocks.
#[derive(Default)]
struct Poet(Obstacle);

impl Plugin for Poet {
    fn name(&self) -> &'static str {
        "notifications-poet"
    }
    fn title(&self) -> &'static str {
        "Poet"
    }
    fn description(&self) -> &'static str {
        "Thinks for a long time."
    }
    fn settings_schema(&self) -> Value {
        json!({ "type": "object", "additionalProperties": false })
    }
    fn on_by_default(&self) -> bool {
        true
    }
    fn validate(&self, _: &Value) -> Result<(), SettingsError> {
        Ok(())
    }
    fn composer(&self) -> Option<&dyn Composer> {
        Some(self)
    }
}

impl Composer for Poet {
    fn house_rules(&self, _: &PluginSettings) -> Result<HouseRules, SettingsError> {
        Ok(HouseRules::default())
    }
    fn compose(&self, _: &PluginSettings, request: &Compose<'_>) -> Result<Composed, ComposeError> {
        assert!(request.template != "panics", "as it was told");
        self.0.block();
        Ok(Composed {
            subject: None,
            text: "roses are red".to_owned(),
            html: None,
            language: "en",
            invitation: None,
            about: "roses".to_owned(),
        })
    }
    fn problems(&self, _: &str) -> Vec<TemplateProblem> {
        Vec::new()
    }
    fn variables(&self) -> &[Variable] {
        &[]
    }
}

#[tokio::test]
async fn a_message_that_is_put_into_words() {
    let poet = Arc::new(Poet::default());
    let stage = Stage::new(vec![poet.clone()], ServiceInput::default()).await;
    let preview = |template: &str| {
        let sample = Sample {
            template: template.to_owned(),
            event: EventKind::BookingConfirmed.name().to_owned(),
            audience: Audience::Customer,
            channel: Channel::Email,
            language: None,
        };
        let World { engine, owner, .. } = &stage.world;
        async move { engine.preview_notification(owner, &sample).await }
    };
    let previewed = stage.while_blocked(&poet.0, preview("blocks")).await;
    assert_eq!(previewed.unwrap().composed.unwrap().text, "roses are red");
    let failed = preview("panics").await;
    assert!(
        matches!(&failed, Err(Error::Unavailable(why)) if why == "the plugin panicked"),
        "{failed:?}"
    );
}
