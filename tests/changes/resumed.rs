//! What follows a run that was killed in the middle of a takeover: the old container is there until
//! one has proved itself, whichever that is.

use crate::on_fake::{
    CHECK, OneFile, ailing_engine, broken_engine, create_third, deadly_engine, killed, means,
    names, on_virtual_time, options, project, refused, up, up_with, waiting, web, web_in_vpn,
};
use regatta::change::{agree_to_nothing, prepare, run};
use regatta::engine::fake::{Fake, Fault, Script, Way};
use regatta::engine::{ContainerState, Engine, Health};
use regatta::event::Reporter;
use regatta::observe::{Scope, observe};
use regatta::plan::{Action, Step};
use regatta::project::Dependencies;
use regatta::reconcile::{Options, Recreate, lifecycle};
use std::collections::BTreeSet;
use std::time::Duration;

fn forced() -> Options {
    Options {
        recreate: Recreate::Force,
        ..options()
    }
}

/// An old container, stopped, and its successor, started; the run was killed there.
async fn killed_after_the_start(level: &str, more: &str) -> (Fake, String, String) {
    let fake = ailing_engine();
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

#[track_caller]
fn is_all_there_is(fake: &Fake, id: &str) {
    assert_eq!(names(fake), [("shop-web-1".to_owned(), id.to_owned())]);
    let container = fake.container(id).expect("it is there");
    assert_eq!(container.state, ContainerState::Running);
}

/// One container is there, and has this volume.
#[track_caller]
fn is_alone_with(fake: &Fake, volume: &str) {
    fake.census(|census| {
        let all: Vec<_> = census.containers().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].mounts[0].name, volume);
    });
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
        let done = up_with(&fake, &web("new", CHECK), waiting()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        is_all_there_is(&fake, &new);
        assert!(!*removed_too_early.lock().unwrap());
    });
}

#[test]
fn where_it_never_becomes_healthy_the_old_one_is_back() {
    on_virtual_time(async {
        let (fake, old, _) = killed_after_the_start("bad", CHECK).await;
        let done = up_with(&fake, &web("bad", CHECK), waiting()).await;
        assert!(!done.report.is_success());
        is_all_there_is(&fake, &old);
    });
}

#[test]
fn where_a_third_one_fails_the_first_is_back() {
    on_virtual_time(async {
        let (fake, old, _) = killed_after_the_start("bad", CHECK).await;
        let forced = Options {
            recreate: Recreate::Force,
            ..waiting()
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
        let done = up_with(&fake, &web("newer", CHECK), waiting()).await;
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
        let fake = ailing_engine();
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

#[test]
fn a_number_that_was_created_already_does_not_run_before_those_below_it_are_there() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", "")).await;
        create_third(&fake).await;
        let three = web("old", "    scale: 3\n");
        let second = Fault::nth("create_container", 0, Way::HangBefore);
        killed(&fake, &three, second).await;
        let third = fake.container("shop-web-3").unwrap();
        assert_eq!(third.state, ContainerState::Created);
        up(&fake, &three).await;
        let mut found: Vec<String> = names(&fake).into_iter().map(|(name, _)| name).collect();
        found.sort();
        assert_eq!(found, ["shop-web-1", "shop-web-2", "shop-web-3"]);
    });
}

#[test]
fn who_was_stopped_for_a_takeover_that_is_called_off_later_runs_again() {
    let shop = |level: &str| {
        project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: {level}}}\n  \
             web:\n    image: busybox\n    depends_on: {{db: {{condition: service_started, restart: \
             true}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &shop("old")).await;
        let start = Fault::nth("start_container", 0, Way::HangBefore);
        killed(&fake, &shop("bad"), start).await;
        let done = up(&fake, &shop("bad")).await;
        assert!(!done.report.is_success());
        for name in ["shop-db-1", "shop-web-1"] {
            let container = fake.container(name).expect(name);
            assert_eq!(container.state, ContainerState::Running, "{name}");
        }
    });
}

