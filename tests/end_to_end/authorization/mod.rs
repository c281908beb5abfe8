//! Who may do what: every mutation of the schema, asked by everybody there is, with input that is right in all else.

mod stage;

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};
use test_support::Client;

use self::stage::Stage;

/// Everybody there is, as they stand above the table. Guests bear the manage token of the booking in question, or that of another one;
/// where none is in question, both bear that of another one. A stranger is the owner of another business: `stranger here` names this
/// business, `stranger there` their own, in which none of these things are.
const EVERYBODY: [&str; 9] = [
    "anonymous",
    "own guest",
    "other guest",
    "own provider",
    "other provider",
    "manager",
    "owner",
    "stranger here",
    "stranger there",
];

/// Every mutation, and after a comma what is special about the input; the type of its input, if it has one; what it answers, nothing where
/// that is a plain value.
const MUTATIONS: [(&str, &str, &str); 52] = [
    ("createLocation", "CreateLocationInput", "location"),
    ("updateLocation", "UpdateLocationInput", "location"),
    ("archiveLocation", "", "location"),
    ("setOpeningHours", "SetOpeningHoursInput", "location"),
    ("createProvider", "CreateProviderInput", "provider"),
    ("updateProvider", "UpdateProviderInput", "provider"),
    ("archiveProvider", "", "provider"),
    (
        "createResourceKind",
        "CreateResourceKindInput",
        "resourceKind",
    ),
    (
        "updateResourceKind",
        "UpdateResourceKindInput",
        "resourceKind",
    ),
    ("archiveResourceKind", "", "resourceKind"),
    ("createResource", "CreateResourceInput", "resource"),
    ("updateResource", "UpdateResourceInput", "resource"),
    ("archiveResource", "", "resource"),
    ("createService", "CreateServiceInput", "service"),
    ("updateService", "UpdateServiceInput", "service"),
    ("archiveService", "", "service"),
    ("setWeeklyHours", "SetWeeklyHoursInput", "provider"),
    ("setDateOverride", "SetDateOverrideInput", "provider"),
    ("deleteDateOverride", "DeleteDateOverrideInput", "provider"),
    ("createBlock", "CreateBlockInput", "block"),
    ("createBlock, resource", "CreateBlockInput", "block"),
    ("deleteBlock", "", "block"),
    ("deleteBlock, resource", "", "block"),
    ("holdSlot", "HoldSlotInput", "hold"),
    ("releaseHold", "", "hold"),
    ("book", "BookInput", "booking"),
    ("book, override", "BookInput", "booking"),
    ("book, override anybody", "BookInput", "booking"),
    ("reschedule", "RescheduleInput", "booking"),
    ("reschedule, override", "RescheduleInput", "booking"),
    ("cancel", "CancelInput", "booking"),
    ("checkIn", "", "booking"),
    ("complete", "", "booking"),
    ("markNoShow", "", "booking"),
    ("updateCustomer", "UpdateCustomerInput", "customer"),
    ("refund", "RefundInput", "payment"),
    ("capturePayment", "CapturePaymentInput", "payment"),
    ("chargeFee", "ChargeFeeInput", "payment"),
    (
        "configurePlugin",
        "ConfigurePluginInput",
        "plugin { id: name }",
    ),
    ("checkPlugin", "", "__typename"),
    ("retryDelivery", "", "delivery"),
    ("setWebhookEndpoint", "WebhookEndpointInput", "endpoint"),
    ("rotateWebhookSecret", "", "endpoint"),
    ("deleteWebhookEndpoint", "", "__typename"),
    ("replayWebhooks", "", ""),
    ("replayWebhook", "", "delivery"),
    ("startCalendarConnection", "", ""),
    ("connectCalendar", "ConnectCalendarInput", "provider"),
    ("disconnectCalendar", "", "provider"),
    ("setNotificationRule", "NotificationRuleInput", "rule"),
    ("deleteNotificationRule", "", "rule"),
    ("testNotification", "NotificationTestInput", "__typename"),
];

/// What happens to none of the things that events are about.
const WITHOUT_EVENT: [&str; 10] = [
    "configurePlugin",
    "checkPlugin",
    "retryDelivery",
    "setWebhookEndpoint",
    "rotateWebhookSecret",
    "deleteWebhookEndpoint",
    "replayWebhooks",
    "replayWebhook",
    "startCalendarConnection",
    "testNotification",
];

async fn ask(client: &Client, mutation: &str, arguments: &Value) -> Value {
    let row = MUTATIONS.iter().find(|(name, ..)| *name == mutation);
    let (name, input, thing) = row.unwrap();
    let name = name.split(',').next().unwrap();
    let thing = match *thing {
        "" => String::new(),
        plain if plain.contains('{') || plain.starts_with('_') => {
            format!("{{ thing: {plain} problems {{ code }} }}")
        }
        thing => format!("{{ thing: {thing} {{ id }} problems {{ code }} }}"),
    };
    let (variables, given) = match *input {
        // A plain text is written in JSON as in GraphQL.
        "" => {
            let fields = arguments.as_object().unwrap().iter();
            let given = fields.map(|(argument, value)| format!("{argument}: {value}"));
            (String::new(), given.collect::<Vec<_>>().join(" "))
        }
        kind => (format!("($it: {kind}!)"), "input: $it".to_owned()),
    };
    let query = format!("mutation{variables} {{ {name}({given}) {thing} }}");
    client
        .send(&query, json!({ "it": arguments["input"] }))
        .await
}

