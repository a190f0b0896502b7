//! The container of a `run`, beside a project's replicas.

use crate::on_fake::{on_virtual_time, options, project, up, up_with};
use regatta::change::{agree_to_nothing, prepare};
use regatta::engine::fake::{Fake, Script};
use regatta::engine::{ContainerRequest, ContainerState, Engine};
use regatta::labels;
use regatta::plan::render_text;
use regatta::project::{Dependencies, Project};
use regatta::reconcile::Options;
use regatta::service::one_off::{Changes, OneOff};
use serde_json::json;
use std::time::Duration;

const SHOP: &str = "\
name: shop
services:
  db: {image: busybox, healthcheck: {test: [CMD, 'true']}, networks: [back]}
  web:
    image: busybox
    environment: {LEVEL: info}
    container_name: fixed
    restart: always
    ports: ['8080:80']
    depends_on: {db: {condition: service_healthy}}
    networks: [back]
  aside: {image: busybox}
networks: {back: {}}
";

fn one_off(service: &str) -> OneOff {
    OneOff {
        service: service.to_owned(),
        name: format!("shop-{service}-run-1"),
        slug: "1".repeat(64),
        use_aliases: false,
        publishes: false,
        auto_remove: true,
        stdin: true,
        size: Some((24, 80)),
    }
}

/// The project as `run SERVICE` sees it.
fn narrowed(text: &str, service: &str, ports: bool) -> Project {
    let mut project = project(text);
    let named = [service.to_owned()];
    project
        .select(&named, Dependencies::Include)
        .expect("a service");
    project.drop_unused_resources();
    let changes = Changes {
        command: vec!["true".to_owned()],
        ports: (!ports).then(Vec::new),
        tty: true,
        stdin: true,
        ..Changes::default()
    };
    let target = project.services.get_mut(service).expect("a service");
    target.turn_into_one_off(changes);
    project
}

fn running(service: &str) -> Options {
    Options {
        start: true,
        one_off: Some(one_off(service)),
        ..Options::default()
    }
}

#[test]
fn it_is_created_last_and_started_by_nobody() {
    on_virtual_time(async {
        let fake = Fake::new();
        fake.cast(|_, _| Script::healthy(Duration::from_secs(1)));
        let project = narrowed(SHOP, "web", false);
        let prepared = prepare(&fake, &project, &mut running("web"), &mut agree_to_nothing).await;
        let plan = prepared.expect("a plan").outcome.plan;
        assert_eq!(
            render_text(&plan, "shop", &|_| None),
            "\
shop:
  + create network shop_back  (not there yet)
  + create container shop-db-1  (no container yet)
  > start container shop-db-1  (it is new)
  ? wait for service db  (web depends on it (service_healthy))
  + create container shop-web-run-1  (a one-off is asked for)
"
        );
        let done = up_with(&fake, &project, running("web")).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let made = fake.container("shop-web-run-1").expect("a container");
        assert_eq!(made.state, ContainerState::Created);
        let config = &made.raw["Config"];
        for key in ["AttachStdin", "OpenStdin", "StdinOnce", "Tty"] {
            assert_eq!(config[key], true, "{key}");
        }
        let host = &made.raw["HostConfig"];
        assert_eq!(host["AutoRemove"], true);
        assert_eq!(host["ConsoleSize"], json!([24, 80]));
        for (key, value) in [
            (labels::ONEOFF, Some("True")),
            (labels::SLUG, Some(&*"1".repeat(64))),
            (labels::CONTAINER_NUMBER, None),
            (labels::DEPENDS_ON, Some("db:service_healthy:false")),
            (labels::RUN, Some(labels::RUN_RM)),
        ] {
            assert_eq!(made.labels.get(key).map(String::as_str), value, "{key}");
        }
        assert!(made.labels.contains_key(labels::CONFIG_HASH));
    });
}

