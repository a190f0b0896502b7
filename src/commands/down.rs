//! `down`: stop and remove what `up` made.

use super::desired::Desired;
use super::foreign::Adoption;
use super::session::{Existing, Session};
use crate::context::Context;
use crate::error::CliError;
use crate::observe::{Observed, Scope, declare_oneoffs};
use crate::reconcile::Outcome;
use crate::reconcile::down::{Images, Options, down};
use std::collections::BTreeSet;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct DownArgs {
    /// Services to remove, with the networks and volumes that only they use (default: all)
    services: Vec<String>,
    #[command(flatten)]
    adoption: Adoption,
    /// Also remove containers of services that the project does not declare
    #[arg(long)]
    remove_orphans: bool,
    /// Remove images: local (built without an `image` name) or all
    #[arg(long, value_name = "WHICH")]
    rmi: Option<String>,
    /// Seconds to wait for a container to stop before killing it
    #[arg(short, long, value_name = "SECONDS", allow_negative_numbers = true)]
    timeout: Option<i64>,
    /// Remove the project's volumes and anonymous volumes, with their data
    #[arg(short, long, alias = "volume")]
    volumes: bool,
}

impl DownArgs {
    /// The whole project, with containers of services that it does not have.
    pub fn with_orphans() -> Self {
        DownArgs {
            services: Vec::new(),
            adoption: Adoption::default(),
            remove_orphans: true,
            rmi: None,
            timeout: None,
            volumes: false,
        }
    }
}

pub async fn run(ctx: &Context, args: DownArgs) -> Result<ExitCode, CliError> {
    let images = match args.rmi.as_deref() {
        None | Some("") => None,
        Some("local") => Some(Images::Local),
        Some("all") => Some(Images::All),
        Some(other) => {
            return Err(CliError::new(format!("invalid value for --rmi: {other:?}"))
                .hint("it is local or all"));
        }
    };
    let scope = Scope {
        networks: true,
        volumes: args.volumes,
        images: false,
    };
    let mut session = Session::over_existing(ctx, &args.services, scope, args.adoption).await?;
    let local = match images {
        Some(_) => session.engine.list_images(Vec::new()).await?,
        None => Vec::new(),
    };
    let options = Options {
        services: BTreeSet::new(),
        remove_orphans: args.remove_orphans || ctx.is_set("COMPOSE_REMOVE_ORPHANS"),
        adopt: args.adoption.adopt,
        images,
        volumes: args.volumes,
        timeout: args.timeout,
    };
    let plan = |desired: &mut Desired, observed: &Observed| {
        if desired.from_labels {
            declare_oneoffs(&mut desired.project, observed);
        }
        let Some(services) = desired.meant(&args.services)? else {
            return Ok(Outcome::default());
        };
        let options = Options {
            services: with_dependents(desired, services),
            ..options.clone()
        };
        let outcome = down(&desired.project, observed, &local, &options);
        if outcome.plan.is_empty() && outcome.warnings.is_empty() && desired.from_labels {
            ctx.reporter.warning(format!(
                "Warning: No resource found to remove for project {:?}.",
                desired.project.name
            ));
        }
        Ok(outcome)
    };
    session.run(Existing::new(plan)).await
}

/// Without a file nobody knows whether a dependent can do without: it goes too.
fn with_dependents(desired: &Desired, mut services: BTreeSet<String>) -> BTreeSet<String> {
    if !desired.from_labels {
        return services;
    }
    let mut queue: Vec<String> = services.iter().cloned().collect();
    while let Some(name) = queue.pop() {
        for dependent in desired.project.dependents(&name) {
            if services.insert(dependent.name.clone()) {
                queue.push(dependent.name.clone());
            }
        }
    }
    services
}
