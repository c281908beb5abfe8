//! All that plugins talk to, for trying things by hand and for measuring: a Stripe, a Google, a Twilio and an endpoint for webhooks on this
//! machine, and a business set up to use them. Runs until it is killed.
//!
//! `cargo run --example other-sides -- http://127.0.0.1:8080 <slug> <owner's token>`, beside `bookable serve --allow-private-hosts`.

#![allow(clippy::print_stdout, reason = "a command line")]

use anyhow::{Context, ensure};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use fake_google::FakeGoogle;
use fake_stripe::FakeStripe;
use fake_twilio::{ACCOUNT, AUTH_TOKEN, FROM, FakeTwilio};
use serde_json::{Value, json};

const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { set: configurePlugin(input: $input) { problems { message path } } }";
const ENDPOINT: &str = "mutation($input: WebhookEndpointInput!) { set: setWebhookEndpoint(input: $input) { problems { message } } }";
const CONNECT: &str = "mutation($input: ConnectCalendarInput!) { set: connectCalendar(input: $input) { problems { message } } }";

/// The business, as its owner.
struct Owner {
    url: String,
    slug: String,
    token: String,
    http: reqwest::Client,
}

impl Owner {
    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("x-business", &self.slug)
            .bearer_auth(&self.token)
            .json(&json!({ "query": query, "variables": variables }));
        let mut answer: Value = request.send().await?.json().await?;
        let data = answer.get_mut("data").map(Value::take);
        data.filter(|data| !data.is_null())
            .with_context(|| format!("the server answered {answer}"))
    }

    async fn set(&self, query: &str, input: Value) -> anyhow::Result<()> {
        let data = self.ask(query, json!({ "input": input })).await?;
        let problems = data.pointer("/set/problems");
        ensure!(problems == Some(&json!([])), "{input}: {data}");
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what| arguments.next().with_context(|| format!("say the {what}"));
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let owner = Owner {
        url: argument("address of the server")?,
        slug: argument("slug of the business")?,
        token: argument("token of its owner")?,
        http: reqwest::Client::builder().tls_certs_only([]).build()?,
    };
    let stripe = FakeStripe::start().await?;
    let google = FakeGoogle::start().await?;
    let twilio = FakeTwilio::start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let hook = format!("http://{}/hook", listener.local_addr()?);
    let router = Router::new().route("/hook", post(async || StatusCode::NO_CONTENT));
    tokio::spawn(async { axum::serve(listener, router).await });

    let settings = [
        (
            "payments-stripe",
            json!({ "secretKey": stripe.secret_key(), "webhookSecret": "whsec_for_trying", "apiBase": stripe.base() }),
        ),
        (
            "calendar-google",
            json!({ "clientId": google.client_id(), "clientSecret": google.client_secret(),
                "apiBase": google.api_base(), "tokenUrl": google.token_url() }),
        ),
        (
            "sms-twilio",
            json!({ "accountSid": ACCOUNT, "authToken": AUTH_TOKEN, "from": FROM, "apiBase": twilio.base() }),
        ),
    ];
    for (name, settings) in settings {
        let input = json!({ "name": name, "settings": settings, "enabled": true });
        owner.set(CONFIGURE, input).await?;
        println!("{name}: set up");
    }
    owner
        .set(ENDPOINT, json!({ "url": hook, "events": ["*"] }))
        .await?;
    println!("webhooks: {hook}");
    let data = owner.ask("{ providers { id } }", json!({})).await?;
    let providers = data.get("providers").and_then(Value::as_array);
    let mut connected = 0;
    for (number, provider) in providers.into_iter().flatten().enumerate() {
        let account = format!("provider{number}@example.com");
        google.add_account(&account, "Europe/London");
        let token = google.refresh_token(&account);
        let input = json!({ "providerId": provider["id"], "plugin": "calendar-google", "refreshToken": token });
        owner.set(CONNECT, input).await?;
        connected += 1;
    }
    println!("calendars of {connected} providers: connected. Ctrl-C ends it all.");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
