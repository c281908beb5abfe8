use fake_google::{Call, Fault};
use plugin_api::{CalendarError, CalendarSync, Consent, Failure};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{MARIA, Salon, access, event, plugin, settings};

fn consent() -> Consent {
    Consent {
        redirect_url: "https://bookable.example/plugins/calendar-google/salon/oauth?x=1".to_owned(),
        state: "state & more".to_owned(),
        code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
    }
}

/// Opens the consent page as a browser does, and answers what the redirect bears.
async fn opened(url: &str) -> Vec<(String, String)> {
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let page = client.get(url).send().await.unwrap();
    assert_eq!(page.status(), 302, "{}", page.text().await.unwrap());
    let to = page.headers()["location"].to_str().unwrap().to_owned();
    let expected = format!("{}&", consent().redirect_url);
    let query = to.strip_prefix(&expected).unwrap();
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

async fn code(salon: &Salon) -> String {
    let url = salon
        .plugin
        .consent_url(&salon.settings, &consent())
        .unwrap();
    let answer = opened(&url).await;
    let found = answer.into_iter().find(|(name, _)| name == "code");
    found.unwrap().1
}

fn reason(error: CalendarError) -> String {
    let CalendarError::Revoked { reason } = error else {
        panic!("{error:?}");
    };
    reason
}

#[tokio::test]
async fn a_consent_becomes_lasting_access() {
    let salon = Salon::open().await;
    let url = salon
        .plugin
        .consent_url(&salon.settings, &consent())
        .unwrap();
    let query: Vec<(String, String)> = url
        .parse::<reqwest::Url>()
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    let names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "client_id",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
            "access_type",
            "prompt"
        ]
    );
    assert_eq!(
        query[3].1,
        "https://www.googleapis.com/auth/calendar.events https://www.googleapis.com/auth/calendar.calendarlist.readonly"
    );
    assert!(!url.contains(salon.google.client_secret()));
    assert!(!url.contains(consent().code_verifier.expose_secret()));

    let answer = opened(&url).await;
    assert_eq!(answer[0], ("state".to_owned(), "state & more".to_owned()));
    let code = &answer[1].1;
    let redeemed = salon.plugin.redeem(&salon.settings, &consent(), code).await;
    let token = redeemed.unwrap();
    let access = access(&salon.settings, Some(token.expose_secret()));
    let account = salon.plugin.account(&access).await.unwrap();
    assert_eq!(account.name, MARIA);
    let written = salon.plugin.put(&access, MARIA, &event(1)).await;
    assert!(written.is_ok(), "{written:?}");
    // A code is good for one attempt.
    let again = salon.plugin.redeem(&salon.settings, &consent(), code).await;
    assert!(reason(again.unwrap_err()).contains("connect anew"));
}

#[tokio::test]
async fn a_code_without_its_verifier_is_worth_nothing() {
    let salon = Salon::open().await;
    let code = code(&salon).await;
    let stolen = Consent {
        code_verifier: "a".repeat(43).into(),
        ..consent()
    };
    let redeemed = salon.plugin.redeem(&salon.settings, &stolen, &code).await;
    let reason = reason(redeemed.unwrap_err());
    assert!(reason.contains("Invalid code verifier."), "{reason}");
}

#[tokio::test]
async fn boxes_that_were_not_ticked_are_missed_at_once() {
    let salon = Salon::open().await;
    salon
        .google
        .untick("https://www.googleapis.com/auth/calendar.events");
    let code = code(&salon).await;
    let redeemed = salon
        .plugin
        .redeem(&salon.settings, &consent(), &code)
        .await;
    assert!(reason(redeemed.unwrap_err()).contains("tick every box"));
}

#[tokio::test]
async fn without_a_client_there_is_no_consent() {
    let salon = Salon::with_service_account().await;
    let page = salon.plugin.consent_url(&salon.settings, &consent());
    let is_named = |failure: &Failure| failure.reason().starts_with("clientId: ");
    assert!(page.is_err_and(|failure| is_named(&failure)));
}

#[tokio::test]
async fn access_that_was_taken_back_says_so() {
    let salon = Salon::open().await;
    salon.put(&event(1)).await.unwrap();
    salon.google.revoke(MARIA);
    // The token in memory is not taken, and there is no other.
    let said = reason(salon.put(&event(2)).await.unwrap_err());
    assert!(said.contains("connect anew"), "{said}");
    let nobody = access(&salon.settings, None);
    let said = salon.plugin.account(&nobody).await.unwrap_err();
    assert!(reason(said).contains("has not given consent"));
}

