//! A small SMTP server (RFC 5321, RFC 4954, RFC 3207) that keeps what it gets and misbehaves as told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it does instead of what it should. The steps are `CONNECT`, the verbs, and `.` for the end of a mail.
#[derive(Debug, Clone)]
pub enum Trouble {
    Say(&'static str),
    HangUp,
    Silence,
    /// It does what it should, after so many seconds.
    Think(u64),
    Flood,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub data: String,
}

#[derive(Default)]
struct State {
    troubles: HashMap<&'static str, Vec<Trouble>>,
    mails: Vec<Received>,
    connections: usize,
    logins: Vec<String>,
    /// What it was told of each connection, in order, logins and mails apart.
    verbs: Vec<String>,
    extensions: Vec<&'static str>,
    /// The one `AUTH` that it takes; none: any.
    accepts: Option<&'static str>,
}

#[derive(Clone)]
pub struct FakeSmtp {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    tls: Option<Tls>,
}

/// How it protects connections.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    from_the_start: bool,
}

impl Tls {
    /// With a certificate for this name; the certificate is the authority to trust.
    pub fn of(name: &str, from_the_start: bool) -> (Self, CertificateDer<'static>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let tls = Self {
            acceptor,
            from_the_start,
        };
        (tls, cert.der().clone())
    }
}

/// What it talks over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl FakeSmtp {
    pub async fn start() -> Self {
        Self::protected(None).await
    }

    pub async fn protected(tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            extensions: vec!["AUTH PLAIN LOGIN", "8BITMIME"],
            ..State::default()
        };
        let fake = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(state)),
            tls,
        };
        let accepting = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.state.lock().unwrap().connections += 1;
                let fake = accepting.clone();
                tokio::spawn(async move { fake.receive(Box::new(stream)).await });
            }
        });
        fake
    }

    /// The next time it comes to this step.
    pub fn trouble(&self, step: &'static str, trouble: Trouble) -> &Self {
        self.state
            .lock()
            .unwrap()
            .troubles
            .entry(step)
            .or_default()
            .push(trouble);
        self
    }

    pub fn offer(&self, extensions: &[&'static str]) {
        self.state.lock().unwrap().extensions = extensions.to_vec();
    }

    /// Takes this `AUTH` from now on and no other.
    pub fn accept(&self, login: &'static str) {
        self.state.lock().unwrap().accepts = Some(login);
    }

    /// The verbs that it heard.
    pub fn verbs(&self) -> Vec<String> {
        self.state.lock().unwrap().verbs.clone()
    }

    /// What it got since it was last asked.
    pub fn take_mails(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().unwrap().mails)
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub fn logins(&self) -> Vec<String> {
        self.state.lock().unwrap().logins.clone()
    }

    async fn receive(&self, stream: Box<dyn Stream>) {
        let stream = match &self.tls {
            Some(tls) if tls.from_the_start => match tls.acceptor.accept(stream).await {
                Ok(stream) => Box::new(stream),
                Err(_) => return,
            },
            _ => stream,
        };
        let mut talk = Talk {
            stream: BufReader::new(stream),
            fake: self.clone(),
        };
        let mut open = talk.answer("CONNECT", "220 fake ESMTP\r\n").await;
        let mut mail = Received::default();
        while open {
            let Some(line) = talk.line().await else {
                return;
            };
            let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            self.state.lock().unwrap().verbs.push(verb.clone());
            open = talk.obey(&verb, line, &mut mail).await;
            if open && verb == "STARTTLS" {
                let Some(tls) = &self.tls else { continue };
                let Ok(stream) = tls.acceptor.accept(talk.stream.into_inner()).await else {
                    return;
                };
                talk.stream = BufReader::new(Box::new(stream));
            }
        }
    }

    fn takes(&self, login: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        state.logins.push(login.to_owned());
        state.accepts.is_none_or(|accepted| accepted == login)
    }
}

struct Talk {
    stream: BufReader<Box<dyn Stream>>,
    fake: FakeSmtp,
}

impl Talk {
    /// Does as it is told; whether the conversation goes on.
    async fn obey(&mut self, verb: &str, line: String, mail: &mut Received) -> bool {
        match verb {
            "EHLO" => {
                let extensions = self.fake.state.lock().unwrap().extensions.clone();
                let lines = [&["fake"], extensions.as_slice()].concat().join("\r\n250-");
                self.answer("EHLO", &format!("250-{lines}\r\n250 HELP\r\n"))
                    .await
            }
            "AUTH" if self.fake.takes(&line) => self.answer("AUTH", "235 welcome\r\n").await,
            "AUTH" => self.answer("AUTH", "535 5.7.8 no\r\n").await,
            "MAIL" => {
                mail.from = line;
                self.answer("MAIL", "250 ok\r\n").await
            }
            "RCPT" => {
                mail.to = line;
                self.answer("RCPT", "250 ok\r\n").await
            }
            "DATA" => self.answer("DATA", "354 go ahead\r\n").await && self.take(mail).await,
            "NOOP" => self.answer("NOOP", "250 ok\r\n").await,
            "RSET" => self.answer("RSET", "250 ok\r\n").await,
            "STARTTLS" => self.answer("STARTTLS", "220 go ahead\r\n").await,
            _ => {
                self.answer("QUIT", "221 bye\r\n").await;
                false
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).await.ok()?;
        (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Reads a mail to its end. It is kept when all is well, and when only the answer is lost.
    async fn take(&mut self, mail: &mut Received) -> bool {
        mail.data.clear();
        loop {
            let Some(line) = self.line().await else {
                return false;
            };
            if line == "." {
                break;
            }
            mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
            mail.data.push_str("\r\n");
        }
        {
            let mut state = self.fake.state.lock().unwrap();
            if !matches!(
                state
                    .troubles
                    .get(".")
                    .and_then(|troubles| troubles.first()),
                Some(Trouble::Say(_))
            ) {
                state.mails.push(mail.clone());
            }
        }
        self.answer(".", "250 queued\r\n").await
    }

    /// Answers, as it should or as told; whether the conversation goes on.
    async fn answer(&mut self, step: &'static str, proper: &str) -> bool {
        let trouble = {
            let mut state = self.fake.state.lock().unwrap();
            let troubles = state
                .troubles
                .get_mut(step)
                .filter(|troubles| !troubles.is_empty());
            troubles.map(|troubles| troubles.remove(0))
        };
        match trouble {
            None => self.say(proper.as_bytes()).await,
            Some(Trouble::Say(words)) => self.say(format!("{words}\r\n").as_bytes()).await,
            Some(Trouble::HangUp) => false,
            Some(Trouble::Think(seconds)) => {
                // The time passes at once, and for everybody.
                tokio::time::pause();
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                tokio::time::resume();
                self.say(proper.as_bytes()).await
            }
            Some(Trouble::Silence) => std::future::pending().await,
            Some(Trouble::Flood) => {
                let noise = [b'x'; 4096];
                for _ in 0..20_000 {
                    if !self.say(&noise).await {
                        return false;
                    }
                }
                true
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> bool {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok()
    }
}
