//! A mail server that is not ours: aiosmtpd. What it takes is read by Python's own `email`, and invitations by `icalendar`.

use std::io;
use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::Server;

/// It runs at `localhost`, and takes mail from who signs in.
pub struct MailServer {
    server: Server,
    root: CertificateDer<'static>,
}

impl MailServer {
    /// With `NONE`, `STARTTLS` or `TLS`, and this username and password. What it tells of times is as the clocks in this zone show them.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        python: &Path,
        security: &str,
        (username, password): (&str, &str),
        zone: &str,
    ) -> io::Result<Self> {
        let made = generate_simple_self_signed(vec!["localhost".to_owned()]);
        let CertifiedKey { cert, signing_key } = made.map_err(io::Error::other)?;
        let setup = json!({
            "security": security, "username": username, "password": password, "zone": zone,
            "certificate": cert.pem(), "key": signing_key.serialize_pem()
        });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("mail_server.py");
        Ok(Self {
            server: Server::start(python, &script, &setup).await?,
            root: cert.der().clone(),
        })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// Whom to trust that it is `localhost`.
    pub fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }

    /// Ends it. Answers every mail that it has taken, in order.
    ///
    /// # Errors
    /// When it did not end well.
    pub async fn stop(self) -> io::Result<Vec<Value>> {
        self.server.stop().await
    }
}
