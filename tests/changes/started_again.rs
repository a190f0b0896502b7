//! `start` and `restart` over containers that exist, some of which do not, on the engine in memory.

use crate::on_fake::{self, execute, labelled, on_virtual_time, options, project, up, up_with};
use regatta::engine::fake::{Fake, Script};
use regatta::engine::{ContainerState, Engine};
use regatta::event::Kind;
use regatta::execute::Report;
use regatta::labels;
use regatta::observe::{Observed, Scope, observe};
use regatta::project::{Dependencies, Project};
use regatta::reconcile::{Options, lifecycle};
use std::collections::BTreeSet;
use std::time::Duration;

const SHOP: &str = "\
name: shop
services:
  job:
    image: busybox
    depends_on: {migration: {condition: service_completed_successfully, restart: true}}
  migration: {image: busybox, environment: [ROLE=migration]}
  web: {image: busybox, depends_on: [job]}
  free: {image: busybox}
";

/// An engine where a migration ends with a status.
fn engine(status: i64) -> Fake {
    let fake = Fake::new();
    fake.cast(
        move |_, body| match body["Env"].to_string().contains("ROLE=migration") {
            true => Script::exits(Duration::from_secs(1), status),
            false => Script::default(),
        },
    );
    fake
}

/// The shop with all its containers created, as far as they are left.
async fn created(fake: &Fake, text: &str, removed: &[&str]) -> Project {
    let project = project(text);
    let options = Options {
        start: false,
        ..options()
    };
    let done = up_with(fake, &project, options).await;
    assert!(done.report.is_success(), "{:#?}", done.report.failures);
    for container in fake.containers() {
        if removed.iter().any(|s| container.name.contains(s)) {
            let removal = fake.remove_container(&container.id, true, false);
            removal.await.expect("a removal");
        }
    }
    project
}

async fn look(fake: &Fake, project: &Project) -> Observed {
    let observed = observe(fake, project, Scope::CONTAINERS).await;
    observed.expect("a snapshot")
}

/// What runs now, without the project's name.
fn running(fake: &Fake) -> String {
    let containers = fake.containers().into_iter();
    let up = containers.filter(|c| c.state == ContainerState::Running);
    let mut names: Vec<String> = up
        .map(|c| c.name["shop-".len()..c.name.len() - 2].to_owned())
        .collect();
    names.sort_unstable();
    names.join(" ")
}

async fn start(
    fake: &Fake,
    mut project: Project,
    observed: &Observed,
    services: &[&str],
) -> (Report, Vec<String>) {
    let named: Vec<String> = services.iter().map(|s| (*s).to_owned()).collect();
    let selected = project.select(&named, Dependencies::Include);
    selected.expect("services");
    let options = Options {
        named: named.into_iter().collect(),
        ..options()
    };
    let outcome = lifecycle::start(&project, observed, &options);
    assert_eq!(outcome.obstacles, []);
    let (report, told) = execute(fake, &project, observed, outcome.plan).await;
    let told = told.into_iter().filter_map(|kind| match kind {
        Kind::Warning { message } => Some(message),
        _ => None,
    });
    (report, outcome.warnings.into_iter().chain(told).collect())
}

fn messages(report: &Report) -> Vec<&str> {
    let failures = report.failures.iter();
    failures.map(|f| f.message.as_str()).collect()
}

const MISSING: &str =
    "migration has no container, and job depends on it (service_completed_successfully)";

#[test]
fn what_is_there_is_started() {
    let optional = SHOP.replace("restart: true", "required: false");
    let simple = SHOP.replace(
        "{migration: {condition: service_completed_successfully, restart: true}}",
        "[migration]",
    );
    let never = |service: &str| {
        format!("service {service:?} has no container to start: create it with `up` or `create`")
    };
    // The file, what was removed, what is started, what runs then, what is told.
    for (text, removed, services, expected, failures, warnings) in [
        (SHOP, &["web"][..], &[][..], "free job", &[][..], vec![]),
        (SHOP, &["web", "job"], &[], "free", &[], vec![]),
        (SHOP, &["free"], &["free"], "", &[], vec![never("free")]),
        (SHOP, &["job"], &["web"], "web", &[], vec![]),
        (SHOP, &["migration"], &[], "free", &[MISSING], vec![]),
        (SHOP, &["migration", "job"], &[], "free web", &[], vec![]),
        (
            &optional,
            &["migration"],
            &["job"],
            "job",
            &[],
            vec![MISSING.to_owned()],
        ),
        (&simple, &["migration"], &["job"], "job", &[], vec![]),
    ] {
        on_virtual_time(async {
            let fake = engine(0);
            let project = created(&fake, text, removed).await;
            let observed = look(&fake, &project).await;
            let (report, told) = start(&fake, project, &observed, services).await;
            let case = format!("without {removed:?}, start {services:?}\n{text}");
            assert_eq!(running(&fake), expected, "{case}");
            assert_eq!(messages(&report), failures, "{case}");
            assert_eq!(told, warnings, "{case}");
        });
    }
}

