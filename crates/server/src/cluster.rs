//! The PostgreSQL server behind a command: one of the operator's own, or the private one of the data directory.
//!
//! Guaranteed: once open, the database answers and is up to date. A server of the operator's that is not up yet is waited for; the
//! private one is brought up again if it dies under whoever runs on it, be it the owner of the data directory or not. Several may try:
//! one does it, and the others find it done.

use std::time::Duration;

use anyhow::{Context, bail};
use local_postgres::{Connection, Durability, LocalPostgres, Options};
use store::database::DatabaseOptions;
use store::migrate::migrate_up;
use store::{Database, StoreError};
use tokio::time::{Instant, sleep};

use crate::config::DatabaseArgs;

/// How long a server of the operator's own may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(2);
/// How often the private server is looked after.
const WATCH: Duration = Duration::from_secs(2);
/// The name of the database in the private server.
const NAME: &str = "bookable";
/// Connections of the private server beside those of one pool: the feed, commands that run meanwhile, other processes.
const SPARE_CONNECTIONS: u32 = 76;

/// A database that answers and is up to date.
pub(crate) struct Cluster {
    pub(crate) database: Database,
    server: Server,
    migrated: Vec<String>,
}

enum Server {
    Operators,
    Owned(LocalPostgres, Options),
    Joined(Connection, Options),
}

impl Cluster {
    /// For the server of a data directory, of which there is one at a time.
    pub(crate) async fn own(args: &DatabaseArgs) -> anyhow::Result<Self> {
        if let Some(url) = args.url() {
            return Self::of_operator(url, args).await;
        }
        let options = options(args);
        let local = LocalPostgres::start(options.clone())
            .await
            .map_err(|error| of_data(args, &error))?;
        tell(local.notes());
        local.ensure_database(NAME).await?;
        let database = pool(&local.url(NAME), args)?;
        Self::migrated(database, Server::Owned(local, options)).await
    }

    /// For a command that runs alone or beside a server.
    pub(crate) async fn join(args: &DatabaseArgs) -> anyhow::Result<Self> {
        if let Some(url) = args.url() {
            return Self::of_operator(url, args).await;
        }
        let options = options(args);
        let connection = LocalPostgres::join(options.clone())
            .await
            .map_err(|error| of_data(args, &error))?;
        tell(connection.notes());
        connection.ensure_database(NAME).await?;
        let database = pool(&connection.url(NAME), args)?;
        Self::migrated(database, Server::Joined(connection, options)).await
    }

    async fn of_operator(url: &str, args: &DatabaseArgs) -> anyhow::Result<Self> {
        let database = pool(url, args)?;
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = database.dedicated().await {
            if Instant::now() >= deadline {
                bail!(
                    "the database of --database-url (DATABASE_URL) did not answer within {} seconds: {error}. \
                     Expected a running PostgreSQL server, the name of a database in it, and a user who may use it",
                    PATIENCE.as_secs()
                );
            }
            tracing::warn!(%error, "waiting for the database");
            sleep(RETRY).await;
        }
        Self::migrated(database, Server::Operators).await
    }

    async fn migrated(database: Database, server: Server) -> anyhow::Result<Self> {
        let migrated = migrate_up(&database)
            .await
            .context("bringing the database up to date")?;
        if !migrated.is_empty() {
            tracing::info!(
                migrations = migrated.len(),
                "brought the database up to date"
            );
        }
        Ok(Self {
            database,
            server,
            migrated,
        })
    }

    /// The names of the migrations that ran when it was opened.
    pub(crate) fn ran(&self) -> &[String] {
        &self.migrated
    }

    /// Brings the private server up again whenever it has died; until it is dropped. Nothing to do for any other server.
    pub(crate) async fn look_after(&self) {
        let options = match &self.server {
            Server::Owned(_, options) | Server::Joined(_, options) => options,
            Server::Operators => return std::future::pending().await,
        };
        // What it brought up lives as long as this.
        let mut revived = None;
        loop {
            sleep(WATCH).await;
            let Err(error @ StoreError::Unavailable(_)) = self.database.dedicated().await.map(drop)
            else {
                continue;
            };
            tracing::warn!(%error, "the database does not answer: bringing it up");
            match LocalPostgres::join(options.clone()).await {
                Ok(connection) => {
                    tracing::info!("the database is up again");
                    drop(revived.replace(connection));
                }
                Err(error) => tracing::error!(%error, "the database could not be brought up"),
            }
        }
    }

    /// Ends the use of the private server, which stops with its last user.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self.server {
            Server::Operators => Ok(()),
            Server::Owned(local, _) => local.stop().await.context("stopping PostgreSQL"),
            Server::Joined(connection, _) => connection.leave().await.context("leaving PostgreSQL"),
        }
    }
}

fn options(args: &DatabaseArgs) -> Options {
    Options {
        data_dir: args.data.clone(),
        durability: Durability::Durable,
        max_connections: u32::from(args.max_connections) + SPARE_CONNECTIONS,
    }
}

fn pool(url: &str, args: &DatabaseArgs) -> anyhow::Result<Database> {
    let options = DatabaseOptions {
        connections: args.max_connections.into(),
        ..DatabaseOptions::default()
    };
    Database::new(url, options)
        .map_err(|error| anyhow::anyhow!("--database-url (DATABASE_URL): {error}"))
}

fn of_data(args: &DatabaseArgs, error: &local_postgres::Error) -> anyhow::Error {
    let hint = match error {
        local_postgres::Error::InUse { .. } => "; stop it, or give --data another directory",
        _ => "",
    };
    anyhow::anyhow!("--data {}: {error}{hint}", args.data.display())
}

fn tell(notes: &[String]) {
    for note in notes {
        tracing::info!("{note}");
    }
}
