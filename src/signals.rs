//! Hearing signals, whatever the rest of the program does.
//!
//! Commands run on one thread. Where that one computes, reads a file or writes to a terminal that is
//! paused, it hears nothing. So signals are heard on a thread of their own, which passes them on as
//! [`Stage`]s. Once somebody is to leave, the work has a moment to say its last words; then this
//! thread ends the program. Before the first [`hear`] the system does that at the first signal.

pub mod process;

use crate::interrupt::{Cause, Interrupts, Stage};
use crate::output;
use crate::terminal::mode;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
#[cfg(unix)]
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedSender;

/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// As long as this lives, signals that would end the program go to somebody who passes them on.
#[derive(Debug)]
pub struct Diversion(u64);

impl Diversion {
    /// Diverts them; of several the last one counts.
    pub fn to(sender: UnboundedSender<Cause>) -> Self {
        let mut listeners = listeners();
        let number = listeners.next;
        listeners.next += 1;
        listeners.diversions.push((number, sender));
        Diversion(number)
    }
}

impl Drop for Diversion {
    fn drop(&mut self) {
        let mut listeners = listeners();
        listeners.diversions.retain(|(number, _)| *number != self.0);
    }
}

/// As long as this lives, signals go to the [`Interrupts`] it was made for.
#[derive(Debug)]
pub struct Hearing(u64);

impl Drop for Hearing {
    fn drop(&mut self) {
        listeners().all.retain(|(number, _)| *number != self.0);
    }
}

struct Listeners {
    all: Vec<(u64, Interrupts)>,
    diversions: Vec<(u64, UnboundedSender<Cause>)>,
    next: u64,
    is_heard: bool,
}

static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners {
    all: Vec::new(),
    diversions: Vec::new(),
    next: 0,
    is_heard: false,
});

fn listeners() -> MutexGuard<'static, Listeners> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes signals over from here on: SIGINT, SIGTERM and (unless it is ignored, as by `nohup`) SIGHUP.
/// Where that cannot be done, the system goes on ending the program at the first one.
///
/// `docker` as our parent passes its own signals on by closing a socket (`DOCKER_CLI_PLUGIN_SOCKET`),
/// which counts as SIGINT, unless a signal to the whole group has come to us as well.
pub fn hear(interrupts: Interrupts, parent: Option<&str>) -> Hearing {
    let mut listeners = listeners();
    let number = listeners.next;
    listeners.next += 1;
    listeners.all.push((number, interrupts));
    if !listeners.is_heard {
        match listen(parent) {
            Ok(()) => listeners.is_heard = true,
            Err(error) => tracing::debug!(%error, "signals are left to the system"),
        }
    }
    Hearing(number)
}

/// Tells everybody, and gives whether somebody leaves with that. Where nobody listens (any more)
/// there is nothing to put in order.
fn pass_on(cause: Cause) -> bool {
    let listeners = listeners();
    let mut diversions = listeners.diversions.iter().rev();
    if diversions.any(|(_, sender)| sender.send(cause).is_ok()) {
        return false;
    }
    for (_, interrupts) in &listeners.all {
        interrupts.signal(cause);
    }
    let mut all = listeners.all.iter();
    listeners.all.is_empty() || all.any(|(_, i)| i.stage() == Stage::Leaving)
}

/// What was heard: a signal, or that our parent has closed its socket.
#[derive(Debug, Clone, Copy)]
struct Word {
    cause: Cause,
    is_of_parent: bool,
}

impl Word {
    /// A signal to the whole process group is heard twice, from the system and from our parent.
    const TOGETHER: Duration = Duration::from_secs(1);

    /// Whether it only repeats what the other one has said just now. `last` is when what was said, where
    /// that was not answered for yet.
    fn repeats(self, last: &mut Option<(Instant, bool)>) -> bool {
        let other = last.filter(|(_, is_of_parent)| *is_of_parent != self.is_of_parent);
        let repeats = other.is_some_and(|(when, _)| when.elapsed() < Word::TOGETHER);
        *last = (!repeats).then(|| (Instant::now(), self.is_of_parent));
        repeats
    }
}

