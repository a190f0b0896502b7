//! Commands, as `src/commands` puts them together.

use super::on_fake::{OneFile, means};
use super::stage::PROJECT;
use regatta::change::{Done, agree_to_nothing, carry_out, prepare, run};
use regatta::engine::{Engine, EngineError};
use regatta::event::Reporter;
use regatta::execute::Means;
use regatta::image::policy::PullChoice;
use regatta::interrupt::Interrupts;
use regatta::lock::{Bid, Lock, Place, Terms, acquire};
use regatta::observe::{Observed, Scope, observe};
use regatta::plan::Plan;
use regatta::project::{Dependencies, Project};
use regatta::reconcile::down::down;
use regatta::reconcile::{self, Options, Recreate, lifecycle};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a command ends with that would go on for ever.
pub const ENDLESS: &str = "it does not end";

/// So long, by the engine's clock, takes no command that ends.
const ETERNITY: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug, PartialEq)]
pub struct Up {
    pub services: Vec<String>,
    pub no_deps: bool,
    pub force: bool,
    pub never: bool,
    pub always_deps: bool,
    pub renew: bool,
    /// `false` is `create`.
    pub start: bool,
    pub wait: bool,
    pub orphans: bool,
    pub unverified: bool,
    pub pull: bool,
    /// `-t`, in seconds.
    pub timeout: Option<i64>,
    /// `--scale`.
    pub scale: Vec<(String, u32)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Up(Up),
    Down {
        services: Vec<String>,
        volumes: bool,
        orphans: bool,
        timeout: Option<i64>,
    },
    Restart {
        services: Vec<String>,
        dependents: bool,
        timeout: Option<i64>,
    },
    Stop {
        services: Vec<String>,
        dependents: bool,
        timeout: Option<i64>,
    },
    Kill {
        services: Vec<String>,
        signal: &'static str,
    },
    Start {
        services: Vec<String>,
    },
    Remove {
        services: Vec<String>,
        stop: bool,
        volumes: bool,
    },
}

impl Command {
    /// Whether it may take away data.
    pub fn removes_volumes(&self) -> bool {
        matches!(
            self,
            Command::Down { volumes: true, .. } | Command::Remove { volumes: true, .. }
        )
    }

    /// Whether a new container has the anonymous volumes of the one whose place it takes.
    pub fn keeps_data(&self) -> bool {
        matches!(self, Command::Up(up) if !up.renew)
    }

    /// Whether it starts things and sees whether they live.
    pub fn watches(&self) -> bool {
        matches!(self, Command::Up(up) if up.start && !up.unverified)
    }

    /// Whether anonymous volumes are made afresh.
    pub fn renews(&self) -> bool {
        matches!(self, Command::Up(up) if up.renew)
    }

    /// The next time it finds nothing to do.
    pub fn is_idempotent(&self) -> bool {
        matches!(self, Command::Up(up) if !up.force && !up.always_deps && !up.renew && !up.pull)
    }

    fn services(&self) -> &Vec<String> {
        match self {
            Command::Up(up) => &up.services,
            Command::Down { services, .. }
            | Command::Restart { services, .. }
            | Command::Stop { services, .. }
            | Command::Start { services }
            | Command::Kill { services, .. }
            | Command::Remove { services, .. } => services,
        }
    }

    fn services_mut(&mut self) -> &mut Vec<String> {
        match self {
            Command::Up(up) => &mut up.services,
            Command::Down { services, .. }
            | Command::Restart { services, .. }
            | Command::Stop { services, .. }
            | Command::Start { services }
            | Command::Kill { services, .. }
            | Command::Remove { services, .. } => services,
        }
    }

    pub fn forget(&mut self, service: &str) {
        self.services_mut().retain(|name| name != service);
        if let Command::Up(up) = self {
            up.scale.retain(|(name, _)| name != service);
        }
    }

    /// Whether it names the service.
    pub fn names(&self, service: &String) -> bool {
        let scaled = match self {
            Command::Up(up) => up.scale.iter().any(|(name, _)| name == service),
            _ => false,
        };
        scaled || self.services().contains(service)
    }

    /// `-t`, where the command has it.
    pub fn timeout_mut(&mut self) -> Option<&mut Option<i64>> {
        match self {
            Command::Up(up) => Some(&mut up.timeout),
            Command::Down { timeout, .. }
            | Command::Restart { timeout, .. }
            | Command::Stop { timeout, .. } => Some(timeout),
            _ => None,
        }
    }

    /// The same with less to it.
    pub fn simpler(&self) -> Vec<Command> {
        let mut found = Vec::new();
        if !self.services().is_empty() {
            let mut all = self.clone();
            all.services_mut().clear();
            found.push(all);
        }
        let mut unhurried = self.clone();
        if unhurried
            .timeout_mut()
            .is_some_and(|limit| limit.take().is_some())
        {
            found.push(unhurried);
        }
        if let Command::Up(up) = self {
            for at in 0..up.scale.len() {
                let mut plain = up.clone();
                plain.scale.remove(at);
                found.push(Command::Up(plain));
            }
            let flags: [fn(&mut Up); 10] = [
                |up| up.no_deps = false,
                |up| up.force = false,
                |up| up.never = false,
                |up| up.always_deps = false,
                |up| up.renew = false,
                |up| up.start = true,
                |up| up.wait = false,
                |up| up.orphans = true,
                |up| up.unverified = false,
                |up| up.pull = false,
            ];
            for flag in flags {
                let mut plain = up.clone();
                flag(&mut plain);
                found.push(Command::Up(plain));
            }
        }
        found
    }

