//! When the other side fails: accesses that are taken back, tokens that expire, limits, hangs, panics, and channels that cannot be had.

use std::time::Duration;

use chrono::TimeDelta;
use engine::calendar::ConnectCalendar;
use engine::plugin::PluginState;
use jobs::JobOptions;
use plugin_api::{CalendarError, Failure};
use serde_json::json;
use test_support::{ANNAS_TOKEN, BadCall};

use super::stage::{PLUGIN, Stage, options, restore};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_an_access_is_taken_back() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(stage.input()).await;
    let cancelled = stage.book("2027-03-02T12:00:00Z", stage.anna).await;
    stage.settled().await;
    stage.diary.revoke(ANNAS_TOKEN, true);
    stage.book("2027-03-02T14:00:00Z", stage.anna).await;
    stage.cancel(cancelled).await;
    stage.settled().await;
    let shown = stage.connection().await.unwrap();
    assert_eq!(shown.state, PluginState::Broken);
    assert!(shown.last_error.unwrap().contains("taken back"));
    assert_eq!(
        stage.reasons("2027-03-02T10:00:00Z").await,
        "[ProviderBlocked]"
    );
    let told = format!(
        "event WHERE kind = 'calendar.broken' AND calendar_ids = ARRAY['{}'::uuid]",
        domain::id::Id::uuid(stage.anna)
    );
    assert_eq!(stage.count(&told).await, 1, "and once");
    // Days pass, and many attempts: nothing is given up, and nobody asks in vain.
    for _ in 0..20 {
        stage.world.clock.advance(TimeDelta::minutes(61));
        stage.settled().await;
    }
    let calls = stage.diary.calls("put") + stage.diary.calls("pull");
    stage.later().await;
    assert_eq!(stage.diary.calls("put") + stage.diary.calls("pull"), calls);
    assert_eq!(stage.count(&told).await, 1);
    assert_eq!(stage.count("delivery WHERE status = 'parked'").await, 0);
    assert_eq!(stage.count("delivery WHERE status = 'waiting'").await, 2);
    stage.diary.revoke(ANNAS_TOKEN, false);
    stage.connect(stage.input()).await;
    assert_eq!(stage.there("anna"), ["02T14:00"]);
    let shown = stage.connection().await.unwrap();
    assert_eq!((shown.state, shown.last_error), (PluginState::Ok, None));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_is_sent_nowhere_but_where_it_was_given_for() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let kept = "calendar_connection WHERE sealed IS NOT NULL";
    let broken = "event WHERE kind = 'calendar.broken'";
    let owner = stage.owner().await;
    let configure = async |settings: serde_json::Value| {
        let query = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message } } }";
        let input = json!({ "name": PLUGIN, "settings": settings });
        let done = owner.data(query, json!({ "input": input })).await;
        assert_eq!(done["configurePlugin"]["problems"], json!([]));
    };
    configure(json!({ "pollSeconds": 90 })).await;
    assert_eq!((stage.count(kept).await, stage.count(broken).await), (1, 0));
    configure(json!({ "apiBase": "https://elsewhere.example" })).await;
    assert_eq!((stage.count(kept).await, stage.count(broken).await), (0, 1));
    let calls = stage.diary.calls("put") + stage.diary.calls("pull");
    stage.book("2027-03-02T14:00:00Z", stage.anna).await;
    stage.settled().await;
    assert_eq!(stage.connection().await.unwrap().state, PluginState::Broken);
    assert_eq!(stage.diary.calls("put") + stage.diary.calls("pull"), calls);
    // The provider agrees to it.
    stage.connect(stage.input()).await;
    assert_eq!(stage.there("anna"), ["02T14:00"]);
    assert_eq!(stage.connection().await.unwrap().state, PluginState::Ok);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_whose_token_has_expired_is_read_anew_and_what_is_gone_there_is_gone_here() {
    let mut stage = Stage::new(restore()).await;
    for day in 2..9 {
        let (from, to) = (
            format!("2027-03-0{day}T10:00:00Z"),
            format!("2027-03-0{day}T11:00:00Z"),
        );
        stage.diary.busy("anna", &format!("day{day}"), &from, &to);
    }
    stage.connect(stage.input()).await;
    assert_eq!(stage.count("external_event").await, 7, "on all pages");
    stage.diary.gone("anna", "day3");
    stage.diary.busy(
        "anna",
        "day9",
        "2027-03-09T10:00:00Z",
        "2027-03-09T11:00:00Z",
    );
    stage.diary.expire_tokens();
    stage.later().await;
    assert_eq!(stage.count("external_event").await, 7);
    assert_eq!(stage.reasons("2027-03-03T10:00:00Z").await, "[]");
    assert_eq!(
        stage.reasons("2027-03-09T10:00:00Z").await,
        "[ProviderBlocked]"
    );
    // What lay too far ahead comes into sight: all is read anew now and then.
    stage.diary.busy(
        "anna",
        "far",
        "2028-06-01T10:00:00Z",
        "2028-06-01T11:00:00Z",
    );
    let full = "SELECT full_read_at::text FROM calendar_source";
    let before: String = stage.database.query_one(full, &[]).await.unwrap().get(0);
    stage.world.clock.advance(TimeDelta::days(8));
    stage.settled().await;
    let after: String = stage.database.query_one(full, &[]).await.unwrap().get(0);
    assert_ne!(before, after);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_too_often_is_left_alone_for_as_long_as_they_say() {
    let mut stage = Stage::new(restore()).await;
    stage.connect(stage.input()).await;
    let limited = Failure::Retry {
        after: Some(Duration::from_secs(1800)),
        reason: "the quota is used up".to_owned(),
    };
    stage.diary.bad_call(BadCall::Refused(limited.into()));
    stage.later().await;
    let shown = stage.connection().await.unwrap();
    assert_eq!(shown.state, PluginState::Retrying);
    assert_eq!(shown.last_error.as_deref(), Some("the quota is used up"));
    let pulls = stage.diary.calls("pull");
    stage.world.clock.advance(TimeDelta::minutes(29));
    stage.settled().await;
    assert_eq!(stage.diary.calls("pull"), pulls);
    stage.world.clock.advance(TimeDelta::minutes(2));
    stage.settled().await;
    assert_eq!(stage.diary.calls("pull"), pulls + 1);
    let shown = stage.connection().await.unwrap();
    assert_eq!((shown.state, shown.last_error), (PluginState::Ok, None));
    assert_eq!(shown.last_sync_at, Some(stage.world.clock.now()));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_hangs_or_panics_stands_in_nobody_s_way() {
    let jobs = JobOptions {
        time_limit: Duration::from_millis(400),
        ..options()
    };
    let mut stage = Stage::with(restore(), None, jobs).await;
    stage.connect(stage.input()).await;
    stage.diary.account("bens", "ben@example.com", &["ben"]);
    for bad in [BadCall::Hangs, BadCall::Panics] {
        stage.diary.bad_call(bad);
        stage.later().await;
        let shown = stage.connection().await.unwrap();
        assert_eq!(shown.state, PluginState::Retrying, "{shown:?}");
        stage.book_each_day().await;
        stage.settled().await;
    }
    // The other provider's is read meanwhile.
    let bens = ConnectCalendar {
        provider_id: stage.ben,
        refresh_token: Some("bens".into()),
        ..stage.input()
    };
    stage.diary.busy(
        "ben",
        "golf",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(bens).await;
    assert_eq!(stage.count("external_event").await, 1);
    stage.later().await;
    assert_eq!(stage.connection().await.unwrap().state, PluginState::Ok);
    stage.end().await;
}

impl Stage {
    /// Nobody who books waits for the other side.
    async fn book_each_day(&self) {
        let day = self.world.clock.now() + TimeDelta::days(2);
        let starts = day.format("%Y-%m-%dT11:00:00Z").to_string();
        let booking = self.book(&starts, self.anna).await;
        self.cancel(booking).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_cannot_be_had_keeps_no_calendar_from_being_read() {
    let mut stage = Stage::public(restore()).await;
    let refused = Failure::give_up("WebHook callback must be HTTPS");
    // The first call is for the account, the second opens the channel.
    let (engine, owner) = (stage.world.engine.clone(), stage.world.owner);
    let app = stage.app;
    app.stop().await;
    engine
        .connect_calendar(
            &owner,
            {
                ConnectCalendar {
                    provider_id: stage.anna,
                    plugin: "calendar-diary".to_owned(),
                    refresh_token: Some(ANNAS_TOKEN.into()),
                    read_from: None,
                    write_to: None,
                }
            },
            None,
        )
        .await
        .unwrap();
    stage
        .diary
        .bad_call(BadCall::Refused(CalendarError::Failed(refused)));
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    let due = engine.calendars_due(&[], 10).await.unwrap();
    let taken = engine
        .take_calendar(due[0], TimeDelta::seconds(90))
        .await
        .unwrap()
        .unwrap();
    engine.read_calendar(&taken).await.unwrap();
    assert!(stage.diary.channels("anna").is_empty());
    let row = stage
        .database
        .query_one("SELECT count(*) FROM external_event", &[])
        .await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 1);
    let next = engine.calendar_next(&[]).await.unwrap().unwrap();
    assert_eq!(
        next - stage.world.clock.now(),
        TimeDelta::seconds(60),
        "it is asked now and then"
    );
    // An hour later there is one.
    stage.world.clock.advance(TimeDelta::minutes(61));
    let due = engine.calendars_due(&[], 10).await.unwrap();
    let taken = engine
        .take_calendar(due[0], TimeDelta::seconds(90))
        .await
        .unwrap()
        .unwrap();
    engine.read_calendar(&taken).await.unwrap();
    assert_eq!(stage.diary.channels("anna").len(), 1);
    stage.changes.until(0, "status = 'parked'").await;
}
