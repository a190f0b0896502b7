//! TLS to an engine's port: the files it takes, and the handshake.

mod refusal;
mod unchecked;

use super::transport::Refusal;
use crate::engine::endpoint::Tls;
use crate::file;
pub use refusal::{refused, refused_later};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client};

/// What TLS is spoken with. It is made once, so that further connections go on with what the first
/// one has agreed on.
#[derive(Default)]
pub struct Settings(OnceLock<Arc<ClientConfig>>);

impl Settings {
    /// # Errors
    /// Where a file cannot be read, or holds no certificate or key.
    pub fn get(&self, how: &Tls) -> io::Result<Arc<ClientConfig>> {
        if let Some(made) = self.0.get() {
            return Ok(made.clone());
        }
        let made = Arc::new(configure(how)?);
        Ok(self.0.get_or_init(|| made).clone())
    }
}

/// Shakes hands. `host` is what the engine's certificate has to be for.
///
/// # Errors
/// Whatever the engine or its certificate is refused for, as a [`Refusal`].
pub async fn secure(
    config: Arc<ClientConfig>,
    how: &Tls,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connecting = TlsConnector::from(config).connect(name, stream).await;
    connecting.map_err(|error| refused(&error, how, host).unwrap_or(error))
}

fn configure(how: &Tls) -> io::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = verified(builder, how)?;
    let (Some(certificate), Some(key)) = (&how.certificate, &how.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let (chain, secret) = (certificates(certificate)?, private_key(key)?);
    builder
        .with_client_auth_cert(chain, secret)
        .map_err(|error| {
            Refusal::error(
                format!(
                    "the certificate {} and the key {} are of no use: {error}",
                    certificate.display(),
                    key.display()
                ),
                "give a certificate with its own key (--tlscert, --tlskey, DOCKER_CERT_PATH)",
            )
        })
}

fn verified(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    how: &Tls,
) -> io::Result<ConfigBuilder<ClientConfig, client::WantsClientCert>> {
    if !how.is_verified {
        let anyone = Arc::new(unchecked::Anyone::default());
        return Ok(builder.dangerous().with_custom_certificate_verifier(anyone));
    }
    let mut roots = RootCertStore::empty();
    match &how.authority {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| {
                    Refusal::error(
                        format!("{} is no certificate authority: {error}", path.display()),
                        "name the authority of the engine with --tlscacert or DOCKER_CERT_PATH",
                    )
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(Refusal::error(
            "there is no certificate authority that the engine could be known by",
            "name it with --tlscacert or DOCKER_CERT_PATH",
        ));
    }
    Ok(builder.with_root_certificates(roots))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    file::read(path).map_err(|error| {
        Refusal::error(
            format!("{} cannot be read: {error}", path.display()),
            "TLS to the engine needs it",
        )
    })
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(Refusal::error(
            format!("{} holds no certificate in PEM's form", path.display()),
            "it begins with -----BEGIN CERTIFICATE-----",
        )),
    }
}

fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let text = String::from_utf8_lossy(&text);
        match text.contains("ENCRYPTED") {
            true => Refusal::error(
                format!("the key {} is encrypted with a passphrase", path.display()),
                format!(
                    "decrypt it (`openssl pkey -in {} -out key.pem`), as Docker's client asks for, too",
                    path.display()
                ),
            ),
            false => Refusal::error(
                format!("{} holds no private key in PEM's form", path.display()),
                "it begins with -----BEGIN PRIVATE KEY-----",
            ),
        }
    })
}
