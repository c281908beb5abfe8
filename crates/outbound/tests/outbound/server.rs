//! A server that says what it is told, on a socket of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Says this and hangs up.
    Say(String),
    /// Says this, and then a byte that never ends.
    Endless(String),
    /// Says this, and then nothing, without hanging up.
    Stall(String),
}

pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Server {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (told, requests) = mpsc::unbounded_channel();
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(stream, answer.clone(), told.clone()));
            }
        });
        Self {
            address,
            connections,
            requests,
        }
    }

    /// A status with headers, and this body.
    pub async fn answering(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        Self::start(Answer::Say(text)).await
    }

    pub fn url(&self) -> String {
        format!("http://{}/path?token=hunter2", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: Answer,
    told: mpsc::UnboundedSender<String>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    // Nobody may want to know.
    let _ = told.send(String::from_utf8_lossy(&request).into_owned());
    match answer {
        Answer::Say(text) => stream.write_all(text.as_bytes()).await,
        Answer::Stall(text) => {
            stream.write_all(text.as_bytes()).await?;
            std::future::pending().await
        }
        Answer::Endless(text) => {
            stream.write_all(text.as_bytes()).await?;
            let noise = vec![b'x'; 64 * 1024];
            loop {
                stream.write_all(&noise).await?;
            }
        }
    }
}
