//! TLS to PostgreSQL by rustls.
//!
//! Guaranteed: a server that does not prove itself as far as `sslmode` asks gets no byte of ours but the handshake. Channel binding
//! is not offered; `verify-full` says more.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;

use crate::address::{Proof, Roots, TlsOptions};
use crate::{Result, StoreError};

/// Makes connections that ask of the server what the address asks.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the roots, where they matter.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new(options, provider.clone())?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Fault(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Looks at the server's certificate as far as asked.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// None: nothing is asked.
    chain: Option<Chain>,
}

#[derive(Debug)]
struct Chain {
    verifier: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
    with_host: bool,
}

impl Verifier {
    fn new(options: &TlsOptions, provider: Arc<CryptoProvider>) -> Result<Self> {
        let chain = match options.proof {
            Proof::None => None,
            Proof::Chain => Some(Chain::new(&options.roots, &provider, false)?),
            Proof::ChainAndHost => Some(Chain::new(&options.roots, &provider, true)?),
        };
        Ok(Self { provider, chain })
    }
}

impl Chain {
    fn new(roots: &Roots, provider: &Arc<CryptoProvider>, with_host: bool) -> Result<Self> {
        let roots = match roots {
            Roots::System => system_roots(),
            Roots::File(file) => roots_of(file)?,
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().cloned());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone());
        let verifier = verifier.build().map_err(|_| {
            StoreError::Address(
                "no root certificate was found to hold the server's against: name a file of them with sslrootcert"
                    .to_owned(),
            )
        })?;
        Ok(Self {
            verifier,
            roots,
            with_host,
        })
    }

    /// What rustls says, but for a host that does not matter, and for a certificate that is itself trusted: the usual self-signed one
    /// says that it is an authority, and an authority is no server to rustls.
    fn judge(
        &self,
        answer: std::result::Result<ServerCertVerified, TlsError>,
        certificate: &CertificateDer<'_>,
        host: &ServerName<'_>,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        match answer {
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.with_host => Ok(ServerCertVerified::assertion()),
            Err(TlsError::InvalidCertificate(CertificateError::Other(other)))
                if is_authority_as_server(&other) && self.roots.contains(certificate) =>
            {
                if self.with_host {
                    verify_server_name(&ParsedCertificate::try_from(certificate)?, host)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            answer => answer,
        }
    }
}

/// rustls has no name of its own for webpki's `CaUsedAsEndEntity`, which comes after the dates were looked at.
fn is_authority_as_server(error: &rustls::OtherError) -> bool {
    error.to_string().contains("CaUsedAsEndEntity")
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        let answer = chain.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        chain.judge(answer, end_entity, server_name)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What cannot be read among the system's roots is left out: one of hundreds.
fn system_roots() -> Vec<CertificateDer<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of the system could not be read");
    }
    found.certs
}

fn roots_of(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |why: String| {
        StoreError::Address(format!(
            "sslrootcert {}: {why}: expected a file of certificates in PEM",
            file.display()
        ))
    };
    let roots: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(error.to_string()))?;
    if roots.is_empty() {
        return Err(unreadable("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

/// One handshake to come.
pub(crate) struct Handshake {
    config: Arc<ClientConfig>,
    /// None for a Unix socket, where none comes.
    host: Option<ServerName<'static>>,
}

impl<Socket> MakeTlsConnect<Socket> for Tls
where
    Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<Socket>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake {
            config: self.0.clone(),
            host: ServerName::try_from(host.to_owned()).ok(),
        })
    }
}

impl<Socket> TlsConnect<Socket> for Handshake
where
    Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<Socket>>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let host = self.host.ok_or_else(|| {
                io::Error::other("the host is neither a name nor an address that TLS knows")
            })?;
            let stream = TlsConnector::from(self.config).connect(host, socket).await;
            stream.map(Encrypted).map_err(explained)
        })
    }
}

/// The reasons that an operator meets, in words about what they set.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let text = match cause {
        Some(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "the server's certificate comes from none of the roots of sslrootcert (UnknownIssuer)"
        }
        Some(TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "the server's certificate is for another host than the one asked for",
        Some(TlsError::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "the server's certificate has expired",
        Some(TlsError::InvalidCertificate(CertificateError::Other(other)))
            if is_authority_as_server(other) =>
        {
            "the server's certificate is that of an authority, and so would have to stand in sslrootcert itself"
        }
        _ => return error,
    };
    io::Error::other(text)
}

/// A connection under TLS.
pub(crate) struct Encrypted<Socket>(tokio_rustls::client::TlsStream<Socket>);

impl<Socket: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<Socket> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<Socket: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<Socket> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<Socket: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<Socket> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
