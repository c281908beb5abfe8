//! Connections: one pool for a process, and one connection of its own for LISTEN.
//!
//! Every connection bounds how long it waits for a lock, runs a statement or idles in a transaction, so that nobody waits for
//! ever on a stuck neighbour. All of them ask of the server what the address asks (`sslmode`). Statements can be observed, which is how tests count them.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use futures_util::FutureExt;

use crate::address::Address;
use crate::tls::Tls;
use crate::{Result, StoreError};

/// A connection. Store functions take it shared, so that independent statements of one caller can be pipelined.
pub type Conn = AsyncPgConnection;

/// Told of every statement before it runs.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Bounds for every connection, in the syntax of libpq's `options`.
const SESSION_OPTIONS: &str = "-c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=30s -c timezone=UTC";

/// How a process reaches its database.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Conn>,
    target: Arc<Target>,
}

/// Where the database is, and how it is spoken to.
struct Target {
    config: tokio_postgres::Config,
    tls: Tls,
}

/// How many connections, and who watches.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// The most connections that the pool opens.
    pub connections: usize,
    /// How long a request waits for a connection before it is told that the database is not available.
    pub wait: Duration,
    /// Told of every statement; for tests.
    pub observer: Option<Observer>,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            connections: 24,
            wait: Duration::from_secs(5),
            observer: None,
        }
    }
}

impl Database {
    /// A pool for the database at this address (`postgres://…` or `key=value`); connects when first asked to. What is wrong with the
    /// address is [`StoreError::Address`].
    pub fn new(url: &str, options: DatabaseOptions) -> Result<Self> {
        let DatabaseOptions {
            connections,
            wait,
            observer,
        } = options;
        let Address { mut config, tls } = url.parse()?;
        config
            .options(SESSION_OPTIONS)
            .application_name("bookable")
            .connect_timeout(Duration::from_secs(5));
        let tls = Tls::new(&tls)?;
        let target = Arc::new(Target { config, tls });
        let mut manager_config = ManagerConfig::default();
        manager_config.recycling_method = RecyclingMethod::Fast;
        let for_pool = target.clone();
        manager_config.custom_setup = Box::new(move |_| {
            let (target, observer) = (for_pool.clone(), observer.clone());
            async move { establish(&target, observer).await }.boxed()
        });
        let manager = AsyncDieselConnectionManager::<Conn>::new_with_config(url, manager_config);
        let pool = Pool::builder(manager)
            .max_size(connections)
            .wait_timeout(Some(wait))
            .create_timeout(Some(wait))
            .recycle_timeout(Some(wait))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|e| StoreError::Fault(e.to_string()))?;
        Ok(Self { pool, target })
    }

    /// A connection of the pool.
    pub async fn conn(&self) -> Result<Object<Conn>> {
        Ok(self.pool.get().await?)
    }

    /// A connection outside the pool, for LISTEN.
    pub async fn dedicated(&self) -> Result<Conn> {
        Ok(establish(&self.target, None).await?)
    }
}

async fn establish(target: &Target, observer: Option<Observer>) -> diesel::ConnectionResult<Conn> {
    let (client, connection) = target
        .config
        .connect(target.tls.clone())
        .await
        .map_err(|e| diesel::ConnectionError::BadConnection(describe(&e)))?;
    let mut conn = Conn::try_from_client_and_connection(client, connection).await?;
    if let Some(observer) = observer {
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                observer(&query.to_string());
            }
        });
    }
    Ok(conn)
}

/// The error with its causes: tokio-postgres keeps the interesting part in them.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
