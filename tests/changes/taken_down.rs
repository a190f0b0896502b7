//! What `down` takes away and what it leaves, on the engine in memory.

use crate::on_fake::{self, execute, labelled, loaded, on_virtual_time, project, up, up_with};
use regatta::engine::fake::{Fake, FakeImage};
use regatta::engine::{ContainerRequest, Engine};
use regatta::event::{Kind, Status};
use regatta::observe::{Observed, Scope, declare_oneoffs, observe};
use regatta::output::words::{Line, lines};
use regatta::project::Project;
use regatta::reconcile::down::{Images, Options, down};
use regatta::reconcile::{Outcome, lifecycle};
use serde_json::json;

const SCOPE: Scope = Scope {
    networks: true,
    volumes: true,
    images: false,
};

/// Takes services down; gives the warnings, and the progress.
async fn take_down(
    fake: &Fake,
    project: &Project,
    services: &[&str],
    options: Options,
) -> (Vec<String>, Vec<Line>) {
    let observed = observe(fake, project, SCOPE).await.expect("a snapshot");
    take_down_over(fake, project, &observed, services, options).await
}

async fn take_down_over(
    fake: &Fake,
    project: &Project,
    observed: &Observed,
    services: &[&str],
    options: Options,
) -> (Vec<String>, Vec<Line>) {
    let options = Options {
        services: services.iter().map(|s| (*s).to_owned()).collect(),
        ..options
    };
    let images = fake.list_images(Vec::new()).await.expect("images");
    let Outcome { plan, warnings, .. } = down(project, observed, &images, &options);
    let (report, told) = execute(fake, project, observed, plan).await;
    assert!(report.is_success(), "{:#?}", report.failures);
    (warnings, told.iter().flat_map(lines).collect())
}

/// Names of what is left, without the networks that are always there.
fn left(fake: &Fake) -> String {
    let mut names: Vec<String> = fake.containers().into_iter().map(|c| c.name).collect();
    names.extend(fake.volumes().into_iter().map(|v| v.name));
    let networks = fake.networks().into_iter().map(|n| n.name);
    names.extend(networks.filter(|n| n.starts_with("shop_")));
    names.sort_unstable();
    names.join(" ")
}

/// A container of `docker compose run`.
async fn oneoff(fake: &Fake, service: &str, volume: Option<&str>) -> String {
    let name = format!("shop-{service}-run-1");
    let binds: Vec<String> = volume.map(|v| format!("{v}:/x")).into_iter().collect();
    let request = ContainerRequest {
        name: name.clone(),
        platform: None,
        body: json!({
            "Image": "busybox",
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": service,
                "com.docker.compose.oneoff": "True",
                "com.docker.compose.config-hash": "x",
            },
            "HostConfig": { "NetworkMode": "shop_default", "Binds": binds },
        }),
    };
    let id = fake.create_container(request).await.expect("a container");
    fake.start_container(&id).await.expect("a start");
    name
}

fn with_volumes() -> Options {
    Options {
        volumes: true,
        ..Options::default()
    }
}

const SHOP: &str = "\
name: shop
services:
  a: {image: busybox}
  db: {image: busybox, scale: 2, volumes: ['data:/data']}
volumes: {data: {}}
";

