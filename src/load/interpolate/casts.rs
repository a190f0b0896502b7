//! Which values become numbers or truth values once their variables are filled in.

use crate::load::rules::Rules;
use crate::tree::Value;
use std::sync::LazyLock;

/// What a text at some path is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::load) enum Cast {
    Int,
    Float,
    /// Rounded to the precision Compose keeps.
    Float32,
    Bool,
}

use Cast::{Bool, Float, Float32, Int};

/// Paths, keys joined by dots; `*` is any key or item of a sequence. Sorted by the last key.
pub(in crate::load) const TABLE: &[(&str, Cast)] = &[
    ("services.*.ulimits.*", Int),
    ("networks.*.attachable", Bool),
    ("services.*.cpu_count", Int),
    ("services.*.cpu_percent", Float),
    ("services.*.cpu_period", Int),
    ("services.*.cpu_quota", Int),
    ("services.*.cpu_rt_period", Int),
    ("services.*.cpu_rt_runtime", Int),
    ("services.*.cpu_shares", Int),
    ("services.*.cpus", Float32),
    ("services.*.healthcheck.disable", Bool),
    ("networks.*.enable_ipv4", Bool),
    ("networks.*.enable_ipv6", Bool),
    ("configs.*.external", Bool),
    ("networks.*.external", Bool),
    ("secrets.*.external", Bool),
    ("volumes.*.external", Bool),
    ("services.*.ulimits.*.hard", Int),
    ("services.*.init", Bool),
    ("networks.*.internal", Bool),
    ("services.*.deploy.restart_policy.max_attempts", Int),
    ("services.*.deploy.rollback_config.max_failure_ratio", Float),
    ("services.*.deploy.update_config.max_failure_ratio", Float),
    ("services.*.deploy.placement.max_replicas_per_node", Int),
    ("services.*.volumes.*.volume.nocopy", Bool),
    ("services.*.oom_kill_disable", Bool),
    ("services.*.oom_score_adj", Int),
    ("services.*.deploy.rollback_config.parallelism", Int),
    ("services.*.deploy.update_config.parallelism", Int),
    ("services.*.pids_limit", Int),
    ("services.*.privileged", Bool),
    ("services.*.read_only", Bool),
    ("services.*.volumes.*.read_only", Bool),
    ("services.*.deploy.replicas", Int),
    ("services.*.depends_on.*.required", Bool),
    ("services.*.depends_on.*.restart", Bool),
    ("services.*.healthcheck.retries", Int),
    ("services.*.scale", Int),
    ("services.*.ulimits.*.soft", Int),
    ("services.*.stdin_open", Bool),
    ("services.*.ports.*.target", Int),
    ("services.*.tty", Bool),
];

pub(super) static RULES: LazyLock<Rules<Cast>> = LazyLock::new(|| Rules::new(TABLE));

/// A cast value, and whether it was written in a way that YAML 1.2 does not know.
///
/// # Errors
/// What the text should have been.
pub(super) fn apply(cast: Cast, text: &str) -> Result<(Value, bool), &'static str> {
    match cast {
        Int => text
            .parse()
            .map(|i| (Value::Int(i), false))
            .map_err(|_| "a whole number"),
        Float => text
            .parse()
            .map(|f| (Value::Float(f), false))
            .map_err(|_| "a number"),
        Float32 => {
            let short: f32 = text.parse().map_err(|_| "a number")?;
            // By way of its digits: 0.1f32 is to be 0.1, not 0.10000000149.
            let long = short.to_string().parse().unwrap_or(f64::from(short));
            Ok((Value::Float(long), false))
        }
        Bool => match text.to_ascii_lowercase().as_str() {
            "true" => Ok((Value::Bool(true), false)),
            "false" => Ok((Value::Bool(false), false)),
            "y" | "yes" | "on" => Ok((Value::Bool(true), true)),
            "n" | "no" | "off" => Ok((Value::Bool(false), true)),
            _ => Err("true or false"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<Cast> {
        let keys: Vec<&str> = path.split('.').collect();
        RULES.at(&keys)?.here()
    }

    #[test]
    fn every_path_of_the_table_is_found() {
        for (path, cast) in TABLE {
            let path = path.replace('*', "x");
            assert_eq!(find(&path), Some(*cast), "{path}");
        }
        for path in [
            "services.x.image",
            "x.tty",
            "services.x.x.tty",
            "networks.x.tty",
            "*",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn values_are_cast_as_compose_casts_them() {
        let value = |cast, text| apply(cast, text).map(|(v, _)| v).ok();
        assert_eq!(value(Int, "012"), Some(Value::Int(12)));
        assert_eq!(value(Int, "0x10"), None);
        assert_eq!(value(Int, ""), None);
        assert_eq!(value(Float, "1e3"), Some(Value::Float(1000.0)));
        assert_eq!(value(Float32, "1.1"), Some(Value::Float(1.1)));
        assert_eq!(
            value(Float32, "0.1234567891"),
            Some(Value::Float(0.12345679))
        );
        assert_eq!(apply(Bool, "Yes"), Ok((Value::Bool(true), true)));
        assert_eq!(value(Bool, "maybe"), None);
    }
}
