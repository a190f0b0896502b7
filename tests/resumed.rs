//! What follows a run that was killed in the middle of a takeover: the old container is there until
//! one has proved itself, whichever that is.

#[path = "support/on_fake.rs"]
mod on_fake;

use on_fake::{OneFile, means, on_virtual_time, options, project, up};
use regatta::change::{Done, agree_to_nothing, carry_out, prepare, run};
use regatta::engine::fake::{Fake, Fault, Script, Way};
use regatta::engine::{ContainerState, Health};
use regatta::event::Reporter;
use regatta::observe::{Scope, observe};
use regatta::project::Project;
use regatta::reconcile::{Options, Recreate, lifecycle};
use std::collections::BTreeSet;
use std::time::Duration;

const CHECK: &str = "    healthcheck: {test: [CMD, \"true\"]}\n";

fn web(level: &str, more: &str) -> Project {
    let head = "name: shop\nservices:\n  web:\n    image: busybox\n";
    project(&format!(
        "{head}    environment: {{LEVEL: {level}}}\n{more}"
    ))
}

async fn up_with(fake: &Fake, project: &Project, mut options: Options) -> Done {
    let (reporter, files) = (Reporter::silent(), OneFile::empty());
    let means = means(fake, &reporter, &files);
    let no = &mut agree_to_nothing;
    let prepared = prepare(fake, project, &mut options, no).await;
    let prepared = prepared.expect("a snapshot");
    let done = carry_out(&means, project, prepared, &mut options, no).await;
    done.expect("an answer").1.expect("no obstacles")
}

/// An engine where `bad` processes become unhealthy after a while, others healthy.
fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| {
        let bad = body["Env"].to_string().contains("LEVEL=bad");
        match bad {
            true => Script::unhealthy(Duration::from_secs(20)),
            false => Script::healthy(Duration::from_secs(5)),
        }
    });
    fake
}

/// An old container, stopped, and its successor, started; the run was killed there.
async fn killed_after_the_start(level: &str, more: &str) -> (Fake, String, String) {
    let fake = engine();
    up(&fake, &web("old", more)).await;
    let old = names(&fake)[0].1.clone();
    fake.fail(Fault::nth("remove_container", 0, Way::HangBefore));
    let (next, killed) = (web(level, more), Duration::from_secs(1));
    let waiting = Options {
        wait: more == CHECK,
        ..options()
    };
    let hung = tokio::time::timeout(killed, up_with(&fake, &next, waiting)).await;
    assert!(hung.is_err());
    fake.forgive();
    let mut found = names(&fake);
    assert_eq!(found.len(), 2, "{found:?}");
    let (name, new) = found.remove(usize::from(found[0].1 == old));
    assert!(name.ends_with("_shop-web-1"), "{name}");
    (fake, old, new)
}

/// Name and id of every container.
fn names(fake: &Fake) -> Vec<(String, String)> {
    fake.census(|census| {
        let all = census.containers();
        all.map(|c| (c.name.to_owned(), c.id.to_owned())).collect()
    })
}

#[track_caller]
fn is_all_there_is(fake: &Fake, id: &str) {
    assert_eq!(names(fake), [("shop-web-1".to_owned(), id.to_owned())]);
    let container = fake.container(id).expect("it is there");
    assert_eq!(container.state, ContainerState::Running);
}

#[test]
fn a_successor_that_was_not_healthy_yet_goes_on_once_it_is() {
    on_virtual_time(async {
        let (fake, old, new) = killed_after_the_start("new", CHECK).await;
        let removed_too_early = std::sync::Arc::new(std::sync::Mutex::new(false));
        let (seen, first, second) = (removed_too_early.clone(), old.clone(), new.clone());
        fake.oversee(move |census| {
            let next = census.container(&second);
            let ready = next.is_some_and(|c| c.health == Some(Health::Healthy));
            *seen.lock().unwrap() |= !ready && census.container(&first).is_none();
        });
        let waiting = Options {
            wait: true,
            ..options()
        };
        let done = up_with(&fake, &web("new", CHECK), waiting).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        is_all_there_is(&fake, &new);
        assert!(!*removed_too_early.lock().unwrap());
    });
}

#[test]
fn where_it_never_becomes_healthy_the_old_one_is_back() {
    on_virtual_time(async {
        let (fake, old, _) = killed_after_the_start("bad", CHECK).await;
        let waiting = Options {
            wait: true,
            ..options()
        };
        let done = up_with(&fake, &web("bad", CHECK), waiting).await;
        assert!(!done.report.is_success());
        is_all_there_is(&fake, &old);
    });
}

#[test]
fn where_a_third_one_fails_the_first_is_back() {
    on_virtual_time(async {
        let (fake, old, _) = killed_after_the_start("bad", CHECK).await;
        let forced = Options {
            wait: true,
            recreate: Recreate::Force,
            ..options()
        };
        let done = up_with(&fake, &web("bad", CHECK), forced).await;
        assert!(!done.report.is_success());
        is_all_there_is(&fake, &old);
    });
}

#[test]
fn a_third_one_that_is_well_leaves_neither() {
    on_virtual_time(async {
        let (fake, old, new) = killed_after_the_start("new", CHECK).await;
        let waiting = Options {
            wait: true,
            ..options()
        };
        let done = up_with(&fake, &web("newer", CHECK), waiting).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let left = names(&fake);
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].0, "shop-web-1");
        assert!(left[0].1 != old && left[0].1 != new);
    });
}

#[test]
fn a_restart_does_not_wait_for_what_nobody_has_started() {
    on_virtual_time(async {
        let fake = engine();
        let shop = project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n{CHECK}  web:\n    image: busybox\n    \
             depends_on: {{db: {{condition: service_healthy, restart: true}}}}\n"
        ));
        let create = Options {
            start: false,
            ..options()
        };
        up_with(&fake, &shop, create).await;
        let observed = observe(&fake, &shop, Scope::CONTAINERS).await.unwrap();
        let named = BTreeSet::from(["web".to_owned()]);
        let plan = lifecycle::restart(&shop, &observed, &named, true, None, true);
        let (reporter, files) = (Reporter::silent(), OneFile::empty());
        let means = means(&fake, &reporter, &files);
        let minute = Duration::from_secs(60);
        let done = tokio::time::timeout(minute, run(&means, plan, &shop, &observed)).await;
        let done = done.expect("it ends");
        let failure = &done.report.failures[0].message;
        assert!(failure.contains("never started"), "{failure}");
    });
}
