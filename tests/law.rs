//! The law on the engine in memory: execute a plan, reconcile again, get an empty plan — for random
//! projects, changed at random, and with a call that goes wrong on the way.
//!
//! A failing case prints its seed; `REGATTA_SEED=n` runs just that one.

#[path = "support/on_fake.rs"]
mod on_fake;

use on_fake::{attempt, on_virtual_time, plan, project, up};
use regatta::engine::fake::{Fake, Fault, Script, Way};
use regatta::engine::{ContainerState, EngineError};
use regatta::plan::{Action, Plan, render_text};
use regatta::project::Project;
use std::fmt::Write;
use std::time::Duration;

/// Seeds run unless one is named.
const SEEDS: u64 = 150;

/// A call that is never answered ends the attempt after this much virtual time, as a kill would.
const KILLED: Duration = Duration::from_secs(3600);

/// A small generator of numbers; the same seed gives the same numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// A service of a random project, so that a next version can differ from it in little.
#[derive(Clone, Debug)]
struct Draft {
    name: String,
    scale: u64,
    level: u64,
    depends_on: Vec<(String, &'static str)>,
    networks: Vec<u64>,
    volume: bool,
    anonymous: bool,
    one_shot: bool,
    shares_with: Option<String>,
}

fn draft(dice: &mut Dice) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for i in 0..1 + dice.roll(5) {
        let mut depends_on = Vec::new();
        for earlier in &drafts {
            if dice.chance(40) {
                let condition = match (earlier.one_shot, dice.roll(2)) {
                    (true, _) => "service_completed_successfully",
                    (false, 0) => "service_healthy",
                    _ => "service_started",
                };
                depends_on.push((earlier.name.clone(), condition));
            }
        }
        let shares_with = drafts
            .iter()
            .find(|d| !d.one_shot && d.scale > 0 && dice.chance(10))
            .map(|d| d.name.clone());
        drafts.push(Draft {
            name: format!("s{i}"),
            scale: dice.roll(4),
            level: dice.roll(3),
            depends_on,
            networks: (0..3).filter(|_| dice.chance(40)).collect(),
            volume: dice.chance(30),
            anonymous: dice.chance(30),
            one_shot: dice.chance(15),
            shares_with,
        });
    }
    drafts
}

/// Changes a thing or two.
fn vary(dice: &mut Dice, drafts: &mut [Draft]) {
    let shared: Vec<String> = drafts
        .iter()
        .filter_map(|d| d.shares_with.clone())
        .collect();
    for draft in &mut *drafts {
        if dice.chance(30) {
            draft.scale = dice.roll(4);
        }
        if dice.chance(30) {
            draft.level = dice.roll(3);
        }
        if dice.chance(10) {
            draft.networks = (0..3).filter(|_| dice.chance(40)).collect();
        }
        if dice.chance(10) {
            draft.volume = !draft.volume;
        }
    }
    // Nobody can share with a service that has no container.
    for owner in shared {
        let draft = drafts.iter_mut().find(|d| d.name == owner);
        draft.expect("its owner").scale += 1;
    }
}

fn yaml(drafts: &[Draft]) -> String {
    let mut text = String::from("name: law\nservices:\n");
    for d in drafts {
        let _ = write!(
            text,
            "  {}:\n    image: busybox\n    scale: {}\n    environment: {{LEVEL: l{}, KIND: {}}}\n",
            d.name,
            d.scale,
            d.level,
            if d.one_shot { "once" } else { "server" }
        );
        text.push_str("    healthcheck: {test: [CMD, \"true\"], interval: 1s}\n");
        if !d.depends_on.is_empty() {
            text.push_str("    depends_on:\n");
            for (name, condition) in &d.depends_on {
                let _ = writeln!(text, "      {name}: {{condition: {condition}}}");
            }
        }
        if let Some(owner) = &d.shares_with {
            let _ = writeln!(text, "    network_mode: service:{owner}");
        } else if !d.networks.is_empty() {
            let names: Vec<String> = d.networks.iter().map(|n| format!("n{n}")).collect();
            let _ = writeln!(text, "    networks: [{}]", names.join(", "));
        }
        let mut volumes = Vec::new();
        volumes.extend(d.volume.then_some("data:/data"));
        volumes.extend(d.anonymous.then_some("/scratch"));
        if !volumes.is_empty() {
            let _ = writeln!(text, "    volumes: [\"{}\"]", volumes.join("\", \""));
        }
    }
    text.push_str("networks: {n0: {}, n1: {}, n2: {}}\nvolumes: {data: {}}\n");
    text
}

