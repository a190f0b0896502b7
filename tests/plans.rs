//! What a plan says, for projects on the engine in memory: the text is the expectation.

#[path = "support/on_fake.rs"]
mod on_fake;

use on_fake::{loaded, on_virtual_time, plan, project, up};
use regatta::engine::fake::{Fake, FakeImage};
use regatta::plan::{Plan, SCHEMA_VERSION, render_json, render_text};

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
  ~ recreate container shop-web-1  (environment.DB_PASSWORD: (secret) → (secret) (and 1 more))
      environment.DB_PASSWORD: (secret) → (secret)  compose.yaml:11:20
      environment.LEVEL: info → debug  compose.yaml:10:14
  . stop container shop-web-2  (scale 2 → 1)
  - remove container shop-web-2  (scale 2 → 1)
",
    );
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