#[test]
fn data_of_a_one_shot_that_took_over_goes_on_where_it_is_replaced_in_its_turn() {
    on_virtual_time(async {
        let fake = Fake::new();
        fake.cast(|_, _| Script::exits(Duration::from_millis(300), 0));
        up(&fake, &web("old", "")).await;
        let next = web("new", "    volumes: [/scratch]\n");
        let removal = Fault::nth("remove_container", 0, Way::HangBefore);
        killed(&fake, &next, removal).await;
        let volume = fake.volumes().into_iter().next().expect("a volume").name;
        let done = up_with(&fake, &next, forced()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        is_alone_with(&fake, &volume);
    });
}

#[test]
fn however_often_it_is_killed_no_volume_is_left_that_nobody_ever_used() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", "")).await;
        let next = web("new", "    volumes: [/scratch]\n");
        for _ in 0..3 {
            let stop = Fault::nth("stop_container", 0, Way::HangBefore);
            killed(&fake, &next, stop).await;
            // The next one is made anew, too.
            fake.fail(Fault::nth("stop_container", 0, Way::HangBefore));
            let again =
                tokio::time::timeout(Duration::from_secs(5), up_with(&fake, &next, forced()));
            assert!(again.await.is_err());
            fake.forgive();
        }
        up(&fake, &next).await;
        assert_eq!(names(&fake).len(), 1);
        assert_eq!(fake.volumes().len(), 1);
    });
}

/// The start that a killed run asked for may come through, and give its volume data.
#[test]
fn who_never_ran_goes_also_where_something_else_cannot_be_created() {
    let shop = |level: &str, volumes: &str| {
        project(&format!(
            "name: shop\nservices:\n  api: {{image: busybox}}\n  web: {{image: busybox, environment: \
             {{LEVEL: {level}}}, volumes: {volumes}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &shop("old", "[]")).await;
        let before = names(&fake);
        let next = shop("new", "[/scratch]");
        let stop = Fault::nth("stop_container", 0, Way::HangBefore);
        killed(&fake, &next, stop).await;
        let created = names(&fake).into_iter().find(|c| !before.contains(c));
        let (_, created) = created.expect("a successor");
        fake.fail(refused("create_container", 1));
        let done = up_with(&fake, &next, forced()).await;
        assert!(!done.report.is_success());
        assert!(fake.container(&created).is_none());
    });
}

/// It meets so what the one before has asked for, which the engine may make only now.
#[test]
fn a_run_that_follows_a_killed_one_asks_for_the_same_successor() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", "")).await;
        let stop = Fault::nth("stop_container", 0, Way::HangBefore);
        killed(&fake, &web("new", ""), stop).await;
        assert_eq!(names(&fake).len(), 2, "a successor that never ran is left");
        fake.forget_calls();
        let next = web("newer", "");
        let create = Fault::nth("create_container", 0, Way::HangBefore);
        killed(&fake, &next, create).await;
        up(&fake, &next).await;
        let calls = fake.calls();
        let asked = calls.iter().filter(|c| c.method == "create_container");
        let asked: Vec<&str> = asked.map(|c| c.target.as_str()).collect();
        assert_eq!(asked, [asked[0], asked[0]]);
        assert_eq!(names(&fake).len(), 1);
    });
}

#[test]
fn of_a_number_that_goes_nothing_stays_where_another_cannot_be_created() {
    on_virtual_time(async {
        let fake = ailing_engine();
        let two = format!("{CHECK}    scale: 2\n");
        up(&fake, &web("old", &two)).await;
        let next = web("new", &two);
        let change = tokio::time::timeout(Duration::from_secs(1), up_with(&fake, &next, waiting()));
        assert!(change.await.is_err(), "it was to be killed");
        fake.fail(refused("create_container", 0));
        let done = up_with(&fake, &web("new", CHECK), forced()).await;
        assert!(!done.report.is_success());
        let left = names(&fake);
        assert!(
            left.iter().all(|(name, _)| name.ends_with("-1")),
            "{left:?}"
        );
    });
}

