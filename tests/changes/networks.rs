//! Networks that others have made anew, that cannot be made, and fixed addresses on them.

use crate::on_fake::{names, on_virtual_time, options, plan, project, up, up_with};
use regatta::engine::fake::{Fake, Fault, Way};
use regatta::engine::{ContainerState, Engine, EngineError, ResourceRequest};
use regatta::observe::{Scope, observe};
use regatta::plan::{Action, StepId, render_text};
use regatta::project::Dependencies;
use regatta::reconcile::{Options, Recreate, lifecycle};
use serde_json::json;
use std::collections::BTreeSet;

const EXTERNAL: &str = "\
name: shop
services:
  web: {image: busybox, networks: [front, back]}
networks:
  front: {external: true, name: outside}
  back: {}
";

/// Somebody creates a network by hand.
async fn create_network(fake: &Fake, name: &str) {
    let request = ResourceRequest {
        name: name.to_owned(),
        body: json!({ "Name": name }),
    };
    fake.create_network(request).await.unwrap();
}

/// Somebody removes networks while nothing runs on them, and creates them again.
async fn make_anew(fake: &Fake, networks: &[&str]) {
    for (_, id) in names(fake) {
        fake.stop_container(&id, None).await.unwrap();
    }
    for network in networks {
        fake.remove_network(network).await.unwrap();
        create_network(fake, network).await;
    }
}

fn id_of(fake: &Fake, network: &str) -> String {
    let all = fake.networks().into_iter();
    let mut ids = all.filter(|n| n.name == network).map(|n| n.id);
    ids.next().expect("the network is there")
}

#[test]
fn what_was_on_an_external_network_that_was_created_again_is_recreated() {
    on_virtual_time(async {
        let fake = Fake::new();
        create_network(&fake, "outside").await;
        let project = project(EXTERNAL);
        up(&fake, &project).await;
        for anew in [&["outside"][..], &["shop_back"], &["outside", "shop_back"]] {
            make_anew(&fake, anew).await;
            let text = render_text(&plan(&fake, &project).await, "shop", &|_| None);
            // The first of them by key stands for all.
            let first = match anew.contains(&"shop_back") {
                true => "shop_back",
                false => "outside",
            };
            assert_eq!(
                text,
                format!(
                    "shop:\n  ~ recreate container shop-web-1  (network {first} was removed and \
                     created again)\n"
                )
            );
            let done = up(&fake, &project).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            let web = fake.container("shop-web-1").unwrap();
            assert_eq!(web.state, ContainerState::Running);
            for network in ["outside", "shop_back"] {
                assert_eq!(web.networks[network], id_of(&fake, network));
            }
            assert!(!plan(&fake, &project).await.changes_anything());
        }
    });
}

#[test]
fn what_is_not_to_be_recreated_joins_the_network_that_was_created_again() {
    on_virtual_time(async {
        let fake = Fake::new();
        create_network(&fake, "outside").await;
        let project = project(EXTERNAL);
        up(&fake, &project).await;
        let before = names(&fake);
        make_anew(&fake, &["outside", "shop_back"]).await;
        let keeping = Options {
            recreate: Recreate::Never,
            recreate_dependencies: Recreate::Never,
            ..options()
        };
        let done = up_with(&fake, &project, keeping).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(names(&fake), before);
        let web = fake.container("shop-web-1").unwrap();
        assert_eq!(web.state, ContainerState::Running);
        assert_eq!(web.networks["outside"], id_of(&fake, "outside"));
        assert_eq!(web.networks["shop_back"], id_of(&fake, "shop_back"));
    });
}

#[test]
fn a_network_that_a_mode_names_can_be_created_again_too() {
    on_virtual_time(async {
        let fake = Fake::new();
        create_network(&fake, "outside").await;
        let project =
            project("name: shop\nservices: {web: {image: busybox, network_mode: outside}}\n");
        up(&fake, &project).await;
        assert!(!plan(&fake, &project).await.changes_anything());
        make_anew(&fake, &["outside"]).await;
        let text = render_text(&plan(&fake, &project).await, "shop", &|_| None);
        assert_eq!(
            text,
            "shop:\n  ~ recreate container shop-web-1  (network outside was removed and created again)\n"
        );
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        let web = fake.container("shop-web-1").unwrap();
        assert_eq!(web.networks["outside"], id_of(&fake, "outside"));
        assert!(!plan(&fake, &project).await.changes_anything());
    });
}

