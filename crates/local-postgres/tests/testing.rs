//! The helpers other crates' tests stand on: templates and copies, on the cluster of this test run.

#[cfg(test)]
mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use common::connect;
use local_postgres::testing::{database_from_template, test_cluster};
use tokio_postgres::Error;

async fn migrate(url: String) -> Result<(), Error> {
    connect(&url)
        .await
        .batch_execute("CREATE TABLE migrated (value int)")
        .await
}

/// A key that no earlier run used, on a cluster that may be kept.
fn new_key(name: &str) -> String {
    let nanos = std::fs::metadata("/proc/self").and_then(|one| one.modified());
    format!("{name} {} {nanos:?}", std::process::id())
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let key = new_key("own");
    let migrations = AtomicU32::new(0);
    let mut urls = Vec::new();
    for _ in 0..3 {
        let counted = async |url: String| {
            migrations.fetch_add(1, Ordering::Relaxed);
            migrate(url).await
        };
        urls.push(database_from_template(&key, counted).await.unwrap());
    }
    assert_eq!(migrations.load(Ordering::Relaxed), 1);
    for url in &urls {
        let client = connect(url).await;
        let insert = "INSERT INTO migrated VALUES (1) RETURNING (SELECT count(*) FROM migrated)";
        let row = client.query_one(insert, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0);
    }
}

#[tokio::test]
async fn many_at_once_migrate_once() {
    let key = new_key("many");
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move { database_from_template(&key, migrate).await.unwrap() })
        })
        .collect();
    for task in tasks {
        let url = task.await.unwrap();
        connect(&url)
            .await
            .execute("SELECT value FROM migrated", &[])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_template_that_failed_half_way_is_made_anew() {
    let key = new_key("half");
    let half = async |url: String| {
        migrate(url).await.unwrap();
        Err("no further")
    };
    let error = database_from_template(&key, half).await.unwrap_err();
    assert!(error.to_string().contains("no further"), "{error}");
    let url = database_from_template(&key, migrate).await.unwrap();
    connect(&url)
        .await
        .execute("SELECT value FROM migrated", &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn the_cluster_is_volatile() {
    let url = test_cluster().await.unwrap().url("postgres");
    let row = connect(&url)
        .await
        .query_one("SHOW fsync", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "off");
}
