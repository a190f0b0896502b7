//! What a plan says, for projects on the engine in memory: the text is the expectation.

use crate::on_fake::{
    self, OneFile, attempt, loaded, means, on_virtual_time, options, plan, project, up,
};
use regatta::change::{agree_to_nothing, carry_out, prepare};
use regatta::engine::fake::{Fake, FakeImage, Script};
use regatta::engine::{ContainerRequest, ContainerState, Engine};
use regatta::event::{Ending, Interest, Kind, Reporter};
use regatta::execute::Means;
use regatta::observe::{Observed, Scope, observe};
use regatta::output::words::lines;
use regatta::plan::{Action, Plan, SCHEMA_VERSION, StepId, render_json, render_text};
use regatta::project::{Dependencies, Project};
use regatta::reconcile::lifecycle::Freeze;
use regatta::reconcile::{Options, Recreate, lifecycle, reconcile};
use regatta::scale::Limit;
use regatta::secret::LocalFile;
use std::collections::BTreeSet;
use std::time::Duration;

const SHOP: &str = "\
name: shop
services:
  db:
    image: busybox
    volumes: [data:/data]
  web:
    image: busybox
    scale: 2
    environment:
      LEVEL: info
      DB_PASSWORD: one
    depends_on: {db: {condition: service_started, restart: true}}
volumes: {data: {}}
";

/// The plan that leads from one version of a file to the next.
fn from_to(before: Option<&str>, after: &str, meanwhile: impl FnOnce(&Fake)) -> (Plan, String) {
    on_virtual_time(async {
        let fake = Fake::new();
        if let Some(before) = before {
            let done = up(&fake, &project(before)).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
        }
        meanwhile(&fake);
        let loaded = loaded(after);
        let project = loaded.project.expect("a project");
        let plan = plan(&fake, &project).await;
        let place = |span| loaded.sources.position(span).map(|p| p.to_string());
        let text = render_text(&plan, &project.name, &place);
        (plan, text)
    })
}

#[track_caller]
fn check(before: Option<&str>, after: &str, expected: &str) {
    let (_, text) = from_to(before, after, |_| {});
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn nothing_to_change() {
    check(Some(SHOP), SHOP, "shop: nothing to change\n");
}

#[test]
fn a_first_up() {
    check(
        None,
        SHOP,
        "\
shop:
  + create network shop_default  (not there yet)
  + create volume shop_data  (not there yet)
  + create container shop-db-1  (no container yet)
  + create container shop-web-1  (no container yet)
  + create container shop-web-2  (no container yet)
  > start container shop-db-1  (it is new)
  > start container shop-web-1  (it is new)
  > start container shop-web-2  (it is new)
",
    );
}

#[test]
fn a_changed_value_is_named_with_its_place_and_a_secret_is_not_shown() {
    let after = SHOP
        .replace("LEVEL: info", "LEVEL: debug")
        .replace("DB_PASSWORD: one", "DB_PASSWORD: two")
        .replace("scale: 2", "scale: 1");
    check(
        Some(SHOP),
        &after,
        "\
shop:
  ~ recreate container shop-web-1  (environment.DB_PASSWORD: (secret 7692c3) → (secret 3fc4cc) (and 1 more))
      environment.DB_PASSWORD: (secret 7692c3) → (secret 3fc4cc)  compose.yaml:11:20
      environment.LEVEL: info → debug  compose.yaml:10:14
  . stop container shop-web-2  (scale 2 → 1)
  - remove container shop-web-2  (scale 2 → 1)
",
    );
}

#[test]
fn of_long_values_the_difference_is_shown() {
    let file = |bind: &str, url: &str, script: &str, port: &str, hosts: usize| {
        let hosts: Vec<String> = (0..hosts).map(|n| format!("h{n}: 10.0.0.{n}")).collect();
        let long = "a-directory-with-quite-a-long-name/".repeat(2);
        format!(
            "\
name: shop
services:
  web:
    image: busybox
    command:
    - sh
    - -c
    - |
      set -e
      {script}
      sleep 1000
    environment:
      URL: postgres://app@database.internal.example.org:5432/{url}?sslmode=require&timeout=10
      DB_PASSWORD: {url}
    extra_hosts: {{{hosts}}}
    ports:
{port}    - 8081:81
    volumes:
    - /srv/{long}{bind}:/usr/share/app/data
",
            hosts = hosts.join(", "),
        )
    };
    let before = file("one", "shop", "echo one", "", 1);
    let after = file("two", "store", "echo two", "    - 8080:80\n", 40);
    let (plan, text) = from_to(Some(&before), &after, |_| {});
    let expected = "\
shop:
  ~ recreate container shop-web-1  (command[2] line 2: echo one → echo two (and 43 more))
";
    assert!(text.starts_with(expected), "\n{text}");
    for line in [
        "      command[2] line 2: echo one → echo two  compose.yaml:9:7\n",
        "      environment.DB_PASSWORD: (secret 8d9001) → (secret 824d80)  compose.yaml:14:20\n",
        "      environment.URL: …e.org:5432/shop?sslmode=req… → …e.org:5432/store?sslmode=req…  compose.yaml:13:12\n",
        "      extra_hosts: and 31 more (--format json lists all)\n",
        "      ports[0]: added {mode: ingress, protocol: tcp, published: 8080, target: 80}  compose.yaml:17:7\n",
        "      volumes[0].source: …a-long-name/one → …a-long-name/two  compose.yaml:20:7\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let full = render_json(&plan, "shop", &|_| None).to_string();
    for whole in [
        "set -e\\necho one\\nsleep 1000\\n",
        "/shop?sslmode=require&timeout=10",
        "/two",
    ] {
        assert!(full.contains(whole), "{whole}\n{full}");
    }
    assert!(!full.contains("sha256:"), "{full}");
}

const GIVEN: &str = "\
name: shop
services:
  web:
    image: busybox
    configs: [{source: app.conf, target: /etc/app.conf}]
    secrets: [token]
  other:
    image: busybox
configs:
  app.conf:
    content: |
      level = info
secrets:
  token: {environment: TOKEN}
";

/// The project with this value of `TOKEN`.
fn with_token(text: &str, token: &str) -> Project {
    let mut project = project(text);
    project.environment.insert("TOKEN".into(), token.into());
    project
}

/// What a plan says once the first project is up and the second one is asked for.
fn then(before: &Project, after: &Project) -> String {
    on_virtual_time(async {
        let fake = Fake::new();
        let done = up(&fake, before).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        let plan = plan(&fake, after).await;
        let labels = fake.container("shop-web-1").expect("it").labels;
        assert!(!format!("{labels:?}").contains("hunter"), "{labels:?}");
        render_text(&plan, &after.name, &|_| None)
    })
}

#[test]
fn changed_content_of_a_config_or_secret_recreates_with_its_place() {
    let changed = GIVEN.replace("level = info", "level = debug");
    let sources = loaded(&changed).sources;
    let place = |span| sources.position(span).map(|p| p.to_string());
    let first = with_token(GIVEN, "hunter2");
    assert_eq!(then(&first, &first), "shop: nothing to change\n");
    let second = with_token(&changed, "hunter3");
    let text = on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &first).await;
        let plan = plan(&fake, &second).await;
        let json = render_json(&plan, "shop", &place).to_string();
        assert!(
            !json.contains("hunter") && !json.contains("level ="),
            "{json}"
        );
        assert!(json.contains("\"what\":\"content changed\""), "{json}");
        render_text(&plan, "shop", &place)
    });
    assert_eq!(
        text,
        "\
shop:
  ~ recreate container shop-web-1  (secret token: content changed (and 1 more))
      secret token: content changed  compose.yaml:14:24
      config app.conf: content changed  compose.yaml:12:7
",
        "\n{text}"
    );
    // What a container was made with is what it is compared with, also with all else changed.
    let third = with_token(
        &GIVEN.replace("secrets: [token]", "secrets: [token]\n    user: a"),
        "hunter3",
    );
    let text = then(&first, &third);
    assert!(text.contains("user: added a"), "{text}");
    assert!(text.contains("secret token: content changed"), "{text}");
}

