//! The fake as a client sees it: what Stripe documents, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic; the whole crate is tests"
)]

use fake_stripe::{Call, Decline, FakeStripe, Fault};
use serde_json::{Value, json};

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// For plain HTTP to this machine; a provider of TLS is asked for all the same.
fn http_client() -> reqwest::Client {
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().tls_certs_only([]);
    builder.build().unwrap()
}

/// Posts a form and answers the status and what came back.
async fn post(stripe: &FakeStripe, path: &str, key: Option<&str>, form: Pairs<'_>) -> (u16, Value) {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut request = http_client()
        .post(format!("{}/v1/{path}", stripe.base()))
        .bearer_auth(stripe.secret_key())
        .header("stripe-version", "2026-10-28.endive")
        .body(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn id(answer: &(u16, Value)) -> String {
    assert_eq!(answer.0, 200, "{answer:?}");
    answer.1["id"].as_str().unwrap().to_owned()
}

const PAYMENT: Pairs<'static> = &[("amount", "4500"), ("currency", "eur")];
const PAGE: Pairs<'static> = &[
    ("mode", "payment"),
    ("success_url", "https://salon.example/"),
    ("line_items[0][quantity]", "1"),
    ("line_items[0][price_data][unit_amount]", "4500"),
    ("line_items[0][price_data][currency]", "eur"),
    ("line_items[0][price_data][product_data][name]", "Haircut"),
];

#[tokio::test]
async fn a_key_answers_the_same_and_takes_no_other_parameters() {
    let stripe = FakeStripe::start().await.unwrap();
    let first = post(&stripe, "payment_intents", Some("k"), PAYMENT).await;
    assert_eq!(
        first,
        post(&stripe, "payment_intents", Some("k"), PAYMENT).await
    );
    let other = [("amount", "4501"), ("currency", "eur")];
    let refused = post(&stripe, "payment_intents", Some("k"), &other).await;
    assert_eq!(
        (refused.0, &refused.1["error"]["type"]),
        (400, &json!("idempotency_error"))
    );
    // A call that was turned down before it began can be put right under its key.
    let wrong = [("amount", "many"), ("currency", "eur")];
    assert_eq!(
        post(&stripe, "payment_intents", Some("l"), &wrong).await.0,
        400
    );
    id(&post(&stripe, "payment_intents", Some("l"), PAYMENT).await);
    assert_eq!(stripe.made("pi_"), 2);
}

#[tokio::test]
async fn what_is_not_documented_is_refused() {
    let stripe = FakeStripe::start().await.unwrap();
    let unknown = [("amount", "4500"), ("currency", "eur"), ("booking", "1")];
    let refused = post(&stripe, "payment_intents", None, &unknown).await;
    assert_eq!(refused.1["error"]["code"], json!("parameter_unknown"));
    assert_eq!(post(&stripe, "payments", None, &[]).await.0, 404);
    let wrong_key = http_client()
        .get(format!("{}/v1/balance", stripe.base()))
        .bearer_auth("sk_test_other")
        .send();
    assert_eq!(wrong_key.await.unwrap().status(), 401);
}

#[tokio::test]
async fn no_more_is_paid_back_than_was_taken() {
    let stripe = FakeStripe::start().await.unwrap();
    let payment = id(&post(&stripe, "payment_intents", None, PAYMENT).await);
    let refund = async |amount: &str| {
        let form = [("payment_intent", payment.as_str()), ("amount", amount)];
        post(&stripe, "refunds", None, &form).await
    };
    assert_eq!(refund("1").await.0, 400, "nothing was taken yet");
    stripe.pay(&payment).unwrap();
    assert!(stripe.pay(&payment).is_err(), "it is paid once");
    assert_eq!(refund("4501").await.0, 400);
    id(&refund("4000").await);
    assert_eq!(refund("501").await.0, 400);
    id(&refund("500").await);
    let too_late = refund("1").await;
    assert_eq!(
        too_late.1["error"]["code"],
        json!("charge_already_refunded")
    );
    let amounts: Vec<i64> = stripe.refunds().iter().map(|made| made.amount).collect();
    assert_eq!(amounts, [4000, 500]);
}

#[tokio::test]
async fn a_page_is_paid_or_closed_and_not_both() {
    let stripe = FakeStripe::start().await.unwrap();
    let paid = id(&post(&stripe, "checkout/sessions", None, PAGE).await);
    let closed = id(&post(&stripe, "checkout/sessions", None, PAGE).await);
    assert_eq!(stripe.made("pi_"), 0);
    stripe.pay(&paid).unwrap();
    let expire = |page: &str| format!("checkout/sessions/{page}/expire");
    assert_eq!(post(&stripe, &expire(&paid), None, &[]).await.0, 400);
    id(&post(&stripe, &expire(&closed), None, &[]).await);
    assert!(stripe.pay(&closed).is_err());
    assert_eq!(post(&stripe, &expire(&closed), None, &[]).await.0, 400);
    assert_eq!(stripe.charges().len(), 1);
    assert_eq!(stripe.object(&paid)["payment_status"], json!("paid"));
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_act() {
    let stripe = FakeStripe::start().await.unwrap();
    stripe.fault(Call::CreatePaymentIntent, Fault::AnswerLost);
    let lost = http_client()
        .post(format!("{}/v1/payment_intents", stripe.base()))
        .bearer_auth(stripe.secret_key())
        .header("stripe-version", "2026-10-28.endive")
        .body("amount=4500&currency=eur")
        .send()
        .await;
    let is_lost = match lost {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(is_lost);
    assert_eq!(stripe.made("pi_"), 1);
    assert_eq!(stripe.count(Call::CreatePaymentIntent), 1);
}

#[tokio::test]
async fn it_ends_with_its_value() {
    let stripe = FakeStripe::start().await.unwrap();
    let base = stripe.base();
    drop(stripe);
    // The task is told to end; until it has, the port may still take a connection and then says nothing.
    let gone = async {
        while http_client().get(&base).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    gone.await;
}

/// A payment with a card that was saved for a customer, not confirmed.
async fn unconfirmed(stripe: &FakeStripe) -> String {
    let customer = id(&post(stripe, "customers", None, &[("name", "Jo")]).await);
    let setup = [("customer", customer.as_str())];
    let setup = id(&post(stripe, "setup_intents", None, &setup).await);
    stripe.pay(&setup).unwrap();
    let method = stripe.object(&setup)["payment_method"].clone();
    let mut form = PAYMENT.to_vec();
    form.push(("automatic_payment_methods[allow_redirects]", "never"));
    form.push(("payment_method", method.as_str().unwrap()));
    let other = post(stripe, "payment_intents", None, &form).await;
    assert_eq!(other.0, 400, "it is not that customer's");
    form.push(("customer", &customer));
    let made = post(stripe, "payment_intents", None, &form).await;
    assert_eq!(made.1["status"], json!("requires_confirmation"));
    id(&made)
}

#[tokio::test]
async fn an_error_that_came_under_way_is_repeated_for_a_day_and_then_the_call_is_carried_out() {
    let stripe = FakeStripe::start().await.unwrap();
    let create = async || post(&stripe, "payment_intents", Some("once"), PAYMENT).await;
    stripe.fault(Call::CreatePaymentIntent, Fault::BreakDown);
    for _ in 0..2 {
        let broken = create().await;
        assert_eq!(
            (broken.0, &broken.1["error"]["type"]),
            (500, &json!("api_error"))
        );
        stripe.advance(chrono::TimeDelta::hours(23));
    }
    assert_eq!(stripe.made("pi_"), 0);
    let made = create().await;
    assert_eq!((made.0, create().await), (200, made));
    assert_eq!(stripe.made("pi_"), 1);
}

#[tokio::test]
async fn addresses_are_of_domains_and_in_ascii() {
    let stripe = FakeStripe::start().await.unwrap();
    for (email, status) in [
        ("jo@customer.example", 200),
        ("jo@localhost", 400),
        ("jö@customer.example", 400),
        ("jo", 400),
    ] {
        let answer = post(&stripe, "customers", None, &[("email", email)]).await;
        assert_eq!(answer.0, status, "{email}");
    }
}

#[tokio::test]
async fn a_saved_card_is_charged_when_it_is_confirmed_and_once() {
    let stripe = FakeStripe::start().await.unwrap();
    let payment = unconfirmed(&stripe).await;
    let confirm = format!("payment_intents/{payment}/confirm");
    let on_session = post(&stripe, &confirm, None, &[]).await;
    assert_eq!(on_session.0, 400, "nobody is there to be sent elsewhere");
    assert!(stripe.charges().is_empty());
    let confirmed = post(&stripe, &confirm, None, &[("off_session", "true")]).await;
    assert_eq!(
        (confirmed.0, &confirmed.1["status"]),
        (200, &json!("succeeded"))
    );
    let again = post(&stripe, &confirm, None, &[("off_session", "true")]).await;
    assert_eq!(
        again.1["error"]["code"],
        json!("payment_intent_unexpected_state")
    );
    assert_eq!(stripe.charges().len(), 1);
}

#[tokio::test]
async fn a_bank_that_says_no_takes_the_card_off_the_payment() {
    for decline in [Decline::CardDeclined, Decline::AuthenticationRequired] {
        let stripe = FakeStripe::start().await.unwrap();
        let payment = unconfirmed(&stripe).await;
        stripe.decline_saved_cards(Some(decline));
        let confirm = format!("payment_intents/{payment}/confirm");
        let declined = post(&stripe, &confirm, None, &[("off_session", "true")]).await;
        assert_eq!(
            (declined.0, &declined.1["error"]["type"]),
            (402, &json!("card_error"))
        );
        let object = stripe.object(&payment);
        assert_eq!(object["status"], json!("requires_payment_method"));
        assert_eq!(
            object["last_payment_error"]["code"],
            declined.1["error"]["code"]
        );
        stripe.decline_saved_cards(None);
        let again = post(&stripe, &confirm, None, &[("off_session", "true")]).await;
        assert_eq!(
            again.1["error"]["code"],
            json!("payment_intent_unexpected_state")
        );
        assert!(stripe.charges().is_empty());
    }
}
