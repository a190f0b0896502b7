//! What TLS to the engine needs: which files, and whether the engine's certificate is verified.

use super::error::EndpointError;
use super::surroundings::Surroundings;
use std::path::{Path, PathBuf};

/// How TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate authority that the engine is known by; `None` is those of this machine.
    pub authority: Option<PathBuf>,
    /// Our own certificate.
    pub certificate: Option<PathBuf>,
    /// The key of our own certificate.
    pub key: Option<PathBuf>,
    /// The engine's certificate is checked.
    pub is_verified: bool,
}

impl Tls {
    /// Nothing is said but that TLS is spoken: the authorities of this machine count.
    pub fn of_this_machine() -> Self {
        Tls {
            authority: None,
            certificate: None,
            key: None,
            is_verified: true,
        }
    }

    /// The same as flags of Docker's client. A file that is none has to be said, too: its client takes
    /// the usual one otherwise.
    pub fn flags(&self) -> Vec<String> {
        let file = |flag: &str, path: &Option<PathBuf>| {
            let path = path.as_deref().unwrap_or(Path::new(""));
            format!("{flag}={}", path.display())
        };
        let kind = match self.is_verified {
            true => "--tlsverify",
            false => "--tls",
        };
        vec![
            kind.to_owned(),
            file("--tlscacert", &self.authority),
            file("--tlscert", &self.certificate),
            file("--tlskey", &self.key),
        ]
    }
}

/// What flags and variables say about TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsWishes {
    /// `--tls`, `DOCKER_TLS`: TLS with any server that answers.
    pub is_spoken: bool,
    /// `--tlsverify`, `DOCKER_TLS_VERIFY`.
    pub is_verified: bool,
    /// `--tlscacert`.
    pub authority: Option<PathBuf>,
    /// `--tlscert`.
    pub certificate: Option<PathBuf>,
    /// `--tlskey`.
    pub key: Option<PathBuf>,
    /// `DOCKER_CERT_PATH`, where the files lie that no flag names; else the client's configuration.
    pub folder: Option<PathBuf>,
}

impl TlsWishes {
    /// Whether TLS is spoken to a port. A file alone does not ask for it, as in Docker's client.
    pub fn is_wanted(&self) -> bool {
        self.is_spoken || self.is_verified
    }

    /// Finds the files. `folder` is that of Docker's client configuration.
    ///
    /// # Errors
    /// A file that is named is not there, or the authority is not that has to vouch for the engine.
    pub(super) fn settle(
        &self,
        folder: Option<&Path>,
        around: &dyn Surroundings,
    ) -> Result<Option<Tls>, EndpointError> {
        if !self.is_wanted() {
            return Ok(None);
        }
        let folder = self.folder.as_deref().or(folder).unwrap_or(Path::new(""));
        let file = |given: &Option<PathBuf>, flag: &str, name: &str| match given {
            // An empty name takes away the file that is meant without the flag.
            Some(path) if path.as_os_str().is_empty() => Ok(None),
            Some(path) if around.exists(path) => Ok(Some(path.clone())),
            Some(path) => Err(missing(&format!("{flag}: there is no {}", path.display()))),
            None => Ok(Some(folder.join(name)).filter(|path| around.exists(path))),
        };
        let authority = file(&self.authority, "--tlscacert", "ca.pem")?;
        if self.is_verified && authority.is_none() && self.authority.is_none() {
            return Err(missing(&format!(
                "there is no {} that the engine could be known by; name the folder with DOCKER_CERT_PATH or the file with --tlscacert",
                folder.join("ca.pem").display()
            )));
        }
        let certificate = file(&self.certificate, "--tlscert", "cert.pem")?;
        let key = file(&self.key, "--tlskey", "key.pem")?;
        match (&certificate, &key) {
            (Some(certificate), None) => {
                return Err(missing(&format!(
                    "the certificate {} has no key beside it (key.pem); name it with --tlskey",
                    certificate.display()
                )));
            }
            (None, Some(key)) => {
                return Err(missing(&format!(
                    "the key {} has no certificate beside it (cert.pem); name it with --tlscert",
                    key.display()
                )));
            }
            _ => {}
        }
        Ok(Some(Tls {
            authority,
            certificate,
            key,
            is_verified: self.is_verified,
        }))
    }
}

fn missing(message: &str) -> EndpointError {
    EndpointError::NoCertificate {
        message: message.to_owned(),
    }
}
