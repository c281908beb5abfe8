//! Where the cluster of a data directory lives: in `postgres` inside it, or, where the user that PostgreSQL runs as cannot use
//! that, in the system's place for server data. A note in the data directory then names the place, so that it is found for ever
//! after; nothing that exists is ever moved, adopted or deleted.
//!
//! The place holds `cluster` (PostgreSQL's own files), `run` (the socket) and `postgres.log`. It is closed to all other users.

use std::fs::DirBuilder;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::Account;

/// The note's first line is the path; the rest is for people.
const NOTE: &str = "postgres.location";

const STATE: &str = if cfg!(target_os = "macos") {
    "/usr/local/var/bookable"
} else {
    "/var/lib/bookable"
};

/// A directory with a cluster or room for one, and the user it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) home: PathBuf,
    pub(crate) account: Account,
    /// What the operator should know about it.
    pub(crate) note: Option<String>,
}

impl Place {
    /// The place of a data directory that has one; creates nothing.
    pub(crate) fn existing(data_dir: &Path) -> Result<Option<Self>, Error> {
        if let Some(noted) = Self::noted(data_dir)? {
            return Ok(Some(noted));
        }
        let home = data_dir.join("postgres");
        let place = Self::at(home, None)?;
        Ok(place.filter(|place| place.cluster_version().is_some()))
    }

    /// The place of a data directory, made if there is none. `data_dir` is an absolute path without links.
    pub(crate) fn prepare(data_dir: &Path) -> Result<Self, Error> {
        if let Some(place) = Self::existing(data_dir)? {
            return match place.account.cannot_use(&place.home) {
                None => Ok(place),
                Some(error) => Err(Error::io("using", &place.home)(error)),
            };
        }
        let account = Account::for_new_cluster()?;
        let home = data_dir.join("postgres");
        match make_home(&home, &account) {
            Ok(()) => Ok(Self {
                home,
                account,
                note: None,
            }),
            Err(error) if account.switch => {
                // Empty, so nobody misses it; and it would be taken for the place next time.
                let _ = std::fs::remove_dir(&home);
                Self::elsewhere(data_dir, account, &error, &state_directories())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// What the operator should be told about where things are.
    pub(crate) fn notes(&self, socket_dir: &Path) -> Vec<String> {
        let socket = crate::socket::note(self, socket_dir);
        self.note.iter().cloned().chain(socket).collect()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    /// The major version that made the cluster, if there is one.
    pub(crate) fn cluster_version(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.cluster().join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }

    fn noted(data_dir: &Path) -> Result<Option<Self>, Error> {
        let note = data_dir.join(NOTE);
        let text = match std::fs::read(&note) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("reading", note)(error)),
        };
        let path = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let home = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
        let reason = format!(
            "the database of {} lives in {}, as {} says",
            data_dir.display(),
            home.display(),
            note.display()
        );
        match Self::at(home.clone(), Some(reason))? {
            Some(place) => Ok(Some(place)),
            None => Err(Error::PlaceGone { home, note }),
        }
    }

    fn at(home: PathBuf, note: Option<String>) -> Result<Option<Self>, Error> {
        let metadata = match home.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("looking at", home)(error)),
        };
        let account = Account::for_cluster_of(&home, metadata.uid(), metadata.gid())?;
        Ok(Some(Self {
            home,
            account,
            note,
        }))
    }

    /// Makes a place in one of the system's directories for server data, and leaves the note.
    fn elsewhere(
        data_dir: &Path,
        account: Account,
        why: &Error,
        states: &[PathBuf],
    ) -> Result<Self, Error> {
        let mut tried = vec![why.to_string()];
        for state in states {
            match new_home(state, data_dir, &account) {
                Ok(home) => {
                    let reason = format!(
                        "the database of {} lives in {}, because user {}, which PostgreSQL runs as, cannot use {}",
                        data_dir.display(),
                        home.display(),
                        account.name,
                        data_dir.display()
                    );
                    write_note(&data_dir.join(NOTE), &home, &reason)?;
                    return Ok(Self {
                        home,
                        account,
                        note: Some(reason),
                    });
                }
                Err(error) => tried.push(error.to_string()),
            }
        }
        Err(Error::NoPlace {
            account: account.name,
            tried: tried.join("; "),
        })
    }
}

/// Creates a data directory that others may pass through, and answers its path without links.
pub(crate) fn make_data_dir(data_dir: &Path) -> Result<PathBuf, Error> {
    let missing: Vec<&Path> = data_dir
        .ancestors()
        .filter(|path| !path.as_os_str().is_empty())
        .take_while(|path| !path.exists())
        .collect();
    for path in missing.into_iter().rev() {
        make_passable(path)?;
    }
    data_dir
        .canonicalize()
        .map_err(Error::io("looking at", data_dir))
}

/// A number for a path, the same in every process and version.
pub(crate) fn fingerprint(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    // FNV-1a
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

fn state_directories() -> Vec<PathBuf> {
    let systemd = std::env::var_os("STATE_DIRECTORY").unwrap_or_default();
    std::env::split_paths(&systemd)
        .filter(|path| path.is_absolute())
        .chain([PathBuf::from(STATE)])
        .collect()
}

/// A directory of this data directory's own. What an earlier data directory of the same name left behind stays as it is.
fn new_home(state: &Path, data_dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    if !state.exists() {
        make_passable(state)?;
    }
    let name = fingerprint(data_dir);
    let mut home = state.join(&name);
    let mut number = 2;
    while is_taken(&home) {
        home = state.join(format!("{name}-{number}"));
        number += 1;
    }
    make_home(&home, account)?;
    Ok(home)
}

fn is_taken(home: &Path) -> bool {
    match std::fs::read_dir(home) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

fn make_home(home: &Path, account: &Account) -> Result<(), Error> {
    if !home.is_dir() {
        DirBuilder::new()
            .mode(0o700)
            .create(home)
            .map_err(Error::io("creating", home))?;
    }
    if account.switch {
        std::os::unix::fs::lchown(home, Some(account.uid), Some(account.gid))
            .map_err(Error::io("giving away", home))?;
    }
    match account.cannot_use(home) {
        Some(error) => Err(Error::io("using", home)(error)),
        None => Ok(()),
    }
}

/// The umask of root is sometimes 077; PostgreSQL's user must get through all the same.
fn make_passable(path: &Path) -> Result<(), Error> {
    match std::fs::create_dir(path) {
        Ok(()) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(Error::io("creating", path))
}

/// Whole or not at all.
fn write_note(note: &Path, home: &Path, reason: &str) -> Result<(), Error> {
    let mut text = home.as_os_str().as_bytes().to_vec();
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(reason.as_bytes());
    text.extend_from_slice(b".\nKeep this file: without it the database is not found.\n");
    let draft = note.with_extension("new");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, note))
        .map_err(Error::io("writing", note))
}
