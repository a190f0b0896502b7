//! Signals at every moment of a change, on the engine in memory with a clock that leaps: whatever
//! ran before still runs, under its name, and the next run ends where an undisturbed one does.

mod blocked;
mod silent;

use crate::on_fake::{attempt_until, on_virtual_time, plan, project, up};
use regatta::engine::ContainerState;
use regatta::engine::fake::{Fake, FakeImage, Script};
use regatta::interrupt::{Cause, Interrupts, Stage};
use std::time::Duration;

const BEFORE: &str = "
name: p
services:
  db: {image: busybox, environment: {LEVEL: '1'}, networks: [back]}
  web:
    image: busybox
    environment: {LEVEL: '1'}
    networks: [back]
    scale: 2
    depends_on: {db: {condition: service_started, restart: true}}
networks: {back: {}}
";

const AFTER: &str = "
name: p
services:
  db: {image: busybox, environment: {LEVEL: '2'}, networks: [back], healthcheck: {test: 'true'}}
  web:
    image: busybox
    environment: {LEVEL: '2'}
    networks: [back]
    scale: 2
    depends_on: {db: {condition: service_healthy, restart: true}}
  new: {image: busybox, depends_on: [web]}
networks: {back: {labels: {changed: 'yes'}}}
";

/// Somebody presses Ctrl-C so often, the first time after so long.
async fn press(interrupts: Interrupts, after: Duration, times: usize) {
    tokio::time::sleep(after).await;
    for _ in 0..times {
        interrupts.signal(Cause::Interrupt);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[test]
fn a_signal_at_any_moment_leaves_what_ran_running() {
    let (before, after) = (project(BEFORE), project(AFTER));
    for signals in 1..=2 {
        let mut interrupted = 0;
        for moment in 0..60 {
            let at = Duration::from_millis(5 * moment);
            let what = format!("{signals} signals after {at:?}");
            on_virtual_time(async {
                let fake = Fake::new();
                fake.cast(|name, _| match name.contains("db") {
                    true => Script::healthy(Duration::from_millis(50)),
                    false => Script::default(),
                });
                up(&fake, &before).await;
                fake.slow_down(|_| Duration::from_millis(10));
                let interrupts = Interrupts::default();
                let _stages = interrupts.in_stages();
                let user = interrupts.clone();
                let presses = tokio::spawn(press(user, at, signals));
                let (_, done) = attempt_until(&fake, &after, interrupts.clone())
                    .await
                    .expect("an answer");
                presses.abort();
                let done = done.expect("no obstacles");
                assert!(done.report.failures.is_empty(), "{what}: {:?}", done.report);
                interrupted += usize::from(!done.report.given_up.is_empty());
                for name in ["p-db-1", "p-web-1", "p-web-2"] {
                    let container = fake
                        .container(name)
                        .unwrap_or_else(|| panic!("{what}: {name}"));
                    assert_eq!(container.state, ContainerState::Running, "{what}: {name}");
                }
                for container in fake.containers() {
                    assert!(
                        container.name.starts_with("p-"),
                        "{what}: {}",
                        container.name
                    );
                }
                fake.slow_down(|_| Duration::ZERO);
                up(&fake, &after).await;
                let rest = plan(&fake, &after).await;
                let rest = regatta::plan::render_text(&rest, "p", &|_| None);
                assert!(rest.contains("nothing"), "{what}: {rest}");
                if !done.report.given_up.is_empty() {
                    assert!(interrupts.stage() >= Stage::Stopping);
                }
            });
        }
        assert!(interrupted > 10, "only {interrupted} moments were inside");
    }
}

#[test]
fn who_lives_with_an_orphan_is_not_left_without_it() {
    let text = |web: &str, label: &str| {
        project(&format!(
            "name: p\nservices:\n  db: {{image: busybox, networks: [back]}}\n  web: {{image: \
             busybox{web}}}\nnetworks: {{back: {{labels: {{v: {label}}}}}}}\n"
        ))
    };
    let before = ", network_mode: \"service:vpn\"}\n  vpn: {image: busybox, networks: [back]";
    let (before, after) = (text(before, "a"), text(", depends_on: [db]", "b"));
    let mut exchanged = 0;
    for moment in 0..60 {
        on_virtual_time(async {
            let fake = Fake::new();
            up(&fake, &before).await;
            fake.slow_down(|_| Duration::from_millis(10));
            let interrupts = Interrupts::default();
            let _stages = interrupts.in_stages();
            let user = interrupts.clone();
            let presses = tokio::spawn(press(user, Duration::from_millis(5 * moment), 1));
            let attempt = attempt_until(&fake, &after, interrupts.clone());
            attempt.await.expect("an answer");
            presses.abort();
            let web = fake.container("p-web-1").expect("web");
            assert_eq!(web.state, ContainerState::Running, "{moment}");
            let mode = web.raw["HostConfig"]["NetworkMode"].as_str().unwrap();
            match mode.strip_prefix("container:") {
                Some(host) => {
                    let host = fake.container(host).expect("its host");
                    assert_eq!(host.state, ContainerState::Running, "{moment}");
                }
                None => exchanged += 1,
            }
        });
    }
    assert!((1..60).contains(&exchanged), "{exchanged} were exchanged");
}

#[test]
fn a_pull_is_given_up() {
    let project =
        project("name: p\nservices:\n  far: {image: 'far:1'}\n  near: {image: busybox}\n");
    on_virtual_time(async {
        let fake = Fake::new();
        fake.add_remote_image(FakeImage::new("far:1"));
        fake.slow_down(|call| match call.method {
            "pull_image" => Duration::from_secs(600),
            _ => Duration::from_millis(10),
        });
        let interrupts = Interrupts::default();
        let _stages = interrupts.in_stages();
        let user = interrupts.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            user.signal(Cause::Terminate);
        });
        let begun = tokio::time::Instant::now();
        let (_, done) = attempt_until(&fake, &project, interrupts)
            .await
            .expect("an answer");
        let done = done.expect("no obstacles");
        assert!(begun.elapsed() < Duration::from_secs(3));
        let [finished, _, given_up] = done.report.interrupted_services(&done.plan);
        assert_eq!(finished.into_iter().collect::<Vec<_>>(), ["near"]);
        assert_eq!(given_up.into_iter().collect::<Vec<_>>(), ["far"]);
        assert!(fake.container("p-far-1").is_none());
    });
}

