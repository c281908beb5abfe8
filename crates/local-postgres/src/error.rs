//! What can keep a private cluster from running; each message says what the operator can do about it.

use std::path::{Path, PathBuf};

/// Why the private PostgreSQL server could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A second server on one data directory.
    #[error("another bookable server uses this data directory{}", in_brackets(*.pid))]
    InUse { pid: Option<u32> },

    #[error(
        "no PostgreSQL server (initdb and postgres, version {} or newer) was found in {searched}. {INSTALL}",
        crate::programs::OLDEST
    )]
    ProgramsMissing { searched: String },

    #[error("PostgreSQL in {} lacks the extension btree_gist, a part of its contrib modules. {INSTALL}", .bin.display())]
    ContribMissing { bin: PathBuf },

    #[error(
        "the database in {} was made by PostgreSQL {cluster}, and only {found} is installed. \
         Install PostgreSQL {cluster}, or move the data over with pg_upgrade", .home.display()
    )]
    VersionMismatch {
        home: PathBuf,
        cluster: u32,
        found: String,
    },

    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user \"postgres\" nor a user \"nobody\" to run it as. \
         Create a user \"postgres\", or start the server as another user than root"
    )]
    NoAccount,

    #[error(
        "no directory was found in which user {account} could keep the database; tried {tried}"
    )]
    NoPlace { account: String, tried: String },

    #[error(
        "the database of this data directory lived in {}, and that is gone. \
         Bring it back, or remove {} to begin with an empty database", .home.display(), .note.display()
    )]
    PlaceGone { home: PathBuf, note: PathBuf },

    #[error(
        "{} belongs to another user; start the server as that user or as root", .home.display()
    )]
    ForeignPlace { home: PathBuf },

    #[error("no short directory was found for PostgreSQL's socket; tried {tried}")]
    NoSocketDirectory { tried: String },

    #[error("initdb could not create the database in {}: {output}", .home.display())]
    Initdb { home: PathBuf, output: String },

    #[error("PostgreSQL did not start. The end of {} says:\n{tail}", .log.display())]
    Start { log: PathBuf, tail: String },

    #[error("PostgreSQL (pid {pid}) did not stop")]
    Stop { pid: u32 },

    #[error("waited too long for another process that starts or stops the same PostgreSQL server")]
    Busy,

    #[error("{what} {}: {source}", .path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },

    #[error("{what}: {}", with_causes(.source))]
    Database {
        what: &'static str,
        source: tokio_postgres::Error,
    },

    #[error("{} holds something else than a test cluster", .directory.display())]
    NotATestCluster { directory: PathBuf },

    /// What a caller's migrations answered.
    #[error("filling the template database: {0}")]
    Template(Box<dyn std::error::Error + Send + Sync>),
}

const INSTALL: &str = "Install it (Debian, Ubuntu: apt install postgresql; \
    Fedora: dnf install postgresql-server postgresql-contrib; \
    macOS: brew install postgresql@18), or set DATABASE_URL to use a server of yours";

impl Error {
    /// Adds to an error of the operating system what was tried, and where.
    pub(crate) fn io(
        what: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// Adds to an error of the database what was tried.
    pub(crate) fn database(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { what, source }
    }
}

fn in_brackets(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}

/// tokio-postgres shows only the kind ("db error"): what matters is in the causes.
fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
