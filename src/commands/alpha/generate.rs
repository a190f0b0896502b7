//! `alpha generate`: a Compose file out of containers.

use crate::commands::config::Format;
use crate::commands::config::render;
use crate::context::Context;
use crate::engine::{ContainerFilter, ContainerSummary, Engine};
use crate::error::CliError;
use crate::labels;
use crate::load::CanonicalProject;
use crate::output;
use crate::tree::{Map, Node, Span, Value as Tree};
use crate::value::duration::Duration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct GenerateArgs {
    /// Containers, by name (or a pattern of names) or id
    #[arg(value_name = "CONTAINER")]
    containers: Vec<String>,
    /// Output format: yaml or json
    #[arg(long, value_name = "FORMAT", default_value = "yaml")]
    format: String,
    /// Project name to write
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// Directory of the project: paths below it are written relative to it
    #[arg(long, value_name = "DIR")]
    project_dir: Option<PathBuf>,
}

pub async fn run(ctx: &Context, args: GenerateArgs) -> Result<ExitCode, CliError> {
    output::complain("generate command is EXPERIMENTAL");
    if args.containers.is_empty() {
        return Err(CliError::new("at least one container must be specified"));
    }
    let format = Format::parse(Some(&args.format))?;
    let engine = ctx.engine()?;
    let filter = ContainerFilter {
        labels: Vec::new(),
        all: true,
    };
    let mut containers = engine.list_containers(filter).await?;
    containers.retain(|c| args.containers.iter().any(|wanted| is_meant(c, wanted)));
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    if containers.is_empty() {
        return Err(CliError::new(format!(
            "no container(s) found with the following name(s): {}",
            args.containers.join(",")
        )));
    }
    let root = args.project_dir.as_ref().map(|dir| ctx.cwd.join(dir));
    let mut file = File {
        root,
        ..File::default()
    };
    for container in &containers {
        let inspected = engine.inspect_container(&container.id).await?;
        file.add(container, &inspected.raw);
    }
    file.describe_networks(&*engine).await?;
    let text = render::project(file.project(args.name), format);
    output::tell(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// As the engine's filters compare: by a pattern of the name, or the beginning of the id.
fn is_meant(container: &ContainerSummary, wanted: &str) -> bool {
    let pattern = regex_lite::Regex::new(wanted.trim_start_matches('/'));
    container.name == wanted
        || container.id.starts_with(wanted)
        || pattern.is_ok_and(|pattern| pattern.is_match(&container.name))
}

/// The file as it grows.
#[derive(Default)]
struct File {
    /// Where relative paths begin.
    root: Option<PathBuf>,
    services: BTreeMap<String, Value>,
    networks: BTreeMap<String, Value>,
    volumes: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Value>,
}

impl File {
    /// Adds a container to the service that it is of, or to one of its own name.
    fn add(&mut self, container: &ContainerSummary, inspected: &Value) {
        let labels = &container.labels;
        let name = labels.get(labels::SERVICE).unwrap_or(&container.name);
        let mut service = self.services.remove(name).unwrap_or_else(
            || json!({ "image": container.image, "volumes": [], "secrets": [], "ports": [] }),
        );
        service["scale"] = (service["scale"].as_i64().unwrap_or(0) + 1).into();
        let own: BTreeMap<&String, &String> = labels
            .iter()
            .filter(|(key, _)| !labels::is_own(key) && !key.starts_with("desktop.docker.io"))
            .collect();
        service["labels"] = json!(own);
        service["environment"] = environment(&inspected["Config"]["Env"]);
        service["healthcheck"] = healthcheck(&inspected["Config"]["Healthcheck"]);
        for mount in list(&inspected["Mounts"]) {
            self.mount(mount, &mut service);
        }
        let networks = &inspected["NetworkSettings"]["Networks"];
        let mut attached = serde_json::Map::new();
        for (network, endpoint) in networks.as_object().into_iter().flatten() {
            let attachment = match list(&endpoint["Aliases"]).next() {
                Some(_) => json!({ "aliases": endpoint["Aliases"] }),
                None => Value::Null,
            };
            attached.insert(network.clone(), attachment);
            self.networks.entry(network.clone()).or_insert(json!({}));
        }
        service["networks"] = attached.into();
        for port in ports(&inspected["HostConfig"]["PortBindings"]) {
            push_new(&mut service["ports"], port);
        }
        self.services.insert(name.clone(), service);
    }

    fn mount(&mut self, mount: &Value, service: &mut Value) {
        let word = |key: &str| mount[key].as_str().unwrap_or_default();
        let (source, target) = (word("Source"), word("Destination"));
        let mut written = json!({ "type": word("Type"), "target": target });
        if mount["RW"] == false {
            written["read_only"] = true.into();
        }
        match word("Type") {
            "volume" => {
                let volume = match word("Driver") {
                    "" | "local" => json!({}),
                    driver => json!({ "driver": driver, "name": word("Name") }),
                };
                self.volumes.insert(word("Name").to_owned(), volume);
                written["source"] = word("Name").into();
            }
            "bind" if target.starts_with("/run/secrets") => {
                let name = target.rsplit('/').next().unwrap_or_default();
                let file = self.relative(source.strip_prefix("/host_mnt").unwrap_or(source));
                self.secrets
                    .insert(name.to_owned(), json!({ "file": file }));
                let secret = json!({ "source": name, "target": target });
                return push_new(&mut service["secrets"], secret);
            }
            "bind" => written["source"] = self.relative(source).into(),
            // The others are no part of what a file can mean.
            _ => return,
        }
        push_new(&mut service["volumes"], written);
    }

    /// A path of this machine, below the project's directory as seen from there.
    fn relative(&self, path: &str) -> String {
        let root = self.root.as_deref();
        let below = root.and_then(|root| Path::new(path).strip_prefix(root).ok());
        match below {
            Some(below) if below.as_os_str().is_empty() => ".".into(),
            Some(below) => format!("./{}", below.display()),
            None => path.to_owned(),
        }
    }

    /// What is to be said of the networks besides their names.
    async fn describe_networks(&mut self, engine: &dyn Engine) -> Result<(), CliError> {
        for (name, network) in &mut self.networks {
            match engine.inspect_network(name).await {
                Ok(found) if found["Internal"] == true => *network = json!({ "internal": true }),
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn project(self, name: String) -> CanonicalProject {
        let mut rest = Map::new();
        if !self.secrets.is_empty() {
            let secrets = Node::new(map(self.secrets), Span::default());
            rest.insert("secrets", Span::default(), secrets);
        }
        CanonicalProject {
            name,
            services: map(self
                .services
                .into_iter()
                .map(|(name, service)| (name, without_empty(service)))),
            networks: map(self.networks),
            volumes: map(self.volumes),
            rest: Node::new(rest, Span::default()),
            ..CanonicalProject::default()
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Adds an item to a list that does not have it.
fn push_new(list: &mut Value, item: Value) {
    if let Some(list) = list.as_array_mut()
        && !list.contains(&item)
    {
        list.push(item);
    }
}

fn environment(variables: &Value) -> Value {
    let pairs = list(variables).filter_map(Value::as_str);
    let pairs = pairs.map(|text| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Value::from(value)),
        None => (text.to_owned(), Value::Null),
    });
    pairs.collect::<serde_json::Map<_, _>>().into()
}

fn healthcheck(check: &Value) -> Value {
    if !check.is_object() {
        return Value::Null;
    }
    let mut written = json!({ "test": check["Test"] });
    for (key, field) in [
        ("timeout", "Timeout"),
        ("interval", "Interval"),
        ("start_period", "StartPeriod"),
        ("start_interval", "StartInterval"),
    ] {
        if let Some(nanoseconds) = check[field].as_i64().filter(|n| *n != 0) {
            written[key] = Duration(nanoseconds).to_string().into();
        }
    }
    if let Some(retries) = check["Retries"].as_i64().filter(|n| *n != 0) {
        written["retries"] = retries.into();
    }
    written
}

/// The ports that were asked for, by number.
fn ports(bindings: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for (key, bindings) in bindings.as_object().into_iter().flatten() {
        let (number, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
        let target: u16 = number.parse().unwrap_or_default();
        for binding in list(bindings) {
            let mut port = json!({ "target": target, "protocol": protocol });
            for (field, name) in [("HostPort", "published"), ("HostIp", "host_ip")] {
                if let Some(text) = binding[field].as_str().filter(|t| !t.is_empty()) {
                    port[name] = text.into();
                }
            }
            found.push((target, port));
        }
    }
    found.sort_by_key(|(target, port)| (*target, port.to_string()));
    found.into_iter().map(|(_, port)| port).collect()
}

fn map(objects: impl IntoIterator<Item = (String, Value)>) -> Map {
    let mut map = Map::new();
    for (name, object) in objects {
        map.insert(name.as_str(), Span::default(), node(object));
    }
    map
}

/// JSON as a tree that was written nowhere.
fn node(value: Value) -> Node {
    let tree = match value {
        Value::Null => Tree::Null,
        Value::Bool(b) => Tree::Bool(b),
        Value::Number(n) => n.as_i64().map_or(Tree::Null, Tree::Int),
        Value::String(text) => Tree::Str(text.as_str().into()),
        Value::Array(items) => Tree::Seq(items.into_iter().map(node).collect()),
        Value::Object(fields) => Tree::Map(map(fields)),
    };
    Node::new(tree, Span::default())
}

/// What a service is left without is not said.
fn without_empty(mut service: Value) -> Value {
    if let Some(fields) = service.as_object_mut() {
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        });
    }
    service
}

#[cfg(test)]
mod tests;