#[test]
fn a_container_waits_for_the_network_of_the_project_that_its_mode_names() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(
            "name: shop\nservices:\n  web: {image: busybox, network_mode: shop_default}\n  db: {image: busybox}\n",
        );
        let plan = plan(&fake, &project).await;
        let steps: Vec<_> = plan.steps().collect();
        let (network, _) = steps
            .iter()
            .find(|(_, s)| matches!(&s.action, Action::CreateNetwork { .. }))
            .expect("a network is made");
        for (id, step) in &steps {
            if matches!(&step.action, Action::CreateContainer { .. }) {
                assert!(plan.dependencies(*id).contains(network), "{}", step.cause);
            }
        }
    });
}

/// The names of all containers, sorted, after an `up` that was refused a network or a volume.
async fn left_behind(fake: &Fake, text: &str, call: &'static str, resource: &str) -> Vec<String> {
    let refusal = EngineError::Refused {
        status: 403,
        message: "no room for it".into(),
    };
    fake.fail(Fault {
        method: Some(call),
        target: resource.to_owned(),
        after: 0,
        way: Way::Error(refusal),
    });
    let done = up(fake, &project(text)).await;
    assert!(!done.report.is_success());
    fake.forgive();
    let mut all: Vec<String> = names(fake).into_iter().map(|(name, _)| name).collect();
    all.sort();
    all
}

const TWO_NETWORKS: &str = "\
name: shop
services:
  db: {image: busybox, networks: [back]}
  web: {image: busybox, networks: [front], depends_on: [db], deploy: {replicas: 2}}
  proxy: {image: busybox, networks: [front], depends_on: [web]}
  mail: {image: busybox, networks: [front], volumes: [mail:/mail]}
networks: {front: {}, back: {}}
volumes: {mail: {}}
";

#[test]
fn a_network_or_volume_that_cannot_be_made_leaves_no_container_behind() {
    on_virtual_time(async {
        for (call, resource, left) in [
            // What depends on the database is not started either.
            ("create_network", "shop_back", &["shop-mail-1"][..]),
            ("create_network", "shop_front", &["shop-db-1"]),
            (
                "create_volume",
                "shop_mail",
                &["shop-db-1", "shop-proxy-1", "shop-web-1", "shop-web-2"],
            ),
        ] {
            let fake = Fake::new();
            assert_eq!(left_behind(&fake, TWO_NETWORKS, call, resource).await, left);
            for (name, id) in names(&fake) {
                let container = fake.container(&id).unwrap();
                assert_eq!(container.state, ContainerState::Running, "{name}");
            }
            let done = up(&fake, &project(TWO_NETWORKS)).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            assert_eq!(names(&fake).len(), 5);
        }
    });
}

#[test]
fn a_network_that_cannot_be_made_anew_leaves_no_new_container_behind() {
    on_virtual_time(async {
        let fake = Fake::new();
        let before = TWO_NETWORKS.replace(
            "  mail: {image: busybox, networks: [front], volumes: [mail:/mail]}\n",
            "",
        );
        up(&fake, &project(&before)).await;
        let after = TWO_NETWORKS.replace("front: {}", "front: {labels: {v: two}}");
        let left = left_behind(&fake, &after, "create_network", "shop_front").await;
        assert_eq!(
            left,
            ["shop-db-1", "shop-proxy-1", "shop-web-1", "shop-web-2"]
        );
    });
}

/// Nobody knows which addresses of a network of others are free: the fixed one is asked for first.
#[test]
fn a_fixed_address_on_an_external_network_is_asked_for_first() {
    on_virtual_time(async {
        let fake = Fake::new();
        let request = ResourceRequest {
            name: "outside".to_owned(),
            body: json!({ "Name": "outside", "IPAM": {"Config": [{"Subnet": "10.0.0.0/29"}]} }),
        };
        fake.create_network(request).await.unwrap();
        let text = FIXED.replace(
            "networks: {back: {ipam: {config: [{subnet: 10.0.0.0/29}]}}}",
            "networks: {back: {external: true, name: outside}}",
        );
        let free = text.replace("    depends_on: [db]\n", "");
        let project = project(&free);
        let plan = plan(&fake, &project).await;
        let starts = |service: &str| {
            let of = |action: &Action| matches!(action, Action::StartContainer { service: s, .. } if s == service);
            let mut steps = plan.steps();
            steps.find(|(_, step)| of(&step.action)).expect("a start").0
        };
        for other in ["cache", "db"] {
            let needs = plan.dependencies(starts(other));
            let waits = |id: &StepId| {
                *id == starts("web") || plan.dependencies(*id).contains(&starts("web"))
            };
            assert!(needs.iter().any(waits), "{other}");
        }
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(addresses(&fake).await, 3);
        // So it is where all of them are restarted.
        let observed = observe(&fake, &project, Scope::CONTAINERS).await.unwrap();
        let all = &BTreeSet::new();
        let plan = lifecycle::restart(&project, &observed, all, false, None, false);
        let restarted: Vec<_> = plan
            .steps()
            .map(|(id, s)| (s.action.resource().to_string(), id))
            .collect();
        let [(first, web), (_, cache), (_, db)] = restarted.as_slice() else {
            panic!("{restarted:?}");
        };
        assert_eq!(first, "Container shop-web-1");
        for other in [cache, db] {
            assert_eq!(plan.dependencies(*other), [*web]);
        }
    });
}

