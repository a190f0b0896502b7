//! Compose's labels of the containers of a project.

use super::Project;
use crate::labels::{
    COMPOSE_VERSION, CONFIG_FILES, CONFIG_HASH, CONTAINER_NUMBER, DEPENDS_ON, ENVIRONMENT_FILE,
    HOOK, ONEOFF, PRE_START, PROJECT, RUN, RUN_RM, SERVICE, SLUG, VERSION, WORKING_DIR,
};
use crate::service::Service;
use crate::service::one_off::OneOff;
use crate::value::path::spelled;
use std::collections::BTreeMap;

impl Project {
    /// Compose's labels of a replica, on top of the user's. The labels of the image and of
    /// the container that it replaces are added when it is created.
    pub fn container_labels(
        &self,
        service: &Service,
        number: u32,
        hash: &str,
    ) -> BTreeMap<String, String> {
        let mut all = service.labels.clone();
        let mut put = |key: &str, value: String| all.insert(key.to_owned(), value);
        put(PROJECT, self.name.clone());
        put(SERVICE, service.name.clone());
        put(VERSION, COMPOSE_VERSION.to_owned());
        put(WORKING_DIR, spelled(&self.working_dir));
        put(CONFIG_FILES, self.config_files.join(","));
        if !self.env_files.is_empty() {
            put(ENVIRONMENT_FILE, self.env_files.join(","));
        }
        put(ONEOFF, "False".to_owned());
        put(CONTAINER_NUMBER, number.to_string());
        put(CONFIG_HASH, hash.to_owned());
        // An optional one that takes no part goes unnamed: Compose takes all that are named for required.
        let depends_on: Vec<String> = service
            .depends_on
            .iter()
            .filter(|(name, _)| self.services.contains_key(*name))
            .map(|(name, d)| format!("{name}:{}:{}", d.condition.as_str(), d.restart))
            .collect();
        put(DEPENDS_ON, depends_on.join(","));
        all
    }

    /// Compose's labels of a one-off, on top of the user's. It has no number, but a slug.
    pub fn one_off_labels(
        &self,
        service: &Service,
        one_off: &OneOff,
        hash: &str,
    ) -> BTreeMap<String, String> {
        let mut all = self.container_labels(service, 0, hash);
        all.remove(CONTAINER_NUMBER);
        all.insert(ONEOFF.to_owned(), "True".to_owned());
        all.insert(SLUG.to_owned(), one_off.slug.clone());
        if one_off.auto_remove {
            all.insert(RUN.to_owned(), RUN_RM.to_owned());
        }
        all
    }

    /// Compose's labels of a container that runs a `pre_start` hook. It has no hash, and so counts
    /// as no replica.
    pub fn pre_start_labels(&self, service: &Service) -> BTreeMap<String, String> {
        [
            (PROJECT, self.name.as_str()),
            (SERVICE, &service.name),
            (VERSION, COMPOSE_VERSION),
            (HOOK, PRE_START),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }
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
        let labels = project.container_labels(&service, 2, "00ff");
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