#[test]
fn a_changed_file_that_is_copied_recreates_and_one_that_is_bound_does_not() {
    let with = |reference: &str, content: &str, mode: u32| {
        let text = GIVEN
            .replace("secrets: [token]", &format!("secrets: [{reference}]"))
            .replace("{environment: TOKEN}", "{file: ./token.txt}");
        let mut project = project(&text);
        let local = LocalFile {
            bytes: content.into(),
            mode,
            uid: 0,
            gid: 0,
        };
        let token = project.secrets.get_mut("token").expect("it");
        // Only what is to have an owner or a mode is read.
        if token.local.is_some() {
            token.local = Some(Ok(local));
        }
        project
    };
    let copied = "{source: token, mode: \"0400\"}";
    let table = [
        ("token", "a", 0o644, "token", "b", 0o600, ""),
        (copied, "a", 0o644, copied, "a", 0o600, ""),
        (
            copied,
            "a",
            0o644,
            copied,
            "b",
            0o644,
            "secret token: content changed",
        ),
        // Now the file itself has the mode, and is bound.
        (
            copied,
            "a",
            0o644,
            copied,
            "a",
            0o400,
            "secret token: is not copied into the container any more",
        ),
        (
            copied,
            "a",
            0o400,
            copied,
            "a",
            0o644,
            "secret token: is copied into the container now",
        ),
        (
            "{source: token, uid: \"7\"}",
            "a",
            0o644,
            "{source: token, uid: \"7\"}",
            "a",
            0o600,
            "secret token mode: 0644 → 0600",
        ),
    ];
    for (before, old, old_mode, after, new, new_mode, expected) in table {
        let text = then(&with(before, old, old_mode), &with(after, new, new_mode));
        match expected {
            "" => assert_eq!(text, "shop: nothing to change\n"),
            cause => assert!(text.contains(&format!("({cause})")), "{cause}\n{text}"),
        }
    }
}

#[test]
fn a_container_without_our_record_stays_as_its_files_are() {
    let (first, second) = (with_token(GIVEN, "a"), with_token(GIVEN, "b"));
    let text = on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &first).await;
        // As Docker Compose would have made it.
        let web = fake.container("shop-web-1").expect("it");
        let mut labels = web.labels.clone();
        labels.remove("dev.regatta.spec").expect("our record");
        fake.remove_container(&web.id, true, false)
            .await
            .expect("gone");
        let body = serde_json::json!({"Image": "busybox", "Labels": labels,
            "HostConfig": {"NetworkMode": "shop_default"}});
        let request = ContainerRequest {
            name: "shop-web-1".into(),
            platform: None,
            body,
        };
        let id = fake.create_container(request).await.expect("made");
        fake.start_container(&id).await.expect("started");
        render_text(&plan(&fake, &second).await, "shop", &|_| None)
    });
    assert_eq!(text, "shop: nothing to change\n");
}

