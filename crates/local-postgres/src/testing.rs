//! One volatile cluster for a whole test run, and a database of its own for each test.
//!
//! The first process that needs the cluster starts it; it runs on when the tests end, so that the next run finds it and its
//! templates. [`remove_cluster`] ends it. A database is a copy of a template that is filled once for each key; a template that
//! was left half filled is never seen. Databases of processes that are gone are dropped little by little.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::{connect, quote_identifier};
use crate::place::{Place, fingerprint, make_data_dir};
use crate::{Connection, Durability, Error, LocalPostgres, Options};

/// Names the directory of the cluster; else it is `test-cluster` in Cargo's target directory.
pub const CLUSTER_VARIABLE: &str = "BOOKABLE_TEST_CLUSTER";

/// Only a directory with this file in it is used, and emptied.
const MARK: &str = "test-cluster";
const MAX_CONNECTIONS: u32 = 400;
/// Databases of processes that are gone that each new process drops.
const SWEEP: usize = 3;
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// The cluster that all tests of this run share.
pub async fn test_cluster() -> Result<&'static Connection, Error> {
    // Kept for the life of the process, so that its end does not stop the cluster.
    static CLUSTER: OnceCell<Connection> = OnceCell::const_new();
    CLUSTER.get_or_try_init(join).await
}

/// The URL of a new database that nobody else uses: a copy of the template with this key. `migrate` gets the URL of an empty
/// database and fills it, once for each key; it must have closed its connections when it is done. The key has to change whenever
/// `migrate` would fill the database differently.
pub async fn database_from_template<M, F, E>(key: &str, migrate: M) -> Result<String, Error>
where
    M: FnOnce(String) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let cluster = test_cluster().await?;
    let client = connect(cluster.socket_dir(), "postgres").await?;
    let template = format!("template_{}", fingerprint(Path::new(key)));
    if !exists(&client, &template).await? {
        make_template(cluster, &client, &template, migrate).await?;
    }
    let name = unique_name();
    let create = format!(
        "CREATE DATABASE {} TEMPLATE {} {}",
        quote_identifier(&name),
        quote_identifier(&template),
        strategy(&client).await?
    );
    insist(&client, &create).await?;
    Ok(cluster.url(&name))
}

/// Stops the cluster, whoever uses it, and removes all of it.
pub async fn remove_cluster() -> Result<(), Error> {
    let directory = directory();
    if !directory.exists() {
        return Ok(());
    }
    refuse_others(&directory)?;
    let mut leftovers = Vec::new();
    if let Some(running) = LocalPostgres::attach(&directory)? {
        leftovers.push(running.socket_dir().to_owned());
        running.stop_for_all().await?;
    }
    if let Ok(Some(place)) = Place::existing(&directory) {
        leftovers.push(place.home);
    }
    leftovers
        .extend(["postgres", "postgres.location", "locks", MARK].map(|name| directory.join(name)));
    for path in leftovers {
        let removed = match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(&path),
            Ok(_) => std::fs::remove_file(&path),
            Err(_) => Ok(()),
        };
        removed.map_err(Error::io("removing", path))?;
    }
    std::fs::remove_dir(&directory).map_err(Error::io("removing", directory))
}

async fn join() -> Result<Connection, Error> {
    let data_dir = make_data_dir(&directory())?;
    let empty = std::fs::read_dir(&data_dir).is_ok_and(|mut entries| entries.next().is_none());
    if empty {
        let mark = data_dir.join(MARK);
        std::fs::write(&mark, "").map_err(Error::io("writing", mark))?;
    }
    refuse_others(&data_dir)?;
    let cluster = LocalPostgres::join(Options {
        data_dir,
        durability: Durability::Volatile,
        max_connections: MAX_CONNECTIONS,
    })
    .await?;
    sweep(&connect(cluster.socket_dir(), "postgres").await?).await?;
    Ok(cluster)
}

