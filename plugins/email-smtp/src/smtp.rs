//! One mail over SMTP, step by step, so that a refusal is known by the step it came at. Every step has a time limit.
//!
//! A connection is used again only after a mail that went through whole: one that failed, ran out of time or was
//! abandoned half way is closed, since the next answer on it might belong to the last mail. (This is why lettre's own
//! pool is not used: it takes such connections back, and puts no limit on the time of an answer.)

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use outbound::{Outbound, Refused};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::settings::Account;

/// How long a connection is kept for the next mail.
pub const KEEP: Duration = Duration::from_secs(30);
/// How many are kept.
const KEPT: usize = 4;

/// Where in the conversation something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Connecting, TLS, greeting.
    Connect,
    /// Signing in.
    SignIn,
    /// Naming the sender.
    Sender,
    /// Naming the recipient.
    Recipient,
    /// Handing over the mail.
    Content,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The host has no address, or none that may be talked to.
    NoAddress(Refused),
    /// The server said no, with this code and these words.
    Refused(u16, String),
    /// The server does not know this extension, which is needed.
    Lacks(&'static str),
    /// The connection failed or the answer made no sense.
    Broken(String),
    /// No answer within the time limit of a step.
    Silent,
}

impl From<std::io::Error> for Cause {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// A mail that did not go through, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpError {
    /// Where.
    pub step: Step,
    /// What.
    pub cause: Cause,
}

/// A server that takes mail, and connections to it.
pub struct Smtp {
    account: Account,
    outbound: Outbound,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// The server of this account; connects when the first mail comes.
    pub fn new(account: Account, outbound: Outbound) -> Self {
        Self {
            account,
            outbound,
            idle: Mutex::default(),
        }
    }

    /// Whose it is.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Hands a mail over; returns once the server has taken responsibility for it.
    pub async fn send(&self, message: &Message) -> Result<(), SmtpError> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => Connection::open(&self.account, &self.outbound).await?,
        };
        connection.send(message).await?;
        self.keep(connection);
        Ok(())
    }

    /// Goes as far as the server's word that it takes mail from the sender, over a connection of its own.
    pub async fn check(&self) -> Result<(), SmtpError> {
        let connection = Connection::open(&self.account, &self.outbound).await?;
        connection.ask_for(&self.account.sender.from.email).await
    }

    /// A connection that is still alive.
    async fn kept(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()?;
            if since.elapsed() < KEEP && connection.is_alive().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < KEEP);
        if idle.len() < KEPT {
            idle.push((connection, Instant::now()));
        }
    }
}
