//! `start`: start containers that are there; nothing is created.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope};
use crate::project::Dependencies;
use crate::reconcile::{Options, lifecycle};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub struct StartArgs {
    /// Services to start, with their dependencies (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Return once all services are running or healthy
    #[arg(long)]
    wait: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    wait_timeout: Option<u64>,
    /// Do not check that containers survive their first 200 ms
    #[arg(long)]
    no_verify: bool,
}

pub async fn run(ctx: &Context, args: StartArgs) -> Result<ExitCode, CliError> {
    let scope = Scope::CONTAINERS;
    let session = Session::over_existing(ctx, &args.services, scope, args.adoption);
    let plan = |desired: &mut Desired, observed: &Observed| {
        if desired.from_labels && observed.services.is_empty() {
            return Err(CliError::new(format!(
                "no container found for project {:?}: not found",
                desired.project.name
            )));
        }
        // Nothing is taken for granted of a service that neither a file nor a container tells of.
        let named = desired.project.resolve_names(&args.services)?;
        let names: Vec<String> = named.iter().cloned().collect();
        desired.select(ctx, &names, Dependencies::Include)?;
        let options = Options {
            named,
            start: true,
            wait: args.wait,
            unverified: args.no_verify,
            ..Options::default()
        };
        Ok(lifecycle::start(&desired.project, observed, &options))
    };
    let mut session = session.await?;
    session.manner.wait_limit = args.wait_timeout.map(Duration::from_secs);
    session.run(Existing::new(plan)).await
}
