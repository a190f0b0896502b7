//! `config`: the project as it was understood, in canonical form. Asks no engine, unless digests
//! of images are wanted.

mod digests;
pub mod render;
pub(in crate::commands) mod variables;

use crate::context::Context;
use crate::error::CliError;
use crate::hash;
use crate::load::{self, CanonicalProject, LoadOptions, Sources};
use crate::output;
use crate::project::Project;
use crate::tree::{Map, Node};
use digests::Unpinned;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// Services to show, with their dependencies (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Output format: yaml or json
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Only validate, with all warnings
    #[arg(short, long)]
    quiet: bool,
    /// With -q: also fail on warnings
    #[arg(long, requires = "quiet")]
    strict: bool,
    /// Print the service names, each after its dependencies
    #[arg(long = "services")]
    list_services: bool,
    /// Print the volume names
    #[arg(long)]
    volumes: bool,
    /// Print the network names
    #[arg(long)]
    networks: bool,
    /// Print the model names
    #[arg(long)]
    models: bool,
    /// Print the profile names
    #[arg(long)]
    profiles: bool,
    /// Print the image names
    #[arg(long)]
    images: bool,
    /// Print the config hash of services, separated by commas (`*`: all)
    #[arg(long, value_name = "SERVICES")]
    hash: Option<String>,
    /// Print the variables used in the files, with their defaults
    #[arg(long)]
    variables: bool,
    /// Print the environment used for interpolation
    #[arg(long)]
    environment: bool,
    /// Do not interpolate variables
    #[arg(long)]
    no_interpolate: bool,
    /// Do not fill in defaults
    #[arg(long)]
    no_normalize: bool,
    /// Do not resolve relative paths
    #[arg(long)]
    no_path_resolution: bool,
    /// Do not check consistency
    #[arg(long)]
    no_consistency: bool,
    /// Do not read env files
    #[arg(long)]
    no_env_resolution: bool,
    /// Pin images to digests
    #[arg(long)]
    resolve_image_digests: bool,
    /// Print an override file with image digests
    #[arg(long)]
    lock_image_digests: bool,
}

impl ConfigArgs {
    fn wants_digests(&self) -> bool {
        self.resolve_image_digests || self.lock_image_digests
    }
}

/// What `config` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
}

impl Format {
    /// Reads the word of `--format`.
    ///
    /// # Errors
    /// Where it is another one.
    pub fn parse(word: Option<&str>) -> Result<Self, CliError> {
        match word {
            None | Some("" | "yaml") => Ok(Format::Yaml),
            Some("json") => Ok(Format::Json),
            Some(word) => Err(CliError::new(format!("unsupported format \"{word}\""))),
        }
    }
}

