//! A private PostgreSQL server for the first run and for tests.
//!
//! What it guarantees of a data directory:
//! - it has one cluster, which listens on a Unix socket that only its user can reach, and never runs as root;
//! - one process at a time owns it ([`LocalPostgres::start`]), and any number may use it meanwhile ([`LocalPostgres::attach`],
//!   [`LocalPostgres::join`]);
//! - the cluster runs while somebody uses it. The last user that ends stops it. One that is killed cannot: then the cluster runs
//!   on until the next user takes it over.

#[cfg(not(unix))]
compile_error!(
    "a private PostgreSQL server needs Unix sockets and users; set DATABASE_URL elsewhere"
);

mod account;
mod cluster;
mod connection;
mod error;
mod lock;
mod place;
mod postmaster;
mod programs;
mod socket;
pub mod testing;

use std::path::{Path, PathBuf};

pub use connection::Connection;
pub use error::Error;
use lock::{Lock, Locks};

/// What a crash of the machine may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Durable,
    /// Everything. Fast, and for tests only.
    Volatile,
}

/// Which cluster, and how it runs.
#[derive(Debug, Clone)]
pub struct Options {
    pub data_dir: PathBuf,
    pub durability: Durability,
    pub max_connections: u32,
}

impl Options {
    /// A durable cluster with room for 100 connections.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durability: Durability::Durable,
            max_connections: 100,
        }
    }
}

/// The cluster of a data directory that this process owns.
#[derive(Debug)]
pub struct LocalPostgres {
    // Dropped in this order: the cluster is told to stop before another process can own it.
    connection: Connection,
    _owner: Lock,
}

impl LocalPostgres {
    /// Makes this process the owner of the data directory, and has the cluster running: creates it, starts it after an orderly
    /// end or a crash, or takes a running one over. [`Error::InUse`] if another process is the owner.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let locks = Locks::of(&place::make_data_dir(&options.data_dir)?);
        locks.create()?;
        let owner = locks.own()?;
        Ok(Self {
            connection: Connection::open(&options).await?,
            _owner: owner,
        })
    }

    /// The running cluster of a data directory; `None` if none runs.
    pub fn attach(data_dir: &Path) -> Result<Option<Connection>, Error> {
        Connection::attach(data_dir)
    }

    /// For commands that work alone and beside the owner: the running cluster of the data directory, or a start of it that ends
    /// with its last user.
    pub async fn join(options: Options) -> Result<Connection, Error> {
        Connection::open(&options).await
    }

    /// See [`Connection::url`].
    pub fn url(&self, database: &str) -> String {
        self.connection.url(database)
    }

    /// See [`Connection::ensure_database`].
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        self.connection.ensure_database(name).await
    }

    /// See [`Connection::notes`].
    pub fn notes(&self) -> &[String] {
        self.connection.notes()
    }

    /// See [`Connection::log`].
    pub fn log(&self) -> PathBuf {
        self.connection.log()
    }

    /// Stops the cluster and gives the data directory up. Another process that still uses the cluster stops it instead.
    pub async fn stop(self) -> Result<(), Error> {
        self.connection.leave().await
    }
}
