//! `scale`: `up -d --scale` for the services named, and what they depend on.

use super::arguments;
use super::changing::{self, Changing};
use super::desired::load_files;
use super::foreign::Adoption;
use crate::context::Context;
use crate::error::CliError;
use crate::project::Dependencies;
use crate::reconcile::Options;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct ScaleArgs {
    /// Replicas of each service, at most 10000 (REGATTA_MAX_REPLICAS)
    #[arg(value_name = "SERVICE=REPLICAS")]
    wishes: Vec<String>,
    /// Exclude the services' dependencies
    #[arg(long)]
    no_deps: bool,
    #[command(flatten)]
    adoption: Adoption,
}

pub async fn run(ctx: &Context, args: ScaleArgs) -> Result<ExitCode, CliError> {
    let usage = "scale [OPTIONS] SERVICE=REPLICAS...";
    arguments::check(&args.wishes, 1..=usize::MAX, usage)?;
    let names = args
        .wishes
        .iter()
        .map(|wish| service_of(wish))
        .collect::<Result<Vec<_>, _>>()?;
    let dependencies = Dependencies::included(!args.no_deps);
    let mut desired = load_files(ctx, &names, dependencies)?;
    let named = desired.project.resolve_names(&names)?;
    desired.scale(&args.wishes, ctx.replica_limit()?)?;
    desired.select(ctx, &names, dependencies)?;
    let changing = Changing::adopting(args.adoption);
    let options = Options {
        named,
        start: true,
        ..changing.options(ctx)?
    };
    changing::bring_about(ctx, desired, options, &changing, None).await
}

/// The service of `web=3`, in Compose's words where it is something else.
fn service_of(wish: &str) -> Result<String, CliError> {
    let hint = "write SERVICE=REPLICAS, as in web=3";
    match wish.split_once('=') {
        Some((name, number)) if !name.is_empty() && !number.is_empty() => {
            match number.parse::<u32>() {
                Ok(_) => Ok(name.to_owned()),
                Err(_) => Err(CliError::new(format!(
                    "invalid scale specifier: can't parse replica value as int: {wish}"
                ))
                .hint(hint)),
            }
        }
        _ => Err(CliError::new(format!("invalid scale specifier: {wish}")).hint(hint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_a_number() {
        assert_eq!(service_of("web=3").expect("a wish"), "web");
        for wrong in ["web", "=3", "web=", "web=x", "web=-1", "web=1=2"] {
            assert!(service_of(wrong).is_err(), "{wrong}");
        }
    }
}
