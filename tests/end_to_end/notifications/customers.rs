//! What is known of customers: who says it, who changes it, and who sees it.

use domain::id::BookingId;
use serde_json::{Value, json};
use test_support::Client;

use super::stage::Stage;

const UPDATE: &str = "mutation($input: UpdateCustomerInput!) { updateCustomer(input: $input) {
    customer { id name email phone timeZone locale tier preferredChannel } problems { code path message } } }";
const CUSTOMER: &str =
    "query($id: ID!) { booking(id: $id) { customer { id name tier preferredChannel } } }";

pub(super) async fn customer(client: &Client, booking: BookingId) -> Value {
    let data = client
        .data(CUSTOMER, json!({ "id": booking.to_string() }))
        .await;
    data["booking"]["customer"].clone()
}

/// Changes the customer of a booking; what became of it.
async fn update(stage: &Stage, booking: BookingId, mut changes: Value) -> Value {
    changes["id"] = customer(&stage.owner, booking).await["id"].clone();
    let data = stage.owner.data(UPDATE, json!({ "input": changes })).await;
    data["updateCustomer"].clone()
}

pub(super) async fn updated(stage: &mut Stage, booking: BookingId, changes: Value) -> Value {
    let answer = update(stage, booking, changes).await;
    assert_eq!(answer["problems"], json!([]));
    stage.done().await;
    answer["customer"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_changed_field_by_field_and_what_is_wrong_is_told_with_its_place() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let all = json!({ "name": " Eve Adams ", "email": "adams@example.com", "phone": "020 7946 0000",
        "timeZone": "America/New_York", "locale": "en-US", "tier": "VIP", "preferredChannel": "SMS" });
    let mut expected = all.clone();
    expected["name"] = json!("Eve Adams");
    let mut known = updated(&mut stage, id, all).await;
    let customer_id = known.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(known, expected);
    // What is left out stays, and so does a name that is null.
    let same = updated(&mut stage, id, json!({ "name": null })).await;
    assert_eq!(
        (&same["name"], &same["tier"]),
        (&json!("Eve Adams"), &json!("VIP"))
    );
    let cleared = updated(
        &mut stage,
        id,
        json!({ "email": null, "phone": null, "timeZone": null, "locale": null, "tier": null, "preferredChannel": null }),
    )
    .await;
    assert_eq!(
        cleared,
        json!({ "id": customer_id, "name": "Eve Adams", "email": null, "phone": null, "timeZone": null,
            "locale": null, "tier": null, "preferredChannel": null })
    );

    // A key makes it safe to repeat; whoever says nothing new changes nothing.
    let database = test_support::connect(&stage.app.world.url).await;
    let events = async || -> i64 {
        let count = "SELECT count(*) FROM event WHERE kind = 'customer.changed'";
        database.query_one(count, &[]).await.unwrap().get(0)
    };
    assert_eq!(events().await, 2);
    let once = json!({ "tier": "gold", "idempotencyKey": "once" });
    updated(&mut stage, id, once.clone()).await;
    updated(&mut stage, id, json!({ "tier": "silver" })).await;
    let again = updated(&mut stage, id, once).await;
    assert_eq!(again["tier"], "silver", "it was done before");
    let other = update(
        &stage,
        id,
        json!({ "tier": "iron", "idempotencyKey": "once" }),
    )
    .await;
    assert_eq!(other["problems"][0]["code"], "IDEMPOTENCY_CONFLICT");
    let clears = json!({ "tier": null, "idempotencyKey": "none" });
    updated(&mut stage, id, json!({ "idempotencyKey": "none" })).await;
    let other = update(&stage, id, clears).await;
    assert_eq!(other["problems"][0]["code"], "IDEMPOTENCY_CONFLICT");
    updated(&mut stage, id, json!({ "tier": "silver" })).await;
    assert_eq!(events().await, 4);

    let mut told = Vec::new();
    for (field, value) in [
        ("name", json!(" ")),
        ("email", json!("nowhere")),
        ("phone", json!("call me")),
        ("timeZone", json!("Europe/Atlantis")),
        ("locale", json!("e")),
        ("tier", json!(" ")),
        ("tier", json!("a".repeat(41))),
    ] {
        let answer = update(&stage, id, json!({ field: value })).await;
        let problem = &answer["problems"][0];
        assert_eq!(answer["customer"], Value::Null);
        assert_eq!(problem["path"], json!(["input", field]));
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        told.push(format!("{} {}", text("code"), text("message")));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    INVALID `name` must not be empty
    INVALID `email` is not an email address
    INVALID `phone` is not a telephone number
    INVALID `timeZone` is not an IANA time zone such as Europe/London
    INVALID `locale` is not a language tag such as en-GB
    INVALID `tier` must not be empty
    INVALID `tier` must be at most 40 characters long, not 41
    ");
    let nobody = json!({ "input": { "id": "cus_01jd6y7t3hfb8vqx6p0n2c4m5k", "tier": "vip" } });
    let answer = stage.owner.data(UPDATE, nobody).await;
    let problem = &answer["updateCustomer"]["problems"][0];
    assert_eq!(
        (&problem["code"], &problem["path"]),
        (&json!("NOT_FOUND"), &json!(["input", "id"]))
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_time_do_not_undo_each_other() {
    let mut stage = Stage::of_mail().await;
    let id = stage.book(stage.input("2027-03-05T10:00:00Z")).await;
    stage.done().await;
    let fields = [
        ("name", "Eve Adams"),
        ("email", "adams@example.com"),
        ("phone", "020 7946 0000"),
        ("timeZone", "America/New_York"),
        ("locale", "en-US"),
        ("tier", "vip"),
        ("preferredChannel", "SMS"),
    ];
    let customer_id = customer(&stage.owner, id).await["id"].clone();
    let changes = fields.map(|(field, value)| {
        let (owner, id) = (stage.owner.clone(), customer_id.clone());
        let input = json!({ "id": id, field: value });
        tokio::spawn(async move { owner.data(UPDATE, json!({ "input": input })).await })
    });
    for change in changes {
        assert_eq!(
            change.await.unwrap()["updateCustomer"]["problems"],
            json!([])
        );
    }
    let known = updated(&mut stage, id, json!({})).await;
    for (field, value) in fields {
        assert_eq!(known[field], value, "{known:#}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_say_how_to_reach_them_and_never_see_or_set_their_tier() {
    let mut stage = Stage::new().await;
    let visitor = stage.app.client();
    let book = async |starts_at: &str, extra: Value| {
        let mut customer =
            json!({ "name": "Eve", "email": "eve@example.com", "phone": "+442079460000" });
        for (name, value) in extra.as_object().unwrap() {
            customer[name] = value.clone();
        }
        let query = "mutation($input: BookInput!) { book(input: $input) {
            booking { id customer { id tier preferredChannel } } manageToken problems { code } } }";
        let input = json!({ "serviceId": stage.service.to_string(), "startsAt": starts_at, "customer": customer });
        visitor.send(query, json!({ "input": input })).await
    };
    let refused = book("2027-03-05T10:00:00Z", json!({ "tier": "vip" })).await;
    assert!(refused["errors"][0].is_object(), "there is no such field");
    let first = book(
        "2027-03-05T10:00:00Z",
        json!({ "preferredChannel": "EMAIL" }),
    )
    .await;
    let first = &first["data"]["book"];
    let known = &first["booking"]["customer"];
    assert_eq!(
        (&known["tier"], &known["preferredChannel"]),
        (&Value::Null, &json!("EMAIL"))
    );

    let input = json!({ "id": known["id"], "tier": "vip" });
    let set = stage.owner.data(UPDATE, json!({ "input": input })).await;
    assert_eq!(set["updateCustomer"]["customer"]["tier"], "vip");
    // Who says nothing of a channel, or the same, is the same; who prefers another one is somebody else, and no VIP.
    for (starts_at, extra, same) in [
        ("2027-03-08T10:00:00Z", json!({}), true),
        (
            "2027-03-09T10:00:00Z",
            json!({ "preferredChannel": "EMAIL" }),
            true,
        ),
        (
            "2027-03-10T10:00:00Z",
            json!({ "preferredChannel": "SMS" }),
            false,
        ),
    ] {
        let next = book(starts_at, extra).await;
        let customer = &next["data"]["book"]["booking"]["customer"];
        assert_eq!(customer["id"] == known["id"], same, "{starts_at}");
        assert_eq!(customer["tier"], Value::Null, "it is for staff to see");
    }
    stage.done().await;

    let guest = stage
        .app
        .client_with(first["manageToken"].as_str().unwrap());
    let query = "query($id: ID!) { booking(id: $id) { customer { tier preferredChannel } } }";
    for (client, tier) in [(&guest, Value::Null), (&stage.owner, json!("vip"))] {
        let seen = client
            .data(query, json!({ "id": first["booking"]["id"] }))
            .await;
        assert_eq!(
            seen["booking"]["customer"],
            json!({ "tier": tier, "preferredChannel": "EMAIL" })
        );
    }
    stage.end().await;
}