/// One that nobody knows to be healthy does not take the old one's place; one that need only live
/// through its first moments does.
#[test]
fn a_successor_that_has_not_proved_itself_goes() {
    const CHECKED: &str = "healthcheck: {test: 'true'}";
    const DEPENDENT: &str = "depends_on: {db: {condition: service_healthy}}";
    for (check, depends, runs_on) in [(CHECKED, DEPENDENT, "1"), (CHECKED, "", "2"), ("", "", "2")]
    {
        let version = |level: &str| {
            project(&format!(
                "name: p\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: '{level}'}}\n    \
                 {check}\n  web:\n    image: busybox\n    {depends}\n"
            ))
        };
        on_virtual_time(async {
            let fake = Fake::new();
            fake.cast(|_, _| Script::healthy(Duration::from_secs(1)));
            up(&fake, &version("1")).await;
            fake.cast(|_, _| Script::healthy(Duration::from_secs(60)));
            fake.slow_down(|_| Duration::from_millis(10));
            let interrupts = Interrupts::default();
            let _stages = interrupts.in_stages();
            let user = interrupts.clone();
            tokio::spawn(async move {
                // The start is answered by then, and hardly 200 ms old.
                tokio::time::sleep(Duration::from_millis(100)).await;
                user.signal(Cause::Interrupt);
            });
            let attempt = attempt_until(&fake, &version("2"), interrupts).await;
            let done = attempt.expect("an answer").1.expect("no obstacles");
            assert!(!done.report.is_success() || runs_on == "2");
            let db = fake.container("p-db-1").expect("its name");
            assert_eq!(db.state, ContainerState::Running);
            let level = &db.raw["Config"]["Env"][0];
            assert_eq!(level, &format!("LEVEL={runs_on}"), "{check} {depends}");
            assert_eq!(fake.containers().len(), 2);
        });
    }
}
