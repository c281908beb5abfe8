//! What is refused, in words that the client can do something with.

use domain::actor::Role;
use serde_json::{Value, json};
use test_support::{App, World};

const LIST: &str = "query($filter: BookingFilter) { bookings(filter: $filter) { nodes { id } } }";

fn code_and_path(answer: &Value) -> (Value, Value) {
    let extensions = &answer["errors"][0]["extensions"];
    (extensions["code"].clone(), extensions["path"].clone())
}

#[tokio::test]
async fn years_that_the_software_does_not_know_are_invalid_in_a_filter() {
    let app = App::start(World::new().await).await;
    let owner = app.client_with(&app.world.token(Role::Owner, None).await);
    for (name, at) in [
        ("from", "0001-01-01T00:00:00Z"),
        ("from", "1969-12-31T23:59:59Z"),
        ("to", "9999-12-31T23:59:59-01:00"),
    ] {
        let answer = owner.send(LIST, json!({ "filter": { name: at } })).await;
        let expected = (json!("INVALID"), json!(["filter", name]));
        assert_eq!(code_and_path(&answer), expected, "{answer:#}");
    }
    let known =
        json!({ "filter": { "from": "1970-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z" } });
    assert_eq!(
        owner.data(LIST, known).await["bookings"]["nodes"],
        json!([])
    );
    let mut socket = owner.socket().await;
    let query = "subscription($filter: BookingFilter) { bookingChanged(filter: $filter) { kind } }";
    let filter = json!({ "filter": { "to": "1969-12-31T00:00:00Z" } });
    socket.subscribe("1", query, filter).await;
    let refused = socket.next().await.to_string();
    assert!(
        refused.contains("INVALID") && refused.contains("filter"),
        "{refused}"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_visitor_is_told_to_bring_a_token_and_a_bearer_that_theirs_is_not_enough() {
    let app = App::start(World::new().await).await;
    let location = app.world.location("Europe/London").await;
    let anna = app.world.provider("Anna", &[location]).await;
    let message = async |client: test_support::Client, query: &str| {
        let answer = client.send(query, json!({})).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{answer:#}"
        );
        answer["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    let create = "mutation { createLocation(input: { name: \"x\" }) { problems { code } } }";
    for query in [create, "{ bookings { nodes { id } } }"] {
        let told = message(app.client(), query).await;
        assert!(told.contains("a sign-in token is needed"), "{told}");
    }
    let token = app.world.token(Role::Provider, Some(anna)).await;
    let told = message(app.client_with(&token), create).await;
    assert!(told.contains("this token does not allow"), "{told}");
    app.stop().await;
}
