//! A use of a running cluster, by any number of processes at a time. As long as one lasts, nobody stops the cluster; the last that
//! ends stops it.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::cluster::{ROLE, bring_up};
use crate::lock::{Lock, Locks};
use crate::place::{Place, make_data_dir};
use crate::postmaster::{POLL, Postmaster};
use crate::{Error, Options, socket};

const SETTLE: Duration = Duration::from_secs(170);

/// A use of a running cluster.
#[derive(Debug)]
pub struct Connection {
    place: Place,
    locks: Locks,
    socket_dir: PathBuf,
    notes: Vec<String>,
    child: Option<Child>,
    /// `None` once this use has ended.
    users: Option<Lock>,
}

impl Connection {
    /// A URL of a database of this cluster, for anything that speaks PostgreSQL.
    pub fn url(&self, database: &str) -> String {
        url(&self.socket_dir, database)
    }

    /// Creates the database if it is not there.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        const WHAT: &str = "creating the database";
        let client = connect(&self.socket_dir, "postgres").await?;
        let query = "SELECT FROM pg_database WHERE datname = $1";
        let found = client.query_opt(query, &[&name]).await;
        if found.map_err(Error::database(WHAT))?.is_some() {
            return Ok(());
        }
        let create = format!("CREATE DATABASE {}", quote_identifier(name));
        match client.batch_execute(&create).await {
            // Another process was faster: told by the check before the insert, or by the unique index.
            Err(error)
                if [
                    Some(&SqlState::DUPLICATE_DATABASE),
                    Some(&SqlState::UNIQUE_VIOLATION),
                ]
                .contains(&error.code()) =>
            {
                Ok(())
            }
            result => result.map_err(Error::database(WHAT)),
        }
    }

    /// What the operator should be told, such as where the data is when it is not where one would look.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where PostgreSQL says what it has to say.
    pub fn log(&self) -> PathBuf {
        self.place.log()
    }

    /// Ends this use, and stops the cluster if nobody else uses it.
    pub async fn leave(mut self) -> Result<(), Error> {
        let change = self.locks.change().await?;
        let Some(users) = self.users.take() else {
            return Ok(());
        };
        if users.is_last() {
            self.stop_server().await?;
        }
        drop(users);
        drop(change);
        Ok(())
    }

    /// Starts the cluster of the data directory, or joins those who use it.
    pub(crate) async fn open(options: &Options) -> Result<Self, Error> {
        let data_dir = make_data_dir(&options.data_dir)?;
        let locks = Locks::of(&data_dir);
        locks.create()?;
        let change = locks.change().await?;
        let place = Place::prepare(&data_dir)?;
        let users = locks.use_cluster()?;
        let running = bring_up(&place, options, &users).await?;
        drop(change);
        let notes = place.notes(&running.socket_dir);
        Ok(Self {
            place,
            locks,
            socket_dir: running.socket_dir,
            notes,
            child: running.child,
            users: Some(users),
        })
    }

    /// Joins those who use the cluster of the data directory, if it runs; waits for one that is starting or stopping.
    pub(crate) fn attach(data_dir: &Path) -> Result<Option<Self>, Error> {
        let Ok(data_dir) = data_dir.canonicalize() else {
            return Ok(None);
        };
        let locks = Locks::of(&data_dir);
        if !locks.exist() {
            return Ok(None);
        }
        let _change = locks.change_blocking()?;
        let Some(place) = Place::existing(&data_dir)? else {
            return Ok(None);
        };
        let users = locks.use_cluster()?;
        let deadline = Instant::now() + SETTLE;
        loop {
            match Postmaster::running(&place) {
                Some(found) if found.ready => {
                    return Ok(Some(Self {
                        notes: place.notes(&found.socket_dir),
                        place,
                        locks,
                        socket_dir: found.socket_dir,
                        child: None,
                        users: Some(users),
                    }));
                }
                Some(found) if Instant::now() > deadline => {
                    return Err(Error::Stop { pid: found.pid });
                }
                Some(_) => std::thread::sleep(POLL),
                None => return Ok(None),
            }
        }
    }

    /// Stops the server whoever uses it, for those who then delete it.
    pub(crate) async fn stop_for_all(mut self) -> Result<(), Error> {
        let _change = self.locks.change().await?;
        self.users = None;
        self.stop_server().await
    }

    pub(crate) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    async fn stop_server(&mut self) -> Result<(), Error> {
        if let Some(found) = Postmaster::running(&self.place) {
            found.stop(&self.place).await?;
        }
        if let Some(child) = &mut self.child {
            let _ = child.try_wait();
        }
        if !self.socket_dir.starts_with(&self.place.home) {
            // Made for this server, and empty now; the next start makes it again.
            let _ = std::fs::remove_dir(&self.socket_dir);
        }
        Ok(())
    }
}

impl Drop for Connection {
    /// As far as it goes without waiting: whoever starts the cluster next waits for its end.
    fn drop(&mut self) {
        let Some(users) = self.users.take() else {
            return;
        };
        if let Ok(Some(_change)) = self.locks.try_change()
            && users.is_last()
            && let Some(found) = Postmaster::running(&self.place)
        {
            found.signal_stop(&self.place);
        }
    }
}

/// A connection for administration. It ends with the client.
pub(crate) async fn connect(socket_dir: &Path, database: &str) -> Result<Client, Error> {
    let connected = tokio_postgres::connect(&url(socket_dir, database), NoTls).await;
    let (client, connection) = connected.map_err(Error::database("connecting to PostgreSQL"))?;
    tokio::spawn(connection);
    Ok(client)
}

pub(crate) fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn url(socket_dir: &Path, database: &str) -> String {
    use std::os::unix::ffi::OsStrExt;
    let host = percent_encode(socket_dir.as_os_str().as_bytes());
    let database = percent_encode(database.as_bytes());
    format!("postgresql://{ROLE}@{host}:{}/{database}", socket::PORT)
}

fn percent_encode(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;
    use tokio_postgres::config::Host;

    #[test]
    fn any_path_survives_the_url() {
        let path = Path::new("/tmp/a b,c:d@e?f#g%h/ü[1]/run");
        let config = tokio_postgres::Config::from_str(&url(path, "a \"b\"/ü")).unwrap();
        assert_eq!(config.get_hosts(), [Host::Unix(path.to_owned())]);
        assert_eq!(config.get_user(), Some(ROLE));
        assert_eq!(config.get_dbname(), Some("a \"b\"/ü"));
    }
}
