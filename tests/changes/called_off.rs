//! A change that fails, or is interrupted, where one before it was killed: what comes back, and what
//! stays.

use crate::on_fake::{
    CHECK, OneFile, ailing_engine, broken_engine, create_third, deadly_engine, killed, means,
    names, on_virtual_time, options, project, refused, up, up_with, waiting, web, web_in_vpn,
};
use regatta::change::{agree_to_nothing, carry_out, prepare};
use regatta::engine::fake::{Call, Fake, Fault, Script, Way};
use regatta::engine::{ContainerState, Engine};
use regatta::event::{Interest, Reporter};
use regatta::execute::Means;
use regatta::interrupt::{Cause, Interrupts, Stage};
use regatta::project::{Dependencies, Project};
use regatta::reconcile::{Options, Recreate};
use std::time::Duration;

const SCRATCH: &str = "    volumes: [/scratch]\n";

/// A service, and one that lives in its network namespace.
fn shared(owner: &str, guest: &str) -> Project {
    project(&format!(
        "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: {owner}}}\n{CHECK}  \
         side:\n    image: busybox\n    environment: {{LEVEL: {guest}}}\n    network_mode: \
         service:db\n{CHECK}"
    ))
}

fn forced() -> Options {
    Options {
        recreate: Recreate::Force,
        ..waiting()
    }
}

/// Is killed so many seconds after it began.
async fn cut_short(fake: &Fake, project: &Project, options: Options, seconds: u64) {
    let change = tokio::time::timeout(
        Duration::from_secs(seconds),
        up_with(fake, project, options),
    );
    assert!(change.await.is_err(), "it was to be killed");
}

/// The names of what runs.
fn running(fake: &Fake) -> Vec<String> {
    let all = names(fake).into_iter();
    let up = all.filter(|(_, id)| fake.container(id).unwrap().state == ContainerState::Running);
    let mut up: Vec<String> = up.map(|(name, _)| name).collect();
    up.sort();
    up
}

#[test]
fn a_number_whose_successor_was_created_does_not_count_as_run() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", "")).await;
        create_third(&fake).await;
        let three = web("new", "    scale: 3\n");
        // The successors of 1 and 3 are created, 2 is not.
        let second = Fault::nth("create_container", 2, Way::HangBefore);
        killed(&fake, &three, second).await;
        assert_eq!(names(&fake).len(), 4, "{:?}", names(&fake));
        up(&fake, &three).await;
        assert_eq!(
            running(&fake),
            ["shop-web-1", "shop-web-2", "shop-web-3"],
            "{:?}",
            names(&fake)
        );
    });
}

#[test]
fn where_two_were_cut_short_neither_stays_once_the_first_is_back() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", CHECK)).await;
        let old = names(&fake);
        for _ in 0..2 {
            cut_short(&fake, &web("bad", CHECK), forced(), 12).await;
        }
        assert_eq!(names(&fake).len(), 3, "{:?}", names(&fake));
        let done = up_with(&fake, &web("bad", CHECK), forced()).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), old);
        assert_eq!(running(&fake), ["shop-web-1"]);
    });
}

#[test]
fn what_comes_back_for_an_unproven_one_gets_its_name_too() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", CHECK)).await;
        let old = names(&fake);
        // As a run leaves it that was killed before it could give the name.
        let temporary = "0123456789ab_shop-web-1";
        fake.rename_container(&old[0].1, temporary).await.unwrap();
        cut_short(&fake, &web("bad", CHECK), forced(), 12).await;
        let done = up_with(&fake, &web("bad", CHECK), forced()).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), old);
        assert_eq!(running(&fake), ["shop-web-1"]);
    });
}

/// The new owner is healthy already, but the other that lives with it never will be.
#[test]
fn a_check_that_is_content_is_no_proof_of_those_who_live_together() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &shared("old", "old")).await;
        let before = names(&fake);
        cut_short(&fake, &shared("new", "bad"), waiting(), 12).await;
        assert_eq!(names(&fake).len(), 4);
        let done = up_with(&fake, &shared("new", "bad"), forced()).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), before);
        assert_eq!(running(&fake), ["shop-db-1", "shop-side-1"]);
    });
}

#[test]
fn who_only_keeps_data_for_the_next_one_is_not_started_with_the_old_one() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", CHECK)).await;
        let bad = web("bad", &format!("{CHECK}{SCRATCH}"));
        cut_short(&fake, &bad, waiting(), 12).await;
        for _ in 0..2 {
            let done = up_with(&fake, &bad, forced()).await;
            assert!(!done.report.is_success());
            assert_eq!(names(&fake).len(), 2, "one keeps the volume");
            assert_eq!(running(&fake), ["shop-web-1"]);
        }
    });
}

