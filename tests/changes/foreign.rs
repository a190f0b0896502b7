//! Containers of another folder under the project's name, on the engine in memory.

use crate::on_fake::{on_virtual_time, project, up};
use regatta::engine::fake::{Fake, FakeImage};
use regatta::observe::{Observed, Scope, observe};
use regatta::plan::{Action, Plan};
use regatta::project::Project;
use regatta::reconcile::{Options, down, reconcile};

const THEIRS: &str = "services: {app: {image: i}, old: {image: i}}";

/// What another folder's project of the same name sees after theirs is up.
async fn observed(fake: &Fake) -> (Project, Observed) {
    fake.add_image(FakeImage::new("i"));
    up(fake, &project(THEIRS)).await;
    let mut ours = project("services: {app: {image: i}}");
    ours.working_dir = "/other".into();
    let scope = Scope {
        networks: true,
        volumes: true,
        images: true,
    };
    let observed = observe(fake, &ours, scope).await.expect("a snapshot");
    (ours, observed)
}

fn removed(plan: &Plan) -> Vec<String> {
    let steps = plan.steps().map(|(_, step)| &step.action);
    steps
        .filter(|action| matches!(action, Action::RemoveContainer { .. }))
        .map(|action| action.resource().to_string())
        .collect()
}

#[test]
fn orphans_of_another_folder_stay_unless_adopted() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (ours, observed) = observed(&fake).await;
        assert!(ours.is_name_implied);
        assert_eq!(observed.foreign_folders.len(), 1);
        for (adopt, expected) in [
            (false, &[][..]),
            (true, &["Container p-old-1", "Container p-app-1"]),
        ] {
            let options = Options {
                start: true,
                remove_orphans: true,
                adopt,
                ..Options::default()
            };
            let outcome = reconcile(&ours, &observed, &options);
            assert_eq!(removed(&outcome.plan), expected, "{adopt}");
            let causes: Vec<_> = outcome.plan.steps().map(|(_, s)| s.cause.clone()).collect();
            let is_told = causes.iter().any(|c| c == "it is taken over from /p");
            assert_eq!(is_told, adopt, "{causes:?}");
        }
    });
}

#[test]
fn down_leaves_them_too() {
    on_virtual_time(async {
        let fake = Fake::new();
        let (ours, observed) = observed(&fake).await;
        for (adopt, expected) in [
            (false, &["Container p-app-1"][..]),
            (true, &["Container p-app-1", "Container p-old-1"]),
        ] {
            let options = down::Options {
                remove_orphans: true,
                adopt,
                ..down::Options::default()
            };
            let plan = down::down(&ours, &observed, &[], &options).plan;
            assert_eq!(removed(&plan), expected, "{adopt}");
        }
    });
}
