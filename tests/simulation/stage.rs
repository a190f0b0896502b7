//! The engine before the command: an earlier version of the project, and what was done to it.

use super::case::{Act, Case, Trouble};
use super::command::{Command, Up};
use super::law::{final_name, is_ours, slot};
use super::on_fake;
use super::wire::{Spot, Wire};
use regatta::engine::fake::{self, Fake, FakeImage, Script};
use regatta::engine::{ContainerRequest, Engine, Health, ResourceRequest};
use regatta::project::Project;
use serde_json::json;
use std::time::Duration;

pub const PROJECT: &str = "sim";

/// Long enough for everything under way to come to rest.
pub const REST: Duration = Duration::from_secs(120);

fn script(body: &serde_json::Value) -> Script {
    let says = |word: &str| {
        let env = body["Env"].as_array().into_iter().flatten();
        env.filter_map(|e| e.as_str()).any(|e| e == word)
    };
    let mut script = if says("KIND=once") {
        Script::exits(Duration::from_millis(300), 0)
    } else if says("KIND=broken") {
        Script::broken(500, "cannot be started")
    } else if says("KIND=dies") {
        Script::exits(Duration::from_millis(50), 1)
    } else if says("KIND=sick") {
        Script::unhealthy(Duration::from_millis(200))
    } else {
        Script::healthy(Duration::from_millis(200))
    };
    script.on_stop = match (says("STUBBORN=s0"), says("STUBBORN=s1")) {
        (true, _) => Some((Duration::ZERO, 0)),
        (_, true) => Some((Duration::from_millis(100), 143)),
        _ => None,
    };
    if script
        .acts
        .iter()
        .any(|(_, act)| matches!(act, fake::Act::Health(Health::Unhealthy)))
    {
        script.acts.truncate(1);
    }
    script
}

/// An engine with the things of others on it.
async fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| script(body));
    fake.add_remote_image(FakeImage::new("far"));
    fake.add_remote_image(FakeImage::new("busybox"));
    let labels = |project: &str| {
        json!({
            "com.docker.compose.project": project,
            "com.docker.compose.service": "s0",
            "com.docker.compose.container-number": "1",
            "com.docker.compose.config-hash": "another",
            "com.docker.compose.oneoff": "False",
        })
    };
    let network = ResourceRequest {
        name: "other_default".into(),
        body: json!({ "Labels": labels("other") }),
    };
    fake.create_network(network).await.expect("a network");
    for (name, labels) in [("other-s0-1", labels("other")), ("lonely", json!({}))] {
        let body = json!({
            "Image": "busybox",
            "Labels": labels,
            "Volumes": { "/scratch": {} },
            "HostConfig": { "Binds": [format!("{name}-data:/data")], "NetworkMode": "other_default" },
        });
        let request = ContainerRequest {
            name: name.into(),
            platform: None,
            body,
        };
        let id = fake.create_container(request).await.expect("a container");
        fake.start_container(&id).await.expect("a start");
    }
    fake
}

/// What the projects of a case are.
pub struct Projects {
    pub before: Project,
    pub after: Project,
}

impl Projects {
    pub fn of(case: &Case) -> Projects {
        Projects {
            before: on_fake::project(&case.before.yaml()),
            after: on_fake::project(&case.after.yaml()),
        }
    }
}

const PLAIN: Up = Up {
    services: Vec::new(),
    no_deps: false,
    force: false,
    never: false,
    always_deps: false,
    renew: false,
    start: true,
    wait: false,
    orphans: true,
    unverified: false,
    pull: false,
    timeout: None,
    scale: Vec::new(),
};

/// Brings about what the case begins with; always the same, ids included.
pub async fn set(case: &Case, projects: &Projects) -> Fake {
    let fake = engine().await;
    let _ = Command::Up(PLAIN).run(&fake, &projects.before, None).await;
    for (nth, act) in case.acts.iter().enumerate() {
        do_act(&fake, act, projects, case.luck.wrapping_add(nth as u64)).await;
        tokio::time::sleep(REST).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let published = |port: u16| {
        fake.containers().iter().any(|c| {
            let host = &c.raw["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"];
            c.state.is_up() && host.as_str() == Some(&port.to_string())
        })
    };
    if let Some(port) = case.taken.filter(|port| !published(*port)) {
        fake.occupy_port(port);
    }
    if let Some(belated) = case.shown {
        fake.show_processes(Duration::from_millis(belated));
    }
    fake
}

async fn do_act(fake: &Fake, act: &Act, projects: &Projects, luck: u64) {
    let ours: Vec<(String, String)> = fake.census(|census| {
        let ours = census.containers().filter(|c| {
            c.labels
                .get("com.docker.compose.project")
                .map(String::as_str)
                == Some(PROJECT)
        });
        ours.map(|c| (c.id.to_owned(), c.name.to_owned())).collect()
    });
    let pick = |at: usize| ours.get(at % ours.len().max(1)).map(|(id, _)| id.as_str());
    match act {
        Act::Stop(at) => {
            if let Some(id) = pick(*at) {
                let _ = fake.stop_container(id, None).await;
            }
        }
        Act::Remove(at) => {
            if let Some(id) = pick(*at) {
                let _ = fake.remove_container(id, true, false).await;
            }
        }
        Act::Exit(at, code) => {
            if let Some(id) = pick(*at) {
                fake.exit(id, *code);
            }
        }
        Act::NewImage => {
            let content = format!("newer {luck}");
            fake.add_image(FakeImage::with_content("busybox", &content));
        }
        Act::Killed(part) => {
            // As many calls as a change of a small project has, more or less.
            let spot = Spot::Call(4 + part * 40 / 1_000_000);
            let wire = Wire::new(fake, luck, 10).with_trouble(Some((spot, Trouble::KillAfter)));
            let up = Command::Up(PLAIN);
            wire.live(up.run(&wire, &projects.after, None)).await;
        }
        Act::ComposeKilled(stages) => {
            // Its recreations begin like ours: with all the new containers under temporary names.
            let trouble = Some((Spot::FirstChange, Trouble::Kill));
            let wire = Wire::new(fake, luck, 0).with_trouble(trouble);
            let up = Command::Up(PLAIN);
            wire.live(up.run(&wire, &projects.after, None)).await;
            tokio::time::sleep(REST).await;
            // With the one that each is to replace: it may have another name (`container_name`).
            let made: Vec<(String, String, String)> = fake.census(|census| {
                let all: Vec<_> = census.containers().filter(is_ours).collect();
                let made = all.iter().filter_map(|c| {
                    let (prefix, name) = c.name.split_once('_')?;
                    let mut others = all.iter().filter(|o| final_name(o.name) == o.name);
                    let old = others.find(|o| slot(o) == slot(c)).map_or(name, |o| o.id);
                    (prefix.len() == 12).then(|| (c.id.into(), old.into(), name.into()))
                });
                made.collect()
            });
            for (nth, (new, old, name)) in made.into_iter().enumerate() {
                let stage = stages.get(nth % stages.len().max(1)).copied().unwrap_or(0);
                if stage >= 1 {
                    let _ = fake.stop_container(&old, None).await;
                }
                if stage >= 2 {
                    let _ = fake.remove_container(&old, false, false).await;
                }
                if stage >= 3 {
                    let _ = fake.rename_container(&new, &name).await;
                }
            }
        }
    }
}
