//! Contexts of Docker's client: the files that `docker context` keeps.

use super::error::EndpointError;
use super::surroundings::Surroundings;
use super::tls::Tls;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What a context says about its engine.
pub(super) struct Context {
    pub host: String,
    /// `None` where nothing is said about TLS.
    pub tls: Option<Tls>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name", default)]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, Target>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "Host", default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_verify: bool,
}

/// Reads a context by its name: its files lie under the SHA-256 of that.
///
/// # Errors
/// Where there is none, or its file does not say where an engine is.
pub(super) fn find(
    name: &str,
    folder: &Path,
    around: &dyn Surroundings,
) -> Result<Context, EndpointError> {
    let id: String = Sha256::digest(name.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = folder.join("meta").join(&id).join("meta.json");
    let bytes = around.read(&path).ok_or_else(|| EndpointError::NoContext {
        name: name.into(),
        dir: folder.to_owned(),
    })?;
    let meta: Meta = serde_json::from_slice(&bytes).map_err(|e| EndpointError::BrokenFile {
        path: path.clone(),
        message: format!("is not the JSON of a context ({e})"),
    })?;
    let target = meta
        .endpoints
        .get("docker")
        .filter(|target| !target.host.is_empty())
        .ok_or_else(|| EndpointError::BrokenFile {
            path,
            message: format!("context \"{name}\" names no docker endpoint"),
        })?;
    let files = folder.join("tls").join(&id).join("docker");
    let file = |name: &str| Some(files.join(name)).filter(|path| around.exists(path));
    let (authority, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
    let is_secure = target.skip_verify || authority.is_some() || certificate.is_some();
    Ok(Context {
        host: target.host.clone(),
        tls: is_secure.then_some(Tls {
            authority,
            certificate,
            key,
            is_verified: !target.skip_verify,
        }),
    })
}

/// The names of all contexts whose files can be read; `folder` is that of their descriptions.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let bytes = crate::file::read(&entry.path().join("meta.json")).ok()?;
            let meta: Meta = serde_json::from_slice(&bytes).ok()?;
            Some(meta.name).filter(|name| !name.is_empty())
        })
        .collect()
}