#[test]
fn data_of_one_that_ran_outlives_whoever_takes_it_over_and_fails() {
    let scratch = "    volumes: [/scratch]\n";
    for (again, what) in [(options(), "the same one"), (forced(), "a third one")] {
        on_virtual_time(async {
            let fake = deadly_engine();
            up(&fake, &web("old", "")).await;
            let removal = Fault::nth("remove_container", 0, Way::HangBefore);
            killed(&fake, &web("bad", scratch), removal).await;
            let volume = fake.volumes().into_iter().next().expect("a volume").name;
            let done = up_with(&fake, &web("bad", scratch), again).await;
            assert!(!done.report.is_success(), "{what}");
            assert!(fake.census(|census| census.has_volume(&volume)), "{what}");
            let done = up(&fake, &web("new", scratch)).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            is_alone_with(&fake, &volume);
        });
    }
}

#[test]
fn data_of_one_that_never_became_healthy_waits_for_the_next_that_does() {
    on_virtual_time(async {
        let more = format!("{CHECK}    volumes: [/scratch]\n");
        let fake = ailing_engine();
        up(&fake, &web("old", CHECK)).await;
        let old = fake.container("shop-web-1").unwrap().id;
        fake.fail(Fault::nth("inspect_container", 0, Way::HangBefore));
        let bad = web("bad", &more);
        let change = tokio::time::timeout(Duration::from_secs(1), up_with(&fake, &bad, waiting()));
        assert!(change.await.is_err(), "it was to be killed");
        fake.forgive();
        let volume = fake.volumes().into_iter().next().expect("a volume").name;
        let done = up_with(&fake, &bad, waiting()).await;
        assert!(!done.report.is_success());
        let back = fake.container("shop-web-1").unwrap();
        assert_eq!((back.id, back.state), (old, ContainerState::Running));
        let done = up_with(&fake, &web("new", &more), waiting()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        is_alone_with(&fake, &volume);
    });
}

/// A successor that took over the data of one that is gone by now never ran itself.
#[test]
fn data_goes_on_through_one_that_never_ran() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", "")).await;
        let next = web("new", "    volumes: [/scratch]\n");
        let removal = || Fault::nth("remove_container", 0, Way::HangBefore);
        killed(&fake, &next, removal()).await;
        let (volume, first) = (fake.volumes()[0].name.clone(), names(&fake));
        // Both are outdated now; of the two the new one goes first.
        let third = web("third", "    volumes: [/scratch]\n");
        killed(
            &fake,
            &third,
            Fault::nth("start_container", 0, Way::HangBefore),
        )
        .await;
        let created: Vec<_> = names(&fake)
            .into_iter()
            .filter(|c| !first.contains(c))
            .collect();
        let [(_, created)] = created.as_slice() else {
            panic!("{created:?}")
        };
        assert_eq!(
            fake.container(created).unwrap().state,
            ContainerState::Created
        );
        for (_, id) in names(&fake) {
            let ran = id != *created
                && fake
                    .container(&id)
                    .unwrap()
                    .mounts
                    .iter()
                    .any(|m| m.name == volume);
            if ran {
                fake.remove_container(&id, true, false).await.unwrap();
            }
        }
        up_with(&fake, &third, forced()).await;
        is_alone_with(&fake, &volume);
    });
}

/// These containers, and no others.
#[track_caller]
fn all_run_again(fake: &Fake, mut before: Vec<(String, String)>) {
    let mut after = names(fake);
    before.sort();
    after.sort();
    assert_eq!(before, after);
    for (_, id) in after {
        assert_eq!(fake.container(&id).unwrap().state, ContainerState::Running);
    }
}

#[test]
fn who_lives_with_an_orphan_comes_back_with_it() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web_in_vpn()).await;
        let before = names(&fake);
        let done = up_with(&fake, &web("bad", CHECK), waiting()).await;
        assert!(!done.report.is_success());
        all_run_again(&fake, before);
        let done = up_with(&fake, &web("good", CHECK), waiting()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(names(&fake).len(), 1);
    });
}

