//! The command line: the list of commands, and the one place where a command runs.

use crate::cli::argv::{Inquiry, Invocation};
use crate::commands;
use crate::context::Context;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::{Cause, Stage};
use crate::options::Globals;
use crate::output;
use crate::signals;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

pub mod argv;
mod fault;
pub mod usage;

/// Runs a whole multi-container application from one Compose file
#[derive(Debug, Parser)]
#[command(
    name = "regatta",
    disable_version_flag = true,
    args_override_self = true
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    /// Print the version
    #[arg(short = 'v', long, hide = true)]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// A command of regatta.
#[derive(Debug, Subcommand)]
enum Command {
    /// Attach to a running container of a service
    Attach(commands::attach::AttachArgs),
    /// Build images
    Build(commands::build::BuildArgs),
    /// Print the script that completes command lines in a shell
    Completion(commands::completion::CompletionArgs),
    /// Print the resolved configuration
    #[command(alias = "convert")]
    Config(commands::config::ConfigArgs),
    /// Experimental commands
    #[command(hide = true)]
    Alpha(commands::alpha::AlphaArgs),
    /// Convert the project into another form
    Bridge(commands::bridge::BridgeArgs),
    /// Create an image from a service container's changes
    Commit(commands::commit::CommitArgs),
    /// Copy files between containers and this machine
    Cp(commands::cp::CpArgs),
    /// Create containers without starting them
    Create(commands::create::CreateArgs),
    /// Stop and remove containers and networks
    Down(commands::down::DownArgs),
    /// Send a signal to containers
    Kill(commands::kill::KillArgs),
    /// Run a command in a running container
    Exec(commands::exec::ExecArgs),
    /// Show where a value comes from: files, variables, anchors, extends, defaults
    Explain(commands::explain::ExplainArgs),
    /// Print what happens to containers, as it happens
    Events(commands::events::EventsArgs),
    /// Export a container's file system as a tar archive
    Export(commands::export::ExportArgs),
    /// List the images of the project's containers
    Images(commands::images::ImagesArgs),
    /// Show the output of containers
    Logs(commands::logs::LogsArgs),
    /// List projects
    Ls(commands::ls::LsArgs),
    /// Write manual pages
    Man(commands::man::ManArgs),
    /// Pause services
    Pause(commands::pause::PauseArgs),
    /// Show what `up` would change and why, without changing anything
    ///
    /// Exit codes: 0 nothing would change, 2 something would, 1 an error. What `up` does every time
    /// (a one-shot that ended well runs again) is shown apart; `--ignore-oneshots` does not count it.
    #[command(verbatim_doc_comment)]
    Plan(commands::plan::PlanArgs),
    /// Print where a container's port is published
    Port(commands::port::PortArgs),
    /// List containers
    Ps(commands::ps::PsArgs),
    /// Publish the project's files to a registry
    Publish(commands::publish::PublishArgs),
    /// Pull images
    Pull(commands::pull::PullArgs),
    /// Push images
    Push(commands::push::PushArgs),
    /// Restart existing containers
    Restart(commands::restart::RestartArgs),
    /// Remove stopped containers
    Rm(commands::rm::RmArgs),
    /// Run a command in a new container of a service
    Run(commands::run::RunArgs),
    /// Set the number of replicas of services
    Scale(commands::scale::ScaleArgs),
    /// Start existing containers
    Start(commands::start::StartArgs),
    /// Show what containers use, as it changes
    Stats(commands::stats::StatsArgs),
    /// Stop containers without removing them
    Stop(commands::stop::StopArgs),
    /// List the processes in containers
    Top(commands::top::TopArgs),
    /// Unpause services
    Unpause(commands::unpause::UnpauseArgs),
    /// Create and start the project's containers
    Up(commands::up::UpArgs),
    /// Show the version
    Version(commands::version::VersionArgs),
    /// List volumes
    Volumes(commands::volumes::VolumesArgs),
    /// Wait until the containers of services have stopped
    Wait(commands::wait::WaitArgs),
    /// Start the project and copy changed files into its containers
    Watch(commands::watch::WatchArgs),
}

