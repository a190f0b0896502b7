//! `models`: Docker's model runner, through the plugin `docker-model` of Docker's client.

use super::Walk;
use super::failure::Trouble;
use crate::event::Kind;
use crate::service::Service;
use crate::tree::Node;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::Stdio;

/// The first version of the plugin that takes runtime flags.
const TAKES_FLAGS: [u64; 3] = [1, 0, 6];

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Status {
    endpoint: String,
}

#[derive(Deserialize)]
struct Plugin {
    #[serde(rename = "Version", default)]
    version: String,
}

impl Walk<'_> {
    /// Pulls a model where it is missing, configures it, and asks where models are served.
    pub(super) async fn prepare_model(&self, service: &str, key: &str) -> Result<(), Trouble> {
        let path = format!("services.{service}.models.{key}");
        let at = |trouble: Trouble| trouble.at(path.clone());
        let Some(program) = self.means.build.programs.plugin("model") else {
            return Err(at(Trouble::new(format!(
                "model {key:?} needs the plugin docker-model of Docker's client, which is not there"
            ))
            .help(
                "install Docker's package docker-model-plugin, or drop `models`",
            )));
        };
        self.prepare_model_with(&program, key).await.map_err(at)
    }

    async fn prepare_model_with(&self, program: &Path, key: &str) -> Result<(), Trouble> {
        let Some(node) = self.project.spec.at(&["models", key]) else {
            return Err(Trouble::new(format!("model {key:?} is not defined")));
        };
        let model = self.model_reference(key);
        let reporter = self.means.reporter;
        let shown = node.get("name").and_then(Node::as_str).unwrap_or(key);
        let shown = || shown.to_owned();
        let listed: Vec<Listed> = self.ask_models(program, &["ls", "--json"]).await?;
        if !listed.iter().any(|m| m.tags.contains(&model)) {
            reporter.send(Kind::ModelPullStarted { model: shown() });
            self.call_models(program, &["pull", &model]).await?;
            reporter.send(Kind::ModelPullFinished { model: shown() });
        }
        reporter.send(Kind::ModelConfigStarted { model: shown() });
        let size = node.get("context_size").and_then(Node::as_int);
        let size = size.filter(|n| *n > 0).map(|n| n.to_string());
        let mut words = vec!["configure"];
        if let Some(size) = &size {
            words.extend(["--context-size", size]);
        }
        words.push(&model);
        let flags = node.get("runtime_flags").and_then(Node::as_seq);
        let flags: Vec<&str> = flags
            .into_iter()
            .flatten()
            .filter_map(Node::as_str)
            .collect();
        if !flags.is_empty() {
            if !self.takes_flags(program).await? {
                return Err(Trouble::new(format!(
                    "model {key:?} has runtime_flags, which this version of docker-model does not take"
                ))
                .help("docker-model 1.0.6 is the first that does"));
            }
            words.push("--");
            words.extend(flags);
        }
        self.call_models(program, &words).await?;
        let status: Status = self.ask_models(program, &["status", "--json"]).await?;
        self.made.borrow_mut().models_at = Some(status.endpoint);
        reporter.send(Kind::ModelConfigFinished { model: shown() });
        Ok(())
    }

    /// What the engine's model runner knows a model as.
    fn model_reference(&self, key: &str) -> String {
        let node = self.project.spec.at(&["models", key, "model"]);
        node.and_then(Node::as_str).unwrap_or(key).to_owned()
    }

    async fn takes_flags(&self, program: &Path) -> Result<bool, Trouble> {
        let words = ["docker-cli-plugin-metadata"];
        let plugin: Plugin = self.ask_models(program, &words).await?;
        Ok(numbers(&plugin.version) >= TAKES_FLAGS)
    }

    async fn ask_models<T: DeserializeOwned>(
        &self,
        program: &Path,
        words: &[&str],
    ) -> Result<T, Trouble> {
        let said = self.call_models(program, words).await?;
        serde_json::from_slice(&said)
            .map_err(|e| Trouble::new(format!("docker-model {}: {e}", words.join(" "))))
    }

    async fn call_models(&self, program: &Path, words: &[&str]) -> Result<Vec<u8>, Trouble> {
        let line = words.join(" ");
        let programs = &self.means.build.programs;
        let output = programs
            .command_with(program, &self.project.environment)
            .args(words)
            .env("DOCKER_HOST", self.means.engine.endpoint())
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|e| Trouble::new(format!("docker-model {line}: {e}")))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Trouble::new(format!(
            "docker-model {line}: {}: {}",
            output.status,
            said.trim()
        )))
    }

    /// The variables that tell a service of its models.
    pub(super) fn model_variables(&self, service: &Service) -> Vec<(String, String)> {
        let made = self.made.borrow();
        let Some(endpoint) = &made.models_at else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (key, names) in &service.models {
            let prefix = key.to_uppercase().replace('-', "_");
            let named = |name: Option<&String>, end: &str| match name.filter(|n| !n.is_empty()) {
                Some(name) => name.clone(),
                None => format!("{prefix}_{end}"),
            };
            let names = names.as_ref();
            let model = named(names.and_then(|n| n.model_var.as_ref()), "MODEL");
            let url = named(names.and_then(|n| n.endpoint_var.as_ref()), "URL");
            all.push((model, self.model_reference(key)));
            all.push((url, endpoint.clone()));
        }
        all
    }
}

/// The numbers of a version: `v1.0.6` is 1, 0, 6.
fn numbers(version: &str) -> [u64; 3] {
    let mut all = [0; 3];
    let parts = version.trim_start_matches('v').split(['.', '-', '+']);
    for (number, part) in all.iter_mut().zip(parts) {
        *number = part.parse().unwrap_or(0);
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions() {
        for (version, takes) in [
            ("v1.0.6", true),
            ("1.10.0", true),
            ("v1.0.5", false),
            ("", false),
        ] {
            assert_eq!(
                super::numbers(version) >= super::TAKES_FLAGS,
                takes,
                "{version}"
            );
        }
    }
}
