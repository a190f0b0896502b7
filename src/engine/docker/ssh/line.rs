//! One connection of ssh's, and the streams over it.

use super::Ssh;
use super::channel::{self, Process};
use super::greeting::Greeting;
use crate::engine::docker::transport::ByteStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::net::UnixStream;
use tokio::sync::OnceCell;

/// Where engines have their socket, unless an address says otherwise.
const USUAL_SOCKET: &str = "/var/run/docker.sock";

/// A connection that further streams go over.
pub struct Line {
    /// The control socket of the `ssh` that made it.
    process: Mutex<Process>,
    /// Goes after the process, which would make it anew.
    control: Control,
    /// The server admits no further session.
    is_full: AtomicBool,
    /// Which engine is at its end, as the second stream has told; the others wait for that. Empty
    /// where it did not come about.
    engine: OnceCell<String>,
    /// The engine's socket, forwarded; `None` where that does not work.
    forward: OnceCell<Option<PathBuf>>,
}

impl Line {
    pub fn new(control: Control, process: Process) -> Self {
        Line {
            process: Mutex::new(process),
            control,
            is_full: AtomicBool::new(false),
            engine: OnceCell::new(),
            forward: OnceCell::new(),
        }
    }

    pub fn is_alive(&self) -> bool {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.is_alive()
    }

    /// Whether it may take another stream.
    pub fn has_room(&self) -> bool {
        !self.is_full.load(Ordering::Relaxed) || self.forward.get().is_none_or(Option::is_some)
    }

    /// Opens another stream; `None` where it has no room or is gone.
    pub async fn another(&self, ssh: &Ssh) -> Option<Box<dyn ByteStream>> {
        let mut identified = None;
        let identify = async {
            let (stream, id) = self.session(ssh, Greeting::Identity).await?;
            identified = Some(stream);
            Some(id)
        };
        self.engine
            .get_or_init(async || identify.await.unwrap_or_default())
            .await;
        if identified.is_none() && !self.is_full.load(Ordering::Relaxed) {
            let session = self.session(ssh, Greeting::Ping).await;
            identified = session.map(|(stream, _)| stream);
        }
        if let Some(stream) = identified {
            return Some(stream);
        }
        if !self.is_alive() {
            return None;
        }
        let forward = self.forward.get_or_init(|| self.forward(ssh)).await;
        let stream = UnixStream::connect(forward.as_ref()?).await.ok()?;
        Some(Box::new(stream))
    }

    /// Opens a session; `None` where the server admits no further one.
    async fn session(
        &self,
        ssh: &Ssh,
        greeting: Greeting,
    ) -> Option<(Box<dyn ByteStream>, String)> {
        match ssh.session(&self.over(), greeting).await {
            Ok((session, answer)) => Some((session.alone(), answer)),
            Err(error) => {
                tracing::debug!(%error, "ssh: no further session on this connection");
                self.is_full.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    /// The options of an `ssh` that goes over this line, and over nothing else.
    fn over(&self) -> [String; 3] {
        [
            "ControlMaster=no".to_owned(),
            self.control.option(),
            // Where the line refuses it, `ssh` would make a connection of its own.
            "ProxyCommand=exec false".to_owned(),
        ]
    }

    /// Has the engine's socket forwarded, and gives the path here if the same engine is behind it.
    async fn forward(&self, ssh: &Ssh) -> Option<PathBuf> {
        let engine = self.engine.get().filter(|id| !id.is_empty())?;
        let socket = ssh.target.socket.as_deref();
        let path = self.control.forwarded();
        let mut command = ssh.command(&self.over()).ok()?;
        let spec = format!(
            "{}:{}",
            path.display(),
            socket.unwrap_or(Path::new(USUAL_SOCKET)).display()
        );
        command.args(["-O", "forward", "-L", &spec]);
        command.args(ssh.place());
        channel::output(command).await.ok()?;
        let mut stream = UnixStream::connect(&path).await.ok()?;
        let id = Greeting::Identity.exchange(&mut stream).await.ok()?;
        tracing::debug!(
            is_same = id == *engine,
            "ssh: the engine's socket is forwarded"
        );
        (id == *engine).then_some(path)
    }
}

/// The control socket of a line, and what lies beside it. The process is killed in the end, and does
/// not clear up.
pub struct Control(PathBuf);

impl Control {
    pub fn new(path: PathBuf) -> Self {
        Control(path)
    }

    /// As an option of `ssh`.
    pub fn option(&self) -> String {
        format!("ControlPath={}", self.0.display())
    }

    /// Where the engine's socket is forwarded to.
    fn forwarded(&self) -> PathBuf {
        self.0.with_extension("engine")
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(self.forwarded());
    }
}
