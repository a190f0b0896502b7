//! From what should be and what is to a plan.
//!
//! `reconcile(project, observed, options)` touches no clock, disk, network or terminal: the same
//! input gives the same plan. It works in passes, so that a step only ever waits for older ones:
//!
//! 1. images to pull and build ([`images`]);
//! 2. networks and volumes to create ([`networks`], [`volumes`]);
//! 3. containers to create ([`containers`]), under a temporary name where they replace one;
//! 4. all that takes something away or starts something, in dependency order ([`starts`]):
//!    waits, stops, starts, removals, renames; then orphans ([`orphans`]).
//!
//! Everything that can fail early stands in 1–3; the first stop of a replacement waits for all
//! of it.

mod containers;
mod divergence;
pub mod down;
mod files;
mod fixed;
mod hosts;
mod images;
pub mod lifecycle;
mod names;
mod networks;
mod one_off;
mod oneshots;
mod orphans;
mod ports;
mod pre_start;
mod starts;
mod takeovers;
pub mod unchanged;
mod volumes;

pub use divergence::UNRECORDED;
pub use images::image_changes_possible;

use crate::engine::ImageSummary;
use crate::graph::dependency_order;
use crate::image::policy::{BuildChoice, PullChoice};
use crate::observe::{Observed, ObservedContainer};
use crate::plan::{Plan, StepId, Target};
use crate::project::Project;
use crate::scale;
use crate::service::one_off::OneOff;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// When an existing container is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recreate {
    /// When it is not what the project asks for.
    #[default]
    Diverged,
    /// Always (`--force-recreate`).
    Force,
    /// Never (`--no-recreate`).
    Never,
}

/// What the command line adds to the project.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Services named on the command line; none means all.
    pub named: BTreeSet<String>,
    /// For the named services.
    pub recreate: Recreate,
    /// For the services they depend on.
    pub recreate_dependencies: Recreate,
    /// `-V`: a new container does not take over anonymous volumes.
    pub renew_anonymous_volumes: bool,
    /// `false` only creates (`create`, `--no-start`).
    pub start: bool,
    /// `--wait`: the plan ends with a wait for every service.
    pub wait: bool,
    pub remove_orphans: bool,
    /// Containers of another project directory become ours: they are recreated, and removed where
    /// they are orphans.
    pub adopt: bool,
    /// Do not even warn of orphans.
    pub ignore_orphans: bool,
    /// `--no-verify`: nobody watches whether what was started lives through its first moments.
    pub unverified: bool,
    /// `-t`, in seconds.
    pub timeout: Option<i64>,
    /// `--pull`.
    pub pull: Option<PullChoice>,
    pub build: BuildChoice,
    /// Keys of volumes whose recreation, with the loss of their data, was agreed to.
    pub recreate_volumes: BTreeSet<String>,
    /// Services whose image was pulled or built just now.
    pub images_settled: BTreeSet<String>,
    /// How many replicas there may be.
    pub replicas: scale::Limit,
    /// `run`: of its service this container is created, and nothing else is done.
    pub one_off: Option<OneOff>,
    /// `--show-secrets`: the differences are told with the secrets in them.
    pub show_secrets: bool,
}

/// A step that destroys data, which only the user can agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Key of the volume.
    pub volume: String,
    pub text: String,
}

/// A reason why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Stable short name, as findings have one.
    pub code: &'static str,
    /// Path in the project, e.g. `services.web.image`.
    pub path: String,
    pub message: String,
    pub help: Option<String>,
}

impl Obstacle {
    /// Where it is and what it says: two with the same are one to the user.
    pub fn said(&self) -> (String, String) {
        (self.path.clone(), self.message.clone())
    }
}

/// The code of what the engine has that stands in the way.
const OBSTACLE: &str = "obstacle";

