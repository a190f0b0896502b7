//! `volumes`: the volumes of a project.

use crate::context::{Context, Target};
use crate::engine::{ContainerSummary, VolumeSummary};
use crate::error::CliError;
use crate::labels;
use crate::observe::containers_of;
use crate::output;
use crate::output::listing::Listing;
use crate::output::template::Row;
use crate::value::visible::visible_line;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct VolumesArgs {
    /// Services whose running containers mount them (default: all of the project)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Output format: table, json, a Go template, or `table` and a template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// Only print names
    #[arg(short, long)]
    quiet: bool,
}

const LISTING: Listing = Listing {
    table: "{{.Driver}}\t{{.Name}}",
    raw: Some("name: {{.Name}}\\ndriver: {{.Driver}}\\n"),
    heads: &[
        ("ID", "ID"),
        ("Name", "VOLUME NAME"),
        ("Group", "GROUP"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("Availability", "AVAILABILITY"),
        ("Mountpoint", "MOUNTPOINT"),
        ("Labels", "LABELS"),
        ("Links", "LINKS"),
        ("Size", "SIZE"),
        ("Status", "STATUS"),
    ],
};

pub async fn run(ctx: &Context, args: VolumesArgs) -> Result<ExitCode, CliError> {
    let Target { name, project, .. } = ctx.target(&args.services)?;
    if let Some(project) = &project
        && let Some(unknown) = args
            .services
            .iter()
            .find(|s| !project.services.contains_key(*s))
    {
        return Err(project.no_such_service(unknown).into());
    }
    let engine = ctx.engine()?;
    let wanted = vec![format!("{}={name}", labels::PROJECT)];
    let mut volumes = engine.list_volumes(wanted).await?;
    if !args.services.is_empty() {
        let containers = containers_of(&*engine, &name, false).await?;
        volumes.retain(|volume| is_mounted(volume, &containers, &args.services));
    }
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    output::write(&render(&volumes, &args)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Whether one of the services' containers mounts it.
fn is_mounted(
    volume: &VolumeSummary,
    containers: &[ContainerSummary],
    services: &[String],
) -> bool {
    containers.iter().any(|container| {
        let service = container.labels.get(labels::SERVICE);
        service.is_some_and(|s| services.contains(s))
            && container.mounts.iter().any(|m| m.name == volume.name)
    })
}

fn render(volumes: &[VolumeSummary], args: &VolumesArgs) -> Result<String, CliError> {
    if args.quiet {
        return Ok(volumes
            .iter()
            .map(|volume| visible_line(&volume.name) + "\n")
            .collect());
    }
    let rows: Vec<Row> = volumes.iter().map(row).collect();
    Ok(LISTING.render(&args.format, &rows)?)
}

/// All fields, by name. What only a measurement or a cluster would tell is not known.
fn row(volume: &VolumeSummary) -> Row {
    const UNKNOWN: &str = "N/A";
    let labels = volume.labels.iter();
    let labels: Vec<String> = labels.map(|(k, v)| format!("{k}={v}")).collect();
    Row {
        kind: "*formatter.volumeContext",
        fields: vec![
            ("Availability", UNKNOWN.into()),
            ("Driver", volume.driver.clone().into()),
            ("Group", UNKNOWN.into()),
            ("Labels", labels.join(",").into()),
            ("Links", UNKNOWN.into()),
            ("Mountpoint", volume.mountpoint.clone().into()),
            ("Name", volume.name.clone().into()),
            ("Scope", volume.scope.clone().into()),
            ("Size", UNKNOWN.into()),
            ("Status", UNKNOWN.into()),
        ],
        labels: volume.labels.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::MountPoint;

    fn volume(name: &str) -> VolumeSummary {
        VolumeSummary {
            name: name.into(),
            driver: "local".into(),
            mountpoint: format!("/v/{name}/_data"),
            scope: "local".into(),
            labels: [("x.k".to_owned(), "a<b".to_owned())].into(),
        }
    }

    fn shown(format: &str) -> String {
        let args = VolumesArgs {
            services: Vec::new(),
            format: format.into(),
            quiet: format == "-q",
        };
        render(&[volume("p_data"), volume("p_db")], &args).unwrap()
    }

    #[test]
    fn every_format_is_docker_s() {
        for (format, text) in [
            (
                "table",
                "DRIVER    VOLUME NAME\nlocal     p_data\nlocal     p_db\n",
            ),
            ("-q", "p_data\np_db\n"),
            (
                "raw",
                "name: p_data\ndriver: local\n\nname: p_db\ndriver: local\n\n",
            ),
            ("", "\n\n"),
            (
                "table {{.Name}}\\t{{.Mountpoint}}\\t{{.Label \"x.k\"}}",
                "VOLUME NAME   MOUNTPOINT        k\np_data        /v/p_data/_data   a<b\np_db          /v/p_db/_data     a<b\n",
            ),
        ] {
            assert_eq!(shown(format), text, "{format}");
        }
        assert_eq!(
            shown("json").lines().next(),
            Some(concat!(
                r#"{"Availability":"N/A","Driver":"local","Group":"N/A","Labels":"x.k=a\u003cb","#,
                r#""Links":"N/A","Mountpoint":"/v/p_data/_data","Name":"p_data","Scope":"local","#,
                r#""Size":"N/A","Status":"N/A"}"#
            ))
        );
    }

    #[test]
    fn a_service_s_volumes_are_those_that_it_mounts() {
        let web = ContainerSummary {
            labels: [(labels::SERVICE.to_owned(), "web".to_owned())].into(),
            mounts: vec![MountPoint {
                name: "p_data".into(),
                ..MountPoint::default()
            }],
            ..ContainerSummary::default()
        };
        for (name, service, expected) in [
            ("p_data", "web", true),
            ("p_data", "db", false),
            ("p_db", "web", false),
        ] {
            let services = [service.to_owned()];
            assert_eq!(
                is_mounted(&volume(name), std::slice::from_ref(&web), &services),
                expected
            );
        }
    }
}
