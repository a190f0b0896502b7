//! Which images an engine has, under all the names that one image has, pulled or loaded.

use crate::support::{Engine, Stack};

/// An image of the scenario's own, gone when that ends.
struct Image<'a> {
    engine: &'a Engine,
    name: String,
}

impl<'a> Image<'a> {
    /// `busybox` under another name.
    fn tagged(engine: &'a Engine, name: &str) -> Image<'a> {
        engine.post(&format!("/images/busybox/tag?repo={name}&tag=1"), "");
        let name = format!("{name}:1");
        Image { engine, name }
    }

    /// Written to an archive, removed, and loaded again.
    fn loaded(self) -> Self {
        let path = format!("/images/{}/get", self.name);
        let (status, archive) = self.engine.request("GET", &path, b"").expect("an answer");
        assert_eq!(status, 200, "{path}");
        self.remove();
        let load = self.engine.request("POST", "/images/load", &archive);
        assert_eq!(load.expect("an answer").0, 200, "load");
        self
    }

    fn remove(&self) {
        let path = format!("/images/{}?noprune=1", self.name);
        let _ = self.engine.request("DELETE", &path, b"");
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A service for each image, none of which may be pulled.
fn compose(images: &[String]) -> String {
    let services = images.iter().enumerate().map(|(index, image)| {
        format!(
            "  s{index}: {{image: \"{image}\", command: [sleep, '1000'], stop_signal: SIGKILL, pull_policy: never}}\n"
        )
    });
    format!("services:\n{}", services.collect::<String>())
}

#[test]
fn an_image_is_there_under_all_its_names() {
    let stack = Stack::new("image-names", "");
    let tagged = Image::tagged(&stack.engine, &format!("docker.io/regatta/{}", stack.name));
    let short = tagged.name.replace("docker.io/", "");
    let id = stack.engine.get("/images/busybox/json")["Id"].clone();
    let id = id.as_str().expect("an id").trim_start_matches("sha256:");
    let images = [
        "busybox".to_owned(),
        "docker.io/busybox".to_owned(),
        "docker.io/library/busybox:latest".to_owned(),
        id[..12].to_owned(),
        tagged.name.clone(),
        short,
    ];
    stack.write("compose.yaml", &compose(&images));
    stack.up("");
    let ids = || -> Vec<String> { stack.containers().into_iter().map(|c| c.id).collect() };
    let before = ids();
    assert_eq!(before.len(), images.len());
    stack.plans(0);
    stack.up("");
    assert_eq!(ids(), before, "nothing is made anew");
    stack.run("down").success();
}

/// Podman 4.3 answers a list with digests with nothing where an image was loaded.
#[test]
fn images_that_were_loaded_are_there() {
    let stack = Stack::new("image-loaded", "");
    let images = ["one", "two"]
        .map(|name| Image::tagged(&stack.engine, &format!("{}-{name}", stack.name)).loaded());
    let names = images.each_ref().map(|image| image.name.clone());
    stack.write("compose.yaml", &compose(&names));
    stack.plans(2);
    stack.up("");
    assert_eq!(stack.containers().len(), 2);
    stack.plans(0);
    stack.run("down").success();
    assert!(stack.containers().is_empty());
}
