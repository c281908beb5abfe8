//! Sending, and nothing else: over SMTP where a server is set up, else into files. What a server answers becomes a
//! [`Failure`] that says whether another attempt makes sense; none repeats a secret.

use std::sync::Arc;

use outbound::Refused;
use plugin_api::Failure;
use secrecy::ExposeSecret;

use crate::mime::Mail;
use crate::outbox::Outbox;
use crate::settings::{Account, Sender};
use crate::smtp::{Cause, Smtp, SmtpError, Step};

/// The most of a server's words that a reason repeats, in characters.
const WORDS_MAX: usize = 300;

/// Where mail goes, and who it is from.
#[derive(Debug, Clone)]
pub enum Client {
    /// To a server.
    Smtp(Arc<Smtp>),
    /// To files.
    Files(Outbox, Sender),
}

impl Client {
    /// Who the mail is from.
    pub fn sender(&self) -> &Sender {
        match self {
            Self::Smtp(smtp) => &smtp.account().sender,
            Self::Files(_, sender) => sender,
        }
    }

    /// Sends a mail. The attempt only names the temporary file.
    pub async fn send(&self, mail: &Mail, attempt: u32) -> Result<(), Failure> {
        let message = mail
            .to_message()
            .map_err(|error| Failure::give_up(format!("the mail cannot be written: {error}")))?;
        match self {
            Self::Smtp(smtp) => smtp
                .send(&message)
                .await
                .map_err(|error| classify(smtp.account(), error)),
            Self::Files(outbox, _) => outbox
                .put(&mail.file_name, attempt, &message.formatted())
                .await
                .map_err(|error| {
                    Failure::retry(format!("{}: {error}", outbox.directory().display()))
                }),
        }
    }

    /// Asks the server whether it takes mail from the sender, and sends none.
    pub async fn check(&self) -> Result<String, Failure> {
        let Self::Smtp(smtp) = self else {
            return Ok("no mail server is set: mails go to files on the server".to_owned());
        };
        let account = smtp.account();
        let taken = smtp.check().await;
        taken.map_err(|error| classify(account, error))?;
        let sender = &account.sender.from.email;
        Ok(format!("{} takes mail from {sender}", account.host))
    }
}

fn classify(account: &Account, error: SmtpError) -> Failure {
    let SmtpError { step, cause } = error;
    let server = format!("{}:{}", account.host, account.port);
    match cause {
        Cause::NoAddress(refused @ (Refused::Private { .. } | Refused::Scheme)) => {
            Failure::misconfigured(format!("host: {refused}"))
        }
        // It may be a slip, and just as well a resolver that is away for a moment.
        Cause::NoAddress(refused) => Failure::retry(format!("host: {refused}")),
        Cause::Silent => {
            Failure::retry(format!("{server} did not answer in time ({})", doing(step)))
        }
        Cause::Broken(words) => Failure::retry(format!(
            "{server}: {} failed: {}",
            doing(step),
            presentable(account, &words)
        )),
        Cause::Lacks("STARTTLS") => {
            Failure::misconfigured(format!("security: {server} does not offer STARTTLS"))
        }
        Cause::Lacks("SMTPUTF8") => Failure::give_up(format!(
            "{server} takes no addresses outside ASCII (it lacks SMTPUTF8)"
        )),
        Cause::Lacks(what) => {
            Failure::misconfigured(format!("username: {server} does not offer {what}"))
        }
        Cause::Refused(code, words) => {
            let said = format!("{server} answered {code} {}", presentable(account, &words));
            refused(step, code, &said)
        }
    }
}

fn refused(step: Step, code: u16, said: &str) -> Failure {
    match (step, code) {
        (_, ..500) | (Step::Connect, _) => {
            Failure::retry(format!("{} failed: {said}", doing(step)))
        }
        // Authentication required, too weak, failed, or only over TLS (RFC 4954).
        (Step::SignIn, _) | (_, 530 | 534 | 535 | 538) => {
            Failure::misconfigured(format!("username or password: {said}"))
        }
        (Step::Sender, _) => {
            Failure::misconfigured(format!("from: the sender was refused: {said}"))
        }
        (Step::Recipient, _) => Failure::give_up(format!("the recipient was refused: {said}")),
        (Step::Content, _) => Failure::give_up(format!("the mail was refused: {said}")),
    }
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Connect => "connecting",
        Step::SignIn => "signing in",
        Step::Sender => "naming the sender",
        Step::Recipient => "naming the recipient",
        Step::Content => "handing the mail over",
    }
}

/// A server's words, as far as staff may read them: one line of bounded length, without the password that some servers
/// repeat.
fn presentable(account: &Account, words: &str) -> String {
    let mut words = plugin_api::clean::line(words);
    if let Some(login) = &account.login {
        words = words.replace(login.password.expose_secret(), "***");
    }
    words.chars().take(WORDS_MAX).collect()
}