/// What reconciling gives.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub plan: Plan,
    pub warnings: Vec<String>,
    pub questions: Vec<Question>,
    /// A plan with obstacles must not be executed.
    pub obstacles: Vec<Obstacle>,
    /// Services whose containers may turn out outdated once their image was pulled or built.
    pub unsettled: BTreeSet<String>,
}

impl From<Plan> for Outcome {
    fn from(plan: Plan) -> Self {
        Outcome {
            plan,
            ..Outcome::default()
        }
    }
}

/// Makes the plan that leads from `observed` to `project`.
pub fn reconcile(project: &Project, observed: &Observed, options: &Options) -> Outcome {
    let mut planner = Planner::new(project, observed, options);
    planner.is_up = true;
    if planner.has_too_many_replicas() {
        return planner.outcome();
    }
    planner.plan_images();
    planner.plan_networks();
    planner.plan_volumes();
    planner.plan_models();
    for name in dependency_order(project) {
        if planner.one_off_of(name).is_none() {
            planner.plan_containers(name);
        }
    }
    planner.early = planner.plan.len();
    planner.plan_network_recreations();
    planner.plan_reconnections();
    planner.find_leaving_hosts();
    planner.plan_orphans();
    planner.plan_removal_of_abandoned();
    for name in planner.turns() {
        match planner.one_off_of(name) {
            Some(one_off) => planner.plan_one_off(&project.services[name], one_off),
            None => planner.plan_starts(name),
        }
    }
    planner.plan_joint_successions();
    planner.plan_removals_of_hosts();
    planner.plan_handovers();
    planner.plan_final_waits();
    planner.outcome()
}

/// What has been decided for one replica.
#[derive(Debug, Clone)]
enum Fate<'a> {
    /// It stays; `rename` gives it its proper name back.
    Keep {
        container: &'a ObservedContainer,
        rename: Option<String>,
    },
    /// A new container takes its place.
    Replace {
        old: &'a ObservedContainer,
        new: Target,
        name: String,
        cause: String,
    },
    /// It goes.
    Remove {
        container: &'a ObservedContainer,
        cause: String,
        /// An interrupted recreation has left it.
        leftover: bool,
    },
    /// It is new.
    Add { new: Target },
}

/// The plan in the making, and what later passes need to know of earlier ones.
struct Planner<'a> {
    project: &'a Project,
    observed: &'a Observed,
    options: &'a Options,
    plan: Plan,
    outcome: Outcome,
    /// What the project asks for comes about; not only what there is starts (`start`).
    is_up: bool,
    /// An image's familiar name → the step that brings it.
    image_steps: BTreeMap<String, StepId>,
    /// Key → the step after which the network is there.
    network_steps: BTreeMap<String, StepId>,
    volume_steps: BTreeMap<String, StepId>,
    model_steps: BTreeMap<String, StepId>,
    /// Networks that exist, but not as declared.
    diverged_networks: BTreeSet<String>,
    /// Number of steps before anything is taken away.
    early: usize,
    /// What to wait for in place of all of these, once that was asked for.
    early_joined: Option<Vec<StepId>>,
    /// Service → what to wait for in place of the creations of its containers.
    creations: BTreeMap<String, Vec<StepId>>,
    fates: BTreeMap<&'a str, Vec<Fate<'a>>>,
    /// Services of which a container is replaced by one that is still to be created.
    replaced: BTreeSet<&'a str>,
    /// Service → the container that references to it (`service:x`) stand for in the end.
    referred: BTreeMap<&'a str, takeovers::Referred>,
    /// What ends takeovers that wait for each other, by the service in whose namespaces they live.
    joint: BTreeMap<&'a str, Vec<takeovers::Succession<'a>>>,
    /// Container id → the step that stops it.
    stops: HashMap<&'a str, StepId>,
    /// Service → the stops of those that are restarted with it.
    dependents_stopped: BTreeMap<&'a str, Vec<StepId>>,
    /// Id of a container that is replaced → the orphans in whose namespaces it lives, and that go.
    leaving_hosts: HashMap<&'a str, Vec<&'a ObservedContainer>>,
    /// Id of an orphan → the removals of those who live in its namespaces.
    lodgers_gone: HashMap<&'a str, Vec<StepId>>,
    /// Container id → steps after which it is back on its networks.
    reconnects: HashMap<&'a str, Vec<StepId>>,
    /// Service → steps that start its replicas.
    starts: BTreeMap<&'a str, Vec<StepId>>,
    /// Service → steps after which its new replicas are known to be well.
    proofs: BTreeMap<&'a str, Vec<StepId>>,
    /// The last start that takes a host port out of a range.
    last_range_start: Option<StepId>,
    waits: BTreeMap<(String, &'static str, bool), StepId>,
    /// Containers removed ahead of time: for a volume to be recreated, or to make room for a name.
    gone: BTreeSet<&'a str>,
    /// Ids of orphans that a container of another service replaces, for their name.
    handed_over: BTreeSet<&'a str>,
    /// Id of a container that is replaced → the one that has the replacement's name.
    renamed_late: HashMap<&'a str, &'a ObservedContainer>,
    /// Renames that wait until another container has given the name up.
    handovers: Vec<names::Handover<'a>>,
}

