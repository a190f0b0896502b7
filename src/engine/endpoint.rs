//! Where the engine is: from flags, environment and contexts to one address.
//!
//! The order is the Docker CLI's: `--context`, `-H`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current
//! context of `config.json`, and then the sockets that Docker and Podman open by default.

use crate::docker_config::ClientConfig;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};

/// An address that can be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port`, plain HTTP.
    Tcp(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix://{}", path.display()),
            Endpoint::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
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
    /// `--tls`, `--tlsverify`, `DOCKER_TLS` or `DOCKER_TLS_VERIFY`.
    pub tls: bool,
}

/// The file system, as far as it is needed here.
pub trait Surroundings {
    /// The content of a file; `None` where there is none to be read.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;
    /// Whether something is there.
    fn exists(&self, path: &Path) -> bool;
}

/// Why no address could be found; the message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// None of the default sockets is there.
    #[error(
        "no container engine found: tried {}; start Docker or Podman (`systemctl start docker`), or say where it is with -H or DOCKER_HOST",
        list(.tried)
    )]
    NoEngine { tried: Vec<PathBuf> },
    /// `-H` and `--context` exclude each other.
    #[error("-H and --context both say where the engine is: give one of them")]
    Contradiction,
    /// A context was named that is not there.
    #[error("context \"{name}\" not found in {}; `docker context ls` lists what there is", .dir.display())]
    NoContext { name: String, dir: PathBuf },
    /// A file of the client's configuration is not what it should be.
    #[error("{}: {message}", .path.display())]
    BrokenFile { path: PathBuf, message: String },
    /// An address of a kind that is not spoken here.
    #[error("{given_by}: {address}: {advice}")]
    Unsupported {
        /// Where the address was given, e.g. `DOCKER_HOST`.
        given_by: &'static str,
        address: String,
        advice: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
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
        (Some(name), None) => return from_context(&name, "--context", wishes, around),
        (None, Some(host)) => return parse(&host, "-H", wishes.tls),
        (None, None) => {}
    }
    if let Some(host) = said(&wishes.docker_host) {
        return parse(&host, "DOCKER_HOST", wishes.tls);
    }
    if let Some(name) = said(&wishes.docker_context) {
        return from_context(&name, "DOCKER_CONTEXT", wishes, around);
    }
    if let Some(name) = current_context(wishes, around) {
        return from_context(&name, "current context", wishes, around);
    }
    default_socket(wishes, around)
}

fn current_context(wishes: &Wishes, around: &dyn Surroundings) -> Option<String> {
    let path = wishes.config_dir.as_ref()?.join("config.json");
    // What is wrong with the file stops nobody; the client configuration's reader tells of it.
    let (config, _) = ClientConfig::parse(&around.read(&path)?);
    Some(config.current_context).filter(|name| !name.is_empty())
}