#[test]
fn a_service_that_goes_takes_nobody_elses_data() {
    // What is taken down, one after the other, with -v the last time, and what is left then.
    let shared = SHOP.replace(
        "a: {image: busybox}",
        "a: {image: busybox, volumes: ['data:/d']}",
    );
    let lent = SHOP.replace(
        "a: {image: busybox}",
        "a: {image: busybox, volumes_from: [db]}",
    );
    let inactive = SHOP.replace(
        "  db:",
        "  backup: {image: busybox, profiles: [tools], volumes: ['data:/d']}\n  db:",
    );
    let external = SHOP.replace("data: {}", "data: {name: shop_data, external: true}");
    let twice = SHOP
        .replace(
            "a: {image: busybox}",
            "a: {image: busybox, volumes: ['same:/d']}",
        )
        .replace(
            "data: {}",
            "data: {name: shop_data}, same: {name: shop_data}",
        );
    let kept = |by: &str| format!("volume shop_data is not removed: {by} uses it");
    for (text, steps, rest, warning) in [
        (SHOP, &["db", "a"][..], "shop_data shop_default", None),
        (
            SHOP,
            &["a"],
            "shop-db-1 shop-db-2 shop_data shop_default",
            None,
        ),
        (SHOP, &["a", "db"], "shop_default", None),
        (
            &shared,
            &["db"],
            "shop-a-1 shop_data shop_default",
            Some("service a"),
        ),
        (
            &shared,
            &["a", "db"],
            "shop_data shop_default",
            Some("service a"),
        ),
        (
            &lent,
            &["db"],
            "shop-a-1 shop_data shop_default",
            Some("service a"),
        ),
        (
            &lent,
            &["a"],
            "shop-db-1 shop-db-2 shop_data shop_default",
            Some("service db"),
        ),
        (
            &inactive,
            &["db"],
            "shop-a-1 shop_data shop_default",
            Some("service backup"),
        ),
        (&external, &["db"], "shop-a-1 shop_data shop_default", None),
        (
            &twice,
            &["db"],
            "shop-a-1 shop_data shop_default",
            Some("service a"),
        ),
    ] {
        on_virtual_time(async {
            let fake = Fake::new();
            let project = project(text);
            if text == external {
                let request = regatta::engine::ResourceRequest {
                    name: "shop_data".into(),
                    body: json!({ "Name": "shop_data" }),
                };
                fake.create_volume(request).await.expect("a volume");
            }
            up(&fake, &project).await;
            let (last, first) = steps.split_last().expect("a step");
            for service in first {
                take_down(&fake, &project, &[service], Options::default()).await;
            }
            let (warnings, _) = take_down(&fake, &project, &[last], with_volumes()).await;
            assert_eq!(left(&fake), rest, "{steps:?}\n{text}");
            let expected: Vec<String> = warning.map(kept).into_iter().collect();
            assert_eq!(warnings, expected, "{steps:?}\n{text}");
        });
    }
}

#[test]
fn services_that_share_a_volume_take_it_along_together() {
    on_virtual_time(async {
        let fake = Fake::new();
        let text = SHOP.replace(
            "a: {image: busybox}",
            "a: {image: busybox, volumes_from: [db]}",
        );
        let project = project(&text);
        up(&fake, &project).await;
        let (warnings, _) = take_down(&fake, &project, &["a", "db"], with_volumes()).await;
        // Nobody else uses the network, either.
        assert_eq!((left(&fake).as_str(), warnings.len()), ("", 0));
    });
}

#[test]
fn without_a_file_the_containers_tell_who_uses_what() {
    for (services, rest) in [
        (&["a"][..], "shop-db-1 shop-db-2 shop_data shop_default"),
        (&["db"], "shop-a-1 shop_default"),
        (&["a", "db"], ""),
    ] {
        on_virtual_time(async {
            let fake = Fake::new();
            up(&fake, &project(SHOP)).await;
            for name in ["shop-a-1", "shop-db-1", "shop-db-2"] {
                fake.stop_container(name, None).await.expect("a stop");
            }
            let (project, observed) = labelled(&fake, "shop").await;
            take_down_over(&fake, &project, &observed, services, with_volumes()).await;
            assert_eq!(left(&fake), rest, "{services:?}");
        });
    }
    // Data that no container mounts any more is not known to be of the services named.
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(SHOP)).await;
        for services in [["db"], ["a"]] {
            let (project, observed) = labelled(&fake, "shop").await;
            let volumes = services == ["a"];
            let options = Options {
                volumes,
                ..Options::default()
            };
            take_down_over(&fake, &project, &observed, &services, options).await;
        }
        assert_eq!(left(&fake), "shop_data");
    });
}