#[test]
fn what_cannot_be_copied_keeps_a_plan_from_being_carried_out() {
    let before = with_token(GIVEN, "a");
    let under_tmpfs = GIVEN.replace("secrets: [token]", "secrets: [token]\n    tmpfs: [/run]");
    let after = with_token(&under_tmpfs, "a");
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &before).await;
        fake.forget_calls();
        let (prepared, done) = attempt(&fake, &after).await.expect("an answer");
        assert!(done.is_none());
        let paths: Vec<_> = prepared
            .outcome
            .obstacles
            .iter()
            .map(|o| &*o.path)
            .collect();
        assert_eq!(paths, ["services.web.secrets[0]"]);
        // What is there goes on, also where the variable is not set any more.
        let unset = project(GIVEN);
        let text = render_text(&plan(&fake, &unset).await, "shop", &|_| None);
        assert_eq!(text, "shop: nothing to change\n");
    });
}

#[test]
fn the_configuration_for_the_engines_socket_is_copied() {
    let text = "name: shop\nservices:\n  web: {image: busybox, use_api_socket: true}\n";
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(text);
        let (reporter, files) = (Reporter::silent(), OneFile::empty());
        let means = Means {
            docker_config: Some(b"{}".to_vec()),
            ..means(&fake, &reporter, &files)
        };
        let mut options = options();
        let no = &mut agree_to_nothing;
        let prepared = prepare(&fake, &project, &mut options, no).await;
        let prepared = prepared.expect("a snapshot");
        let done = carry_out(&means, &project, prepared, &mut options, no).await;
        assert!(
            done.expect("an answer")
                .1
                .expect("no obstacle")
                .report
                .is_success()
        );
        assert_eq!(
            fake.files("shop-web-1"),
            ["/run/secrets/docker/config.json"]
        );
        // Other credentials are no other container.
        assert!(plan(&fake, &project).await.is_empty());
    });
}

#[test]
fn mounted_images_are_there_before_the_container_is_created() {
    let text = "\
name: shop
services:
  assets: {build: .}
  web:
    image: busybox
    volumes:
    - {type: image, source: assets, target: /assets}
    - {type: image, source: other, target: /other}
";
    let (plan, _) = from_to(None, text, |_| {});
    let position = |wanted: &str| {
        let found = plan.steps().find(|(_, step)| {
            let shown = format!("{:?}", step.action);
            shown.contains(wanted)
        });
        found.map(|(id, _)| id).expect(wanted)
    };
    let create = plan.steps().find(|(_, step)| {
        matches!(&step.action, Action::CreateContainer { .. })
            && format!("{:?}", step.action).contains("\"web\"")
    });
    let (create, _) = create.expect("a creation");
    let needs: Vec<_> = plan.dependencies(create);
    assert!(needs.contains(&position("reference: \"shop-assets\"")));
    assert!(needs.contains(&position("reference: \"other\"")));
}

#[test]
fn new_numbers_are_above_all_there_are() {
    check(
        Some(SHOP),
        &SHOP.replace("scale: 2", "scale: 3"),
        "\
shop:
  + create container shop-web-3  (scale 2 → 3)
  > start container shop-web-3  (it is new)
",
    );
}

#[test]
fn who_asks_for_it_is_restarted_with_what_it_depends_on() {
    check(
        Some(SHOP),
        &SHOP.replace("volumes: [data:/data]", "volumes: [data:/elsewhere]"),
        "\
shop:
  ~ recreate container shop-db-1  (volumes[0].target: /data → /elsewhere)
      volumes[0].target: /data → /elsewhere  compose.yaml:5:15
  . stop container shop-web-1  (db, which it depends on, is recreated)
  . stop container shop-web-2  (db, which it depends on, is recreated)
  > start container shop-web-1  (it was stopped for a change)
  > start container shop-web-2  (it was stopped for a change)
",
    );
}

#[test]
fn what_the_project_does_not_have_any_more_goes() {
    let after = "\
name: shop
services:
  db:
    image: busybox
    volumes: [data:/data]
volumes: {data: {}}
";
    check(
        Some(SHOP),
        after,
        "\
shop:
  . stop container shop-web-1  (no service of the project any more)
  - remove container shop-web-1  (no service of the project any more)
  . stop container shop-web-2  (no service of the project any more)
  - remove container shop-web-2  (no service of the project any more)
",
    );
}

#[test]
fn another_image_under_the_same_name() {
    let (_, text) = from_to(Some(SHOP), SHOP, |fake| {
        // Somebody builds another one by hand.
        fake.add_image(FakeImage::with_content("busybox", "newer"));
    });
    assert!(
        text.contains("~ recreate container shop-db-1  (image busybox is another one now: "),
        "{text}"
    );
}

