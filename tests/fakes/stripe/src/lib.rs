//! A server that speaks Stripe's API as far as bookings need it, written from Stripe's public documentation: PaymentIntents, SetupIntents and
//! the cards they save, Checkout Sessions, Customers, Refunds, Disputes, the balance, idempotency keys, and signed events. It keeps a ledger of what was really charged
//! and paid back, so that a test can tell whether anything happened twice.
//!
//! A test plays the customer ([`FakeStripe::pay`], [`FakeStripe::fail_payment`]), the business at Stripe's dashboard
//! ([`FakeStripe::refund_by_hand`]), the bank ([`FakeStripe::settle_refund`], [`FakeStripe::dispute`]) and the network ([`FakeStripe::fault`]). No event is sent:
//! the test takes them from [`FakeStripe::events`] and posts what [`FakeStripe::signed_event`] answers where and as often as it likes.

#![expect(
    clippy::indexing_slicing,
    reason = "only JSON is indexed, and what it does not have is null"
)]

mod checkout;
mod confirm;
mod control;
mod customer;
mod dispute;
mod error;
mod event;
mod fault;
mod form;
mod intent;
mod refund;
mod render;
mod route;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use crate::confirm::Decline;
pub use crate::event::{Event, SignedEvent, sign};
pub use crate::fault::{Call, Fault};
pub use crate::world::{Called, Charged, Refunded};

use crate::world::World;

/// The server, on a port of this machine; it ends with the value.
pub struct FakeStripe {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
}

impl FakeStripe {
    /// Starts one that knows nothing yet.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let world = Arc::new(Mutex::new(World::default()));
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

    /// The one key that it accepts.
    pub fn secret_key(&self) -> &'static str {
        world::SECRET_KEY
    }

    fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
