//! `--resolve-image-digests` and `--lock-image-digests`: images as a registry knows them now.
//! Those of services and of their `pre_start` hooks, and what volumes of type `image` mount.

use crate::diagnostic::Diagnostic;
use crate::engine::{Engine, EngineError};
use crate::load::CanonicalProject;
use crate::tree::{Map, Node, Span};
use crate::value::image::Reference;
use futures::stream::{self, StreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// Why the images were not pinned.
#[derive(Debug)]
pub enum Unpinned {
    /// Nothing can be asked.
    Engine(EngineError),
    /// What is wrong with which image.
    Findings(Vec<Diagnostic>),
}

/// An image as a file writes it, with the first place that does.
struct Wanted {
    text: String,
    path: String,
    span: Span,
}

/// Puts the digest behind each image. `names` are the services there are: a volume of type `image`
/// may mount the image of one, which is left as it is. `limit` is the number of questions at a time.
pub async fn pin(
    services: &mut Map,
    names: &BTreeSet<String>,
    engine: &dyn Engine,
    limit: usize,
) -> Result<(), Unpinned> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut seen = BTreeSet::new();
    visit(services, names, &mut |path, node| {
        let text = node.as_str().unwrap_or_default();
        if !text.is_empty() && seen.insert(text.to_owned()) {
            wanted.push(Wanted {
                text: text.to_owned(),
                path,
                span: node.span,
            });
        }
    });
    let questions = wanted.into_iter().map(async |wanted| {
        let pinned = resolve(engine, &wanted.text).await;
        (wanted, pinned)
    });
    let answers: Vec<_> = stream::iter(questions).buffered(limit).collect().await;
    let mut pinned = BTreeMap::new();
    let mut findings = Vec::new();
    for (wanted, answer) in answers {
        match answer {
            Ok(reference) => {
                pinned.insert(wanted.text, reference);
            }
            Err(Failure::Engine(error @ EngineError::Unreachable { .. })) => {
                return Err(Unpinned::Engine(error));
            }
            Err(failure) => findings.push(failure.finding(wanted)),
        }
    }
    if !findings.is_empty() {
        return Err(Unpinned::Findings(findings));
    }
    visit(services, names, &mut |_, node| {
        if let Some(reference) = node.as_str().and_then(|text| pinned.get(text)) {
            *node = Node::new(reference.clone(), node.span);
        }
    });
    Ok(())
}

enum Failure {
    Syntax(&'static str),
    Engine(EngineError),
    /// What came is no digest.
    Answer(String),
}

impl Failure {
    fn finding(self, wanted: Wanted) -> Diagnostic {
        let (why, help) = match self {
            Failure::Syntax(why) => (why.to_owned(), "an image is named [registry/]name[:tag]"),
            Failure::Engine(error) => (
                error.to_string(),
                "the engine asks the image's registry; an image that was only built here has no digest",
            ),
            Failure::Answer(digest) => (
                format!("the engine answers {digest:?}, which is no digest"),
                "ask again, or see what the registry holds",
            ),
        };
        let named = Reference::canonical(&wanted.text)
            .map_or(wanted.text, |reference| reference.to_string());
        let message = format!("failed to resolve digest for {named}: {why}");
        Diagnostic::error("unresolved-image", wanted.path, message)
            .at(wanted.span)
            .help(help)
    }
}

/// The full form of a reference, with its digest: as it is written, or as the registry has it now.
async fn resolve(engine: &dyn Engine, text: &str) -> Result<String, Failure> {
    let mut reference = Reference::canonical(text).map_err(Failure::Syntax)?;
    if reference.digest.is_none() {
        let name = reference.to_string();
        let digest = engine.registry_digest(&name).await;
        let digest = digest.map_err(Failure::Engine)?;
        if !crate::value::image::is_digest(&digest) {
            return Err(Failure::Answer(digest));
        }
        reference.digest = Some(digest);
    }
    Ok(reference.to_string())
}

/// Every place that names an image, with its path.
fn visit(services: &mut Map, names: &BTreeSet<String>, look: &mut dyn FnMut(String, &mut Node)) {
    for (name, service) in services.iter_mut() {
        let at = format!("services.{name}");
        if let Some(image) = service.get_mut("image") {
            look(format!("{at}.image"), image);
        }
        for (index, hook) in items(service, "pre_start").enumerate() {
            if let Some(image) = hook.get_mut("image") {
                look(format!("{at}.pre_start[{index}].image"), image);
            }
        }
        for (index, volume) in items(service, "volumes").enumerate() {
            if !mounts_image(volume) {
                continue;
            }
            let Some(source) = volume.get_mut("source") else {
                continue;
            };
            if source
                .as_str()
                .is_some_and(|source| !names.contains(source))
            {
                look(format!("{at}.volumes[{index}].source"), source);
            }
        }
    }
}

fn items<'a>(service: &'a mut Node, key: &str) -> impl Iterator<Item = &'a mut Node> {
    let list = service.get_mut(key).and_then(Node::as_seq_mut);
    list.into_iter().flatten()
}

fn mounts_image(volume: &Node) -> bool {
    volume.get("type").and_then(Node::as_str) == Some("image")
}