#[test]
fn a_network_stays_for_services_declared_on_it_and_containers_on_it() {
    let text = "\
name: shop
services:
  a: {image: busybox, networks: [own, both]}
  b: {image: busybox, networks: [both]}
  z: {image: busybox, networks: [both], profiles: [tools]}
networks: {own: {}, both: {}}
";
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(text);
        up(&fake, &project).await;
        fake.stop_container("shop-b-1", None).await.expect("a stop");
        take_down(&fake, &project, &["a"], Options::default()).await;
        assert_eq!(left(&fake), "shop-b-1 shop_both");
        fake.start_container("shop-b-1").await.expect("a start");
        // Of what a profile leaves out, as long as some is declared.
        take_down(&fake, &project, &["b"], Options::default()).await;
        assert_eq!(left(&fake), "shop_both");
        take_down(&fake, &project, &[], Options::default()).await;
        assert_eq!(left(&fake), "");
    });
}

#[test]
fn a_container_of_run_keeps_what_it_uses() {
    on_virtual_time(async {
        let fake = Fake::new();
        let text = "name: shop\nservices: {a: {image: busybox, volumes: ['data:/d']}}\nvolumes: {data: {}}";
        let project = project(text);
        up(&fake, &project).await;
        let name = oneoff(&fake, "old", Some("shop_data")).await;
        fake.exit(&name, 0);
        let (warnings, _) = take_down(&fake, &project, &["a"], with_volumes()).await;
        assert_eq!(left(&fake), format!("{name} shop_data shop_default"));
        let expected = format!("volume shop_data is not removed: container {name} uses it");
        assert_eq!(warnings, [expected]);
    });
}

#[test]
fn containers_of_run_go_with_the_project() {
    // Also of a service that is not declared any more, or in a profile that is not active; with and
    // without --remove-orphans, and whether it has ended.
    for service in ["a", "old", "tool"] {
        for (orphans, ended) in [(true, false), (true, true), (false, false), (false, true)] {
            on_virtual_time(async {
                let fake = Fake::new();
                let text = "name: shop\nservices: {a: {image: busybox}, tool: {image: busybox, profiles: [tools]}}";
                let project = project(text);
                up(&fake, &project).await;
                let name = oneoff(&fake, service, None).await;
                if ended {
                    fake.exit(&name, 0);
                }
                let options = Options {
                    remove_orphans: orphans,
                    ..Options::default()
                };
                let (_, events) = take_down(&fake, &project, &[], options).await;
                assert_eq!(
                    left(&fake),
                    "",
                    "{service}, orphans {orphans}, ended {ended}"
                );
                let network: Vec<_> = events
                    .iter()
                    .filter(|e| e.id == "Network shop_default")
                    .map(|e| (e.status, e.text.as_str()))
                    .collect();
                assert_eq!(
                    network,
                    [(Status::Working, "Removing"), (Status::Done, "Removed")]
                );
            });
        }
    }
}

#[test]
fn without_a_file_containers_of_run_go_also_where_nothing_else_is_left() {
    for ended in [false, true] {
        on_virtual_time(async {
            let fake = Fake::new();
            let shop = project("name: shop\nservices: {a: {image: busybox}}");
            up(&fake, &shop).await;
            let name = oneoff(&fake, "a", None).await;
            take_down(&fake, &shop, &[], Options::default()).await;
            if ended {
                fake.exit(&name, 0);
            }
            let (mut project, observed) = labelled(&fake, "shop").await;
            declare_oneoffs(&mut project, &observed);
            take_down_over(&fake, &project, &observed, &[], Options::default()).await;
            assert_eq!(left(&fake), "", "ended {ended}");
        });
    }
}

#[test]
fn a_stopped_container_of_an_inactive_profile_keeps_its_network() {
    let text = "\
name: shop
services:
  a: {image: busybox}
  z: {image: busybox, profiles: [tools]}
";
    on_virtual_time(async {
        let fake = Fake::new();
        let mut all = loaded(text).project.expect("a project");
        let z = all.disabled.remove("z").expect("z is not active");
        all.services.insert("z".into(), z);
        up(&fake, &all).await;
        fake.stop_container("shop-z-1", None).await.expect("a stop");
        let project = project(text);
        let (warnings, _) = take_down(&fake, &project, &[], Options::default()).await;
        assert_eq!(left(&fake), "shop-z-1 shop_default");
        let expected = "network shop_default is not removed: container shop-z-1 uses it";
        assert_eq!(warnings, [expected]);
        fake.start_container("shop-z-1").await.expect("a start");
    });
}