#[tokio::test]
async fn a_token_is_kept_until_it_is_not_taken_any_more() {
    let salon = Salon::open().await;
    for number in 1..=3 {
        salon.put(&event(number)).await.unwrap();
    }
    assert_eq!(salon.google.count(Call::Token), 1);
    salon.google.expire_access_tokens();
    salon.put(&event(4)).await.unwrap();
    salon.put(&event(5)).await.unwrap();
    assert_eq!(salon.google.count(Call::Token), 2);
    // Turned down with a fresh token too: it is the access itself.
    for _ in 0..2 {
        salon.google.fault(Call::InsertEvent, Fault::Unauthorized);
    }
    let said = salon.put(&event(6)).await.unwrap_err();
    assert!(matches!(said, CalendarError::Revoked { .. }), "{said:?}");
    assert_eq!(salon.google.count(Call::Token), 3);
    salon.put(&event(6)).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_about_to_end_is_not_kept() {
    let salon = Salon::open().await;
    salon.google.let_tokens_last(60);
    for number in 1..=2 {
        salon.put(&event(number)).await.unwrap();
    }
    assert_eq!(salon.google.count(Call::Token), 2);
}

#[tokio::test]
async fn many_at_once_want_one_token() {
    let salon = Salon::open().await;
    let (one, two, three) = (event(1), event(2), event(3));
    let all = tokio::join!(salon.put(&one), salon.put(&two), salon.put(&three));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
    assert_eq!(salon.google.count(Call::Token), 1);
}

#[tokio::test]
async fn nobody_uses_the_token_of_another() {
    let salon = Salon::open().await;
    salon
        .google
        .add_account("jo@aurora.example", "Europe/London");
    salon.put(&event(1)).await.unwrap();
    // Maria connects anew, with another account; and the business changes its client.
    let token = salon.google.refresh_token("jo@aurora.example");
    let other = access(&salon.settings, Some(&token));
    let account = salon.plugin.account(&other).await.unwrap();
    assert_eq!(account.name, "jo@aurora.example");
    let wrong = settings(&salon.google, json!({ "clientSecret": "other" }));
    let wrong = plugin_api::PluginSettings::new(2, wrong.json().clone());
    let changed = plugin_api::CalendarAccess {
        settings: wrong,
        ..salon.access.clone()
    };
    let said = salon.plugin.account(&changed).await.unwrap_err();
    let expected = |failure: &Failure| failure.reason().starts_with("clientSecret: ");
    assert!(
        matches!(&said, CalendarError::Failed(failure) if expected(failure)),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_service_account_stands_in_for_people() {
    let salon = Salon::with_service_account().await;
    salon.put(&event(1)).await.unwrap();
    let calls = salon.google.calls();
    let by_whom: Vec<Option<&str>> = calls
        .iter()
        .map(|called| called.account.as_deref())
        .collect();
    assert_eq!(by_whom, [None, Some(MARIA)]);
    assert_eq!(
        calls[0].body["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let account = salon.plugin.account(&salon.access).await.unwrap();
    assert_eq!(account.name, MARIA);
    assert_eq!(salon.google.count(Call::Token), 1);

    let stranger = plugin_api::CalendarAccess {
        subject: Some("nobody@aurora.example".to_owned()),
        ..salon.access.clone()
    };
    let said = salon.plugin.account(&stranger).await.unwrap_err();
    assert!(reason(said).contains("no account nobody@aurora.example"));
}

#[tokio::test]
async fn a_service_account_that_may_not_is_named() {
    let salon = Salon::with_service_account().await;
    salon.google.delegate(false);
    let said = salon.put(&event(1)).await.unwrap_err();
    let CalendarError::Failed(Failure::Misconfigured { reason }) = &said else {
        panic!("{said:?}");
    };
    assert!(
        reason.starts_with("serviceAccount: it may not stand in for maria@"),
        "{reason}"
    );
    assert!(reason.contains("domain-wide delegation"), "{reason}");
}

#[tokio::test]
async fn calendars_are_listed_page_by_page_the_main_one_first() {
    let salon = Salon::open().await;
    let google = &salon.google;
    google.add_account("jo@aurora.example", "Europe/London");
    for (id, role) in [("b", "writer"), ("c", "reader"), ("d", "freeBusyReader")] {
        google.add_calendar("jo@aurora.example", id, id, role, "UTC");
    }
    google.limit_pages(2);
    let token = google.refresh_token("jo@aurora.example");
    let account = salon
        .plugin
        .account(&access(&salon.settings, Some(&token)))
        .await;
    let calendars = account.unwrap().calendars;
    let found: Vec<(&str, bool)> = calendars
        .iter()
        .map(|calendar| (calendar.id.as_str(), calendar.writable))
        .collect();
    assert_eq!(
        found,
        [
            ("jo@aurora.example", true),
            ("b", true),
            ("c", false),
            ("d", false)
        ]
    );
}

#[test]
fn secrets_do_not_show() {
    let settings = plugin_api::PluginSettings::new(1, json!({ "clientSecret": "hunter2" }));
    let access = access(&settings, Some("hunter2"));
    let shown = format!("{access:?} {:?}", SecretString::from("hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
    drop(plugin());
}
