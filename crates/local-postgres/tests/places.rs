//! Where a cluster and its socket go when the data directory will not do.

#[cfg(test)]
mod common;

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use common::{DataDir, count_rows, is_root, row_count_after_insert};
use local_postgres::{Error, LocalPostgres};

#[tokio::test]
async fn as_root_the_cluster_belongs_to_an_unprivileged_user() {
    if !is_root("as_root_the_cluster_belongs_to_an_unprivileged_user") {
        return;
    }
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let place = data.path().join("postgres").metadata().unwrap();
    assert_ne!(place.uid(), 0);
    assert_eq!(place.mode() & 0o777, 0o700);
    let log = server.log().metadata().unwrap();
    assert_eq!((log.uid(), log.mode() & 0o777), (place.uid(), 0o600));
    let client = common::connect(&server.url("postgres")).await;
    let copy = "CREATE TEMP TABLE status (line text); \
        COPY status FROM PROGRAM 'id -u; id -G'";
    client.batch_execute(copy).await.unwrap();
    let rows = client.query("SELECT line FROM status", &[]).await.unwrap();
    let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    let lines_of_id = [place.uid().to_string(), place.gid().to_string()];
    assert_eq!(lines, lines_of_id);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn where_the_user_cannot_enter_the_cluster_lives_elsewhere_and_is_found_again() {
    if !is_root("where_the_user_cannot_enter_the_cluster_lives_elsewhere_and_is_found_again") {
        return;
    }
    let data = DataDir::private("data");
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let place = server.log().parent().unwrap().to_owned();
    assert!(!place.starts_with(data.path()));
    let note = server.notes().join("\n");
    assert!(note.contains(&place.display().to_string()), "{note}");
    assert!(note.contains("cannot use"), "{note}");
    assert!(!data.path().join("postgres").exists());
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);

    let attached = LocalPostgres::attach(data.path()).unwrap().unwrap();
    assert_eq!(count_rows(&attached.url("postgres")).await, 1);
    attached.leave().await.unwrap();
    server.stop().await.unwrap();

    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert_eq!(count_rows(&server.url("postgres")).await, 1);
    assert!(server.notes()[0].contains(&place.display().to_string()));
    server.stop().await.unwrap();

    // What was noted and is gone is an error; it is not replaced by an empty database.
    std::fs::remove_dir_all(&place).unwrap();
    let error = LocalPostgres::start(data.volatile()).await.unwrap_err();
    assert!(matches!(error, Error::PlaceGone { .. }), "{error}");
}

#[tokio::test]
async fn an_older_cluster_elsewhere_is_neither_used_nor_removed() {
    if !is_root("an_older_cluster_elsewhere_is_neither_used_nor_removed") {
        return;
    }
    let data = DataDir::private("data");
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let older = server.log().parent().unwrap().to_owned();
    server.stop().await.unwrap();
    std::fs::remove_dir_all(data.path()).unwrap();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let newer = server.log().parent().unwrap().to_owned();
    assert_ne!(older, newer);
    assert!(older.join("cluster/PG_VERSION").exists());
    server.stop().await.unwrap();
    std::fs::remove_dir_all(older).unwrap();
    std::fs::remove_dir_all(newer).unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_one() {
    let data = DataDir::named(&"long, \"quoted\" ".repeat(8));
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);
    assert!(
        server
            .log()
            .starts_with(data.path().canonicalize().unwrap())
    );
    let note = server.notes().join("\n");
    assert!(note.contains("too long"), "{note}");
    let attached = LocalPostgres::attach(data.path()).unwrap().unwrap();
    assert_eq!(count_rows(&attached.url("postgres")).await, 1);
    assert_eq!(attached.notes(), server.notes());
    attached.leave().await.unwrap();
    let directory = PathBuf::from(note.split([' ', ',']).nth(4).unwrap());
    assert!(directory.is_dir(), "{note}");
    server.stop().await.unwrap();
    assert!(!directory.exists());
}

#[tokio::test]
async fn odd_characters_in_the_path_do_no_harm() {
    let data = DataDir::named("ü, \"b\" %c");
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert!(server.notes().is_empty(), "{:?}", server.notes());
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_left_alone() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let version = server.log().with_file_name("cluster").join("PG_VERSION");
    server.stop().await.unwrap();
    std::fs::write(&version, "12\n").unwrap();
    let error = LocalPostgres::start(data.volatile()).await.unwrap_err();
    assert!(
        matches!(error, Error::VersionMismatch { cluster: 12, .. }),
        "{error}"
    );
}
