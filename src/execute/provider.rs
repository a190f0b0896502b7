//! Services that a program provides: `provider.type` names it, and it tells on its standard
//! output, one JSON message a line, how far it is and what the services that depend on it are to
//! find in their environment.

use super::Walk;
use super::failure::Trouble;
use crate::event::Kind;
use crate::plan::ProviderVerb;
use crate::service::{Provider, Service};
use crate::value::program::advice;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// The most that is kept of what the program says on standard error, in bytes.
const KEPT_BYTES: u64 = 16 << 10;

/// One message of a provider.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

/// What a provider says about itself (`compose metadata`); all of it may be missing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    description: String,
    up: Signature,
    down: Signature,
    stop: Option<Signature>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Signature {
    parameters: Option<Vec<Parameter>>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    required: bool,
}

impl Metadata {
    fn is_empty(&self) -> bool {
        let says = |signature: &Signature| signature.parameters.is_some();
        self.description.is_empty() && !says(&self.up) && !says(&self.down)
    }

    fn of(&self, verb: ProviderVerb) -> Option<&Signature> {
        match verb {
            ProviderVerb::Up => Some(&self.up),
            ProviderVerb::Down => Some(&self.down),
            ProviderVerb::Stop => self.stop.as_ref(),
        }
    }
}

/// What dependants find in their environment.
#[derive(Debug, Clone, Default)]
pub(super) struct Provided {
    /// Under the service's name: `setenv`.
    prefixed: Vec<(String, String)>,
    /// As they are: `rawsetenv`.
    raw: Vec<(String, String)>,
}

