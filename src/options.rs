//! How the program was called: under which name, and with which global options. Everything below the
//! command line that depends on them takes them from here.

use crate::value::switch;
use clap::Args;
use std::path::PathBuf;

/// The name we go by in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Regatta,
    /// `docker compose …` and `docker-compose …`.
    DockerCompose,
}

impl Program {
    /// As a user types it.
    pub fn as_str(self) -> &'static str {
        match self {
            Program::Regatta => "regatta",
            Program::DockerCompose => "docker compose",
        }
    }
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
    /// Env file to use instead of .env (repeatable)
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<String>,
    /// Base directory of relative paths (default: that of the first Compose file)
    #[arg(long, value_name = "DIR")]
    pub project_directory: Option<PathBuf>,
    /// The old name of --project-directory
    #[arg(long, value_name = "DIR", hide = true)]
    pub workdir: Option<PathBuf>,
    /// Registry of project files (oci://) to reach without TLS (repeatable)
    #[arg(long = "insecure-registry", value_name = "REGISTRY", hide = true)]
    pub insecure_registries: Vec<String>,
    /// Colour the output: never, always or auto
    #[arg(long, value_name = "WHEN")]
    pub ansi: Option<String>,
    /// The old form of --ansi never
    #[arg(long, hide = true)]
    pub no_ansi: bool,
    /// Progress output: auto, tty, plain, json or quiet
    #[arg(long, value_name = "TYPE")]
    pub progress: Option<String>,
    /// Maximum concurrent engine calls (-1: unlimited)
    #[arg(long, value_name = "N")]
    pub parallel: Option<i64>,
    /// Include networks, volumes, secrets and configs that no service uses
    #[arg(long)]
    pub all_resources: bool,
    /// Name containers as Compose v1 did
    #[arg(long)]
    pub compatibility: bool,
    /// Show what would be done, without doing it
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Set the level of a warning: CODE=off, CODE=warn or CODE=error (repeatable, or separated by commas)
    #[arg(long, value_name = "CODE=LEVEL", global = true)]
    pub lint: Vec<String>,
    /// Output format for errors and warnings: text, json or sarif
    #[arg(long, value_name = "FORMAT", global = true)]
    pub diagnostics: Option<String>,
    /// Engine to connect to, e.g. unix:///var/run/docker.sock
    #[arg(short = 'H', long, value_name = "ENDPOINT")]
    pub host: Vec<String>,
    /// Docker context that names the engine
    #[arg(short = 'c', long, value_name = "NAME")]
    pub context: Option<String>,
    /// Directory of Docker's client configuration
    #[arg(long = "config", value_name = "DIR", hide = true)]
    pub docker_config: Option<String>,
    /// Trace decisions and requests to standard error, with timings
    #[arg(short = 'D', long)]
    pub debug: bool,
    /// The old form of --debug
    #[arg(long, hide = true)]
    pub verbose: bool,
    /// Use TLS for the engine
    #[arg(long, hide = true)]
    pub tls: bool,
    /// Use TLS and verify the engine's certificate
    #[arg(long, hide = true)]
    pub tlsverify: bool,
    /// Certificate authority to trust
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlscacert: Option<String>,
    /// Client certificate
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlscert: Option<String>,
    /// Client key
    #[arg(long, value_name = "FILE", hide = true)]
    pub tlskey: Option<String>,
    /// Docker's logging level
    #[arg(short = 'l', long, value_name = "LEVEL", hide = true)]
    pub log_level: Option<String>,
}

/// Parses the value of a flag: the words that Go reads as true and false.
///
/// # Errors
/// Where it is another word.
pub fn go_bool(text: &str) -> Result<bool, String> {
    switch::parse(text).ok_or_else(|| format!("`{text}` is neither true nor false"))
}