impl Command {
    /// The word on the command line; it heads the progress display.
    fn name(&self) -> &'static str {
        match self {
            Command::Alpha(_) => "alpha",
            Command::Attach(_) => "attach",
            Command::Bridge(_) => "bridge",
            Command::Build(_) => "build",
            Command::Completion(_) => "completion",
            Command::Commit(_) => "commit",
            Command::Events(_) => "events",
            Command::Export(_) => "export",
            Command::Images(_) => "images",
            Command::Pause(_) => "pause",
            Command::Port(_) => "port",
            Command::Stats(_) => "stats",
            Command::Top(_) => "top",
            Command::Unpause(_) => "unpause",
            Command::Volumes(_) => "volumes",
            Command::Wait(_) => "wait",
            Command::Config(_) => "config",
            Command::Cp(_) => "copy",
            Command::Create(_) => "create",
            Command::Down(_) => "down",
            Command::Kill(_) => "kill",
            Command::Exec(_) => "exec",
            Command::Explain(_) => "explain",
            Command::Logs(_) => "logs",
            Command::Ls(_) => "ls",
            Command::Man(_) => "man",
            Command::Plan(_) => "plan",
            Command::Ps(_) => "ps",
            Command::Publish(_) => "publish",
            Command::Pull(_) => "pull",
            Command::Push(_) => "push",
            Command::Restart(_) => "restart",
            Command::Rm(_) => "rm",
            Command::Run(_) => "run",
            Command::Scale(_) => "scale",
            Command::Start(_) => "start",
            Command::Stop(_) => "stop",
            Command::Up(_) => "up",
            Command::Version(_) => "version",
            Command::Watch(_) => "watch",
        }
    }

    async fn run(self, ctx: &Context) -> Result<ExitCode, CliError> {
        match self {
            Command::Attach(args) => commands::attach::run(ctx, args).await,
            Command::Alpha(args) => commands::alpha::run(ctx, args).await,
            Command::Bridge(args) => commands::bridge::run(ctx, args).await,
            Command::Build(args) => commands::build::run(ctx, args).await,
            // They are run before there is a context.
            Command::Completion(_) | Command::Man(_) => Ok(ExitCode::SUCCESS),
            Command::Commit(args) => commands::commit::run(ctx, args).await,
            Command::Events(args) => commands::events::run(ctx, args).await,
            Command::Export(args) => commands::export::run(ctx, args).await,
            Command::Images(args) => commands::images::run(ctx, args).await,
            Command::Pause(args) => commands::pause::run(ctx, args).await,
            Command::Port(args) => commands::port::run(ctx, args).await,
            Command::Stats(args) => commands::stats::run(ctx, args).await,
            Command::Top(args) => commands::top::run(ctx, args).await,
            Command::Unpause(args) => commands::unpause::run(ctx, args).await,
            Command::Volumes(args) => commands::volumes::run(ctx, args).await,
            Command::Wait(args) => commands::wait::run(ctx, args).await,
            Command::Config(args) => commands::config::run(ctx, args).await,
            Command::Cp(args) => commands::cp::run(ctx, args).await,
            Command::Create(args) => commands::create::run(ctx, args).await,
            Command::Down(args) => commands::down::run(ctx, args).await,
            Command::Kill(args) => commands::kill::run(ctx, args).await,
            Command::Exec(args) => commands::exec::run(ctx, args).await,
            Command::Explain(args) => commands::explain::run(ctx, &args),
            Command::Logs(args) => commands::logs::run(ctx, args).await,
            Command::Ls(args) => commands::ls::run(ctx, args).await,
            Command::Plan(args) => commands::plan::run(ctx, args).await,
            Command::Ps(args) => commands::ps::run(ctx, args).await,
            Command::Publish(args) => commands::publish::run(ctx, args).await,
            Command::Pull(args) => commands::pull::run(ctx, args).await,
            Command::Push(args) => commands::push::run(ctx, args).await,
            Command::Restart(args) => commands::restart::run(ctx, args).await,
            Command::Rm(args) => commands::rm::run(ctx, args).await,
            Command::Run(args) => commands::run::run(ctx, args).await,
            Command::Scale(args) => commands::scale::run(ctx, args).await,
            Command::Start(args) => commands::start::run(ctx, args).await,
            Command::Stop(args) => commands::stop::run(ctx, args).await,
            Command::Up(args) => commands::up::run(ctx, args).await,
            Command::Version(args) => commands::version::run(ctx.program, args),
            Command::Watch(args) => commands::watch::run(ctx, args).await,
        }
    }
}

