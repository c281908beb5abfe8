//! What was set about hours and blocks, read back: the same, by whoever may see it, in few statements.

use domain::actor::Role;
use domain::id::ProviderId;
use serde_json::{Value, json};
use test_support::{App, Client, World};

const READ: &str = "query($from: Date!, $to: Date!, $begin: DateTime!, $end: DateTime!, $location: ID) { providers {
  name
  weeklyHours(locationId: $location) { location { name } windows { weekday opens closes } }
  dateOverrides(from: $from, to: $to, locationId: $location) { location { name } date windows { opens closes } }
  blocks(from: $begin, to: $end) { startsAt endsAt reason provider { name } }
} resources { name blocks(from: $begin, to: $end) { startsAt reason resource { name } } } }";

async fn change(client: &Client, mutation: &str, kind: &str, input: Value) {
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ problems {{ code message path }} }} }}"
    );
    let data = client.data(&query, json!({ "input": input })).await;
    assert_eq!(data[mutation]["problems"], json!([]), "{data:#}");
}

fn march() -> Value {
    json!({
        "from": "2027-03-01", "to": "2027-03-31",
        "begin": "2027-03-01T00:00:00Z", "end": "2027-04-01T00:00:00Z",
    })
}

struct Shop {
    app: App,
    owner: Client,
    anna: ProviderId,
    ben: ProviderId,
}

/// Anna works in London and New York, Ben in London; each has a day of other hours and a block, the room has a block.
async fn shop() -> Shop {
    let app = App::start(World::new().await).await;
    let world = &app.world;
    let (london, york) = (
        world.location("Europe/London").await,
        world.location("America/New_York").await,
    );
    let (anna, ben) = (
        world.provider("Anna", &[london, york]).await,
        world.provider("Ben", &[london]).await,
    );
    let room = world
        .resource("Room", world.kind("Rooms").await, london, 1)
        .await;
    let owner = app.client_with(&world.token(Role::Owner, None).await);
    let windows = json!([
        { "weekday": "SUNDAY", "opens": "22:00", "closes": "06:00" },
        { "weekday": "MONDAY", "opens": "13:00", "closes": "24:00" },
        { "weekday": "MONDAY", "opens": "09:00", "closes": "12:00" },
    ]);
    let (anna_id, york_id, london_id) = (anna.to_string(), york.to_string(), london.to_string());
    let input = json!({ "providerId": anna_id, "locationId": york_id, "windows": windows });
    change(&owner, "setWeeklyHours", "SetWeeklyHoursInput", input).await;
    for (date, windows) in [
        ("2027-03-31", json!([])),
        (
            "2027-03-02",
            json!([{ "opens": "10:00", "closes": "11:30" }]),
        ),
        ("2027-04-01", json!([])),
    ] {
        let input = json!({ "providerId": anna_id, "locationId": london_id, "date": date, "windows": windows });
        change(&owner, "setDateOverride", "SetDateOverrideInput", input).await;
    }
    for (field, id, starts, ends) in [
        (
            "providerId",
            anna_id,
            "2027-02-28T12:00:00Z",
            "2027-03-01T12:00:00Z",
        ),
        (
            "providerId",
            ben.to_string(),
            "2027-03-31T23:00:00Z",
            "2027-04-02T00:00:00Z",
        ),
        (
            "providerId",
            ben.to_string(),
            "2027-04-01T00:00:00Z",
            "2027-04-02T00:00:00Z",
        ),
        (
            "resourceId",
            room.to_string(),
            "2027-03-05T08:00:00Z",
            "2027-03-05T09:00:00Z",
        ),
    ] {
        let input = json!({ field: id, "startsAt": starts, "endsAt": ends, "reason": "private" });
        change(&owner, "createBlock", "CreateBlockInput", input).await;
    }
    Shop {
        app,
        owner,
        anna,
        ben,
    }
}

