//! PostgreSQL refuses to run as root. As root its programs run as the cluster's owner, or for a new cluster as user `postgres`,
//! else `nobody`; as anybody else they run as that user. Nothing of the environment or the groups of the server reaches them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;
use crate::programs::clean_path;

/// macOS calls its own `_postgres`.
const UNPRIVILEGED: &[&str] = &["postgres", "_postgres", "nobody"];

/// The user whose processes and files the cluster's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
    /// Whether this process has to become that user.
    pub(crate) switch: bool,
}

impl Account {
    /// Who runs PostgreSQL for a new cluster.
    pub(crate) fn for_new_cluster() -> Result<Self, Error> {
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            return Ok(Self::current(uid));
        }
        UNPRIVILEGED
            .iter()
            .find_map(|name| Self::named(name))
            .ok_or(Error::NoAccount)
    }

    /// Who runs PostgreSQL for the cluster that lives in `home`.
    pub(crate) fn for_cluster_of(home: &Path, uid: u32, gid: u32) -> Result<Self, Error> {
        let current = rustix::process::geteuid().as_raw();
        if current == uid && uid != 0 {
            return Ok(Self::current(uid));
        }
        if current != 0 {
            return Err(Error::ForeignPlace {
                home: home.to_owned(),
            });
        }
        if uid == 0 {
            return Self::for_new_cluster();
        }
        let uid_text = uid.to_string();
        Ok(Self {
            uid,
            gid,
            name: id(&["-un", &uid_text]).unwrap_or(uid_text),
            switch: true,
        })
    }

    /// A command that runs as this user in `directory`, with a clean environment and none of our groups.
    pub(crate) fn command(
        &self,
        program: impl AsRef<OsStr>,
        bin: &Path,
        directory: &Path,
    ) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", clean_path(bin))
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir(directory)
            .stdin(Stdio::null());
        if self.switch {
            // The standard library gives up the supplementary groups of root together with its uid.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Why this user cannot keep files in `directory`, if it cannot.
    pub(crate) fn cannot_use(&self, directory: &Path) -> Option<io::Error> {
        // By its whole path: root may enter directories on the way that this user may not.
        let status = self
            .command("/bin/sh", Path::new("/usr/bin"), Path::new("/"))
            .args(["-c", r#"test -r "$1" && test -w "$1" && cd "$1""#, "sh"])
            .arg(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match status {
            Ok(status) if status.success() => None,
            Ok(_) => Some(io::ErrorKind::PermissionDenied.into()),
            Err(error) => Some(error),
        }
    }

    /// Creates a directory that is closed to all others, as this user. False if there is something of that name.
    pub(crate) fn create_private(&self, parent: &Path, name: &str) -> Result<bool, Error> {
        let path = parent.join(name);
        if path.symlink_metadata().is_ok() {
            return Ok(false);
        }
        let output = self
            .command("mkdir", Path::new("/usr/bin"), parent)
            .args(["-m", "700", "--", name])
            .output()
            .map_err(Error::io("creating", &path))?;
        Ok(output.status.success())
    }

    fn current(uid: u32) -> Self {
        Self {
            uid,
            gid: rustix::process::getegid().as_raw(),
            name: id(&["-un"]).unwrap_or_else(|| uid.to_string()),
            switch: false,
        }
    }

    fn named(name: &str) -> Option<Self> {
        let number = |flag| id(&[flag, name])?.parse().ok();
        Some(Self {
            uid: number("-u").filter(|uid| *uid != 0)?,
            gid: number("-g")?,
            name: name.to_owned(),
            switch: true,
        })
    }
}

/// The user database as POSIX's `id` sees it, directory services included.
fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_cluster_never_belongs_to_root() {
        let account = Account::for_new_cluster().unwrap();
        assert_ne!(account.uid, 0);
        assert_eq!(account.switch, rustix::process::geteuid().is_root());
    }
}
