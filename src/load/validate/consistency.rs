//! Whether services fit together with each other and with the project's resources.
//!
//! In: the decoded model, services by whether they take part. Out: findings, each at the
//! reference or attribute that is at fault.

use super::super::extends::UNFOUND;
use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::{Map, Node, Span};
use crate::value::similar;
use std::collections::{BTreeSet, HashMap};

/// What services may refer to.
pub struct Project<'m> {
    pub enabled: &'m Map,
    pub disabled: &'m Map,
    /// The rest of the model: networks, volumes and so on.
    pub model: &'m Node,
    /// Paths of what is broken anyway: nothing is said about references into it.
    pub broken: &'m dyn Fn(&str) -> bool,
}

/// Checks every service that takes part, and the circle-free order of all.
pub fn check(project: &Project<'_>, findings: &mut Findings) {
    for (name, entry) in project.enabled.entries() {
        let mut service = Service {
            name,
            key: entry.key,
            spec: &entry.node,
            project,
            findings,
        };
        service.check();
    }
    secrets(project, findings);
    super::cycle::check(project.enabled, findings);
}

/// Checks that services which are to run beside each other have container names of their own.
pub fn check_names(services: &Map, together: &BTreeSet<&str>, findings: &mut Findings) {
    let mut taken: HashMap<&str, (&str, Span)> = HashMap::new();
    for (service, spec) in services.iter() {
        let Some(node) = spec
            .get("container_name")
            .filter(|_| together.contains(service))
        else {
            continue;
        };
        let Some(name) = node.as_str().filter(|name| !name.is_empty()) else {
            continue;
        };
        match taken.get(name) {
            Some((first, other)) => {
                let message =
                    format!("container name \"{name}\" is already in use by service {first}");
                let path = format!("services.{service}.container_name");
                let finding = Diagnostic::error("duplicate-name", path, message).at(node.span);
                findings.push(finding.related(*other, "used here first"));
            }
            None => {
                taken.insert(name, (service, node.span));
            }
        }
    }
}

/// A secret comes from somewhere, a driver or not (the schema asks for it only where there is none).
fn secrets(project: &Project<'_>, findings: &mut Findings) {
    let all = project.model.get("secrets").and_then(Node::as_map);
    for (name, entry) in all.into_iter().flat_map(Map::entries) {
        let says = |key: &str| {
            let value = entry.node.get(key);
            value.is_some_and(|n| n.as_str() != Some("") && n.as_bool() != Some(false))
        };
        let path = format!("secrets.{name}");
        if !["external", "file", "environment"].into_iter().any(says) && !(project.broken)(&path) {
            let message = format!("secret \"{name}\" must declare either `file` or `environment`");
            findings.push(Diagnostic::error("missing-attribute", path, message).at(entry.key));
        }
    }
}

struct Service<'m, 'f> {
    name: &'m str,
    key: Span,
    spec: &'m Node,
    project: &'m Project<'m>,
    findings: &'f mut Findings,
}

