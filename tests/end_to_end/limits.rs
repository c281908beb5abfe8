//! What a request over HTTP may be, and what is answered to one that is not, or in which something breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::actor::Role;
use domain::zone::ZoneDatabase;
use engine::catalogue::service::ServiceInput;
use engine::{Engine, EngineOptions};
use jobs::JobOptions;
use plugin_api::Proposal;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use server::app::HttpOptions;
use store::Database;
use store::database::DatabaseOptions;
use test_support::wire::{Wire, post};
use test_support::{App, Client, Guarding, World, WorldOptions, invariants};

const GRAPHQL: &str = "application/graphql-response+json";

async fn app_with(http: HttpOptions) -> App {
    App::start_with(World::new().await, http, JobOptions::default()).await
}

fn posted(client: &Client, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = client.request(Method::POST, "/graphql");
    request
        .header("content-type", "application/json")
        .body(body)
}

/// The status and the code of the first error.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(body.get("data").is_none(), "it was run");
    (status, code(&body))
}

fn code(body: &Value) -> String {
    let code = body["errors"][0]["extensions"]["code"].as_str();
    code.unwrap_or_else(|| panic!("an error has a code: {body:#}"))
        .to_owned()
}

#[tokio::test]
async fn a_request_of_the_wrong_form_is_refused_with_its_status() {
    let limit = 4 * 1024;
    let app = app_with(HttpOptions {
        body_limit: limit,
        ..HttpOptions::default()
    })
    .await;
    let client = app.client();
    let query = r#"{"query":"{ business { slug } }"}"#;
    let large = format!(
        r#"{{"query":"{{ business {{ slug }} }}{}"}}"#,
        " ".repeat(limit)
    );
    let get = |query: &str| client.request(Method::GET, &format!("/graphql?query={query}"));
    let of_type = |kind: &str| {
        let request = client.request(Method::POST, "/graphql");
        request.header("content-type", kind).body(query)
    };
    let accepting = |kind: &str| posted(&client, query).header("accept", kind);
    let cases = [
        (
            "announced as too large",
            posted(&client, large),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            "not JSON",
            posted(&client, "{\"query\":"),
            400,
            "BAD_REQUEST",
        ),
        ("without a query", posted(&client, "{}"), 400, "BAD_REQUEST"),
        (
            "a batch",
            posted(&client, format!("[{query}]")),
            400,
            "BAD_REQUEST",
        ),
        (
            "variables nested deeper than JSON may be",
            posted(&client, format!("{{\"variables\":{}", "[".repeat(2_000))),
            400,
            "BAD_REQUEST",
        ),
        (
            "a type that is no JSON",
            of_type("text/plain"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "a form",
            of_type("application/x-www-form-urlencoded"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "no type",
            client.request(Method::POST, "/graphql").body(query),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            "an answer that we do not give",
            accepting("text/html"),
            406,
            "NOT_ACCEPTABLE",
        ),
        (
            "a mutation by GET",
            get("mutation { releaseHold(id: \"x\") { problems { code } } }"),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            "another method",
            client.request(Method::DELETE, "/graphql"),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            "another place",
            client.request(Method::GET, "/graph"),
            404,
            "NOT_FOUND",
        ),
    ];
    for (what, request, status, code) in cases {
        assert_eq!(refused(request).await, (status, code.to_owned()), "{what}");
    }
    let by_get = get("{ business { slug } }").send().await.unwrap();
    assert_eq!(by_get.status(), 200, "queries may come by GET");
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_grows_too_large_is_not_read_to_its_end() {
    let app = app_with(HttpOptions {
        body_limit: 4 * 1024,
        ..HttpOptions::default()
    })
    .await;
    let mut wire = Wire::open(app.address).await;
    wire.write(b"POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n").await;
    // No announcement, and no end.
    wire.write(format!("2000\r\n{}\r\n", " ".repeat(0x2000)).as_bytes())
        .await;
    let answer = String::from_utf8(wire.read(13).await).unwrap();
    assert_eq!(answer, "HTTP/1.1 413 ");
    app.stop().await;
}

#[tokio::test]
async fn a_document_that_asks_for_too_much_is_not_run() {
    let app = app_with(HttpOptions::default()).await;
    let client = app.client();
    let nested = |depth: usize| {
        format!(
            "{}{}",
            "{ services { providers ".repeat(depth),
            "}".repeat(2 * depth)
        )
    };
    let aliased = |count: usize, field: &str| {
        let fields = (0..count).map(|number| format!("a{number}: {field}"));
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "))
    };
    let slots = "availability(input: { serviceId: \"svc\", from: \"2027-03-02T00:00:00Z\", to: \"2027-03-03T00:00:00Z\" }) { slots { startsAt } }";
    let cases = [
        ("too deep", nested(10), "TOO_COMPLEX"),
        (
            "deeper than a parser goes",
            nested(5_000),
            "GRAPHQL_PARSE_FAILED",
        ),
        (
            "lists in lists",
            format!("{{ a(b: {}1{}) }}", "[".repeat(20_000), "]".repeat(20_000)),
            "GRAPHQL_PARSE_FAILED",
        ),
        (
            "many aliases",
            aliased(2_501, "business { slug }"),
            "TOO_COMPLEX",
        ),
        ("many lists", aliased(600, slots), "TOO_COMPLEX"),
        (
            "fragments that nobody names",
            chained("__typename", 4_500, 1),
            "TOO_COMPLEX",
        ),
        (
            "fragments that name each other",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            "TOO_COMPLEX",
        ),
        (
            "fragments that double",
            chained("...F0", 30, 2),
            "TOO_COMPLEX",
        ),
    ];
    for (what, document, code) in cases {
        let body = json!({ "query": document }).to_string();
        let request = posted(&client, body).header("accept", GRAPHQL);
        assert_eq!(refused(request).await, (400, code.to_owned()), "{what}");
    }
    app.stop().await;
}

/// A question, and fragments each of which names the next one so many times.
pub(crate) fn chained(question: &str, length: usize, times: usize) -> String {
    let fragment = |level: usize| {
        let next = format!(" ...F{}", level + 1).repeat(times);
        format!(" fragment F{level} on Query {{{next} }}")
    };
    let fragments = (0..length).map(fragment).collect::<String>();
    format!("{{ {question} }}{fragments} fragment F{length} on Query {{ business {{ slug }} }}")
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_told_to_come_again() {
    let http = HttpOptions {
        request_timeout: Duration::from_millis(50),
        ..HttpOptions::default()
    };
    let app = app_with(http).await;
    let whole = post(
        &app.world.slug,
        "application/json",
        r#"{"query":"{ __typename }"}"#,
    );
    let mut wire = Wire::open(app.address).await;
    // The last byte never comes.
    wire.write(&whole.as_bytes()[..whole.len() - 1]).await;
    let answer = String::from_utf8(wire.read_to_end().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(code(&body), "UNAVAILABLE");
    app.stop().await;
}

/// An engine on the world's database that panics whenever it asks it something, while it is told to.
fn fragile(world: &World, panics: &Arc<AtomicBool>) -> Engine {
    let panics = panics.clone();
    let options = DatabaseOptions {
        observer: Some(Arc::new(move |_: &str| {
            assert!(!panics.load(Ordering::SeqCst), "as it was told");
        })),
        ..DatabaseOptions::default()
    };
    Engine::new(EngineOptions {
        database: Database::new(&world.url, options).unwrap(),
        clock: world.clock.clone(),
        zones: ZoneDatabase::bundled(),
        plugins: Vec::new(),
        vault: engine::Vault::new(&[7; 32]),
        public_url: None,
    })
}

#[tokio::test]
async fn a_panic_is_answered_under_the_id_of_the_request_and_harms_no_other() {
    let world = World::new().await;
    let panics = Arc::new(AtomicBool::new(false));
    let engine = fragile(&world, &panics);
    let app = App::start(World { engine, ..world }).await;
    let client = app.client_with("bk_nonsense");
    panics.store(true, Ordering::SeqCst);
    let token = app
        .world
        .another_node(Vec::new())
        .token(Role::Owner, None)
        .await;
    let owner = client.with_token(&token);
    let answer = posted(&owner, r#"{"query":"{ business { slug } }"}"#)
        .header("x-request-id", "mine-7")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["x-request-id"].to_str().unwrap()
        ),
        (500, "mine-7")
    );
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(
        body["errors"][0]["extensions"],
        json!({ "code": "INTERNAL", "traceId": "mine-7" })
    );
    panics.store(false, Ordering::SeqCst);
    for _ in 0..50 {
        assert_eq!(
            owner.data("{ business { slug } }", json!({})).await["business"]["slug"],
            "test"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn a_guard_that_panics_refuses_and_its_words_stay_inside() {
    let broken = Guarding(|_: &Proposal| panic!("secret words"));
    let world = World::with(WorldOptions {
        plugins: vec![Arc::new(broken)],
        ..WorldOptions::default()
    })
    .await;
    let location = world.location("UTC").await;
    let anna = world.provider("Anna", &[location]).await;
    let service = world
        .service(60, &[anna], ServiceInput::default())
        .await
        .to_string();
    let app = App::start(world).await;
    let book = "mutation($input: BookInput!) { book(input: $input) { booking { id } problems { code message } } }";
    let input = json!({ "serviceId": service, "startsAt": "2027-03-02T10:00:00Z", "customer": { "name": "Eve" } });
    let data = app.client().data(book, json!({ "input": input })).await;
    let problem =
        json!({ "code": "PLUGIN_REFUSED", "message": "this cannot be booked at the moment" });
    assert_eq!(
        data["book"],
        json!({ "booking": null, "problems": [problem] })
    );
    assert_eq!(invariants(&app.world.url).await.unwrap(), []);
    app.stop().await;
}