#[test]
fn who_was_only_created_holds_up_nobody_whom_it_was_to_live_with() {
    on_virtual_time(async {
        let shop = |owner: &str, guest: &str| {
            project(&format!(
                "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: \
                 {owner}}}\n  side:\n    image: busybox\n    environment: {{LEVEL: {guest}}}\n    \
                 network_mode: service:db\n"
            ))
        };
        let fake = deadly_engine();
        let first = "name: shop\nservices:\n  db: {image: busybox, environment: {LEVEL: old}}\n";
        up(&fake, &project(first)).await;
        let start = Fault::nth("start_container", 0, Way::HangBefore);
        killed(&fake, &shop("new", "bad"), start).await;
        let options = Options {
            recreate: Recreate::Force,
            ..options()
        };
        let done = up_with(&fake, &shop("new", "bad"), options).await;
        assert!(!done.report.is_success());
        let db = fake.container("shop-db-1").unwrap();
        assert!(db.raw["Config"]["Env"].to_string().contains("LEVEL=new"));
        assert_eq!(running(&fake), ["shop-db-1"]);
    });
}

#[test]
fn who_was_taken_off_a_network_runs_again_where_the_next_change_fails() {
    let shop = |level: &str, label: &str| {
        project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: \
             {level}}}\n    networks: [back]\n  web: {{image: busybox, depends_on: [db]}}\n\
             networks: {{back: {{}}, default: {{labels: {{v: {label}}}}}}}\n"
        ))
    };
    // Off it still, or on the new one, but not started since.
    for step in ["connect_network", "start_container"] {
        on_virtual_time(async {
            let fake = broken_engine();
            up(&fake, &shop("old", "a")).await;
            let step = Fault::nth(step, 0, Way::HangBefore);
            killed(&fake, &shop("old", "b"), step).await;
            assert_eq!(running(&fake), ["shop-db-1"]);
            let done = up(&fake, &shop("bad", "b")).await;
            assert!(!done.report.is_success());
            assert_eq!(running(&fake), ["shop-db-1", "shop-web-1"]);
        });
    }
}

#[test]
fn who_is_down_comes_back_with_what_it_depends_on_unless_it_waits_for_an_end() {
    let shop = |level: &str, condition: &str| {
        project(&format!(
            "name: shop\nservices:\n  db: {{image: busybox, environment: {{LEVEL: {level}}}}}\n  \
             web: {{image: busybox, depends_on: {{db: {{condition: {condition}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        for (condition, expected) in [
            ("service_started", vec!["shop-db-1", "shop-web-1"]),
            ("service_completed_successfully", vec!["shop-db-1"]),
        ] {
            let fake = deadly_engine();
            up(&fake, &shop("old", "service_started")).await;
            // As a run leaves it that is killed before it has brought back what it had stopped.
            let web = fake.container("shop-web-1").unwrap();
            fake.stop_container(&web.id, None).await.unwrap();
            let done = up(&fake, &shop("bad", condition)).await;
            assert!(!done.report.is_success());
            assert_eq!(running(&fake), expected, "{condition}");
        }
    });
}

/// What it is restarted with has proved itself meanwhile, and only lacks its name.
#[test]
fn who_was_stopped_for_a_takeover_that_is_complete_runs_again_where_something_else_fails() {
    let shop = |level: &str, scale: u8| {
        project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n    environment: {{LEVEL: \
             {level}}}\n{CHECK}  cache: {{image: busybox, environment: {{LEVEL: bad}}, scale: \
             {scale}}}\n  web:\n    image: busybox\n    depends_on:\n      cache: {{condition: \
             service_started}}\n      db: {{condition: service_healthy, restart: true}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = Fake::new();
        fake.cast(
            |_, body| match body["Env"].to_string().contains("LEVEL=bad") {
                true => Script::broken(500, "cannot be started"),
                false => Script::healthy(Duration::from_secs(5)),
            },
        );
        up(&fake, &shop("old", 0)).await;
        fake.fail(Fault::nth("remove_container", 0, Way::HangBefore));
        cut_short(&fake, &shop("new", 1), options(), 20).await;
        fake.forgive();
        assert!(!running(&fake).contains(&"shop-web-1".to_owned()));
        let done = up(&fake, &shop("new", 1)).await;
        assert!(!done.report.is_success());
        assert_eq!(running(&fake), ["shop-db-1", "shop-web-1"]);
    });
}