const FIXED: &str = "\
name: shop
services:
  cache: {image: busybox, networks: [back]}
  db: {image: busybox, networks: [back]}
  web:
    image: busybox
    networks: {back: {ipv4_address: 10.0.0.2}}
    depends_on: [db]
networks: {back: {ipam: {config: [{subnet: 10.0.0.0/29}]}}}
";

/// The addresses of the project's running containers, and that of `web` is the one it asks for.
async fn addresses(fake: &Fake) -> usize {
    let rows = fake.list_containers(Default::default()).await.unwrap();
    let web = rows.iter().find(|row| row.name == "shop-web-1").unwrap();
    assert_eq!(web.addresses, ["10.0.0.2".parse().unwrap()].into());
    rows.len()
}

#[test]
fn a_fixed_address_is_there_for_the_service_that_asks_for_it() {
    on_virtual_time(async {
        let fake = Fake::new();
        let check = async |text: &str, options: Options, count: usize| {
            let done = up_with(&fake, &project(text), options).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            assert_eq!(addresses(&fake).await, count);
        };
        let forced = || Options {
            recreate: Recreate::Force,
            recreate_dependencies: Recreate::Force,
            ..options()
        };
        check(FIXED, options(), 3).await;
        check(FIXED, forced(), 3).await;
        // As many as there is room for.
        let full = FIXED.replace("cache: {", "cache: {scale: 3, ");
        check(&full, options(), 5).await;
        check(&full, forced(), 5).await;
        check(FIXED, options(), 3).await;
        // Started again, in whatever order.
        for name in ["shop-web-1", "shop-db-1", "shop-cache-1"] {
            fake.stop_container(name, None).await.unwrap();
        }
        check(FIXED, options(), 3).await;
        // The other services first, and then the one with the address.
        let fake = Fake::new();
        let mut some = project(FIXED);
        some.select(&["db".to_owned()], Dependencies::Include)
            .unwrap();
        up(&fake, &some).await;
        let done = up(&fake, &project(FIXED)).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(addresses(&fake).await, 3);
    });
}

#[test]
fn a_container_gives_up_an_address_that_another_service_asks_for() {
    on_virtual_time(async {
        for holder in ["shop-db-1", "shop-cache-1"] {
            let fake = Fake::new();
            // No service asks for an address yet.
            let before = FIXED.replace("{back: {ipv4_address: 10.0.0.2}}", "[back]");
            up(&fake, &project(&before)).await;
            let rows = fake.list_containers(Default::default()).await.unwrap();
            let holds = rows.iter().find(|row| row.name == holder).unwrap();
            let address = holds.addresses.first().unwrap().to_string();
            let after = FIXED.replace("10.0.0.2", &address);
            let text = render_text(&plan(&fake, &project(&after)).await, "shop", &|_| None);
            let why = format!(
                "recreate container {holder}  (it has the address {address}, which web asks for on \
                 network back)"
            );
            assert!(text.contains(&why), "{text}");
            let done = up(&fake, &project(&after)).await;
            assert!(done.report.is_success(), "{:#?}", done.report.failures);
            assert!(!plan(&fake, &project(&after)).await.changes_anything());
        }
    });
}

/// With `--no-recreate` nothing is done about it.
#[test]
fn a_container_that_has_the_fixed_address_of_another_is_named() {
    on_virtual_time(async {
        let fake = Fake::new();
        let without = "name: shop\nservices:\n  db: {image: busybox, networks: [back]}\nnetworks: {back: \
                       {ipam: {config: [{subnet: 10.0.0.0/29}]}}}\n";
        up(&fake, &project(without)).await;
        let keeping = Options {
            recreate: Recreate::Never,
            recreate_dependencies: Recreate::Never,
            ..options()
        };
        let done = up_with(&fake, &project(FIXED), keeping).await;
        let failure = &done.report.failures[0];
        assert_eq!(
            failure.message,
            "address 10.0.0.2 is taken: container shop-db-1 has it on network back"
        );
        let path = failure.path.as_deref();
        assert_eq!(path, Some("services.web.networks.back.ipv4_address"));
    });
}
