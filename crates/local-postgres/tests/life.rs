//! The life of a cluster with a real PostgreSQL: creation, owners and other users, orderly and other ends.

#[cfg(test)]
mod common;

use common::{DataDir, count_rows, kill, pid_of_server, row_count_after_insert, wait_until};
use local_postgres::{Durability, Error, LocalPostgres};

/// Not a test: the other process of [`common::Owner`].
#[tokio::test]
async fn as_owner() {
    common::own_if_asked().await;
}

#[tokio::test]
async fn a_start_creates_a_cluster_that_listens_on_its_socket_only() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.durable()).await.unwrap();
    assert!(server.notes().is_empty(), "{:?}", server.notes());
    server.ensure_database("bookable").await.unwrap();
    server.ensure_database("bookable").await.unwrap();

    let client = common::connect(&server.url("bookable")).await;
    for (setting, value) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("max_connections", "40"),
        ("lc_messages", "C"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
    ] {
        let row = client
            .query_one("SELECT current_setting($1)", &[&setting])
            .await;
        assert_eq!(row.unwrap().get::<_, &str>(0), value, "{setting}");
    }
    let row = client
        .query_one("SELECT current_user::text, lower('Ä')", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "bookable");
    assert_eq!(row.get::<_, &str>(1), "ä");
    client
        .batch_execute("CREATE EXTENSION btree_gist")
        .await
        .unwrap();
    let log = std::fs::read_to_string(server.log()).unwrap();
    assert!(log.contains("database system is ready"), "{log}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_told_who_the_first_is() {
    let data = DataDir::new();
    let first = LocalPostgres::start(data.volatile()).await.unwrap();
    let error = LocalPostgres::start(data.volatile()).await.unwrap_err();
    assert!(matches!(error, Error::InUse { pid } if pid == Some(std::process::id())));
    let message = format!(
        "another bookable server uses this data directory (pid {})",
        std::process::id()
    );
    assert_eq!(error.to_string(), message);
    first.stop().await.unwrap();
    let second = LocalPostgres::start(data.volatile()).await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_the_server_and_keeps_the_data() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);
    let pid = pid_of_server(&server.url("postgres")).await;
    server.stop().await.unwrap();
    assert!(!common::is_alive(pid));
    assert!(LocalPostgres::attach(data.path()).unwrap().is_none());

    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert_eq!(count_rows(&server.url("postgres")).await, 1);
    let log = std::fs::read_to_string(server.log()).unwrap();
    assert!(!log.contains("not properly shut down"), "{log}");
    assert_eq!(
        log.matches("is ready to accept").count(),
        2,
        "the log is kept"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_drop_stops_the_server_too() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let pid = pid_of_server(&server.url("postgres")).await;
    drop(server);
    wait_until(|| !common::is_alive(pid)).await;
}

#[tokio::test]
async fn a_start_right_after_a_drop_waits_for_the_end() {
    let data = DataDir::new();
    for expected in 1..=5 {
        let server = LocalPostgres::start(data.volatile()).await.unwrap();
        let rows = row_count_after_insert(&server.url("postgres")).await;
        assert_eq!(rows, expected);
        drop(server);
    }
}

#[tokio::test]
async fn a_killed_postgres_recovers_its_data() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.durable()).await.unwrap();
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);
    // A session that is busy outlives the server for a moment, and its shared memory with it.
    let busy = common::connect(&server.url("postgres")).await;
    let busy = tokio::spawn(async move { busy.batch_execute("SELECT pg_sleep(1)").await });
    kill(pid_of_server(&server.url("postgres")).await);
    // Nobody waits for the process: its number stays taken, as it does when another process got it.
    drop(server);

    let server = LocalPostgres::start(data.durable()).await.unwrap();
    assert_eq!(count_rows(&server.url("postgres")).await, 1);
    let log = std::fs::read_to_string(server.log()).unwrap();
    assert!(log.contains("not properly shut down"), "{log}");
    assert!(busy.await.unwrap().is_err());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_socket_was_cleared_away_is_started_anew() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.durable()).await.unwrap();
    assert_eq!(row_count_after_insert(&server.url("postgres")).await, 1);
    let pid = pid_of_server(&server.url("postgres")).await;
    let place = server.log().parent().unwrap().to_owned();
    std::fs::remove_file(place.join("run/.s.PGSQL.5432")).unwrap();

    let other = LocalPostgres::join(data.durable()).await.unwrap();
    assert_eq!(count_rows(&other.url("postgres")).await, 1);
    assert_ne!(pid_of_server(&other.url("postgres")).await, pid);
    assert!(!common::is_alive(pid));
    assert_eq!(
        count_rows(&server.url("postgres")).await,
        1,
        "as who used it before finds"
    );
    other.leave().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_number_of_a_dead_server_can_belong_to_another_process() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let place = server.log().parent().unwrap().to_owned();
    server.stop().await.unwrap();
    // Another process of the cluster's own user, which is what PostgreSQL itself would be confused by.
    let mut other = common::sleeper(&place);
    let text = format!(
        "{}\n{}\n1700000000\n5432\n{}\n\n  1  1\nready   \n",
        other.id(),
        place.join("cluster").display(),
        place.join("run").display()
    );
    std::fs::write(place.join("cluster/postmaster.pid"), &text).unwrap();
    std::fs::write(place.join("run/.s.PGSQL.5432.lock"), &text).unwrap();

    assert!(LocalPostgres::attach(data.path()).unwrap().is_none());
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    common::connect(&server.url("postgres")).await;
    server.stop().await.unwrap();
    assert!(other.try_wait().unwrap().is_none(), "it got no signal");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn the_next_owner_takes_the_running_server_over() {
    let data = DataDir::new();
    let mut owner = common::Owner::start(&data);
    let attached = LocalPostgres::attach(data.path()).unwrap().unwrap();
    let pid = pid_of_server(&attached.url("postgres")).await;
    assert_eq!(row_count_after_insert(&attached.url("postgres")).await, 1);
    owner.kill();
    // Only now, or the end of the last use would stop the server.
    let server = LocalPostgres::start(data.durable()).await.unwrap();
    drop(attached);
    assert_eq!(pid_of_server(&server.url("postgres")).await, pid);
    assert_eq!(count_rows(&server.url("postgres")).await, 1);
    server.stop().await.unwrap();
    assert!(!common::is_alive(pid));
}

