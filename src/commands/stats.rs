//! `stats`: what the project's containers use.

use super::arguments;
use crate::context::Context;
use crate::error::CliError;
use crate::labels;
use crate::output;
use crate::output::listing::Listing;
use crate::output::template::Row;
use crate::stats::{Reading, Selection, follow, once};
use crate::value::bytes::{binary_size, short_size};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct StatsArgs {
    /// Service to show (default: all)
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Also stopped containers
    #[arg(short, long)]
    all: bool,
    /// Output format: table, json, a Go template, or `table` and a template
    #[arg(long, value_name = "FORMAT", default_value = "")]
    format: String,
    /// Print one measurement and end
    #[arg(long)]
    no_stream: bool,
    /// Print ids in full
    #[arg(long)]
    no_trunc: bool,
}

const LISTING: Listing = Listing {
    table: "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
    raw: None,
    heads: &[
        ("Container", "CONTAINER"),
        ("Name", "NAME"),
        ("ID", "CONTAINER ID"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
};

pub async fn run(ctx: &Context, mut args: StatsArgs) -> Result<ExitCode, CliError> {
    arguments::check(&args.services, 0..=1, "stats [OPTIONS] [SERVICE]")?;
    if args.format.is_empty() {
        args.format = ctx.docker_format("statsFormat").unwrap_or_default();
    }
    if args.format.is_empty() {
        args.format = "table".into();
    }
    // A wrong template is told before anything is measured.
    render(&[], &args)?;
    let project = ctx.project_name()?;
    let mut labels = vec![format!("{}={project}", labels::PROJECT)];
    labels.extend(
        args.services
            .first()
            .map(|service| format!("{}={service}", labels::SERVICE)),
    );
    let selection = Selection {
        labels,
        all: args.all,
    };
    let engine = ctx.engine()?;
    if args.no_stream {
        let readings = once(&*engine, &selection, ctx.limit()).await?;
        if !readings.is_empty() {
            output::write(&render(&readings, &args)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    follow(&*engine, &selection, |readings| {
        Ok::<(), CliError>(output::write(&frame(&render(readings, &args)?))?)
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// Draws over what was drawn before, as Docker's programs do, also where it is no terminal.
fn frame(text: &str) -> String {
    const HOME: &str = "\u{1b}[H";
    const CLEAR_LINE: &str = "\u{1b}[K";
    const CLEAR_BELOW: &str = "\u{1b}[J";
    let lines: String = text
        .split('\n')
        .map(|line| format!("{line}{CLEAR_LINE}\n"))
        .collect();
    format!("{HOME}{lines}{CLEAR_BELOW}")
}

fn render(readings: &[Reading], args: &StatsArgs) -> Result<String, CliError> {
    let rows: Vec<Row> = readings
        .iter()
        .map(|reading| row(reading, !args.no_trunc))
        .collect();
    Ok(LISTING.render(&args.format, &rows)?)
}

/// All fields, by name.
fn row(reading: &Reading, trunc: bool) -> Row {
    const UNKNOWN: &str = "--";
    let usage = &reading.usage;
    let known = |text: String, unknown: &str| match reading.is_known {
        true => text,
        false => unknown.to_owned(),
    };
    let short = |bytes: u64| short_size(i64::try_from(bytes).unwrap_or(i64::MAX), 3);
    let share = match usage.memory_limit {
        0 => 0.0,
        limit => usage.memory as f64 / limit as f64 * 100.0,
    };
    let id = match trunc {
        true => usage.id.chars().take(12).collect(),
        false => usage.id.clone(),
    };
    let name = match usage.name.as_str() {
        "" => UNKNOWN,
        name => name,
    };
    let memory = format!(
        "{} / {}",
        binary_size(usage.memory),
        binary_size(usage.memory_limit)
    );
    let network = format!("{} / {}", short(usage.received), short(usage.sent));
    let blocks = format!("{} / {}", short(usage.read), short(usage.written));
    Row {
        kind: "*container.statsContext",
        fields: vec![
            ("BlockIO", known(blocks, UNKNOWN).into()),
            (
                "CPUPerc",
                known(format!("{:.2}%", usage.cpu), UNKNOWN).into(),
            ),
            ("Container", reading.container.clone().into()),
            ("ID", id.into()),
            ("MemPerc", known(format!("{share:.2}%"), UNKNOWN).into()),
            ("MemUsage", known(memory, "-- / --").into()),
            ("Name", name.into()),
            ("NetIO", known(network, UNKNOWN).into()),
            ("PIDs", known(usage.processes.to_string(), UNKNOWN).into()),
        ],
        labels: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Usage;

    fn shown(format: &str) -> String {
        let args = StatsArgs {
            services: Vec::new(),
            all: false,
            format: format.into(),
            no_stream: true,
            no_trunc: false,
        };
        let measured = Reading {
            container: "0123456789abcdef".into(),
            usage: Usage {
                id: "0123456789abcdef".into(),
                name: "p-web-1".into(),
                cpu: 12.345,
                memory: 6_323_000,
                memory_limit: 25_276_510_208,
                received: 1_390,
                sent: 126,
                read: 0,
                written: 26_694_550,
                processes: 3,
            },
            is_known: true,
        };
        let silent = Reading {
            container: "fedc".into(),
            ..Reading::default()
        };
        render(&[measured, silent], &args).unwrap()
    }

    #[test]
    fn the_table_is_docker_s() {
        assert_eq!(
            shown("table"),
            "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT    MEM %     NET I/O         BLOCK I/O     PIDS\n\
             0123456789ab   p-web-1   12.35%    6.03MiB / 23.54GiB   0.03%     1.39kB / 126B   0B / 26.7MB   3\n               \
             --        --        -- / --              --        --              --            --\n"
        );
    }

    #[test]
    fn json_and_templates() {
        assert_eq!(
            shown("json").lines().next(),
            Some(concat!(
                r#"{"BlockIO":"0B / 26.7MB","CPUPerc":"12.35%","Container":"0123456789abcdef","#,
                r#""ID":"0123456789ab","MemPerc":"0.03%","MemUsage":"6.03MiB / 23.54GiB","#,
                r#""Name":"p-web-1","NetIO":"1.39kB / 126B","PIDs":"3"}"#
            ))
        );
        assert_eq!(shown("{{.Name}} {{.PIDs}}"), "p-web-1 3\n-- --\n");
    }

    #[test]
    fn a_frame_is_drawn_over_the_last() {
        assert_eq!(
            frame("a\nb\n"),
            "\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\n\u{1b}[K\n\u{1b}[J"
        );
    }
}
