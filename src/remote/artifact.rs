//! The form that Compose projects have in registries: a manifest whose layers are project files and
//! env files, as `docker compose publish` makes it.

use crate::load::disk::MAX_FILE;
use crate::private;
use crate::value::image::is_digest;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// The sort of artifact a manifest says it is.
pub const PROJECT: &str = "application/vnd.docker.compose.project";
/// What the config of a manifest without a sort (OCI 1.0) is, if it is one.
pub const EMPTY_CONFIG: &str = "application/vnd.docker.compose.config.empty.v1+json";
pub const COMPOSE_FILE: &str = "application/vnd.docker.compose.file+yaml";
pub const ENV_FILE: &str = "application/vnd.docker.compose.envfile";

/// The annotation with a project file's name, and the one that marks a file others extend from.
pub const FILE_NAME: &str = "com.docker.compose.file";
pub const IS_EXTENDED: &str = "com.docker.compose.extends";
pub const ENV_FILE_NAME: &str = "com.docker.compose.envfile";

/// The name that the project's own files get, all in one.
pub const MAIN: &str = "compose.yaml";

/// Between the files in one.
const SEPARATOR: &[u8] = b"\n---\n";

/// More files than this is no project.
const MAX_LAYERS: usize = 1024;

/// A manifest or an index, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Manifest {
    artifact_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
    /// Of an index.
    manifests: Option<Vec<Descriptor>>,
}

/// What names content.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Descriptor {
    media_type: String,
    pub digest: String,
    pub size: u64,
    artifact_type: String,
    annotations: BTreeMap<String, String>,
    /// The content itself, in base 64.
    pub data: Option<String>,
}

impl Descriptor {
    /// Whether bytes are what it names.
    pub fn names(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size && has_digest(bytes, &self.digest)
    }
}

/// Whether bytes have a digest of a kind we know.
pub fn has_digest(bytes: &[u8], digest: &str) -> bool {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    match digest.split_once(':') {
        Some(("sha256", wanted)) => hex(&Sha256::digest(bytes)) == wanted,
        Some(("sha384", wanted)) => hex(&Sha384::digest(bytes)) == wanted,
        Some(("sha512", wanted)) => hex(&Sha512::digest(bytes)) == wanted,
        _ => false,
    }
}

/// The digest that content goes by where nothing else is said.
pub fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// A file of the project, with the layers it is made of.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    pub name: String,
    /// Env files are the user's alone: they hold passwords.
    pub is_env: bool,
    /// Indexes of the layout's layers.
    pub layers: Vec<usize>,
}

/// What a manifest comes to on disk.
#[derive(Debug)]
pub struct Layout {
    pub layers: Vec<Descriptor>,
    pub files: Vec<File>,
}

impl Manifest {
    /// # Errors
    /// What is no manifest at all.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|e| format!("its manifest cannot be read: {e}"))
    }

    /// The manifest of the project, if this is an index; the last one, as with Compose.
    ///
    /// # Errors
    /// An index of other things.
    pub fn in_index(&self) -> Result<Option<&Descriptor>, String> {
        let Some(manifests) = &self.manifests else {
            return Ok(None);
        };
        let mut found = manifests.iter().filter(|m| m.artifact_type == PROJECT);
        match found.next_back() {
            Some(manifest) if is_digest(&manifest.digest) => Ok(Some(manifest)),
            Some(manifest) => Err(format!("{:?} is no digest", manifest.digest)),
            None => Err("it is an index of images, not a Compose project".into()),
        }
    }

    /// The files of the project.
    ///
    /// # Errors
    /// Another sort of artifact, and files that cannot be.
    pub fn layout(self) -> Result<Layout, String> {
        let sort = self.artifact_type.as_str();
        match (sort, self.config.media_type.as_str()) {
            (PROJECT, _) | ("", EMPTY_CONFIG) => {}
            ("", "") => return Err("it is not a Compose project".into()),
            ("", config) => return Err(format!("it is not a Compose project, but has {config}")),
            (other, _) => return Err(format!("it is not a Compose project, but {other}")),
        }
        if self.layers.len() > MAX_LAYERS {
            return Err(format!("it has more than {MAX_LAYERS} files"));
        }
        let mut layout = Layout {
            layers: Vec::new(),
            files: Vec::new(),
        };
        for layer in self.layers {
            layout.take(layer)?;
        }
        let sum: u64 = layout.layers.iter().map(|layer| layer.size).sum();
        if sum > MAX_FILE {
            return Err(format!("its files have {sum} bytes, more than {MAX_FILE}"));
        }
        if !layout.files.iter().any(|file| file.name == MAIN) {
            return Err("it holds no Compose file".into());
        }
        Ok(layout)
    }
}