/// Starts the thread. The handlers are there when this returns.
#[cfg(unix)]
fn listen(parent: Option<&str>) -> io::Result<()> {
    use futures::stream::{SelectAll, StreamExt, unfold};
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = Kept(Some(
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?,
    ));
    let mut kinds = vec![
        (SignalKind::interrupt(), Cause::Interrupt),
        (SignalKind::terminate(), Cause::Terminate),
    ];
    if !is_ignored(SignalKind::hangup().as_raw_value()) {
        kinds.push((SignalKind::hangup(), Cause::Hangup));
    }
    let mut signals = SelectAll::new();
    let guard = runtime.0.as_ref().map(Runtime::enter);
    for (kind, cause) in kinds {
        let signal = signal(kind)?;
        let heard = unfold(signal, move |mut signal| async move {
            signal.recv().await?;
            Some((
                Word {
                    cause,
                    is_of_parent: false,
                },
                signal,
            ))
        });
        signals.push(heard.boxed());
    }
    // A parent that is not to be reached has ended, or is another program's.
    if let Some(Ok(parent)) = parent.map(socket) {
        let closed = async move {
            closed(parent).await;
            Word {
                cause: Cause::Interrupt,
                is_of_parent: true,
            }
        };
        signals.push(futures::stream::once(closed).boxed());
    }
    drop(guard);
    let work = async move {
        let mut last = None;
        while let Some(word) = signals.next().await {
            let cause = word.cause;
            if word.repeats(&mut last) || !pass_on(cause) {
                continue;
            }
            // A further signal asks for an end without last words, too.
            let _ = tokio::time::timeout(LAST_WORDS, signals.next()).await;
            mode::restore();
            output::abandon();
            std::process::exit(cause.exit_code().into());
        }
    };
    let listen = move || {
        let mut runtime = runtime;
        if let Some(runtime) = runtime.0.take() {
            runtime.block_on(work);
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .stack_size(256 << 10)
        .spawn(listen)
        .map(drop)
}

/// Connects to a socket by its path, or by its name where it begins with `@`.
#[cfg(unix)]
fn socket(name: &str) -> io::Result<tokio::net::UnixStream> {
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixStream};
    let address = match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let stream = UnixStream::connect_addr(&address)?;
    stream.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(stream)
}

/// Ends when the other side has closed a socket.
#[cfg(unix)]
async fn closed(mut stream: tokio::net::UnixStream) {
    use tokio::io::AsyncReadExt;
    let mut said = [0; 64];
    while let Ok(1..) = stream.read(&mut said).await {}
}

/// A runtime that may be dropped within another one: where no thread could be started for it.
#[cfg(unix)]
struct Kept(Option<Runtime>);

#[cfg(unix)]
impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(not(unix))]
fn listen(_: Option<&str>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What is written beyond the largest size of a file (`ulimit -f`) is an error, which is told; without
/// this the system ends the program. Started programs get the system's way back.
#[cfg(unix)]
pub fn survive_full_files() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    let _guard = runtime.enter();
    // The handler stays when nobody listens any more.
    let heard = signal(SignalKind::from_raw(FILE_SIZE));
    drop(heard);
}

#[cfg(not(unix))]
pub fn survive_full_files() {}

/// `SIGXFSZ`, which has this number on all systems that we are built for.
#[cfg(unix)]
const FILE_SIZE: i32 = 25;

/// Whether the program was started with this signal ignored; only Linux tells.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_to_the_whole_group_is_heard_once() {
        let word = |is_of_parent| Word {
            cause: Cause::Interrupt,
            is_of_parent,
        };
        let (signal, parent) = (word(false), word(true));
        let mut last = None;
        let mut heard = |word: Word| word.repeats(&mut last);
        // Ctrl-C twice asks for more; the parent's word about the second adds nothing.
        assert!(!heard(signal) && !heard(signal) && heard(parent));
        assert!(!heard(parent) && heard(signal) && !heard(signal));
        let long_ago = Instant::now().checked_sub(2 * Word::TOGETHER).unwrap();
        assert!(!parent.repeats(&mut Some((long_ago, false))));
    }

    #[tokio::test]
    async fn a_parent_tells_by_closing_its_socket() {
        use std::time::Duration;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let server = tokio::net::UnixListener::bind(&path).unwrap();
        let ours = socket(path.to_str().unwrap()).unwrap();
        let (theirs, _) = server.accept().await.unwrap();
        theirs.writable().await.unwrap();
        theirs.try_write(b"something else").unwrap();
        let mut end = std::pin::pin!(closed(ours));
        let soon = Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, &mut end).await.is_err());
        drop(theirs);
        end.await;
        assert!(socket(dir.path().join("none").to_str().unwrap()).is_err());
        #[cfg(target_os = "linux")]
        assert!(socket("@regatta-no-such-socket").is_err());
    }

    /// Where no thread can be started, the runtime for it goes while commands run on theirs.
    #[tokio::test]
    async fn a_runtime_without_a_thread_goes_quietly() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        drop(Kept(Some(runtime.expect("a runtime"))));
    }
}
