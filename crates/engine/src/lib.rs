//! The use cases: everything that reads or changes a business goes through here.
//!
//! Guaranteed: each use case is told who asks ([`Caller`]) and refuses what they may not do; each write is one transaction of the
//! shape in [`tx`], answers the same under the same idempotency key, and once begun runs to its end whether or not the client
//! still listens. The engine is the only crate that opens write transactions, and it never reads another clock than [`Clock`].

pub mod apart;
mod ask;
pub mod availability;
pub mod booking;
pub mod business;
pub mod calendar;
pub mod caller;
pub mod catalogue;
mod check;
pub mod clock;
pub mod customer;
pub mod delivery;
pub mod delivery_list;
mod dispatch;
pub mod error;
mod event;
mod guard;
pub mod hold;
pub mod idempotency;
pub mod inbound;
pub mod live;
pub mod notification;
mod part;
pub mod payment;
pub mod plugin;
pub mod retention;
mod secret;
mod settings;
pub mod token;
mod tx;
pub mod vault;
pub mod webhook;
pub mod work;

use std::sync::Arc;

use domain::zone::ZoneDatabase;
use plugin_api::Plugin;
use store::Database;

pub use caller::Caller;
pub use clock::Clock;
pub use error::{Error, Result};
pub use vault::Vault;

/// What an engine is made of.
pub struct EngineOptions {
    /// Where the data are.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// The zones.
    pub zones: ZoneDatabase,
    /// The plugins, in the order in which their guards are asked.
    pub plugins: Vec<Arc<dyn Plugin>>,
    /// Seals what businesses set of them.
    pub vault: Vault,
    /// The address under which the outside reaches this server, without a slash at its end: `https://book.example.com`.
    pub public_url: Option<String>,
}

/// The use cases, on one database. Cheap to clone: all clones are one engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    database: Database,
    clock: Clock,
    zones: ZoneDatabase,
    plugins: Vec<Arc<dyn Plugin>>,
    vault: Vault,
    public_url: Option<String>,
    catalogues: catalogue::cache::Catalogues,
    calendars: availability::calendars::CalendarCache,
    slugs: caller::Slugs,
    /// Where plugins are asked while somebody waits.
    places: ask::Places,
    /// Writes under way.
    writes: std::sync::atomic::AtomicUsize,
    committed: live::Committed,
    live: live::Hub,
}

impl Engine {
    /// An engine on this database, which must be migrated.
    pub fn new(options: EngineOptions) -> Self {
        Self(Arc::new(Inner {
            database: options.database,
            live: live::Hub::new(),
            clock: options.clock,
            zones: options.zones,
            plugins: options.plugins,
            vault: options.vault,
            public_url: options.public_url,
            catalogues: catalogue::cache::Catalogues::default(),
            calendars: availability::calendars::CalendarCache::default(),
            slugs: caller::Slugs::default(),
            places: ask::Places::default(),
            writes: std::sync::atomic::AtomicUsize::default(),
            committed: live::Committed::new(),
        }))
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The zones.
    pub fn zones(&self) -> &ZoneDatabase {
        &self.0.zones
    }

    /// The plugins.
    pub fn plugins(&self) -> &[Arc<dyn Plugin>] {
        &self.0.plugins
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<()> {
        let conn = self.0.database.conn().await?;
        store::event::event_running(&conn).await?;
        Ok(())
    }

    /// Runs the work on a task of its own: it comes to its end also when the client hangs up.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        use tracing::Instrument;
        match tokio::spawn(work.in_current_span()).await {
            Ok(result) => result,
            Err(stopped) => Err(Error::Fault(format!(
                "a use case did not come to its end: {stopped}"
            ))),
        }
    }
}
