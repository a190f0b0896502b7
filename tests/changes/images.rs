//! Which images are there, under all the names that one image has, and for the platform asked for.

use crate::on_fake::{names, on_virtual_time, options, plan, project, up, up_with};
use regatta::engine::fake::{Fake, FakeImage};
use regatta::image::policy::PullChoice;
use regatta::plan::render_text;
use regatta::project::Project;
use regatta::reconcile::Options;

/// Calls of a kind, with what they were about.
fn calls(fake: &Fake, method: &str) -> Vec<String> {
    let calls = fake.calls().into_iter();
    calls
        .filter(|call| call.method == method)
        .map(|call| call.target)
        .collect()
}

/// A project with a service for each way to write an image.
fn spelled(images: &[&str], more: &str) -> Project {
    let services = images
        .iter()
        .enumerate()
        .map(|(index, image)| format!("  s{index}: {{image: \"{image}\"{more}}}\n"));
    project(&format!(
        "name: shop\nservices:\n{}",
        services.collect::<String>()
    ))
}

/// An engine with some images that no registry has.
fn engine_with(images: &[&str]) -> Fake {
    let fake = Fake::new();
    for image in images {
        fake.add_image(FakeImage::new(image));
    }
    fake
}

#[test]
fn an_image_is_there_however_it_is_written() {
    let digest = FakeImage::new("nginx:1").id;
    let hex = digest.strip_prefix("sha256:").expect("a digest");
    let ways = [
        "nginx:1",
        "docker.io/nginx:1",
        "docker.io/library/nginx:1",
        "index.docker.io/library/nginx:1",
        "library/nginx:1",
        &format!("nginx@{digest}"),
        &format!("docker.io/library/nginx@{digest}"),
        &format!("docker.io/nginx:1@{digest}"),
        &digest,
        &hex[..12],
        "docker.io/me/app",
        "me/app:latest",
        "localhost:5000/library/app:2",
        "reg.example/a/b",
    ];
    let project = spelled(&ways, ", pull_policy: never");
    on_virtual_time(async {
        let fake = engine_with(&[
            "nginx:1",
            "me/app",
            "localhost:5000/library/app:2",
            "reg.example/a/b",
        ]);
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(names(&fake).len(), ways.len());
        assert!(plan(&fake, &project).await.is_empty());
        assert_eq!(calls(&fake, "pull_image"), [""; 0]);
    });
}

#[test]
fn one_image_is_pulled_once_however_it_is_written() {
    let project = spelled(
        &["nginx", "docker.io/library/nginx:latest", "docker.io/nginx"],
        "",
    );
    on_virtual_time(async {
        let fake = Fake::new();
        fake.add_remote_image(FakeImage::new("nginx"));
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        assert_eq!(calls(&fake, "pull_image"), ["nginx"]);
        let id = FakeImage::new("nginx").id;
        for container in fake.containers() {
            assert_eq!(container.labels["com.docker.compose.image"], id);
        }
        assert!(plan(&fake, &project).await.is_empty());
    });
}

#[test]
fn what_another_service_builds_is_not_pulled_however_it_is_written() {
    let project = project(
        "name: shop\nservices:\n  app: {build: ., image: docker.io/me/app}\n  job: {image: \"me/app:latest\"}\n",
    );
    on_virtual_time(async {
        let text = format!("{:?}", plan(&Fake::new(), &project).await);
        assert_eq!(text.matches("PullImage").count(), 1, "{text}");
        assert!(text.contains("optional: true"), "{text}");
    });
}

#[test]
fn images_are_asked_for_in_one_list_by_the_names_that_the_engine_knows() {
    let project = spelled(&["docker.io/library/busybox", "docker.io/me/app:1"], "");
    on_virtual_time(async {
        let fake = engine_with(&["me/app:1"]);
        assert!(!plan(&fake, &project).await.is_empty());
        assert_eq!(calls(&fake, "list_images"), ["busybox:latest,me/app:1"]);
        assert_eq!(calls(&fake, "inspect_image"), [""; 0]);
    });
}

/// A project whose environment names a default platform.
fn on_default_platform(yaml: &str, platform: &str) -> Project {
    let mut project = project(yaml);
    let name = "DOCKER_DEFAULT_PLATFORM".to_owned();
    project.environment.insert(name, platform.to_owned());
    project
}

