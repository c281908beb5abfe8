//! The settings lead to another address while somebody connects: an access goes nowhere but where it was given for.

use engine::calendar::{ConnectCalendar, ConsentAnswer, ConsentOutcome};
use engine::plugin::{ConfigurePlugin, PluginState};
use serde_json::json;
use test_support::{ANNAS_TOKEN, BadCall};

use super::stage::{PLUGIN, Stage, restore};

const KEPT: &str = "calendar_connection WHERE sealed IS NOT NULL";

impl Stage {
    /// Staff have the plugin ask another address.
    async fn lead_elsewhere(&self) {
        let input = ConfigurePlugin {
            name: PLUGIN.to_owned(),
            settings: json!({ "apiBase": "https://elsewhere.example" }),
            enabled: None,
        };
        let (engine, owner) = (&self.world.engine, &self.world.owner);
        engine.configure_plugin(owner, input, None).await.unwrap();
    }

    /// Has the next call of this method wait: which one that is.
    fn hold(&self, method: &'static str) -> (&'static str, usize) {
        self.diary.bad_call_of(method, BadCall::Blocks);
        (method, self.diary.calls(method) + 1)
    }

    /// Has the settings lead elsewhere during the call that is held.
    async fn lead_elsewhere_during(&self, (method, call): (&'static str, usize)) {
        self.diary.until_called(method, call).await;
        self.lead_elsewhere().await;
        self.diary.obstacle.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_among_calendars_does_not_bring_a_forgotten_access_back() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let choice = ConnectCalendar {
        refresh_token: None,
        write_to: Some(Some("private".to_owned())),
        ..stage.input()
    };
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    let held = stage.hold("account");
    let chosen = tokio::spawn(async move { engine.connect_calendar(&owner, choice, None).await });
    stage.lead_elsewhere_during(held).await;
    let refused = chosen.await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("try again"), "{refused}");
    assert_eq!(stage.count(KEPT).await, 0);
    let shown = stage.connection().await.unwrap();
    assert_eq!(shown.state, PluginState::Broken);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_access_is_not_kept_for_another_address_than_it_was_tried_at() {
    let stage = Stage::new(restore()).await;
    let input = stage.input();
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    let held = stage.hold("account");
    let connected = tokio::spawn(async move { engine.connect_calendar(&owner, input, None).await });
    stage.lead_elsewhere_during(held).await;
    let refused = connected.await.unwrap().unwrap_err();
    assert!(refused.to_string().contains("try again"), "{refused}");
    assert_eq!(stage.count("calendar_connection").await, 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consent_brought_is_not_sent_to_another_address_than_it_was_redeemed_at() {
    let stage = Stage::public(restore()).await;
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    let url = engine.start_calendar_connection(&owner, stage.anna, PLUGIN);
    let (state, code) = stage.diary.consent(&url.await.unwrap(), ANNAS_TOKEN);
    let answer = ConsentAnswer {
        state: Some(state),
        code: Some(code.into()),
        error: None,
    };
    let held = stage.hold("redeem");
    let taken = tokio::spawn(async move { engine.take_consent("test", PLUGIN, answer).await });
    stage.lead_elsewhere_during(held).await;
    let outcome = taken.await.unwrap().unwrap();
    assert!(matches!(outcome, ConsentOutcome::Failed(_)), "{outcome:?}");
    assert_eq!(stage.diary.calls("account"), 0, "it was sent there");
    assert_eq!(stage.count("calendar_connection").await, 0);
    stage.end().await;
}
