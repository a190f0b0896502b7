//! The labels that say which object belongs to what: Compose's own, and ours.

use crate::project::Project;
use crate::service::Service;
use crate::value::path::spelled;
use std::collections::BTreeMap;

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

/// Ours: the project that a volume is the lock of. Such a volume belongs to no project: it carries
/// none of Compose's labels.
pub const LOCK: &str = "dev.regatta.lock";

/// Whether a label is Docker Compose's or regatta's own, and none of the user's.
pub fn is_own(key: &str) -> bool {
    key.starts_with("com.docker.compose.") || key.starts_with("dev.regatta.")
}

/// Compose's labels of a replica, on top of the user's. Those on image and predecessor are for
/// whoever creates it to add.
pub fn container_labels(
    project: &Project,
    service: &Service,
    number: u32,
    hash: &str,
) -> BTreeMap<String, String> {
    let mut all = service.labels.clone();
    let mut put = |key: &str, value: String| all.insert(key.to_owned(), value);
    put(PROJECT, project.name.clone());
    put(SERVICE, service.name.clone());
    put(VERSION, COMPOSE_VERSION.to_owned());
    put(WORKING_DIR, spelled(&project.working_dir));
    put(CONFIG_FILES, project.config_files.join(","));
    if !project.env_files.is_empty() {
        put(ENVIRONMENT_FILE, project.env_files.join(","));
    }
    put(ONEOFF, "False".to_owned());
    put(CONTAINER_NUMBER, number.to_string());
    put(CONFIG_HASH, hash.to_owned());
    // An optional one that takes no part goes unnamed: Compose takes all that are named for required.
    let depends_on: Vec<String> = service
        .depends_on
        .iter()
        .filter(|(name, _)| project.services.contains_key(*name))
        .map(|(name, d)| format!("{name}:{}:{}", d.condition.as_str(), d.restart))
        .collect();
    put(DEPENDS_ON, depends_on.join(","));
    all
}

/// What [`HOOK`] says of a container that runs a `pre_start` hook.
pub const PRE_START: &str = "pre_start";

/// Compose's labels of a container that runs a `pre_start` hook. It has no hash, and so counts
/// as no replica.
pub fn pre_start_labels(project: &Project, service: &Service) -> BTreeMap<String, String> {
    [
        (PROJECT, project.name.as_str()),
        (SERVICE, &service.name),
        (VERSION, COMPOSE_VERSION),
        (HOOK, PRE_START),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Condition, Dependency};

    #[test]
    fn compose_finds_its_labels() {
        let mut service = Service {
            name: "web".into(),
            ..Service::default()
        };
        service.labels.insert("mine".into(), "1".into());
        service.depends_on.insert(
            "db".into(),
            Dependency {
                condition: Condition::Healthy,
                ..Dependency::default()
            },
        );
        let optional = Dependency {
            required: false,
            ..Dependency::default()
        };
        for name in ["cache", "tracing"] {
            service.depends_on.insert(name.into(), optional);
        }
        let named = |name: &str| (name.to_owned(), Service::default());
        let project = Project {
            services: [named("db"), named("cache")].into(),
            disabled: [named("tracing")].into(),
            name: "shop".into(),
            working_dir: "/srv/shop".into(),
            config_files: vec!["/srv/shop/compose.yaml".into(), "/srv/shop/o.yaml".into()],
            ..Project::default()
        };
        let labels = container_labels(&project, &service, 2, "00ff");
        for (key, value) in [
            ("mine", "1"),
            (PROJECT, "shop"),
            (SERVICE, "web"),
            (CONTAINER_NUMBER, "2"),
            (ONEOFF, "False"),
            (CONFIG_HASH, "00ff"),
            (CONFIG_FILES, "/srv/shop/compose.yaml,/srv/shop/o.yaml"),
            (
                DEPENDS_ON,
                "cache:service_started:false,db:service_healthy:false",
            ),
        ] {
            assert_eq!(labels[key], value, "{key}");
        }
        assert!(!labels.contains_key(ENVIRONMENT_FILE));
    }
}
