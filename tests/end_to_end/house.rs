//! The rules of the house as tests: which crate may know which, how long a file may be, and what every table looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::World;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// What each crate may depend on, of this workspace.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let rules: &[(&'static str, &[&'static str])] = &[
        ("domain", &[]),
        ("local-postgres", &[]),
        ("plugin-api", &["domain"]),
        ("outbound", &["plugin-api"]),
        ("example-chat", &["domain", "outbound", "plugin-api"]),
        ("email-smtp", &["domain", "plugin-api", "outbound"]),
        ("notifications", &["domain", "plugin-api"]),
        ("payments-stripe", &["domain", "plugin-api", "outbound"]),
        ("webhooks", &["domain", "plugin-api", "outbound"]),
        ("bad-answers", &[]),
        ("bad-proxy", &["bad-answers"]),
        ("npm-tools", &[]),
        ("python-tools", &[]),
        ("sms-twilio", &["domain", "plugin-api", "outbound"]),
        ("fake-stripe", &["bad-answers"]),
        ("fake-twilio", &["bad-answers"]),
        ("calendar-google", &["domain", "plugin-api", "outbound"]),
        ("fake-google", &["bad-answers"]),
        ("store", &["domain"]),
        ("engine", &["domain", "store", "plugin-api"]),
        ("jobs", &["domain", "engine", "plugin-api"]),
        ("graphql", &["domain", "engine", "plugin-api"]),
        (
            "server",
            &[
                "domain",
                "store",
                "engine",
                "jobs",
                "graphql",
                "plugin-api",
                "outbound",
                "local-postgres",
                "email-smtp",
                "notifications",
                "payments-stripe",
                "webhooks",
                "sms-twilio",
                "calendar-google",
            ],
        ),
    ];
    rules
        .iter()
        .map(|(name, known)| (*name, known.iter().copied().collect()))
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    let allowed = allowed();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if ["test-support", "end-to-end"].contains(&name) {
            continue;
        }
        let known = allowed
            .get(name)
            .unwrap_or_else(|| panic!("say in this test what `{name}` may depend on"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let is_normal = dependency["kind"].is_null();
            assert!(
                !is_normal || !ours.contains(on) || known.contains(on),
                "{name} may not depend on {on}"
            );
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let listed = Command::new("find")
        .args(["crates", "plugins", "tests", "-name", "*.rs"])
        .current_dir(root())
        .output();
    for path in String::from_utf8(listed.unwrap().stdout).unwrap().lines() {
        let lines = std::fs::read_to_string(root().join(path))
            .unwrap()
            .lines()
            .count();
        assert!(lines <= 700, "{path} has {lines} lines: split it");
    }
}

async fn rows(url: &str, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let rows = client.query(sql, &[]).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_table_belongs_to_a_business_and_every_foreign_key_has_an_index() {
    let world = World::new().await;
    let global = "('business', '__diesel_schema_migrations')";
    let keys_without_business = format!(
        "SELECT format('%s: %s', c.conrelid::regclass, c.conname) FROM pg_constraint c \
         JOIN pg_class t ON t.oid = c.conrelid AND t.relnamespace = 'public'::regnamespace \
         WHERE c.contype IN ('p', 'u', 'x') AND t.relname NOT IN {global} \
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) \
                           AND a.attname = 'business_id')"
    );
    assert_eq!(
        rows(&world.url, &keys_without_business).await,
        Vec::<String>::new()
    );
    let not_first = format!(
        "SELECT t.relname::text FROM pg_class t WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace \
         AND t.relname NOT IN {global} AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid \
         AND a.attnum = 1 AND a.attname = 'business_id' AND a.attnotnull)"
    );
    assert_eq!(rows(&world.url, &not_first).await, Vec::<String>::new());
    let across = "SELECT format('%s: %s', c.conrelid::regclass, c.conname) FROM pg_constraint c \
        WHERE c.contype = 'f' AND c.confrelid <> 'business'::regclass AND NOT EXISTS (SELECT FROM pg_attribute a \
        WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) AND a.attname = 'business_id')";
    assert_eq!(rows(&world.url, across).await, Vec::<String>::new());
    let unindexed = "SELECT format('%s: %s', c.conrelid::regclass, c.conname) FROM pg_constraint c \
        WHERE c.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid \
        AND (string_to_array(i.indkey::text, ' ')::int2[])[1:cardinality(c.conkey)] @> c.conkey)";
    assert_eq!(rows(&world.url, unindexed).await, Vec::<String>::new());
    let guard = "SELECT conname::text FROM pg_constraint WHERE contype = 'x'";
    assert_eq!(rows(&world.url, guard).await, ["allocation_no_overlap"]);
}

#[tokio::test]
async fn migrations_go_down_and_up_again() {
    let url = test_support::database_url().await.unwrap();
    let database = store::Database::new(&url, store::database::DatabaseOptions::default()).unwrap();
    let down = store::migrate::migrate_down(&database).await.unwrap();
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    assert_eq!(rows(&url, tables).await, ["__diesel_schema_migrations"]);
    assert_eq!(
        store::migrate::migrate_up(&database).await.unwrap().len(),
        down.len()
    );
}