#[test]
fn images_go_with_the_last_service_that_uses_them() {
    let text = "\
name: shop
services:
  a: {image: busybox}
  b: {image: alpine}
  c: {image: 'docker.io/library/alpine:latest'}
  d: {image: redis}
  e: {image: redis, profiles: [tools]}
  f: {build: .}
  g: {build: .}
  h: {image: nginx, volumes: [{type: image, source: postgres, target: /x}]}
  i: {image: postgres}
";
    let built = |service: &str| FakeImage {
        labels: [
            ("com.docker.compose.project".to_owned(), "shop".to_owned()),
            ("com.docker.compose.service".to_owned(), service.to_owned()),
        ]
        .into(),
        ..FakeImage::new(&format!("shop-{service}"))
    };
    let both =
        |user: &str, image: &str| format!("image {image} is not removed: service {user} uses it");
    for (services, mode, gone, warning) in [
        (&["a"][..], Images::All, &["busybox:latest"][..], None),
        (&["a"], Images::Local, &[], None),
        (&["b"], Images::All, &[], Some(both("c", "alpine:latest"))),
        (&["b", "c"], Images::All, &["alpine:latest"], None),
        (&["d"], Images::All, &[], Some(both("e", "redis:latest"))),
        (&["f"], Images::Local, &["shop-f:latest"], None),
        (&["f"], Images::All, &["shop-f:latest"], None),
        (&["i"], Images::All, &[], Some(both("h", "postgres:latest"))),
    ] {
        on_virtual_time(async {
            let fake = Fake::new();
            let tags = ["busybox", "alpine", "redis", "nginx", "postgres"];
            let all = tags.map(FakeImage::new).into_iter();
            for image in all.chain(["f", "g", "old"].map(built)) {
                fake.add_image(image);
            }
            let project = project(text);
            let tags = async || {
                let images = fake.list_images(Vec::new()).await.expect("images");
                let tags = images.into_iter().flat_map(|image| image.tags);
                tags.collect::<std::collections::BTreeSet<String>>()
            };
            let before = tags().await;
            let options = Options {
                images: Some(mode),
                ..Options::default()
            };
            let (warnings, _) = take_down(&fake, &project, services, options).await;
            let after = tags().await;
            let missing: Vec<&String> = before.difference(&after).collect();
            assert_eq!(missing, gone, "{services:?} {mode:?}");
            let expected: Vec<String> = warning.into_iter().collect();
            assert_eq!(warnings, expected, "{services:?} {mode:?}");
        });
    }
}

#[test]
fn what_is_still_in_use_is_not_called_removed() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(SHOP);
        up(&fake, &project).await;
        // Of another project, and so nothing that this one knows.
        let request = ContainerRequest {
            name: "stranger".into(),
            platform: None,
            body: json!({
                "Image": "busybox",
                "HostConfig": { "NetworkMode": "shop_default", "Binds": ["shop_data:/d"] },
            }),
        };
        let id = fake.create_container(request).await.expect("a container");
        fake.start_container(&id).await.expect("a start");
        let options = Options {
            volumes: true,
            images: Some(Images::All),
            ..Options::default()
        };
        let (_, events) = take_down(&fake, &project, &[], options).await;
        for id in [
            "Network shop_default",
            "Volume shop_data",
            "Image busybox:latest",
        ] {
            let shown: Vec<_> = events
                .iter()
                .filter(|e| e.id == id)
                .map(|e| (e.status, e.text.as_str()))
                .collect();
            let expected = [
                (Status::Working, "Removing"),
                (Status::Warning, "Resource is still in use"),
            ];
            assert_eq!(shown, expected, "{id}");
        }
        assert!(left(&fake).contains("shop_data shop_default"));
    });
}

