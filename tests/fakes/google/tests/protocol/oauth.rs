use serde_json::json;

use crate::{Client, MARIA, http_client, token};

#[tokio::test]
async fn a_code_is_good_once_with_its_verifier_and_its_address() {
    let client = Client::new().await;
    let google = &client.google;
    let page = async |more: &str| {
        let address = google.token_url().replace("/token", "/o/oauth2/v2/auth");
        let url = format!(
            "{address}?client_id={}&redirect_uri=http://here/back&response_type=code&scope=calendar&state=s{more}",
            google.client_id()
        );
        let answer = http_client().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        let to = answer.headers()["location"].to_str().unwrap().to_owned();
        let query = to.strip_prefix("http://here/back?").unwrap();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        pairs
    };
    let code = |pairs: &[(String, String)]| {
        let found = pairs.iter().find(|(name, _)| name == "code");
        found.unwrap().1.clone()
    };
    let redeem = async |code: &str, address: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", address),
            (
                "code_verifier",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ];
        token(google, &form).await
    };
    let pkce =
        "&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let first = code(&page(&format!("{pkce}&access_type=offline&prompt=consent")).await);
    let (status, granted) = redeem(&first, "http://here/back").await;
    assert_eq!(status, 200, "{granted}");
    assert!(granted["refresh_token"].is_string());
    assert_eq!(
        redeem(&first, "http://here/back").await.1["error"],
        "invalid_grant"
    );
    let second = code(&page(pkce).await);
    let elsewhere = redeem(&second, "http://there/back").await;
    assert_eq!(elsewhere.1["error"], "redirect_uri_mismatch");
    let brief = code(&page(pkce).await);
    assert!(redeem(&brief, "http://here/back").await.1["refresh_token"].is_null());
    google.refuse_consent();
    let refused = page(pkce).await;
    assert_eq!(refused[0], ("error".to_owned(), "access_denied".to_owned()));
}

#[tokio::test]
async fn a_token_can_be_taken_back() {
    let client = Client::new().await;
    let refresh = client.google.refresh_token(MARIA);
    let url = client.google.token_url().replace("/token", "/revoke");
    let revoke = async || {
        let url = format!("{url}?token={refresh}");
        http_client()
            .post(url)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(revoke().await, 200);
    assert_eq!(revoke().await, 400);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let answer = token(&client.google, &form).await;
    assert_eq!(
        (answer.0, &answer.1["error"]),
        (400, &json!("invalid_grant"))
    );
    assert_eq!(client.events("").await.0, 401);
    let wrong = [("grant_type", "refresh_token"), ("client_id", "other")];
    assert_eq!(token(&client.google, &wrong).await.0, 401);
}

#[tokio::test]
async fn an_assertion_that_nobody_signed_is_worth_nothing() {
    let client = Client::new().await;
    for assertion in [
        "",
        "a.b.c",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJSUzI1NiJ9.e30.AAAA",
    ] {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
        ];
        let answer = token(&client.google, &form).await;
        assert_eq!(
            (answer.0, &answer.1["error"]),
            (400, &json!("invalid_grant"))
        );
    }
}
