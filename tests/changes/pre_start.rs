//! `pre_start` hooks on the engine in memory: when they run, beside whom, and what their failure,
//! a signal and a program killed among them leave behind.

use crate::on_fake::{
    self, attempt, attempt_until, loaded, on_virtual_time, options, plan, project, up,
};
use regatta::engine::fake::{Act, Fake, FakeImage, Script};
use regatta::engine::{ContainerDetails, ContainerState, OutputStream};
use regatta::interrupt::{Cause, Interrupts};
use regatta::observe::{Observed, Scope, observe};
use regatta::plan::render_text;
use regatta::project::Project;
use regatta::reconcile::{down, lifecycle};
use serde_json::Value;
use std::time::Duration;

const WEB: &str = "
name: p
services:
  web:
    image: busybox
    scale: 2
    volumes: [data:/data]
    environment: {LEVEL: '1'}
    pre_start:
      - command: [migrate]
      - {command: [seed], image: tools}
volumes: {data: {}}
";

fn changed() -> Project {
    project(&WEB.replace("'1'", "'2'"))
}

/// An engine whose hooks take a second and end with this status.
fn engine(code: i64) -> Fake {
    let fake = Fake::new();
    fake.add_image(FakeImage::new("tools"));
    hooks_end_with(&fake, code);
    fake
}

fn hooks_end_with(fake: &Fake, code: i64) {
    fake.cast(move |_, body| match is_hook(body) {
        true => Script {
            acts: vec![
                (
                    Duration::from_millis(500),
                    Act::Print(OutputStream::Stderr, "no such table".into()),
                ),
                (Duration::from_secs(1), Act::Exit(code)),
            ],
            ..Script::default()
        },
        false => Script::default(),
    });
}

fn is_hook(body: &Value) -> bool {
    body["Labels"]["com.docker.compose.hook"] == "pre_start"
}

fn hooks(fake: &Fake) -> Vec<ContainerDetails> {
    let mut all = fake.containers();
    all.retain(|c| c.labels.contains_key("com.docker.compose.hook"));
    all
}

fn states(fake: &Fake) -> Vec<String> {
    let mut all: Vec<String> = fake
        .containers()
        .iter()
        .filter(|c| !c.labels.contains_key("com.docker.compose.hook"))
        .map(|c| format!("{} {}", c.name, c.state.as_str()))
        .collect();
    all.sort();
    all
}

/// What was created and started: `hook [command]`, or a replica's name.
fn story(fake: &Fake) -> Vec<String> {
    let of = |id: &str| fake.container(id).map(|c| c.name).unwrap_or("hook".into());
    let starts = fake
        .calls()
        .into_iter()
        .filter_map(|call| match call.method {
            "start_container" => Some(format!("start {}", of(&call.target))),
            "stop_container" => Some("stop".to_owned()),
            _ => None,
        });
    starts.collect()
}

const RUNNING: [&str; 2] = ["p-web-1 running", "p-web-2 running"];

#[test]
fn they_run_before_the_first_replica_starts() {
    on_virtual_time(async {
        let fake = engine(0);
        let done = up(&fake, &project(WEB)).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(states(&fake), RUNNING);
        assert!(hooks(&fake).is_empty(), "{:?}", hooks(&fake));
        let story_ = story(&fake);
        assert_eq!(story_[..2], ["start hook", "start hook"]);
        assert_eq!(story_.len(), 4);

        // Nothing to do, or a replica more: one runs already.
        assert!(!plan(&fake, &project(WEB)).await.changes_anything());
        fake.forget_calls();
        let done = up(&fake, &project(&WEB.replace("scale: 2", "scale: 3"))).await;
        assert!(done.report.is_success());
        assert_eq!(story(&fake), ["start p-web-3"]);
    });
}

#[test]
fn they_run_when_all_are_replaced_and_the_old_are_stopped() {
    on_virtual_time(async {
        let fake = engine(0);
        up(&fake, &project(WEB)).await;
        fake.forget_calls();
        let done = up(&fake, &changed()).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(states(&fake), RUNNING);
        let story = story(&fake);
        assert_eq!(story[..4], ["stop", "stop", "start hook", "start hook"]);
        assert!(hooks(&fake).is_empty());
    });
}