fn directory() -> PathBuf {
    if let Some(directory) = std::env::var_os(CLUSTER_VARIABLE) {
        return PathBuf::from(directory);
    }
    let program = std::env::current_exe().unwrap_or_default();
    let target = program
        .ancestors()
        .find(|path| path.join("CACHEDIR.TAG").is_file());
    if let Some(target) = target {
        return target.join("test-cluster");
    }
    let uid = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("bookable-test-cluster-{uid}"))
}

fn refuse_others(directory: &Path) -> Result<(), Error> {
    if directory.join(MARK).is_file() {
        return Ok(());
    }
    Err(Error::NotATestCluster {
        directory: directory.to_owned(),
    })
}

/// Makes the template under a lock, and gives it its name when it is whole.
async fn make_template<M, F, E>(
    cluster: &Connection,
    client: &Client,
    template: &str,
    migrate: M,
) -> Result<(), Error>
where
    M: FnOnce(String) -> F,
    F: Future<Output = Result<(), E>>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Held by the session, so a process that is killed gives it up.
    let lock = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
    let locked = client.execute(lock, &[&template]).await;
    locked.map_err(Error::database("waiting for the template"))?;
    if !exists(client, template).await? {
        let draft = format!("{template}_draft");
        let quoted = quote_identifier(&draft);
        insist(
            client,
            &format!("DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"),
        )
        .await?;
        insist(client, &format!("CREATE DATABASE {quoted}")).await?;
        let filled = migrate(cluster.url(&draft)).await;
        filled.map_err(|error| Error::Template(error.into()))?;
        let close = format!("ALTER DATABASE {quoted} WITH ALLOW_CONNECTIONS false");
        insist(client, &close).await?;
        let name = quote_identifier(template);
        insist(client, &format!("ALTER DATABASE {quoted} RENAME TO {name}")).await?;
    }
    let unlock = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
    let unlocked = client.execute(unlock, &[&template]).await;
    unlocked.map_err(Error::database("releasing the template"))?;
    Ok(())
}

async fn exists(client: &Client, database: &str) -> Result<bool, Error> {
    let query = "SELECT FROM pg_database WHERE datname = $1";
    let found = client.query_opt(query, &[&database]).await;
    Ok(found
        .map_err(Error::database("looking for a database"))?
        .is_some())
}

/// Without durability files are copied in two thirds of the time that it takes to log their pages.
async fn strategy(client: &Client) -> Result<&'static str, Error> {
    let query = "SELECT current_setting('server_version_num')::int >= 150000";
    let row = client.query_one(query, &[]).await;
    let has_choice: bool = row
        .map_err(Error::database("asking for the version"))?
        .get(0);
    Ok(if has_choice { "STRATEGY file_copy" } else { "" })
}

/// Runs a statement on a whole database, again while a connection that was closed a moment ago still counts.
async fn insist(client: &Client, statement: &str) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.batch_execute(statement).await {
            Err(error)
                if error.code() == Some(&SqlState::OBJECT_IN_USE) && Instant::now() < deadline =>
            {
                tokio::time::sleep(POLL).await;
            }
            result => return result.map_err(Error::database("preparing a test database")),
        }
    }
}

/// Names the process, for [`sweep`]; a random part, because numbers of processes come back.
fn unique_name() -> String {
    static RANDOM: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("test_{}_{:x}_{number}", std::process::id(), *RANDOM)
}

/// Drops some of the databases whose processes are gone: enough that a cluster that is kept does not grow for ever.
async fn sweep(client: &Client) -> Result<(), Error> {
    let query = r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_%'";
    let rows = client.query(query, &[]).await;
    let rows = rows.map_err(Error::database("listing the databases"))?;
    let names = rows.iter().map(|row| row.get::<_, &str>(0));
    for name in names.filter(|name| is_abandoned(name)).take(SWEEP) {
        let drop = format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quote_identifier(name)
        );
        // Another process may be at the same one.
        let _ = client.batch_execute(&drop).await;
    }
    Ok(())
}

fn is_abandoned(name: &str) -> bool {
    let process = name.split('_').nth(1).and_then(|pid| pid.parse().ok());
    process
        .and_then(Pid::from_raw)
        .is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}