impl Layout {
    fn take(&mut self, layer: Descriptor) -> Result<(), String> {
        let note = |key: &str| layer.annotations.get(key).cloned();
        let name = match layer.media_type.as_str() {
            COMPOSE_FILE if note(IS_EXTENDED).is_some() => note(FILE_NAME),
            COMPOSE_FILE => Some(MAIN.to_owned()),
            ENV_FILE => note(ENV_FILE_NAME),
            _ => return Ok(()),
        };
        let Some(name) = name.filter(|name| is_plain(name)) else {
            return Err("one of its files has no name that a file can have".into());
        };
        if !is_digest(&layer.digest) {
            return Err(format!("{:?} is no digest", layer.digest));
        }
        if layer.size > MAX_FILE {
            return Err(format!(
                "{name} has {} bytes, more than {MAX_FILE}",
                layer.size
            ));
        }
        let index = self.layers.len();
        let is_env = layer.media_type == ENV_FILE;
        self.layers.push(layer);
        match self.files.iter_mut().find(|file| file.name == name) {
            // Of several env files with one name the last counts; project files add up.
            Some(file) if is_env => file.layers = vec![index],
            Some(file) => file.layers.push(index),
            None => self.files.push(File {
                name,
                is_env,
                layers: vec![index],
            }),
        }
        Ok(())
    }

    /// Puts the files into a directory. `contents` are those of the layers.
    pub fn write(&self, root: &Path, contents: &[Vec<u8>]) -> io::Result<()> {
        for file in &self.files {
            let parts: Vec<&[u8]> = file
                .layers
                .iter()
                .map(|i| contents[*i].as_slice())
                .collect();
            let (path, content) = (root.join(&file.name), parts.join(SEPARATOR));
            match file.is_env {
                true => private::write(&path, &content)?,
                false => fs::write(path, content)?,
            }
        }
        Ok(())
    }

    /// Whether a directory holds just what the manifest says.
    pub fn is_in(&self, root: &Path) -> bool {
        self.files.iter().all(|file| {
            let Ok(bytes) = fs::read(root.join(&file.name)) else {
                return false;
            };
            let mut rest = bytes.as_slice();
            for (nth, index) in file.layers.iter().enumerate() {
                if nth > 0 {
                    match rest.strip_prefix(SEPARATOR) {
                        Some(after) => rest = after,
                        None => return false,
                    }
                }
                let layer = &self.layers[*index];
                let size = usize::try_from(layer.size).unwrap_or(usize::MAX);
                match rest.split_at_checked(size) {
                    Some((part, after)) if has_digest(part, &layer.digest) => rest = after,
                    _ => return false,
                }
            }
            rest.is_empty()
        })
    }
}

