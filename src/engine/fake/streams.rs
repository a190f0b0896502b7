//! The streams of processes, and waiting for their ends.

use super::script::Script;
use super::world::{Exec, World};
use super::{Fake, refuse};
use crate::engine::{
    AttachRequest, Awaited, ContainerState, EngineError, ExecRequest, OutputChunk, OutputStream,
    Reply, Streams,
};
use futures::stream::{self, StreamExt};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};

/// So many bytes of input may be under way to a process.
const PIPE: usize = 64 << 10;

impl World {
    /// Prepares a command, as far as the container's state allows.
    pub fn create_exec(&mut self, id: &str, request: ExecRequest) -> Result<String, EngineError> {
        let exec = self.new_id();
        let container = self.get(id)?;
        match container.state {
            ContainerState::Running => {}
            ContainerState::Paused => {
                return Err(refuse(
                    409,
                    format!("Container {id} is paused, unpause the container before exec"),
                ));
            }
            _ => {
                return Err(refuse(
                    409,
                    format!("container {} is not running", container.id),
                ));
            }
        }
        let prepared = Exec {
            container: container.id.clone(),
            command: request.command,
            is_started: false,
            code: None,
        };
        self.execs.insert(exec.clone(), prepared);
        Ok(exec)
    }

    fn exec(&mut self, exec: &str) -> Result<&mut Exec, EngineError> {
        let gone = || refuse(404, format!("No such exec instance: {exec}"));
        self.execs.get_mut(exec).ok_or_else(gone)
    }

    pub fn exec_exit_code(&mut self, exec: &str) -> Result<Option<i64>, EngineError> {
        Ok(self.exec(exec)?.code)
    }

    /// Only what runs has a terminal to resize.
    pub fn resize(&mut self, id: &str) -> Result<(), EngineError> {
        let container = self.get(id)?;
        match container.state {
            ContainerState::Running => Ok(()),
            _ => Err(refuse(
                409,
                format!("container {} is not running", container.id),
            )),
        }
    }
}