#[test]
fn the_json_form_has_a_version_and_every_step() {
    let (plan, _) = from_to(None, SHOP, |_| {});
    let json = render_json(&plan, "shop", &|_| None);
    assert_eq!(json["schema_version"], SCHEMA_VERSION);
    assert_eq!(json["changes"], true);
    let steps = json["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), plan.len());
    let start = steps
        .iter()
        .find(|s| s["action"] == "start_container" && s["resource"] == "Container shop-web-1")
        .expect("the start of web-1");
    // It waits for its creation, its network and what it depends on, by their ids.
    let after: Vec<&str> = start["after"]
        .as_array()
        .expect("ids")
        .iter()
        .map(|id| {
            steps[id.as_u64().expect("a number") as usize]["resource"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(
        after,
        [
            "Network shop_default",
            "Container shop-web-1",
            "Container shop-db-1"
        ]
    );
}

/// `proxy` → `web` → `db`, each restarted with what it depends on; `aside` is not.
const CHAIN: &str = "\
name: chain
services:
  db:
    image: busybox
    healthcheck: {test: [CMD, 'true'], interval: 2s}
  web:
    image: busybox
    depends_on: {db: {condition: service_healthy, restart: true}}
  proxy:
    image: busybox
    depends_on: {web: {condition: service_started, restart: true}}
  aside:
    image: busybox
    depends_on: {db: {condition: service_healthy}}
";

/// The plan of a command over what is up.
fn over_existing(command: impl Fn(&Project, &Observed) -> Plan) -> String {
    on_virtual_time(async {
        let fake = Fake::new();
        let chain = project(CHAIN);
        let done = up(&fake, &chain).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        let observed = observe(&fake, &chain, Scope::CONTAINERS).await;
        let plan = command(&chain, &observed.expect("a snapshot"));
        render_text(&plan, "chain", &|_| None)
    })
}

#[test]
fn a_recreation_stops_and_starts_the_whole_chain() {
    check(
        Some(CHAIN),
        &CHAIN.replace("interval: 2s", "interval: 3s"),
        "\
chain:
  ~ recreate container chain-db-1  (healthcheck.interval: 2s → 3s)
      healthcheck.interval: 2s → 3s  compose.yaml:5:50
  . stop container chain-proxy-1  (web, which it depends on, is restarted)
  . stop container chain-web-1  (db, which it depends on, is recreated)
  ? wait for service db  (web depends on it (service_healthy))
  > start container chain-web-1  (it was stopped for a change)
  > start container chain-proxy-1  (it was stopped for a change)
",
    );
}

#[test]
fn nothing_stops_before_those_that_are_restarted_with_it() {
    let (plan, _) = from_to(
        Some(CHAIN),
        &CHAIN.replace("interval: 2s", "interval: 3s"),
        |_| {},
    );
    let stops: Vec<_> = plan
        .steps()
        .filter(|(_, step)| step.action.kind() == "stop_container")
        .map(|(id, step)| (id, step.action.resource().to_string()))
        .collect();
    let [(proxy, _), (web, _), (db, of_db)] = stops.as_slice() else {
        panic!("{stops:?}");
    };
    assert_eq!(of_db, "Container chain-db-1");
    assert!(plan.dependencies(*web).contains(proxy));
    assert!(plan.dependencies(*db).contains(web));
    // The creation of the new one is what can fail early.
    let created = plan.steps().next().expect("a step").0;
    assert_eq!(plan.dependencies(*proxy), [created]);
}

/// Nor for a network: whoever comes after a kill would see up what stops only then.
#[test]
fn for_a_network_too_those_stop_first_that_are_restarted_with_it() {
    let before = "\
name: chain
services:
  db: {image: busybox, networks: [inner]}
  web: {image: busybox, networks: [outer], depends_on: {db: {condition: service_started, restart: true}}}
networks: {inner: {}, outer: {}}
";
    let after = before.replace("inner: {}", "inner: {labels: {v: two}}");
    let (plan, text) = from_to(Some(before), &after, |_| {});
    let stops: Vec<_> = plan
        .steps()
        .filter(|(_, step)| step.action.kind() == "stop_container")
        .map(|(id, step)| (id, step.action.resource().to_string()))
        .collect();
    let [(web, of_web), (db, of_db)] = stops.as_slice() else {
        panic!("{text}");
    };
    assert_eq!(
        (of_web.as_str(), of_db.as_str()),
        ("Container chain-web-1", "Container chain-db-1")
    );
    assert!(plan.dependencies(*db).contains(web));
}

#[test]
fn restart_takes_the_chain_along_and_waits_for_health() {
    let only = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let restart = |names: &[&str], dependents| {
        over_existing(|project, observed| {
            lifecycle::restart(project, observed, &only(names), dependents, None, true)
        })
    };
    assert_eq!(
        restart(&["db"], true),
        "\
chain:
  > restart container chain-db-1  (asked for)
  ? wait for service db  (web depends on it (service_healthy))
  > restart container chain-web-1  (it depends on db (restart: true))
  > restart container chain-proxy-1  (it depends on web (restart: true))
"
    );
    assert_eq!(
        restart(&["db"], false),
        "chain:\n  > restart container chain-db-1  (asked for)\n"
    );
    // What it asks to be restarted with must be well, even where that one is left alone.
    assert_eq!(
        restart(&["web"], true),
        "\
chain:
  ? wait for service db  (web depends on it (service_healthy))
  > restart container chain-web-1  (asked for)
  > restart container chain-proxy-1  (it depends on web (restart: true))
"
    );
    // Conditions hold between all that are restarted, whether they ask for it or not.
    assert_eq!(
        restart(&["db", "aside"], false),
        "\
chain:
  > restart container chain-db-1  (asked for)
  ? wait for service db  (aside depends on it (service_healthy))
  > restart container chain-aside-1  (asked for)
"
    );
}

#[test]
fn stop_takes_the_chain_along() {
    let only = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let stop = |names: &[&str], dependents| {
        over_existing(|project, observed| {
            lifecycle::stop(project, observed, &only(names), dependents, None)
        })
    };
    assert_eq!(
        stop(&["db"], true),
        "\
chain:
  . stop container chain-proxy-1  (it depends on web (restart: true))
  . stop container chain-web-1  (it depends on db (restart: true))
  . stop container chain-db-1  (asked for)
"
    );
    assert_eq!(
        stop(&["db"], false),
        "chain:\n  . stop container chain-db-1  (asked for)\n"
    );
}

#[test]
fn pause_and_unpause_are_plans() {
    let named = BTreeSet::from(["db".to_owned(), "web".to_owned()]);
    for (freeze, text) in [
        (
            Freeze::Pause,
            "chain:\n  . pause container chain-db-1  (asked for)\n  . pause container chain-web-1  (asked for)\n",
        ),
        (
            Freeze::Unpause,
            "chain:\n  > unpause container chain-db-1  (asked for)\n  > unpause container chain-web-1  (asked for)\n",
        ),
    ] {
        let shown =
            over_existing(|project, observed| lifecycle::freeze(project, observed, &named, freeze));
        assert_eq!(shown, text);
    }
}

/// The engine refuses what is paused already; that keeps no other from being paused.
#[test]
fn a_refused_pause_stops_no_other() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project("name: shop\nservices: {web: {image: busybox, scale: 3}}\n");
        up(&fake, &project).await;
        fake.pause("shop-web-2");
        fake.exit("shop-web-3", 0);
        let seen = observe(&fake, &project, Scope::CONTAINERS).await.unwrap();
        let run = async |freeze| {
            let plan = lifecycle::freeze(&project, &seen, &BTreeSet::new(), freeze);
            let (reporter, files) = (Reporter::silent(), on_fake::OneFile::empty());
            let means = on_fake::means(&fake, &reporter, &files);
            let done = regatta::change::run(&means, plan, &project, &seen).await;
            let failures = done.report.failures.iter().map(|f| f.message.clone());
            let states = fake.containers().into_iter().map(|c| c.state);
            (failures.collect::<Vec<_>>(), states.collect::<Vec<_>>())
        };
        use ContainerState::{Exited, Paused, Running};
        let (failures, states) = run(Freeze::Pause).await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].ends_with("is already paused"), "{failures:?}");
        assert_eq!(states, [Paused, Paused, Exited]);
        let (failures, states) = run(Freeze::Unpause).await;
        assert!(failures.is_empty(), "{failures:?}");
        assert_eq!(states, [Running, Running, Exited]);
    });
}

