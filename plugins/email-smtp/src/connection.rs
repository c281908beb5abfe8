//! A connection to a mail server: opened to an address that was looked at, protected as the account asks, signed in.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};
use outbound::Outbound;
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::handshake::{ask_for_tls, secured};
use crate::settings::{Account, Security};
use crate::smtp::{Cause, SmtpError, Step};
use crate::wire::{Allowance, Wire};

/// How long a server may take to answer one command.
const LIMIT: Duration = Duration::from_secs(15);
/// How long it may take over a whole mail: many look at it before they answer, and one that has taken it meanwhile would get it again. RFC 5321
/// asks for so much (4.5.3.2.6).
const MAIL_LIMIT: Duration = Duration::from_secs(10 * 60);
/// How long handing a mail over takes at most, from connecting on, also where some connections that were kept turn out to be dead.
pub const WHOLE_LIMIT: Duration = Duration::from_secs(13 * 60);
/// How long it may take over a goodbye, whose answer changes nothing.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);

/// A connection that mail can be handed over on.
pub struct Connection {
    smtp: AsyncSmtpConnection,
    allowance: Allowance,
}

impl Connection {
    /// Connects and signs in.
    pub async fn open(account: &Account, outbound: &Outbound) -> Result<Self, SmtpError> {
        let allowance = Allowance::new();
        let found = outbound.addresses(&account.host, account.port);
        let addresses = within(Step::Connect, found).await?;
        let stream = within(Step::Connect, TcpStream::connect(addresses.as_slice())).await?;
        let wire = Wire::new(stream, allowance.clone());
        let greeted = greet(account, outbound, wire);
        let mut connection = Self {
            smtp: within(Step::Connect, greeted).await?,
            allowance,
        };
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

    /// Hands a mail over.
    pub async fn send(&mut self, message: &Message) -> Result<(), SmtpError> {
        self.allowance.renew();
        self.address(message.envelope()).await?;
        let go_ahead = within(Step::Content, self.smtp.command(Data)).await?;
        // Any other answer is out of step: what follows would be read as commands.
        expect(354, &go_ahead)?;
        let content = message.formatted();
        let taken = within_limit(MAIL_LIMIT, Step::Content, self.smtp.message(&content)).await?;
        expect(250, &taken)
    }

    /// Names the sender and the recipient.
    async fn address(&mut self, envelope: &Envelope) -> Result<(), SmtpError> {
        let all = envelope.from().into_iter().chain(envelope.to());
        let parameters = self.parameters(all, Step::Recipient)?;
        let sender = Mail::new(envelope.from().cloned(), parameters);
        within(Step::Sender, self.smtp.command(sender)).await?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            within(Step::Recipient, self.smtp.command(recipient)).await?;
        }
        Ok(())
    }

    /// What a mail between these addresses asks of the server.
    fn parameters<'a>(
        &self,
        mut addresses: impl Iterator<Item = &'a Address>,
        step: Step,
    ) -> Result<Vec<MailParameter>, SmtpError> {
        let info = self.smtp.server_info();
        if addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            Ok(Vec::new())
        } else if info.supports_feature(Extension::SmtpUtfEight) {
            Ok(vec![MailParameter::SmtpUtfEight])
        } else {
            let cause = Cause::Lacks("SMTPUTF8");
            Err(SmtpError { step, cause })
        }
    }

    /// Asks whether mail from this sender is taken, sends none and hangs up.
    pub async fn ask_for(mut self, sender: &Address) -> Result<(), SmtpError> {
        self.allowance.renew();
        let parameters = self.parameters(std::iter::once(sender), Step::Sender)?;
        let mail = Mail::new(Some(sender.clone()), parameters);
        let said = within(Step::Sender, self.smtp.command(mail)).await;
        // The answer is known; how the goodbye is taken changes nothing about it.
        let goodbye = async {
            let _ = self.smtp.command(Rset).await;
            let _ = self.smtp.command(Quit).await;
        };
        let _ = timeout(GOODBYE_LIMIT, goodbye).await;
        said.map(drop)
    }

    /// Whether the server still answers.
    pub async fn is_alive(&mut self) -> bool {
        self.allowance.renew();
        matches!(timeout(LIMIT, self.smtp.test_connected()).await, Ok(true))
    }
}

/// Protects the connection as the account asks, and says hello.
async fn greet(
    account: &Account,
    outbound: &Outbound,
    mut wire: Wire,
) -> Result<AsyncSmtpConnection, Cause> {
    let hello = ClientId::default();
    let connected = match account.security {
        Security::None => AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello).await,
        Security::Tls => {
            let stream = secured(&account.host, outbound, wire, b"").await?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await
        }
        Security::StartTls => {
            let greeting = ask_for_tls(&mut wire, &hello).await?;
            let stream = secured(&account.host, outbound, wire, greeting).await?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await
        }
    };
    connected.map_err(Failed::cause)
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

impl Failed for Cause {
    fn cause(self) -> Cause {
        self
    }
}

impl Failed for outbound::Refused {
    fn cause(self) -> Cause {
        Cause::NoAddress(self)
    }
}

impl Failed for std::io::Error {
    fn cause(self) -> Cause {
        self.into()
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
    within_limit(LIMIT, step, work).await
}

async fn within_limit<T, E: Failed>(
    limit: Duration,
    step: Step,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, SmtpError> {
    let cause = match timeout(limit, work).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error.cause(),
        Err(_) => Cause::Silent,
    };
    Err(SmtpError { step, cause })
}
