//! Whom TLS trusts: the authorities of the operating system, to which an operator adds their own; where there are none, as in a bare
//! container, Mozilla's.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::error::StartError;

/// TLS by ring, whatever the process has chosen, so that the one does not depend on the other.
pub(crate) fn client_config(
    further: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, StartError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // One of hundreds that cannot be read is left out.
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        tracing::debug!(errors = ?found.errors, "no root certificates in the system: taking Mozilla's");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for root in further {
        roots
            .add(root)
            .map_err(|error| StartError(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StartError(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
