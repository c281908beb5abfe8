//! The API as frontends use it: over HTTP, with a demo-sized business built through mutations alone.

use domain::actor::Role;
use domain::id::{ProviderId, ServiceId};
use engine::catalogue::service::ServiceInput;
use serde_json::{Value, json};
use test_support::{App, Client, World, invariants};

const BOOK: &str = "mutation($input: BookInput!) { book(input: $input) {
  booking { id reference status version session { startsAt provider { name } resources { name } } customer { name } }
  manageToken
  problems { __typename code message path ... on SlotUnavailable { reasons alternatives { startsAt } } }
} }";

async fn app() -> (App, Client) {
    let app = App::start(World::new().await).await;
    let token = app.world.token(Role::Owner, None).await;
    let owner = app.client_with(&token);
    (app, owner)
}

/// What most tests book: an hour with Anna in London.
struct Stage {
    app: App,
    owner: Client,
    anna: ProviderId,
    service: ServiceId,
}

async fn stage() -> Stage {
    let (app, owner) = app().await;
    let location = app.world.location("Europe/London").await;
    let anna = app.world.provider("Anna", &[location]).await;
    let service = app
        .world
        .service(60, &[anna], ServiceInput::default())
        .await;
    Stage {
        app,
        owner,
        anna,
        service,
    }
}

