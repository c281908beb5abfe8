//! A provider consents on a page of the other side, comes back, reads whom they show their calendar, and says yes: the answer is good once, for
//! a while, for whom it was asked.

use chrono::TimeDelta;
use domain::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{ANNAS_TOKEN, Client};

use super::stage::{PLUGIN, Stage, restore};

const START: &str = "mutation($provider: ID!, $plugin: String!) { startCalendarConnection(providerId: $provider, plugin: $plugin) }";

async fn started(stage: &Stage, client: &Client) -> String {
    let arguments = json!({ "provider": stage.anna.to_string(), "plugin": PLUGIN });
    let data = client.data(START, arguments).await;
    data["startCalendarConnection"].as_str().unwrap().to_owned()
}

async fn page(stage: &Stage, method: Method, slug: &str, query: &str) -> (u16, String) {
    let path = format!("/plugins/{PLUGIN}/{slug}/oauth?{query}");
    let answer = stage.app.client().request(method, &path).send().await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    assert_eq!(answer.headers()["x-frame-options"], "DENY");
    let policy = answer.headers()["content-security-policy"].to_str();
    let policy = policy.unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"),
        "{policy}"
    );
    (status, answer.text().await.unwrap())
}

/// The provider comes back: the status and the page.
async fn back(stage: &Stage, slug: &str, query: &str) -> (u16, String) {
    page(stage, Method::GET, slug, query).await
}

