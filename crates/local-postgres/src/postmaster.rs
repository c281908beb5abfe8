//! What PostgreSQL's own `postmaster.pid` tells about the server of a cluster. A process counts as that server only if it belongs
//! to the cluster's user and runs on the cluster's directory: a number that another process got since is never waited for and
//! never gets a signal.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::Error;
use crate::place::Place;
use crate::socket::socket;

/// How long a server may take to end its sessions and write down what it has.
const FAST_STOP: Duration = Duration::from_secs(30);
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// A running PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Postmaster {
    pub(crate) pid: u32,
    pub(crate) socket_dir: PathBuf,
    /// Whether it takes connections; else it starts, recovers or stops.
    pub(crate) ready: bool,
}

impl Postmaster {
    /// The server that runs on the cluster in this place, if one does.
    pub(crate) fn running(place: &Place) -> Option<Self> {
        let text = std::fs::read(place.cluster().join("postmaster.pid")).ok()?;
        let found = Self::parse(&text)?;
        let alive = is_server_of(found.pid, place) || found.answers();
        alive.then_some(found)
    }

    /// Tells it to end its sessions and stop.
    pub(crate) fn signal_stop(&self, place: &Place) {
        self.signal(place, Signal::INT);
    }

    /// Stops it: in good order, or after a long wait at once, which the next start recovers from.
    pub(crate) async fn stop(&self, place: &Place) -> Result<(), Error> {
        for (signal, patience) in [(Signal::INT, FAST_STOP), (Signal::QUIT, IMMEDIATE_STOP)] {
            self.signal(place, signal);
            let deadline = Instant::now() + patience;
            while Instant::now() < deadline {
                if !is_server_of(self.pid, place) {
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Err(Error::Stop { pid: self.pid })
    }

    fn signal(&self, place: &Place, signal: Signal) {
        if let Some(pid) = raw_pid(self.pid).filter(|_| is_server_of(self.pid, place)) {
            // It can have ended by itself since.
            let _ = kill_process(pid, signal);
        }
    }

    /// Lines: pid, data directory, start time, port, socket directory, address, shared memory, state; the later ones come later.
    fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.split(|byte| *byte == b'\n');
        let pid = str::from_utf8(lines.next()?).ok()?.trim().parse().ok()?;
        let socket_dir = lines.nth(3).unwrap_or_default();
        let state = lines.nth(2).unwrap_or_default();
        Some(Self {
            pid,
            socket_dir: PathBuf::from(OsString::from_vec(socket_dir.to_vec())),
            ready: state.starts_with(b"ready"),
        })
    }

    /// Whether a server listens, perhaps one whose processes are out of sight, as in another container.
    fn answers(&self) -> bool {
        self.ready && std::os::unix::net::UnixStream::connect(socket(&self.socket_dir)).is_ok()
    }
}

/// Removes what a server that died left behind, where its number belongs to another process now: PostgreSQL would take that one
/// for the server and refuse to start. Call only while none runs.
pub(crate) fn remove_stale(place: &Place, socket_dir: &Path) -> Result<(), Error> {
    let mut lock = socket(socket_dir).into_os_string();
    lock.push(".lock");
    for path in [place.cluster().join("postmaster.pid"), PathBuf::from(lock)] {
        let Ok(text) = std::fs::read(&path) else {
            continue;
        };
        let number = Postmaster::parse(&text).and_then(|left| raw_pid(left.pid));
        let gone = |pid| test_kill_process(pid) == Err(Errno::SRCH);
        if !number.is_some_and(gone) {
            std::fs::remove_file(&path).map_err(Error::io("removing", path))?;
        }
    }
    Ok(())
}

fn raw_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn is_server_of(pid: u32, place: &Place) -> bool {
    let cluster = place.cluster();
    let Some((uid, command)) = process(pid) else {
        return false;
    };
    // A process that ended and was not waited for has no command line.
    let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
    let postgres = contains(program, b"postgres") || contains(program, b"postmaster");
    let at_home = works_in(pid, &cluster) || contains(&command, cluster.as_os_str().as_bytes());
    uid == place.account.uid && postgres && at_home
}

/// Whose process it is, and its command line.
#[cfg(target_os = "linux")]
fn process(pid: u32) -> Option<(u32, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt;
    let directory = PathBuf::from(format!("/proc/{pid}"));
    let uid = directory.metadata().ok()?.uid();
    Some((uid, std::fs::read(directory.join("cmdline")).ok()?))
}

#[cfg(not(target_os = "linux"))]
fn process(pid: u32) -> Option<(u32, Vec<u8>)> {
    let output = std::process::Command::new("ps")
        .args(["-ww", "-o", "uid=", "-o", "command=", "-p"])
        .arg(pid.to_string())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = output.stdout.trim_ascii_start().to_vec();
    let space = text.iter().position(u8::is_ascii_whitespace)?;
    let (uid, command) = text.split_at_checked(space)?;
    Some((str::from_utf8(uid).ok()?.parse().ok()?, command.to_vec()))
}

/// PostgreSQL works in its data directory, also when that was renamed meanwhile.
fn works_in(pid: u32, cluster: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| {
        let metadata = path.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    let directory = identity(&PathBuf::from(format!("/proc/{pid}/cwd")));
    directory.is_some() && directory == identity(cluster)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_whole_yet_is_not_ready() {
        assert_eq!(Postmaster::parse(b""), None);
        let early = Postmaster::parse(b"17\n/data/cluster\n1700000000\n5432\n").unwrap();
        assert_eq!((early.pid, early.ready), (17, false));
        let whole = b"17\n/data\n1700000000\n5432\n/data/run\n\n  1234567   32768\nready   \n";
        let whole = Postmaster::parse(whole).unwrap();
        assert!(whole.ready);
        assert_eq!(whole.socket_dir, Path::new("/data/run"));
    }
}