#[tokio::test]
async fn a_server_left_behind_with_other_settings_is_started_anew() {
    let data = DataDir::new();
    let mut owner = common::Owner::start(&data);
    owner.kill();
    let mut options = data.durable();
    options.max_connections = 17;
    options.durability = Durability::Volatile;
    let server = LocalPostgres::start(options).await.unwrap();
    let client = common::connect(&server.url("postgres")).await;
    for (setting, value) in [("max_connections", "17"), ("fsync", "off")] {
        let row = client
            .query_one("SELECT current_setting($1)", &[&setting])
            .await;
        assert_eq!(row.unwrap().get::<_, &str>(0), value);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn others_attach_beside_the_owner_and_the_last_one_stops_the_server() {
    let data = DataDir::new();
    assert!(LocalPostgres::attach(data.path()).unwrap().is_none());
    assert!(
        LocalPostgres::attach(&data.path().join("nothing"))
            .unwrap()
            .is_none()
    );
    let owner = LocalPostgres::start(data.volatile()).await.unwrap();
    let pid = pid_of_server(&owner.url("postgres")).await;
    let first = LocalPostgres::attach(data.path()).unwrap().unwrap();
    assert_eq!(pid_of_server(&first.url("postgres")).await, pid);
    first.leave().await.unwrap();
    drop(LocalPostgres::attach(data.path()).unwrap().unwrap());
    assert!(common::is_alive(pid));

    let last = LocalPostgres::attach(data.path()).unwrap().unwrap();
    owner.stop().await.unwrap();
    assert_eq!(pid_of_server(&last.url("postgres")).await, pid);
    last.leave().await.unwrap();
    assert!(!common::is_alive(pid));
}

#[tokio::test]
async fn commands_that_start_at_the_same_time_share_one_server() {
    let data = DataDir::new();
    let joins = (0..6).map(|_| {
        let options = data.volatile();
        tokio::spawn(async move {
            let connection = LocalPostgres::join(options).await.unwrap();
            let url = connection.url("postgres");
            connection.ensure_database("bookable").await.unwrap();
            (pid_of_server(&url).await, connection)
        })
    });
    let mut all = Vec::new();
    for join in joins.collect::<Vec<_>>() {
        all.push(join.await.unwrap());
    }
    let pid = all[0].0;
    assert!(all.iter().all(|(other, _)| *other == pid));
    // One of them becoming the owner does not disturb the others.
    let owner = LocalPostgres::start(data.volatile()).await.unwrap();
    assert_eq!(pid_of_server(&owner.url("postgres")).await, pid);
    owner.stop().await.unwrap();
    for (_, connection) in all {
        assert!(common::is_alive(pid));
        connection.leave().await.unwrap();
    }
    assert!(!common::is_alive(pid));
}

#[tokio::test]
async fn a_start_that_was_killed_half_way_is_begun_again() {
    let data = DataDir::new();
    let draft = data.path().join("postgres/cluster.new.1");
    std::fs::create_dir_all(&draft).unwrap();
    std::fs::write(draft.join("half"), "").unwrap();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    assert!(!draft.exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_failure_shows_the_end_of_the_log() {
    let data = DataDir::new();
    let server = LocalPostgres::start(data.volatile()).await.unwrap();
    let cluster = server.log().with_file_name("cluster");
    server.stop().await.unwrap();
    std::fs::write(cluster.join("postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = LocalPostgres::start(data.volatile()).await.unwrap_err();
    assert!(matches!(error, Error::Start { .. }));
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}
