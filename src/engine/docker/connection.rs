//! Opening a connection to an engine: its socket, its port, or through `ssh`.

use super::ssh::{self, Ssh};
use super::tls;
use super::transport::ByteStream;
use crate::engine::endpoint::{Endpoint, host_of};
use crate::threads;
use futures::future::BoxFuture;
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection as PooledConnection};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// How long a server may take to accept a connection. Answers have no limit of their own: a
/// stop or a pull may rightly take minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes, to a request whose answer is one document. A list of 10,000
/// containers takes a fourth of it.
const MAX_ANSWER: u64 = 256 << 20;

/// An answer larger than this is none: the cause of what goes wrong then.
#[derive(Debug, thiserror::Error)]
#[error("the engine's answer is larger than {} MiB", .0 >> 20)]
pub struct Endless(pub u64);

impl Endless {
    /// As the error of a stream.
    fn error(limit: u64) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Endless(limit))
    }
}

/// A byte stream to the engine.
pub struct Connection {
    stream: Stream,
    /// Bytes that may still come before something is sent again; `None` where answers may be of any
    /// length.
    left: Option<Room>,
}

/// How much may come.
struct Room {
    limit: u64,
    left: u64,
}

enum Stream {
    #[cfg(unix)]
    Unix(UnixStream),
    Tcp(TcpStream),
    /// TLS, or a channel of ssh's.
    Other(Box<dyn ByteStream>),
}

impl Connection {
    /// From now on an answer has an end, or is broken off.
    #[must_use]
    fn bounded(mut self, limit: u64) -> Self {
        self.left = Some(Room { limit, left: limit });
        self
    }
}

/// Opens connections to one endpoint; cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    /// What goes through `ssh`.
    ssh: Option<Ssh>,
    /// What TLS is spoken with; read when first needed.
    secure: tls::Settings,
    /// The process that listens, as the last connection told; 0 where none of ours does.
    listener: AtomicU32,
}

impl Connector {
    /// `means` is what a connection through `ssh` is made with.
    pub fn new(endpoint: Endpoint, means: ssh::Means) -> Self {
        let ssh = match &endpoint {
            Endpoint::Ssh(target) => Some(Ssh::new(target.clone(), means)),
            _ => None,
        };
        Connector(Arc::new(Shared {
            endpoint,
            ssh,
            secure: tls::Settings::default(),
            listener: AtomicU32::new(0),
        }))
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// The process on this machine that opened the socket; `None` where it is not to be seen, or
    /// nothing is connected yet.
    pub fn listener(&self) -> Option<u32> {
        Some(self.0.listener.load(Ordering::Relaxed)).filter(|pid| *pid > 0)
    }

    #[cfg(unix)]
    fn note_listener(&self, stream: &UnixStream) {
        let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
        let pid = pid.and_then(|pid| u32::try_from(pid).ok());
        self.0
            .listener
            .store(pid.unwrap_or_default(), Ordering::Relaxed);
    }

    pub async fn connect(&self) -> io::Result<Connection> {
        // Its user may be asked to touch a key: `ssh` has limits of its own.
        if let Some(ssh) = &self.0.ssh {
            let stream = Stream::Other(ssh.connect().await?);
            return Ok(Connection { stream, left: None });
        }
        let open = async {
            match self.endpoint() {
                #[cfg(unix)]
                Endpoint::Unix(path) => {
                    let stream = UnixStream::connect(path).await?;
                    self.note_listener(&stream);
                    io::Result::Ok(Stream::Unix(stream))
                }
                #[cfg(not(unix))]
                Endpoint::Unix(_) => Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "this system has no Unix sockets",
                )),
                Endpoint::Tcp(address) => Ok(Stream::Tcp(to_port(address).await?)),
                Endpoint::Tls(address, how) => {
                    let config = self.0.secure.get(how)?;
                    let stream = to_port(address).await?;
                    let secure = tls::secure(config, how, host_of(address), stream).await?;
                    Ok(Stream::Other(Box::new(secure)))
                }
                Endpoint::Ssh(_) => Err(io::ErrorKind::Unsupported.into()),
            }
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, open).await {
            Ok(stream) => Ok(Connection {
                stream: stream?,
                left: None,
            }),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
            )),
        }
    }
}

/// Connects to `host:port`.
async fn to_port(address: &str) -> io::Result<TcpStream> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "it names no port");
    let (_, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let addresses = threads::addresses(host_of(address), port).await?;
    let stream = TcpStream::connect(addresses.as_slice()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Opens connections for a pool.
#[derive(Clone)]
pub struct Pooled {
    pub connector: Connector,
    /// Answers are single documents.
    pub is_bounded: bool,
}

impl tower_service::Service<Uri> for Pooled {
    type Response = TokioIo<Connection>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<TokioIo<Connection>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Pooled {
            connector,
            is_bounded,
        } = self.clone();
        Box::pin(async move {
            let connection = connector.connect().await?;
            Ok(TokioIo::new(match is_bounded {
                true => connection.bounded(MAX_ANSWER),
                false => connection,
            }))
        })
    }
}

impl PooledConnection for Connection {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = match &mut this.stream {
            #[cfg(unix)]
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Other(stream) => Pin::new(stream).poll_read(cx, buf),
        };
        if let Some(room) = &mut this.left {
            let count = (buf.filled().len() - before) as u64;
            match room.left.checked_sub(count) {
                Some(rest) => room.left = rest,
                None => return Poll::Ready(Err(Endless::error(room.limit))),
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // Another request: its answer is measured anew.
        if let Some(room) = &mut this.left {
            room.left = room.limit;
        }
        match &mut this.stream {
            #[cfg(unix)]
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Other(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            #[cfg(unix)]
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            #[cfg(unix)]
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Other(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn an_answer_without_end_is_broken_off_and_the_next_one_counts_anew() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let stream = Stream::Unix(ours);
        let mut ours = Connection { stream, left: None }.bounded(2 << 20);
        let answer = vec![b'x'; 3 << 19];
        for _ in 0..2 {
            ours.write_all(b"?").await.unwrap();
            let mut read = vec![0; answer.len()];
            let (sent, got) = tokio::join!(theirs.write_all(&answer), ours.read_exact(&mut read));
            sent.unwrap();
            got.unwrap();
        }
        let mut rest = vec![0; 1 << 20];
        let (_, got) = tokio::join!(theirs.write_all(&answer[..1 << 20]), async {
            let got = ours.read_exact(&mut rest).await;
            drop(ours);
            got
        });
        let error = got.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the engine's answer is larger than 2 MiB"
        );
    }
}