const ON_A_NETWORK: &str = "\
name: shop
services:
  db: {image: busybox, networks: [inner]}
networks: {inner: {}}
";

/// The plan of an `up` after something was done to the engine.
fn after_all<F: Future<Output = ()>>(
    yaml: &str,
    options: &Options,
    meanwhile: impl FnOnce(Fake) -> F,
) -> String {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(yaml);
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        meanwhile(fake.clone()).await;
        let mut options = options.clone();
        let prepared = prepare(&fake, &project, &mut options, &mut agree_to_nothing).await;
        let plan = prepared.expect("a snapshot").outcome.plan;
        render_text(&plan, &project.name, &|_| None)
    })
}

#[test]
fn what_ran_on_a_network_that_is_gone_cannot_be_started_again() {
    let text = after_all(ON_A_NETWORK, &on_fake::options(), |fake| async move {
        fake.stop_container("shop-db-1", None).await.unwrap();
        fake.remove_network("shop_inner").await.unwrap();
    });
    assert_eq!(
        text,
        "\
shop:
  + create network shop_inner  (not there yet)
  ~ recreate container shop-db-1  (it is not attached to network shop_inner)
"
    );
}

#[test]
fn what_stays_comes_back_on_the_network_it_was_taken_off() {
    let options = Options {
        recreate: Recreate::Never,
        ..on_fake::options()
    };
    let text = after_all(ON_A_NETWORK, &options, |fake| async move {
        fake.disconnect_network("shop_inner", "shop-db-1", true)
            .await
            .unwrap();
    });
    assert!(text.contains("connect"), "{text}");
    assert!(!text.contains("recreate"), "{text}");
}

#[test]
fn what_comes_back_on_a_network_has_its_aliases_and_its_address() {
    let shop = |version: u8| {
        project(&format!(
            "name: shop\nservices:\n  db:\n    image: busybox\n    networks: {{inner: {{aliases: \
             [store], ipv4_address: 10.9.0.7}}}}\nnetworks:\n  inner:\n    labels: {{v: v{version}}}\n    \
             ipam: {{config: [{{subnet: 10.9.0.0/24}}]}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &shop(0)).await;
        let id = fake.container("shop-db-1").unwrap().id;
        let done = up(&fake, &shop(1)).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let db = fake.container(&id).unwrap();
        let endpoint = &db.raw["NetworkSettings"]["Networks"]["shop_inner"];
        assert_eq!(
            endpoint["Aliases"],
            serde_json::json!(["shop-db-1", "db", "store"])
        );
        assert_eq!(endpoint["IPAMConfig"]["IPv4Address"], "10.9.0.7");
    });
}

#[test]
fn what_was_linked_to_one_that_is_gone_comes_back_on_its_network() {
    let shop = |scale: u8, version: u8| {
        project(&format!(
            "name: shop\nservices:\n  db: {{image: busybox, scale: {scale}}}\n  web: {{image: busybox, \
             links: [db]}}\nnetworks: {{default: {{labels: {{v: v{version}}}}}}}\n"
        ))
    };
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &shop(1, 0)).await;
        up(&fake, &shop(0, 0)).await;
        let done = up(&fake, &shop(0, 1)).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        let web = fake.container("shop-web-1").unwrap();
        assert_eq!(web.state, ContainerState::Running);
        assert!(web.networks.contains_key("shop_default"));
    });
}

#[test]
fn of_an_interrupted_recreation_the_old_one_is_started() {
    let text = on_virtual_time(async {
        let fake = Fake::new();
        let old = project(ON_A_NETWORK);
        up(&fake, &old).await;
        fake.stop_container("shop-db-1", None).await.unwrap();
        let made = fake.container("shop-db-1").unwrap();
        let request = ContainerRequest {
            name: format!("{:.12}_shop-db-1", made.id),
            platform: None,
            body: serde_json::json!({ "Image": "busybox", "Labels": made.labels }),
        };
        fake.create_container(request).await.unwrap();
        let observed = observe(&fake, &old, Scope::CONTAINERS).await.unwrap();
        let options = Options {
            start: true,
            ..Options::default()
        };
        let plan = lifecycle::start(&old, &observed, &options).plan;
        render_text(&plan, "shop", &|_| None)
    });
    assert_eq!(
        text,
        "\
shop:
  > start container shop-db-1  (it had exited (0))
"
    );
}

