//! A port in front of the engine's socket: plain or under TLS, near or far away, and one that breaks.

use super::api::Engine;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub struct Relay {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Connections so far.
    count: AtomicUsize,
    is_broken: AtomicBool,
    breaks: Notify,
}

impl Relay {
    /// Plain, with this long way from one side to the other.
    pub fn plain(engine: &Engine, way: Duration) -> Relay {
        Relay::start(engine, way, None)
    }

    /// Under TLS; asks for a certificate that the authority in the folder has signed. `server` names
    /// the certificate and the key that it has itself.
    pub fn secure(engine: &Engine, folder: &Path, server: &str) -> Relay {
        let all = |name: &str| -> Vec<CertificateDer<'static>> {
            let found = CertificateDer::pem_file_iter(folder.join(name)).expect("a file");
            found.map(|c| c.expect("a certificate")).collect()
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(all("ca.pem"));
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .build()
            .expect("a verifier");
        let key = PrivateKeyDer::from_pem_file(folder.join(format!("{server}-key.pem")));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(clients)
            .with_single_cert(all(&format!("{server}.pem")), key.expect("a key"))
            .expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Relay::start(engine, Duration::ZERO, Some(acceptor))
    }

    fn start(engine: &Engine, way: Duration, tls: Option<TlsAcceptor>) -> Relay {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State::default());
        let (target, shared) = (engine.socket.clone(), state.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((client, _)) = listener.accept().await {
                    shared.count.fetch_add(1, Ordering::Relaxed);
                    let (target, tls) = (target.clone(), tls.clone());
                    let state = shared.clone();
                    tokio::spawn(async move {
                        let breaks = state.breaks.notified();
                        if state.is_broken.load(Ordering::Relaxed) {
                            return;
                        }
                        tokio::select! {
                            _ = serve(client, &target, tls, way) => {}
                            () = breaks => {}
                        }
                    });
                }
            });
        });
        Relay { port, state }
    }

    pub fn host(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// Connections since the last call.
    pub fn take(&self) -> usize {
        self.state.count.swap(0, Ordering::Relaxed)
    }

    /// Ends all connections, and lets none come about any more.
    pub fn cut(&self) {
        self.state.is_broken.store(true, Ordering::Relaxed);
        self.state.breaks.notify_waiters();
    }
}

async fn serve(
    client: TcpStream,
    target: &Path,
    tls: Option<TlsAcceptor>,
    way: Duration,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    // The client's SYN and our answer have gone there and back.
    tokio::time::sleep(way * 2).await;
    let server = UnixStream::connect(target).await?;
    match tls {
        Some(tls) => both(tls.accept(client).await?, server, way).await,
        None => both(client, server, way).await,
    }
}

async fn both<C>(client: C, server: UnixStream, way: Duration) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Send + 'static,
{
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = server.into_split();
    let there = pass(from_client, to_server, way);
    let back = pass(from_server, to_client, way);
    tokio::try_join!(there, back).map(drop)
}

/// Bytes arrive a way later than they were sent, however many are under way.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: Duration,
) -> io::Result<()> {
    let (sender, mut sent) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from.read(&mut buffer).await?;
            let _ = sender.send((Instant::now() + way, buffer[..count].to_vec()));
            if count == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = sent.recv().await {
            tokio::time::sleep_until(due).await;
            match bytes.is_empty() {
                true => to.shutdown().await?,
                false => {
                    to.write_all(&bytes).await?;
                    to.flush().await?;
                }
            }
        }
        io::Result::Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}
