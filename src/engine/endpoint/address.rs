//! Reading addresses such as `unix:///run/docker.sock`, `tcp://10.0.0.5:2376` and `ssh://me@host`.

use super::error::EndpointError;
use std::fmt;
use std::path::PathBuf;

/// An address, before TLS is looked at.
#[derive(Debug)]
pub(super) enum Parsed {
    Socket(PathBuf),
    /// `host:port`. The address itself may ask for TLS (`https://`).
    Port {
        address: String,
        is_secure: bool,
    },
    Ssh(SshTarget),
}

/// A machine that is reached through `ssh`; what is not said is for the user's `ssh` to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    pub user: Option<String>,
    /// A name, an address, or a `Host` of the user's `ssh_config`.
    pub host: String,
    pub port: Option<u16>,
    /// The engine's socket on that machine; what `docker` takes there where it is `None`.
    pub socket: Option<PathBuf>,
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.socket {
            Some(path) => write!(f, "{}", path.display()),
            None => Ok(()),
        }
    }
}

/// Reads an address. `given_by` tells where it was given; `is_secure` whether TLS is spoken to ports.
pub(super) fn parse(
    address: &str,
    given_by: &str,
    is_secure: bool,
) -> Result<Parsed, EndpointError> {
    let refuse = |advice: String| EndpointError::Unsupported {
        given_by: given_by.to_owned(),
        address: shown(address),
        advice,
    };
    let (scheme, rest) = match address.split_once("://") {
        Some(parts) => parts,
        None if address.starts_with('/') => {
            return Err(refuse(format!(
                "an address begins with its kind: unix://{address}"
            )));
        }
        None => ("tcp", address),
    };
    match scheme {
        "unix" if rest.is_empty() => Err(refuse("the path of the socket is missing".into())),
        "unix" => Ok(Parsed::Socket(PathBuf::from(rest))),
        "tcp" | "http" | "https" => {
            let is_secure = is_secure || scheme == "https";
            let usual = if is_secure { 2376 } else { 2375 };
            let address =
                port(rest, usual).ok_or_else(|| refuse("expected tcp://HOST:PORT".into()))?;
            let is_secure = scheme == "https";
            Ok(Parsed::Port { address, is_secure })
        }
        "ssh" => ssh(rest).map(Parsed::Ssh).map_err(|why| {
            refuse(format!("{why}; expected ssh://[USER@]HOST[:PORT][/SOCKET]"))
        }),
        "npipe" => Err(refuse(
            "npipe:// is a named pipe of Windows, and this is not Windows; expected unix:///PATH, tcp://HOST:PORT or ssh://HOST".into(),
        )),
        _ => Err(refuse(
            "expected unix:///PATH, tcp://HOST:PORT or ssh://HOST".into(),
        )),
    }
}

/// `host:port` with the usual port where none is given; `None` where it is torn.
fn port(rest: &str, usual: u16) -> Option<String> {
    let host = rest.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        return None;
    }
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let (name, port) = match host.split_once(']') {
        Some((before, "")) => (before.strip_prefix('[')?, None),
        // What stands behind the bracket of an address of IPv6 is its port or nothing.
        Some((before, after)) => (before.strip_prefix('[')?, Some(after.strip_prefix(':')?)),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    if name.contains('[') || !port.is_none_or(is_port) {
        return None;
    }
    let bracketed = match (name.is_empty(), name.contains(':')) {
        // A port alone is one of this machine.
        (true, _) => "127.0.0.1".to_owned(),
        (_, true) => format!("[{name}]"),
        (_, false) => name.to_owned(),
    };
    Some(match port {
        Some(port) => format!("{bracketed}:{port}"),
        None => format!("{bracketed}:{usual}"),
    })
}

/// What follows `ssh://`.
fn ssh(rest: &str) -> Result<SshTarget, &'static str> {
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if rest.contains(['?', '#']) {
        return Err("it has no query and no fragment");
    }
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err("a password in it is not supported: use a key");
    }
    let (host, port) = match host.strip_prefix('[') {
        Some(inner) => match inner.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, after)) => (host, Some(after.strip_prefix(':').ok_or("it is torn")?)),
            None => return Err("it is torn"),
        },
        None => match host.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        },
    };
    // A word that begins with a hyphen would be an option of ssh's.
    let is_word = |text: &str| {
        !text.is_empty() && !text.starts_with('-') && !text.contains([' ', '\n', '\t'])
    };
    if !is_word(host) {
        return Err("it names no host");
    }
    if !user.is_none_or(is_word) {
        return Err("the user before the @ is no name");
    }
    let port = port
        .map(str::parse)
        .transpose()
        .map_err(|_| "the port is no number")?;
    Ok(SshTarget {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        socket: Some(path.trim_end_matches('/'))
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
    })
}

/// An address without the password that somebody may have put into it.
fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, host)) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:***@{host}")
        }
        _ => address.to_owned(),
    }
}