    fn options(up: &Up, named: BTreeSet<String>) -> Options {
        Options {
            named,
            recreate: match (up.force || up.renew, up.never) {
                (true, _) => Recreate::Force,
                (_, true) => Recreate::Never,
                _ => Recreate::Diverged,
            },
            recreate_dependencies: match (up.always_deps, up.never) {
                (true, _) => Recreate::Force,
                (_, true) => Recreate::Never,
                _ => Recreate::Diverged,
            },
            renew_anonymous_volumes: up.renew,
            start: up.start,
            wait: up.wait,
            remove_orphans: up.orphans,
            unverified: up.unverified,
            pull: up.pull.then_some(PullChoice::Always),
            timeout: up.timeout,
            ..Options::default()
        }
    }

    /// The project as far as an `up` is about it.
    fn selected(up: &Up, project: &Project) -> Project {
        let mut project = project.clone();
        let dependencies = match up.no_deps {
            true => Dependencies::Ignore,
            false => Dependencies::Include,
        };
        let selected = project.select(&up.services, dependencies);
        selected.expect("names of services");
        for (name, number) in &up.scale {
            if let Some(service) = project.services.get_mut(name) {
                service.scale = Some(*number);
            }
        }
        if !up.services.is_empty() {
            project.drop_unused_resources();
        }
        project
    }

    /// What an `up` would do now.
    pub async fn plan(&self, engine: &dyn Engine, project: &Project) -> Option<Plan> {
        let Command::Up(up) = self else { return None };
        let named = up.services.iter().cloned().collect();
        let project = Command::selected(up, project);
        let mut options = Command::options(up, named);
        let prepared = prepare(engine, &project, &mut options, &mut agree_to_nothing).await;
        Some(prepared.ok()?.outcome.plan)
    }

    /// Runs it to its end; whether all went well. With a place it takes the project's lock, as
    /// `src/commands` do: where it would change something, and then it looks again.
    pub async fn run(
        &self,
        engine: &dyn Engine,
        project: &Project,
        place: Option<&Place>,
    ) -> Result<(), String> {
        let untouched = Interrupts::default();
        self.run_until(&untouched, engine, project, place).await
    }