/// Else it would depend on how often the command is given, as the name is put right first.
#[test]
fn who_needs_one_that_cannot_be_started_stays_down_whatever_name_that_has() {
    let shop = |level: &str| {
        project(&format!(
            "name: shop\nservices:\n  db: {{image: busybox, environment: {{LEVEL: {level}}}}}\n  \
             web:\n    image: busybox\n    depends_on: {{db: {{condition: service_started, restart: \
             true}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &shop("old")).await;
        let rename = Fault::nth("rename_container", 0, Way::HangBefore);
        killed(&fake, &shop("new"), rename).await;
        for (_, id) in names(&fake) {
            fake.stop_container(&id, None).await.unwrap();
        }
        for _ in 0..2 {
            fake.fail(refused("start_container", 0));
            let done = up(&fake, &shop("new")).await;
            assert!(!done.report.is_success());
            assert_eq!(running(&fake), [""; 0]);
        }
    });
}

#[test]
fn the_new_one_stays_where_a_killed_run_has_had_the_old_one_removed() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", CHECK)).await;
        let old = names(&fake)[0].1.clone();
        let bad = web("bad", CHECK);
        cut_short(&fake, &bad, waiting(), 12).await;
        let (reporter, files) = (Reporter::silent(), OneFile::empty());
        let means = means(&fake, &reporter, &files);
        let (mut options, no) = (waiting(), &mut agree_to_nothing);
        let prepared = prepare(&fake, &bad, &mut options, no).await.unwrap();
        // What it had asked for the engine does only now.
        fake.remove_container(&old, true, false).await.unwrap();
        let done = carry_out(&means, &bad, prepared, &mut options, no).await;
        assert!(!done.unwrap().1.unwrap().report.is_success());
        assert_eq!(running(&fake).len(), 1, "{:?}", names(&fake));
    });
}

/// What has the data that the successor takes over has its name, too.
#[test]
fn an_interrupted_takeover_ends_with_the_name_free() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web("old", &format!("{CHECK}{SCRATCH}"))).await;
        fake.fail(Fault::nth("remove_container", 0, Way::HangBefore));
        let renewing = Options {
            renew_anonymous_volumes: true,
            ..options()
        };
        cut_short(&fake, &web("new", CHECK), renewing, 20).await;
        fake.forgive();
        let interrupts = Interrupts::default();
        let _stages = interrupts.in_stages();
        let (reporter, files) = (Reporter::silent(), OneFile::empty());
        let means = Means {
            interrupts: interrupts.clone(),
            ..means(&fake, &reporter, &files)
        };
        fake.oversee(move |census| {
            let mut ours = census.containers().filter(|c| c.name != "shop-web-1");
            let has_ended = ours.any(|c| c.state == ContainerState::Exited);
            if has_ended && interrupts.stage() == Stage::Running {
                interrupts.signal(Cause::Interrupt);
            }
        });
        let mut options = Options {
            recreate: Recreate::Force,
            ..options()
        };
        let (next, no) = (web("new", CHECK), &mut agree_to_nothing);
        let prepared = prepare(&fake, &next, &mut options, no).await.unwrap();
        let done = carry_out(&means, &next, prepared, &mut options, no).await;
        let report = done.unwrap().1.unwrap().report;
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        let left: Vec<String> = names(&fake).into_iter().map(|(name, _)| name).collect();
        assert_eq!(left, ["shop-web-1"]);
    });
}

