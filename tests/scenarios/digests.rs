//! Images by digest, as a registry has them.

use crate::registry::Registry;
use crate::support::Stack;
use serde_json::json;

/// An image of no layers, which is enough to have a digest.
fn image(registry: &Registry, name: &str) -> String {
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let digest = registry.put_blob(name, config);
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": config.len(),
            "digest": digest,
        },
        "layers": [],
    });
    registry.put_manifest(name, "1", &manifest)
}

#[test]
fn images_are_pinned() {
    let registry = Registry::start();
    let digest = image(&registry, "me/app");
    let name = format!("{}/me/app:1", registry.host());
    let stack = Stack::new(
        "digests",
        &format!("services:\n  app: {{image: '{name}'}}\n  built: {{build: .}}\n"),
    );
    let shown = stack.run("config --resolve-image-digests").success();
    let pinned = format!("image: {name}@{digest}\n");
    assert!(shown.stdout.contains(&pinned), "{shown}");
    assert!(shown.stdout.contains("dockerfile: Dockerfile"), "{shown}");
    let locked = stack.run("config --lock-image-digests").success();
    assert_eq!(
        locked.stdout,
        format!("services:\n  app:\n    {pinned}  built: {{}}\n")
    );
    // Laid over the project's file, it pins what that says.
    stack.write("lock.yaml", &locked.stdout);
    let both = stack.run("-f compose.yaml -f lock.yaml config").success();
    assert!(both.stdout.contains(&pinned), "{both}");

    stack.edit("app:1", "app:2");
    let failed = stack.run("config --resolve-image-digests").code(1);
    for words in [
        "compose.yaml:2:16",
        "unresolved-image",
        "services.app.image",
        "app:2: ",
    ] {
        assert!(failed.stderr.contains(words), "{words}: {failed}");
    }
}

/// The engine is told the credentials of Docker's client.
#[test]
fn a_registry_that_wants_a_password() {
    // The password is `secret`.
    let line = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    let registry = Registry::guarded(line, "bWU6c2VjcmV0");
    let digest = image(&registry, "app");
    let name = format!("{}/app:1", registry.host());
    let stack = Stack::new("login", &format!("services:\n  app: {{image: '{name}'}}\n"));
    let failed = stack.run("config --resolve-image-digests").code(1);
    assert!(
        failed.stderr.contains("no basic auth credentials"),
        "{failed}"
    );
    let host = registry.host();
    stack.write(
        ".docker/config.json",
        &json!({"auths": {host: {"auth": "bWU6c2VjcmV0"}}}).to_string(),
    );
    let shown = stack.run("config --resolve-image-digests").success();
    assert!(shown.stdout.contains(&digest), "{shown}");
}
