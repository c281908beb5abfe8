//! When calendars are read: at once where the other side says that they changed, now and then in any case, and not where nobody wants it.

use chrono::TimeDelta;
use serde_json::json;
use test_support::at;

use super::stage::{PLUGIN, Stage, restore};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_a_calendar_read_at_once_and_channels_are_renewed() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    let channel = stage.diary.channels("anna").pop().unwrap();
    assert_eq!(
        channel.address,
        format!("https://book.example.com/plugins/{PLUGIN}/test")
    );
    let secret = secrecy::ExposeSecret::expose_secret(&channel.secret).to_owned();
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    let pulls = stage.diary.calls("pull");
    for (id, secret, number) in [
        (channel.id.as_str(), "wrong", 1),
        ("not a uuid", secret.as_str(), 1),
        ("01930000-0000-7000-8000-000000000000", secret.as_str(), 1),
    ] {
        assert_eq!(stage.call(id, secret, number).await, 200);
    }
    stage.settled().await;
    assert_eq!(
        stage.diary.calls("pull"),
        pulls,
        "nobody is believed without the secret"
    );
    assert_eq!(stage.count("inbound_call").await, 0, "nor leaves a trace");
    assert_eq!(stage.call(&channel.id, &secret, 2).await, 200);
    stage.settled().await;
    assert_eq!(
        stage.reasons("2027-03-02T10:00:00Z").await,
        "[ProviderBlocked]"
    );
    let pulls = stage.diary.calls("pull");
    assert_eq!(stage.call(&channel.id, &secret, 2).await, 200);
    stage.settled().await;
    assert_eq!(stage.diary.calls("pull"), pulls, "a repeat is one call");
    assert_eq!(stage.count("inbound_call").await, 1);
    // Before the week is over another channel takes its place, and the first is closed.
    stage
        .world
        .clock
        .advance(TimeDelta::days(6) + TimeDelta::hours(1));
    stage.settled().await;
    let renewed = stage.diary.channels("anna");
    assert_eq!(renewed.len(), 1);
    assert_ne!(renewed[0].id, channel.id);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_question_costs_as_little_with_calendars_elsewhere() {
    let mut stage = Stage::new(restore()).await;
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    stage.connect(stage.input()).await;
    let other = stage.world.another_node(Vec::new());
    let asked = crate::booking::question(
        stage.service,
        "2027-03-02T00:00:00Z",
        "2027-03-03T00:00:00Z",
    );
    let cold = other
        .engine
        .availability(&other.visitor, &asked)
        .await
        .unwrap();
    assert!(
        other
            .statements
            .take()
            .iter()
            .any(|sql| sql.contains("external_event"))
    );
    let warm = other
        .engine
        .availability(&other.visitor, &asked)
        .await
        .unwrap();
    assert_eq!(other.statements.take().len(), 2);
    assert_eq!(warm.slots, cold.slots);
    let with =
        |slot: &domain::availability::Slot| slot.provider_ids.iter().any(|id| id == stage.anna);
    assert!(
        !warm
            .slots
            .iter()
            .any(|slot| slot.starts.instant() == at("2027-03-02T10:00:00Z") && with(slot))
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_sees_slots_go_when_their_provider_is_busy_elsewhere() {
    const WATCH: &str = "subscription($input: AvailabilityInput!) { availability(input: $input) {
        slots { startsAt } removed } }";
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    let input = json!({ "input": { "serviceId": stage.service.to_string(), "providerIds": [stage.anna.to_string()],
        "from": "2027-03-02T00:00:00Z", "to": "2027-03-03T00:00:00Z" } });
    let mut page = stage.app.client().socket().await;
    page.subscribe("1", WATCH, input).await;
    let first = page.data().await["availability"]["slots"].clone();
    assert_eq!(first.as_array().unwrap().len(), 8);
    stage.diary.busy(
        "anna",
        "dentist",
        "2027-03-02T10:00:00Z",
        "2027-03-02T11:00:00Z",
    );
    let channel = stage.diary.channels("anna").pop().unwrap();
    let secret = secrecy::ExposeSecret::expose_secret(&channel.secret).to_owned();
    assert_eq!(stage.call(&channel.id, &secret, 1).await, 200);
    let update = page.data().await["availability"].clone();
    assert_eq!(update["slots"].as_array().unwrap().len(), 7);
    assert!(
        update["removed"][0]
            .as_str()
            .unwrap()
            .starts_with("2027-03-02T10:00")
    );
    stage.end().await;
}
