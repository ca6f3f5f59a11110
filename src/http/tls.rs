//! TLS: the certificate that the server shows, read from files, and read again while it runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use openssl::asn1::Asn1Time;
use openssl::x509::X509;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

/// How many days before a certificate ends the log warns of it.
const WARNED: i32 = 30;

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate in PEM, and after it those that signed it, up to one that clients know.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("TLS: cannot read {0}: {1} / 无法读取TLS文件 {0}：{1}。")]
    File(PathBuf, std::io::Error),
    /// A file is not what it should be.
    #[error("TLS: there is no {2} in PEM in {0} / {0} 中没有PEM格式的{1}。")]
    Content(PathBuf, &'static str, &'static str),
    /// The key is that of another certificate.
    #[error(
        "TLS: the key in {key} is not that of the certificate in {certificate}. / {key} 中的私钥与 {certificate} 中的证书不匹配。"
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate is no more valid.
    #[error("TLS: the certificate in {0} ended on {1}; renew it. / {0} 中的证书已于 {1} 到期，请更换。")]
    Expired(PathBuf, String),
    /// The key or the certificate is of a kind that is not known here.
    #[error("TLS: {0} cannot be used: {1} / 无法使用TLS文件 {0}：{1}。")]
    Unusable(PathBuf, String),
}

/// The certificate that is shown to whoever connects.
pub struct Certificate(ArcSwap<CertifiedKey>);

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificate {
    /// The one in these files.
    ///
    /// # Errors
    /// Why it cannot be shown.
    pub fn new(files: &Files) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self(ArcSwap::from_pointee(load(files)?))))
    }

    /// Shows another one from now on; connections that there are go on.
    pub fn replace(&self, other: CertifiedKey) {
        self.0.store(Arc::new(other));
    }

    /// How the server speaks TLS, 1.2 and 1.3, showing this certificate.
    ///
    /// # Errors
    /// None with the versions that this program is built for.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, Error> {
        let versions = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        Ok(versions
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Reads a certificate and its key, and warns when it is about to end.
///
/// # Errors
/// Why it cannot be shown.
pub fn load(files: &Files) -> Result<CertifiedKey, TlsError> {
    let Files { certificate, key } = files;
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<Vec<_>, _>>();
    let no_certificate = || TlsError::Content(certificate.clone(), "证书", "certificate");
    let chain = chain.map_err(|_| no_certificate())?;
    let first = chain.first().ok_or_else(no_certificate)?;
    let days = days_left(certificate, first)?;
    let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|_| TlsError::Content(key.clone(), "私钥", "private key"))?;
    let certified = CertifiedKey::from_der(chain, secret, &provider()).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
            certificate: certificate.clone(),
            key: key.clone(),
        },
        error => TlsError::Unusable(key.clone(), error.to_string()),
    })?;
    if days < WARNED {
        tracing::warn!(certificate = %certificate.display(), days, "the certificate is about to end; renew it and send SIGHUP");
    }
    Ok(certified)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::File(path.to_owned(), error))
}

/// For how many days more a certificate is valid.
fn days_left(path: &Path, certificate: &CertificateDer<'_>) -> Result<i32, TlsError> {
    let unusable = |error: openssl::error::ErrorStack| TlsError::Unusable(path.to_owned(), error.to_string());
    let certificate = X509::from_der(certificate).map_err(unusable)?;
    let now = Asn1Time::days_from_now(0).map_err(unusable)?;
    let left = now.diff(certificate.not_after()).map_err(unusable)?;
    match left.days < 0 || left.secs < 0 {
        true => Err(TlsError::Expired(path.to_owned(), certificate.not_after().to_string())),
        false => Ok(left.days),
    }
}
