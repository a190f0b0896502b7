//! A container name that goes from one service to another, or that somebody else has.

use crate::on_fake::{attempt, killed, names, on_virtual_time, options, plan, project, up};
use regatta::engine::fake::{Fake, Fault, Script, Way};
use regatta::engine::{ContainerRequest, ContainerState, Engine};
use regatta::plan::render_text;
use regatta::project::{Dependencies, Project};
use regatta::reconcile::Options;
use std::time::Duration;

/// A shop of these services, each with what is said of it.
fn shop(services: &[(&str, &str)]) -> Project {
    let mut text = "name: shop\nservices:\n".to_owned();
    for (name, more) in services {
        text.push_str(&format!("  {name}: {{image: busybox{more}}}\n"));
    }
    project(&text)
}

const X: &str = ", container_name: xx";
const Y: &str = ", container_name: yy";
const BAD: &str = ", environment: {LEVEL: bad}";

/// An engine whose processes take three seconds to stop, and die at once where they are bad.
fn engine() -> Fake {
    let fake = Fake::new();
    fake.cast(|_, body| match body["Env"].to_string().contains("bad") {
        true => Script::exits(Duration::from_millis(50), 1),
        false => Script {
            on_stop: Some((Duration::from_secs(3), 0)),
            ..Script::default()
        },
    });
    fake
}

