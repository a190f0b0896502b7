//! The labels that say which object belongs to what: Compose's own, and ours.

/// What we put into the `version` label: the release of Docker Compose whose file handling,
/// names and hashes we follow.
pub const COMPOSE_VERSION: &str = "5.5.0";

pub const PROJECT: &str = "com.docker.compose.project";
pub const SERVICE: &str = "com.docker.compose.service";
pub const VERSION: &str = "com.docker.compose.version";
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
pub const ONEOFF: &str = "com.docker.compose.oneoff";
pub const CONTAINER_NUMBER: &str = "com.docker.compose.container-number";
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
pub const IMAGE: &str = "com.docker.compose.image";
pub const IMAGE_VOLUME_DIGEST: &str = "com.docker.compose.image-volume-digest";
pub const REPLACE: &str = "com.docker.compose.replace";
pub const SLUG: &str = "com.docker.compose.slug";
pub const HOOK: &str = "com.docker.compose.hook";
pub const NETWORK: &str = "com.docker.compose.network";
pub const VOLUME: &str = "com.docker.compose.volume";

/// Ours: the canonical service a container was made from (compressed, secrets as digests), so
/// that a later plan can name the fields that changed. Not part of the hash.
pub const SPEC: &str = "dev.regatta.spec";

/// Ours: how a one-off ends. [`RUN_RM`] says that it is removed at its end, which the engine does only
/// where it has started.
pub const RUN: &str = "dev.regatta.run";
pub const RUN_RM: &str = "rm";

/// Ours: the project that a volume is the lock of. Such a volume belongs to no project: it carries
/// none of Compose's labels.
pub const LOCK: &str = "dev.regatta.lock";

/// Whether a label is Docker Compose's or regatta's own, and none of the user's.
pub fn is_own(key: &str) -> bool {
    key.starts_with("com.docker.compose.") || key.starts_with("dev.regatta.")
}

/// What [`HOOK`] says of a container that runs a `pre_start` hook.
pub const PRE_START: &str = "pre_start";

/// What stands in the name of a lock's volume between the project's name and two numbers, with a dot
/// between them.
pub const LOCK_VOLUME: &str = "_regatta-lock.";

/// The project whose lock a volume of this name is.
pub fn project_of_lock(volume: &str) -> Option<&str> {
    let (project, numbers) = volume.rsplit_once(LOCK_VOLUME)?;
    let (epoch, step) = numbers.split_once('.')?;
    let are_numbers = [epoch, step].iter().all(|n| n.parse::<u64>().is_ok());
    are_numbers.then_some(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_locks_volume_tells_the_project() {
        for (volume, project) in [
            ("shop_regatta-lock.176.0", Some("shop")),
            (
                "a_regatta-lock.1.2_regatta-lock.3.4",
                Some("a_regatta-lock.1.2"),
            ),
            ("shop_regatta-lock.data", None),
            ("shop_data", None),
        ] {
            assert_eq!(project_of_lock(volume), project, "{volume}");
        }
    }
}
