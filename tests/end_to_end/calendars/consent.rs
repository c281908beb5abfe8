//! A provider consents on a page of the other side: the answer is good once, for a while, for whom it was asked.

use chrono::TimeDelta;
use domain::actor::Role;
use serde_json::{Value, json};
use test_support::{ANNAS_TOKEN, Client};

use super::stage::{PLUGIN, Stage, restore};

const START: &str = "mutation($provider: ID!, $plugin: String!) { startCalendarConnection(providerId: $provider, plugin: $plugin) }";

async fn started(stage: &Stage, client: &Client) -> String {
    let arguments = json!({ "provider": stage.anna.to_string(), "plugin": PLUGIN });
    let data = client.data(START, arguments).await;
    data["startCalendarConnection"].as_str().unwrap().to_owned()
}

/// The provider comes back: the status and the page.
async fn back(stage: &Stage, slug: &str, query: &str) -> (u16, String) {
    let path = format!("/plugins/{PLUGIN}/{slug}/oauth?{query}");
    let request = stage.app.client().request(reqwest::Method::GET, &path);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    (status, answer.text().await.unwrap())
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
    let (status, page) = back(&stage, "test", &answer).await;
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("The calendar of Anna is kept in step"),
        "{page}"
    );
    assert!(!page.contains(&state) && !page.contains(&code) && !page.contains("refresh"));
    stage.settled().await;
    assert_eq!(stage.there("anna"), ["02T10:00"]);
    let (status, page) = back(&stage, "test", &answer).await;
    assert_eq!(
        (status, page.contains("has been used")),
        (400, true),
        "{page}"
    );
    assert_eq!(stage.count("calendar_consent").await, 0);
    // Nothing of it is stored as it is.
    let stored = "SELECT string_agg(encode(sealed, 'escape'), ' ') FROM calendar_connection";
    let stored: String = stage.database.query_one(stored, &[]).await.unwrap().get(0);
    assert!(!stored.contains(ANNAS_TOKEN));
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
    }
    let unknown = back(&stage, "nobody", &format!("state={state}&code={code}")).await;
    assert_eq!(unknown.0, 404);
    // Denied: and then the answer has been given.
    let denied = format!("state={state}&error=access_denied<script>");
    let (status, page) = back(&stage, "test", &denied).await;
    assert_eq!(
        (status, page.contains("was not given")),
        (400, true),
        "{page}"
    );
    assert!(!page.contains("<script>"));
    assert_eq!(
        back(&stage, "test", &format!("state={state}&code={code}"))
            .await
            .0,
        400
    );
    // Too late.
    let url = started(&stage, &owner).await;
    let (state, code) = stage.diary.consent(&url, ANNAS_TOKEN);
    stage.world.clock.advance(TimeDelta::minutes(11));
    assert_eq!(
        back(&stage, "test", &format!("state={state}&code={code}"))
            .await
            .0,
        400
    );
    // A code that is another's: the verifier does not fit.
    let (first, second) = (started(&stage, &owner).await, started(&stage, &owner).await);
    let (state, _) = stage.diary.consent(&first, ANNAS_TOKEN);
    let (_, code) = stage.diary.consent(&second, ANNAS_TOKEN);
    let (status, page) = back(&stage, "test", &format!("state={state}&code={code}")).await;
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