async fn create(owner: &Client, mutation: &str, kind: &str, thing: &str, input: Value) -> String {
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {thing} {{ id }} problems {{ code message path }} }} }}"
    );
    let data = owner.data(&query, json!({ "input": input })).await;
    assert_eq!(data[mutation]["problems"], json!([]), "{data:#}");
    data[mutation][thing]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_newcomer_builds_a_business_and_a_visitor_books_in_it() {
    let (app, owner) = app().await;
    let input = json!({ "name": "Studio", "timeZone": "Europe/London" });
    let location = create(
        &owner,
        "createLocation",
        "CreateLocationInput",
        "location",
        input,
    )
    .await;
    let input = json!({ "name": "Room", });
    let kind = create(
        &owner,
        "createResourceKind",
        "CreateResourceKindInput",
        "resourceKind",
        input,
    )
    .await;
    let input = json!({ "name": "Red", "kindId": kind, "locationId": location });
    create(
        &owner,
        "createResource",
        "CreateResourceInput",
        "resource",
        input,
    )
    .await;
    let input = json!({ "name": "Anna", "email": "anna@example.com", "locationIds": [location] });
    let provider = create(
        &owner,
        "createProvider",
        "CreateProviderInput",
        "provider",
        input,
    )
    .await;
    let windows = json!([{ "weekday": "TUESDAY", "opens": "09:00", "closes": "12:00" }]);
    let input = json!({ "providerId": provider, "locationId": location, "windows": windows });
    create(
        &owner,
        "setWeeklyHours",
        "SetWeeklyHoursInput",
        "provider",
        input,
    )
    .await;
    let input = json!({ "name": "Cut", "durationMinutes": 60, "price": 4500, "providerIds": [provider], "requires": [{ "kindId": kind }] });
    let service = create(
        &owner,
        "createService",
        "CreateServiceInput",
        "service",
        input,
    )
    .await;

    let visitor = app.client();
    let question = "query($input: AvailabilityInput!) { availability(input: $input) {
        startTimes slots { startsAt endsAt providers { name } seatsLeft price { amount currency } }
        days { date slotCount firstSlot { startsAt } } nextSlot { startsAt } } }";
    let input = json!({ "serviceId": service, "from": "2027-03-01T00:00:00Z", "to": "2027-03-04T00:00:00Z", "timeZone": "Europe/Berlin" });
    let data = visitor.data(question, json!({ "input": input })).await;
    let answer = &data["availability"];
    let starts = json!([
        "2027-03-02T10:00:00+01:00",
        "2027-03-02T11:00:00+01:00",
        "2027-03-02T12:00:00+01:00"
    ]);
    assert_eq!(answer["startTimes"], starts);
    assert_eq!(
        answer["slots"][0]["price"],
        json!({ "amount": 4500, "currency": "GBP" })
    );
    assert_eq!(
        answer["days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["slotCount"].as_i64().unwrap())
            .sum::<i64>(),
        3
    );
    assert_eq!(answer["nextSlot"]["startsAt"], starts[0]);

    let customer = json!({ "name": "Eve", "email": "eve@example.com" });
    let input =
        json!({ "serviceId": service, "startsAt": "2027-03-02T10:00:00Z", "customer": customer });
    let data = visitor.data(BOOK, json!({ "input": input })).await;
    let booking = &data["book"]["booking"];
    assert_eq!(booking["status"], "CONFIRMED");
    assert_eq!(booking["session"]["resources"], json!([{ "name": "Red" }]));
    let data = visitor.data(BOOK, json!({ "input": input })).await;
    assert_eq!(
        data["book"]["problems"][0]["code"], "SLOT_UNAVAILABLE",
        "{data:#}"
    );
    assert_eq!(data["book"]["booking"], Value::Null);
    assert!(
        !data["book"]["problems"][0]["alternatives"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(invariants(&app.world.url).await.unwrap(), []);
    app.stop().await;
}

#[tokio::test]
async fn a_customer_without_an_account_manages_one_booking_and_sees_no_other() {
    let Stage { app, service, .. } = stage().await;
    let service = service.to_string();
    let visitor = app.client();
    let mut made = Vec::new();
    for (hour, name) in [("10", "Eve"), ("11", "Bob")] {
        let starts = format!("2027-03-02T{hour}:00:00Z");
        let input =
            json!({ "serviceId": service, "startsAt": starts, "customer": { "name": name } });
        let data = visitor.data(BOOK, json!({ "input": input })).await;
        let id = data["book"]["booking"]["id"].as_str().unwrap().to_owned();
        made.push((id, data["book"]["manageToken"].as_str().unwrap().to_owned()));
    }
    let eve = visitor.with_token(&made[0].1);
    let see = "query($id: ID!) { booking(id: $id) { status customer { name } } }";
    let own = eve.data(see, json!({ "id": made[0].0 })).await;
    assert_eq!(own["booking"]["customer"]["name"], "Eve");
    for (client, id) in [(&eve, &made[1].0), (&visitor, &made[0].0)] {
        assert_eq!(
            client.data(see, json!({ "id": id })).await["booking"],
            Value::Null
        );
    }
    let cancel = "mutation($id: ID!) { cancel(input: { bookingId: $id }) { booking { status } problems { code path } } }";
    let refused = eve.data(cancel, json!({ "id": made[1].0 })).await;
    assert_eq!(
        refused["cancel"]["problems"][0],
        json!({ "code": "NOT_FOUND", "path": ["input", "bookingId"] })
    );
    let done = eve.data(cancel, json!({ "id": made[0].0 })).await;
    assert_eq!(done["cancel"]["booking"]["status"], "CANCELLED");
    let list = eve.send("{ bookings { nodes { id } } }", json!({})).await;
    assert_eq!(
        list["errors"][0]["extensions"]["code"], "FORBIDDEN",
        "{list:#}"
    );
    app.stop().await;
}

#[tokio::test]
async fn bad_input_is_answered_with_a_code_and_a_path_and_changes_nothing() {
    let Stage {
        app,
        owner,
        anna,
        service,
    } = stage().await;
    let service = service.to_string();
    let other = app.world.another_business("other").await;
    let theirs_location = other.location("America/New_York").await;
    let theirs = other.provider("Zoe", &[theirs_location]).await.to_string();
    let good = json!({ "serviceId": service, "startsAt": "2027-03-02T10:00:00Z", "customer": { "name": "Eve" } });
    let long = "x".repeat(201);
    let wrong = [
        ("serviceId", json!("svc_nonsense"), "INVALID"),
        ("serviceId", json!(anna.to_string()), "INVALID"),
        (
            "serviceId",
            json!("svc_01jd6y7t3hfb8vqx6p0n2c4m5k"),
            "NOT_FOUND",
        ),
        ("providerId", json!(theirs), "NOT_FOUND"),
        ("partySize", json!(0), "INVALID"),
        ("partySize", json!(-3), "INVALID"),
        ("partySize", json!(2), "INVALID"),
        ("startsAt", json!("2027-03-02T10:00:30Z"), "INVALID"),
        ("startsAt", json!("1969-12-31T10:00:00Z"), "INVALID"),
        ("customer", json!({ "name": "" }), "INVALID"),
        ("customer", json!({ "name": long }), "INVALID"),
        (
            "customer",
            json!({ "name": "Eve", "email": "nonsense" }),
            "INVALID",
        ),
        (
            "customer",
            json!({ "name": "Eve", "timeZone": "Mars/Base" }),
            "INVALID",
        ),
        (
            "holdId",
            json!("hld_01jd6y7t3hfb8vqx6p0n2c4m5k"),
            "NOT_FOUND",
        ),
        ("idempotencyKey", json!(""), "INVALID"),
    ];
    for (field, value, code) in wrong {
        let mut input = good.clone();
        input[field] = value.clone();
        let data = app.client().data(BOOK, json!({ "input": input })).await;
        let problem = &data["book"]["problems"][0];
        assert_eq!(problem["code"], code, "{field} {value}: {data:#}");
        assert_eq!(problem["path"][1], field, "{field} {value}: {data:#}");
    }
    let ask = "query($input: AvailabilityInput!) { availability(input: $input) { startTimes } }";
    for (from, to) in [
        ("2027-03-02", "2027-03-02"),
        ("2027-03-02", "2027-03-01"),
        ("2027-03-01", "2027-05-03"),
    ] {
        let input = json!({ "serviceId": service, "from": format!("{from}T00:00:00Z"), "to": format!("{to}T00:00:00Z") });
        let answer = app.client().send(ask, json!({ "input": input })).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "INVALID",
            "{answer:#}"
        );
    }
    let unknown_zone = owner
        .data("mutation { createLocation(input: { name: \"x\", timeZone: \"Mars/Base\" }) { location { id } problems { code path } } }", json!({}))
        .await;
    assert_eq!(
        unknown_zone["createLocation"]["problems"][0]["code"],
        "INVALID"
    );
    for malformed in ["{", "{ nonsense }", "query { availability }"] {
        let answer = app.client().send(malformed, json!({})).await;
        assert!(
            answer["errors"][0]["extensions"]["code"].is_string(),
            "{answer:#}"
        );
    }
    let forbidden = app
        .client()
        .send(
            "mutation { createLocation(input: { name: \"x\" }) { location { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN",
        "{forbidden:#}"
    );
    let unknown = app
        .client_with("bk_nonsense")
        .send("{ business { name } }", json!({}))
        .await;
    assert_eq!(
        unknown["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{unknown:#}"
    );
    let bookings = owner.data("{ bookings { nodes { id } } }", json!({})).await;
    assert_eq!(
        bookings["bookings"]["nodes"],
        json!([]),
        "nothing was written"
    );
    app.stop().await;
}

#[tokio::test]
async fn bookings_are_listed_page_by_page_in_both_directions() {
    let Stage {
        app,
        owner,
        service,
        ..
    } = stage().await;
    for hour in 9..14 {
        let starts = format!("2027-03-02T{hour:02}:00:00Z");
        let request = app
            .world
            .booking(service, &starts, &format!("Client {hour}"));
        app.world
            .engine
            .book(&app.world.visitor, request, None)
            .await
            .unwrap();
    }
    let list = "query($first: Int, $after: String, $last: Int, $before: String) {
        bookings(first: $first, after: $after, last: $last, before: $before) {
          nodes { customer { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let names = |data: &Value| -> Vec<String> {
        let nodes = data["bookings"]["nodes"].as_array().unwrap();
        nodes
            .iter()
            .map(|node| node["customer"]["name"].as_str().unwrap()[7..].to_owned())
            .collect()
    };
    let first = owner.data(list, json!({ "first": 2 })).await;
    assert_eq!(names(&first), ["9", "10"]);
    let after = &first["bookings"]["pageInfo"]["endCursor"];
    let second = owner
        .data(list, json!({ "first": 2, "after": after }))
        .await;
    assert_eq!(names(&second), ["11", "12"]);
    assert_eq!(second["bookings"]["pageInfo"]["hasNextPage"], true);
    let last = owner.data(list, json!({ "last": 2 })).await;
    assert_eq!(names(&last), ["12", "13"]);
    assert_eq!(last["bookings"]["pageInfo"]["hasPreviousPage"], true);
    let before = &last["bookings"]["pageInfo"]["startCursor"];
    assert_eq!(
        names(
            &owner
                .data(list, json!({ "last": 9, "before": before }))
                .await
        ),
        ["9", "10", "11"]
    );
    app.stop().await;
}
