//! Creates the cluster, starts it, and takes a running one over. A cluster appears whole or not at all: initdb works beside it and
//! a rename puts it in place. The server listens on its socket only, is out of reach of the terminal's Ctrl-C, and adds what it
//! has to say to its log. Everything here happens under the lock `change`.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::connection::connect;
use crate::lock::Lock;
use crate::place::Place;
use crate::postmaster::{POLL, Postmaster, remove_stale};
use crate::programs::Programs;
use crate::{Durability, Error, Options, socket};

/// The superuser, and the only role there is.
pub(crate) const ROLE: &str = "bookable";

/// A recovery reads the log back that was written since the last checkpoint: minutes at worst.
const START: Duration = Duration::from_secs(170);
/// What is left of a server that was killed ends by itself when it notices.
const REMAINS: Duration = Duration::from_secs(30);
/// Sorts by code point everywhere, and knows upper and lower case of all letters where the system can.
const LOCALES: &[&[&str]] = &[
    &["--locale=C.UTF-8"],
    &["--locale=C", "--lc-ctype=en_US.UTF-8"],
    &["--locale=C"],
];
const LOG_LIMIT: u64 = 10 * 1024 * 1024;
const TAIL_LINES: usize = 20;

/// A cluster that takes connections.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) socket_dir: PathBuf,
    /// The server, where this process started it: somebody has to wait for it at its end.
    pub(crate) child: Option<Child>,
}

/// Has the cluster running afterwards, with the settings asked for unless others use it already.
pub(crate) async fn bring_up(
    place: &Place,
    options: &Options,
    users: &Lock,
) -> Result<Running, Error> {
    if let Some(found) = wait_until_settled(place).await? {
        // A server without users was left behind by one that was killed; with others, it stays as it is.
        let others = !users.is_last();
        users.share_again()?;
        // Where somebody has cleared its socket away, nobody finds it any more, whoever uses it.
        let is_found = socket::socket(&found.socket_dir).exists();
        if is_found && (others || has_settings(&found, options).await) {
            tracing::info!(pid = found.pid, "took the running PostgreSQL over");
            return Ok(Running {
                socket_dir: found.socket_dir,
                child: None,
            });
        }
        found.stop(place).await?;
    }
    let programs = Programs::find(&place.home, place.cluster_version())?;
    if place.cluster_version().is_none() {
        create(place, &programs, options.durability).await?;
    }
    start(place, &programs, options).await
}

/// The server that runs, once it is ready; a server that stops is waited for until it is gone.
async fn wait_until_settled(place: &Place) -> Result<Option<Postmaster>, Error> {
    let deadline = Instant::now() + START;
    loop {
        match Postmaster::running(place) {
            Some(found) if !found.ready && Instant::now() < deadline => {
                tokio::time::sleep(POLL).await;
            }
            Some(found) if !found.ready => return Err(Error::Stop { pid: found.pid }),
            settled => return Ok(settled),
        }
    }
}

async fn has_settings(found: &Postmaster, options: &Options) -> bool {
    let wanted = [
        (
            "fsync",
            on_or_off(options.durability == Durability::Durable),
        ),
        ("max_connections", options.max_connections.to_string()),
    ];
    let Ok(client) = connect(&found.socket_dir, "postgres").await else {
        return false;
    };
    for (name, value) in wanted {
        match client
            .query_one("SELECT current_setting($1)", &[&name])
            .await
        {
            Ok(row) if row.get::<_, String>(0) == value => {}
            _ => return false,
        }
    }
    true
}

async fn create(place: &Place, programs: &Programs, durability: Durability) -> Result<(), Error> {
    remove_unfinished(place)?;
    let draft = place
        .home
        .join(format!("cluster.new.{}", std::process::id()));
    let mut output = None;
    for locale in LOCALES {
        output = initdb(place, programs, durability, &draft, locale).await?;
        if !output
            .as_deref()
            .is_some_and(|output| output.contains("invalid locale"))
        {
            break;
        }
    }
    if let Some(output) = output {
        return Err(Error::Initdb {
            home: place.home.clone(),
            output,
        });
    }
    std::fs::rename(&draft, place.cluster()).map_err(Error::io("renaming", draft))
}

/// An earlier first start that was killed; a first start that still runs would hold the lock.
fn remove_unfinished(place: &Place) -> Result<(), Error> {
    let entries = std::fs::read_dir(&place.home).map_err(Error::io("reading", &place.home))?;
    for entry in entries.flatten() {
        if entry.file_name().as_bytes().starts_with(b"cluster.new.") {
            std::fs::remove_dir_all(entry.path()).map_err(Error::io("removing", entry.path()))?;
        }
    }
    Ok(())
}