#[test]
fn who_lives_with_an_orphan_comes_back_with_it_also_for_the_one_after_the_next() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web_in_vpn()).await;
        let before = names(&fake);
        // The successor runs, and has not become healthy yet.
        let bad = web("bad", CHECK);
        let hung = tokio::time::timeout(Duration::from_secs(5), up_with(&fake, &bad, waiting()));
        assert!(hung.await.is_err(), "it was to be killed");
        let again = Options {
            wait: true,
            ..forced()
        };
        let done = up_with(&fake, &bad, again).await;
        assert!(!done.report.is_success());
        all_run_again(&fake, before);
    });
}

#[test]
fn a_connection_that_a_killed_run_asked_for_may_come_about_meanwhile() {
    let shop = |label: &str| {
        project(&format!(
            "name: shop\nservices:\n  api: {{image: busybox}}\n  web: {{image: busybox}}\n\
             networks: {{default: {{labels: {{v: {label}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &shop("a")).await;
        let mut next = shop("b");
        next.select(&["api".to_owned()], Dependencies::Include)
            .unwrap();
        let api = || Options {
            named: BTreeSet::from(["api".to_owned()]),
            ..options()
        };
        fake.fail(Fault::nth("connect_network", 1, Way::HangBefore));
        let change = tokio::time::timeout(Duration::from_secs(5), up_with(&fake, &next, api()));
        assert!(change.await.is_err(), "it was to be killed");
        fake.forgive();
        let (reporter, files) = (Reporter::silent(), OneFile::empty());
        let means = means(&fake, &reporter, &files);
        let (mut options, no) = (api(), &mut agree_to_nothing);
        let prepared = prepare(&fake, &next, &mut options, no).await.unwrap();
        let off = names(&fake).into_iter().map(|(_, id)| id);
        let mut off = off.filter(|id| fake.container(id).unwrap().networks.is_empty());
        let off = off.next().expect("one that is off its network");
        let state = fake.container(&off).unwrap().state;
        assert_eq!(state, ContainerState::Running);
        fake.connect_network("shop_default", &off, serde_json::json!({}))
            .await
            .unwrap();
        let plan = prepared.outcome.plan;
        let connects = |step: &Step| matches!(step.action, Action::ConnectNetwork { .. });
        assert!(plan.steps().any(|(_, step)| connects(step)));
        let observed = observe(&fake, &next, Scope::CONTAINERS).await.unwrap();
        let done = run(&means, plan, &next, &observed).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
    });
}

#[test]
fn who_lives_in_anothers_namespace_comes_back_with_it_whichever_of_the_two_fails() {
    let shop = |owner: &str, guest: &str| {
        project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: {owner}}}\n  \
             side:\n    image: busybox\n    environment: {{LEVEL: {guest}}}\n    network_mode: \
             service:db\n"
        ))
    };
    for (owner, guest) in [("new", "bad"), ("bad", "new"), ("bad", "old")] {
        on_virtual_time(async {
            let fake = deadly_engine();
            up(&fake, &shop("old", "old")).await;
            let before = names(&fake);
            let done = up(&fake, &shop(owner, guest)).await;
            assert!(!done.report.is_success());
            assert_eq!(names(&fake), before);
            for (name, _) in before {
                let container = fake.container(&name).expect("it is there");
                assert_eq!(container.state, ContainerState::Running, "{name}");
            }
            // The same cut short, and again.
            let end = Fault::nth("start_container", 1, Way::HangBefore);
            killed(&fake, &shop("newer", "newer"), end).await;
            let done = up(&fake, &shop("newer", "newer")).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            assert_eq!(names(&fake).len(), 2);
            let again = up(&fake, &shop("newer", "newer")).await;
            assert!(again.report.done.is_empty(), "{:?}", again.report.done);
        });
    }
}