/// `--no-recreate`: what stays outdated comes back on the network that it was made with.
#[test]
fn who_stays_as_it_is_comes_back_on_its_own_network() {
    let shop = |network: &str, label: &str| {
        project(&format!(
            "name: shop\nservices:\n  web: {{image: busybox, networks: [{network}]}}\n  db: {{image: \
             busybox, networks: [front, back]}}\nnetworks: {{back: {{}}, front: {{labels: {{v: \
             {label}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &shop("front", "a")).await;
        let as_they_are = || Options {
            recreate: Recreate::Never,
            ..options()
        };
        let next = shop("back", "b");
        fake.fail(Fault::nth("remove_network", 0, Way::HangBefore));
        cut_short(&fake, &next, as_they_are(), 20).await;
        fake.forgive();
        assert!(fake.container("shop-web-1").unwrap().networks.is_empty());
        let done = up_with(&fake, &next, as_they_are()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let web = fake.container("shop-web-1").unwrap();
        let networks: Vec<&String> = web.networks.keys().collect();
        assert_eq!(networks, ["shop_front"]);
        assert_eq!(running(&fake), ["shop-db-1", "shop-web-1"]);
    });
}

/// `--no-recreate`: nothing could start it again in the namespace of one that is gone.
#[test]
fn who_lives_with_an_orphan_that_goes_is_recreated_in_any_case() {
    on_virtual_time(async {
        let fake = ailing_engine();
        up(&fake, &web_in_vpn()).await;
        let never = || Options {
            recreate: Recreate::Never,
            ..options()
        };
        let next = project("name: shop\nservices:\n  web: {image: busybox}\n");
        let done = up_with(&fake, &next, never()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(running(&fake), ["shop-web-1"]);
        fake.stop_container("shop-web-1", None).await.unwrap();
        let done = up_with(&fake, &next, never()).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(running(&fake), ["shop-web-1"]);
    });
}

/// Its engine has restarted it once, after the run that had started it was killed.
#[test]
fn what_was_restarted_long_ago_is_not_taken_for_what_ends_over_and_over() {
    on_virtual_time(async {
        let fake = Fake::new();
        let always = "    restart: always\n";
        up(&fake, &web("old", always)).await;
        let old = names(&fake)[0].1.clone();
        let next = web("new", always);
        let removal = Fault::nth("remove_container", 0, Way::HangBefore);
        killed(&fake, &next, removal).await;
        let new = names(&fake).into_iter().find(|(_, id)| *id != old);
        let new = new.expect("a successor").1;
        fake.exit(&new, 1);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(running(&fake).len(), 1);
        let done = up(&fake, &next).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(names(&fake), [("shop-web-1".to_owned(), new)]);
    });
}

/// It ended before the next run looked, and again and again since.
#[test]
fn what_ends_over_and_over_since_a_killed_run_started_it_gives_way_to_the_old_one() {
    on_virtual_time(async {
        let fake = deadly_engine();
        let always = "    restart: always\n";
        up(&fake, &web("old", always)).await;
        let old = names(&fake);
        let next = web("bad", always);
        let look = Fault::nth("inspect_container", 0, Way::HangBefore);
        killed(&fake, &next, look).await;
        let done = up(&fake, &next).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), old);
        assert_eq!(running(&fake), ["shop-web-1"]);
    });
}

/// A service on a network of its own.
fn on_front(level: &str, version: u8) -> Project {
    project(&format!(
        "name: shop\nservices:\n  web:\n    image: busybox\n    environment: {{LEVEL: {level}}}\n    \
         networks: [front]\n    scale: 2\nnetworks: {{front: {{labels: {{v: v{version}}}}}}}\n"
    ))
}

/// Two run, and both on the very network that is there now.
#[track_caller]
fn all_are_on_front(fake: &Fake) {
    assert_eq!(running(fake).len(), 2);
    fake.census(|census| {
        let now = census.network("shop_front");
        for web in census.containers() {
            assert_eq!(web.networks.get("shop_front").map(String::as_str), now);
        }
    });
}

#[test]
fn the_old_one_is_back_on_a_network_that_was_made_anew() {
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &on_front("old", 0)).await;
        let before = names(&fake);
        fake.forget_calls();
        let done = up(&fake, &on_front("bad", 1)).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), before);
        all_are_on_front(&fake);
        // It may need the others as soon as it starts.
        for (_, id) in before {
            let calls = fake.calls();
            let at = |method: &str| {
                let is_it = |c: &Call| c.method == method && c.target.contains(&id[..12]);
                calls.iter().rposition(is_it).expect("it is asked for")
            };
            assert!(at("connect_network") < at("start_container"));
        }
    });
}