/// `yes`, or the code with which it was refused.
fn outcome(answer: &Value) -> String {
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    let payload = answer["data"].as_object().unwrap().values().next().unwrap();
    if payload.is_number() || payload.is_string() {
        return "yes".to_owned();
    }
    match payload["problems"][0]["code"].as_str() {
        Some(code) => code.to_owned(),
        None if payload["thing"]["id"].is_string() || payload["thing"].is_string() => {
            "yes".to_owned()
        }
        None => panic!("neither done nor refused: {answer:#}"),
    }
}

/// The mutations of the schema, as the running app tells them.
async fn mutations(client: &Client) -> BTreeSet<String> {
    let query = "{ __schema { mutationType { fields { name } } } }";
    let data = client.data(query, json!({})).await;
    let fields = data["__schema"]["mutationType"]["fields"].as_array();
    let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
    fields.unwrap().iter().map(name).collect()
}

/// How much has happened, in all businesses: more after every change.
async fn happened(database: &tokio_postgres::Client) -> i64 {
    let row = database.query_one("SELECT count(*) FROM event", &[]).await;
    row.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_is_for_those_in_the_table_and_a_refusal_changes_nothing() {
    let stage = Stage::new().await;
    let listed = MUTATIONS.map(|(name, ..)| name.split(',').next().unwrap().to_owned());
    assert_eq!(mutations(&stage.owner).await, listed.into_iter().collect());
    let database = test_support::connect(&stage.app.world.url).await;
    let other = stage.other_guest();
    let mut table = format!("{:25}", "");
    for who in EVERYBODY {
        write!(table, "{who:15}").unwrap();
    }
    for (mutation, ..) in MUTATIONS {
        write!(table, "\n{mutation:25}").unwrap();
        for (who, name) in EVERYBODY.iter().enumerate() {
            let case = stage.case(mutation).await;
            let client = stage.client(who, &case, &other);
            let before = happened(&database).await;
            let answer = ask(&client, mutation, &case.arguments).await;
            let (outcome, changed) = (outcome(&answer), happened(&database).await > before);
            let refused = ["FORBIDDEN", "UNAUTHENTICATED", "NOT_FOUND"].contains(&&*outcome);
            assert!(refused || outcome == "yes", "{mutation}: {answer:#}");
            let has_event = !WITHOUT_EVENT.contains(&mutation);
            assert_eq!(changed, has_event && !refused, "{mutation}, {name}");
            write!(table, "{outcome:15}").unwrap();
        }
    }
    let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
                             anonymous      own guest      other guest    own provider   other provider manager        owner          stranger here  stranger there
    createLocation           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    updateLocation           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    archiveLocation          FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    setOpeningHours          FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createProvider           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    updateProvider           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    archiveProvider          FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createResourceKind       FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    updateResourceKind       FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    archiveResourceKind      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createResource           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    updateResource           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    archiveResource          FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createService            FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    updateService            FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    archiveService           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    setWeeklyHours           FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    setDateOverride          FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    deleteDateOverride       FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createBlock              FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    createBlock, resource    FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    deleteBlock              FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    deleteBlock, resource    FORBIDDEN      FORBIDDEN      FORBIDDEN      NOT_FOUND      NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    holdSlot                 yes            yes            yes            yes            yes            yes            yes            FORBIDDEN      NOT_FOUND
    releaseHold              yes            yes            yes            yes            yes            yes            yes            FORBIDDEN      NOT_FOUND
    book                     yes            yes            yes            yes            yes            yes            yes            FORBIDDEN      NOT_FOUND
    book, override           FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    book, override anybody   FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    reschedule               NOT_FOUND      yes            NOT_FOUND      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    reschedule, override     FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    cancel                   NOT_FOUND      yes            NOT_FOUND      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    checkIn                  NOT_FOUND      FORBIDDEN      NOT_FOUND      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    complete                 NOT_FOUND      FORBIDDEN      NOT_FOUND      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    markNoShow               NOT_FOUND      FORBIDDEN      NOT_FOUND      yes            NOT_FOUND      yes            yes            FORBIDDEN      NOT_FOUND
    updateCustomer           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    refund                   FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    capturePayment           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    chargeFee                FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    configurePlugin          FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    checkPlugin              FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    retryDelivery            FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    setWebhookEndpoint       FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    rotateWebhookSecret      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    deleteWebhookEndpoint    FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    replayWebhooks           FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    replayWebhook            FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    startCalendarConnection  FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    connectCalendar          FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    disconnectCalendar       FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    setNotificationRule      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    deleteNotificationRule   FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      NOT_FOUND
    testNotification         FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      FORBIDDEN      yes            yes            FORBIDDEN      yes
    ");
    stage.app.stop().await;
}
