//! Migrations: embedded in the binary, run in order under one lock, so that several nodes may start at once.

use diesel_async::AsyncMigrationHarness;
use diesel_async::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Database, Result, StoreError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// The advisory lock under which migrations run; a constant of this program.
const LOCK: i64 = 0x626f_6f6b_6162_6c65;

/// Runs what has not run yet and answers the names of it.
pub async fn migrate_up(database: &Database) -> Result<Vec<String>> {
    let mut conn = database.dedicated().await?;
    diesel::sql_query("SET statement_timeout = 0")
        .execute(&mut conn)
        .await?;
    diesel::sql_query("SET lock_timeout = 0")
        .execute(&mut conn)
        .await?;
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<diesel::sql_types::BigInt, _>(LOCK)
        .execute(&mut conn)
        .await?;
    in_harness(conn, |harness| {
        Ok(harness
            .run_pending_migrations(MIGRATIONS)?
            .iter()
            .map(ToString::to_string)
            .collect())
    })
    .await
}

/// Takes every migration back, the newest first; for tests of the down migrations.
pub async fn migrate_down(database: &Database) -> Result<Vec<String>> {
    let conn = database.dedicated().await?;
    in_harness(conn, |harness| {
        Ok(harness
            .revert_all_migrations(MIGRATIONS)?
            .iter()
            .map(ToString::to_string)
            .collect())
    })
    .await
}

type HarnessResult = std::result::Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>>;

/// The harness is synchronous inside: it gets a thread that may block. The lock ends with the connection.
async fn in_harness(
    conn: crate::Conn,
    work: impl FnOnce(&mut AsyncMigrationHarness<crate::Conn>) -> HarnessResult + Send + 'static,
) -> Result<Vec<String>> {
    tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(conn)))
        .await
        .map_err(|e| StoreError::Fault(e.to_string()))?
        .map_err(|e| StoreError::Fault(format!("a migration failed: {e}")))
}
