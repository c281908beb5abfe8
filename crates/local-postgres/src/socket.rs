//! The directory of the socket: `run` in the cluster's place, or a short one where the path would be longer than the system
//! takes. It belongs to PostgreSQL's user and nobody else gets in, which is what makes a login without a password safe; a
//! directory that somebody else put there first is never used.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::Account;
use crate::place::{Place, fingerprint};

/// Only a name: nothing listens on a network.
pub(crate) const PORT: u16 = 5432;

/// The longest path of a Unix socket, without the NUL at its end.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The path of the socket in its directory.
pub(crate) fn socket(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}"))
}

/// The directory for the socket of the cluster in this place, made if it is not there.
pub(crate) fn prepare(place: &Place) -> Result<PathBuf, Error> {
    let own = place.home.join("run");
    if !fits(&own) {
        return elsewhere(place);
    }
    if make(&place.home, "run", &place.account)? {
        return Ok(own);
    }
    Err(Error::NoSocketDirectory {
        tried: own.display().to_string(),
    })
}

/// What the operator should know about the directory of the socket.
pub(crate) fn note(place: &Place, directory: &Path) -> Option<String> {
    (!directory.starts_with(&place.home)).then(|| {
        format!(
            "PostgreSQL's socket is in {}, because the path of {} is too long for one",
            directory.display(),
            place.home.display()
        )
    })
}

fn elsewhere(place: &Place) -> Result<PathBuf, Error> {
    // Only root may write to /run. What is in /tmp can have been put there by anybody, so there is more than one name.
    let parents: &[&str] = if place.account.switch {
        &["/run", "/tmp"]
    } else {
        &["/tmp"]
    };
    let name = format!("bookable-{}", fingerprint(&place.home));
    let mut tried = Vec::new();
    for parent in parents.iter().map(Path::new) {
        for suffix in ["", "-2", "-3", "-4"] {
            let name = format!("{name}{suffix}");
            if matches!(make(parent, &name, &place.account), Ok(true)) {
                return Ok(parent.join(name));
            }
            tried.push(parent.join(name).display().to_string());
        }
    }
    Err(Error::NoSocketDirectory {
        tried: tried.join(", "),
    })
}

/// Whether the directory is there afterwards, and ours alone.
fn make(parent: &Path, name: &str, account: &Account) -> Result<bool, Error> {
    let path = parent.join(name);
    if path.symlink_metadata().is_err() && !account.create_private(parent, name)? && account.switch
    {
        // A parent that only root may write to.
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        let _ = made
            .and_then(|()| std::os::unix::fs::lchown(&path, Some(account.uid), Some(account.gid)));
    }
    let Ok(metadata) = path.symlink_metadata() else {
        return Ok(false);
    };
    Ok(metadata.is_dir() && metadata.uid() == account.uid && metadata.mode() & 0o777 == 0o700)
}

fn fits(directory: &Path) -> bool {
    socket(directory).as_os_str().as_bytes().len() <= LONGEST_PATH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_socket_counts() {
        let name = "/.s.PGSQL.5432".len();
        let longest = "x".repeat(LONGEST_PATH - name - 1);
        assert!(fits(Path::new(&format!("/{longest}"))));
        assert!(!fits(Path::new(&format!("/{longest}x"))));
    }

    #[test]
    fn a_directory_that_others_can_enter_or_own_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir_in("/tmp").unwrap();
        let open = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(parent.path(), open).unwrap();
        let account = Account::for_new_cluster().unwrap();
        assert!(make(parent.path(), "ours", &account).unwrap());
        assert!(make(parent.path(), "ours", &account).unwrap());
        let ajar = parent.path().join("ajar");
        std::fs::create_dir(&ajar).unwrap();
        assert!(!make(parent.path(), "ajar", &account).unwrap());
        std::os::unix::fs::symlink(parent.path().join("ours"), parent.path().join("link")).unwrap();
        assert!(!make(parent.path(), "link", &account).unwrap());
    }
}
