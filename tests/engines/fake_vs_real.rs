//! The fake engine must not be kinder than the real one: random calls go to both, and every
//! answer's class and the state in the end are compared.
//!
//! Needs an engine with `busybox:latest` on `DOCKER_HOST` or the default socket. `REGATTA_SEEDS=7`
//! runs one seed, `REGATTA_SEEDS=0..50` many.

use crate::chance::Chance;
use crate::required;
use regatta::engine::docker::{Docker, Options};
use regatta::engine::fake::{Fake, Script};
use regatta::engine::{
    ContainerFilter, ContainerRequest, ContainerState, Engine, EngineError, ResourceRequest,
};
use serde_json::{Value, json};
use std::time::Duration;

const STEPS: usize = 30;

/// A call on things by number.
#[derive(Debug, Clone)]
enum Step {
    Create {
        container: usize,
        how: How,
    },
    Start(usize),
    Stop(usize),
    Restart(usize),
    Kill(usize, &'static str),
    Rename(usize, usize),
    Remove {
        container: usize,
        force: bool,
        volumes: bool,
    },
    CreateNetwork(usize),
    RemoveNetwork(usize),
    Connect(usize, usize),
    Disconnect {
        network: usize,
        container: usize,
        force: bool,
    },
    CreateVolume(usize),
    RemoveVolume {
        volume: usize,
        force: bool,
    },
    Exec(usize),
    Inspect(usize),
    InspectNetwork(usize),
}

/// What a container is made with.
#[derive(Debug, Clone)]
enum How {
    Plain,
    InNetwork(usize),
    InTwoNetworks,
    NamespaceOf(usize),
    WithVolume(usize),
    WithAnonymousVolume,
    VolumesFrom(usize),
    PidOf(usize),
    NoSuchImage,
    BadPolicy,
    BadPort,
    TwiceTheSameTarget,
    CommandNotFound,
    MissingBind,
}

fn step(dice: &mut Chance) -> Step {
    let c = dice.below(3);
    let n = dice.below(2);
    let v = dice.below(2);
    let other = dice.below(3);
    let yes = dice.below(2) == 0;
    match dice.below(32) {
        0..=7 => Step::Create {
            container: c,
            how: match dice.below(16) {
                0 => How::Plain,
                1..=3 => How::InNetwork(n),
                4 => How::InTwoNetworks,
                5 => How::NamespaceOf(other),
                6 => How::WithVolume(v),
                7 => How::WithAnonymousVolume,
                8 => How::VolumesFrom(other),
                9 => How::PidOf(other),
                10 => How::NoSuchImage,
                11 => How::BadPolicy,
                12 => How::BadPort,
                13 => How::TwiceTheSameTarget,
                14 => How::CommandNotFound,
                _ => How::MissingBind,
            },
        },
        8..=11 => Step::Start(c),
        12 => Step::Stop(c),
        13 => Step::Restart(c),
        14 => Step::Kill(c, ["KILL", "TERM", "NOPE"][dice.below(3)]),
        15 => Step::Rename(c, other),
        16..=18 => Step::Remove {
            container: c,
            force: yes,
            volumes: dice.below(2) == 0,
        },
        19..=21 => Step::CreateNetwork(n),
        22 => Step::RemoveNetwork(n),
        23 | 24 => Step::Connect(n, c),
        25 => Step::Disconnect {
            network: n,
            container: c,
            force: yes,
        },
        26 => Step::CreateVolume(v),
        27 | 28 => Step::RemoveVolume {
            volume: v,
            force: yes,
        },
        29 => Step::Exec(c),
        30 => Step::Inspect(c),
        _ => Step::InspectNetwork(n),
    }
}

struct Names(String);

impl Names {
    fn container(&self, n: usize) -> String {
        format!("{}-c{n}", self.0)
    }
    fn network(&self, n: usize) -> String {
        format!("{}-n{n}", self.0)
    }
    fn volume(&self, n: usize) -> String {
        format!("{}-v{n}", self.0)
    }

