//! Advisory locks on files: held by one process or shared by many, and released by the kernel however a process ends.
//!
//! Three of them guard a data directory:
//! - `owner`: exclusive, held by the one server of the directory for as long as it runs;
//! - `users`: shared, held by every process that uses the cluster; whoever can have it alone is the last;
//! - `change`: exclusive and short, held while the cluster is created, started, joined or stopped.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::Error;

/// A first start creates the cluster and a last one may recover it, both under the lock `change`.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(5);

/// The three lock files of one data directory.
#[derive(Debug, Clone)]
pub(crate) struct Locks {
    dir: PathBuf,
}

/// A lock, released when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Locks {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            dir: data_dir.join("locks"),
        }
    }

    /// Whether anybody ever used this data directory.
    pub(crate) fn exist(&self) -> bool {
        self.dir.is_dir()
    }

    pub(crate) fn create(&self) -> Result<(), Error> {
        std::fs::create_dir_all(&self.dir).map_err(Error::io("creating", &self.dir))
    }

    /// Makes this process the server of the directory, or says which process is.
    pub(crate) fn own(&self) -> Result<Lock, Error> {
        let path = self.dir.join("owner");
        let mut file = open(&path)?;
        if !try_lock(&file, FlockOperation::NonBlockingLockExclusive, &path)? {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            return Err(Error::InUse {
                pid: pid.trim().parse().ok(),
            });
        }
        // The number is for people; a file that cannot be written still locks.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Lock { file })
    }

    /// Takes part in the use of the cluster; call with `change` held, so that nobody stops it meanwhile.
    pub(crate) fn use_cluster(&self) -> Result<Lock, Error> {
        let path = self.dir.join("users");
        let file = open(&path)?;
        // Nobody holds it exclusively without `change`, so this does not block.
        flock(&file, FlockOperation::LockShared)
            .map_err(|error| Error::io("locking", &path)(error.into()))?;
        Ok(Lock { file })
    }

    pub(crate) async fn change(&self) -> Result<Lock, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = self.try_change()? {
                return Ok(lock);
            }
            if Instant::now() > deadline {
                return Err(Error::Busy);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(crate) fn change_blocking(&self) -> Result<Lock, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = self.try_change()? {
                return Ok(lock);
            }
            if Instant::now() > deadline {
                return Err(Error::Busy);
            }
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn try_change(&self) -> Result<Option<Lock>, Error> {
        let path = self.dir.join("change");
        let file = open(&path)?;
        let locked = try_lock(&file, FlockOperation::NonBlockingLockExclusive, &path)?;
        Ok(locked.then_some(Lock { file }))
    }
}

impl Lock {
    /// Turns a share of `users` into the whole, if nobody else holds a share; the share is lost if not. Call with `change` held.
    pub(crate) fn is_last(&self) -> bool {
        flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Has a share again, after the attempt to be the last; call with `change` held.
    pub(crate) fn share_again(&self) -> Result<(), Error> {
        flock(&self.file, FlockOperation::LockShared)
            .map_err(|error| Error::io("locking", "users")(error.into()))
    }
}

/// Locking needs no permission to write, so a file that another user created will do.
fn open(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .or_else(|_| File::open(path))
        .map_err(Error::io("opening", path))
}

fn try_lock(file: &File, operation: FlockOperation, path: &Path) -> Result<bool, Error> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(Error::io("locking", path)(error.into())),
    }
}
