//! A server that speaks Twilio's API as far as text messages need it, written from Twilio's public documentation: the account, its numbers and
//! messaging services, messages created, listed and fetched, statuses, signed callbacks, opt-outs, and the magic numbers of Twilio's test
//! credentials. It keeps a record of what was really sent, so that a test can tell whether anything was sent twice.
//!
//! A test plays the carrier ([`FakeTwilio::set_status`]), the person ([`FakeTwilio::receive`], [`FakeTwilio::opt_out`]), the account
//! ([`FakeTwilio::set_account_status`]) and the network ([`FakeTwilio::fault`]). What Twilio would call is answered as a [`Callback`]: signed, to be
//! posted where and as often as a test likes, by itself or by [`FakeTwilio::post`].

mod answer;
mod callback;
mod control;
mod create;
mod fault;
mod list;
mod route;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::callback::{Callback, sign};
pub use crate::fault::{Call, Fault};
pub use crate::world::{ACCOUNT, AUTH_TOKEN, Called, FROM, Outgoing, SERVICE, TIME};

use crate::world::World;

/// The server, on a port of this machine; it ends with the value.
pub struct FakeTwilio {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
}

impl FakeTwilio {
    /// Starts one that knows no message yet, at [`TIME`] until it is moved.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_with(|| DateTime::from_timestamp(TIME, 0).unwrap_or_default()).await
    }

    /// Starts one that asks this for the time.
    pub async fn start_with(
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let world = Arc::new(Mutex::new(World::new(Box::new(now))));
        let router = Router::new()
            .fallback(route::handle)
            .with_state(world.clone());
        let server = tokio::spawn(async move {
            // It ends when it is aborted; there is nobody to tell otherwise.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self {
            address,
            world,
            server,
        })
    }

    /// Where it is, as `apiBase` takes it.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl Drop for FakeTwilio {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