pub async fn run(ctx: &Context, args: ConfigArgs) -> Result<ExitCode, CliError> {
    // Compose writes lists to standard output, whatever `-o` and `-q` say.
    if let Some(text) = list(ctx, &args)? {
        output::write(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = text(ctx, &args).await?;
    if args.quiet {
        return Ok(ExitCode::SUCCESS);
    }
    match args.output.as_deref() {
        Some(path) if !path.is_empty() && !text.is_empty() => {
            std::fs::write(ctx.cwd.join(path), text)
                .map_err(|e| CliError::new(format!("{path}: {e}")))?;
        }
        _ => output::write(&text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The first of the lists that is asked for.
fn list(ctx: &Context, args: &ConfigArgs) -> Result<Option<String>, CliError> {
    let options = options(ctx, args);
    let all = LoadOptions {
        named_services: Vec::new(),
        ..options.clone()
    };
    let lists_only = LoadOptions {
        stages: load::Stages {
            no_env_resolution: true,
            ..options.stages.clone()
        },
        ..all.clone()
    };
    if args.list_services {
        if args.no_interpolate {
            let (model, _) = ctx.load_model(&all)?;
            let names = render::keys(&model, "services");
            return Ok(Some(lines(names)));
        }
        let project = ctx.load_with(&lists_only)?;
        let names = render::in_order(&project)
            .map_err(|name| CliError::new(format!("no such service: {name}")))?;
        return Ok(Some(lines(names)));
    }
    let text = if args.volumes {
        lines(ctx.load_with(&lists_only)?.volumes.into_keys())
    } else if args.networks {
        lines(ctx.load_with(&lists_only)?.networks.into_keys())
    } else if args.models {
        lines(render::models(&ctx.load_with(&lists_only)?))
    } else if let Some(services) = args.hash.as_deref().filter(|s| !s.is_empty()) {
        hashes(ctx, &all, services)?
    } else if args.profiles {
        lines(profiles(&selected(ctx, args, &options)?))
    } else if args.images {
        lines(render::images(&selected(ctx, args, &options)?))
    } else if args.variables {
        return variables(ctx, args, all).map(Some);
    } else if args.environment {
        let environment = selected(ctx, args, &options)?.environment;
        let text = lines(environment.iter().map(|(k, v)| format!("{k}={v}")));
        if args.quiet { String::new() } else { text }
    } else {
        return Ok(None);
    };
    Ok(Some(text))
}

/// The variables of the files, which need not fit the specification for it.
fn variables(ctx: &Context, args: &ConfigArgs, all: LoadOptions) -> Result<String, CliError> {
    if !args.services.is_empty() {
        output::complain(
            "service filtering is not applied when --variables is set, variables from the full model will be rendered",
        );
    }
    let options = LoadOptions {
        stages: load::Stages {
            no_interpolate: true,
            no_validation: true,
            ..all.stages
        },
        ..all
    };
    let text = variables::text(&ctx.load_model(&options)?.0, args.format.as_deref())?;
    // Compose prints the other formats in spite of `-q`.
    let is_shown = !args.quiet || args.format.as_deref() != Some("yaml");
    Ok(if is_shown { text } else { String::new() })
}

/// The whole project.
async fn text(ctx: &Context, args: &ConfigArgs) -> Result<String, CliError> {
    let options = options(ctx, args);
    let format = Format::parse(args.format.as_deref())?;
    if args.no_interpolate {
        if !args.services.is_empty() {
            output::complain(
                "service filtering is not applied when --no-interpolate is set, the full model will be rendered",
            );
        }
        let all = LoadOptions {
            named_services: Vec::new(),
            ..options
        };
        let (mut model, sources) = ctx.load_model(&all)?;
        if args.wants_digests()
            && let Some(services) = model.get_mut("services").and_then(Node::as_map_mut)
        {
            let names = services.keys().map(str::to_owned).collect();
            pin(ctx, services, &names, &sources).await?;
        }
        if args.lock_image_digests
            && let Some(model) = model.as_map_mut()
        {
            model.retain(|key, _| key == "services");
            lock(model.get_mut("services").and_then(Node::as_map_mut));
        }
        if format == Format::Json && !all.stages.no_normalize {
            render::empty_lists(&mut model);
        }
        return Ok(render::model(model, format));
    }
    let options = LoadOptions {
        together: load::Together::Selected,
        ..options
    };
    let (mut project, sources) = match args.quiet {
        true => ctx.check(&options, args.strict)?,
        false => ctx.load_canonical(&options)?,
    };
    let names = digests::names(&project);
    if !args.services.is_empty() {
        project
            .select(&args.services)
            .map_err(|name| CliError::new(format!("no such service: {name}")))?;
        if !options.all_resources {
            project.drop_unused_resources();
        }
    }
    if args.wants_digests() {
        pin(ctx, &mut project.services, &names, &sources).await?;
    }
    if args.quiet {
        return Ok(String::new());
    }
    if args.lock_image_digests {
        lock(Some(&mut project.services));
        project = CanonicalProject {
            services: project.services,
            ..CanonicalProject::default()
        };
    }
    Ok(render::project(project, format))
}

/// Puts digests behind images, or shows where that did not work.
async fn pin(
    ctx: &Context,
    services: &mut Map,
    names: &BTreeSet<String>,
    sources: &Sources,
) -> Result<(), CliError> {
    let engine = ctx.engine()?;
    let pinned = digests::pin(services, names, &*engine, ctx.limit()).await;
    pinned.map_err(|why| match why {
        Unpinned::Engine(error) => error.into(),
        Unpinned::Findings(findings) => {
            ctx.show(&findings, sources);
            CliError::shown()
        }
    })
}

/// Leaves the images alone, and says of which that does not work.
fn lock(services: Option<&mut Map>) {
    for name in services.map(digests::only_images).unwrap_or_default() {
        output::complain(&format!(
            "service \"{name}\": pre_start hook images are not pinned in the override file produced by --lock-image-digests, use the full --resolve-image-digests output to pin them"
        ));
    }
}

fn options(ctx: &Context, args: &ConfigArgs) -> LoadOptions {
    let options = ctx.load_options(&args.services);
    LoadOptions {
        stages: load::Stages {
            no_interpolate: args.no_interpolate,
            no_normalize: args.no_normalize || options.compatibility,
            no_path_resolution: args.no_path_resolution,
            no_consistency: args.no_consistency,
            no_env_resolution: args.no_env_resolution,
            no_validation: false,
        },
        env_file_readers: load::EnvFileReaders::Enabled,
        ..options
    }
}

/// The project, narrowed to the named services and what they depend on.
fn selected(ctx: &Context, args: &ConfigArgs, options: &LoadOptions) -> Result<Project, CliError> {
    let mut project = ctx.load_with(options)?;
    project.select(&args.services, crate::project::Dependencies::Include)?;
    if !args.services.is_empty() && !options.all_resources {
        project.drop_unused_resources();
    }
    Ok(project)
}

/// `name hash` of the services in a list with commas, or of all.
fn hashes(ctx: &Context, all: &LoadOptions, services: &str) -> Result<String, CliError> {
    let names: Vec<String> = services.split(',').map(str::to_owned).collect();
    let options = match services {
        "*" => all.clone(),
        _ => LoadOptions {
            env_file_readers: load::EnvFileReaders::Only(names.clone()),
            ..all.clone()
        },
    };
    let mut project = ctx.load_with(&options)?;
    if services != "*" {
        project.select(&names, crate::project::Dependencies::Ignore)?;
    }
    let platform = project.default_platform().unwrap_or_default();
    let lines = project.services.values().map(|service| {
        let hash = match hash::on_platform(&service.spec, platform) {
            Some(spec) if !platform.is_empty() => hash::service_hash(&spec),
            _ => hash::service_hash(&service.spec),
        };
        format!("{} {hash}", service.name)
    });
    Ok(self::lines(lines))
}

fn profiles(project: &Project) -> BTreeSet<String> {
    let all = project.services.values().chain(project.disabled.values());
    all.flat_map(|service| service.profiles.clone()).collect()
}

fn lines(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    items.into_iter().fold(String::new(), |mut text, item| {
        text.push_str(item.as_ref());
        text.push('\n');
        text
    })
}
