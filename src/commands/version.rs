//! `version`: what this is. Reads nothing and asks nobody.

use crate::error::CliError;
use crate::labels::COMPOSE_VERSION;
use crate::options::Program;
use crate::output;
use std::process::ExitCode;

#[derive(Debug, Default, clap::Args)]
pub struct VersionArgs {
    /// Output format: pretty or json
    #[arg(short, long, value_name = "FORMAT", default_value = "")]
    format: String,
    /// Only print the version number
    #[arg(long)]
    short: bool,
}

/// What `docker` wants to know of a plugin; it shows the vendor and the version in its help. The
/// version is that of the Docker Compose we stand in for.
pub const PLUGIN_METADATA: &str = concat!(
    "{\n     \"SchemaVersion\": \"0.1.0\",\n     \"Vendor\": \"regatta\",\n",
    "     \"Version\": \"v5.5.0\",\n",
    "     \"ShortDescription\": \"regatta, in the place of Docker Compose\"\n}\n"
);

pub fn run(program: Program, args: VersionArgs) -> Result<ExitCode, CliError> {
    if !matches!(args.format.as_str(), "" | "pretty" | "json") {
        let format = &args.format;
        return Err(
            CliError::new(format!("unsupported format \"{format}\"")).hint("it is pretty or json")
        );
    }
    output::write(&text(program, &args))?;
    Ok(ExitCode::SUCCESS)
}

/// Under Docker Compose's name we answer with its version, and in its words, which scripts compare;
/// under our own with ours.
fn text(program: Program, args: &VersionArgs) -> String {
    let own = env!("CARGO_PKG_VERSION");
    let json = args.format == "json";
    match program {
        Program::Regatta if args.short => format!("{own}\n"),
        Program::Regatta if json => {
            format!("{{\"version\":\"v{own}\",\"compose\":\"v{COMPOSE_VERSION}\"}}\n")
        }
        Program::Regatta => {
            format!("regatta version v{own} (compatible with Docker Compose {COMPOSE_VERSION})\n")
        }
        Program::DockerCompose if args.short => format!("{COMPOSE_VERSION}\n"),
        Program::DockerCompose if json => format!("{{\"version\":\"v{COMPOSE_VERSION}\"}}\n"),
        Program::DockerCompose => format!("Docker Compose version v{COMPOSE_VERSION}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_is_what_docker_accepts() {
        let json: serde_json::Value = serde_json::from_str(PLUGIN_METADATA).unwrap();
        assert_eq!(json["SchemaVersion"], "0.1.0");
        assert_ne!(json["Vendor"], "");
        assert_eq!(json["Version"], format!("v{COMPOSE_VERSION}"));
    }

    #[test]
    fn scripts_get_the_number_alone() {
        let short = VersionArgs {
            short: true,
            ..Default::default()
        };
        assert_eq!(text(Program::DockerCompose, &short), "5.5.0\n");
        let json = VersionArgs {
            format: "json".into(),
            ..Default::default()
        };
        assert_eq!(
            text(Program::DockerCompose, &json),
            "{\"version\":\"v5.5.0\"}\n"
        );
        assert_eq!(
            text(Program::DockerCompose, &VersionArgs::default()),
            "Docker Compose version v5.5.0\n"
        );
    }
}