#[tokio::test]
async fn what_was_set_is_read_back_as_it_was_set() {
    let Shop { app, owner, .. } = shop().await;
    let data = owner.data(READ, march()).await;
    let anna = &data["providers"][0];
    let in_york = &anna["weeklyHours"][1];
    assert_eq!(in_york["location"]["name"], "In America/New_York");
    assert_eq!(
        in_york["windows"],
        json!([
            { "weekday": "MONDAY", "opens": "09:00", "closes": "12:00" },
            { "weekday": "MONDAY", "opens": "13:00", "closes": "24:00" },
            { "weekday": "SUNDAY", "opens": "22:00", "closes": "06:00" },
        ])
    );
    assert_eq!(
        anna["weeklyHours"][0]["windows"].as_array().unwrap().len(),
        7
    );
    assert_eq!(
        anna["dateOverrides"],
        json!([
            { "location": { "name": "In Europe/London" }, "date": "2027-03-02", "windows": [{ "opens": "10:00", "closes": "11:30" }] },
            { "location": { "name": "In Europe/London" }, "date": "2027-03-31", "windows": [] },
        ])
    );
    let block = json!({
        "startsAt": "2027-02-28T12:00:00+00:00", "endsAt": "2027-03-01T12:00:00+00:00", "reason": "private",
        "provider": { "name": "Anna" },
    });
    assert_eq!(anna["blocks"], json!([block]));
    let ben = &data["providers"][1];
    assert_eq!(ben["blocks"].as_array().unwrap().len(), 1);
    assert_eq!(data["resources"][0]["blocks"][0]["reason"], "private");
    app.stop().await;
}

#[tokio::test]
async fn one_location_can_be_asked_for() {
    let Shop { app, owner, .. } = shop().await;
    let locations = owner.data("{ locations { id name } }", json!({})).await;
    let mut variables = march();
    variables["location"] = locations["locations"][1]["id"].clone();
    let data = owner.data(READ, variables).await;
    let anna = &data["providers"][0];
    assert_eq!(anna["weeklyHours"].as_array().unwrap().len(), 1);
    assert_eq!(
        anna["weeklyHours"][0]["location"]["name"],
        "In America/New_York"
    );
    assert_eq!(anna["dateOverrides"], json!([]));
    assert_eq!(data["providers"][1]["weeklyHours"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn blocks_are_for_whoever_may_change_them() {
    let Shop { app, anna, .. } = shop().await;
    let own = app.world.token(Role::Provider, Some(anna)).await;
    let data = app.client_with(&own).data(READ, march()).await;
    assert_eq!(data["providers"][0]["blocks"][0]["reason"], "private");
    assert_eq!(data["providers"][1]["blocks"], Value::Null);
    assert_eq!(data["resources"][0]["blocks"], Value::Null);
    let data = app.client().data(READ, march()).await;
    assert_eq!(data["providers"][0]["blocks"], Value::Null);
    assert_eq!(
        data["providers"][0]["weeklyHours"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        data["providers"][0]["dateOverrides"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    app.stop().await;
}

#[tokio::test]
async fn many_providers_are_read_in_as_many_statements_as_one() {
    let Shop { app, owner, .. } = shop().await;
    owner.data(READ, march()).await;
    let statements = |app: &App| {
        let taken = app.world.statements.take();
        let of_hours = |sql: &&String| {
            ["weekly_hours", "date_override", "\"block\""]
                .iter()
                .any(|table| sql.contains(table))
        };
        taken.iter().filter(of_hours).count()
    };
    statements(&app);
    owner.data(READ, march()).await;
    let few = statements(&app);
    let locations = app.world.location("Europe/London").await;
    for number in 0..5 {
        app.world
            .provider(&format!("P{number}"), &[locations])
            .await;
    }
    statements(&app);
    owner.data(READ, march()).await;
    // Hours, days, and the blocks of providers and resources, which may be read together.
    assert_eq!(statements(&app), few);
    assert!((3..=4).contains(&few), "{few}");
    app.stop().await;
}

#[tokio::test]
async fn a_time_that_makes_no_sense_is_refused_with_its_path() {
    let Shop {
        app, owner, ben, ..
    } = shop().await;
    let ask = async |field: &str| {
        let query =
            format!("query($id: ID!) {{ node(id: $id) {{ ... on Provider {{ {field} }} }} }}");
        let answer = owner.send(&query, json!({ "id": ben.to_string() })).await;
        let extensions = &answer["errors"][0]["extensions"];
        (extensions["code"].clone(), extensions["path"].clone())
    };
    for (field, path) in [
        (
            r#"dateOverrides(from: "2027-03-02", to: "2027-03-01") { date }"#,
            "to",
        ),
        (
            r#"dateOverrides(from: "2027-03-02", to: "2028-03-02") { date }"#,
            "to",
        ),
        (
            r#"dateOverrides(from: "1969-03-02", to: "2027-03-01") { date }"#,
            "from",
        ),
        (
            r#"blocks(from: "2027-03-02T00:00:00Z", to: "2027-03-02T00:00:00Z") { id }"#,
            "to",
        ),
        (
            r#"weeklyHours(locationId: "nonsense") { windows { opens } }"#,
            "locationId",
        ),
    ] {
        assert_eq!(
            ask(field).await,
            (json!("INVALID"), json!([path])),
            "{field}"
        );
    }
    app.stop().await;
}