#[test]
fn who_is_on_a_network_that_is_made_anew_comes_back_whoever_is_asked_for() {
    let both = "\
name: shop
services:
  web: {image: busybox, networks: [inner]}
  db: {image: busybox, networks: [inner, outer]}
networks: {inner: {}, outer: {}}
";
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(both)).await;
        let mut next = project(&both.replace("inner: {}", "inner: {labels: {v: two}}"));
        next.select(&["web".to_owned()], Dependencies::Include)
            .unwrap();
        next.drop_unused_resources();
        let done = up(&fake, &next).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        let network = fake
            .networks()
            .into_iter()
            .find(|n| n.name == "shop_inner")
            .unwrap();
        for name in ["shop-web-1", "shop-db-1"] {
            let container = fake.container(name).unwrap();
            assert_eq!(container.state, ContainerState::Running, "{name}");
            assert_eq!(container.networks.get("shop_inner"), Some(&network.id));
        }
    });
}

#[test]
fn an_orphan_on_a_network_that_is_made_anew_comes_back_where_it_is_to_stay() {
    let both = "\
name: shop
services:
  web: {image: busybox, networks: [inner]}
  old: {image: busybox, networks: [inner]}
networks: {inner: {}}
";
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(both)).await;
        let next = both.replace("inner: {}", "inner: {labels: {v: two}}");
        let next = next.replace("  old: {image: busybox, networks: [inner]}\n", "");
        let (reporter, files) = (Reporter::silent(), on_fake::OneFile::empty());
        let means = on_fake::means(&fake, &reporter, &files);
        let mut options = Options {
            remove_orphans: false,
            ..on_fake::options()
        };
        let (next, no) = (project(&next), &mut agree_to_nothing);
        let prepared = prepare(&fake, &next, &mut options, no).await.unwrap();
        let done = carry_out(&means, &next, prepared, &mut options, no).await;
        let done = done.unwrap().1.unwrap();
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        let all = fake.networks();
        let network = all.iter().find(|n| n.name == "shop_inner").unwrap();
        let orphan = fake.container("shop-old-1").unwrap();
        assert_eq!(orphan.state, ContainerState::Running);
        assert_eq!(orphan.networks.get("shop_inner"), Some(&network.id));
    });
}

const MIGRATED: &str = "\
name: shop
services:
  migrate: {image: busybox, environment: {TO: one}}
  web:
    image: busybox
    depends_on: {migrate: {condition: service_completed_successfully}}
";

/// `up` would run it again, which is no difference from what the file asks for.
#[test]
fn a_one_shot_that_runs_again_is_shown_apart() {
    let seeded = || {
        let fake = Fake::new();
        fake.cast(|name, _| match name.contains("migrate") {
            true => Script::exits(Duration::from_millis(300), 0),
            false => Script::default(),
        });
        fake
    };
    let look = |after: &str, fails: bool| {
        on_virtual_time(async {
            let fake = seeded();
            up(&fake, &project(MIGRATED)).await;
            if fails {
                fake.start_container("shop-migrate-1").await.unwrap();
                fake.exit("shop-migrate-1", 1);
            }
            let plan = plan(&fake, &project(after)).await;
            let json = render_json(&plan, "shop", &|_| None);
            assert_eq!(json["changes"], plan.changes_anything());
            assert_eq!(json["drift"], plan.has_drift());
            let recurring = json["steps"].as_array().unwrap().iter();
            let recurring = recurring.filter(|step| step["recurs"] == true).count();
            (
                render_text(&plan, "shop", &|_| None),
                plan.has_drift(),
                recurring,
            )
        })
    };
    let again = "\
shop, at every up:
  > start container shop-migrate-1  (a one-shot that ended well runs again at every up)
  ? wait for service migrate  (web depends on it (service_completed_successfully))
";
    // Its start, the look at its first moments, and the wait.
    assert_eq!(
        look(MIGRATED, false),
        (format!("shop: nothing to change\n{again}"), false, 3)
    );
    // Beside what changes.
    let (text, drift, _) = look(&MIGRATED.replace("web:\n", "web:\n    init: true\n"), false);
    assert_eq!(
        text,
        format!(
            "shop:\n  ~ recreate container shop-web-1  (init: added true)\n      init: added \
             true\n{again}"
        )
    );
    assert!(drift);
    // Outdated, it is recreated.
    let (text, drift, recurring) = look(&MIGRATED.replace("one", "two"), false);
    assert!(drift && recurring == 0, "{text}");
    // One that nobody waits for is meant to run.
    let nobody = MIGRATED.replace("service_completed_successfully", "service_started");
    let (text, drift, recurring) = look(&nobody, false);
    assert!(drift && recurring == 0, "{text}");
    // One that failed has not done its work.
    let (text, drift, recurring) = look(MIGRATED, true);
    assert!(drift && recurring == 0, "{text}");
}

/// `start` is not `up`.
#[test]
fn a_start_of_a_one_shot_is_a_change() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(MIGRATED);
        fake.cast(|_, _| Script::exits(Duration::from_millis(300), 0));
        up(&fake, &project).await;
        let seen = observe(&fake, &project, Scope::CONTAINERS).await.unwrap();
        let outcome = lifecycle::start(&project, &seen, &on_fake::options());
        assert!(outcome.plan.has_drift());
    });
}