/// An engine on which servers become healthy and one-shots end well.
fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| {
        let once = body["Env"]
            .as_array()
            .is_some_and(|env| env.iter().any(|e| e == "KIND=once"));
        match once {
            true => Script::exits(Duration::from_millis(300), 0),
            false => Script::healthy(Duration::from_millis(200)),
        }
    });
    fake
}

/// What a plan still holds, but for one-shots, which every `up` runs again, and what waits for
/// them.
fn remainder(project: &Project, plan: &Plan) -> String {
    let once = |service: &str| {
        project.services[service].environment.get("KIND") == Some(&Some("once".to_owned()))
    };
    let left = plan.steps().any(|(_, step)| match &step.action {
        Action::Wait { .. } | Action::Verify { .. } => false,
        Action::StartContainer { service, .. } => !once(service),
        _ => true,
    });
    match left {
        true => render_text(plan, &project.name, &|_| None),
        false => String::new(),
    }
}

/// What must hold of a project that is up: names, numbers, states, nothing left over.
fn check_state(seed: u64, fake: &Fake, project: &Project) {
    let containers = fake.containers();
    let expected: u32 = project.services.values().map(|s| s.replicas()).sum();
    let names: Vec<&str> = containers.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        containers.len(),
        expected as usize,
        "seed {seed}: {names:?}"
    );
    for container in &containers {
        let label = |key: &str| container.labels[&format!("com.docker.compose.{key}")].clone();
        let proper = format!("law-{}-{}", label("service"), label("container-number"));
        assert_eq!(container.name, proper, "seed {seed}");
        let once =
            project.services[&label("service")].environment["KIND"].as_deref() == Some("once");
        if !once {
            assert_eq!(
                container.state,
                ContainerState::Running,
                "seed {seed}: {proper}"
            );
        }
    }
}

fn seeds() -> Vec<u64> {
    match std::env::var("REGATTA_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
    {
        Some(seed) => vec![seed],
        None => (0..SEEDS).collect(),
    }
}

#[test]
fn an_executed_plan_leaves_nothing_to_do() {
    for seed in seeds() {
        let dice = &mut Dice(seed);
        let mut drafts = draft(dice);
        let fake = engine();
        on_virtual_time(async {
            for round in 0..3 {
                let project = project(&yaml(&drafts));
                let done = up(&fake, &project).await;
                assert!(
                    done.report.is_success(),
                    "seed {seed} round {round}: {:#?}\n{}",
                    done.report.failures,
                    yaml(&drafts)
                );
                check_state(seed, &fake, &project);
                let again = remainder(&project, &plan(&fake, &project).await);
                assert_eq!(again, "", "seed {seed} round {round}:\n{}", yaml(&drafts));
                vary(dice, &mut drafts);
            }
        });
    }
}

#[test]
fn after_a_failure_the_same_command_finishes() {
    for seed in seeds() {
        let dice = &mut Dice(seed ^ 0x5eed);
        let mut drafts = draft(dice);
        let fake = engine();
        on_virtual_time(async {
            for round in 0..3 {
                let project = project(&yaml(&drafts));
                let way = match dice.roll(4) {
                    0 => Way::Error(EngineError::Refused {
                        status: 500,
                        message: "injected".into(),
                    }),
                    1 => Way::LostAnswer,
                    2 => Way::HangBefore,
                    _ => Way::HangAfter,
                };
                fake.fail(Fault::at(dice.roll(20) as usize, way));
                // Whatever becomes of this one, the next must finish.
                let _ = tokio::time::timeout(KILLED, attempt(&fake, &project)).await;
                fake.forgive();
                let done = up(&fake, &project).await;
                assert!(
                    done.report.is_success(),
                    "seed {seed} round {round}: {:#?}\n{}",
                    done.report.failures,
                    yaml(&drafts)
                );
                check_state(seed, &fake, &project);
                let again = remainder(&project, &plan(&fake, &project).await);
                assert_eq!(again, "", "seed {seed} round {round}:\n{}", yaml(&drafts));
                vary(dice, &mut drafts);
            }
        });
    }
}