    fn body(&self, how: &How) -> Value {
        let mut host = json!({ "NetworkMode": "none" });
        let mut body = json!({
            "Image": "busybox:latest",
            "Cmd": ["sleep", "600"],
            "StopSignal": "SIGKILL",
            "Labels": { "regatta.test": self.0 },
        });
        match how {
            How::Plain => {}
            How::InNetwork(n) => host["NetworkMode"] = self.network(*n).into(),
            How::InTwoNetworks => {
                host["NetworkMode"] = self.network(0).into();
                body["NetworkingConfig"]["EndpointsConfig"] =
                    json!({ self.network(0): {}, self.network(1): {} });
            }
            How::NamespaceOf(c) => {
                host["NetworkMode"] = format!("container:{}", self.container(*c)).into();
            }
            How::WithVolume(v) => host["Binds"] = json!([format!("{}:/data", self.volume(*v))]),
            How::WithAnonymousVolume => {
                host["Mounts"] = json!([{ "Type": "volume", "Target": "/anonymous" }]);
            }
            How::VolumesFrom(c) => host["VolumesFrom"] = json!([self.container(*c)]),
            How::PidOf(c) => host["PidMode"] = format!("container:{}", self.container(*c)).into(),
            How::NoSuchImage => body["Image"] = "regatta-test/none:1".into(),
            How::BadPolicy => host["RestartPolicy"] = json!({ "Name": "sometimes" }),
            How::BadPort => host["PortBindings"] = json!({ "80/tcp": [{ "HostPort": "99999" }] }),
            How::TwiceTheSameTarget => host["Binds"] = json!(["/tmp:/x", "/var:/x"]),
            How::CommandNotFound => body["Cmd"] = json!(["regatta-no-such-command"]),
            How::MissingBind => {
                host["Mounts"] =
                    json!([{ "Type": "bind", "Source": "/regatta-nowhere", "Target": "/x" }]);
            }
        }
        body["HostConfig"] = host;
        body
    }
}

/// What a caller can tell of an answer.
fn class<T>(result: Result<T, EngineError>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(EngineError::NotFound { .. }) => "404".into(),
        Err(EngineError::Conflict { .. }) => "409".into(),
        Err(EngineError::Refused { status, .. }) => status.to_string(),
        Err(EngineError::Broken { .. }) => "broken".into(),
        Err(other) => format!("{other:?}"),
    }
}

async fn take(engine: &dyn Engine, names: &Names, step: &Step) -> String {
    let e = engine;
    match step {
        Step::Create { container, how } => class(
            e.create_container(ContainerRequest {
                name: names.container(*container),
                platform: None,
                body: names.body(how),
            })
            .await,
        ),
        Step::Start(c) => class(e.start_container(&names.container(*c)).await),
        Step::Stop(c) => class(e.stop_container(&names.container(*c), Some(0)).await),
        Step::Restart(c) => class(e.restart_container(&names.container(*c), Some(0)).await),
        Step::Kill(c, signal) => {
            let result = e.kill_container(&names.container(*c), signal).await;
            if result.is_ok() && *signal == "KILL" {
                settle(e, &names.container(*c)).await;
            }
            class(result)
        }
        Step::Rename(c, to) => class(
            e.rename_container(&names.container(*c), &names.container(*to))
                .await,
        ),
        Step::Remove {
            container,
            force,
            volumes,
        } => class(
            e.remove_container(&names.container(*container), *force, *volumes)
                .await,
        ),
        Step::CreateNetwork(n) => class(
            e.create_network(ResourceRequest {
                name: names.network(*n),
                body: json!({ "Name": names.network(*n), "Labels": { "regatta.test": names.0 } }),
            })
            .await,
        ),
        Step::RemoveNetwork(n) => class(e.remove_network(&names.network(*n)).await),
        Step::Connect(n, c) => class(
            e.connect_network(&names.network(*n), &names.container(*c), json!({}))
                .await,
        ),
        Step::Disconnect {
            network,
            container,
            force,
        } => class(
            e.disconnect_network(
                &names.network(*network),
                &names.container(*container),
                *force,
            )
            .await,
        ),
        Step::CreateVolume(v) => class(
            e.create_volume(ResourceRequest {
                name: names.volume(*v),
                body: json!({ "Name": names.volume(*v), "Labels": { "regatta.test": names.0 } }),
            })
            .await,
        ),
        Step::RemoveVolume { volume, force } => {
            class(e.remove_volume(&names.volume(*volume), *force).await)
        }
        Step::Exec(c) => {
            let request = regatta::engine::ExecRequest {
                command: vec!["true".into()],
                ..Default::default()
            };
            class(e.create_exec(&names.container(*c), request).await)
        }
        Step::Inspect(c) => class(e.inspect_container(&names.container(*c)).await),
        Step::InspectNetwork(n) => class(e.inspect_network(&names.network(*n)).await),
    }
}