#[test]
fn where_nothing_was_created_there_is_nothing_to_start() {
    on_virtual_time(async {
        let fake = engine(0);
        let project = project(SHOP);
        let observed = look(&fake, &project).await;
        let outcome = lifecycle::start(&project, &observed, &options());
        assert_eq!(outcome.obstacles.len(), 4);
        assert!(outcome.plan.is_empty());
    });
}

#[test]
fn start_with_a_wait_misses_what_was_never_created() {
    on_virtual_time(async {
        let fake = engine(0);
        let project = created(&fake, SHOP, &["free"]).await;
        let observed = look(&fake, &project).await;
        let options = Options {
            wait: true,
            ..options()
        };
        let plan = lifecycle::start(&project, &observed, &options).plan;
        let (report, _) = execute(&fake, &project, &observed, plan).await;
        let expected = "free has no container, and --wait waits for it";
        assert_eq!(messages(&report), [expected]);
        assert_eq!(running(&fake), "job web");
    });
}

#[test]
fn without_a_file_what_a_service_needs_is_needed() {
    // The migration's status, or none where its container is gone.
    for (status, services, expected, fails) in [
        (Some(0), &[][..], "free job web", false),
        (Some(1), &[], "free", true),
        (Some(1), &["free"], "free", false),
        (Some(1), &["job"], "", true),
        (None, &[], "free", true),
        (None, &["job"], "", true),
        (None, &["free"], "free", false),
    ] {
        on_virtual_time(async {
            let fake = engine(status.unwrap_or_default());
            let removed: &[&str] = match status {
                None => &["migration"],
                Some(_) => &[],
            };
            created(&fake, SHOP, removed).await;
            let (project, observed) = labelled(&fake, "shop").await;
            let (report, _) = start(&fake, project, &observed, services).await;
            assert_eq!(running(&fake), expected, "{status:?} {services:?}");
            assert_eq!(!report.is_success(), fails, "{status:?} {services:?}");
        });
    }
}

#[test]
fn a_restart_needs_what_is_restarted_with_it() {
    // From the file and from labels, with the migration failing or gone.
    for (by_labels, status, expected) in [
        (false, Some(0), "free job web"),
        (true, Some(0), "free job web"),
        (false, Some(1), "free"),
        (true, Some(1), "free"),
        (false, None, "free"),
        // Nothing tells that it is to be there.
        (true, None, "free job web"),
    ] {
        on_virtual_time(async {
            let fake = engine(status.unwrap_or_default());
            let removed: &[&str] = match status {
                None => &["migration"],
                Some(_) => &[],
            };
            let project = created(&fake, SHOP, removed).await;
            let (project, observed) = match by_labels {
                true => labelled(&fake, "shop").await,
                false => {
                    let observed = look(&fake, &project).await;
                    (project, observed)
                }
            };
            let all = BTreeSet::new();
            let plan = lifecycle::restart(&project, &observed, &all, true, None, true);
            let (report, _) = execute(&fake, &project, &observed, plan).await;
            assert_eq!(running(&fake), expected, "{by_labels} {status:?}");
            let is_up = expected.contains("job");
            assert_eq!(report.is_success(), is_up, "{:#?}", report.failures);
        });
    }
}

#[test]
fn a_label_that_names_an_optional_dependency_recreates_nothing() {
    let text = "\
name: shop
services:
  web: {image: busybox, depends_on: {tracing: {condition: service_started, required: false}}}
  tracing: {image: busybox, profiles: [dev]}
";
    on_virtual_time(async {
        let fake = Fake::new();
        // As an earlier version labelled it: with the profile's service in the project.
        let mut all = project(text);
        let tracing = all.disabled.remove("tracing").expect("it is not active");
        all.services.insert("tracing".into(), tracing);
        up(&fake, &all).await;
        let label =
            |fake: &Fake| fake.container("shop-web-1").unwrap().labels[labels::DEPENDS_ON].clone();
        assert_eq!(label(&fake), "tracing:service_started:false");
        let now = project(text);
        let plan = on_fake::plan(&fake, &now).await;
        assert!(!plan.changes_anything(), "{plan:?}");
        // And without a file it starts, though that container is gone.
        fake.stop_container("shop-web-1", None)
            .await
            .expect("a stop");
        fake.remove_container("shop-tracing-1", true, false)
            .await
            .expect("a removal");
        let (project, observed) = labelled(&fake, "shop").await;
        let (report, _) = start(&fake, project, &observed, &["web"]).await;
        assert!(report.is_success(), "{:#?}", report.failures);
        // What is made now names nothing that is not there.
        let changed = text.replace("web: {", "web: {init: true, ");
        let done = up(&fake, &on_fake::project(&changed)).await;
        assert!(done.report.is_success(), "{:#?}", done.report.failures);
        assert_eq!(label(&fake), "");
    });
}
