//! `alpha viz`: the services and what they depend on, as a graph for Graphviz.

use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::project::Project;
use crate::service::Service;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct VizArgs {
    /// Show each service's image
    #[arg(long)]
    image: bool,
    /// Show each service's networks
    #[arg(long)]
    networks: bool,
    /// Show each service's ports
    #[arg(long)]
    ports: bool,
    /// Width of the indentation, in tabs or spaces
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    indentation_size: i64,
    /// Indent with spaces instead of tabs
    #[arg(long)]
    spaces: bool,
}

pub fn run(ctx: &Context, args: &VizArgs) -> Result<ExitCode, CliError> {
    const WIDEST: i64 = 1_000;
    let size = args.indentation_size;
    if !(0..=WIDEST).contains(&size) {
        return Err(CliError::new(format!("invalid indentation size: {size}"))
            .hint(format!("write a number from 0 to {WIDEST}")));
    }
    output::complain("viz command is EXPERIMENTAL");
    let project = ctx.load(&[])?;
    output::tell(&format!("{}\n", graph(&project, args)))?;
    Ok(ExitCode::SUCCESS)
}

fn graph(project: &Project, args: &VizArgs) -> String {
    let unit = if args.spaces { " " } else { "\t" };
    let indentation = unit.repeat(usize::try_from(args.indentation_size).unwrap_or(1));
    let mut text = format!(
        "digraph \"{}\" {{\n{indentation}layout=dot;\n",
        project.name
    );
    for service in project.services.values() {
        let label = label(project, service, args);
        text.push_str(&format!(
            "{indentation}\"{}\" [style=\"filled\" label=<{label}>];\n",
            service.name
        ));
    }
    text.push('\n');
    for service in project.services.values() {
        for dependency in service.depends_on.keys() {
            text.push_str(&format!(
                "{indentation}\"{}\" -> \"{dependency}\";\n",
                service.name
            ));
        }
    }
    text.push_str("}\n");
    text
}

fn label(project: &Project, service: &Service, args: &VizArgs) -> String {
    let mut label = format!("<font point-size=\"15\">{}</font>", escaped(&service.name));
    let mut part = |title: &str, lines: Vec<String>| {
        label.push_str(&format!(
            "<font point-size=\"10\"><br/><br/><b>{title}:</b>"
        ));
        for line in lines {
            label.push_str(&format!("<br/>{}", escaped(&line)));
        }
        label.push_str("</font>");
    };
    let networks = service.networks_by_priority();
    if args.networks && !networks.is_empty() {
        let names = networks.into_iter().map(|(name, _)| name.to_owned());
        part("Networks", names.collect());
    }
    if args.ports && !service.ports.is_empty() {
        let ports = service.ports.iter().map(|port| {
            let ip = port.host_ip.as_deref().filter(|ip| !ip.is_empty());
            format!(
                "{}{}:{} ({}, {})",
                ip.map(|ip| format!("{ip}:")).unwrap_or_default(),
                port.published.as_deref().unwrap_or_default(),
                port.target,
                port.protocol(),
                port.mode.as_deref().unwrap_or("ingress")
            )
        });
        part("Ports", ports.collect());
    }
    if args.image {
        part("Image", vec![project.image_name(service)]);
    }
    label
}

/// Labels are HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::port::Port;
    use crate::service::{Attachment, Dependency};

    fn project() -> Project {
        let web = Service {
            name: "web".into(),
            depends_on: [("db".to_owned(), Dependency::default())].into(),
            ports: vec![Port {
                host_ip: Some("127.0.0.1".into()),
                published: Some("8080".into()),
                target: 80,
                ..Port::default()
            }],
            networks: [
                ("back".to_owned(), None),
                (
                    "front".to_owned(),
                    Some(Attachment {
                        priority: 9,
                        ..Attachment::default()
                    }),
                ),
            ]
            .into(),
            ..Service::default()
        };
        let db = Service {
            name: "db".into(),
            image: Some("postgres".into()),
            ..Service::default()
        };
        Project {
            name: "shop".into(),
            services: [("web".to_owned(), web), ("db".to_owned(), db)].into(),
            ..Project::default()
        }
    }

    #[test]
    fn the_graph_is_compose_s() {
        let args = VizArgs {
            image: false,
            networks: false,
            ports: false,
            indentation_size: 1,
            spaces: false,
        };
        assert_eq!(
            graph(&project(), &args),
            "digraph \"shop\" {\n\
             \tlayout=dot;\n\
             \t\"db\" [style=\"filled\" label=<<font point-size=\"15\">db</font>>];\n\
             \t\"web\" [style=\"filled\" label=<<font point-size=\"15\">web</font>>];\n\
             \n\
             \t\"web\" -> \"db\";\n}\n"
        );
        let all = VizArgs {
            image: true,
            networks: true,
            ports: true,
            indentation_size: 2,
            spaces: true,
        };
        let web = "  \"web\" [style=\"filled\" label=<<font point-size=\"15\">web</font>\
            <font point-size=\"10\"><br/><br/><b>Networks:</b><br/>front<br/>back</font>\
            <font point-size=\"10\"><br/><br/><b>Ports:</b><br/>127.0.0.1:8080:80 (tcp, ingress)</font>\
            <font point-size=\"10\"><br/><br/><b>Image:</b><br/>shop-web</font>>];";
        let text = graph(&project(), &all);
        assert_eq!(text.lines().nth(3), Some(web), "{text}");
    }
}
