//! Images.

use super::refuse;
use super::world::World;
use crate::engine::{EngineError, ImageSummary};
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
            platform: Some("linux/amd64".into()),
            ..FakeImage::default()
        }
    }

    pub(super) fn summary(&self, details: bool) -> ImageSummary {
        let mut row = ImageSummary {
            id: self.id.clone(),
            tags: self.tags.clone(),
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
    if reference.starts_with("sha256:") || reference.contains('@') {
        return reference.to_string();
    }
    let short = reference
        .strip_prefix("docker.io/library/")
        .or_else(|| reference.strip_prefix("docker.io/"))
        .unwrap_or(reference);
    let last = short.rfind('/').map_or(0, |at| at + 1);
    match short[last..].contains(':') {
        true => short.to_string(),
        false => format!("{short}:latest"),
    }
}

impl World {
    pub fn image(&self, reference: &str) -> Result<&FakeImage, EngineError> {
        let name = full(reference);
        self.images
            .iter()
            .find(|image| image.id == reference || image.tags.contains(&name))
            .ok_or_else(|| refuse(404, format!("No such image: {name}")))
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
