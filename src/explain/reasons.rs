//! Why there are values that no file says.

use super::path::Step;
use crate::load::rules::Rules;
use std::sync::LazyLock;

const TABLE: &[(&str, &str)] = &[
    ("configs.*.name", FROM_KEY),
    (
        "networks.*.ipam",
        "a network has addresses, given out by the engine",
    ),
    ("networks.*.name", FROM_KEY),
    ("networks.default", "for the services that name no network"),
    ("secrets.*.name", FROM_KEY),
    (
        "services.*.build.context",
        "a build's context is the project's directory unless said otherwise",
    ),
    (
        "services.*.build.dockerfile",
        "a build reads `Dockerfile` unless said otherwise",
    ),
    (
        "services.*.depends_on.*",
        "follows from a link, or a shared namespace or volume",
    ),
    (
        "services.*.depends_on.*.condition",
        "a dependency is waited for until it is started",
    ),
    (
        "services.*.depends_on.*.required",
        "a dependency is required unless said otherwise",
    ),
    ("services.*.deploy.replicas", "`scale` says it too"),
    (
        "services.*.env_file.*.required",
        "an env file is required unless said otherwise",
    ),
    (
        "services.*.gpus.*.count",
        "all devices, unless a count or ids are given",
    ),
    (
        "services.*.networks.default",
        "a service that names no network joins `default`",
    ),
    (
        "services.*.ports.*.mode",
        "a port goes through the engine's ingress unless said otherwise",
    ),
    (
        "services.*.ports.*.protocol",
        "a port is TCP unless said otherwise",
    ),
    (
        "services.*.pre_start.*.image",
        "a hook runs in its service's image",
    ),
    (
        "services.*.secrets.*.target",
        "a secret is a file in /run/secrets unless said otherwise",
    ),
    ("volumes.*.name", FROM_KEY),
];

const FROM_KEY: &str = "made of the project's name and the key";

static RULES: LazyLock<Rules<&'static str>> = LazyLock::new(|| Rules::new(TABLE));

/// The reason, in words.
pub fn why(steps: &[Step]) -> &'static str {
    let mut rules = &*RULES;
    let mut why = None;
    for step in steps {
        let below = match step {
            Step::Key(key) => rules.key(key),
            Step::Index(_) => rules.item(),
        };
        let Some(below) = below else { break };
        why = below.here().or(why);
        rules = below;
    }
    why.unwrap_or("the usual value; no file says it")
}

/// Whether the value follows from one that is written somewhere.
pub fn follows_from_a_place(steps: &[Step]) -> bool {
    let attribute = |at: usize| match steps.get(at) {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    attribute(0) == "services"
        && matches!(
            attribute(2),
            "depends_on" | "ports" | "secrets" | "env_file" | "gpus" | "deploy" | "pre_start"
        )
}
