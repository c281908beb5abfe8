//! Channels: when a watched calendar changes, its address is called, one call after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use crate::error::Error;
use crate::world::{Listed, World};

/// How long a channel calls where nothing is asked, and at the most, in seconds.
const TTL: i64 = 604_800;

/// A channel that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name, by whoever opened it.
    pub id: String,
    /// Google's name for what it watches.
    pub resource_id: String,
    /// The calendar that it watches.
    pub calendar: String,
    /// Where it calls.
    pub address: String,
    /// Until when it calls.
    pub expires_at: DateTime<Utc>,
}

/// A call that a channel has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Of which channel.
    pub channel_id: String,
    /// Its number in this channel: the greeting has 1.
    pub number: u64,
    /// `sync`, the greeting, or `exists`.
    pub state: String,
    /// What was answered; none: nothing.
    pub status: Option<u16>,
}

#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub channel: Channel,
    pub account: String,
    token: Option<String>,
    number: u64,
}

/// A call that is to be made.
#[derive(Debug)]
pub(crate) struct Post {
    address: String,
    headers: Vec<(&'static str, String)>,
    notification: Notification,
}

/// A channel that is asked for.
struct Wanted {
    id: String,
    token: Option<String>,
    address: String,
    ttl: TimeDelta,
}

impl Wanted {
    fn read(body: &Value) -> Result<Self, Error> {
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        let id = text("id").ok_or_else(|| Error::required("id"))?.to_owned();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
        if id.len() > 64 || !id.chars().all(is_name) {
            return Err(Error::invalid("Invalid channel id."));
        }
        if !["web_hook", "webhook"].contains(&text("type").unwrap_or_default()) {
            return Err(Error::invalid("Invalid channel type."));
        }
        let token = text("token").map(str::to_owned);
        if token.as_ref().is_some_and(|token| token.len() > 256) {
            return Err(Error::invalid("Invalid channel token."));
        }
        let address = text("address").ok_or_else(|| Error::required("address"))?;
        // Google calls no other than https; tests stand on this machine.
        let places = ["https://", "http://127.0.0.1:", "http://localhost:"];
        if !places.iter().any(|place| address.starts_with(place)) {
            let message = format!("WebHook callback must be HTTPS: {address}");
            let reason = "push.webhookUrlNotHttps";
            return Err(Error::api(400, "global", reason, &message));
        }
        let asked = body["params"]["ttl"].as_str();
        let asked = asked.and_then(|ttl| ttl.parse().ok()).unwrap_or(TTL);
        Ok(Self {
            id,
            token,
            address: address.to_owned(),
            ttl: TimeDelta::seconds(asked.clamp(1, TTL)),
        })
    }
}

impl World {
    pub fn watch(&mut self, listed: &Listed, account: &str, body: &Value) -> Result<Value, Error> {
        let wanted = Wanted::read(body)?;
        let id = wanted.id;
        if self.channels.contains_key(&id) {
            let message = format!("Channel id {id} not unique");
            return Err(Error::api(400, "global", "channelIdNotUnique", &message));
        }
        let channel = Channel {
            id: id.clone(),
            resource_id: format!("resource-of-{}", listed.calendar),
            calendar: listed.calendar.clone(),
            address: wanted.address,
            expires_at: self.now() + wanted.ttl,
        };
        let answer = json!({
            "kind": "api#channel", "id": id, "resourceId": channel.resource_id,
            "resourceUri": format!("{}/calendar/v3/calendars/{}/events?alt=json", self.origin, listed.calendar),
            "token": wanted.token, "expiration": channel.expires_at.timestamp_millis().to_string()
        });
        let open = Open {
            channel,
            account: account.to_owned(),
            token: wanted.token,
            number: 0,
        };
        self.channels.insert(id.clone(), open);
        self.call(&id, "sync");
        Ok(answer)
    }

    pub fn stop(&mut self, account: &str, body: &Value) -> Result<(), Error> {
        let id = body["id"].as_str().unwrap_or_default();
        let open = self.channels.get(id).filter(|open| {
            body["resourceId"] == open.channel.resource_id.as_str() && open.account == account
        });
        if open.is_none() {
            let message = format!("Channel '{id}' not found for project '123456789012'");
            return Err(Error::api(404, "global", "notFound", &message));
        }
        self.channels.remove(id);
        Ok(())
    }

    /// Has whoever watches a calendar called.
    pub fn tell(&mut self, calendar: &str) {
        if self.is_silent {
            return;
        }
        let now = self.now();
        let watching = self
            .channels
            .values()
            .filter(|open| open.channel.calendar == calendar && now < open.channel.expires_at);
        let ids: Vec<String> = watching.map(|open| open.channel.id.clone()).collect();
        for id in ids {
            self.call(&id, "exists");
        }
    }

    fn call(&mut self, id: &str, state: &str) {
        let origin = self.origin.clone();
        let Some(open) = self.channels.get_mut(id) else {
            return;
        };
        open.number += 1;
        let Channel {
            resource_id,
            calendar,
            address,
            expires_at,
            ..
        } = &open.channel;
        let uri = format!("{origin}/calendar/v3/calendars/{calendar}/events?alt=json");
        let mut headers = vec![
            ("x-goog-channel-id", id.to_owned()),
            (
                "x-goog-channel-expiration",
                expires_at.format("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            ),
            ("x-goog-resource-id", resource_id.clone()),
            ("x-goog-resource-uri", uri),
            ("x-goog-resource-state", state.to_owned()),
            ("x-goog-message-number", open.number.to_string()),
        ];
        headers.extend(
            open.token
                .clone()
                .map(|token| ("x-goog-channel-token", token)),
        );
        let post = Post {
            address: address.clone(),
            headers,
            notification: Notification {
                channel_id: id.to_owned(),
                number: open.number,
                state: state.to_owned(),
                status: None,
            },
        };
        // Nobody takes it where the server ends.
        drop(self.outbox.send(post));
    }
}

/// Makes the calls, in order, until the server ends.
pub(crate) async fn post_all(
    world: Arc<Mutex<World>>,
    mut posts: UnboundedReceiver<Post>,
    sent: watch::Sender<usize>,
) {
    // It fails only where a provider is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build();
    while let Some(post) = posts.recv().await {
        let mut notification = post.notification;
        if let Ok(client) = &client {
            let mut request = client.post(&post.address).body(String::new());
            for (name, value) in post.headers {
                request = request.header(name, value);
            }
            let answer = request.send().await.ok();
            notification.status = answer.map(|answer| answer.status().as_u16());
        }
        let made = {
            let mut world = crate::lock(&world);
            world.notifications.push(notification);
            world.notifications.len()
        };
        sent.send_replace(made);
    }
}