#[test]
fn a_volume_that_is_still_in_use_is_not_called_recreated() {
    on_virtual_time(async {
        let fake = Fake::new();
        up(&fake, &project(SHOP)).await;
        let request = ContainerRequest {
            name: "stranger".into(),
            platform: None,
            body: json!({ "Image": "busybox", "HostConfig": { "Binds": ["shop_data:/d"] } }),
        };
        fake.create_container(request).await.expect("a container");
        let changed = project(&SHOP.replace("data: {}", "data: {labels: {v: two}}"));
        let options = regatta::reconcile::Options {
            recreate_volumes: ["data".to_owned()].into(),
            ..on_fake::options()
        };
        let report = up_with(&fake, &changed, options).await.report;
        let failure = report.failures.first().expect("a failure");
        assert_eq!(failure.resource, "Volume shop_data");
        assert!(failure.message.contains("volume is in use"), "{failure:?}");
        let volume = fake.volumes().into_iter().find(|v| v.name == "shop_data");
        assert!(!volume.expect("the volume").labels.contains_key("v"));
    });
}

#[test]
fn what_is_gone_already_is_not_called_removed() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(SHOP);
        up(&fake, &project).await;
        take_down(&fake, &project, &["a", "db"], Options::default()).await;
        let observed = {
            up(&fake, &project).await;
            observe(&fake, &project, SCOPE).await.expect("a snapshot")
        };
        let images = fake.list_images(Vec::new()).await.expect("images");
        let options = Options {
            images: Some(Images::All),
            ..Options::default()
        };
        let plan = down(&project, &observed, &images, &options).plan;
        // Somebody else is quicker.
        take_down(&fake, &project, &[], options).await;
        let (report, told) = execute(&fake, &project, &observed, plan).await;
        assert!(report.is_success(), "{:#?}", report.failures);
        let end = |id: &str| {
            let mut lines = told.iter().flat_map(lines).filter(|line| line.id == id);
            let last = lines.next_back().expect("a line");
            (last.status, last.text)
        };
        let text = "No resource found to remove";
        let (progress, said) = end("Network shop_default");
        assert_eq!((progress, said.as_str()), (Status::Warning, text));
        let (progress, said) = end("Image busybox:latest");
        assert_eq!(progress, Status::Done);
        assert_eq!(said, format!("Warning: {text}"));
    });
}

/// Docker Compose tells of containers that are stopped already as if it stopped them.
#[test]
fn what_is_stopped_already_is_told_of() {
    on_virtual_time(async {
        let fake = Fake::new();
        let project = project(SHOP);
        up(&fake, &project).await;
        let look = async || observe(&fake, &project, SCOPE).await.expect("a snapshot");
        let told = |kinds: &[Kind]| -> Vec<String> {
            let lines = kinds.iter().flat_map(lines);
            lines.map(|l| format!("{} {}", l.id, l.text)).collect()
        };
        let stop = |seen: &Observed| lifecycle::stop(&project, seen, &[].into(), true, None);
        let seen = look().await;
        let (_, first) = execute(&fake, &project, &seen, stop(&seen)).await;
        let seen = look().await;
        let again = stop(&seen);
        assert!(again.is_empty(), "nothing is asked of the engine");
        let (_, second) = execute(&fake, &project, &seen, again).await;
        let sorted = |kinds: &[Kind]| {
            let mut lines = told(kinds);
            lines.sort();
            lines
        };
        assert!(!told(&first).is_empty());
        assert_eq!(sorted(&first), sorted(&second));
        // `down` says it of each before its removal.
        let plan = down(&project, &seen, &[], &Options::default()).plan;
        let (_, third) = execute(&fake, &project, &seen, plan).await;
        let third = told(&third);
        let at = |line: &str| third.iter().position(|l| l == line).expect("the line");
        for name in ["shop-a-1", "shop-db-1"] {
            let [stopping, stopped, removing] = ["Stopping", "Stopped", "Removing"]
                .map(|word| at(&format!("Container {name} {word}")));
            assert!(stopping < stopped && stopped < removing, "{third:#?}");
        }
    });
}