impl<'m> Service<'m, '_> {
    fn check(&mut self) {
        // What is missing may be what was refused.
        if !(self.project.broken)(&self.path("")) {
            self.image();
            self.limits();
            self.watch();
        }
        self.build();
        self.dependencies();
        self.networks();
        self.healthcheck();
        self.references();
        self.scale();
        self.mounts();
    }

    fn path(&self, below: &str) -> String {
        match below {
            "" => format!("services.{}", self.name),
            _ => format!("services.{}.{below}", self.name),
        }
    }

    fn report(
        &mut self,
        code: &'static str,
        below: &str,
        at: Span,
        message: String,
    ) -> &mut Diagnostic {
        let path = self.path(below);
        self.findings
            .add(Diagnostic::error(code, path, message).at(at))
    }

    fn text(&self, path: &[&str]) -> Option<(&'m str, Span)> {
        let node = self.spec.at(path)?;
        Some((node.as_str()?, node.span))
    }

    fn items(&self, path: &[&str]) -> &'m [Node] {
        self.spec
            .at(path)
            .and_then(Node::as_seq)
            .unwrap_or_default()
    }

    fn image(&mut self) {
        let has = |key: &str| self.spec.get(key).is_some();
        if !has("image") && !has("build") && !has("provider") && !has(UNFOUND) {
            let message = format!(
                "service \"{}\" has neither an image nor a build context specified",
                self.name
            );
            self.report("no-image", "", self.key, message).help =
                Some("add `image: …` or `build: …`".to_owned());
        }
    }

    fn build(&mut self) {
        if let (Some((_, inline)), Some((_, file))) = (
            self.text(&["build", "dockerfile_inline"]),
            self.text(&["build", "dockerfile"]),
        ) {
            let message = "`dockerfile` and `dockerfile_inline` are mutually exclusive".to_owned();
            self.report("exclusive-attributes", "build", inline, message)
                .related
                .push((file, "the other one".to_owned()));
        }
        let contexts = self
            .spec
            .at(&["build", "additional_contexts"])
            .and_then(Node::as_map);
        for (key, context) in contexts.into_iter().flat_map(Map::iter) {
            let Some(target) = context.as_str().and_then(|c| c.strip_prefix("service:")) else {
                continue;
            };
            let below = format!("build.additional_contexts.{key}");
            match self.project.enabled.get(target) {
                None => {
                    self.undefined("undefined-service", "service", &below, target, context.span)
                }
                Some(service) if service.get("build").is_none() => {
                    let message = format!("service \"{target}\" is not built, so it is no context");
                    self.report("bad-reference", &below, context.span, message);
                }
                Some(_) => {}
            }
        }
        if let Some((platform, span)) = self.text(&["platform"]) {
            let platforms = self.items(&["build", "platforms"]);
            if !platforms.is_empty() && !platforms.iter().any(|p| p.as_str() == Some(platform)) {
                let message = format!("`build.platforms` must include \"{platform}\"");
                self.report("platform", "platform", span, message)
                    .related
                    .push((
                        platforms[0].span,
                        "the platforms it is built for".to_owned(),
                    ));
            }
        }
    }

    fn networks(&mut self) {
        let networks = self.spec.get("networks").and_then(Node::as_map);
        if let (Some((mode, span)), Some(networks)) = (self.text(&["network_mode"]), networks) {
            let message = format!("`network_mode: {mode}` and `networks` are mutually exclusive");
            let other = networks.entries().next().map(|(_, entry)| entry.key);
            self.report("exclusive-attributes", "network_mode", span, message)
                .related
                .extend(other.map(|span| (span, "the networks".to_owned())));
        }
        for (key, entry) in networks.into_iter().flat_map(Map::entries) {
            self.declared(
                "networks",
                "network",
                &format!("networks.{key}"),
                key,
                entry.key,
            );
        }
        if let Some((mode, span)) = self.text(&["network_mode"])
            && let Some(target) = mode.strip_prefix("service:")
            && !self.project.enabled.contains_key(target)
            && !(self.project.broken)("include")
        {
            self.undefined("undefined-service", "service", "network_mode", target, span);
        }
    }

    /// A reference to a resource of the project.
    fn declared(&mut self, section: &str, what: &str, below: &str, key: &str, at: Span) {
        let known = self.project.model.get(section).and_then(Node::as_map);
        if known.is_some_and(|m| m.contains_key(key))
            || (self.project.broken)(section)
            || (self.project.broken)("include")
        {
            return;
        }
        let code = match what {
            "network" => "undefined-network",
            "volume" => "undefined-volume",
            "config" => "undefined-config",
            "model" => "undefined-model",
            _ => "undefined-secret",
        };
        self.undefined(code, what, below, key, at);
    }

    fn undefined(&mut self, code: &'static str, what: &str, below: &str, key: &str, at: Span) {
        let section = match what {
            "build secret" => "secrets".to_owned(),
            _ => format!("{what}s"),
        };
        let known = match section.as_str() {
            "services" => Some(self.project.enabled),
            _ => self.project.model.get(&section).and_then(Node::as_map),
        };
        let message = format!("service \"{}\" refers to undefined {what} {key}", self.name);
        if !self.findings.merit_advice(known.map_or(0, Map::len)) {
            self.report(code, below, at, message);
            return;
        }
        let known: Vec<&str> = known.into_iter().flat_map(Map::keys).collect();
        let help = match similar::nearest(key, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if what == "volume" && key.contains('/') => {
                format!("a directory beside the file is written `./{key}`")
            }
            None if known.is_empty() => format!("add it below the top-level `{section}`"),
            None => {
                let list = shortened(known.join(", "));
                format!("add it below the top-level `{section}`; defined there: {list}")
            }
        };
        let finding = self.report(code, below, at, message);
        finding.help = Some(help);
        // Of `data:/data` and `service:db` the name is meant.
        finding.part = Some((key.to_owned(), 0..key.len()));
    }

    fn services(&self) -> String {
        let names: Vec<&str> = self.project.enabled.keys().collect();
        shortened(names.join(", "))
    }

    fn healthcheck(&mut self) {
        let Some(first) = self.items(&["healthcheck", "test"]).first() else {
            return;
        };
        if !matches!(first.as_str(), Some("CMD" | "CMD-SHELL" | "NONE")) {
            let message =
                "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"";
            self.report(
                "bad-value",
                "healthcheck.test",
                first.span,
                message.to_owned(),
            )
            .help = Some("or write it as a string, which runs in a shell".to_owned());
        }
    }

    fn dependencies(&mut self) {
        let dependencies = self.spec.get("depends_on").and_then(Node::as_map);
        for (name, entry) in dependencies.into_iter().flat_map(Map::entries) {
            if self.project.enabled.contains_key(name) || (self.project.broken)("include") {
                continue;
            }
            let required = entry.node.get("required").and_then(Node::as_bool) == Some(true);
            let below = format!("depends_on.{name}");
            let message = format!(
                "service \"{}\" depends on undefined service \"{name}\"",
                self.name
            );
            match self.project.disabled.get(name) {
                Some(_) if !required => {}
                Some(disabled) => {
                    let profiles: Vec<&str> = disabled
                        .get("profiles")
                        .and_then(Node::as_seq)
                        .unwrap_or_default()
                        .iter()
                        .filter_map(Node::as_str)
                        .collect();
                    let help = format!(
                        "it is only there with --profile {}; or say `required: false`",
                        profiles.join(" or ")
                    );
                    let place = self.project.disabled.key_span(name);
                    let finding = self.report("undefined-service", &below, entry.key, message);
                    finding.help = Some(help);
                    finding
                        .related
                        .extend(place.map(|p| (p, "defined here".to_owned())));
                }
                None if !self.findings.merit_advice(self.project.enabled.len()) => {
                    self.report("undefined-service", &below, entry.key, message);
                }
                None => {
                    let known = self.project.enabled.keys();
                    let help = match similar::nearest(name, known) {
                        Some(meant) => format!("did you mean `{meant}`?"),
                        None => format!("the services are {}", self.services()),
                    };
                    let help = Some(help);
                    self.report("undefined-service", &below, entry.key, message)
                        .help = help;
                }
            }
        }
    }

    fn references(&mut self) {
        for (index, mount) in self.items(&["volumes"]).iter().enumerate() {
            let is_volume = mount.get("type").and_then(Node::as_str) == Some("volume");
            if let Some(source) = mount.get("source").filter(|_| is_volume)
                && let Some(key) = source.as_str()
            {
                let below = format!("volumes[{index}]");
                self.declared("volumes", "volume", &below, key, source.span);
            }
        }
        for (list, section, what) in [
            (&["build", "secrets"][..], "secrets", "build secret"),
            (&["configs"], "configs", "config"),
            (&["secrets"], "secrets", "secret"),
        ] {
            for (index, item) in self.items(list).iter().enumerate() {
                let below = format!("{}[{index}]", list.join("."));
                match item.get("source") {
                    Some(source) => {
                        let key = source.as_str().unwrap_or_default();
                        self.declared(section, what, &below, key, source.span);
                    }
                    None => {
                        let message = format!("`source` is missing: the name of a {what}");
                        self.report("missing-attribute", &below, item.span, message);
                    }
                }
            }
        }
        let models = self.spec.get("models").and_then(Node::as_map);
        for (key, entry) in models.into_iter().flat_map(Map::entries) {
            self.declared("models", "model", &format!("models.{key}"), key, entry.key);
        }
    }

    fn scale(&mut self) {
        let scale = self.spec.get("scale");
        let replicas = self.spec.at(&["deploy", "replicas"]);
        if let (Some(scale), Some(replicas)) = (scale, replicas)
            && scale != replicas
        {
            let message = "can't set distinct values on 'scale' and 'deploy.replicas'".to_owned();
            self.report("conflicting-values", "scale", scale.span, message)
                .related
                .push((replicas.span, "the other value".to_owned()));
        }
        for (node, below) in [(scale, "scale"), (replicas, "deploy.replicas")] {
            if let Some(n) = node.filter(|n| n.as_int().is_some_and(|n| n < 0)) {
                let message = "must be greater than or equal to 0".to_owned();
                self.report("out-of-range", below, n.span, message);
            }
        }
        let (below, count) = match (scale, replicas) {
            (Some(n), _) => ("scale", n),
            (None, Some(n)) => ("deploy.replicas", n),
            (None, None) => return,
        };
        if count.as_int().is_some_and(|n| n > 1)
            && let Some((_, name)) = self.text(&["container_name"])
        {
            let message =
                format!("can't set container_name and {below} as container name must be unique");
            self.report("exclusive-attributes", below, count.span, message)
                .related
                .push((name, "the name".to_owned()));
        }
    }

    /// What is said twice, at the service and below `deploy.resources`, must be the same.
    fn limits(&mut self) {
        for (key, block, below) in [
            ("cpus", "limits", "cpus"),
            ("mem_limit", "limits", "memory"),
            ("mem_reservation", "reservations", "memory"),
            ("pids_limit", "limits", "pids"),
        ] {
            let Some(own) = self.spec.get(key) else {
                continue;
            };
            let Some(block_node) = self.spec.at(&["deploy", "resources", block]) else {
                continue;
            };
            let other = block_node.get(below);
            if other != Some(own) {
                let message = format!(
                    "can't set distinct values on '{key}' and 'deploy.resources.{block}.{below}'"
                );
                let span = other.map_or(block_node.span, |o| o.span);
                self.report("conflicting-values", key, own.span, message)
                    .related
                    .push((span, "the other value".to_owned()));
            }
        }
    }

    fn watch(&mut self) {
        for (index, rule) in self.items(&["develop", "watch"]).iter().enumerate() {
            let action = rule.get("action").and_then(Node::as_str);
            if rule.get("target").is_none() && !matches!(action, Some("rebuild" | "restart")) {
                let message = "target is required for non-rebuild actions".to_owned();
                let below = format!("develop.watch[{index}]");
                self.report("missing-attribute", &below, rule.span, message);
            }
        }
    }

    fn mounts(&mut self) {
        let mut taken: HashMap<&str, (String, Span)> = HashMap::new();
        let tmpfs = self.items(&["tmpfs"]).iter().enumerate();
        let tmpfs = tmpfs.filter_map(|(index, node)| {
            let target = node.as_str()?.split(':').next()?;
            Some((format!("tmpfs[{index}]"), target, node.span))
        });
        let volumes = self.items(&["volumes"]).iter().enumerate();
        let volumes = volumes.filter_map(|(index, node)| {
            let target = node.get("target")?;
            Some((format!("volumes[{index}]"), target.as_str()?, target.span))
        });
        for (below, target, span) in tmpfs.chain(volumes) {
            match taken.get(target) {
                Some((first, other)) => {
                    let message =
                        format!("target {target} already mounted as {}", self.path(first));
                    let other = (*other, "mounted here first".to_owned());
                    self.report("duplicate-mount", &below, span, message)
                        .related
                        .push(other);
                }
                None => {
                    taken.insert(target, (below, span));
                }
            }
        }
    }
}

/// A list that fits on a line.
fn shortened(mut list: String) -> String {
    if let Some((end, _)) = list.char_indices().nth(100) {
        list.truncate(end);
        list.push_str(" ...");
    }
    list
}
