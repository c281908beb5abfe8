//! Data directories, clients and processes for the tests.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local_postgres::{Durability, LocalPostgres, Options};
use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::{Client, NoTls};

const OWN: &str = "BOOKABLE_TEST_OWN";
const OWNS: &str = "this process owns the data directory";

/// A data directory that any user may pass through, gone at the end together with the cluster.
pub struct DataDir {
    root: tempfile::TempDir,
    path: PathBuf,
}

impl DataDir {
    pub fn new() -> Self {
        Self::named("data")
    }

    pub fn named(name: &str) -> Self {
        Self::with_mode(name, 0o755)
    }

    /// One that only the user of the tests can enter.
    pub fn private(name: &str) -> Self {
        Self::with_mode(name, 0o700)
    }

    fn with_mode(name: &str, mode: u32) -> Self {
        let root = tempfile::tempdir().unwrap();
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(root.path(), permissions).unwrap();
        let path = root.path().join(name);
        Self { root, path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn durable(&self) -> Options {
        Options {
            data_dir: self.path.clone(),
            durability: Durability::Durable,
            max_connections: 40,
        }
    }

    pub fn volatile(&self) -> Options {
        Options {
            durability: Durability::Volatile,
            ..self.durable()
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // What a failed test left running: the last use ends it.
        drop(LocalPostgres::attach(&self.path));
    }
}

/// Another process that owns a data directory: this test binary again, told to run [`own_if_asked`].
pub struct Owner(Child);

impl Owner {
    pub fn start(data: &DataDir) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "as_owner", "--nocapture"])
            .env(OWN, data.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == OWNS));
        Self(child)
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn own_if_asked() {
    let Some(path) = std::env::var_os(OWN) else {
        return;
    };
    let options = Options {
        max_connections: 40,
        ..Options::new(path)
    };
    let _server = LocalPostgres::start(options).await.unwrap();
    writeln!(std::io::stderr(), "{OWNS}").unwrap();
    std::future::pending::<()>().await;
}

pub async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub async fn row_count_after_insert(url: &str) -> i64 {
    let statements = "CREATE TABLE IF NOT EXISTS kept (value int); INSERT INTO kept VALUES (1)";
    connect(url).await.batch_execute(statements).await.unwrap();
    count_rows(url).await
}

pub async fn count_rows(url: &str) -> i64 {
    let row = connect(url)
        .await
        .query_one("SELECT count(*) FROM kept", &[])
        .await;
    row.unwrap().get(0)
}

/// The process of the server itself, not of the session.
pub async fn pid_of_server(url: &str) -> u32 {
    let client = connect(url).await;
    let query = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
    let row = client.query_one(query, &[]).await.unwrap();
    row.get::<_, &str>(0).parse().unwrap()
}

/// Not so for a process that ended and that nobody waited for yet.
pub fn is_alive(pid: u32) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output();
    let state = String::from_utf8(output.unwrap().stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

pub fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

pub async fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A process of the user that this place belongs to, which is no PostgreSQL.
pub fn sleeper(place: &Path) -> Child {
    let mut command = Command::new("sleep");
    command.arg("600").current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(place.metadata().unwrap().uid());
    }
    command.spawn().unwrap()
}

/// Whether the test can go on; it says so if not.
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: {test} needs to run as root");
    }
    root
}