impl<'a> Planner<'a> {
    fn new(project: &'a Project, observed: &'a Observed, options: &'a Options) -> Self {
        Planner {
            project,
            observed,
            options,
            plan: Plan::default(),
            outcome: Outcome::default(),
            is_up: false,
            image_steps: BTreeMap::new(),
            network_steps: BTreeMap::new(),
            volume_steps: BTreeMap::new(),
            model_steps: BTreeMap::new(),
            diverged_networks: BTreeSet::new(),
            early: 0,
            early_joined: None,
            creations: BTreeMap::new(),
            fates: BTreeMap::new(),
            replaced: BTreeSet::new(),
            referred: BTreeMap::new(),
            joint: BTreeMap::new(),
            stops: HashMap::new(),
            dependents_stopped: BTreeMap::new(),
            leaving_hosts: HashMap::new(),
            lodgers_gone: HashMap::new(),
            reconnects: HashMap::new(),
            starts: BTreeMap::new(),
            proofs: BTreeMap::new(),
            last_range_start: None,
            waits: BTreeMap::new(),
            gone: BTreeSet::new(),
            handed_over: BTreeSet::new(),
            renamed_late: HashMap::new(),
            handovers: Vec::new(),
        }
    }

    fn outcome(self) -> Outcome {
        Outcome {
            plan: self.plan,
            ..self.outcome
        }
    }

    /// Replicas of a service that are still there at this point of the plan.
    fn replicas(&self, service: &str) -> impl Iterator<Item = &'a ObservedContainer> + use<'a, '_> {
        self.observed
            .replicas_of(service)
            .iter()
            .filter(|c| !self.gone.contains(c.id.as_str()))
    }

    /// The local image of a service.
    fn image(&self, reference: &str) -> Option<&'a ImageSummary> {
        self.observed.images.get(reference)
    }

    /// All that can fail early, to be waited for before anything is taken away.
    fn early_steps(&mut self) -> Vec<StepId> {
        if let Some(steps) = &self.early_joined {
            return steps.clone();
        }
        let steps = self.plan.join((0..self.early).map(StepId).collect());
        self.early_joined.insert(steps).clone()
    }

    fn is_named(&self, service: &str) -> bool {
        self.options.named.is_empty() || self.options.named.contains(service)
    }

    fn obstacle(&mut self, path: String, message: String, help: Option<String>) {
        self.outcome.obstacles.push(Obstacle {
            code: OBSTACLE,
            path,
            message,
            help,
        });
    }
}

/// An observed container as a step's target.
fn existing(container: &ObservedContainer) -> Target {
    Target::Existing {
        id: container.id.clone(),
        name: container.name.clone(),
    }
}
