//! All that a business's plugins talk to, each behind a proxy that has bad days.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bad_proxy::BadProxy;
use chrono::{DateTime, TimeDelta, Utc};
use fake_google::FakeGoogle;
use fake_stripe::FakeStripe;
use fake_twilio::FakeTwilio;
use serde_json::{Value, json};

pub const STRIPE_SECRET: &str = "whsec_for_tests";

/// The clock that everybody goes by: it was set to this, then.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<(DateTime<Utc>, Instant)>>);

impl Clock {
    pub fn starting_at(at: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new((at, Instant::now()))))
    }

    /// What time it is.
    pub fn now(&self) -> DateTime<Utc> {
        let (at, then) = *self.0.lock().unwrap();
        at + TimeDelta::from_std(then.elapsed()).unwrap()
    }

    /// Puts it forward.
    pub fn advance(&self, by: TimeDelta) {
        let at = self.now() + by;
        *self.0.lock().unwrap() = (at, Instant::now());
    }
}

/// What an endpoint for webhooks was posted: kind and booking, by the event's id.
type Posted = Arc<Mutex<BTreeMap<String, (String, String)>>>;

pub struct Outside {
    pub stripe: FakeStripe,
    pub google: FakeGoogle,
    pub twilio: FakeTwilio,
    posted: Posted,
    endpoint: String,
    /// Before Stripe, Google, Twilio and the endpoint.
    proxies: [BadProxy; 4],
}

impl Outside {
    /// All of it, on good days, with this clock.
    pub async fn start(clock: &Clock) -> Self {
        let stripe = FakeStripe::start().await.unwrap();
        let google = FakeGoogle::start().await.unwrap();
        let twilio = FakeTwilio::start_with({
            let clock = clock.clone();
            move || clock.now()
        })
        .await
        .unwrap();
        let posted = Posted::default();
        let router = Router::new()
            .route("/hook", post(take))
            .with_state(posted.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hooks = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        let before = async |address: String| BadProxy::start(&origin(&address), 0).await.unwrap();
        let proxies = [
            before(stripe.base()).await,
            before(google.api_base()).await,
            before(twilio.base()).await,
            before(hooks.clone()).await,
        ];
        proxies[3].be_honest();
        Self {
            stripe,
            google,
            twilio,
            posted,
            endpoint: format!("{}/hook", proxies[3].base()),
            proxies,
        }
    }

    /// From now on one of so many answers of each goes wrong.
    pub fn one_in(&self, every: usize) {
        for proxy in &self.proxies {
            proxy.one_in(every);
        }
    }

    /// How many answers went wrong.
    pub fn faults(&self) -> usize {
        self.proxies.iter().map(BadProxy::faults).sum()
    }

    /// What to set of each plugin, by name.
    pub fn settings(&self) -> [(&'static str, Value); 3] {
        let through =
            |proxy: &BadProxy, address: &str| address.replace(&origin(address), &proxy.base());
        let [stripe, google, twilio, _] = &self.proxies;
        [
            (
                "payments-stripe",
                json!({
                    "secretKey": self.stripe.secret_key(), "webhookSecret": STRIPE_SECRET,
                    "apiBase": through(stripe, &self.stripe.base())
                }),
            ),
            (
                "calendar-google",
                json!({
                    "clientId": self.google.client_id(), "clientSecret": self.google.client_secret(),
                    "apiBase": through(google, &self.google.api_base()),
                    "tokenUrl": through(google, &self.google.token_url())
                }),
            ),
            (
                "sms-twilio",
                json!({
                    "accountSid": fake_twilio::ACCOUNT, "authToken": fake_twilio::AUTH_TOKEN,
                    "from": fake_twilio::FROM, "apiBase": through(twilio, &self.twilio.base())
                }),
            ),
        ]
    }

    /// Where events are posted.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bookings that events of this kind were posted of, each as often as there were events.
    pub fn posted(&self, kind: &str) -> Vec<String> {
        let posted = self.posted.lock().unwrap();
        let of = posted.values().filter(|(posted, _)| posted == kind);
        of.map(|(_, booking)| booking.clone()).collect()
    }
}

async fn take(State(posted): State<Posted>, body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap();
    let text = |pointer: &str| {
        let value = event.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let told = (text("/type"), text("/data/booking/id"));
    let before = posted.lock().unwrap().insert(text("/id"), told.clone());
    assert!(
        before.is_none_or(|before| before == told),
        "one id, one event"
    );
    StatusCode::NO_CONTENT
}

/// Scheme and authority of an address.
fn origin(address: &str) -> String {
    let parts: Vec<&str> = address.splitn(4, '/').collect();
    parts[..3].join("/")
}
