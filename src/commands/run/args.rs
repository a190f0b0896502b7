//! The flags of `run`, and what they change of the service.

use super::environment::Variables;
use crate::commands::changing::Changing;
use crate::commands::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::load::short;
use crate::output;
use crate::service::mount::{Mount, MountKind};
use crate::service::one_off::Changes;
use crate::service::port::Port;
use crate::terminal;
use crate::tree::{DecodeError, Node, Span};
use crate::value::words;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta run [OPTIONS] SERVICE [COMMAND] [ARG...]")]
pub struct RunArgs {
    /// The service, and the command with its arguments (default: the service's own)
    // One list, since options end at the service: all after it belongs to the command.
    #[arg(
        value_name = "SERVICE COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<String>,
    /// Run in the background and print the container's id
    #[arg(short, long)]
    pub detach: bool,
    /// Remove the container when it exits
    #[arg(long)]
    pub rm: bool,
    /// Name of the container
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Use this entrypoint instead of the image's; the service's command does not count then
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    /// Set a variable: NAME=VALUE, or NAME to pass on its value (repeatable)
    #[arg(short, long = "env", value_name = "VARIABLE")]
    env: Vec<String>,
    /// Set the variables of a file; --env counts more (repeatable)
    #[arg(long, value_name = "FILE")]
    env_from_file: Vec<String>,
    /// Run as this user
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Run in this directory
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Mount a volume or a path: [SOURCE:]TARGET[:OPTIONS] (repeatable)
    #[arg(short, long = "volume", alias = "volumes", value_name = "VOLUME")]
    volume: Vec<String>,
    #[arg(
        short,
        long,
        value_name = "PORT",
        help = "Publish a port: [[HOST_IP:]HOST_PORT:]PORT (repeatable)"
    )]
    pub publish: Vec<String>,
    /// Publish the ports of the service
    #[arg(short = 'P', long)]
    service_ports: bool,
    /// Answer to the service's names on its networks
    #[arg(long)]
    pub use_aliases: bool,
    /// Add a capability (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// Drop a capability (repeatable)
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// Set a label: KEY=VALUE (repeatable)
    #[arg(short, long = "label", alias = "labels", value_name = "LABEL")]
    label: Vec<String>,
    /// Keep standard input open (the default)
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    interactive: Option<bool>,
    /// Run without a terminal (default: where input or output is not one)
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    no_tty: Option<bool>,
    /// Run with a terminal
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    tty: Option<bool>,
    /// Keys that leave the container running, e.g. ctrl-p,ctrl-q
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<String>,
    /// Exclude the service's dependencies
    #[arg(long)]
    pub no_deps: bool,
    /// Build images before starting
    #[arg(long)]
    build: bool,
    /// When to pull: always, missing, never, build or if_not_present
    #[arg(long, value_name = "WHEN")]
    pull: Option<String>,
    /// Show nothing but what the command prints
    #[arg(short, long)]
    pub quiet: bool,
    /// Hide build output
    #[arg(long)]
    quiet_build: bool,
    /// Hide per-layer progress
    #[arg(long)]
    quiet_pull: bool,
    /// Remove containers of services that the project does not declare
    #[arg(long)]
    pub remove_orphans: bool,
    #[command(flatten)]
    adoption: Adoption,
    /// Answer yes to every question
    #[arg(short, long)]
    pub yes: bool,
}

/// What of ours the container gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    pub tty: bool,
    pub stdin: bool,
}

impl RunArgs {
    /// The service, and the command for it.
    ///
    /// # Errors
    /// Where no service is named, and for flags that contradict each other, in Compose's words.
    pub fn service(&self) -> Result<(&str, &[String]), CliError> {
        let Some((service, command)) = self.words.split_first() else {
            return Err(CliError::new("requires at least 1 arg(s), only received 0")
                .hint("write: run [OPTIONS] SERVICE [COMMAND] [ARG...]"));
        };
        if service.starts_with('-') {
            return Err(CliError::new(format!("unknown flag: {service}")));
        }
        if !self.publish.is_empty() && self.service_ports {
            return Err(CliError::new(
                "--service-ports and --publish are incompatible",
            ));
        }
        if self.tty.is_some() && self.no_tty.is_some() {
            return Err(CliError::new("--tty and --no-tty can't be used together"));
        }
        Ok((service, command))
    }

    /// Whether the container gets a terminal, and our input: by flags, and else by what our own
    /// streams are.
    pub fn streams(&self) -> Streams {
        self.streams_beside(terminal::is_input(), output::is_terminal())
    }

    fn streams_beside(&self, is_input: bool, is_output: bool) -> Streams {
        let unsaid = self.no_tty.is_none() && self.interactive.is_none();
        let tty = match (self.tty, self.no_tty) {
            (Some(tty), _) => tty,
            (None, Some(no_tty)) => !no_tty,
            (None, None) => is_output && (is_input || !unsaid),
        };
        Streams {
            tty,
            stdin: self.interactive.unwrap_or(true),
        }
    }