#[test]
fn what_the_plan_says() {
    on_virtual_time(async {
        let fake = engine(0);
        let shown = |plan, project: &Project| render_text(plan, &project.name, &|_| None);
        let first = plan(&fake, &project(WEB)).await;
        assert_eq!(
            shown(&first, &project(WEB)),
            "p:
  + create network p_default  (not there yet)
  + create volume p_data  (not there yet)
  + create container p-web-1  (no container yet)
  + create container p-web-2  (no container yet)
  > run hook web pre_start[0]  (it comes before the first replica's start)
  > run hook web pre_start[1]  (it comes before the first replica's start)
  > start container p-web-1  (it is new)
  > start container p-web-2  (it is new)
"
        );
        up(&fake, &project(WEB)).await;
        let next = plan(&fake, &changed()).await;
        assert_eq!(
            shown(&next, &changed()),
            "p:
  ~ recreate container p-web-1  (environment.LEVEL: 1 → 2)
      environment.LEVEL: 1 → 2
  ~ recreate container p-web-2  (environment.LEVEL: 1 → 2)
      environment.LEVEL: 1 → 2
  > run hook web pre_start[0]  (it comes before the first replica's start)
  > run hook web pre_start[1]  (it comes before the first replica's start)
"
        );
    });
}

#[test]
fn a_failed_hook_keeps_the_service_down_and_its_container() {
    on_virtual_time(async {
        let fake = engine(3);
        let done = up(&fake, &project(WEB)).await;
        let [failure] = done.report.failures.as_slice() else {
            panic!("{:#?}", done.report.failures);
        };
        let place = failure.path.as_deref();
        assert_eq!(place, Some("services.web.pre_start[0].command"));
        assert!(failure.message.contains("it exited (3)"), "{failure:?}");
        assert!(failure.message.contains("no such table"), "{failure:?}");
        assert_eq!(states(&fake), ["p-web-1 created", "p-web-2 created"]);
        let [kept] = hooks(&fake).try_into().expect("one hook's container");
        let help = failure.help.as_deref().unwrap_or_default();
        assert!(help.contains(&kept.id[..12]), "{help}");

        // The next run clears up, tries again, and is done.
        hooks_end_with(&fake, 0);
        let done = up(&fake, &project(WEB)).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(states(&fake), RUNNING);
        assert!(hooks(&fake).is_empty());
    });
}

#[test]
fn a_hook_that_fails_in_a_replacement_brings_the_old_back() {
    on_virtual_time(async {
        let fake = engine(0);
        up(&fake, &project(WEB)).await;
        let before: Vec<String> = fake.containers().into_iter().map(|c| c.id).collect();
        hooks_end_with(&fake, 1);
        let done = up(&fake, &changed()).await;
        assert_eq!(done.report.failures.len(), 1);
        assert_eq!(states(&fake), RUNNING);
        for id in before {
            let container = fake.container(&id).expect("the old one");
            assert_eq!(container.state, ContainerState::Running);
        }
        assert_eq!(hooks(&fake).len(), 1);
        hooks_end_with(&fake, 0);
        let done = up(&fake, &changed()).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert!(!plan(&fake, &changed()).await.changes_anything());
        assert!(hooks(&fake).is_empty());
    });
}

#[test]
fn a_signal_at_any_moment() {
    for moment in 0..40 {
        let at = Duration::from_millis(75 * moment);
        on_virtual_time(async {
            let fake = engine(0);
            up(&fake, &project(WEB)).await;
            fake.slow_down(|_| Duration::from_millis(20));
            let interrupts = Interrupts::default();
            let _stages = interrupts.in_stages();
            let user = interrupts.clone();
            tokio::spawn(async move {
                tokio::time::sleep(at).await;
                user.signal(Cause::Interrupt);
            });
            let (_, done) = attempt_until(&fake, &changed(), interrupts)
                .await
                .expect("an answer");
            let done = done.expect("no obstacles");
            assert!(done.report.failures.is_empty(), "{at:?}: {:?}", done.report);
            assert_eq!(states(&fake), RUNNING, "{at:?}");
            assert!(hooks(&fake).is_empty(), "{at:?}");
            let done = up(&fake, &changed()).await;
            assert!(done.report.is_success(), "{at:?}: {:?}", done.report);
            assert_eq!(states(&fake), RUNNING, "{at:?}");
            assert!(!plan(&fake, &changed()).await.changes_anything(), "{at:?}");
        });
    }
}

#[test]
fn killed_at_any_moment() {
    for moment in 0..40 {
        let at = Duration::from_millis(75 * moment);
        on_virtual_time(async {
            let fake = engine(0);
            fake.slow_down(|_| Duration::from_millis(20));
            let project = project(WEB);
            let _ = tokio::time::timeout(at, attempt(&fake, &project)).await;
            let done = up(&fake, &project).await;
            assert!(done.report.is_success(), "{at:?}: {:?}", done.report);
            assert_eq!(states(&fake), RUNNING, "{at:?}");
            assert!(!plan(&fake, &project).await.changes_anything(), "{at:?}");
            assert!(hooks(&fake).is_empty(), "{at:?}");
        });
    }
}

#[test]
fn start_runs_them_too() {
    on_virtual_time(async {
        let fake = engine(0);
        let project = project(WEB);
        up(&fake, &project).await;
        for name in ["p-web-1", "p-web-2"] {
            fake.exit(name, 0);
        }
        let observed = observe(&fake, &project, Scope::CONTAINERS)
            .await
            .expect("a snapshot");
        let plan = lifecycle::start(&project, &observed, &options()).plan;
        let kinds: Vec<_> = plan.steps().map(|(_, step)| step.action.kind()).collect();
        assert_eq!(
            kinds[..3],
            ["run_pre_start", "run_pre_start", "start_container"]
        );
    });
}

#[test]
fn what_is_left_of_them_goes_with_the_project() {
    on_virtual_time(async {
        let fake = engine(3);
        let project = project(WEB);
        up(&fake, &project).await;
        let observed = observe(&fake, &project, Scope::CONTAINERS)
            .await
            .expect("a snapshot");
        assert_eq!(observed.replicas_of("web").len(), 2, "a hook is no replica");
        let id = hooks(&fake)[0].id.clone();
        let removes = |observed: &Observed, options: &down::Options| {
            let plan = down::down(&project, observed, &[], options).plan;
            plan.steps().any(|(_, step)| {
                matches!(&step.action, regatta::plan::Action::RemoveContainer {
                    container: regatta::plan::Target::Existing { id: removed, .. }, ..
                } if *removed == id)
            })
        };
        let of = |service: &str| down::Options {
            services: [service.to_owned()].into(),
            ..down::Options::default()
        };
        assert!(removes(&observed, &down::Options::default()));
        assert!(removes(&observed, &of("web")));
        assert!(!removes(&observed, &of("other")));
    });
}

#[test]
fn what_is_refused() {
    on_virtual_time(async {
        let fake = engine(0);
        let text = WEB.replace(
            "command: [migrate]",
            "{command: [migrate], per_replica: true}",
        );
        let loaded = loaded(&text);
        let project = loaded.project.expect("a project");
        let (prepared, done) = attempt(&fake, &project).await.expect("an answer");
        assert!(done.is_none());
        let obstacle = &prepared.outcome.obstacles[0];
        assert_eq!(obstacle.path, "services.web.pre_start[0].per_replica");
        // An image that is neither here nor to be had.
        let missing = on_fake::project(&WEB.replace("image: tools", "image: gone"));
        let done = up(&fake, &missing).await;
        let failure = &done.report.failures[0];
        let place = failure.path.as_deref();
        assert_eq!(place, Some("services.web.pre_start[1].image"));
    });
}
