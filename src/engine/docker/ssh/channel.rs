//! A process of `ssh` as a stream of bytes.

use crate::engine::docker::transport::{ByteStream, Refusal};
use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Of what a process writes to its standard error no more is kept, in bytes.
const KEPT: usize = 8 << 10;

/// What a process has written to its standard error.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Vec<u8>>>);

impl Words {
    async fn listen(self, mut from: ChildStderr) {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            words.extend_from_slice(&buffer[..count]);
            let surplus = words.len().saturating_sub(KEPT);
            words.drain(..surplus);
        }
    }

    fn text(&self) -> String {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&words).trim().to_owned()
    }
}

/// A running `ssh`; it ends when nobody holds it any more.
pub struct Process {
    child: Child,
    words: Words,
}

impl Process {
    /// Waits for its end.
    pub async fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it has written to its standard error.
    pub fn words(&self) -> String {
        self.words.text()
    }

    /// What it has said so far was about making the connection, which stands.
    pub fn forget_words(&self) {
        let mut words = self.words.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.clear();
    }
}

/// The two directions of a process.
struct Pipes {
    input: Option<ChildStdin>,
    output: ChildStdout,
    words: Words,
}

/// A process with its two directions.
pub struct Session {
    pub process: Process,
    pipes: Pipes,
}

impl Session {
    /// The stream, and the process for somebody else to hold.
    pub fn apart(self) -> (Process, Box<dyn ByteStream>) {
        (self.process, Box::new(self.pipes))
    }

    /// The stream, with which the process ends.
    pub fn alone(self) -> Box<dyn ByteStream> {
        Box::new(self)
    }
}

/// Starts a process as a stream.
pub fn start(mut command: Command) -> io::Result<Session> {
    let started = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| {
        Refusal::error(
            format!("`ssh` cannot be started: {error}"),
            "is it a program?",
        )
    })?;
    let words = Words::default();
    if let Some(from) = child.stderr.take() {
        tokio::spawn(words.clone().listen(from));
    }
    let lost = || io::Error::from(io::ErrorKind::BrokenPipe);
    let pipes = Pipes {
        input: Some(child.stdin.take().ok_or_else(lost)?),
        output: child.stdout.take().ok_or_else(lost)?,
        words: words.clone(),
    };
    let process = Process { child, words };
    Ok(Session { process, pipes })
}

/// Runs a process to its end, and gives what it has written to its standard output; nothing where it
/// failed.
pub async fn output(mut command: Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output().await?;
    Ok(match output.status.success() {
        true => String::from_utf8_lossy(&output.stdout).into_owned(),
        false => String::new(),
    })
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
        let words = match buf.filled().len() == before {
            true => self.words.text(),
            false => String::new(),
        };
        // An end with words is none that the engine meant.
        Poll::Ready(match words.lines().last() {
            Some(last) => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                last.to_owned(),
            )),
            None => Ok(()),
        })
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.input {
            Some(input) => Pin::new(input).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// The other side sees the end of what we send; what it sends still comes.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        self.input = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Session {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().pipes).poll_read(cx, buf)
    }
}

impl AsyncWrite for Session {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().pipes).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().pipes).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().pipes).poll_shutdown(cx)
    }
}