/// Leaves nothing but what names images, for a file to be laid over the project's own. Gives the
/// services whose hooks have images, which such a file cannot hold: lists of hooks are joined when
/// files are merged.
pub fn only_images(services: &mut Map) -> Vec<String> {
    let mut unlocked = Vec::new();
    for (name, service) in services.iter_mut() {
        let names_image = |hook: &mut Node| {
            let image = hook.get("image").and_then(Node::as_str);
            image.is_some_and(|image| !image.is_empty())
        };
        if items(service, "pre_start").any(names_image) {
            unlocked.push(name.to_owned());
        }
        let Some(service) = service.as_map_mut() else {
            continue;
        };
        if let Some(volumes) = service.get_mut("volumes").and_then(Node::as_seq_mut) {
            volumes.retain(mounts_image);
            if volumes.is_empty() {
                service.remove("volumes");
            }
        }
        service.retain(|key, _| matches!(key, "image" | "volumes"));
    }
    unlocked
}

/// The names of all services of a project, also of those that take no part.
pub fn names(project: &CanonicalProject) -> BTreeSet<String> {
    let all = project.services.keys().chain(project.disabled.keys());
    all.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::{Fake, FakeImage};
    use crate::load::{FileKind, Files};
    use crate::load::{LoadOptions, load_canonical};
    use std::path::{Path, PathBuf};

    struct OneFile(&'static str);

    impl Files for OneFile {
        fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
            match path.ends_with("compose.yaml") {
                true => Ok(self.0.into()),
                false => Err(std::io::ErrorKind::NotFound.into()),
            }
        }
        fn kind(&self, path: &Path) -> Option<FileKind> {
            path.ends_with("compose.yaml").then_some(FileKind::File)
        }
        fn canonicalize(&self, path: &Path) -> std::io::Result<PathBuf> {
            Ok(path.to_owned())
        }
        fn stdin(&self) -> std::io::Result<Vec<u8>> {
            Ok(Vec::new())
        }
    }

    fn project(text: &'static str) -> CanonicalProject {
        let options = LoadOptions {
            cwd: "/p".into(),
            ..LoadOptions::default()
        };
        let loaded = load_canonical(&OneFile(text), &options);
        loaded
            .project
            .unwrap_or_else(|| panic!("{:?}", loaded.findings))
    }

    fn images(services: &mut Map) -> Vec<String> {
        let mut found = Vec::new();
        visit(services, &BTreeSet::new(), &mut |path, node| {
            let text = node.as_str().unwrap_or_default();
            found.push(format!("{path} {text}"));
        });
        found
    }

    #[tokio::test]
    async fn what_is_pinned() {
        let fake = Fake::new();
        let image = FakeImage::new("me/app:2");
        let digest = image.id.clone();
        fake.add_remote_image(image);
        let mut project = project(
            "services:
  web:
    image: me/app:2
    pre_start: [{image: 'me/app:2', command: x}, {command: y}]
    volumes:
      - {type: image, source: 'docker.io/me/app:2', target: /a}
      - {type: image, source: built, target: /b}
      - {type: image, source: off, target: /c}
      - {type: volume, source: data, target: /d}
  built: {build: .}
  done: {image: 'n:1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}
  off: {image: nowhere, profiles: [x]}
volumes: {data: {}}",
        );
        let names = names(&project);
        pin(&mut project.services, &names, &fake, 4)
            .await
            .expect("digests");
        let full = format!("docker.io/me/app:2@{digest}");
        let given = "docker.io/library/n@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let mut expected = vec![
            format!("services.done.image {given}"),
            format!("services.web.image {full}"),
            format!("services.web.pre_start[0].image {full}"),
            format!("services.web.pre_start[1].image {full}"),
            format!("services.web.volumes[0].source {full}"),
            "services.web.volumes[1].source built".to_owned(),
            "services.web.volumes[2].source off".to_owned(),
        ];
        let mut found = images(&mut project.services);
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        let asked = fake
            .calls()
            .iter()
            .filter(|c| c.method == "registry_digest")
            .count();
        assert_eq!(asked, 2, "each text once, and none that has a digest");

        assert_eq!(only_images(&mut project.services), ["web"]);
        let web = project
            .services
            .get("web")
            .and_then(Node::as_map)
            .expect("web");
        assert_eq!(web.keys().collect::<Vec<_>>(), ["image", "volumes"]);
        assert_eq!(
            web.get("volumes").and_then(Node::as_seq).map(<[Node]>::len),
            Some(3)
        );
    }

    #[tokio::test]
    async fn what_cannot_be_pinned() {
        let mut project =
            project("services: {a: {image: nowhere}, b: {image: UPPER}, c: {image: nowhere}}");
        let names = names(&project);
        let failed = pin(&mut project.services, &names, &Fake::new(), 4).await;
        let Err(Unpinned::Findings(findings)) = failed else {
            panic!("{failed:?}");
        };
        let found: Vec<_> = findings
            .iter()
            .map(|f| (f.path.as_str(), f.message.as_str(), f.span.is_some()))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "services.a.image",
                    "failed to resolve digest for docker.io/library/nowhere:latest: Error response from daemon: manifest unknown: docker.io/library/nowhere:latest",
                    true
                ),
                (
                    "services.b.image",
                    "failed to resolve digest for UPPER: invalid reference format: repository name must be lowercase",
                    true
                ),
            ]
        );
    }
}