    /// The same, unless interrupted.
    pub async fn run_until(
        &self,
        interrupts: &Interrupts,
        engine: &dyn Engine,
        project: &Project,
        place: Option<&Place>,
    ) -> Result<(), String> {
        let _stages = interrupts.in_stages();
        let client = Client {
            engine,
            place,
            interrupts,
            reporter: Reporter::silent(),
            files: OneFile::empty(),
        };
        let work = async {
            match self {
                Command::Up(up) => self.up(up, &client, project).await,
                _ => self.existing(&client, project).await,
            }
        };
        match tokio::time::timeout(ETERNITY, work).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(ENDLESS.to_owned()),
        }
    }

    async fn up(
        &self,
        up: &Up,
        client: &Client<'_>,
        project: &Project,
    ) -> Result<Result<(), String>, EngineError> {
        let engine = client.engine;
        let project = Command::selected(up, project);
        let mut options = Command::options(up, up.services.iter().cloned().collect());
        let prepared = prepare(engine, &project, &mut options, &mut agree_to_nothing).await?;
        let place = client.place.filter(|_| prepared.wants_change());
        let (prepared, done) = match place {
            None => {
                let no = &mut agree_to_nothing;
                carry_out(&client.means(None), &project, prepared, &mut options, no).await?
            }
            Some(place) => {
                let work = async |lock: &Lock<'_>| {
                    let no = &mut agree_to_nothing;
                    let options = &mut options;
                    let prepared = prepare(engine, &project, options, no).await?;
                    let means = client.means(Some(lock));
                    carry_out(&means, &project, prepared, options, no).await
                };
                match locked(client, place, work).await? {
                    Ok(done) => done,
                    Err(refused) => return Ok(Err(refused)),
                }
            }
        };
        Ok(match done {
            None => Err(format!("{:?}", prepared.outcome.obstacles)),
            Some(done) => told(&done),
        })
    }

    async fn existing(
        &self,
        client: &Client<'_>,
        project: &Project,
    ) -> Result<Result<(), String>, EngineError> {
        let engine = client.engine;
        let scope = match self {
            Command::Down { volumes, .. } => Scope {
                networks: true,
                volumes: *volumes,
                images: false,
            },
            _ => Scope::CONTAINERS,
        };
        // `rm --stop` is two commands to the engine.
        for stopping in [true, false] {
            let planned = |observed: &Observed| self.over(project, observed, stopping);
            let observed = observe(engine, project, scope).await?;
            let (selected, plan) = match planned(&observed) {
                Ok(Some(planned)) => planned,
                Ok(None) => continue,
                Err(obstacle) => return Ok(Err(obstacle)),
            };
            let is_kill = matches!(self, Command::Kill { .. });
            let place = client.place.filter(|_| plan.changes_anything() && !is_kill);
            let done = match place {
                None => run(&client.means(None), plan, &selected, &observed).await,
                Some(place) => {
                    let work = async |lock: &Lock<'_>| {
                        let observed = observe(engine, project, scope).await?;
                        let (selected, plan) = match planned(&observed) {
                            Ok(planned) => planned.expect("as before"),
                            Err(obstacle) => return Ok(Err(obstacle)),
                        };
                        let means = client.means(Some(lock));
                        Ok(Ok(run(&means, plan, &selected, &observed).await))
                    };
                    match locked(client, place, work).await?.flatten() {
                        Ok(done) => done,
                        Err(refused) => return Ok(Err(refused)),
                    }
                }
            };
            if let Err(failures) = told(&done) {
                return Ok(Err(failures));
            }
        }
        Ok(Ok(()))
    }

    /// The plan over what is there, with the project that it is about; none where there is nothing
    /// to do in this round.
    fn over(
        &self,
        project: &Project,
        observed: &Observed,
        stopping: bool,
    ) -> Result<Option<(Project, Plan)>, String> {
        let named: BTreeSet<String> = self.services().iter().cloned().collect();
        let plan = match self {
            Command::Remove { stop, .. } if stopping => match stop {
                true => lifecycle::stop(project, observed, &named, false, None),
                false => return Ok(None),
            },
            _ if stopping => return Ok(None),
            Command::Up(_) => return Ok(None),
            Command::Down {
                volumes,
                orphans,
                timeout,
                ..
            } => {
                let options = reconcile::down::Options {
                    services: named,
                    remove_orphans: *orphans,
                    volumes: *volumes,
                    timeout: *timeout,
                    ..reconcile::down::Options::default()
                };
                down(project, observed, &[], &options).plan
            }
            Command::Restart {
                dependents,
                timeout,
                ..
            } => lifecycle::restart(project, observed, &named, *dependents, *timeout, true),
            Command::Stop {
                dependents,
                timeout,
                ..
            } => lifecycle::stop(project, observed, &named, *dependents, *timeout),
            Command::Kill { signal, .. } => {
                let meant = observed
                    .replicas()
                    .filter(|c| project.services.contains_key(&c.service))
                    .filter(|c| named.is_empty() || named.contains(&c.service));
                lifecycle::kill(meant, signal)
            }
            Command::Start { services } => {
                let mut project = project.clone();
                let selected = project.select(services, Dependencies::Include);
                selected.expect("names of services");
                let options = Options {
                    start: true,
                    ..Options::default()
                };
                let outcome = lifecycle::start(&project, observed, &options);
                if !outcome.obstacles.is_empty() {
                    return Err(format!("{:?}", outcome.obstacles));
                }
                return Ok(Some((project, outcome.plan)));
            }
            Command::Remove { volumes, .. } => {
                let meant = observed
                    .replicas()
                    .filter(|c| project.services.contains_key(&c.service))
                    .filter(|c| named.is_empty() || named.contains(&c.service))
                    .filter(|c| !c.state.is_up());
                lifecycle::remove(meant, true, *volumes)
            }
        };
        Ok(Some((project.clone(), plan)))
    }
}

/// Who gives a command.
struct Client<'a> {
    engine: &'a dyn Engine,
    place: Option<&'a Place>,
    interrupts: &'a Interrupts,
    reporter: Reporter,
    files: OneFile,
}

impl<'a> Client<'a> {
    fn means<'b>(&'b self, lock: Option<&'b Lock<'b>>) -> Means<'b> {
        Means {
            interrupts: self.interrupts.clone(),
            lock,
            ..means(self.engine, &self.reporter, &self.files)
        }
    }
}

/// Does the work with the project's lock, as commands do; or says why there is none.
async fn locked<T>(
    client: &Client<'_>,
    place: &Place,
    work: impl AsyncFnOnce(&Lock<'_>) -> Result<T, EngineError>,
) -> Result<Result<T, String>, EngineError> {
    let bid = bid(client.engine, place, &client.reporter, client.interrupts);
    let lock = match acquire(bid).await {
        Ok(lock) => lock,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let done = lock.keep(work(&lock)).await;
    lock.release().await;
    done.map(Ok)
}

pub fn bid<'a>(
    engine: &'a dyn Engine,
    place: &'a Place,
    reporter: &'a Reporter,
    interrupts: &'a Interrupts,
) -> Bid<'a> {
    Bid {
        engine,
        project: PROJECT,
        place,
        terms: Terms::default(),
        reporter,
        interrupts,
    }
}

fn told(done: &Done) -> Result<(), String> {
    match (done.report.is_success(), &done.report.lost) {
        (true, None) => Ok(()),
        (_, Some(lost)) => Err(format!("lost the lock: {lost}")),
        _ => Err(format!("{:?}", done.report.failures)),
    }
}