/// A killed process is seen to have ended a moment later.
async fn settle(engine: &dyn Engine, container: &str) {
    for _ in 0..100 {
        match engine.inspect_container(container).await {
            Ok(details) if details.state == ContainerState::Running => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            _ => return,
        }
    }
}

/// Everything that the steps may have made, as far as both can show it.
async fn state(engine: &dyn Engine, names: &Names) -> Vec<String> {
    let mut all = Vec::new();
    let filter = ContainerFilter {
        labels: vec![format!("regatta.test={}", names.0)],
        all: true,
    };
    for row in engine.list_containers(filter).await.unwrap() {
        let details = engine.inspect_container(&row.id).await.unwrap();
        let networks: Vec<_> = row
            .networks
            .iter()
            .map(|(name, id)| format!("{name}:{}", !id.is_empty()))
            .collect();
        let mut mounts: Vec<_> = row
            .mounts
            .iter()
            .map(|m| {
                (
                    m.kind.clone(),
                    m.destination.clone(),
                    m.name.starts_with(&names.0),
                )
            })
            .collect();
        mounts.sort();
        all.push(format!(
            "container {} {:?} code {} networks {networks:?} mounts {mounts:?}",
            row.name, row.state, details.exit_code
        ));
    }
    for network in engine.list_networks().await.unwrap() {
        if network.name.starts_with(&names.0) {
            all.push(format!("network {} {:?}", network.name, network.labels));
        }
    }
    for volume in engine.list_volumes(Vec::new()).await.unwrap() {
        if volume.name.starts_with(&names.0) {
            all.push(format!("volume {} {:?}", volume.name, volume.labels));
        }
    }
    all.sort();
    all
}

async fn clean(engine: &dyn Engine, names: &Names) {
    let filter = ContainerFilter {
        labels: vec![format!("regatta.test={}", names.0)],
        all: true,
    };
    for row in engine.list_containers(filter).await.unwrap_or_default() {
        let _ = engine.remove_container(&row.id, true, true).await;
    }
    for n in 0..2 {
        let _ = engine.remove_network(&names.network(n)).await;
        let _ = engine.remove_volume(&names.volume(n), true).await;
    }
}

fn fake() -> Fake {
    let fake = Fake::new();
    fake.miss_path("/regatta-nowhere");
    // `sleep` as the first process does nothing about a signal it did not ask for.
    fake.cast(|_, body| match body["Cmd"][0].as_str() {
        Some("regatta-no-such-command") => Script::broken(
            400,
            "failed to create task for container: exec: executable file not found in $PATH",
        ),
        _ => Script {
            on_stop: None,
            ..Script::default()
        },
    });
    fake
}

async fn compare(real: &Docker, seed: u64) -> Result<(), String> {
    let names = Names(format!("regatta-fvr-{}-{seed}", std::process::id()));
    let fake = fake();
    let mut dice = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut done = Vec::new();
    for number in 0..STEPS {
        let step = step(&mut dice);
        let theirs = take(real, &names, &step).await;
        let ours = take(&fake, &names, &step).await;
        done.push(format!("{number}: {step:?} -> {theirs}"));
        if ours != theirs {
            return Err(format!(
                "seed {seed}: the fake says {ours}, the real one {theirs}\n{}",
                done.join("\n")
            ));
        }
    }
    let (theirs, ours) = (state(real, &names).await, state(&fake, &names).await);
    if ours != theirs {
        return Err(format!(
            "seed {seed}: states differ\nfake: {ours:#?}\nreal: {theirs:#?}\n{}",
            done.join("\n")
        ));
    }
    Ok(())
}

fn seeds() -> Vec<u64> {
    let text = std::env::var("REGATTA_SEEDS").unwrap_or("1..4".into());
    match text.split_once("..") {
        Some((from, to)) => (from.parse().unwrap()..to.parse().unwrap()).collect(),
        None => vec![text.parse().unwrap()],
    }
}