/// The provider clicks on the button of that page.
async fn confirmed(stage: &Stage, slug: &str, query: &str) -> (u16, String) {
    page(stage, Method::POST, slug, query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_connects_the_calendar_once() {
    let mut stage = Stage::public(restore()).await;
    let own = stage.world.token(Role::Provider, Some(stage.anna)).await;
    let own = stage.app.client_with(&own);
    let url = started(&stage, &own).await;
    let home = format!("redirect=https://book.example.com/plugins/{PLUGIN}/test/oauth");
    assert!(
        url.starts_with("https://diary.example/consent?") && url.ends_with(&home),
        "{url}"
    );
    stage.book("2027-03-02T10:00:00Z", stage.anna).await;
    let (state, code) = stage.diary.consent(&url, ANNAS_TOKEN);
    let answer = format!("state={state}&code={code}&scope=calendar");
    let (status, page) = confirmed(&stage, "test", &answer).await;
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("The bookings of Anna at Test &amp; Sons are kept in step"),
        "{page}"
    );
    assert!(!page.contains(&state) && !page.contains(&code) && !page.contains("refresh"));
    assert!(!page.contains("<form"), "{page}");
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    for (status, page) in [
        back(&stage, "test", &answer).await,
        confirmed(&stage, "test", &answer).await,
    ] {
        assert_eq!(
            (status, page.contains("has been used")),
            (400, true),
            "{page}"
        );
        assert!(!page.contains("<form"), "{page}");
    }
    assert_eq!(stage.count("calendar_consent").await, 0);
    // Nothing of it is stored as it is.
    let stored = "SELECT string_agg(encode(sealed, 'escape'), ' ') FROM calendar_connection";
    let stored: String = stage.database.query_one(stored, &[]).await.unwrap().get(0);
    assert!(!stored.contains(ANNAS_TOKEN));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_reads_whom_they_show_their_calendar_before_they_do() {
    let stage = Stage::public(restore()).await;
    let owner = stage.owner().await;
    let url = started(&stage, &owner).await;
    // The address may be opened by anybody, who has a calendar of their own.
    let (state, code) = stage.diary.consent(&url, ANNAS_TOKEN);
    let answer = format!("state={state}&code={code}");
    for _ in 0..3 {
        let (status, page) = back(&stage, "test", &answer).await;
        assert_eq!(status, 200, "{page}");
        for part in [
            "<h1>Connect your calendar with Test &amp; Sons?</h1>",
            "the bookings of Anna in your Diary",
            "Go on only if you are Anna, and know Test &amp; Sons.",
            "<form method=\"post\"><button>Connect</button></form>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(&state) && !page.contains(&code), "{page}");
    }
    assert_eq!(stage.connection().await, None);
    assert_eq!(stage.count("calendar_consent").await, 1);
    // Who closes the page has connected nothing, and after a while nobody can.
    stage.world.clock.advance(TimeDelta::minutes(10));
    for (status, page) in [
        back(&stage, "test", &answer).await,
        confirmed(&stage, "test", &answer).await,
    ] {
        assert_eq!((status, page.contains("came too late")), (400, true));
    }
    assert_eq!(stage.connection().await, None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_not_asked_for_connects_nothing() {
    let stage = Stage::public(restore()).await;
    stage.world.another_business("other").await;
    let owner = stage.owner().await;
    let url = started(&stage, &owner).await;
    let (state, code) = stage.diary.consent(&url, ANNAS_TOKEN);
    for (slug, query) in [
        ("test", format!("code={code}")),
        ("test", format!("state=forged&code={code}")),
        ("other", format!("state={state}&code={code}")),
    ] {
        assert_eq!(back(&stage, slug, &query).await.0, 400, "{query}");
        assert_eq!(confirmed(&stage, slug, &query).await.0, 400, "{query}");
    }
    let answer = format!("state={state}&code={code}");
    assert_eq!(back(&stage, "nobody", &answer).await.0, 404);
    assert_eq!(confirmed(&stage, "nobody", &answer).await.0, 404);
    // Denied: and then the answer has been given.
    let denied = format!("state={state}&error=access_denied<script>");
    let (status, page) = back(&stage, "test", &denied).await;
    assert_eq!(
        (status, page.contains("was not given")),
        (400, true),
        "{page}"
    );
    assert!(!page.contains("<script>"));
    assert_eq!(confirmed(&stage, "test", &answer).await.0, 400);
    // Too late.
    let url = started(&stage, &owner).await;
    let (state, code) = stage.diary.consent(&url, ANNAS_TOKEN);
    stage.world.clock.advance(TimeDelta::minutes(11));
    let answer = format!("state={state}&code={code}");
    assert_eq!(confirmed(&stage, "test", &answer).await.0, 400);
    // A code that is another's: the verifier does not fit.
    let (first, second) = (started(&stage, &owner).await, started(&stage, &owner).await);
    let (state, _) = stage.diary.consent(&first, ANNAS_TOKEN);
    let (_, code) = stage.diary.consent(&second, ANNAS_TOKEN);
    let (status, page) = confirmed(&stage, "test", &format!("state={state}&code={code}")).await;
    assert_eq!(
        (status, page.contains("could not be redeemed")),
        (400, true),
        "{page}"
    );
    assert_eq!(stage.connection().await, None);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_connect_starts_nothing() {
    let stage = Stage::new(restore()).await;
    let owner = stage.owner().await;
    let code = async |client: &Client, provider: &str, plugin: &str| -> Value {
        let arguments = json!({ "provider": provider, "plugin": plugin });
        let answer = client.send(START, arguments).await;
        answer["errors"][0]["extensions"]["code"].clone()
    };
    let anna = stage.anna.to_string();
    let bens = stage.world.token(Role::Provider, Some(stage.ben)).await;
    let bens = stage.app.client_with(&bens);
    assert_eq!(code(&bens, &anna, PLUGIN).await, "FORBIDDEN");
    assert_eq!(code(&stage.app.client(), &anna, PLUGIN).await, "FORBIDDEN");
    assert_eq!(code(&owner, &anna, "payments-till").await, "NOT_FOUND");
    assert_eq!(code(&owner, &anna, "nothing").await, "NOT_FOUND");
    assert_eq!(
        code(&owner, &anna, PLUGIN).await,
        "CONFLICT",
        "the server does not know where the answer would come"
    );
    assert_eq!(stage.count("calendar_consent").await, 0);
    stage.end().await;
}