    /// How what the service depends on is brought up.
    pub fn changing(&self) -> Changing {
        Changing::of_run(
            self.adoption,
            self.build,
            self.pull.clone(),
            [self.quiet_pull, self.quiet_build],
            self.remove_orphans,
        )
    }

    /// What the flags change of the service.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn changes(&self, ctx: &Context, command: &[String]) -> Result<Changes, CliError> {
        let wrong =
            |flag: &str, text: &str, what: &str| CliError::new(format!("--{flag} {text}: {what}"));
        let entrypoint = self.entrypoint.as_ref().map(|line| {
            words::split(line).map_err(|error| wrong("entrypoint", line, &error.to_string()))
        });
        let mut labels = BTreeMap::new();
        for label in &self.label {
            let (key, value) = label
                .split_once('=')
                .ok_or_else(|| CliError::new("label must be set as KEY=VALUE"))?;
            labels.insert(key.to_owned(), value.to_owned());
        }
        let mut ports = Vec::new();
        for text in &self.publish {
            let nodes = short::port::parse(text, Span::default())
                .map_err(|fault| wrong("publish", text, &fault.what))?;
            for node in &nodes {
                let port = typed::<Port>(node).map_err(|what| wrong("publish", text, &what))?;
                ports.push(port);
            }
        }
        let mut mounts = Vec::new();
        for text in &self.volume {
            let node = short::volume::parse(text, Span::default())
                .map_err(|fault| wrong("volume", text, &fault.what))?;
            let mount = typed::<Mount>(&node).map_err(|what| wrong("volume", text, &what))?;
            if !mount.target.starts_with('/') {
                let what = format!(
                    "the path in the container, `{}`, is not absolute",
                    mount.target
                );
                return Err(wrong("volume", text, &what));
            }
            mounts.push(absolute(mount, &ctx.cwd));
        }
        let variables = Variables {
            given: &self.env,
            files: &self.env_from_file,
        };
        let Streams { tty, stdin } = self.streams();
        Ok(Changes {
            command: command.to_vec(),
            entrypoint: entrypoint.transpose()?,
            environment: variables.read(ctx)?,
            user: self.user.clone().filter(|user| !user.is_empty()),
            working_dir: self.workdir.clone().filter(|dir| !dir.is_empty()),
            cap_add: self.cap_add.clone(),
            cap_drop: self.cap_drop.clone(),
            labels,
            ports: (!self.service_ports).then_some(ports),
            mounts,
            tty,
            stdin,
        })
    }
}

fn typed<'n, T: Deserialize<'n>>(node: &'n Node) -> Result<T, String> {
    T::deserialize(node).map_err(|error: DecodeError| error.to_string())
}

/// A path of this machine begins where the user is.
fn absolute(mut mount: Mount, cwd: &Path) -> Mount {
    if mount.kind == MountKind::Bind {
        let source = mount.source.as_ref();
        mount.source =
            source.map(|path| crate::value::path::clean(&cwd.join(path).to_string_lossy()));
    }
    mount
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: RunArgs,
    }

    fn parse(words: &[&str]) -> RunArgs {
        let line = std::iter::once("run").chain(words.iter().copied());
        Line::try_parse_from(line).expect("arguments").args
    }

    #[test]
    fn flags_end_at_the_service() {
        let args = parse(&["--rm", "web", "ls", "--rm", "-T"]);
        let (service, command) = args.service().unwrap();
        assert_eq!(
            (service, command),
            ("web", &["ls", "--rm", "-T"].map(str::to_owned)[..])
        );
        assert!(args.rm && args.no_tty.is_none());
        for (words, message) in [
            (&[][..], "requires at least 1 arg(s), only received 0"),
            (
                &["-P", "-p", "80", "web"],
                "--service-ports and --publish are incompatible",
            ),
            (
                &["-t", "-T", "web"],
                "--tty and --no-tty can't be used together",
            ),
        ] {
            let error = parse(words).service().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn a_terminal_is_given_where_there_is_one() {
        // Flags; whether input and output are terminals; whether the container gets one.
        for (flags, input, out, tty) in [
            (&[][..], true, true, true),
            (&[], false, true, false),
            (&[], true, false, false),
            (&["-i"], false, true, true),
            (&["-i"], true, false, false),
            (&["-T"], true, true, false),
            (&["--no-tty=false"], false, false, true),
            (&["-t"], false, false, true),
            (&["--tty=false"], true, true, false),
        ] {
            let words: Vec<&str> = flags.iter().copied().chain(["web"]).collect();
            let streams = parse(&words).streams_beside(input, out);
            assert_eq!(streams.tty, tty, "{flags:?} {input} {out}");
            assert!(streams.stdin);
        }
        assert!(!parse(&["--interactive=false", "web"]).streams().stdin);
    }

    #[test]
    fn a_path_begins_where_the_user_is() {
        let bind = |source: &str| Mount {
            kind: MountKind::Bind,
            source: Some(source.into()),
            ..Mount::default()
        };
        for (source, expected) in [("./a", "/home/a"), ("../a", "/a"), ("/x", "/x")] {
            let mount = absolute(bind(source), Path::new("/home"));
            assert_eq!(mount.source.as_deref(), Some(expected));
        }
    }
}
