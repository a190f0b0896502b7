//! The command line: global options, the list of commands, and the one place where a command runs.

use crate::commands;
use crate::context::Context;
use crate::error::CliError;
use crate::interrupt::{Cause, Stage};
use crate::output;
use crate::signals;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

pub mod argv;
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

/// Options before the command. Those of the `docker` program, which calls a plugin with its own
/// options in front, are among them.
#[derive(Debug, Clone, Default, Args)]
pub struct Globals {
    /// Compose file (repeatable, later ones override; `-` reads standard input)
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Project name
    #[arg(short = 'p', long, value_name = "NAME")]
    pub project_name: Option<String>,
    /// Enable a profile (repeatable; `*` enables all)
    #[arg(long = "profile", value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// File of variables to use instead of .env (repeatable)
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<String>,
    /// Directory that relative paths start from (default: that of the first Compose file)
    #[arg(long, value_name = "DIR")]
    pub project_directory: Option<PathBuf>,
    /// The old name of --project-directory
    #[arg(long, value_name = "DIR", hide = true)]
    pub workdir: Option<PathBuf>,
    /// Registry of project files (oci://) to speak to without TLS, as is done on this machine (repeatable)
    #[arg(long = "insecure-registry", value_name = "REGISTRY", hide = true)]
    pub insecure_registries: Vec<String>,
    /// When to colour: never, always or auto
    #[arg(long, value_name = "WHEN")]
    pub ansi: Option<String>,
    /// The old form of --ansi never
    #[arg(long, hide = true)]
    pub no_ansi: bool,
    /// How to show progress: auto, tty, plain, json or quiet
    #[arg(long, value_name = "TYPE")]
    pub progress: Option<String>,
    /// Most engine calls at a time, -1 for no limit
    #[arg(long, value_name = "N")]
    pub parallel: Option<i64>,
    /// Keep networks, volumes, secrets and configs that no service uses
    #[arg(long)]
    pub all_resources: bool,
    /// Name containers as Compose v1 did
    #[arg(long)]
    pub compatibility: bool,
    /// Show what would be done, do nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// What a warning is: CODE=off, =warn or =error (repeatable, commas between several)
    #[arg(long, value_name = "CODE=LEVEL", global = true)]
    pub lint: Vec<String>,
    /// How to write findings about the files: text, json or sarif
    #[arg(long, value_name = "FORMAT", global = true)]
    pub diagnostics: Option<String>,
    /// Engine to talk to, e.g. unix:///var/run/docker.sock
    #[arg(short = 'H', long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Docker context that names the engine
    #[arg(short = 'c', long, value_name = "NAME")]
    pub context: Option<String>,
    /// Directory of Docker's client configuration
    #[arg(long = "config", value_name = "DIR", hide = true)]
    pub docker_config: Option<String>,
    /// Trace what is decided and sent, with timings, to standard error
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// The old form of --debug
    #[arg(long, hide = true)]
    pub verbose: bool,
    /// Speak TLS to the engine
    #[arg(long, hide = true)]
    pub tls: bool,
    /// Speak TLS and check the engine's certificate
    #[arg(long, hide = true)]
    pub tlsverify: bool,
    /// Certificate authority to trust
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlscacert: Option<String>,
    /// Our certificate
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlscert: Option<String>,
    /// Our key
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlskey: Option<String>,
    /// Docker's logging level
    #[arg(short = 'l', long, value_name = "LEVEL", hide = true)]
    pub log_level: Option<String>,
}

/// A command of regatta.
#[derive(Debug, Subcommand)]
enum Command {
    /// Build images
    Build(commands::build::BuildArgs),
    /// Show the project as it was understood, in canonical form
    Config(commands::config::ConfigArgs),
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
    /// Show what containers print
    Logs(commands::logs::LogsArgs),
    /// List projects
    Ls(commands::ls::LsArgs),
    /// Show what `up` would change and why, and change nothing
    ///
    /// Exit codes: 0 nothing would change, 2 something would, 1 an error. What `up` does every time
    /// (a one-shot that ended well runs again) is shown apart; `--ignore-oneshots` does not count it.
    #[command(verbatim_doc_comment)]
    Plan(commands::plan::PlanArgs),
    /// List containers
    Ps(commands::ps::PsArgs),
    /// Publish the project's files to a registry
    Publish(commands::publish::PublishArgs),
    /// Pull images
    Pull(commands::pull::PullArgs),
    /// Push images
    Push(commands::push::PushArgs),
    /// Restart containers as they are
    Restart(commands::restart::RestartArgs),
    /// Remove containers that do not run
    Rm(commands::rm::RmArgs),
    /// Set how many replicas services have
    Scale(commands::scale::ScaleArgs),
    /// Start containers that are there
    Start(commands::start::StartArgs),
    /// Stop containers without removing them
    Stop(commands::stop::StopArgs),
    /// Create and start what the project asks for
    Up(commands::up::UpArgs),
    /// Show the version
    Version(commands::version::VersionArgs),
    /// Bring up the project, and bring changed files into its containers
    Watch(commands::watch::WatchArgs),
}

impl Command {
    /// The word on the command line; it heads the progress display.
    fn name(&self) -> &'static str {
        match self {
            Command::Build(_) => "build",
            Command::Config(_) => "config",
            Command::Cp(_) => "copy",
            Command::Create(_) => "create",
            Command::Down(_) => "down",
            Command::Kill(_) => "kill",
            Command::Exec(_) => "exec",
            Command::Explain(_) => "explain",
            Command::Logs(_) => "logs",
            Command::Ls(_) => "ls",
            Command::Plan(_) => "plan",
            Command::Ps(_) => "ps",
            Command::Publish(_) => "publish",
            Command::Pull(_) => "pull",
            Command::Push(_) => "push",
            Command::Restart(_) => "restart",
            Command::Rm(_) => "rm",
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
            Command::Build(args) => commands::build::run(ctx, args).await,
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
    signals::survive_full_files();
    let invocation = argv::read(args);
    if invocation.wants_metadata {
        return finish(
            output::write(commands::version::PLUGIN_METADATA).map_err(CliError::from),
            false,
        );
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
    if let Command::Version(args) = command {
        // Reads nothing and asks nobody, not even for an env file.
        return finish(commands::version::run(invocation.program, args), false);
    }
    match Context::new(cli.globals, invocation.program, command.name()) {
        Ok(ctx) => {
            let json = ctx.style.mode == output::Mode::Json;
            finish(start(command, ctx), json)
        }
        Err(error) => finish::<()>(Err(error), false),
    }
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

fn finish<T: Into<Exit>>(result: Result<T, CliError>, json: bool) -> ExitCode {
    let code = match result {
        Ok(done) => done.into().0,
        Err(error) => {
            output::error(&error, json);
            error.exit_code()
        }
    };
    // Findings of a file that was read before anything was drawn may still be on their way.
    output::wait();
    code
}

/// What a command that worked leaves with.
struct Exit(ExitCode);

impl From<()> for Exit {
    fn from((): ()) -> Self {
        Exit(ExitCode::SUCCESS)
    }
}

impl From<ExitCode> for Exit {
    fn from(code: ExitCode) -> Self {
        Exit(code)
    }
}
