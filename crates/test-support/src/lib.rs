//! What tests stand on: a database of their own, a clock that they move, a business with builders for what is in it, and the running app.
//!
//! Nothing is shared between two tests but the PostgreSQL server, so they run in parallel and in any order.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "for tests alone"
)]

mod app;
mod client;
mod courier;
mod deliveries;
mod diary;
mod guarding;
mod invariants;
mod obstacle;
mod scripted;
mod till;
pub mod wire;
mod world;

use sha2::{Digest, Sha256};
use store::database::DatabaseOptions;
use store::{Database, migrate};

pub use app::App;
pub use client::{Client, Socket};
pub use courier::Courier;
pub use deliveries::Deliveries;
pub use diary::{ANNAS_TOKEN, BadCall, Diary, DiaryEvent};
pub use guarding::Guarding;
pub use invariants::{Violation, invariants};
pub use obstacle::Obstacle;
pub use scripted::Scripted;
pub use till::{BadDay, Slow, Till, TillPayment};
pub use world::{At, Recorder, World, WorldOptions, at};

/// A connection for what no use case asks. It ends with the client.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}

/// The address of a database of its own, migrated.
pub async fn database_url() -> anyhow::Result<String> {
    let key = migration_key()?;
    let migrated = |url: String| async move { migrate(&url).await };
    Ok(local_postgres::testing::database_from_template(&key, migrated).await?)
}

/// Brings a database up to date that no other test has.
pub async fn migrate(url: &str) -> Result<(), store::StoreError> {
    let options = DatabaseOptions {
        connections: 1,
        ..DatabaseOptions::default()
    };
    migrate::migrate_up(&Database::new(url, options)?).await?;
    Ok(())
}

/// Changes whenever the migrations do.
fn migration_key() -> anyhow::Result<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    paths.sort();
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(path.to_string_lossy().as_bytes());
        hash.update(std::fs::read(path.join("up.sql"))?);
    }
    Ok(format!("{:x}", hash.finalize()))
}
