//! A connection to a server: plain or under TLS, straight or through a proxy. The certificates that
//! count are those of this machine; they are read when first needed.

use crate::threads;
use base64::Engine as _;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a server may take to be reached.
const CONNECT: Duration = Duration::from_secs(20);

/// The longest answer of a proxy that is read.
const PROXY_ANSWER: usize = 16 << 10;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub host: String,
    pub port: u16,
    pub is_secure: bool,
}

impl Place {
    /// `host:port`, the port left out where it goes without saying.
    pub fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match (self.is_secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = threads::addresses(host, port).await?;
    TcpStream::connect(addresses.as_slice()).await
}

/// Opens it; `proxy` is an address of the form `http://[name:password@]host:port`.
pub async fn open(place: &Place, proxy: Option<&str>) -> io::Result<SendRequest<Full<Bytes>>> {
    let opening = async {
        let stream = match proxy {
            Some(proxy) => tunnel(place, proxy).await?,
            None => connect(&place.host, place.port).await?,
        };
        match place.is_secure {
            true => speak(secure(place, stream).await?).await,
            false => speak(stream).await,
        }
    };
    match tokio::time::timeout(CONNECT, opening).await {
        Ok(opened) => opened,
        Err(_) => {
            let limit = CONNECT.as_secs();
            let why = format!("no answer within {limit} s");
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        }
    }
}

async fn speak<S>(stream: S) -> io::Result<SendRequest<Full<Bytes>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
    });
    Ok(sender)
}

async fn secure(
    place: &Place,
    stream: TcpStream,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "this machine has no certificates to know servers by (Debian's package ca-certificates)",
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(place.host.clone()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// Asks a proxy to pass bytes on.
async fn tunnel(place: &Place, proxy: &str) -> io::Result<TcpStream> {
    let wrong = |why: &str| io::Error::other(format!("the proxy {why}"));
    let uri: hyper::Uri = match proxy.contains("://") {
        true => proxy.parse(),
        false => format!("http://{proxy}").parse(),
    }
    .map_err(|_| wrong("that the environment names is no address"))?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong("that the environment names is not spoken to by http"));
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = connect(host, uri.port_u16().unwrap_or(80)).await?;
    let target = format!("{}:{}", place.host, place.port);
    let mut ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    let authority = uri.authority().map_or("", |a| a.as_str());
    if let Some((user, _)) = authority.rsplit_once('@') {
        let basic = base64::engine::general_purpose::STANDARD.encode(user);
        ask.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
    }
    ask.push_str("\r\n");
    stream.write_all(ask.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > PROXY_ANSWER {
            return Err(wrong("answers too much"));
        }
        // Byte by byte: what follows belongs to the server behind it.
        answer.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&answer);
    let line = text.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(stream),
        _ => Err(wrong(&format!("answers {line:?}"))),
    }
}

/// Whether the environment's list of exceptions names a host: names, also as ends of names, with or
/// without a port, or `*`.
pub fn goes_past_proxy(list: &str, place: &Place) -> bool {
    list.split(',').map(str::trim).any(|entry| {
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port),
            _ => (entry, ""),
        };
        let name = name.trim_start_matches('.');
        let is_named = place.host == name
            || place
                .host
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'));
        entry == "*"
            || (!name.is_empty() && is_named && (port.is_empty() || port == place.port.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions() {
        let place = Place {
            host: "registry.example.com".into(),
            port: 443,
            is_secure: true,
        };
        for (list, expected) in [
            ("", false),
            ("*", true),
            ("example.com", true),
            ("a, .example.com", true),
            ("registry.example.com:443", true),
            ("registry.example.com:80", false),
            ("ample.com", false),
            ("registry", false),
        ] {
            assert_eq!(goes_past_proxy(list, &place), expected, "{list}");
        }
    }

    #[test]
    fn authorities() {
        let of = |host: &str, port, is_secure| {
            let host = host.to_owned();
            Place {
                host,
                port,
                is_secure,
            }
            .authority()
        };
        assert_eq!(of("a", 443, true), "a");
        assert_eq!(of("a", 443, false), "a:443");
        assert_eq!(of("::1", 80, false), "[::1]");
    }
}
