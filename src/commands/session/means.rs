//! What a change is carried out with, as the context and the command's flags say.

use crate::context::Context;
use crate::engine::Engine;
use crate::execute::{DEFAULT_LIMIT, Means};
use crate::image::build::BuildOptions;
use crate::load::disk::DiskFiles;
use crate::project::Project;
use std::time::Duration;

/// How a command carries out its plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Every question is answered with yes (`-y`).
    pub yes: bool,
    /// Pulls show no layers.
    pub quiet_pull: bool,
    /// Builds show nothing.
    pub quiet_build: bool,
    /// Most time that waits for health take together (`--wait-timeout`).
    pub wait_limit: Option<Duration>,
}

/// What a change is carried out with.
pub async fn means<'a>(
    ctx: &'a Context,
    engine: &'a dyn Engine,
    project: &Project,
    manner: Manner,
) -> Means<'a> {
    let uses_socket = project.services.values().any(|s| s.use_api_socket);
    let docker_config = match ctx.keyring().filter(|_| uses_socket) {
        Some(keyring) => Some(keyring.rendered().await),
        None => None,
    };
    let mut build = for_running(ctx);
    build.quiet |= manner.quiet_build;
    Means {
        engine,
        reporter: &ctx.reporter,
        files: &DiskFiles,
        proxy_environment: build.proxy_environment.clone(),
        docker_config,
        limit: limit(ctx),
        quiet_pull: manner.quiet_pull,
        wait_limit: manner.wait_limit,
        build,
        interrupts: ctx.interrupts.clone(),
        lock: None,
    }
}

/// How images are built that are to be run.
pub fn for_running(ctx: &Context) -> BuildOptions {
    BuildOptions {
        for_running: true,
        ..ctx.build_options()
    }
}

/// Most engine calls at a time: `--parallel`, where it says a number.
fn limit(ctx: &Context) -> usize {
    ctx.globals
        .parallel
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| *n > 0)
        .unwrap_or(DEFAULT_LIMIT)
}