/// Something else may be on it, which is not the project's.
#[test]
fn where_a_network_cannot_be_removed_all_are_on_it_again() {
    let with_api = |level: &str, version: u8| {
        project(&format!(
            "name: shop\nservices:\n  api: {{image: busybox, networks: [front]}}\n  web: {{image: \
             busybox, environment: {{LEVEL: {level}}}, networks: [front]}}\nnetworks: {{front: {{labels: \
             {{v: v{version}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &with_api("old", 0)).await;
        fake.fail(refused("remove_network", 0));
        let done = up(&fake, &with_api("new", 1)).await;
        assert!(!done.report.is_success());
        all_are_on_front(&fake);
        // Nor is anybody left off it whom the command is not about.
        let mut web = with_api("newer", 1);
        let named = ["web".to_owned()];
        web.select(&named, Dependencies::Include).unwrap();
        let options = || Options {
            named: named.clone().into(),
            ..options()
        };
        fake.fail(refused("remove_network", 0));
        let done = up_with(&fake, &web, options()).await;
        assert!(!done.report.is_success());
        all_are_on_front(&fake);
        fake.forget_calls();
        fake.fail(refused("create_container", 0));
        let done = up_with(&fake, &web, options()).await;
        assert!(!done.report.is_success());
        let calls = fake.calls();
        let is_taken_off = |c: &Call| c.method == "disconnect_network";
        assert!(!calls.iter().any(is_taken_off), "{calls:?}");
    });
}

#[test]
fn who_comes_back_without_its_network_is_told_of() {
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &on_front("old", 0)).await;
        fake.fail(refused("create_network", 0));
        let (reporter, files) = (Reporter::new("up"), OneFile::empty());
        let mut told = reporter.subscribe(Interest::Progress);
        let means = means(&fake, &reporter, &files);
        let (project, mut options) = (on_front("new", 1), options());
        let no = &mut agree_to_nothing;
        let prepared = prepare(&fake, &project, &mut options, no).await.unwrap();
        let done = carry_out(&means, &project, prepared, &mut options, no).await;
        assert!(!done.unwrap().1.unwrap().report.is_success());
        assert_eq!(running(&fake), ["shop-web-1", "shop-web-2"]);
        let mut words = String::new();
        for event in told.drain() {
            words.push_str(&format!("{event:?}"));
        }
        for name in running(&fake) {
            let word = format!("{name} runs again, but not on network shop_front");
            assert!(words.contains(&word), "{words}");
        }
    });
}

#[test]
fn the_old_one_does_not_join_a_network_that_it_never_was_on() {
    let shop = |level: &str, name: &str| {
        project(&format!(
            "name: shop\nservices:\n  web: {{image: busybox, environment: {{LEVEL: {level}}}, networks: \
             [front]}}\nnetworks: {{front: {{name: {name}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &shop("old", "one")).await;
        let done = up(&fake, &shop("bad", "two")).await;
        assert!(!done.report.is_success());
        fake.census(|census| {
            let web = census.containers().next().expect("it is there");
            assert_eq!(web.networks.keys().collect::<Vec<_>>(), ["one"]);
        });
    });
}

#[test]
fn who_was_stopped_for_one_runs_again_where_another_of_that_service_cannot_be_created() {
    let shop = |level: &str, scale: u8| {
        project(&format!(
            "name: shop\nservices:\n  db: {{image: busybox, environment: {{LEVEL: {level}}}, scale: \
             {scale}}}\n  web:\n    image: busybox\n    depends_on: {{db: {{condition: \
             service_started, restart: true}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &shop("old", 1)).await;
        let rename = Fault::nth("rename_container", 0, Way::HangBefore);
        killed(&fake, &shop("new", 1), rename).await;
        fake.stop_container("shop-web-1", None).await.unwrap();
        fake.fail(refused("create_container", 0));
        let done = up(&fake, &shop("new", 2)).await;
        assert!(!done.report.is_success());
        assert_eq!(running(&fake), ["shop-db-1", "shop-web-1"]);
    });
}

#[test]
fn the_old_ones_are_back_on_a_network_that_one_of_them_could_not_be_taken_off() {
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &on_front("old", 0)).await;
        fake.fail(refused("disconnect_network", 1));
        let done = up(&fake, &on_front("new", 1)).await;
        assert!(!done.report.is_success());
        all_are_on_front(&fake);
    });
}

#[test]
fn one_that_runs_without_its_network_is_on_it_again_although_it_is_not_replaced() {
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &on_front("old", 0)).await;
        fake.fail(refused("connect_network", 0));
        let done = up(&fake, &on_front("bad", 1)).await;
        assert!(!done.report.is_success());
        fake.fail(refused("create_container", 0));
        let done = up(&fake, &on_front("new", 1)).await;
        assert!(!done.report.is_success());
        all_are_on_front(&fake);
    });
}

#[test]
fn the_old_one_joins_a_network_that_is_still_being_made_when_its_successor_fails() {
    let shop = |level: &str, network: &str, version: u8| {
        project(&format!(
            "name: shop\nservices:\n  api: {{image: busybox, networks: [front]}}\n  web:\n    image: \
             busybox\n    environment: {{LEVEL: {level}}}\n    networks: [{network}]\nnetworks: {{other: \
             {{}}, front: {{labels: {{v: v{version}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = broken_engine();
        up(&fake, &shop("old", "front", 0)).await;
        fake.slow_down(|call| {
            Duration::from_secs(match call.method {
                "remove_network" => 3,
                _ => 0,
            })
        });
        let done = up(&fake, &shop("bad", "other", 1)).await;
        assert!(!done.report.is_success());
        assert_eq!(running(&fake), ["shop-api-1", "shop-web-1"]);
        all_are_on_front(&fake);
    });
}
