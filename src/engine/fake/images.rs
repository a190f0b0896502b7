//! Images.

use super::refuse;
use super::world::World;
use crate::engine::{EngineError, ImageSummary};
use crate::value::image::Reference;
use crate::value::platform::Platform;
use sha2::{Digest, Sha256};

/// An image, here or in a registry.
#[derive(Debug, Clone, Default)]
pub struct FakeImage {
    pub id: String,
    pub tags: Vec<String>,
    pub labels: std::collections::BTreeMap<String, String>,
    /// Targets of its `VOLUME` instructions.
    pub volumes: Vec<String>,
    pub has_healthcheck: bool,
    pub platform: Option<String>,
    /// Seconds since it was tagged here.
    pub age: Option<i64>,
}

/// What the engine runs on.
pub(super) const PLATFORM: &str = "linux/amd64";

impl FakeImage {
    /// One whose id follows from its name.
    pub fn new(tag: &str) -> Self {
        FakeImage::with_content(tag, tag)
    }

    /// One whose id follows from its content.
    pub fn with_content(tag: &str, content: &str) -> Self {
        let digest: String = Sha256::digest(content.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        FakeImage {
            id: format!("sha256:{digest}"),
            tags: vec![full(tag)],
            platform: Some(PLATFORM.into()),
            ..FakeImage::default()
        }
    }

    /// The same on another platform, as another entry of a registry's list.
    pub fn on(self, platform: &str) -> Self {
        let own = FakeImage::with_content("", &format!("{} {platform}", self.id));
        FakeImage {
            id: own.id,
            platform: Some(platform.into()),
            ..self
        }
    }

    pub(super) fn serves(&self, platform: &str) -> bool {
        let own = self.platform.as_deref();
        own.is_none_or(|own| Platform::fits(platform, own))
    }

    /// By a tag, a digest of its repository, its id, or the beginning of that.
    fn is_called(&self, reference: &str, name: &str) -> bool {
        let hex = self.id.trim_start_matches("sha256:");
        let is_id =
            reference.len() >= 4 && hex.starts_with(reference.trim_start_matches("sha256:"));
        is_id || self.tags.iter().any(|tag| tag == name) || self.digests().iter().any(|d| d == name)
    }

    /// In the fake's registries an image's digest is its id.
    fn digests(&self) -> Vec<String> {
        let repositories = self.tags.iter().filter_map(|tag| tag.rsplit_once(':'));
        repositories
            .map(|(repository, _)| format!("{repository}@{}", self.id))
            .collect()
    }

    /// Whether the list's filter lets it through, which compares what the user sees, with or
    /// without the tag.
    pub(super) fn is_listed_as(&self, pattern: &str) -> bool {
        let bare = |tag: &String| {
            tag.rsplit_once(':')
                .is_some_and(|(name, _)| name == pattern)
        };
        let by_tag = |tag: &String| tag == pattern || bare(tag);
        self.tags.iter().any(by_tag) || self.digests().iter().any(|d| d == pattern)
    }

    pub(super) fn summary(&self, details: bool) -> ImageSummary {
        let mut row = ImageSummary {
            id: self.id.clone(),
            tags: self.tags.clone(),
            digests: self.digests(),
            labels: self.labels.clone(),
            ..ImageSummary::default()
        };
        if details {
            row.platform = self.platform.clone();
            row.volumes = self.volumes.clone();
            row.age = self.age;
            row.has_healthcheck = self.has_healthcheck;
        }
        row
    }
}

/// A reference with its tag, without the parts that the engine leaves out when it shows one.
pub(super) fn full(reference: &str) -> String {
    match reference.starts_with("sha256:") {
        true => reference.to_string(),
        false => Reference::parse(reference).familiar(),
    }
}

impl World {
    pub fn image(&self, reference: &str) -> Result<&FakeImage, EngineError> {
        let name = full(reference);
        self.images
            .iter()
            .find(|image| image.is_called(reference, &name))
            .ok_or_else(|| refuse(404, format!("No such image: {name}")))
    }

    /// The image that a registry has for the platform, or for the engine's own.
    pub fn remote_image(
        &self,
        reference: &str,
        platform: Option<&str>,
    ) -> Result<FakeImage, EngineError> {
        let name = full(reference);
        let called = self.remote.iter().filter(|i| i.is_called("", &name));
        let called: Vec<&FakeImage> = called.collect();
        if called.is_empty() {
            let bare = name
                .rsplit_once(':')
                .map_or(name.as_str(), |(bare, _)| bare);
            return Err(refuse(
                404,
                format!(
                    "pull access denied for {bare}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
                ),
            ));
        }
        let platform = platform.unwrap_or(PLATFORM);
        let found = called.into_iter().find(|i| i.serves(platform));
        found.cloned().ok_or_else(|| {
            refuse(
                404,
                format!("no matching manifest for {platform} in the manifest list entries"),
            )
        })
    }

    /// Puts an image in place, taking its tags from any other.
    pub fn store_image(&mut self, image: FakeImage) {
        for other in &mut self.images {
            other.tags.retain(|tag| !image.tags.contains(tag));
        }
        match self.images.iter_mut().find(|other| other.id == image.id) {
            Some(same) => same.tags.extend(image.tags),
            None => self.images.push(image),
        }
    }

    /// Untags an image, and removes it with its last tag.
    pub fn remove_image(&mut self, reference: &str) -> Result<(), EngineError> {
        let image = self.image(reference)?.clone();
        let name = full(reference);
        let by_id = reference == image.id;
        let last = by_id || image.tags.len() <= 1;
        if last {
            if let Some(user) = self.containers.values().find(|c| c.image_id == image.id) {
                let hex = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
                return Err(refuse(
                    409,
                    format!(
                        "conflict: unable to remove repository reference \"{name}\" (must force) - container {} is using its referenced image {}",
                        &user.id[..12],
                        &hex[..12.min(hex.len())]
                    ),
                ));
            }
            self.images.retain(|other| other.id != image.id);
        } else {
            for other in self.images.iter_mut().filter(|other| other.id == image.id) {
                other.tags.retain(|tag| *tag != name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (reference, expected) in [
            ("busybox", "busybox:latest"),
            ("docker.io/library/busybox:1", "busybox:1"),
            ("docker.io/a/b", "a/b:latest"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
            ("a@sha256:1", "a@sha256:1"),
        ] {
            assert_eq!(full(reference), expected);
        }
    }
}