/// What initdb complained of, if it did.
async fn initdb(
    place: &Place,
    programs: &Programs,
    durability: Durability,
    directory: &Path,
    locale: &[&str],
) -> Result<Option<String>, Error> {
    let mut command = place
        .account
        .command(programs.initdb(), &programs.bin, &place.home);
    command
        .args(["--encoding=UTF8", "--auth=trust", "--username", ROLE])
        .args(locale)
        .arg("--lc-messages=C")
        .arg(match durability {
            Durability::Durable => "--data-checksums",
            Durability::Volatile => "--no-sync",
        })
        .arg("--pgdata")
        .arg(directory);
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Error::io("running", programs.initdb()))?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok((!output.status.success()).then_some(complaint))
}

async fn start(place: &Place, programs: &Programs, options: &Options) -> Result<Running, Error> {
    let socket_dir = socket::prepare(place)?;
    let deadline = Instant::now() + REMAINS;
    loop {
        remove_stale(place, &socket_dir)?;
        let begin = prepare_log(place);
        let mut child = spawn(place, programs, options, &socket_dir)?;
        if wait_until_ready(place, &mut child).await? {
            tracing::info!(pid = child.id(), "started PostgreSQL");
            return Ok(Running {
                socket_dir,
                child: Some(child),
            });
        }
        let tail = log_tail(&place.log(), begin);
        // The sessions of a server that was killed can outlive it for a moment.
        let remains = tail.contains("pre-existing shared memory block");
        if !remains || Instant::now() > deadline {
            return Err(Error::Start {
                log: place.log(),
                tail,
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn spawn(
    place: &Place,
    programs: &Programs,
    options: &Options,
    socket_dir: &Path,
) -> Result<Child, Error> {
    let mut command = place.account.command("/bin/sh", &programs.bin, &place.home);
    // The shell opens the log, as the user it belongs to, and becomes the server.
    command
        .args(["-c", r#"umask 077; exec "$@" >>"$LOG" 2>&1"#, "sh"])
        .env("LOG", place.log())
        .arg(programs.postgres())
        .arg("-D")
        .arg(place.cluster());
    let mut quoted = std::ffi::OsString::from("unix_socket_directories=");
    quoted.push(quote(socket_dir));
    command.arg("-c").arg(quoted);
    for (name, value) in settings(options) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("running", programs.postgres()))
}

/// Given on the command line, so that they hold for every cluster; all others can be set in its postgresql.conf.
fn settings(options: &Options) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("listen_addresses", String::new()),
        ("port", socket::PORT.to_string()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("max_connections", options.max_connections.to_string()),
        ("lc_messages", "C".to_owned()),
        ("TimeZone", "UTC".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        ("logging_collector", "off".to_owned()),
        ("log_destination", "stderr".to_owned()),
        ("jit", "off".to_owned()),
    ];
    let durable = options.durability == Durability::Durable;
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        settings.push((name, on_or_off(durable)));
    }
    if !durable {
        // Nothing is archived or replicated, and no vacuum visits a template while it is copied.
        settings.push(("wal_level", "minimal".to_owned()));
        settings.push(("max_wal_senders", "0".to_owned()));
        settings.push(("autovacuum", "off".to_owned()));
    }
    settings
}

fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

/// The setting is a list: quotes keep a path with a comma in one piece.
fn quote(path: &Path) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    let mut quoted = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        if *byte == b'"' {
            quoted.push(b'"');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    std::ffi::OsString::from_vec(quoted)
}

/// False if the server ended instead.
async fn wait_until_ready(place: &Place, child: &mut Child) -> Result<bool, Error> {
    let deadline = Instant::now() + START;
    loop {
        let ended = child
            .try_wait()
            .map_err(Error::io("waiting for", place.cluster()))?;
        if ended.is_some() {
            return Ok(false);
        }
        let found = Postmaster::running(place);
        if found.is_some_and(|found| found.ready && found.pid == child.id()) {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Err(Error::Start {
                log: place.log(),
                tail: log_tail(&place.log(), 0),
            });
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Keeps one older log, and answers where in the log this start begins.
fn prepare_log(place: &Place) -> u64 {
    let log = place.log();
    let length = log.metadata().map_or(0, |metadata| metadata.len());
    if length < LOG_LIMIT {
        return length;
    }
    match std::fs::rename(&log, place.home.join("postgres.log.1")) {
        Ok(()) => 0,
        Err(_) => length,
    }
}

fn log_tail(log: &Path, begin: u64) -> String {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(begin))?;
        file.take(LOG_LIMIT).read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return format!("(cannot be read: {error})");
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines.len().saturating_sub(TAIL_LINES);
    lines.get(tail..).unwrap_or_default().join("\n")
}
