//! A plugin is switched off and on again: from then on what was read with it counts no more, and then again, whoever asks and whatever process.

use std::time::Duration;

use chrono::TimeDelta;
use domain::availability::Slot;
use engine::calendar::ConnectCalendar;
use engine::plugin::{ConfigurePlugin, PluginState};
use jobs::JobOptions;
use plugin_api::Failure;
use serde_json::{Value, json};
use server::app::HttpOptions;
use test_support::{App, BadCall, Socket, World, at};

use super::stage::{PLUGIN, Stage, follow, options, plugins, restore};

const WATCH: &str = "subscription($input: AvailabilityInput!) { availability(input: $input) {
    slots { startsAt } removed added { startsAt } } }";

impl Stage {
    async fn switch(&self, enabled: bool) {
        let input = ConfigurePlugin {
            name: PLUGIN.to_owned(),
            settings: json!({}),
            enabled: Some(enabled),
        };
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        engine.configure_plugin(owner, input, None).await.unwrap();
    }

    /// Why Anna cannot be had at 10 and at 12, as this process says.
    async fn reasons_of(&self, world: &World) -> [String; 2] {
        let ask = async |starts: &str| {
            let engine = &world.engine;
            let asked =
                engine.slot_check(&world.visitor, self.service, at(starts), Some(self.anna), 1);
            format!("{:?}", asked.await.unwrap())
        };
        [
            ask("2027-03-02T10:00:00Z").await,
            ask("2027-03-02T12:00:00Z").await,
        ]
    }

    /// A page that shows when Anna can be had on a day, and what it shows first.
    async fn page(&self, app: &App) -> (Socket, Value) {
        let input = json!({ "input": { "serviceId": self.service.to_string(), "providerIds": [self.anna.to_string()],
            "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" } });
        let mut page = app.client().socket().await;
        page.subscribe("1", WATCH, input).await;
        let first = page.data().await["availability"].clone();
        (page, first)
    }
}

/// The one start that is added, or removed.
fn only(starts: &Value) -> String {
    let all = starts.as_array().unwrap();
    assert_eq!(all.len(), 1, "{starts}");
    let start = all[0]["startsAt"].as_str().or(all[0].as_str());
    start.unwrap()[8..16].to_owned()
}