fn from_context(
    name: &str,
    source: &'static str,
    wishes: &Wishes,
    around: &dyn Surroundings,
) -> Result<Endpoint, EndpointError> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "Endpoints", default)]
        endpoints: std::collections::BTreeMap<String, Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        #[serde(rename = "Host", default)]
        host: String,
    }

    // The built-in context: what holds without any.
    if name == "default" {
        return match wishes.docker_host.as_deref().filter(|h| !h.is_empty()) {
            Some(host) => parse(host, "DOCKER_HOST", wishes.tls),
            None => default_socket(wishes, around),
        };
    }
    let contexts = wishes
        .config_dir
        .clone()
        .unwrap_or_default()
        .join("contexts");
    let id: String = Sha256::digest(name.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = contexts.join("meta").join(&id).join("meta.json");
    let bytes = around.read(&path).ok_or_else(|| EndpointError::NoContext {
        name: name.into(),
        dir: contexts.clone(),
    })?;
    let meta: Meta = serde_json::from_slice(&bytes).map_err(|e| EndpointError::BrokenFile {
        path: path.clone(),
        message: format!("is not the JSON of a context ({e})"),
    })?;
    let host = meta
        .endpoints
        .get("docker")
        .map(|target| target.host.as_str())
        .filter(|host| !host.is_empty())
        .ok_or_else(|| EndpointError::BrokenFile {
            path,
            message: format!("context \"{name}\" names no docker endpoint"),
        })?;
    let tls = around.exists(&contexts.join("tls").join(&id).join("docker"));
    parse(host, source, tls)
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

/// Reads an address such as `unix:///run/docker.sock` or `tcp://10.0.0.5:2375`.
fn parse(address: &str, source: &'static str, tls: bool) -> Result<Endpoint, EndpointError> {
    let refuse = |advice: String| {
        Err(EndpointError::Unsupported {
            given_by: source,
            address: address.into(),
            advice,
        })
    };
    let (scheme, rest) = match address.split_once("://") {
        Some(parts) => parts,
        None if address.starts_with('/') => {
            return refuse(format!("an address begins with its kind: unix://{address}"));
        }
        None => ("tcp", address),
    };
    match scheme {
        "unix" if rest.is_empty() => refuse("the path of the socket is missing".into()),
        "unix" => Ok(Endpoint::Unix(PathBuf::from(rest))),
        "tcp" | "http" if tls => refuse(
            "TLS to the engine is not supported yet; forward its socket instead: \
             ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock USER@HOST, then -H unix:///tmp/docker.sock"
                .into(),
        ),
        "tcp" | "http" => {
            let host = rest.trim_end_matches('/');
            if host.is_empty() || host.contains('/') {
                return refuse("expected tcp://HOST:PORT".into());
            }
            // What stands behind the bracket of an address of IPv6 is its port or nothing.
            let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            let is_torn = match host.split_once(']') {
                Some((before, after)) => {
                    !before.starts_with('[')
                        || !(after.is_empty() || after.strip_prefix(':').is_some_and(is_port))
                }
                None => host.contains('[') || host.rsplit_once(':').is_some_and(|p| !is_port(p.1)),
            };
            if is_torn {
                return refuse("expected tcp://HOST:PORT".into());
            }
            let has_port = match host.rsplit_once(']') {
                Some((_, after)) => after.starts_with(':'),
                None => host.contains(':'),
            };
            Ok(Endpoint::Tcp(match has_port {
                true => host.into(),
                false => format!("{host}:2375"),
            }))
        }
        "ssh" => refuse(format!(
            "ssh:// is not supported yet; forward the socket: \
             ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {}, then -H unix:///tmp/docker.sock",
            rest.split('/').next().unwrap_or(rest)
        )),
        "https" => refuse("TLS to the engine is not supported yet".into()),
        "npipe" => refuse("named pipes of Windows are not supported yet".into()),
        _ => refuse("expected unix:///PATH or tcp://HOST:PORT".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Memory(BTreeMap<PathBuf, String>);

    impl Surroundings for Memory {
        fn read(&self, path: &Path) -> Option<Vec<u8>> {
            self.0.get(path).map(|text| text.clone().into_bytes())
        }
        fn exists(&self, path: &Path) -> bool {
            self.0.keys().any(|p| p.starts_with(path))
        }
    }

    fn memory(files: &[(&str, &str)]) -> Memory {
        Memory(
            files
                .iter()
                .map(|(p, t)| (PathBuf::from(p), t.to_string()))
                .collect(),
        )
    }

    fn wishes() -> Wishes {
        Wishes {
            config_dir: Some("/home/me/.docker".into()),
            runtime_dir: Some("/run/user/1000".into()),
            home: Some("/home/me".into()),
            ..Wishes::default()
        }
    }

    fn context(host: &str) -> Memory {
        let id: String = Sha256::digest(b"remote")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let path = format!("/home/me/.docker/contexts/meta/{id}/meta.json");
        memory(&[
            (
                &path,
                &format!(r#"{{"Name":"remote","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#),
            ),
            ("/var/run/docker.sock", ""),
        ])
    }

    #[test]
    fn explicit_addresses() {
        let sockets = memory(&[("/var/run/docker.sock", "")]);
        let table = [
            ("unix:///tmp/d.sock", Ok("unix:///tmp/d.sock")),
            ("tcp://10.0.0.5:2376", Ok("tcp://10.0.0.5:2376")),
            ("tcp://10.0.0.5", Ok("tcp://10.0.0.5:2375")),
            ("tcp://[::1]:99/", Ok("tcp://[::1]:99")),
            ("tcp://[::1]", Ok("tcp://[::1]:2375")),
            ("127.0.0.1:2375", Ok("tcp://127.0.0.1:2375")),
            (
                "ssh://me@host",
                Err("-L /tmp/docker.sock:/var/run/docker.sock me@host"),
            ),
            ("npipe:////./pipe/docker_engine", Err("Windows")),
            ("/var/run/docker.sock", Err("unix:///var/run/docker.sock")),
            ("unix://", Err("path of the socket")),
            ("tcp://[::1]x:1", Err("expected tcp://HOST:PORT")),
            ("tcp://a]b:1", Err("expected tcp://HOST:PORT")),
            ("fd://", Err("expected unix:///PATH")),
        ];
        for (host, expected) in table {
            let mut w = wishes();
            w.host = Some(host.into());
            match (resolve(&w, &sockets), expected) {
                (Ok(found), Ok(text)) => assert_eq!(found.to_string(), text),
                (Err(e), Err(text)) => assert!(e.to_string().contains(text), "{host}: {e}"),
                (found, _) => panic!("{host}: {found:?}"),
            }
        }
    }

    #[test]
    fn order_of_precedence() {
        let around = context("unix:///remote.sock");
        let at = |change: &dyn Fn(&mut Wishes)| {
            let mut w = wishes();
            change(&mut w);
            resolve(&w, &around).unwrap().to_string()
        };
        assert_eq!(at(&|_| ()), "unix:///var/run/docker.sock");
        assert_eq!(
            at(&|w| w.docker_context = Some("remote".into())),
            "unix:///remote.sock"
        );
        assert_eq!(
            at(&|w| {
                w.docker_context = Some("remote".into());
                w.docker_host = Some("unix:///env.sock".into());
            }),
            "unix:///env.sock"
        );
        assert_eq!(
            at(&|w| {
                w.context = Some("remote".into());
                w.docker_host = Some("unix:///env.sock".into());
            }),
            "unix:///remote.sock"
        );
        assert_eq!(
            at(&|w| {
                w.context = Some("default".into());
                w.docker_host = Some("unix:///env.sock".into());
            }),
            "unix:///env.sock"
        );
        assert_eq!(
            at(&|w| {
                w.host = Some("unix:///flag.sock".into());
                w.docker_host = Some("unix:///env.sock".into());
            }),
            "unix:///flag.sock"
        );
    }

    #[test]
    fn current_context_of_the_config_file() {
        let mut around = context("ssh://me@host/run/docker.sock");
        around.0.insert(
            "/home/me/.docker/config.json".into(),
            r#"{"auths":{},"currentContext":"remote"}"#.into(),
        );
        let error = resolve(&wishes(), &around).unwrap_err().to_string();
        assert!(error.starts_with("current context: ssh://"), "{error}");
        assert!(error.contains("sock me@host, then"), "{error}");
    }

    #[test]
    fn a_broken_config_file_stops_nobody() {
        let at = |text: &str| {
            let mut around = context("tcp://10.0.0.5:2375");
            around
                .0
                .insert("/home/me/.docker/config.json".into(), text.into());
            around
                .0
                .insert("/var/run/docker.sock".into(), String::new());
            resolve(&wishes(), &around).map(|endpoint| endpoint.to_string())
        };
        let default = Ok("unix:///var/run/docker.sock".to_owned());
        for text in [
            "",
            "nonsense",
            "[]",
            r#"{"currentContext": null}"#,
            r#"{"auths": {"#,
        ] {
            assert_eq!(at(text), default, "{text}");
        }
        let cut = r#"{"currentContext": "remote", "auths": {"a"#;
        assert_eq!(at(cut), Ok("tcp://10.0.0.5:2375".to_owned()));
    }

    #[test]
    fn default_sockets_in_order() {
        for socket in [
            "/var/run/docker.sock",
            "/run/user/1000/docker.sock",
            "/home/me/.docker/run/docker.sock",
            "/run/podman/podman.sock",
            "/run/user/1000/podman/podman.sock",
        ] {
            let found = resolve(&wishes(), &memory(&[(socket, "")])).unwrap();
            assert_eq!(found, Endpoint::Unix(socket.into()));
        }
        let error = resolve(&wishes(), &memory(&[])).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "no container engine found: tried /var/run/docker.sock, /run/user/1000/docker.sock,"
            ),
            "{error}"
        );
        assert!(error.contains("DOCKER_HOST"), "{error}");
    }

    #[test]
    fn missing_and_contradicting() {
        let mut w = wishes();
        w.context = Some("nope".into());
        let error = resolve(&w, &memory(&[])).unwrap_err();
        assert!(matches!(error, EndpointError::NoContext { .. }), "{error}");
        w.host = Some("unix:///x".into());
        assert_eq!(resolve(&w, &memory(&[])), Err(EndpointError::Contradiction));
        let mut w = wishes();
        w.docker_host = Some("tcp://h:2376".into());
        w.tls = true;
        let error = resolve(&w, &memory(&[])).unwrap_err().to_string();
        assert!(error.contains("TLS"), "{error}");
    }
}
