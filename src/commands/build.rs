//! `build`: the images of services that are built here.

use crate::context::Context;
use crate::error::CliError;
use crate::event::Kind;
use crate::image::build::{BuildError, BuildOptions, bake, build_all, with_dependencies};
use crate::output;
use crate::project::{Dependencies, Project};
use crate::service::Service;
use crate::value::bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct BuildArgs {
    /// Services to build (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Set a build argument: NAME=VALUE, or NAME for its value in the environment (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    build_arg: Vec<String>,
    /// Builder of docker-buildx to use
    #[arg(long, value_name = "NAME")]
    builder: Option<String>,
    /// Check the Dockerfiles without building
    #[arg(long)]
    check: bool,
    /// Memory limit of a build step, e.g. 512m (uses the engine's classic builder)
    #[arg(short, long, value_name = "BYTES")]
    memory: Option<String>,
    /// Do not use the cache
    #[arg(long)]
    no_cache: bool,
    /// Print the definition for docker-buildx without building
    #[arg(long)]
    print: bool,
    /// Provenance attestation: true, false or its parameters
    #[arg(long, value_name = "VALUE")]
    provenance: Option<String>,
    /// Pull newer versions of the base images
    #[arg(long)]
    pull: bool,
    /// Push the images after building
    #[arg(long)]
    push: bool,
    /// Hide build output
    #[arg(short, long)]
    quiet: bool,
    /// SBOM attestation: true, false or its parameters
    #[arg(long, value_name = "VALUE")]
    sbom: Option<String>,
    /// SSH agent or key for builds: default, or ID=PATH
    #[arg(long, value_name = "ID", num_args = 0..=1, require_equals = true, default_missing_value = "default")]
    ssh: Option<String>,
    /// Include the services' dependencies
    #[arg(long)]
    with_dependencies: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    compress: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    force_rm: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    no_rm: bool,
    /// Has no effect, since it is always so
    #[arg(long, hide = true)]
    parallel: bool,
    /// Give this option before the command instead
    #[arg(long, hide = true, value_name = "TYPE")]
    progress: Option<String>,
}

