use std::net::SocketAddr;
use std::sync::Arc;

use outbound::{Outbound, OutboundError, OutboundOptions};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::get;

/// A server with a certificate for this name; where it is, and whom to trust.
async fn server(name: &str) -> (SocketAddr, CertificateDer<'static>) {
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
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us says so and goes.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, cert.der().clone())
}

fn trusting(roots: Vec<CertificateDer<'static>>) -> Outbound {
    Outbound::new(OutboundOptions {
        allow_private: true,
        roots,
    })
    .unwrap()
}

#[tokio::test]
async fn a_server_proves_that_it_is_the_one_that_was_set() {
    let (address, root) = server("localhost").await;
    let url = format!("https://localhost:{}/", address.port());
    let answer = get(&trusting(vec![root.clone()]), &url).await.unwrap();
    assert_eq!(answer.status(), 204);

    let stranger = get(&trusting(Vec::new()), &url).await.unwrap_err();
    assert!(
        matches!(&stranger, OutboundError::Unreachable { reason, .. } if reason.contains("certificate")),
        "{stranger:?}"
    );
    let other_name = format!("https://127.0.0.1:{}/", address.port());
    let other_name = get(&trusting(vec![root]), &other_name).await.unwrap_err();
    assert!(
        matches!(other_name, OutboundError::Unreachable { .. }),
        "{other_name:?}"
    );
}
