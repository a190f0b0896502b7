//! An engine on another machine, through the user's own `ssh`: its configuration, agent, jump hosts
//! and known hosts count, and `docker system dial-stdio` passes the bytes on over there.
//!
//! HTTP needs a stream of its own for everything that goes on at the same time. All of them share one
//! connection of ssh's, a *line*:
//!
//! ```text
//! first stream     ssh, which makes the line and a control socket for the others (ControlMaster)
//! further streams  ssh over that socket, as sessions, as long as the server admits them (MaxSessions)
//! then             one forwarded socket of the engine, which takes any number of streams; it is used
//!                  only if the engine behind it is the same one
//! then             another line
//! ```
//!
//! Where the user's configuration shares connections by itself (`ControlPath`), all is left to it: a
//! login by hand may be behind that.

mod channel;
mod greeting;
mod line;
mod refusal;

use super::transport::{ByteStream, Refusal};
use crate::engine::endpoint::SshTarget;
use crate::private;
use crate::programs::Programs;
use greeting::Greeting;
use line::{Control, Line};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

/// What a connection through `ssh` is made with.
#[derive(Debug, Clone, Default)]
pub struct Means {
    pub programs: Programs,
    /// Where control sockets are put, for the user alone.
    pub folder: PathBuf,
    /// There is a program that asks for passphrases on a screen (`SSH_ASKPASS`).
    pub can_ask: bool,
}

/// The way to one machine.
pub struct Ssh {
    target: SshTarget,
    means: Means,
    lines: Mutex<Lines>,
    /// The user's configuration shares connections by itself.
    is_shared: OnceCell<bool>,
}

#[derive(Default)]
struct Lines {
    open: Vec<Arc<Line>>,
    /// How many there have been.
    count: u32,
}

impl Ssh {
    pub fn new(target: SshTarget, means: Means) -> Self {
        Ssh {
            target,
            means,
            lines: Mutex::default(),
            is_shared: OnceCell::new(),
        }
    }

    /// Opens a stream to the engine.
    ///
    /// # Errors
    /// A [`Refusal`] with what `ssh` or the other side says.
    pub async fn connect(&self) -> io::Result<Box<dyn ByteStream>> {
        let is_shared = self.is_shared.get_or_try_init(|| self.looks_shared());
        if *is_shared.await? {
            // The first one may make the connection that the others go over.
            let mut lines = self.lines.lock().await;
            if lines.count > 0 {
                drop(lines);
                return self.alone().await;
            }
            let first = self.alone().await?;
            lines.count = 1;
            return Ok(first);
        }
        loop {
            let line = {
                let mut lines = self.lines.lock().await;
                lines.open.retain(|line| line.is_alive());
                match lines.open.iter().find(|line| line.has_room()) {
                    Some(line) => line.clone(),
                    None => {
                        lines.count += 1;
                        let (line, first) = self.open(lines.count).await?;
                        lines.open.push(Arc::new(line));
                        return Ok(first);
                    }
                }
            };
            if let Some(stream) = line.another(self).await {
                return Ok(stream);
            }
        }
    }

    /// A stream that the user's configuration alone decides about.
    async fn alone(&self) -> io::Result<Box<dyn ByteStream>> {
        let (stream, _) = self.session(&[], Greeting::Ping).await?;
        Ok(stream.alone())
    }

    /// Makes a line, and the first stream over it.
    async fn open(&self, number: u32) -> io::Result<(Line, Box<dyn ByteStream>)> {
        let folder = &self.means.folder;
        private::folder(folder).map_err(|error| {
            Refusal::error(
                format!("{} cannot be made: {error}", folder.display()),
                "set XDG_RUNTIME_DIR to a folder of yours",
            )
        })?;
        let name = format!("ssh-{}-{number}", std::process::id());
        let control = Control::new(folder.join(name));
        let options = [
            "ControlMaster=yes".to_owned(),
            control.option(),
            "ControlPersist=no".to_owned(),
            // Forwards of the user's configuration are for their own sessions.
            "ClearAllForwardings=yes".to_owned(),
        ];
        let (stream, _) = self.session(&options, Greeting::Ping).await?;
        let (process, stream) = stream.apart();
        Ok((Line::new(control, process), stream))
    }

    /// Starts `ssh` for a session with the engine, and waits for the engine's first answer.
    async fn session(
        &self,
        options: &[String],
        greeting: Greeting,
    ) -> io::Result<(channel::Session, String)> {
        let mut command = self.command(options)?;
        command.args(self.place()).arg("docker");
        if let Some(socket) = &self.target.socket {
            command
                .arg("--host")
                .arg(format!("unix://{}", socket.display()));
        }
        command.args(["system", "dial-stdio"]);
        tracing::debug!(?command, "ssh");
        let mut session = channel::start(command)?;
        match greeting.exchange(&mut session).await {
            Ok(answer) => {
                session.process.forget_words();
                Ok((session, answer))
            }
            Err(error) => Err(refusal::of(session.process, &error, &self.target).await),
        }
    }

    /// `ssh` with what all of its runs have in common, up to the options.
    fn command(&self, options: &[String]) -> io::Result<Command> {
        let program = self.means.programs.find("ssh").ok_or_else(|| {
            Refusal::error(
                "there is no program `ssh` in PATH",
                "install it (Debian's package openssh-client)",
            )
        })?;
        let mut command = self.means.programs.command(&program);
        // Ctrl-C is for us: what is under way is put in order over this very connection.
        command.process_group(0);
        command.args(["-T", "-o", "ConnectTimeout=30"]);
        // Out of the terminal's foreground nothing can be asked there.
        match self.means.can_ask {
            true => command.env("SSH_ASKPASS_REQUIRE", "force"),
            false => command.args(["-o", "BatchMode=yes"]),
        };
        for option in options {
            command.args(["-o", option]);
        }
        Ok(command)
    }

    /// The arguments that name the other side.
    fn place(&self) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(user) = &self.target.user {
            all.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.target.port {
            all.extend(["-p".to_owned(), port.to_string()]);
        }
        all.extend(["--".to_owned(), self.target.host.clone()]);
        all
    }

    /// Whether the user's configuration names a control socket for this host.
    async fn looks_shared(&self) -> io::Result<bool> {
        let mut command = self.command(&[])?;
        command.arg("-G").args(self.place());
        let told = channel::output(command).await?;
        // What is wrong with the configuration, the connection itself will tell.
        let path = told
            .lines()
            .find_map(|line| line.strip_prefix("controlpath "));
        Ok(path.is_some_and(|path| path != "none"))
    }
}