impl Walk<'_> {
    pub(super) async fn run_provider(&self, name: &str, verb: ProviderVerb) -> Result<(), Trouble> {
        let service = self.service(name)?;
        let Some(provider) = &service.provider else {
            return Ok(());
        };
        let at = |trouble: Trouble| match trouble.path {
            Some(_) => trouble,
            None => trouble.at(format!("services.{name}.provider")),
        };
        let program = self.find_provider(name, provider)?;
        let metadata = self.provider_metadata(&program).await;
        // Only a program that says so can be stopped without being taken down.
        let Some(signature) = metadata.of(verb) else {
            return Ok(());
        };
        let known = (!metadata.is_empty()).then_some(signature);
        let options = options(name, provider, known)?;
        let reporter = self.means.reporter;
        reporter.send(Kind::ProviderStarted {
            service: name.to_owned(),
            verb,
        });
        let provided = self
            .call_provider(&program, service, verb, options)
            .await
            .map_err(at)?;
        reporter.send(Kind::ProviderFinished {
            service: name.to_owned(),
            verb,
        });
        if verb == ProviderVerb::Up {
            let provided = (name.to_owned(), provided);
            self.made.borrow_mut().provided.extend([provided]);
        }
        Ok(())
    }

    fn find_provider(&self, name: &str, provider: &Provider) -> Result<PathBuf, Trouble> {
        let programs = &self.means.build.programs;
        let kind = &provider.kind;
        let path = format!("services.{name}.provider.type");
        if kind == "compose" {
            return Err(Trouble::new("\"compose\" is not a valid provider type").at(path));
        }
        let Some(program) = programs.provider(kind) else {
            return Err(
                Trouble::new(format!("the provider's program {kind:?} is not there"))
                    .at(path)
                    .help(advice(kind)),
            );
        };
        // The last door, whatever was asked before.
        match programs.may_run(&program) {
            true => Ok(program),
            false => Err(Trouble::new(format!(
                "the provider's program {} came with a fetched project and was not allowed to run",
                program.display()
            ))
            .at(path)
            .help("-y allows it")),
        }
    }

    async fn provider_metadata(&self, program: &Path) -> Metadata {
        let programs = &self.means.build.programs;
        let output = programs
            .command_with(program, &self.project.environment)
            .args(["compose", "metadata"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .await;
        match output {
            Ok(output) if output.status.success() => {
                serde_json::from_slice(&output.stdout).unwrap_or_default()
            }
            _ => Metadata::default(),
        }
    }

    async fn call_provider(
        &self,
        program: &Path,
        service: &Service,
        verb: ProviderVerb,
        options: Vec<String>,
    ) -> Result<Provided, Trouble> {
        let programs = &self.means.build.programs;
        let mut child = programs
            .command_with(program, &self.project.environment)
            .arg("compose")
            .arg(format!("--project-name={}", self.project.name))
            .arg(verb.as_str())
            .args(options)
            .arg(&service.name)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Trouble::new(format!("{}: {e}", program.display())))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = async {
            let mut said = Vec::new();
            if let Some(stderr) = stderr {
                let mut stderr = stderr.take(KEPT_BYTES);
                let _ = stderr.read_to_end(&mut said).await;
                // The rest is read and dropped, so that the program does not block on it.
                let _ = tokio::io::copy(stderr.get_mut(), &mut tokio::io::sink()).await;
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        };
        let messages = async {
            let mut provided = Provided::default();
            if let Some(stdout) = stdout {
                let mut lines = BufReader::new(stdout).lines();
                while let Some(line) = lines
                    .next_line()
                    .await
                    .map_err(|e| Trouble::new(e.to_string()))?
                {
                    self.hear(&service.name, &line, &mut provided)?;
                }
            }
            Ok::<Provided, Trouble>(provided)
        };
        // An error that the program tells of ends it; its end ends what it says.
        let mut complaints = std::pin::pin!(async { Ok::<String, Trouble>(complaints.await) });
        let (provided, said) = tokio::try_join!(messages, &mut complaints)?;
        let status = child
            .wait()
            .await
            .map_err(|e| Trouble::new(e.to_string()))?;
        if status.success() {
            return Ok(provided);
        }
        let said = match said.as_str() {
            "" => String::new(),
            said => format!(": {said}"),
        };
        Err(Trouble::new(format!(
            "failed to {} service provider: {status}{said}",
            verb.deed()
        )))
    }

    /// Takes in one line, which may hold several messages.
    fn hear(&self, name: &str, line: &str, provided: &mut Provided) -> Result<(), Trouble> {
        let stream = serde_json::Deserializer::from_str(line).into_iter::<Message>();
        for message in stream {
            let Message { kind, message } = message
                .map_err(|e| Trouble::new(format!("invalid response from its program: {e}")))?;
            let variable = || {
                let (key, value) = message.split_once('=').ok_or_else(|| {
                    Trouble::new(format!("invalid response from its program: {message}"))
                })?;
                Ok::<_, Trouble>((key.to_owned(), value.to_owned()))
            };
            match kind.as_str() {
                "error" => return Err(Trouble::new(message)),
                "info" => {
                    let first = message.lines().next().unwrap_or_default();
                    self.means.reporter.working(name, first);
                }
                "debug" => tracing::debug!(service = name, message, "provider"),
                "setenv" => provided.prefixed.push(variable()?),
                "rawsetenv" => provided.raw.push(variable()?),
                other => {
                    return Err(Trouble::new(format!(
                        "invalid response from its program: {other}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The service with the variables of its models, and those that the providers it depends on
    /// have given.
    pub(super) fn with_provided(&self, service: &Service) -> Option<Service> {
        let made = self.made.borrow();
        let mut all: Option<Service> = None;
        for (key, value) in self.model_variables(service) {
            let environment = &mut all.get_or_insert_with(|| service.clone()).environment;
            environment.insert(key, Some(value));
        }
        for name in service.depends_on.keys() {
            let Some(provided) = made.provided.get(name) else {
                continue;
            };
            let environment = &mut all.get_or_insert_with(|| service.clone()).environment;
            let prefix = name.to_uppercase();
            for (key, value) in &provided.prefixed {
                environment.insert(format!("{prefix}_{key}"), Some(value.clone()));
            }
            for (key, value) in &provided.raw {
                let before = environment.insert(key.clone(), Some(value.clone()));
                if before.is_some_and(|before| before.as_ref() != Some(value)) {
                    self.means.reporter.warning(format!(
                        "provider {name:?} overrides environment variable {key:?} in service {:?}",
                        service.name
                    ));
                }
            }
        }
        all
    }
}

/// The provider's options as flags; a program that tells its parameters gets only those.
fn options(
    name: &str,
    provider: &Provider,
    known: Option<&Signature>,
) -> Result<Vec<String>, Trouble> {
    let parameters = known.map(|s| s.parameters.as_deref().unwrap_or_default());
    for parameter in parameters.unwrap_or_default() {
        if parameter.required && !provider.options.contains_key(&parameter.name) {
            return Err(Trouble::new(format!(
                "required parameter {:?} is missing from provider {:?} definition",
                parameter.name, provider.kind
            ))
            .at(format!("services.{name}.provider.options")));
        }
    }
    let takes = |key: &str| parameters.is_none_or(|all| all.iter().any(|p| p.name == key));
    Ok(provider
        .options
        .iter()
        .filter(|(key, _)| takes(key))
        .flat_map(|(key, values)| values.iter().map(move |v| format!("--{key}={v}")))
        .collect())
}
