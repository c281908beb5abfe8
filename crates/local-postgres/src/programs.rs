//! Finds PostgreSQL's programs: a directory counts only if it holds `initdb` and `postgres`, both run, and they agree on a
//! version. Of those that count, the one that fits the existing cluster and has `btree_gist` wins, then the one found first: PATH,
//! then where Debian, PGDG, Homebrew, Postgres.app and others put them, newest first.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// The oldest major version that has all that this crate and the migrations need (`DROP DATABASE … WITH (FORCE)`).
pub(crate) const OLDEST: u32 = 13;

/// Directories outside PATH. A `*` stands for a version; the newest comes first.
const USUAL_PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/libexec/postgresql*",
    "/usr/lib/postgresql*/bin",
    "/usr/local/pgsql/bin",
];

/// One installation of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub(crate) bin: PathBuf,
    pub(crate) major: u32,
    has_btree_gist: bool,
}

impl Programs {
    /// The programs to use for a cluster of this major version, or for a new one.
    pub(crate) fn find(home: &Path, cluster_major: Option<u32>) -> Result<Self, Error> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self::choose(&candidates(&path, USUAL_PLACES), home, cluster_major)
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    fn choose(
        directories: &[PathBuf],
        home: &Path,
        cluster_major: Option<u32>,
    ) -> Result<Self, Error> {
        let found: Vec<Self> = directories.iter().filter_map(|bin| inspect(bin)).collect();
        let fits = |programs: &&Self| cluster_major.is_none_or(|major| programs.major == major);
        if let Some(best) = found.iter().filter(fits).find(|one| one.has_btree_gist) {
            return Ok(best.clone());
        }
        if let Some(bare) = found.iter().find(fits) {
            return Err(Error::ContribMissing {
                bin: bare.bin.clone(),
            });
        }
        match cluster_major {
            Some(cluster) if !found.is_empty() => Err(Error::VersionMismatch {
                home: home.to_owned(),
                cluster,
                found: listed(found.iter().map(|programs| programs.major.to_string())),
            }),
            _ => Err(Error::ProgramsMissing {
                searched: "PATH and the usual places".to_owned(),
            }),
        }
    }
}

/// Directories that could hold the programs, links resolved, each once, in the order of preference.
fn candidates(path: &OsStr, places: &[&str]) -> Vec<PathBuf> {
    let in_path = std::env::split_paths(path);
    let usual = places.iter().flat_map(|pattern| expand(pattern));
    let mut directories: Vec<PathBuf> = Vec::new();
    for directory in in_path.chain(usual) {
        // A link in /usr/local/bin leads to the installation it belongs to; that one has the share directory too.
        let resolved = std::fs::canonicalize(directory.join("postgres"))
            .ok()
            .and_then(|program| program.parent().map(Path::to_owned));
        for candidate in resolved.into_iter().chain([directory]) {
            if candidate.is_absolute() && !directories.contains(&candidate) {
                directories.push(candidate);
            }
        }
    }
    directories
}

/// The directories a pattern with at most one `*` stands for, newest version first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let names = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
    names.sort_by_key(|name| std::cmp::Reverse(first_number(name)));
    names
        .iter()
        .map(|name| PathBuf::from(format!("{parent}/{name}{after}")))
        .collect()
}

/// What a directory holds, if it holds a server that will do.
fn inspect(bin: &Path) -> Option<Programs> {
    let server = version(&bin.join("postgres"))?;
    let initdb = version(&bin.join("initdb"))?;
    let major = first_number(server.rsplit_once("PostgreSQL)")?.1)?;
    let agree = server.rsplit_once("PostgreSQL)")?.1 == initdb.rsplit_once("PostgreSQL)")?.1;
    (agree && major >= OLDEST).then(|| Programs {
        bin: bin.to_owned(),
        major,
        has_btree_gist: share_directories(bin, major)
            .iter()
            .any(|share| share.join("extension/btree_gist.control").is_file()),
    })
}

/// The answer to `--version`, as in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version(program: &Path) -> Option<String> {
    output(program, "--version")
}

fn share_directories(bin: &Path, major: u32) -> Vec<PathBuf> {
    let told = output(&bin.join("pg_config"), "--sharedir").map(PathBuf::from);
    let relative = [
        "../share".to_owned(),
        "../share/postgresql".to_owned(),
        format!("../share/postgresql@{major}"),
        format!("../share/postgresql/{major}"),
    ];
    let relative = relative.iter().map(|share| bin.join(share));
    let debian = PathBuf::from(format!("/usr/share/postgresql/{major}"));
    told.into_iter().chain(relative).chain([debian]).collect()
}

