//! `bookable work` beside a server on the private PostgreSQL: it does its work whatever becomes of the server and of PostgreSQL.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local_postgres::LocalPostgres;
use tokio_postgres::NoTls;

const PATIENCE: Duration = Duration::from_secs(60);

/// A process of the program, from the moment it says that it is ready.
struct Process(Child);

impl Process {
    fn start(data: &Path, arguments: &[&str], ready: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bookable"))
            .args(arguments)
            .arg("--data")
            .arg(data)
            .env_remove("DATABASE_URL")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let is_ready = lines.any(|line| line.unwrap().contains(ready));
        assert!(is_ready, "{arguments:?} ended before it was ready");
        // Read on, so that the process is not stopped by a pipe that is full.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The process of PostgreSQL in this data directory, if it answers.
async fn postgres(data: &Path) -> Option<u32> {
    let attached = LocalPostgres::attach(data).unwrap()?;
    let connected = tokio_postgres::connect(&attached.url("bookable"), NoTls).await;
    let (client, connection) = connected.ok()?;
    tokio::spawn(connection);
    let query =
        "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) FROM business LIMIT 1";
    let row = client.query_one(query, &[]).await.ok()?;
    row.get::<_, &str>(0).parse().ok()
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_without_the_server_and_brings_postgres_up_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = folder.path().join("data");
    let serve = Process::start(
        &data,
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log",
            "info,engine=debug",
        ],
        "brought the database up to date",
    );
    let began = Instant::now();
    let first = loop {
        if let Some(pid) = postgres(&data).await {
            break pid;
        }
        assert!(began.elapsed() < PATIENCE, "the server has no business");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut work = Process::start(&data, &["work"], "working");

    serve.kill();
    assert_eq!(postgres(&data).await, Some(first));
    signal(first, "-KILL");
    let began = Instant::now();
    loop {
        match postgres(&data).await {
            Some(pid) if pid != first => break,
            _ => assert!(began.elapsed() < PATIENCE, "nobody brought PostgreSQL up"),
        }
        assert_eq!(work.0.try_wait().unwrap(), None, "the work ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    signal(work.0.id(), "-TERM");
    assert!(work.0.wait().unwrap().success());
    // The last user ends the cluster.
    assert_eq!(postgres(&data).await, None);
}
