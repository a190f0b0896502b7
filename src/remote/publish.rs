//! Bringing a project's files to a registry, and the images of its services beside them.

use super::Settings;
use super::artifact::{self, digest_of, has_digest};
use super::registry::{Registry, Trouble, Ways};
use crate::labels::COMPOSE_VERSION;
use crate::publish::{Layer, LayerKind, Publication, Version};
use crate::value::image::Reference;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const NOTE: &str = "com.docker.compose.version";
/// The longest manifest of an image.
const MAX_MANIFEST: usize = 4 << 20;
/// A layer is brought from one registry to another in pieces of this size, in bytes.
const PIECE: u64 = 8 << 20;

/// Why nothing was published.
#[derive(Debug)]
pub struct Unpublished {
    pub why: String,
    pub help: String,
}

/// Publishes, and gives the manifest's digest.
pub async fn publish(
    settings: &Settings,
    publication: &Publication<'_>,
) -> Result<String, Unpublished> {
    let reference = publication.reference;
    let host = reference.registry().to_owned();
    let explain = |trouble| explain(&host, trouble);
    let mut ways = settings.ways.clone();
    if publication.is_insecure {
        ways.insecure.push(host.clone());
    }
    let mut registry = Registry::new(reference, ways.clone(), settings.keyring());
    let mut layers = Vec::new();
    for layer in publication.layers {
        let descriptor = describe(layer);
        registry.put_blob(&layer.content).await.map_err(explain)?;
        layers.push(descriptor);
    }
    let tag = reference.tag.as_deref().unwrap_or("latest");
    let version = publication.version.unwrap_or(Version::V1_1);
    let sent = manifest(&mut registry, &layers, version, tag).await;
    let (digest, size) = match (sent, publication.version) {
        // It knows no artifacts: what refuses the login would refuse it again.
        (Err(Trouble::Other(_)), None) => manifest(&mut registry, &layers, Version::V1_0, tag)
            .await
            .map_err(explain)?,
        (sent, _) => sent.map_err(explain)?,
    };
    if !publication.images.is_empty() {
        let mut manifests = Vec::new();
        for image in publication.images {
            let copied = copy(settings, &ways, image, reference, &mut registry).await;
            manifests.push(copied.map_err(explain)?);
        }
        let index = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": manifests,
            "subject": {
                "mediaType": MANIFEST,
                "digest": digest,
                "size": size,
                "artifactType": artifact::PROJECT,
                "annotations": { NOTE: COMPOSE_VERSION },
            },
            "annotations": { NOTE: COMPOSE_VERSION },
        });
        let bytes = index.to_string().into_bytes();
        let name = digest_of(&bytes);
        registry
            .put_manifest(&name, INDEX, bytes)
            .await
            .map_err(explain)?;
    }
    Ok(digest)
}

fn describe(layer: &Layer) -> Value {
    let (kind, name) = match layer.kind {
        LayerKind::Project | LayerKind::Extended => (artifact::COMPOSE_FILE, artifact::FILE_NAME),
        LayerKind::Environment => (artifact::ENV_FILE, artifact::ENV_FILE_NAME),
    };
    let mut notes = json!({ NOTE: COMPOSE_VERSION, name: layer.name });
    if layer.kind == LayerKind::Extended {
        notes[artifact::IS_EXTENDED] = "true".into();
    }
    json!({
        "mediaType": kind,
        "digest": digest_of(&layer.content),
        "size": layer.content.len(),
        "annotations": notes,
    })
}

async fn manifest(
    registry: &mut Registry,
    layers: &[Value],
    version: Version,
    tag: &str,
) -> Result<(String, usize), Trouble> {
    let config = b"{}";
    let kind = match version {
        Version::V1_0 => artifact::EMPTY_CONFIG,
        Version::V1_1 => EMPTY,
    };
    registry.put_blob(config).await?;
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": kind, "digest": digest_of(config), "size": config.len(), "data": "e30=" },
        "layers": layers,
        "annotations": { "org.opencontainers.image.created": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string() },
    });
    if version == Version::V1_1 {
        manifest["artifactType"] = artifact::PROJECT.into();
    }
    let bytes = manifest.to_string().into_bytes();
    let (digest, size) = (digest_of(&bytes), bytes.len());
    registry.put_manifest(tag, MANIFEST, bytes).await?;
    Ok((digest, size))
}

/// Brings an image into the repository, with all its platforms, and describes it.
async fn copy(
    settings: &Settings,
    ways: &Ways,
    image: &Reference,
    to: &Reference,
    target: &mut Registry,
) -> Result<Value, Trouble> {
    let mut source = Registry::new(image, ways.clone(), settings.keyring());
    let is_near = image.registry() == to.registry();
    let from = is_near.then(|| source.repository().to_owned());
    let name = image.digest.as_deref().or(image.tag.as_deref());
    let mut top = None;
    let mut queue = vec![name.unwrap_or("latest").to_owned()];
    let mut manifests = Vec::new();
    while let Some(name) = queue.pop() {
        let bytes = source
            .manifest(&name, super::oci::ACCEPT, MAX_MANIFEST)
            .await?;
        let digest = match name.starts_with("sha256:") {
            true => name,
            false => digest_of(&bytes),
        };
        let parsed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if !has_digest(&bytes, &digest) {
            return Err(Trouble::Other(format!("sends something else for {digest}")));
        }
        let kind = parsed["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        let list = |key: &str| parsed[key].as_array().cloned().unwrap_or_default();
        let digests = |items: Vec<Value>| -> Vec<(String, u64)> {
            let one = |item: &Value| {
                let digest = item["digest"].as_str()?.to_owned();
                Some((digest, item["size"].as_u64().unwrap_or_default()))
            };
            items.iter().filter_map(one).collect()
        };
        queue.extend(
            digests(list("manifests"))
                .into_iter()
                .map(|(digest, _)| digest),
        );
        let mut blobs = list("layers");
        blobs.push(parsed["config"].clone());
        for (digest, size) in digests(blobs) {
            let near = from.as_deref();
            target
                .take_blob(&mut source, near, &digest, size, PIECE)
                .await?;
        }
        top.get_or_insert_with(
            || json!({ "mediaType": kind, "digest": digest, "size": bytes.len() }),
        );
        manifests.push((digest, kind, bytes));
    }
    // A list names others, which have to be there before.
    for (digest, kind, bytes) in manifests.into_iter().rev() {
        target.put_manifest(&digest, &kind, bytes).await?;
    }
    Ok(top.unwrap_or_default())
}

fn explain(host: &str, trouble: Trouble) -> Unpublished {
    let (why, help) = match trouble {
        Trouble::Unreachable(why) => (
            format!("the registry {host} cannot be reached: {why}"),
            "see whether it runs, and whether this machine reaches it; --insecure-registry is for one that does not speak TLS".to_owned(),
        ),
        Trouble::Unauthorized(why) if why.starts_with("429") => (
            format!("the registry {host} limits how often it is asked: {why}"),
            format!("wait, or log in: docker login {host}"),
        ),
        Trouble::Unauthorized(why) => (
            format!("the registry {host} does not let us in: {why}"),
            format!("docker login {host}"),
        ),
        Trouble::NotFound => (
            format!("the registry {host} has no such repository or image"),
            "see the names".to_owned(),
        ),
        Trouble::Other(why) => (
            format!("the registry {host} {why}"),
            "see what the registry says of it".to_owned(),
        ),
    };
    Unpublished { why, help }
}