const FREE: &str = "[]";
const BLOCKED: &str = "[ProviderBlocked]";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_counts_no_more_at_once_and_again_at_once_in_every_process() {
    let jobs = JobOptions {
        time_limit: Duration::from_millis(400),
        ..options()
    };
    let mut stage = Stage::with(restore(), None, jobs.clone()).await;
    let diary = stage.diary.clone();
    diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(stage.input()).await;
    let second = stage.world.another_node(plugins(&diary));
    let second = App::start_with(second, HttpOptions::default(), jobs).await;
    let worlds = [stage.world.clone(), second.world.clone()];
    let mut pages = Vec::new();
    for app in [&stage.app, &second] {
        let (page, first) = stage.page(app).await;
        assert_eq!(first["slots"].as_array().unwrap().len(), 7);
        pages.push(page);
    }
    for world in &worlds {
        assert_eq!(stage.reasons_of(world).await, [BLOCKED, FREE]);
    }

    let pulls = diary.calls("pull");
    stage.switch(false).await;
    for world in &worlds {
        assert_eq!(stage.reasons_of(world).await, [FREE, FREE], "at once");
    }
    for page in &mut pages {
        let update = page.data().await["availability"].clone();
        assert_eq!(only(&update["added"]), "02T10:00");
    }
    let shown = stage.connection().await.unwrap();
    assert_eq!(shown.state, PluginState::Disabled);
    stage.later().await;
    stage.later().await;
    assert_eq!(diary.calls("pull"), pulls, "nobody asks the other side");
    assert_eq!(stage.count("external_event").await, 1, "and it is kept");

    // The other side has moved it meanwhile, and does not answer at first.
    diary.gone("anna", "dentist");
    diary.busy(
        "anna",
        "golf",
        "2027-03-02T12:00:00Z",
        "2027-03-02T13:00:00Z",
    );
    diary.bad_call(BadCall::Hangs);
    stage.switch(true).await;
    for world in &worlds {
        assert_eq!(stage.reasons_of(world).await, [BLOCKED, FREE]);
    }
    for page in &mut pages {
        let update = page.data().await["availability"].clone();
        assert_eq!(only(&update["removed"]), "02T10:00");
    }
    diary.until_called("pull", pulls + 1).await;
    stage.later().await;
    for world in &worlds {
        assert_eq!(stage.reasons_of(world).await, [FREE, BLOCKED]);
    }
    for page in &mut pages {
        let update = page.data().await["availability"].clone();
        assert_eq!(only(&update["added"]), "02T10:00");
        assert_eq!(only(&update["removed"]), "02T12:00");
    }
    second.stop().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_booked_while_it_was_off_is_written_when_it_is_on() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    stage.switch(false).await;
    stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.settled().await;
    assert_eq!(stage.there("anna"), Vec::<String>::new());
    stage.switch(true).await;
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T12:00"], "it is read at once");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stayed_where_it_was_while_it_was_off_is_no_move_to_follow() {
    let mut stage = Stage::new(follow()).await;
    stage.connect(stage.input()).await;
    let booking = stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.switch(false).await;
    stage
        .reschedule(booking, "2027-03-02T12:00:00Z", stage.anna)
        .await;
    // Another colour, for instance: it has changed, and stands where it stood.
    stage
        .diary
        .move_booking("anna", booking, at("2027-03-02T10:00:00Z"));
    stage.switch(true).await;
    stage.settled().await;
    assert_eq!(stage.starts_of(booking).await, "02T12:00");
    assert_eq!(stage.there("anna"), ["02T12:00"]);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_plugins_and_other_providers_are_as_they_were() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.account("bens", "ben@example.com", &["ben"]);
    let bens = ConnectCalendar {
        provider_id: stage.ben,
        refresh_token: Some("bens".into()),
        ..stage.input()
    };
    stage.connect(bens).await;
    let version = stage.version().await;
    let told = stage.count("event").await;
    for name in ["payments-till", PLUGIN] {
        for enabled in [false, true, true] {
            let input = ConfigurePlugin {
                name: name.to_owned(),
                settings: json!({}),
                enabled: Some(enabled),
            };
            let (engine, owner) = (&stage.world.engine, &stage.world.owner);
            engine.configure_plugin(owner, input, None).await.unwrap();
        }
    }
    assert_eq!(stage.version().await, version, "Anna has no calendar there");
    stage.settled().await;
    assert_eq!(
        stage.count("event").await,
        told + 2,
        "Ben has: that it was switched off is told, and that it was switched on"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_all_the_time_is_told_what_holds_and_who_began_before_puts_nothing_off() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(stage.input()).await;
    let second = stage.world.another_node(plugins(&stage.diary));
    let worlds = [stage.world.clone(), second];
    let askers: Vec<_> = worlds
        .iter()
        .cycle()
        .take(4)
        .map(|world| {
            let (world, service) = (world.clone(), stage.service);
            tokio::spawn(async move {
                loop {
                    asked(&world, service).await;
                }
            })
        })
        .collect();
    for turn in 0..30 {
        let is_on = turn % 2 == 1;
        stage.switch(is_on).await;
        let expected = if is_on { BLOCKED } else { FREE };
        for world in &worlds {
            let reasons = stage.reasons_of(world).await;
            assert_eq!(reasons, [expected, FREE], "turn {turn}");
        }
    }
    for asker in askers {
        asker.abort();
    }
    stage.settled().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_took_a_calendar_while_it_was_off_does_not_put_off_what_is_due_since() {
    let lease = TimeDelta::seconds(90);
    let mut stage = Stage::new(restore()).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(stage.input()).await;
    stage.switch(false).await;
    let other = stage.world.another_node(plugins(&stage.diary));
    let world = stage.world.clone();
    stage.app.stop().await;
    world.clock.advance(TimeDelta::hours(7));
    let due = world.engine.calendars_due(&[], 10).await.unwrap();
    let taken = world.engine.take_calendar(due[0], lease).await;
    let taken = taken.unwrap().unwrap();
    let input = ConfigurePlugin {
        name: PLUGIN.to_owned(),
        settings: json!({}),
        enabled: Some(true),
    };
    let configured = other.engine.configure_plugin(&other.owner, input, None);
    configured.await.unwrap();
    let later = Failure::not_yet("the business does not use the plugin");
    let put_off = world.engine.put_off_calendar(&taken, &later);
    put_off.await.unwrap();
    let due = other.engine.calendars_due(&[], 10).await.unwrap();
    assert_eq!(due.len(), 1, "it is due still");
    let taken = other.engine.take_calendar(due[0], lease).await.unwrap();
    stage.diary.gone("anna", "dentist");
    other.engine.read_calendar(&taken.unwrap()).await.unwrap();
    let rows = stage
        .database
        .query("SELECT FROM external_event", &[])
        .await;
    assert!(rows.unwrap().is_empty());
}

async fn asked(world: &World, service: domain::id::ServiceId) -> Vec<Slot> {
    let question =
        crate::booking::question(service, "2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z");
    let answer = world.engine.availability(&world.visitor, &question).await;
    answer.unwrap().slots
}
