//! Where the engine is: from flags, environment and contexts to one address.
//!
//! The order is the Docker CLI's: `--context`, `-H`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current
//! context of `config.json`, and then the sockets that Docker and Podman open by default.

mod address;
mod context;
mod error;
mod surroundings;
#[cfg(test)]
mod tests;
mod tls;

pub use address::SshTarget;
pub use context::names as contexts;
pub use error::EndpointError;
pub use surroundings::Surroundings;
pub use tls::{Tls, TlsWishes};

use crate::docker_config::ClientConfig;
use address::{Parsed, parse};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// An address that can be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port`, plain HTTP.
    Tcp(String),
    /// `host:port`, HTTP under TLS.
    Tls(String, Tls),
    /// Another machine, through `ssh`.
    Ssh(SshTarget),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix://{}", path.display()),
            Endpoint::Tcp(address) | Endpoint::Tls(address, _) => write!(f, "tcp://{address}"),
            Endpoint::Ssh(target) => write!(f, "{target}"),
        }
    }
}

impl Endpoint {
    /// The machine that the engine is on, where the address names another one than this. A socket
    /// or a port of this machine may be forwarded: where it leads nobody knows.
    pub fn other_machine(&self) -> Option<&str> {
        let host = match self {
            Endpoint::Unix(_) => return None,
            Endpoint::Tcp(address) | Endpoint::Tls(address, _) => host_of(address),
            Endpoint::Ssh(target) => &target.host,
        };
        let is_loopback = host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified());
        (!is_loopback).then_some(host)
    }
}

/// The host of `host:port`, without the brackets of an address of IPv6.
pub fn host_of(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_matches(['[', ']'])
}

/// What the user and the surroundings say about the engine's place.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `-H`, `--host`.
    pub host: Option<String>,
    /// `--context`.
    pub context: Option<String>,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// `--config`, `DOCKER_CONFIG` or `~/.docker`.
    pub config_dir: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `--tls…`, `DOCKER_TLS`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`. They count where no context
    /// does.
    pub tls: TlsWishes,
}

/// Finds the engine's address.
///
/// # Errors
/// Whatever [`EndpointError`] names. That a server really listens there is not asked: the first
/// request shows it.
pub fn resolve(wishes: &Wishes, around: &dyn Surroundings) -> Result<Endpoint, EndpointError> {
    let said = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    match (said(&wishes.context), said(&wishes.host)) {
        (Some(_), Some(_)) => return Err(EndpointError::Contradiction),
        (Some(name), None) => return named(&name, "--context", wishes, around),
        (None, Some(host)) => return at(&host, "-H", wishes, around),
        (None, None) => {}
    }
    if let Some(host) = said(&wishes.docker_host) {
        return at(&host, "DOCKER_HOST", wishes, around);
    }
    if let Some(name) = said(&wishes.docker_context) {
        return named(&name, "DOCKER_CONTEXT", wishes, around);
    }
    if let Some(name) = current_context(wishes, around) {
        return named(&name, "current context", wishes, around);
    }
    default_socket(wishes, around)
}

fn current_context(wishes: &Wishes, around: &dyn Surroundings) -> Option<String> {
    let path = wishes.config_dir.as_ref()?.join("config.json");
    // What is wrong with the file stops nobody; the client configuration's reader tells of it.
    let (config, _) = ClientConfig::parse(&around.read(&path)?);
    Some(config.current_context).filter(|name| !name.is_empty())
}

/// The engine of a context. The one called `default` is what holds without any.
fn named(
    name: &str,
    given_by: &str,
    wishes: &Wishes,
    around: &dyn Surroundings,
) -> Result<Endpoint, EndpointError> {
    if name == "default" {
        return match wishes.docker_host.as_deref().filter(|h| !h.is_empty()) {
            Some(host) => at(host, "DOCKER_HOST", wishes, around),
            None => default_socket(wishes, around),
        };
    }
    let folder = wishes
        .config_dir
        .clone()
        .unwrap_or_default()
        .join("contexts");
    let context = context::find(name, &folder, around)?;
    let given_by = format!("{given_by} \"{name}\"");
    let found = parse(&context.host, &given_by, context.tls.is_some())?;
    Ok(secured(found, context.tls))
}

/// The engine at an address.
fn at(
    address: &str,
    given_by: &str,
    wishes: &Wishes,
    around: &dyn Surroundings,
) -> Result<Endpoint, EndpointError> {
    let is_secure = wishes.tls.is_wanted();
    match parse(address, given_by, is_secure)? {
        // Certificates are asked for only where they are needed.
        found @ Parsed::Port { .. } => {
            let tls = wishes.tls.settle(wishes.config_dir.as_deref(), around)?;
            Ok(secured(found, tls))
        }
        found => Ok(secured(found, None)),
    }
}

/// A parsed address with what TLS needs.
fn secured(found: Parsed, tls: Option<Tls>) -> Endpoint {
    match (found, tls) {
        (Parsed::Socket(path), _) => Endpoint::Unix(path),
        (Parsed::Ssh(target), _) => Endpoint::Ssh(target),
        (Parsed::Port { address, .. }, Some(tls)) => Endpoint::Tls(address, tls),
        (
            Parsed::Port {
                address,
                is_secure: true,
            },
            None,
        ) => Endpoint::Tls(address, Tls::of_this_machine()),
        (Parsed::Port { address, .. }, None) => Endpoint::Tcp(address),
    }
}

fn default_socket(wishes: &Wishes, around: &dyn Surroundings) -> Result<Endpoint, EndpointError> {
    let runtime = wishes.runtime_dir.as_deref();
    let mut candidates = vec![PathBuf::from("/var/run/docker.sock")];
    candidates.extend(runtime.map(|dir| dir.join("docker.sock")));
    candidates.extend(
        wishes
            .home
            .as_deref()
            .map(|h| h.join(".docker/run/docker.sock")),
    );
    candidates.push(PathBuf::from("/run/podman/podman.sock"));
    candidates.extend(runtime.map(|dir| dir.join("podman/podman.sock")));
    match candidates.iter().find(|path| around.exists(path)) {
        Some(path) => Ok(Endpoint::Unix(path.clone())),
        None => Err(EndpointError::NoEngine { tried: candidates }),
    }
}
