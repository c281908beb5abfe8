//! A small SMTP server (RFC 5321, RFC 4954) that keeps what it gets and misbehaves as told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What it does instead of what it should. The steps are `CONNECT`, the verbs, and `.` for the end of a mail.
#[derive(Debug, Clone)]
pub enum Trouble {
    Say(&'static str),
    HangUp,
    Silence,
    Flood,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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
    extensions: Vec<&'static str>,
}

#[derive(Clone)]
pub struct FakeSmtp {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl FakeSmtp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            extensions: vec!["AUTH PLAIN LOGIN", "8BITMIME"],
            ..State::default()
        };
        let fake = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::new(Mutex::new(state)),
        };
        let accepting = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.state.lock().unwrap().connections += 1;
                let fake = accepting.clone();
                tokio::spawn(async move { fake.converse(stream).await });
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

    async fn converse(&self, stream: TcpStream) {
        let mut talk = Talk {
            stream: BufReader::new(stream),
            fake: self.clone(),
        };
        let mut mail = Received {
            from: String::new(),
            to: String::new(),
            data: String::new(),
        };
        let mut open = talk.answer("CONNECT", "220 fake ESMTP\r\n").await;
        while open {
            let Some(line) = talk.line().await else {
                return;
            };
            let verb = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            open = match verb.as_str() {
                "EHLO" => {
                    let extensions = self.state.lock().unwrap().extensions.clone();
                    let lines = [&["fake"], extensions.as_slice()].concat().join("\r\n250-");
                    talk.answer("EHLO", &format!("250-{lines}\r\n250 HELP\r\n"))
                        .await
                }
                "AUTH" => {
                    self.state.lock().unwrap().logins.push(line.clone());
                    talk.answer("AUTH", "235 welcome\r\n").await
                }
                "MAIL" => {
                    mail.from.clone_from(&line);
                    talk.answer("MAIL", "250 ok\r\n").await
                }
                "RCPT" => {
                    mail.to.clone_from(&line);
                    talk.answer("RCPT", "250 ok\r\n").await
                }
                "DATA" => {
                    talk.answer("DATA", "354 go ahead\r\n").await && talk.take(&mut mail).await
                }
                "NOOP" => talk.answer("NOOP", "250 ok\r\n").await,
                "STARTTLS" => talk.answer("STARTTLS", "220 go ahead\r\n").await,
                _ => {
                    talk.answer("QUIT", "221 bye\r\n").await;
                    false
                }
            };
        }
    }
}

struct Talk {
    stream: BufReader<TcpStream>,
    fake: FakeSmtp,
}

impl Talk {
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
        self.stream.get_mut().write_all(bytes).await.is_ok()
    }
}