#[tokio::test]
async fn the_fake_is_not_kinder() {
    let Some(endpoint) = required::endpoint() else {
        return;
    };
    let real = Docker::new(endpoint, Options::default()).unwrap();
    let seeds = seeds();
    assert!(!seeds.is_empty(), "REGATTA_SEEDS names none");
    let mut different = Vec::new();
    for seed in seeds {
        let result = compare(&real, seed).await;
        clean(
            &real,
            &Names(format!("regatta-fvr-{}-{seed}", std::process::id())),
        )
        .await;
        different.extend(result.err());
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// Which names find an image, in a list and one by one, and for which platform it is run.
#[tokio::test]
async fn images_are_found_alike() {
    let Some(endpoint) = required::endpoint() else {
        return;
    };
    let real = Docker::new(endpoint, Options::default()).unwrap();
    let fake = Fake::new();
    let mut findings = Vec::new();
    for engine in [&real as &dyn Engine, &fake as &dyn Engine] {
        let own = engine.inspect_image("busybox").await.unwrap().id;
        let short = own[7..19].to_owned();
        let mut found = Vec::new();
        for name in [
            "busybox:latest",
            "busybox",
            "library/busybox:latest",
            "docker.io/busybox:latest",
            "docker.io/library/busybox:latest",
            "index.docker.io/library/busybox",
            "busybox:regatta-none",
            &own,
            &short,
        ] {
            let listed = engine.list_images(vec![name.into()]).await.unwrap();
            let inspected = engine.inspect_image(name).await.is_ok();
            let shown = name.replace(&own, "ID").replace(&short, "SHORT");
            // How many tags an engine has for a name is its own affair.
            let is_listed = !listed.is_empty();
            found.push(format!("{shown}: {is_listed} {inspected}"));
        }
        let request = ContainerRequest {
            name: format!("regatta-fvr-platform-{}", std::process::id()),
            platform: Some("linux/s390x".into()),
            body: json!({ "Image": "busybox" }),
        };
        let error = engine.create_container(request).await.unwrap_err();
        found.push(error.message().to_owned());
        findings.push(found);
    }
    assert_eq!(findings[0], findings[1]);
}

/// What can be asked of a container whatever its state.
const CALLS: [&str; 10] = [
    "pause",
    "unpause",
    "processes",
    "commit a wrong change",
    "start",
    "stop",
    "restart",
    "kill",
    "remove",
    "exec",
];

/// The answer to a call about a container that has been brought into a state, and its state then.
async fn answer(engine: &dyn Engine, names: &Names, state: &str, call: &str) -> String {
    let name = format!("{}-{state}-{}", names.0, call.replace(' ', "-"));
    let request = ContainerRequest {
        name: name.clone(),
        platform: None,
        body: names.body(&How::Plain),
    };
    engine.create_container(request).await.expect("a container");
    if state != "created" {
        engine.start_container(&name).await.expect("a start");
    }
    match state {
        "paused" => engine.pause_container(&name).await.expect("a pause"),
        "exited" => engine.stop_container(&name, Some(0)).await.expect("a stop"),
        _ => {}
    }
    let said = match call {
        "pause" => class(engine.pause_container(&name).await),
        "unpause" => class(engine.unpause_container(&name).await),
        "processes" => class(engine.processes(&name).await),
        "start" => class(engine.start_container(&name).await),
        "stop" => class(engine.stop_container(&name, Some(0)).await),
        "restart" => class(engine.restart_container(&name, Some(0)).await),
        "kill" => class(engine.kill_container(&name, "KILL").await),
        "remove" => class(engine.remove_container(&name, false, false).await),
        "exec" => {
            let request = regatta::engine::ExecRequest {
                command: vec!["true".into()],
                ..Default::default()
            };
            class(engine.create_exec(&name, request).await)
        }
        _ => {
            let request = regatta::engine::CommitRequest {
                container: name.clone(),
                changes: vec!["BOGUS x".into()],
                ..Default::default()
            };
            class(engine.commit_container(request).await)
        }
    };
    if call == "kill" {
        settle(engine, &name).await;
    }
    let after = match engine.inspect_container(&name).await {
        Ok(details) => details.state.as_str(),
        Err(_) => "gone",
    };
    format!("{state}: {call}: {said}, then {after}")
}

#[tokio::test]
async fn every_state_is_refused_alike() {
    let Some(endpoint) = required::endpoint() else {
        return;
    };
    let real = Docker::new(endpoint, Options::default()).unwrap();
    let names = Names(format!("regatta-fvr-states-{}", std::process::id()));
    let fake = fake();
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for state in ["created", "running", "paused", "exited"] {
        let asked = CALLS.map(|call| answer(&real, &names, state, call));
        theirs.extend(futures::future::join_all(asked).await);
        for call in CALLS {
            ours.push(answer(&fake, &names, state, call).await);
        }
    }
    clean(&real, &names).await;
    assert_eq!(ours, theirs);
}
