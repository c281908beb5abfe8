//! A server that speaks Google's Calendar API v3 and its OAuth 2.0 as far as bookings need them, written from Google's public documentation:
//! the consent page (which consents at once), tokens by code with PKCE, by refresh token and by the assertion of a service account, lists of
//! calendars, events with etags, sync tokens and pages, recurring events as single ones, and channels that really call.
//!
//! A test plays the owner of a calendar ([`FakeGoogle::put_event`], [`FakeGoogle::move_event`], [`FakeGoogle::delete_event`],
//! [`FakeGoogle::decline_event`]), the account's settings ([`FakeGoogle::sign_in`], [`FakeGoogle::revoke`]) and the network
//! ([`FakeGoogle::fault`], [`FakeGoogle::hold`]). What Google is not known to do it refuses, so that a client that counts on it is found out.
//!
//! Where it is told less than the real one: only daily and weekly rules recur; a call of a channel that is not taken is not repeated.

#![expect(
    clippy::indexing_slicing,
    reason = "only JSON is indexed, and what it does not have is null"
)]

mod control;
mod error;
mod event;
mod fault;
mod hold;
mod list;
mod mask;
mod oauth;
mod push;
mod recurrence;
mod route;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use crate::fault::{Call, Fault};
pub use crate::push::{Channel, Notification};
pub use crate::world::Called;

use crate::world::World;

/// The private half of the service account's key. It is of no use anywhere else.
const SERVICE_KEY: &str = include_str!("service-account.pem");
const SERVICE_EMAIL: &str = "bookable@salon-aurora.iam.gserviceaccount.com";
const SERVICE_KEY_ID: &str = "0123456789abcdef0123456789abcdef01234567";

/// The server, on a port of this machine; it ends with the value.
pub struct FakeGoogle {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    notified: watch::Receiver<usize>,
    tasks: [JoinHandle<()>; 2],
}

impl FakeGoogle {
    /// Starts one that knows nobody yet: see [`FakeGoogle::add_account`].
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (outbox, posts) = tokio::sync::mpsc::unbounded_channel();
        let (sent, notified) = watch::channel(0);
        let origin = format!("http://{address}");
        let world = Arc::new(Mutex::new(World::new(origin, outbox)));
        let router = Router::new()
            .fallback(route::handle)
            .with_state(world.clone());
        let server = tokio::spawn(async move {
            // It ends when it is aborted; there is nobody to tell otherwise.
            drop(axum::serve(listener, router).await);
        });
        let postman = tokio::spawn(push::post_all(world.clone(), posts, sent));
        Ok(Self {
            address,
            world,
            notified,
            tasks: [server, postman],
        })
    }

    /// Where the Calendar API is, as `apiBase` takes it.
    pub fn api_base(&self) -> String {
        format!("http://{}/calendar/v3", self.address)
    }

    /// Where tokens are given, as `tokenUrl` takes it. The consent page is at the same host, under `/o/oauth2/v2/auth`.
    pub fn token_url(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// The id of the one OAuth client that it knows.
    pub fn client_id(&self) -> &'static str {
        world::CLIENT_ID
    }

    /// The secret of that client.
    pub fn client_secret(&self) -> &'static str {
        world::CLIENT_SECRET
    }

    /// The JSON key of the one service account that it knows.
    pub fn service_account(&self) -> Value {
        json!({
            "type": "service_account", "project_id": "salon-aurora", "private_key_id": SERVICE_KEY_ID, "private_key": SERVICE_KEY,
            "client_email": SERVICE_EMAIL, "client_id": "100000000000000000001", "auth_uri": format!("http://{}/o/oauth2/v2/auth", self.address),
            "token_uri": self.token_url()
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl Drop for FakeGoogle {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