fn output(program: &Path, argument: &str) -> Option<String> {
    // Most directories in PATH have nothing of the kind; asking is cheaper than trying.
    program.is_file().then_some(())?;
    let output = Command::new(program)
        .arg(argument)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}

fn first_number(text: &str) -> Option<u32> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let digits = text.get(start..)?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.dedup();
    names.join(", ")
}

/// The PATH that PostgreSQL's programs get: their own directory and the system's.
pub(crate) fn clean_path(bin: &Path) -> OsString {
    let mut path = bin.as_os_str().to_owned();
    path.push(":/usr/bin:/bin:/usr/sbin:/sbin");
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// An installation made of scripts that answer `--version`.
    fn installation(root: &Path, name: &str, server: &str, initdb: Option<&str>, gist: bool) {
        let bin = root.join(name).join("bin");
        let extension = root.join(name).join("share/extension");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(&extension).unwrap();
        script(&bin.join("postgres"), "postgres", server);
        if let Some(version) = initdb {
            script(&bin.join("initdb"), "initdb", version);
        }
        if gist {
            std::fs::write(extension.join("btree_gist.control"), "").unwrap();
        }
    }

    fn script(path: &Path, name: &str, version: &str) {
        std::fs::write(
            path,
            format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n"),
        )
        .unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn choose(root: &Path, cluster_major: Option<u32>) -> Result<u32, Error> {
        let pattern = format!("{}/pg-*/bin", root.display());
        let directories = candidates(OsStr::new(""), &[&pattern]);
        // The machine's own Debian share directory must not lend its extension to these installations.
        Programs::choose(&directories, Path::new("home"), cluster_major)
            .map(|programs| programs.major)
    }

    #[test]
    fn the_newest_that_is_whole_and_has_contrib_wins() {
        let root = tempfile::tempdir().unwrap();
        installation(root.path(), "pg-99", "99.1", None, true);
        installation(root.path(), "pg-98", "98.1", Some("97.3"), true);
        installation(root.path(), "pg-97", "97.1", Some("97.1"), false);
        installation(root.path(), "pg-96", "96.1", Some("96.1"), true);
        installation(root.path(), "pg-95", "95.1", Some("95.1"), true);
        assert_eq!(choose(root.path(), None).unwrap(), 96);
        assert_eq!(choose(root.path(), Some(95)).unwrap(), 95);
        assert!(matches!(
            choose(root.path(), Some(97)),
            Err(Error::ContribMissing { .. })
        ));
        let error = choose(root.path(), Some(90)).unwrap_err();
        assert!(matches!(error, Error::VersionMismatch { cluster: 90, .. }));
        assert!(error.to_string().contains("97, 96, 95"), "{error}");
    }

    #[test]
    fn nothing_or_too_old_says_what_to_install() {
        let root = tempfile::tempdir().unwrap();
        installation(root.path(), "pg-9.6", "9.6.24", Some("9.6.24"), true);
        let error = choose(root.path(), None).unwrap_err();
        assert!(matches!(error, Error::ProgramsMissing { .. }));
        assert!(error.to_string().contains("apt install postgresql"));
    }

    #[test]
    fn a_link_in_path_leads_to_its_installation() {
        let root = tempfile::tempdir().unwrap();
        installation(root.path(), "pg-50", "50.1", Some("50.1"), true);
        let linked = root.path().join("links");
        std::fs::create_dir(&linked).unwrap();
        std::os::unix::fs::symlink(
            root.path().join("pg-50/bin/postgres"),
            linked.join("postgres"),
        )
        .unwrap();
        let directories = candidates(linked.as_os_str(), &[]);
        let programs = Programs::choose(&directories, Path::new("home"), None).unwrap();
        let bin = root.path().canonicalize().unwrap().join("pg-50/bin");
        assert_eq!(programs.bin, bin);
    }

    #[test]
    fn versions_sort_by_number() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pg-9.6", "pg-16", "pg-100"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let pattern = format!("{}/pg-*", root.path().display());
        let names = expand(&pattern);
        let names: Vec<_> = names.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["pg-100", "pg-16", "pg-9.6"]);
    }
}
