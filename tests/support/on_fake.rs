#![allow(dead_code, reason = "not every test uses all of it")]

//! A project in memory on the engine in memory.

use regatta::change::{Done, Prepared, agree_to_nothing, carry_out, prepare, run};
use regatta::engine::fake::{Fake, Fault, Script, Way};
use regatta::engine::{ContainerRequest, Engine, EngineError};
use regatta::event::{Interest, Kind, Reporter};
use regatta::execute::{DEFAULT_LIMIT, Means, Report};
use regatta::image::build::BuildOptions;
use regatta::interrupt::Interrupts;
use regatta::load::{FileKind, Files, LoadOptions, Loaded, Together, load};
use regatta::observe::{Observed, containers_of, project_from_labels};
use regatta::plan::Plan;
use regatta::project::Project;
use regatta::reconcile::Options;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One file in memory.
pub struct OneFile(String);

impl OneFile {
    pub fn empty() -> OneFile {
        OneFile(String::new())
    }
}

impl Files for OneFile {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.ends_with("compose.yaml") {
            true => Ok(self.0.clone().into_bytes()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        match path.ends_with("compose.yaml") {
            true => Some(FileKind::File),
            false => (path == Path::new("/p")).then_some(FileKind::Directory),
        }
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Loads the text of a Compose file.
pub fn loaded(yaml: &str) -> Loaded {
    let options = LoadOptions {
        cwd: "/p".into(),
        together: Together::Selected,
        ..LoadOptions::default()
    };
    load(&OneFile(yaml.to_owned()), &options)
}

pub fn project(yaml: &str) -> Project {
    let loaded = loaded(yaml);
    loaded
        .project
        .unwrap_or_else(|| panic!("{yaml}\n{:#?}", loaded.findings))
}

pub fn options() -> Options {
    Options {
        start: true,
        remove_orphans: true,
        ..Options::default()
    }
}

/// What a change is carried out with, to be interrupted by nobody.
pub fn means<'a>(engine: &'a dyn Engine, reporter: &'a Reporter, files: &'a OneFile) -> Means<'a> {
    Means {
        engine,
        reporter,
        files,
        proxy_environment: BTreeMap::new(),
        docker_config: None,
        limit: DEFAULT_LIMIT,
        quiet_pull: true,
        wait_limit: None,
        build: BuildOptions::default(),
        interrupts: Interrupts::default(),
        lock: None,
    }
}

/// Observes, plans and executes.
pub async fn attempt(
    fake: &Fake,
    project: &Project,
) -> Result<(Prepared, Option<Done>), EngineError> {
    attempt_until(fake, project, Interrupts::default()).await
}

/// The same, unless interrupted.
pub async fn attempt_until(
    fake: &Fake,
    project: &Project,
    interrupts: Interrupts,
) -> Result<(Prepared, Option<Done>), EngineError> {
    let (reporter, files) = (Reporter::silent(), OneFile::empty());
    let means = Means {
        interrupts,
        ..means(fake, &reporter, &files)
    };
    let mut options = options();
    let prepared = prepare(fake, project, &mut options, &mut agree_to_nothing).await?;
    carry_out(
        &means,
        project,
        prepared,
        &mut options,
        &mut agree_to_nothing,
    )
    .await
}

/// The same with no obstacle in the way and every request answered.
pub async fn up(fake: &Fake, project: &Project) -> Done {
    let (prepared, done) = attempt(fake, project).await.expect("an answer");
    done.unwrap_or_else(|| panic!("obstacles: {:?}", prepared.outcome.obstacles))
}

/// The same as `options` say.
pub async fn up_with(fake: &Fake, project: &Project, mut options: Options) -> Done {
    let (reporter, files) = (Reporter::silent(), OneFile::empty());
    let means = means(fake, &reporter, &files);
    let no = &mut agree_to_nothing;
    let prepared = prepare(fake, project, &mut options, no).await;
    let prepared = prepared.expect("a snapshot");
    let done = carry_out(&means, project, prepared, &mut options, no).await;
    done.expect("an answer").1.expect("no obstacles")
}

/// Executes a plan; gives what became of it, and what was told meanwhile.
pub async fn execute(
    fake: &Fake,
    project: &Project,
    observed: &Observed,
    plan: Plan,
) -> (Report, Vec<Kind>) {
    let (reporter, files) = (Reporter::new("test"), OneFile::empty());
    let mut told = reporter.subscribe(Interest::Everything);
    let done = run(&means(fake, &reporter, &files), plan, project, observed).await;
    let told = told.drain();
    (done.report, told.iter().map(|e| e.kind.clone()).collect())
}

/// The project as its labels tell it, with what there is of it.
pub async fn labelled(fake: &Fake, name: &str) -> (Project, Observed) {
    let containers = containers_of(fake, name, true).await.expect("containers");
    let mut observed = Observed::from_containers(containers);
    observed.networks = fake.networks();
    observed.volumes = fake.volumes();
    (project_from_labels(name, &observed), observed)
}

/// Runs a change that is killed where the engine does not answer.
pub async fn killed(fake: &Fake, project: &Project, fault: Fault) {
    fake.fail(fault);
    let change = tokio::time::timeout(Duration::from_secs(5), up(fake, project));
    assert!(change.await.is_err(), "it was to be killed");
    fake.forgive();
}

/// The engine refuses a call, the nth of its kind from now on.
pub fn refused(call: &'static str, nth: usize) -> Fault {
    let refusal = EngineError::Refused {
        status: 500,
        message: format!("{call} is refused"),
    };
    Fault::nth(call, nth, Way::Error(refusal))
}

/// Name and id of every container.
pub fn names(fake: &Fake) -> Vec<(String, String)> {
    fake.census(|census| {
        let all = census.containers();
        all.map(|c| (c.name.to_owned(), c.id.to_owned())).collect()
    })
}

/// What gives a service a check.
pub const CHECK: &str = "    healthcheck: {test: [CMD, \"true\"]}\n";

/// A shop of one service, with what else is said of it.
pub fn web(level: &str, more: &str) -> Project {
    let head = "name: shop\nservices:\n  web:\n    image: busybox\n";
    project(&format!(
        "{head}    environment: {{LEVEL: {level}}}\n{more}"
    ))
}

/// The same service in the namespace of another.
pub fn web_in_vpn() -> Project {
    project(
        "name: shop\nservices:\n  web: {image: busybox, network_mode: \"service:vpn\"}\n  vpn: {image: \
         busybox}\n",
    )
}

pub fn waiting() -> Options {
    Options {
        wait: true,
        ..options()
    }
}

/// An engine where processes with `LEVEL=bad` become unhealthy after a while, others healthy.
pub fn ailing_engine() -> Fake {
    let fake = Fake::new();
    fake.cast(
        |_, body| match body["Env"].to_string().contains("LEVEL=bad") {
            true => Script::unhealthy(Duration::from_secs(20)),
            false => Script::healthy(Duration::from_secs(5)),
        },
    );
    fake
}

/// An engine that cannot start what has `LEVEL=bad`.
pub fn broken_engine() -> Fake {
    let fake = Fake::new();
    fake.cast(
        |_, body| match body["Env"].to_string().contains("LEVEL=bad") {
            true => Script::broken(500, "cannot be started"),
            false => Script::default(),
        },
    );
    fake
}

/// An engine where processes with `LEVEL=bad` die at once.
pub fn deadly_engine() -> Fake {
    let fake = Fake::new();
    fake.cast(
        |_, body| match body["Env"].to_string().contains("LEVEL=bad") {
            true => Script::exits(Duration::from_millis(50), 1),
            false => Script::default(),
        },
    );
    fake
}

/// Creates number 3 of `web` beside its first, as a scaling up does that is cut short.
pub async fn create_third(fake: &Fake) {
    let mut labels = fake.container("shop-web-1").unwrap().labels;
    labels.insert("com.docker.compose.container-number".into(), "3".into());
    let request = ContainerRequest {
        name: "shop-web-3".into(),
        platform: None,
        body: serde_json::json!({ "Image": "busybox", "Labels": labels,
            "HostConfig": { "NetworkMode": "shop_default" } }),
    };
    fake.create_container(request).await.unwrap();
}

pub async fn plan(fake: &Fake, project: &Project) -> Plan {
    let prepared = prepare(fake, project, &mut options(), &mut agree_to_nothing)
        .await
        .expect("a snapshot");
    prepared.outcome.plan
}

/// Runs on a clock that stands still while anything works and leaps while all wait.
pub fn on_virtual_time<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}