impl Fake {
    /// Runs a prepared command: it writes its own words, or what it reads ([`Script::reads`]).
    pub(super) fn run_exec(
        &self,
        exec: &str,
        request: &ExecRequest,
    ) -> Result<Streams, EngineError> {
        let mut world = self.lock();
        let container = world.exec(exec)?.container.clone();
        let Script {
            exec_code, reads, ..
        } = world.get(&container)?.script;
        let prepared = world.exec(exec)?;
        if std::mem::replace(&mut prepared.is_started, true) {
            return Err(refuse(
                409,
                format!("exec {exec} is already running, or was"),
            ));
        }
        if !reads {
            prepared.code = Some(exec_code);
            let text = format!("{}\n", prepared.command.join(" "));
            let chunk = OutputChunk {
                stream: OutputStream::Stdout,
                bytes: text.into_bytes(),
            };
            return Ok(Streams {
                output: stream::iter([Ok(chunk)]).boxed(),
                // Nobody reads what is written to it.
                input: request.stdin.then(|| Box::pin(duplex(PIPE).0) as _),
            });
        }
        drop(world);
        let (ours, theirs) = duplex(PIPE);
        let (sender, receiver) = mpsc::unbounded_channel();
        let (fake, exec, has_input) = (self.clone(), exec.to_owned(), request.stdin);
        tokio::spawn(async move {
            if has_input {
                let write = |bytes: &[u8]| {
                    // The client may be gone.
                    let _ = sender.send(Ok(OutputChunk {
                        stream: OutputStream::Stdout,
                        bytes: bytes.to_vec(),
                    }));
                };
                read_all(theirs, write).await;
            }
            if let Ok(exec) = fake.lock().exec(&exec) {
                exec.code = Some(exec_code);
            }
        });
        let output = stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        });
        Ok(Streams {
            output: output.boxed(),
            input: request.stdin.then(|| Box::pin(ours) as _),
        })
    }

    /// Attaches to a container: to what it writes from now on, and to its input where that is open.
    pub(super) fn attach(
        &self,
        reference: &str,
        request: &AttachRequest,
    ) -> Result<Streams, EngineError> {
        let mut world = self.lock();
        let container = world.get(reference)?;
        let waits = match container.state {
            ContainerState::Paused => Some("paused, unpause the container before attach"),
            ContainerState::Restarting => Some("restarting, wait until the container is running"),
            _ => None,
        };
        if let Some(waits) = waits {
            return Err(refuse(409, format!("container {reference} is {waits}")));
        }
        let id = container.id.clone();
        let is_open = container.body["OpenStdin"].as_bool() == Some(true);
        let ends_with_us = container.body["StdinOnce"].as_bool() == Some(true);
        let reads = container.script.reads && is_open;
        let reader = Reader {
            changes: self.shared.changes.subscribe(),
            next: container.log.len(),
            // What has not started is waited for; what has ended says nothing more.
            generation: match container.state {
                ContainerState::Created => container.generation + 1,
                _ => container.generation,
            },
            fake: self.clone(),
            id: id.clone(),
        };
        drop(world);
        let (ours, theirs) = duplex(PIPE);
        if reads && request.stdin {
            let fake = self.clone();
            tokio::spawn(async move {
                let mut line = Vec::new();
                let echo = |bytes: &[u8]| {
                    for byte in bytes {
                        match byte {
                            b'\n' => fake.say(&id, &std::mem::take(&mut line)),
                            byte => line.push(*byte),
                        }
                    }
                };
                read_all(theirs, echo).await;
                if !line.is_empty() {
                    fake.say(&id, &line);
                }
                if ends_with_us {
                    fake.exit(&id, 0);
                }
            });
        }
        Ok(Streams {
            output: stream::unfold(reader, Reader::next).boxed(),
            input: request.stdin.then(|| Box::pin(ours) as _),
        })
    }

    fn say(&self, id: &str, line: &[u8]) {
        let text = String::from_utf8_lossy(line).into_owned();
        self.act(id, super::Act::Print(OutputStream::Stdout, text));
    }

    /// Begins to wait for an end.
    pub(super) fn await_end(
        &self,
        reference: &str,
        awaited: Awaited,
    ) -> Result<Reply<'static, i64>, EngineError> {
        let mut world = self.lock();
        let container = world.get(reference)?;
        let (id, before) = (container.id.clone(), container.finished_at);
        let mut changes = self.shared.changes.subscribe();
        drop(world);
        let fake = self.clone();
        Ok(Box::pin(async move {
            loop {
                changes.mark_unchanged();
                let code = {
                    let world = fake.lock();
                    let container = world.containers.get(&id);
                    let last = world.ends.get(&id).copied().unwrap_or_default();
                    match (awaited, container) {
                        (_, None) => Some(last),
                        (Awaited::NotRunning, Some(c)) if !c.is_up() => Some(c.exit_code),
                        (Awaited::NextExit, Some(c)) if !c.is_up() && c.finished_at != before => {
                            Some(c.exit_code)
                        }
                        _ => None,
                    }
                };
                if let Some(code) = code {
                    return Ok(code);
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }))
    }
}

/// Takes all that comes until its end.
async fn read_all(mut from: DuplexStream, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        take(&buffer[..n]);
    }
}

/// The lines of one life of a container, from now on.
struct Reader {
    fake: Fake,
    changes: watch::Receiver<u64>,
    id: String,
    /// Index of the next line.
    next: usize,
    /// The life that is meant.
    generation: u64,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<OutputChunk, EngineError>, Self)> {
        loop {
            self.changes.mark_unchanged();
            let (line, is_over) = {
                let mut world = self.fake.lock();
                let container = world.get(&self.id).ok()?;
                let line = container.log.get(self.next).cloned();
                let has_begun = container.generation >= self.generation;
                (line, has_begun && !container.is_up())
            };
            if let Some(line) = line {
                self.next += 1;
                let chunk = OutputChunk {
                    stream: line.stream,
                    bytes: format!("{}\n", line.text).into_bytes(),
                };
                return Some((Ok(chunk), self));
            }
            if is_over || self.changes.changed().await.is_err() {
                return None;
            }
        }
    }
}