pub async fn run(ctx: &Context, args: BuildArgs) -> Result<ExitCode, CliError> {
    let words = [
        "", "auto", "tty", "plain", "json", "quiet", "none", "rawjson",
    ];
    if let Some(word) = args.progress.as_deref().filter(|w| !words.contains(w)) {
        return Err(CliError::new(format!(
            "unsupported --progress value \"{word}\""
        )));
    }
    // A service's environment says nothing about its image.
    let load = ctx.without_env_files(&args.services);
    let (mut project, sources) = ctx.load_placed(&load)?;
    project.select(
        &args.services,
        Dependencies::included(args.with_dependencies),
    )?;
    let services: BTreeSet<String> = project
        .services
        .values()
        .filter(|s| s.build.is_some())
        .map(|s| s.name.clone())
        .collect();
    if services.is_empty() {
        ctx.reporter.warning("No services to build");
        return Ok(ExitCode::SUCCESS);
    }
    let options = options(ctx, args.memory.as_deref(), &args)?;
    let refused = |error: BuildError| match error {
        BuildError::Refused(finding) => ctx.refuse(*finding, &sources),
        other => other.into(),
    };
    if args.print {
        output::write(&definition(&project, &services, &options).map_err(refused)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if ctx.globals.dry_run {
        for name in &services {
            let image = project.image_name(&project.services[name]).to_string();
            ctx.reporter.send(Kind::BuildSkipped { image });
        }
        return Ok(ExitCode::SUCCESS);
    }
    let engine = ctx.engine()?;
    build_all(
        &*engine,
        &project,
        &services,
        &options,
        ctx.limit(),
        &ctx.reporter,
    )
    .await
    .map_err(refused)?;
    Ok(ExitCode::SUCCESS)
}

fn options(
    ctx: &Context,
    memory: Option<&str>,
    args: &BuildArgs,
) -> Result<BuildOptions, CliError> {
    let memory = match memory {
        Some(text) => {
            let bytes = Bytes::parse(text).map_err(|e| CliError::new(format!("--memory: {e}")))?;
            Some(bytes.0)
        }
        None => None,
    };
    let build_args = args.build_arg.iter().map(|arg| match arg.split_once('=') {
        Some((name, value)) => (name.to_string(), Some(value.to_string())),
        None => (arg.clone(), None),
    });
    Ok(BuildOptions {
        args: build_args.collect(),
        no_cache: args.no_cache,
        pull: args.pull,
        quiet: args.quiet,
        memory,
        ssh: args.ssh.clone().into_iter().collect(),
        builder: args.builder.clone(),
        push: args.push,
        check: args.check,
        provenance: args.provenance.clone(),
        sbom: args.sbom.clone(),
        ..ctx.build_options()
    })
}

/// The definition of all builds, for people and for docker-buildx.
fn definition(
    project: &Project,
    services: &BTreeSet<String>,
    options: &BuildOptions,
) -> Result<String, BuildError> {
    let services = with_dependencies(project, services.iter().map(String::as_str));
    let services: Vec<&Service> = services.into_values().collect();
    let (file, _) = bake::definition(project, &services, options)?;
    Ok(printed(&file))
}

/// A target's fields as Docker Compose prints them.
const FIELDS: [&str; 24] = [
    "context",
    "contexts",
    "dockerfile",
    "dockerfile-inline",
    "args",
    "labels",
    "tags",
    "cache-from",
    "cache-to",
    "target",
    "secret",
    "ssh",
    "platforms",
    "pull",
    "no-cache",
    "network",
    "no-cache-filter",
    "shm-size",
    "ulimits",
    "call",
    "entitlements",
    "extra-hosts",
    "output",
    "attest",
];

/// The definition with the fields of its targets in that order; any others come last.
fn printed(file: &Value) -> String {
    let deeper = |value: &Value| format!("{value:#}").replace('\n', "\n      ");
    let target = |(name, target): (&String, &Value)| {
        let fields = target.as_object().into_iter().flatten();
        let mut fields: Vec<(&String, &Value)> = fields.collect();
        let place = |name: &str| FIELDS.iter().position(|field| *field == name);
        fields.sort_by_key(|(name, _)| (place(name).unwrap_or(FIELDS.len()), *name));
        let fields = fields
            .iter()
            .map(|(name, value)| format!("      \"{name}\": {}", deeper(value)));
        let fields = fields.collect::<Vec<_>>().join(",\n");
        format!("    {}: {{\n{fields}\n    }}", Value::from(name.as_str()))
    };
    let targets = file["target"].as_object().into_iter().flatten();
    let targets: Vec<String> = targets.map(target).collect();
    let groups = format!("{:#}", file["group"]).replace('\n', "\n  ");
    format!(
        "{{\n  \"group\": {groups},\n  \"target\": {{\n{}\n  }}\n}}\n",
        targets.join(",\n")
    )
}

#[cfg(test)]
mod tests {
    use super::printed;
    use serde_json::json;

    #[test]
    fn a_target_s_fields_have_compose_s_order() {
        let file = json!({
            "group": {"default": {"targets": ["app"]}},
            "target": {"app": {
                "attest": ["type=sbom"], "context": "/p", "output": ["type=docker"],
                "labels": {"a": "b"}, "tags": ["p-app"]
            }}
        });
        assert_eq!(
            printed(&file),
            r#"{
  "group": {
    "default": {
      "targets": [
        "app"
      ]
    }
  },
  "target": {
    "app": {
      "context": "/p",
      "labels": {
        "a": "b"
      },
      "tags": [
        "p-app"
      ],
      "output": [
        "type=docker"
      ],
      "attest": [
        "type=sbom"
      ]
    }
  }
}
"#
        );
    }
}