#[test]
fn the_default_platform_is_pulled_created_and_kept() {
    let yaml = "name: shop\nservices:\n  web: {image: nginx}\n  job: {image: busybox, platform: linux/amd64}\n";
    let project = on_default_platform(yaml, "linux/arm64");
    on_virtual_time(async {
        let fake = engine_with(&["nginx"]);
        fake.add_remote_image(FakeImage::new("nginx"));
        fake.add_remote_image(FakeImage::new("nginx").on("linux/arm64/v8"));
        let done = up(&fake, &project).await;
        assert!(done.report.is_success(), "{:?}", done.report.failures);
        // The image of another architecture is as good as none.
        assert_eq!(calls(&fake, "pull_image"), ["nginx"]);
        let web = fake.container("shop-web-1").expect("a container");
        assert_eq!(
            web.image_id,
            FakeImage::new("nginx").on("linux/arm64/v8").id
        );
        assert!(plan(&fake, &project).await.is_empty());
    });
}

#[test]
fn where_nothing_has_the_default_platform_nothing_else_is_started() {
    let yaml = "name: shop\nservices:\n  web: {image: nginx}\n";
    let project = on_default_platform(yaml, "linux/arm64");
    on_virtual_time(async {
        let fake = engine_with(&["nginx"]);
        fake.add_remote_image(FakeImage::new("nginx"));
        let done = up(&fake, &project).await;
        assert!(!done.report.is_success());
        assert!(fake.containers().is_empty());
    });
}

#[test]
fn a_pull_for_another_platform_is_told_as_that() {
    let yaml = "name: shop\nservices:\n  job: {image: nginx, platform: linux/amd64}\n  web: {image: nginx}\n";
    let project = on_default_platform(yaml, "linux/arm64");
    on_virtual_time(async {
        let fake = engine_with(&["nginx"]);
        let text = render_text(&plan(&fake, &project).await, "shop", &|_| None);
        let expected = "  + pull image nginx  (the local image is not for linux/arm64)\n";
        assert!(text.contains(expected), "{text}");
        // Where it fails, the service is named that needs the pull.
        let done = up(&fake, &project).await;
        let places: Vec<_> = done.report.failures.iter().map(|f| &f.path).collect();
        assert_eq!(places, [&Some("services.web.image".to_owned())]);
    });
}

#[test]
fn a_build_that_leaves_the_default_platform_out_is_refused() {
    let yaml = "name: shop\nservices:\n  app: {build: {context: ., platforms: [linux/amd64]}}\n";
    let project = on_default_platform(yaml, "linux/arm64");
    on_virtual_time(async {
        let (fake, mut options) = (Fake::new(), options());
        let prepared = regatta::change::prepare(
            &fake,
            &project,
            &mut options,
            &mut regatta::change::agree_to_nothing,
        )
        .await
        .expect("a snapshot");
        let obstacle = &prepared.outcome.obstacles[0];
        assert_eq!(obstacle.path, "services.app.build.platforms");
        assert!(
            obstacle.message.contains("linux/arm64"),
            "{}",
            obstacle.message
        );
    });
}

/// The registry is away, or has no such image: what is here goes on, as it may have been built here.
#[test]
fn an_image_that_can_be_built_stays_where_the_newest_cannot_be_pulled() {
    let built = project("name: shop\nservices:\n  app: {build: ., image: me/app}\n");
    let both = project(
        "name: shop\nservices:\n  app: {build: ., image: me/app}\n  aide: {image: docker.io/me/app}\n",
    );
    let only_named = project("name: shop\nservices:\n  app: {image: me/app}\n");
    let always = || Options {
        pull: Some(PullChoice::Always),
        ..options()
    };
    on_virtual_time(async {
        for project in [built, both] {
            let fake = engine_with(&["me/app"]);
            up(&fake, &project).await;
            let before = names(&fake);
            fake.forget_calls();
            let done = up_with(&fake, &project, always()).await;
            assert!(done.report.is_success(), "{:?}", done.report.failures);
            assert_eq!(names(&fake), before);
            assert_eq!(calls(&fake, "pull_image").len(), 1);
            assert_eq!(calls(&fake, "build_image"), [""; 0]);
        }
        let fake = engine_with(&["me/app"]);
        let done = up_with(&fake, &only_named, always()).await;
        assert!(!done.report.is_success(), "only a registry can have it");
        assert!(fake.containers().is_empty());
    });
}
