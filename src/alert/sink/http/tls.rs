//! Who is trusted.

use std::fmt;
use std::io;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::super::error::SinkError;
use super::connect::{Wire, failed};
use crate::alert::sink::error::Step;

/// What is said of a certificate authority that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityFault {
    /// It cannot be read.
    #[error("a certificate authority is not PEM with certificates in it")]
    NotPem,
    /// It has no use as one.
    #[error("a certificate authority's certificate cannot be used as one")]
    NotUsable,
    /// The cryptography refuses its own defaults.
    #[error("TLS 1.2 and 1.3 cannot be set up")]
    Setup,
}

/// TLS with the system's certificate authorities and some more.
pub(super) struct Tls {
    connector: TlsConnector,
    /// How many certificate authorities are trusted.
    authorities: usize,
}

impl Tls {
    pub(super) fn new(more: &[u8]) -> Result<Self, AuthorityFault> {
        let mut roots = RootCertStore::empty();
        // What a system keeps and cannot be used is the system's business.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(more) {
            roots
                .add(certificate.map_err(|_| AuthorityFault::NotPem)?)
                .map_err(|_| AuthorityFault::NotUsable)?;
            count += 1;
        }
        if count == 0 && !more.is_empty() {
            return Err(AuthorityFault::NotPem);
        }
        let authorities = roots.len();
        // Named, since with two in a program the default would be neither.
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| AuthorityFault::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(std::sync::Arc::new(config)), authorities })
    }

    /// A connection over which only this host can listen.
    pub(super) async fn over(&self, wire: Box<dyn Wire>, host: &str) -> Result<Box<dyn Wire>, SinkError> {
        if self.authorities == 0 {
            let why = "this machine knows no certificate authorities; install ca-certificates";
            return Err(SinkError::Untrusted { why });
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| SinkError::Untrusted { why: "no certificate can be for a host of this name" })?;
        match self.connector.connect(name, wire).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(distrusted(&error)),
        }
    }
}

fn distrusted(error: &io::Error) -> SinkError {
    let Some(error) = error.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>()) else {
        return failed(Step::Handshake, error);
    };
    let why = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; see whether this machine's clock is right"
            }
            CertificateError::UnknownIssuer => {
                "its certificate is of an authority that is not known here; add it to the system's, or name it in SSL_CERT_FILE"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another host"
            }
            CertificateError::Revoked => "its certificate was revoked",
            _ => "its certificate is not valid",
        },
        rustls::Error::AlertReceived(_) => "it refused the TLS handshake",
        rustls::Error::InvalidMessage(_) => "it does not speak TLS",
        _ => "the TLS handshake failed",
    };
    SinkError::Untrusted { why }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("authorities", &self.authorities).finish_non_exhaustive()
    }
}