/// Parses the arguments, runs the command, shows what went wrong, and gives the exit code.
pub fn run(args: Vec<OsString>) -> ExitCode {
    fault::report_panics();
    signals::survive_full_files();
    let invocation = argv::read(args);
    match invocation.inquiry {
        None => {}
        Some(Inquiry::Metadata) => {
            let written = output::write(commands::version::PLUGIN_METADATA);
            return finish(written.map_err(CliError::from), false);
        }
        // Docker Compose has a hint for users of Docker Desktop, and nothing for others.
        Some(Inquiry::Hooks) => return ExitCode::SUCCESS,
        Some(Inquiry::Completion { has_descriptions }) => {
            return finish(complete(&invocation, has_descriptions), false);
        }
    }
    let mut parser = usage::parser(Cli::command(), &invocation);
    let cli = match parser
        .try_get_matches_from_mut(&invocation.args)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
    {
        Ok(cli) => cli,
        Err(error) => return usage::show(&mut parser, &error, &invocation),
    };
    let command = match cli.command {
        Some(command) => command,
        None if cli.version => Command::Version(Default::default()),
        None => return usage::help(&mut parser),
    };
    // These read nothing and ask nobody, not even for an env file.
    let command = match command {
        Command::Version(args) => {
            return finish(commands::version::run(invocation.program, args), false);
        }
        Command::Completion(args) => {
            return finish(commands::completion::run(&invocation.name(), &args), false);
        }
        Command::Man(args) => return finish(commands::man::run(Cli::command(), &args), false),
        command => command,
    };
    let mut globals = cli.globals;
    if matches!(&command, Command::Run(args) if args.quiet) {
        globals.progress = Some("quiet".to_owned());
    }
    match Context::new(globals, invocation.program, command.name()) {
        Ok(ctx) => {
            let json = ctx.style.mode == output::Mode::Json;
            finish(start(command, ctx), json)
        }
        Err(error) => finish::<()>(Err(error), false),
    }
}

/// The parser's own tables.
#[cfg(test)]
pub(crate) fn parser() -> clap::Command {
    Cli::command()
}

/// Says how a command line goes on. Nothing is told of what is wrong with it, or with the project.
fn complete(invocation: &Invocation, has_descriptions: bool) -> Result<(), CliError> {
    let words = invocation.args[1..].iter();
    let mut words: Vec<String> = words.map(|w| w.to_string_lossy().into_owned()).collect();
    let last = words.pop().unwrap_or_default();
    let mut root = usage::parser(Cli::command(), invocation);
    root.build();
    let question = commands::completion::question(&root, &words, &last);
    let own = words.iter().take(question.globals).map(OsString::from);
    let line: Vec<OsString> = std::iter::once("regatta".into()).chain(own).collect();
    let matches = root.try_get_matches_from_mut(line);
    let globals = matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    let globals = globals.map(|cli| Globals {
        progress: Some("quiet".to_owned()),
        ..cli.globals
    });
    let ctx = globals.ok();
    let ctx = ctx.and_then(|globals| Context::new(globals, invocation.program, "completion").ok());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = commands::completion::answer(ctx.as_ref(), question, has_descriptions);
    let written = runtime.block_on(answer);
    runtime.shutdown_background();
    written
}

fn start(command: Command, ctx: Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let (ctx, drawing) = ctx.with_drawing();
        let interrupts = ctx.interrupts.clone();
        // What is not known is found out as long as the calls are under way.
        let left = async {
            interrupts.reached(Stage::Leaving).await;
            let cause = interrupts.cause().unwrap_or(Cause::Interrupt);
            CliError::interrupted(cause).say(ctx.unanswered())
        };
        let result = tokio::select! {
            biased;
            error = left => Err(error),
            result = command.run(&ctx) => result,
        };
        if interrupts.stage() > Stage::Running {
            output::hurry(interrupts.stage() == Stage::Leaving);
        }
        drawing.finish().await;
        result
    });
    // A thread that reads a build's context may hang in its file system: nobody waits for it.
    runtime.shutdown_background();
    result
}

fn finish<T: Into<Done>>(result: Result<T, CliError>, json: bool) -> ExitCode {
    let code = match result {
        Ok(done) => done.into().0,
        Err(error) => {
            error.trace_sources();
            if let Some((message, hints)) = error.lines() {
                output::error(message, hints, json);
            }
            error.exit().into()
        }
    };
    // Findings of a file that was read before anything was drawn may still be on their way.
    output::wait();
    code
}

/// The exit code of a command that did not fail.
struct Done(ExitCode);

impl From<()> for Done {
    fn from((): ()) -> Self {
        Done(Exit::Success.into())
    }
}

impl From<ExitCode> for Done {
    fn from(code: ExitCode) -> Self {
        Done(code)
    }
}
