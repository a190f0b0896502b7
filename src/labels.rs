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