/// Replicas of its service stay as they are, whatever has changed since; those of what it depends on
/// do not.
#[test]
fn replicas_of_its_service_stay_as_they_are() {
    on_virtual_time(async {
        let fake = Fake::new();
        fake.cast(|_, _| Script::healthy(Duration::from_secs(1)));
        up(&fake, &project(SHOP)).await;
        let before = fake.container("fixed").expect("a replica");
        let changed = SHOP
            .replace("LEVEL: info", "LEVEL: debug")
            .replace("back: {}", "back: {labels: {a: b}}");
        let done = up_with(&fake, &narrowed(&changed, "web", false), running("web")).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let after = fake.container("fixed").expect("a replica");
        assert_eq!(
            (after.id, after.state),
            (before.id, ContainerState::Running)
        );
        assert_eq!(after.started_at, before.started_at);
        // The next `up` does not take it for a replica either.
        fake.start_container("shop-web-run-1")
            .await
            .expect("a start");
        up(&fake, &project(&changed)).await;
        let one_off = fake.container("shop-web-run-1").expect("a one-off");
        assert_eq!(one_off.state, ContainerState::Running);
        assert_ne!(
            fake.container("fixed").expect("a replica").started_at,
            before.started_at
        );
    });
}

#[test]
fn names_and_ports_that_are_taken_are_told_before_anything_is_done() {
    let provided = "name: shop\nservices: {web: {provider: {type: model}}}";
    for (text, name, ports, code) in [
        (
            SHOP,
            "fixed",
            false,
            Some(
                "Error response from daemon: Conflict. The container name \"/fixed\" is already in use by container \"",
            ),
        ),
        (
            SHOP,
            "shop-web-run-1",
            true,
            Some(
                "Bind for 0.0.0.0:8080 failed: port is already allocated: container fixed publishes it",
            ),
        ),
        (SHOP, "shop-web-run-1", false, None),
        (
            provided,
            "shop-web-run-1",
            false,
            Some("service web has a provider"),
        ),
    ] {
        on_virtual_time(async {
            let fake = Fake::new();
            fake.cast(|_, _| Script::healthy(Duration::from_secs(1)));
            up(&fake, &project(SHOP)).await;
            let mut options = running("web");
            if let Some(one_off) = &mut options.one_off {
                one_off.name = name.to_owned();
            }
            let project = narrowed(text, "web", ports);
            let prepared = prepare(&fake, &project, &mut options, &mut agree_to_nothing).await;
            let obstacles = prepared.expect("a plan").outcome.obstacles;
            let said = obstacles.first().map(|o| o.message.as_str());
            match code {
                None => assert_eq!(said, None),
                Some(code) => assert!(said.is_some_and(|s| s.starts_with(code)), "{said:?}"),
            }
        });
    }
}

#[test]
fn a_network_is_not_taken_away_below_one() {
    on_virtual_time(async {
        let fake = Fake::new();
        fake.cast(|_, _| Script::healthy(Duration::from_secs(1)));
        up_with(&fake, &narrowed(SHOP, "web", false), running("web")).await;
        let changed = project(&SHOP.replace("back: {}", "back: {labels: {a: b}}"));
        for (started, said) in [
            (
                true,
                Some(
                    "network shop_back is declared differently and has to be made anew, but container shop-web-run-1 of `run` is on it",
                ),
            ),
            (false, None),
        ] {
            match started {
                true => fake
                    .start_container("shop-web-run-1")
                    .await
                    .expect("a start"),
                false => fake.exit("shop-web-run-1", 0),
            }
            let prepared = prepare(&fake, &changed, &mut options(), &mut agree_to_nothing).await;
            let obstacles = prepared.expect("a plan").outcome.obstacles;
            assert_eq!(obstacles.first().map(|o| o.message.as_str()), said);
        }
    });
}

/// What a `run --rm` has left that was killed before the start goes; what somebody has started, and
/// what is to stay, does not.
#[test]
fn what_a_killed_run_has_left_goes() {
    for (marked, started, stays) in [
        (true, false, false),
        (true, true, true),
        (false, false, true),
    ] {
        on_virtual_time(async {
            let fake = Fake::new();
            let mut body = json!({
                "Image": "busybox",
                "Labels": {
                    labels::PROJECT: "shop",
                    labels::SERVICE: "web",
                    labels::ONEOFF: "True",
                    labels::CONFIG_HASH: "x",
                },
            });
            if marked {
                body["Labels"][labels::RUN] = labels::RUN_RM.into();
            }
            let request = ContainerRequest {
                name: "left".into(),
                platform: None,
                body,
            };
            fake.create_container(request).await.expect("a container");
            if started {
                fake.start_container("left").await.expect("a start");
            }
            let shop = project("name: shop\nservices: {web: {image: busybox}}");
            up_with(&fake, &shop, options()).await;
            assert_eq!(
                fake.container("left").is_some(),
                stays,
                "{marked} {started}"
            );
        });
    }
}
