//! One mail over SMTP, step by step, so that a refusal is known by the step it came at. Every step has a time limit.
//!
//! A connection is used again only after a mail that went through whole: one that failed, ran out of time or was
//! abandoned half way is closed, since the next answer on it might belong to the last mail. (This is why lettre's own
//! pool is not used: it takes such connections back, and puts no limit on the time of an answer.)

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::settings::{Account, Security};
use crate::wire::{Allowance, Wire};

/// How long a server may take to answer one command.
const LIMIT: Duration = Duration::from_secs(15);
/// How long a connection is kept for the next mail.
const KEEP: Duration = Duration::from_secs(30);
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
    /// The server said no, with this code and these words.
    Refused(u16, String),
    /// The server does not know this extension, which is needed.
    Lacks(&'static str),
    /// The connection failed or the answer made no sense.
    Broken(String),
    /// No answer within [`LIMIT`].
    Silent,
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
    tls: Option<TlsParameters>,
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
    /// The server of this account; connects when the first mail comes. TLS is done by rustls with the process's crypto
    /// provider, by *ring* where none is installed.
    pub fn new(account: Account) -> Result<Self, lettre::transport::smtp::Error> {
        let tls = match account.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(TlsParameters::new(account.host.clone())?),
        };
        Ok(Self {
            account,
            tls,
            idle: Mutex::default(),
        })
    }

    /// Whose it is.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Hands a mail over; returns once the server has taken responsibility for it.
    pub async fn send(&self, message: &Message) -> Result<(), SmtpError> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => Connection::open(&self.account, self.tls.as_ref()).await?,
        };
        connection.send(message).await?;
        self.keep(connection);
        Ok(())
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

struct Connection {
    smtp: AsyncSmtpConnection,
    allowance: Allowance,
}

impl Connection {
    async fn open(account: &Account, tls: Option<&TlsParameters>) -> Result<Self, SmtpError> {
        let hello = ClientId::default();
        let address = (account.host.as_str(), account.port);
        let allowance = Allowance::new();
        let smtp = if account.security == Security::Tls {
            within(
                Step::Connect,
                AsyncSmtpConnection::connect_tokio1(
                    address,
                    Some(LIMIT),
                    &hello,
                    tls.cloned(),
                    None,
                ),
            )
            .await?
        } else {
            let stream = within(Step::Connect, TcpStream::connect(address)).await?;
            let wire = Box::new(Wire::new(stream, allowance.clone()));
            within(
                Step::Connect,
                AsyncSmtpConnection::connect_with_transport(wire, &hello),
            )
            .await?
        };
        let mut connection = Self { smtp, allowance };
        if let (Security::StartTls, Some(tls)) = (account.security, tls) {
            if !connection.smtp.can_starttls() {
                return Err(SmtpError {
                    step: Step::Connect,
                    cause: Cause::Lacks("STARTTLS"),
                });
            }
            connection.allowance.renew();
            within(Step::Connect, connection.smtp.starttls(tls.clone(), &hello)).await?;
        }
        connection.sign_in(account).await?;
        Ok(connection)
    }

    async fn sign_in(&mut self, account: &Account) -> Result<(), SmtpError> {
        let Some(login) = &account.login else {
            return Ok(());
        };
        if self
            .smtp
            .server_info()
            .get_auth_mechanism(DEFAULT_MECHANISMS)
            .is_none()
        {
            return Err(SmtpError {
                step: Step::SignIn,
                cause: Cause::Lacks("AUTH PLAIN or LOGIN"),
            });
        }
        let credentials = Credentials::new(
            login.username.clone(),
            login.password.expose_secret().to_owned(),
        );
        self.allowance.renew();
        within(
            Step::SignIn,
            self.smtp.auth(DEFAULT_MECHANISMS, &credentials),
        )
        .await?;
        Ok(())
    }

    async fn send(&mut self, message: &Message) -> Result<(), SmtpError> {
        self.allowance.renew();
        self.address(message.envelope()).await?;
        let go_ahead = within(Step::Content, self.smtp.command(Data)).await?;
        // Any other answer is out of step: what follows would be read as commands.
        expect(354, &go_ahead)?;
        let taken = within(Step::Content, self.smtp.message(&message.formatted())).await?;
        expect(250, &taken)
    }

    /// Names the sender and the recipient.
    async fn address(&mut self, envelope: &Envelope) -> Result<(), SmtpError> {
        let beyond_ascii = |address: &Address| !AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if envelope
            .from()
            .into_iter()
            .chain(envelope.to())
            .any(beyond_ascii)
        {
            if !self
                .smtp
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                return Err(SmtpError {
                    step: Step::Recipient,
                    cause: Cause::Lacks("SMTPUTF8"),
                });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(envelope.from().cloned(), parameters);
        within(Step::Sender, self.smtp.command(sender)).await?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            within(Step::Recipient, self.smtp.command(recipient)).await?;
        }
        Ok(())
    }

    async fn is_alive(&mut self) -> bool {
        self.allowance.renew();
        matches!(timeout(LIMIT, self.smtp.test_connected()).await, Ok(true))
    }
}

/// An answer while the mail is handed over has this code and no other.
fn expect(code: u16, answer: &Response) -> Result<(), SmtpError> {
    if answer.has_code(code) {
        return Ok(());
    }
    let cause = Cause::Broken(format!("{} instead of {code}", answer.code()));
    Err(SmtpError {
        step: Step::Content,
        cause,
    })
}

/// What a step can fail with.
trait Failed {
    fn cause(self) -> Cause;
}

impl Failed for std::io::Error {
    fn cause(self) -> Cause {
        Cause::Broken(self.to_string())
    }
}

impl Failed for lettre::transport::smtp::Error {
    fn cause(self) -> Cause {
        let words =
            std::error::Error::source(&self).map_or_else(|| self.to_string(), ToString::to_string);
        match self.status() {
            Some(code) => Cause::Refused(code.into(), words),
            None => Cause::Broken(words),
        }
    }
}

async fn within<T, E: Failed>(
    step: Step,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, SmtpError> {
    match timeout(LIMIT, work).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(SmtpError {
            step,
            cause: error.cause(),
        }),
        Err(_) => Err(SmtpError {
            step,
            cause: Cause::Silent,
        }),
    }
}
