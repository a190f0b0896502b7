//! `port`: where a container's port is published.

use super::arguments;
use crate::context::Context;
use crate::engine::ContainerSummary;
use crate::error::CliError;
use crate::exec;
use crate::output;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(override_usage = "regatta port [OPTIONS] SERVICE PRIVATE_PORT")]
pub struct PortArgs {
    /// The service and the port in its container
    #[arg(value_name = "SERVICE PRIVATE_PORT")]
    words: Vec<String>,
    /// Replica of the service, by number
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: u32,
    /// Protocol: tcp or udp
    #[arg(long, value_name = "PROTOCOL", default_value = "tcp")]
    protocol: String,
}

pub async fn run(ctx: &Context, args: PortArgs) -> Result<ExitCode, CliError> {
    let usage = "port [OPTIONS] SERVICE PRIVATE_PORT";
    arguments::check(&args.words, 2..=2, usage)?;
    let [service, port] = args.words.as_slice() else {
        return Ok(ExitCode::FAILURE);
    };
    let port: u16 = port.parse().map_err(|_| {
        CliError::new(format!("invalid port \"{port}\""))
            .hint("write the port in the container, a number from 0 to 65535")
    })?;
    let project = ctx.project_name()?;
    let replica = (args.index > 0).then_some(args.index);
    let container = exec::find(&*ctx.engine()?, &project, service, replica).await?;
    let address = address(&container, port, &args.protocol.to_lowercase())?;
    output::tell(&format!("{address}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// `0.0.0.0:8080`, the first that the engine names.
fn address(container: &ContainerSummary, port: u16, protocol: &str) -> Result<String, CliError> {
    let mut of_port = container
        .ports
        .iter()
        .filter(|p| p.private == port && p.protocol == protocol);
    if let Some((ip, public)) = of_port
        .clone()
        .find_map(|p| Some((p.ip.as_deref()?, p.public?)))
    {
        return Ok(format!("{ip}:{public}"));
    }
    let known: Vec<String> = container
        .ports
        .iter()
        .map(|p| format!("{}/{}", p.private, p.protocol))
        .collect();
    let error = CliError::new(format!(
        "no port {port}/{protocol} for container {}: {}",
        container.name,
        known.join(", ")
    ));
    Err(match of_port.next() {
        Some(_) => error.hint(format!(
            "{port}/{protocol} is exposed to other containers, but not published on the host"
        )),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::PublishedPort;

    #[test]
    fn the_first_address_of_a_port() {
        let port = |private: u16, protocol: &str, published: Option<(&str, u16)>| PublishedPort {
            ip: published.map(|(ip, _)| ip.to_owned()),
            public: published.map(|(_, port)| port),
            private,
            protocol: protocol.to_owned(),
        };
        let container = ContainerSummary {
            name: "p-web-1".into(),
            ports: vec![
                port(443, "udp", Some(("0.0.0.0", 8443))),
                port(443, "udp", Some(("::", 8443))),
                port(80, "tcp", Some(("127.0.0.1", 8080))),
                port(81, "tcp", None),
            ],
            ..ContainerSummary::default()
        };
        for (number, protocol, expected) in [
            (80, "tcp", Ok("127.0.0.1:8080")),
            (443, "udp", Ok("0.0.0.0:8443")),
            (
                443,
                "tcp",
                Err("no port 443/tcp for container p-web-1: 443/udp, 443/udp, 80/tcp, 81/tcp"),
            ),
            (
                81,
                "tcp",
                Err("no port 81/tcp for container p-web-1: 443/udp, 443/udp, 80/tcp, 81/tcp"),
            ),
        ] {
            let found = address(&container, number, protocol).map_err(|e| e.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected);
        }
    }
}
