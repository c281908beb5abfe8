//! TLS to a mail server, from the first byte or after STARTTLS (RFC 3207). The certificate is for the host that was set, whatever address
//! that has.
//!
//! The words before TLS are ours and not lettre's, because it would read on with what came in the clear behind the server's go-ahead, as
//! if the server had said it that then proves itself (CVE-2011-0411 and its kin).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use lettre::transport::smtp::extension::ClientId;
use outbound::Outbound;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::smtp::Cause;
use crate::wire::Wire;

/// The greeting of a server that has given one before TLS: the conversation begins anew (RFC 3207, 4.2), but for this.
const GREETED: &[u8] = b"220 greeted\r\n";
/// The most lines of a reply.
const LINES_MAX: usize = 200;

/// A connection under TLS. It begins with a greeting that was already given.
#[derive(Debug)]
pub struct Secured {
    greeting: &'static [u8],
    stream: TlsStream<Wire>,
}

/// TLS with whoever proves to be the host.
pub async fn secured(
    host: &str,
    outbound: &Outbound,
    wire: Wire,
    greeting: &'static [u8],
) -> Result<Secured, Cause> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Cause::Broken("no certificate can be for what the host is called".to_owned())
    })?;
    let connecting = TlsConnector::from(outbound.tls()).connect(name, wire);
    let stream = connecting.await?;
    Ok(Secured { greeting, stream })
}

/// Greeting, EHLO and STARTTLS, in the clear. Answers the greeting with which to go on under TLS.
pub async fn ask_for_tls(wire: &mut Wire, hello: &ClientId) -> Result<&'static [u8], Cause> {
    reply(wire).await?;
    let extensions = asked(wire, &format!("EHLO {hello}\r\n")).await?;
    let offers = extensions
        .iter()
        .any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offers {
        return Err(Cause::Lacks("STARTTLS"));
    }
    asked(wire, "STARTTLS\r\n").await?;
    Ok(GREETED)
}

async fn asked(wire: &mut Wire, command: &str) -> Result<Vec<String>, Cause> {
    wire.write_all(command.as_bytes()).await?;
    reply(wire).await
}

/// The lines of a reply that says yes, without its code. Nothing may come behind it: the server was asked nothing more. How much is read is
/// bounded by the wire's allowance.
async fn reply(wire: &mut Wire) -> Result<Vec<String>, Cause> {
    let mut said = Vec::new();
    let mut lines = Vec::new();
    loop {
        while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = said.drain(..=end).collect();
            let line = Line::of(&line)?;
            lines.push(line.text);
            if line.is_last && said.is_empty() {
                return judged(line.code, lines);
            }
            if line.is_last || lines.len() >= LINES_MAX {
                let words = "the server says more than it was asked";
                return Err(Cause::Broken(words.to_owned()));
            }
        }
        if wire.read_buf(&mut said).await? == 0 {
            return Err(Cause::Broken("the server hung up".to_owned()));
        }
    }
}

fn judged(code: u16, lines: Vec<String>) -> Result<Vec<String>, Cause> {
    match code {
        200..400 => Ok(lines),
        400..600 => Err(Cause::Refused(code, lines.join(" "))),
        _ => Err(not_smtp()),
    }
}

/// A line of a reply: `250-SIZE`, or `250 HELP` for the last.
struct Line {
    code: u16,
    is_last: bool,
    text: String,
}

impl Line {
    fn of(bytes: &[u8]) -> Result<Self, Cause> {
        let line = String::from_utf8_lossy(bytes);
        let line = line.trim_end_matches(['\r', '\n']);
        let (code, rest) = line.split_at_checked(3).ok_or_else(not_smtp)?;
        let is_last = match rest.bytes().next() {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(not_smtp()),
        };
        Ok(Self {
            code: code.parse().map_err(|_| not_smtp())?,
            is_last,
            text: rest.get(1..).unwrap_or_default().to_owned(),
        })
    }
}

fn not_smtp() -> Cause {
    Cause::Broken("that is no answer of a mail server".to_owned())
}

impl AsyncTokioStream for Secured {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let length = self.greeting.len().min(buffer.remaining());
        let (now, later) = self.greeting.split_at(length);
        buffer.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