/// What others did to a container by hand is said as it was, and undone.
#[test]
fn what_was_renamed_or_disconnected_by_hand_is_told() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(SHOP);
        up(&fake, &project).await;
        fake.rename_container("shop-web-1", "front").await.unwrap();
        let disconnected = fake.disconnect_network("shop_default", "shop-web-2", false);
        disconnected.await.unwrap();
        let plan = plan(&fake, &project).await;
        assert_eq!(
            render_text(&plan, "shop", &|_| None),
            "\
shop:
  ~ connect container shop-web-2  (it was taken off network default)
  ~ rename to container shop-web-1  (it was renamed to front)
"
        );
        let shown: Vec<_> = plan
            .steps()
            .flat_map(|(id, _)| {
                lines(&Kind::StepFinished {
                    step: plan.info(id),
                    ending: Ending::Done,
                    took: 0,
                })
            })
            .map(|line| format!("{} {} {}", line.id, line.text, line.details))
            .collect();
        assert_eq!(
            shown,
            [
                "Container shop-web-2 Reconnected to network shop_default",
                "Container shop-web-1 Renamed from front",
            ]
        );
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert!(fake.container("shop-web-1").is_some());
        assert!(!on_fake::plan(&fake, &project).await.changes_anything());
    });
}

const HOOKED: &str = "\
name: shop
services:
  web:
    image: busybox
    configs: [motd]
    pre_stop: [{command: [bye]}]
configs: {motd: {content: hello}}
";

/// A killed run may have created it and got no further.
#[test]
fn what_never_ran_gets_its_configs_when_it_is_restarted() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(HOOKED);
        up(&fake, &project).await;
        let look = async || observe(&fake, &project, Scope::CONTAINERS).await.unwrap();
        let all = &Default::default();
        let restart = |seen: &Observed| {
            let plan = lifecycle::restart(&project, seen, all, false, None, true);
            plan.steps()
                .map(|(_, s)| s.action.kind())
                .collect::<Vec<_>>()
        };
        assert!(!restart(&look().await).contains(&"copy_files"));
        let mut seen = look().await;
        for replica in seen.services.values_mut().flatten() {
            replica.state = ContainerState::Created;
        }
        let steps = restart(&seen);
        assert_eq!(steps[..2], ["copy_files", "restart_container"], "{steps:?}");
    });
}

#[test]
fn a_container_that_has_ended_needs_no_hook_before_its_stop() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(HOOKED);
        up(&fake, &project).await;
        let seen = observe(&fake, &project, Scope::CONTAINERS).await.unwrap();
        fake.exit("shop-web-1", 0);
        let plan = lifecycle::stop(&project, &seen, &Default::default(), false, None);
        let (reporter, files) = (Reporter::silent(), on_fake::OneFile::empty());
        let means = on_fake::means(&fake, &reporter, &files);
        let done = regatta::change::run(&means, plan, &project, &seen).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
    });
}

/// Steps and what they wait for, counted.
fn size(plan: &Plan) -> (usize, usize) {
    let edges = plan.steps().map(|(id, _)| plan.dependencies(id).len());
    (plan.len(), edges.sum())
}

/// Whether a step comes after another, however many there are between them.
fn is_after(plan: &Plan, step: StepId, earlier: StepId) -> bool {
    let mut open = vec![step];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if id == earlier {
            return true;
        }
        let before = plan.dependencies(id).into_iter();
        open.extend(before.filter(|id| *id >= earlier && seen.insert(*id)));
    }
    false
}

const MANY: &str = "\
name: shop
services:
  db: {image: busybox, scale: NUM, environment: {LEVEL: info}}
  web: {image: busybox, scale: NUM, depends_on: {db: {condition: service_started, restart: true}}}
  sidecar: {image: busybox, scale: NUM, volumes_from: [db]}
";

#[test]
fn a_plan_grows_with_its_steps_and_not_with_their_pairs() {
    let plans = |number: usize| {
        let before = MANY.replace("NUM", &number.to_string());
        let after = before.replace("info", "debug");
        on_virtual_time(async move {
            let fake = Fake::new();
            let (before, after) = (project(&before), project(&after));
            let first = plan(&fake, &before).await;
            let done = up(&fake, &before).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            let again = plan(&fake, &before).await;
            assert!(!again.changes_anything());
            let change = plan(&fake, &after).await;
            let observed = observe(&fake, &after, Scope::CONTAINERS)
                .await
                .expect("a snapshot");
            let named = after.services.keys().cloned().collect();
            let stop = lifecycle::stop(&after, &observed, &named, true, None);
            let restart = lifecycle::restart(&after, &observed, &named, true, None, true);
            let done = up(&fake, &after).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            assert!(!plan(&fake, &after).await.changes_anything());
            [first, change, stop, restart]
        })
    };
    let (few, many) = (plans(50), plans(200));
    for (few, many) in few.iter().zip(&many) {
        let ((steps, edges), (more_steps, more_edges)) = (size(few), size(many));
        assert!(
            steps * 3 < more_steps && more_steps < steps * 5,
            "{steps} {more_steps}"
        );
        assert!(
            more_edges < edges * 5,
            "{steps}: {edges}, {more_steps}: {more_edges}"
        );
    }
    let ids = |plan: &Plan, is_one: fn(&Action) -> bool| -> Vec<StepId> {
        let steps = plan.steps().filter(|(_, step)| is_one(&step.action));
        steps.map(|(id, _)| id).collect()
    };
    // The same order as with few: nothing is stopped before all that can fail early.
    let change = &few[1];
    let creations = ids(change, |a| matches!(a, Action::CreateContainer { .. }));
    let stops = ids(change, |a| matches!(a, Action::StopContainer { .. }));
    assert_eq!((creations.len(), stops.len()), (100, 150));
    for stop in stops {
        assert!(creations.iter().all(|c| is_after(change, stop, *c)));
    }
    // A number that starts stands for all below it.
    let first = &few[0];
    let creations = ids(
        first,
        |a| matches!(a, Action::CreateContainer { service, .. } if service == "db"),
    );
    let starts = ids(
        first,
        |a| matches!(a, Action::StartContainer { service, .. } if service == "db"),
    );
    for (at, start) in starts.iter().enumerate() {
        assert!(creations[..=at].iter().all(|c| is_after(first, *start, *c)));
        assert!(
            creations
                .get(at + 1)
                .is_none_or(|c| !is_after(first, *start, *c))
        );
    }
    let webs = ids(
        first,
        |a| matches!(a, Action::StartContainer { service, .. } if service == "web"),
    );
    for web in webs {
        assert!(starts.iter().all(|db| is_after(first, web, *db)));
    }
}