/// A name that stays in its directory.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn layer(kind: &str, content: &str, notes: serde_json::Value) -> serde_json::Value {
        json!({
            "mediaType": kind,
            "digest": digest_of(content.as_bytes()),
            "size": content.len(),
            "annotations": notes,
        })
    }

    fn layout(manifest: serde_json::Value) -> Result<Layout, String> {
        Manifest::parse(manifest.to_string().as_bytes())?.layout()
    }

    #[test]
    fn files_of_a_project() {
        let texts = ["a: 1", "b: 2", "base", "X=1"];
        let layout = layout(json!({
            "artifactType": PROJECT,
            "layers": [
                layer(COMPOSE_FILE, texts[0], json!({FILE_NAME: "compose.yaml"})),
                layer(COMPOSE_FILE, texts[1], json!({FILE_NAME: "over.yaml"})),
                layer(COMPOSE_FILE, texts[2], json!({FILE_NAME: "0f.yaml", IS_EXTENDED: "true"})),
                layer(ENV_FILE, texts[3], json!({ENV_FILE_NAME: "0e.env"})),
                layer("application/other", "?", json!({})),
            ],
        }))
        .expect("a project");
        let dir = tempfile::tempdir().expect("a directory");
        assert!(!layout.is_in(dir.path()));
        let contents: Vec<Vec<u8>> = texts.map(|t| t.as_bytes().to_vec()).into();
        layout.write(dir.path(), &contents).expect("files");
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect("a file");
        assert_eq!(read(MAIN), "a: 1\n---\nb: 2");
        assert_eq!(
            (read("0f.yaml"), read("0e.env")),
            ("base".into(), "X=1".into())
        );
        assert!(layout.is_in(dir.path()));
        let found = fs::metadata(dir.path().join("0e.env")).expect("an env file");
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
        assert_eq!(mode & 0o777, 0o600);
        for wrong in ["a: 1\n---\nb: 3", "a: 1\n---\nb: 2 ", "a: 1", ""] {
            fs::write(dir.path().join(MAIN), wrong).expect("a file");
            assert!(!layout.is_in(dir.path()), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_project() {
        let file = |notes| layer(COMPOSE_FILE, "a", notes);
        let extended = |name: &str| file(json!({FILE_NAME: name, IS_EXTENDED: "1"}));
        let of =
            |layers: Vec<serde_json::Value>| json!({"artifactType": PROJECT, "layers": layers});
        let mut large = file(json!({}));
        large["size"] = (MAX_FILE + 1).into();
        let mut bad = file(json!({}));
        bad["digest"] = "sha256:../x".into();
        for (manifest, why) in [
            (json!({}), "it is not a Compose project"),
            (
                json!({"config": {"mediaType": "application/vnd.oci.image.config.v1+json"}}),
                "not a Compose project, but has application/vnd.oci.image",
            ),
            (
                json!({"artifactType": "x/y"}),
                "not a Compose project, but x/y",
            ),
            (of(vec![]), "no Compose file"),
            (
                of(vec![extended("../up.yaml")]),
                "no name that a file can have",
            ),
            (of(vec![extended("..")]), "no name"),
            (of(vec![extended("a\\b")]), "no name"),
            (of(vec![extended("")]), "no name"),
            (of(vec![layer(ENV_FILE, "a", json!({}))]), "no name"),
            (of(vec![large]), "more than 16777216"),
            (of(vec![bad]), "is no digest"),
            (of(vec![file(json!({})); 1025]), "more than 1024 files"),
        ] {
            let found = layout(manifest.clone()).err().unwrap_or_default();
            assert!(found.contains(why), "{manifest}: {found}");
        }
    }

    #[test]
    fn an_index() {
        let digest = digest_of(b"x");
        let parse = |value: serde_json::Value| Manifest::parse(value.to_string().as_bytes());
        let of = |manifests: serde_json::Value| parse(json!({ "manifests": manifests }));
        let project = of(json!([{"artifactType": PROJECT, "digest": digest}, {"digest": "y"}]));
        let found = project.expect("an index");
        let found = found.in_index().expect("a project").expect("an index");
        assert_eq!(found.digest, digest);
        for wrong in [
            json!([]),
            json!([{"digest": digest}]),
            json!([{"artifactType": PROJECT, "digest": "z"}]),
        ] {
            assert!(of(wrong).expect("an index").in_index().is_err());
        }
        assert!(
            parse(json!({}))
                .expect("a manifest")
                .in_index()
                .expect("none")
                .is_none()
        );
        assert!(Manifest::parse(b"<html>").is_err());
    }
}
