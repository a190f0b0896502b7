//! `watch`: what changes on this machine goes into containers, or makes them anew.
//!
//! ```text
//! tree (notify) ─▶ changed paths, once it is quiet ─▶ rules: which service, which action
//!                                                        ├─▶ rebuild   (the caller's)
//!                                                        ├─▶ sync      one tar a container, then deletions
//!                                                        ├─▶ restart   (the caller's)
//!                                                        └─▶ exec      in each running container
//! ```
//!
//! The caller brings the verbs that change the project ([`Actions`]), so that `watch`, `up --watch`
//! and a menu can start it.

pub mod alone;
mod batch;
pub mod rules;
mod sync;
mod tree;

use self::batch::Batch;
use self::rules::Rule;
use self::tree::{Changed, Tree};
use crate::copy::{self, Meant};
use crate::engine::request::hook_request;
use crate::engine::{ContainerSummary, Engine, EngineError, OutputStream};
use crate::image::build::BuildError;
use crate::interrupt::{Interrupts, Stage};
use crate::project::Project;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Why nothing is watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(
        "none of the selected services is configured for watch, consider setting a 'develop' section"
    )]
    Nothing,
    #[error("can't watch service \"{0}\" with action rebuild without a build context")]
    NoBuild(String),
    #[error("--no-build is incompatible with watch action rebuild in service {0}")]
    MayNotBuild(String),
    #[error("can't watch with action \"sync+exec\" on service {0} without a command")]
    NoCommand(String),
    /// A `.dockerignore` means nothing.
    #[error(transparent)]
    Ignored(#[from] BuildError),
    /// A pattern of a rule means nothing.
    #[error("services.{service}.develop.watch: {list}: `{pattern}`: {why}")]
    Pattern {
        service: String,
        list: &'static str,
        pattern: String,
        why: &'static str,
    },
    /// The system watches no more files for this user.
    #[error("{0}")]
    Limit(String),
    #[error("cannot watch {path}: {why}")]
    System { path: String, why: String },
    #[error("cannot take exclusive lock for project \"{project}\": {why}")]
    Taken { project: String, why: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a change of files may ask of the whole project.
pub trait Actions {
    /// Builds the images of these services, and recreates their containers.
    ///
    /// # Errors
    /// In words for the user; watching goes on.
    fn rebuild(&mut self, services: &BTreeSet<String>) -> impl Future<Output = Result<(), String>>;
    /// Restarts the containers of these services.
    ///
    /// # Errors
    /// In words for the user; watching goes on.
    fn restart(&mut self, services: &BTreeSet<String>) -> impl Future<Output = Result<(), String>>;
    /// Says a line.
    fn say(&self, line: &str);
    fn warn(&self, line: &str);
    /// What a command in a container wrote.
    fn output(&self, text: &str);
}

/// Watching that has begun: changes are noted from now on.
pub struct Watch<'a> {
    engine: &'a dyn Engine,
    project: &'a Project,
    rules: Vec<Rule>,
    tree: Tree,
    /// The project's files.
    files: Vec<PathBuf>,
}

/// An engine that does not answer is asked again after this.
const AGAIN: Duration = Duration::from_secs(2);

impl<'a> Watch<'a> {
    /// Begins to note changes. Gives warnings for the user beside.
    ///
    /// # Errors
    /// Where nothing is to be watched, or cannot be.
    pub fn begin(
        engine: &'a dyn Engine,
        project: &'a Project,
        may_build: bool,
    ) -> Result<(Self, Vec<String>), WatchError> {
        let (rules, warnings) = rules::of(project, may_build)?;
        let files: Vec<PathBuf> = project
            .config_files
            .iter()
            .map(Path::new)
            .filter(|file| file.is_absolute())
            // One directory is not watched under two names.
            .filter_map(|file| Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?)))
            .collect();
        let roots = rules.iter().map(|rule| rule.path.clone()).collect();
        let skips = |directory: &Path| rules::skip(&rules, directory);
        let tree = Tree::new(roots, &files, &skips)?;
        let watch = Watch {
            engine,
            project,
            rules,
            tree,
            files,
        };
        Ok((watch, warnings))
    }

    /// Carries out what changes ask for, until somebody asks to stop. What is being done then comes to
    /// its own end.
    ///
    /// # Errors
    /// Where the system stops telling of changes.
    pub async fn run(
        mut self,
        actions: &mut impl Actions,
        interrupts: &Interrupts,
    ) -> Result<(), WatchError> {
        self.initial(actions).await;
        actions.say("Watch enabled");
        let mut missed = Vec::new();
        loop {
            let changes = tokio::select! {
                biased;
                () = interrupts.reached(Stage::Stopping) => {
                    actions.say("Watch disabled");
                    return Ok(());
                }
                changes = self.tree.quiet() => changes?,
                () = tokio::time::sleep(AGAIN), if !missed.is_empty() => tree::Changes::now(),
            };
            let skips = |directory: &Path| rules::skip(&self.rules, directory);
            let mut found = self.tree.look(&changes, &skips)?;
            for file in &self.files {
                if found
                    .iter()
                    .any(|change| &change.path == file && !change.is_gone)
                {
                    let file = file.display();
                    actions.warn(&format!(
                        "{file} has changed: watch goes on with what it has read; start it again to use the new file"
                    ));
                }
            }
            if changes.is_lost {
                actions.warn("more changes than the system can note at a time (fs.inotify.max_queued_events): all watched files are synced again");
                found.extend(self.tree.all(&skips)?);
            }
            found.append(&mut missed);
            missed = self.handle(&found, changes.since, actions).await;
        }
    }

    /// What rules ask to be in the containers from the first moment on.
    async fn initial(&mut self, actions: &mut impl Actions) {
        let since = Instant::now();
        let skips = |directory: &Path| rules::skip(&self.rules, directory);
        let Ok(all) = self.tree.all(&skips) else {
            return;
        };
        let batch = Batch::of(&all, &self.rules, |rule| rule.is_initial);
        let services = batch.sync.keys().cloned().collect();
        match self.containers(&services).await {
            Ok(containers) => {
                for (service, changes) in &batch.sync {
                    let reached = containers.get(service).map_or(&[][..], Vec::as_slice);
                    self.sync(service, changes, reached, since, actions).await;
                }
            }
            Err(error) => actions.warn(&format!("Error handling changed files: {error}")),
        }
    }

    /// Does what a batch asks for. Gives back what has to be tried again.
    async fn handle(
        &self,
        found: &[Changed],
        since: Instant,
        actions: &mut impl Actions,
    ) -> Vec<Changed> {
        let batch = Batch::of(found, &self.rules, |_| true);
        if !batch.rebuild.is_empty() {
            let names = quoted(&batch.rebuild);
            actions.say(&format!(
                "Rebuilding service(s) {names} after changes were detected..."
            ));
            if let Err(error) = actions.rebuild(&batch.rebuild).await {
                actions.warn(&format!("Error handling changed files: {error}"));
                return Vec::new();
            }
        }
        let services: BTreeSet<String> = batch
            .sync
            .keys()
            .chain(batch.exec.keys())
            .cloned()
            .collect();
        if !services.is_empty() {
            let containers = match self.containers(&services).await {
                Ok(containers) => containers,
                Err(error) => {
                    actions.warn(&format!("Error handling changed files: {error}"));
                    return again(&error, found);
                }
            };
            for (service, changes) in &batch.sync {
                let reached = containers.get(service).map_or(&[][..], Vec::as_slice);
                if let Some(error) = self.sync(service, changes, reached, since, actions).await
                    && !again(&error, found).is_empty()
                {
                    return again(&error, found);
                }
            }
        }
        if !batch.restart.is_empty() {
            match actions.restart(&batch.restart).await {
                Ok(()) => {
                    actions.say(&format!("service(s) {} restarted", quoted(&batch.restart)));
                }
                Err(error) => actions.warn(&format!("Error handling changed files: {error}")),
            }
        }
        for (service, rules) in &batch.exec {
            for rule in rules {
                if let Some(hook) = self.rules.get(*rule).and_then(|rule| rule.exec.as_ref()) {
                    self.exec(service, hook, actions).await;
                }
            }
        }
        Vec::new()
    }

    /// The containers of services, in one request.
    async fn containers(
        &self,
        services: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<ContainerSummary>>, EngineError> {
        let mut all: BTreeMap<String, Vec<ContainerSummary>> = BTreeMap::new();
        if services.is_empty() {
            return Ok(all);
        }
        for container in copy::replicas(self.engine, &self.project.name).await? {
            let service = container.labels.get(crate::labels::SERVICE).cloned();
            if let Some(service) = service.filter(|service| services.contains(service)) {
                all.entry(service).or_default().push(container);
            }
        }
        Ok(all)
    }

    /// Brings changes into the containers of a service, and says so in a line.
    async fn sync(
        &self,
        service: &str,
        changes: &[sync::Change],
        containers: &[ContainerSummary],
        since: Instant,
        actions: &mut impl Actions,
    ) -> Option<EngineError> {
        let what = format!(
            "Syncing service \"{service}\" after {} changes were detected",
            changes.len()
        );
        if containers.is_empty() {
            actions.warn(&format!("{what}: it has no container"));
            return None;
        }
        let results = containers
            .iter()
            .map(|container| sync::sync(self.engine, container, changes));
        let results = futures::future::join_all(results).await;
        let mut first = None;
        for (container, result) in containers.iter().zip(results) {
            match result {
                Ok(warnings) => {
                    for warning in warnings {
                        actions.warn(&format!("{}: {warning}", container.name));
                    }
                }
                Err(error) => {
                    actions.warn(&format!("{what}: {}: {error}", container.name));
                    first = first.or(Some(error));
                }
            }
        }
        if first.is_none() {
            let count = match containers.len() {
                1 => "1 container".to_owned(),
                n => format!("{n} containers"),
            };
            let told = sync::told(changes, &self.project.working_dir);
            let took = since.elapsed().as_millis();
            actions.say(&format!("{what}: {told} ({count}, {took} ms)"));
        }
        first
    }

    async fn exec(
        &self,
        service: &str,
        hook: &crate::service::develop::Hook,
        actions: &mut impl Actions,
    ) {
        let name = &self.project.name;
        let found = copy::containers(self.engine, name, service, Meant::default()).await;
        for container in found.unwrap_or_default() {
            if container.state != crate::engine::ContainerState::Running {
                continue;
            }
            let ran = self.exec_in(&container.id, hook, actions).await;
            let trouble = match ran {
                Ok(0) => continue,
                Ok(code) => format!("exited with status {code}"),
                Err(error) => error.to_string(),
            };
            let command = hook.command.join(" ");
            actions.warn(&format!("{}: exec `{command}`: {trouble}", container.name));
        }
    }

    async fn exec_in(
        &self,
        container: &str,
        hook: &crate::service::develop::Hook,
        actions: &mut impl Actions,
    ) -> Result<i64, EngineError> {
        let request = hook_request(hook);
        let id = self.engine.create_exec(container, request.clone()).await?;
        let mut session = self.engine.start_exec(&id, &request).await?;
        while let Some(chunk) = session.output.next().await {
            let chunk = chunk?;
            let text = String::from_utf8_lossy(&chunk.bytes);
            match chunk.stream {
                OutputStream::Stdout | OutputStream::Stderr => actions.output(&text),
            }
        }
        crate::exec::exit_code(self.engine, &id).await
    }
}

/// What is tried again: nothing, where the engine has refused it.
fn again(error: &EngineError, found: &[Changed]) -> Vec<Changed> {
    match error {
        EngineError::Unreachable { .. } | EngineError::Broken { .. } => found.to_vec(),
        _ => Vec::new(),
    }
}

/// `["a" "b"]`, as Docker Compose has it.
fn quoted(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", names.join(" "))
}

impl From<(&Path, io::Error)> for WatchError {
    fn from((path, error): (&Path, io::Error)) -> Self {
        WatchError::System {
            path: path.display().to_string(),
            why: error.to_string(),
        }
    }
}
