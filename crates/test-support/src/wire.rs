//! Connections below HTTP, for clients that behave as no library lets them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest that anything may take before the test fails: not a pause, a bound.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection on which a test writes and reads bytes. Dropped, it is closed at once.
pub struct Wire(TcpStream);

impl Wire {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads so many bytes.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = tokio::time::timeout(PATIENCE, self.0.read_exact(&mut bytes)).await;
        read.expect("an answer in time").unwrap();
        bytes
    }

    /// Reads until the other side closes, and sends nothing meanwhile.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        read.expect("an end in time").unwrap();
        bytes
    }

    /// Closes without a goodbye, as a machine does that goes away: what is on the way is lost.
    pub fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}

/// A POST as it goes over the wire, on a connection for it alone.
pub fn post(slug: &str, content_type: &str, body: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-business: {slug}\r\n\
         content-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
