//! `bookable work` beside a server on the private PostgreSQL: it does its work whatever becomes of the server and of PostgreSQL.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use local_postgres::LocalPostgres;
use tokio_postgres::NoTls;

const PATIENCE: Duration = Duration::from_secs(60);

/// A process of the program.
struct Process {
    child: Child,
    /// What it says: answers and log, line by line.
    lines: Receiver<String>,
}

impl Process {
    /// Starts it, and waits until it says that it is ready.
    fn start(data: &Path, arguments: &[&str], ready: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bookable"))
            .args(arguments)
            .arg("--data")
            .arg(data)
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (say, lines) = channel();
        let (answers, log) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let said: [Box<dyn Read + Send>; 2] = [Box::new(answers), Box::new(log)];
        for said in said {
            let say = say.clone();
            // It is read on when nobody waits for a line any more, so that the process is not stopped by a pipe that is full.
            std::thread::spawn(move || {
                for line in BufReader::new(said).lines() {
                    let _ = say.send(line.unwrap());
                }
            });
        }
        let process = Self { child, lines };
        process.says(ready);
        process
    }

    /// Waits until it says something, from where it was last heard on.
    fn says(&self, words: &str) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(words) {
                return;
            }
        }
        panic!("it does not say `{words}`, or has ended");
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    let serve = Process::start(&data, &["serve", "--listen", "127.0.0.1:0"], "/graphql");
    let first = postgres(&data).await;
    let mut work = Process::start(&data, &["work"], "working");

    serve.kill();
    assert_eq!(postgres(&data).await, first);
    signal(first.unwrap(), "-KILL");
    work.says("the database is up again");
    let second = postgres(&data).await;
    assert!(second.is_some_and(|pid| Some(pid) != first), "{second:?}");
    assert_eq!(work.child.try_wait().unwrap(), None, "the work goes on");

    signal(work.child.id(), "-TERM");
    assert!(work.child.wait().unwrap().success());
    // The last user ends the cluster.
    assert_eq!(postgres(&data).await, None);
}