/// The running containers: their names and their services.
fn running(fake: &Fake) -> Vec<(String, String)> {
    let all = fake.containers().into_iter();
    let up = all.filter(|c| c.state == ContainerState::Running);
    up.map(|c| (c.name, c.labels["com.docker.compose.service"].clone()))
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = all.iter();
    all.map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[track_caller]
fn has(fake: &Fake, expected: &[(&str, &str)]) {
    assert_eq!(running(fake), pairs(expected));
    assert_eq!(names(fake).len(), expected.len(), "{:?}", names(fake));
}

#[test]
fn a_service_that_got_another_name_keeps_the_name_of_its_container() {
    on_virtual_time(async {
        for (old, new) in [("web", "front"), ("front", "web")] {
            for more in ["", ", ports: [\"8080:80\"]"] {
                let fake = engine();
                let said = format!("{X}{more}");
                up(&fake, &shop(&[(old, &said)])).await;
                let next = shop(&[(new, &said)]);
                let text = render_text(&plan(&fake, &next).await, "shop", &|_| None);
                assert_eq!(
                    text,
                    format!(
                        "shop:\n  ~ recreate container xx  (it takes over the name of service {old})\n"
                    )
                );
                let done = up(&fake, &next).await;
                assert!(done.report.is_success(), "{:?}", done.report.failures);
                has(&fake, &[("xx", new)]);
                assert!(!plan(&fake, &next).await.changes_anything());
            }
        }
    });
}

#[test]
fn an_orphan_comes_back_where_what_takes_its_name_fails() {
    on_virtual_time(async {
        let fake = engine();
        up(&fake, &shop(&[("web", X)])).await;
        let before = names(&fake);
        let bad = format!("{X}{BAD}");
        let done = up(&fake, &shop(&[("front", &bad)])).await;
        assert!(!done.report.is_success());
        assert_eq!(names(&fake), before);
        has(&fake, &[("xx", "web")]);
    });
}

const PORTS: &str = ", ports: [\"8080:80\"]";
const NAMED: &str = ", container_name: xx, ports: [\"8080:80\"]";

fn shares(host: &str) -> String {
    format!(", network_mode: \"service:{host}\"")
}

#[test]
fn a_service_that_others_share_a_network_with_hands_its_name_and_ports_over() {
    on_virtual_time(async {
        for (more, old, new) in [
            (NAMED, "xx", "xx"),
            (PORTS, "shop-vpn-1", "shop-tunnel-1"),
            (PORTS, "shop-vpn-1", "shop-aaa-1"),
        ] {
            let fake = engine();
            let service = if new == "shop-aaa-1" { "aaa" } else { "tunnel" };
            up(&fake, &shop(&[("vpn", more), ("app", &shares("vpn"))])).await;
            let before = names(&fake);
            // Where the new one fails, both are there again.
            let bad = format!("{more}{BAD}");
            let broken = shop(&[(service, &bad), ("app", &shares(service))]);
            assert!(!up(&fake, &broken).await.report.is_success());
            assert_eq!(names(&fake), before);
            has(&fake, &[("shop-app-1", "app"), (old, "vpn")]);
            let next = shop(&[(service, more), ("app", &shares(service))]);
            let done = up(&fake, &next).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            assert_eq!(running(&fake).len(), 2);
            assert_eq!(fake.container(new).unwrap().state, ContainerState::Running);
            assert_eq!(names(&fake).len(), 2);
            assert!(!plan(&fake, &next).await.changes_anything());
        }
    });
}

#[test]
fn a_handover_with_a_shared_network_that_was_cut_short_goes_on() {
    let calls = [
        "create_container",
        "stop_container",
        "start_container",
        "remove_container",
        "rename_container",
    ];
    let names = [(NAMED, "xx"), (PORTS, "shop-tunnel-1")];
    on_virtual_time(async {
        let all = calls.into_iter();
        let all = all.flat_map(|call| names.map(|name| (call, name)));
        for (call, (more, name)) in all {
            // The network's container, and the other.
            let most = 2;
            for (nth, way) in (0..most).flat_map(|n| [(n, Way::HangBefore), (n, Way::HangAfter)]) {
                let at = format!("{call} {nth} {way:?}");
                let fake = engine();
                up(&fake, &shop(&[("vpn", more), ("app", &shares("vpn"))])).await;
                let next = shop(&[("tunnel", more), ("app", &shares("tunnel"))]);
                killed(&fake, &next, Fault::nth(call, nth, way)).await;
                let failures = up(&fake, &next).await.report.failures;
                assert!(failures.is_empty(), "{at}: {failures:?}");
                has(&fake, &[("shop-app-1", "app"), (name, "tunnel")]);
            }
        }
    });
}

#[test]
fn a_container_that_leaves_a_shared_network_keeps_its_way_back() {
    on_virtual_time(async {
        let fake = engine();
        let shares = ", network_mode: \"service:vpn\"";
        up(&fake, &shop(&[("vpn", X), ("app", shares)])).await;
        // It shares nothing with the service that gets the name, and fails.
        let done = up(&fake, &shop(&[("tunnel", X), ("app", BAD)])).await;
        assert!(!done.report.is_success());
        let next = shop(&[("tunnel", X), ("app", "")]);
        let done = up(&fake, &next).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        has(&fake, &[("shop-app-1", "app"), ("xx", "tunnel")]);
    });
}

#[test]
fn a_handover_that_was_cut_short_goes_on() {
    on_virtual_time(async {
        for (call, nth) in [
            ("create_container", 0),
            ("stop_container", 0),
            ("start_container", 0),
            ("remove_container", 0),
            ("rename_container", 0),
        ] {
            for way in [Way::HangBefore, Way::HangAfter] {
                let fake = engine();
                up(&fake, &shop(&[("web", X)])).await;
                let next = shop(&[("front", X)]);
                killed(&fake, &next, Fault::nth(call, nth, way)).await;
                let done = up(&fake, &next).await;
                assert!(
                    done.report.is_success(),
                    "{call}: {:?}",
                    done.report.failures
                );
                has(&fake, &[("xx", "front")]);
            }
        }
    });
}

#[test]
fn services_exchange_the_names_of_their_containers() {
    on_virtual_time(async {
        let fake = engine();
        up(&fake, &shop(&[("a", X), ("b", Y)])).await;
        let next = shop(&[("a", Y), ("b", X)]);
        let done = up(&fake, &next).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        has(&fake, &[("xx", "b"), ("yy", "a")]);
        assert!(!plan(&fake, &next).await.changes_anything());
        // One fails: the other goes on without its name, until the next time.
        let bad = format!("{Y}{BAD}");
        let done = up(&fake, &shop(&[("a", X), ("b", &bad)])).await;
        assert!(!done.report.is_success());
        assert_eq!(running(&fake).len(), 2);
        let next = shop(&[("a", X), ("b", Y)]);
        let done = up(&fake, &next).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        has(&fake, &[("xx", "a"), ("yy", "b")]);
    });
}

#[test]
fn a_name_goes_from_one_service_to_the_next() {
    on_virtual_time(async {
        for [giver, getter] in [["a", "b"], ["b", "a"]] {
            let fake = engine();
            // To a service that is new, from one that gets its own name, or goes.
            up(&fake, &shop(&[(giver, X)])).await;
            let next = shop(&[(giver, ""), (getter, X)]);
            let done = up(&fake, &next).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            let own = format!("shop-{giver}-1");
            has(&fake, &[(&own, giver), ("xx", getter)]);
            // And back, from one that is scaled to nothing.
            let done = up(&fake, &shop(&[(getter, ", scale: 0"), (giver, X)])).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            has(&fake, &[("xx", giver)]);
        }
    });
}

#[test]
fn containers_that_were_given_each_others_names_by_hand_get_their_own() {
    on_virtual_time(async {
        let fake = engine();
        let project = shop(&[("a", ""), ("b", "")]);
        up(&fake, &project).await;
        for (from, to) in [
            ("shop-a-1", "zz"),
            ("shop-b-1", "shop-a-1"),
            ("zz", "shop-b-1"),
        ] {
            fake.rename_container(from, to).await.unwrap();
        }
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        has(&fake, &[("shop-a-1", "a"), ("shop-b-1", "b")]);
    });
}

/// The obstacle in the way of an `up`, and the help.
async fn obstacle(fake: &Fake, project: &Project, options: Options) -> String {
    let mut options = options;
    let no = &mut regatta::change::agree_to_nothing;
    let prepared = regatta::change::prepare(fake, project, &mut options, no)
        .await
        .unwrap();
    let all = &prepared.outcome.obstacles;
    assert_eq!(all.len(), 1, "{all:?}");
    format!(
        "{}: {} ({})",
        all[0].path,
        all[0].message,
        all[0].help.as_deref().unwrap_or("")
    )
}

#[test]
fn a_name_that_stays_taken_is_an_obstacle() {
    on_virtual_time(async {
        let fake = engine();
        up(&fake, &shop(&[("web", X)])).await;
        let keeping = Options {
            remove_orphans: false,
            ..options()
        };
        assert_eq!(
            obstacle(&fake, &shop(&[("front", X)]), keeping).await,
            "services.front.container_name: The container name \"/xx\" is already in use by a container of service \
             web, which the project does not declare (`--remove-orphans` hands the name over; or \
             remove or rename the container)"
        );
        let mut one = shop(&[("web", ""), ("front", X)]);
        one.select(&["front".to_owned()], Dependencies::Include)
            .unwrap();
        assert_eq!(
            obstacle(&fake, &one, options()).await,
            "services.front.container_name: The container name \"/xx\" is already in use by a container of service \
             web, which is not selected (select web as well, or remove or rename the container)"
        );
        has(&fake, &[("xx", "web")]);
        // Of two that declare the same name selecting both would be refused.
        let exclusive = format!("{X}, profiles: [other]");
        let one = shop(&[("web", &exclusive), ("front", X)]);
        assert_eq!(
            obstacle(&fake, &one, options()).await,
            "services.front.container_name: The container name \"/xx\" is already in use by a container of service \
             web, which is not selected (remove the container first (`docker rm -f xx`), or rename it)"
        );
    });
}

#[test]
fn a_name_that_a_strangers_container_has_is_told_before_anything_stops() {
    on_virtual_time(async {
        let fake = engine();
        let body = serde_json::json!({ "Image": "busybox", "Labels": { "com.docker.compose.project": "blog" } });
        let request = ContainerRequest {
            name: "xx".into(),
            platform: None,
            body,
        };
        fake.create_container(request).await.unwrap();
        up(&fake, &shop(&[("web", "")])).await;
        let before = names(&fake);
        let id = fake.container("xx").unwrap().id;
        let expected = format!(
            "Conflict. The container name \"/xx\" is already in use by container \"{id}\", a container of project blog"
        );
        // For a container that is recreated, and for a new one.
        for next in [shop(&[("web", X)]), shop(&[("web", ""), ("front", X)])] {
            let (_, done) = attempt(&fake, &next).await.unwrap();
            let failures = done.unwrap().report.failures;
            assert_eq!(failures[0].message, expected);
            assert!(
                failures[0]
                    .path
                    .as_deref()
                    .unwrap()
                    .ends_with(".container_name")
            );
            assert_eq!(names(&fake), before);
            assert_eq!(
                fake.container("shop-web-1").unwrap().state,
                ContainerState::Running
            );
        }
    });
}