#[test]
fn more_replicas_than_a_machine_holds_are_refused_by_name() {
    let obstacles = |text: &str, limit: u32| {
        let options = Options {
            replicas: Limit(limit),
            ..on_fake::options()
        };
        let outcome = reconcile(&project(text), &Observed::default(), &options);
        assert!(outcome.obstacles.is_empty() || outcome.plan.is_empty());
        let all = outcome.obstacles.into_iter();
        all.map(|o| format!("{}: {}", o.path, o.message))
            .collect::<Vec<_>>()
    };
    let most = Limit::default().0;
    for (text, limit, expected) in [
        ("services: {a: {image: busybox, scale: 3}}", 3, None),
        ("services: {a: {image: busybox, scale: 0}}", 0, None),
        (
            "services: {a: {image: busybox, scale: 4}}",
            3,
            Some("services.a.scale: 4 replicas are too many: a service may have 3"),
        ),
        (
            "services: {a: {image: busybox, scale: 4294967295}}",
            most,
            Some("services.a.scale: 4294967295 replicas are too many: a service may have 10000"),
        ),
        (
            "services: {a: {image: busybox, deploy: {replicas: 10001}}}",
            most,
            Some(
                "services.a.deploy.replicas: 10001 replicas are too many: a service may have 10000",
            ),
        ),
        (
            "services: {a: {image: busybox, scale: 8}, b: {image: busybox, scale: 8}, c: {image: busybox, scale: 8}}",
            2,
            Some("services.a.scale: 8 replicas are too many: a service may have 2"),
        ),
        (
            "x-a: &a {image: busybox, scale: 2}\nservices: {a: *a, b: *a, c: *a, d: *a, e: *a, f: *a, g: *a, h: *a, i: *a, j: *a, k: *a}",
            2,
            Some(
                "services.k.scale: the services up to this one have 22 replicas: together they may have 20",
            ),
        ),
    ] {
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(
            obstacles(&format!("name: x\n{text}"), limit),
            expected,
            "{text}"
        );
    }
}

#[test]
fn what_goes_on_running_is_told_of() {
    let told = async |fake: &Fake, project: &Project| -> Vec<String> {
        let (reporter, files) = (Reporter::new("up"), OneFile::empty());
        let mut events = reporter.subscribe(Interest::Progress);
        let means = means(fake, &reporter, &files);
        let (mut options, no) = (options(), &mut agree_to_nothing);
        let prepared = prepare(fake, project, &mut options, no).await;
        let prepared = prepared.expect("a snapshot");
        let done = carry_out(&means, project, prepared, &mut options, no).await;
        assert!(
            done.expect("an answer")
                .1
                .expect("no obstacle")
                .report
                .is_success()
        );
        let events = events.drain();
        let lines = events.iter().flat_map(|event| lines(&event.kind));
        let lines = lines.filter(|line| line.text != "Healthy" && line.text != "Waiting");
        lines.map(|l| format!("{} {}", l.id, l.text)).collect()
    };
    on_virtual_time(async {
        let fake = Fake::new();
        let (shop, less) = (
            project(SHOP),
            project(&SHOP.replace("scale: 2", "scale: 1")),
        );
        up(&fake, &shop).await;
        let running = ["db-1", "web-1", "web-2"].map(|n| format!("Container shop-{n} Running"));
        assert_eq!(told(&fake, &shop).await, running);
        // What is started, replaced or removed is told of by its own steps; what only goes is
        // stopped first, whether it runs or not.
        fake.exit("shop-web-2", 0);
        assert_eq!(
            told(&fake, &less).await,
            [
                "Container shop-db-1 Running",
                "Container shop-web-1 Running",
                "Container shop-web-2 Stopping",
                "Container shop-web-2 Stopped",
                "Container shop-web-2 Removing",
                "Container shop-web-2 Removed",
            ]
        );
        fake.exit("shop-web-1", 0);
        assert_eq!(
            told(&fake, &less).await,
            [
                "Container shop-db-1 Running",
                "Container shop-web-1 Starting",
                "Container shop-web-1 Started",
            ]
        );
        let changed = project(
            &SHOP
                .replace("info", "debug")
                .replace("scale: 2", "scale: 1"),
        );
        assert_eq!(
            told(&fake, &changed).await,
            [
                "Container shop-db-1 Running",
                "Container shop-web-1 Recreate",
                "Container shop-web-1 Starting",
                "Container shop-web-1 Started",
                "Container shop-web-1 Recreated",
            ]
        );
    });
}
