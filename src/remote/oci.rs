//! Projects from registries (`oci://…`): what `docker compose publish` puts there.

use super::Settings;
use super::artifact::{Descriptor, Layout, MAIN, Manifest, digest_of, has_digest};
use super::cache::{Partial, unwritable};
use super::registry::{Registry, Trouble};
use crate::load::{Fetched, Unfetched};
use crate::private;
use crate::value::image::Reference;
use crate::value::userinfo::masked;
use base64::Engine as _;
use std::fs;
use std::path::Path;

/// The kinds of manifest that a project can be found by.
pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json";

/// The longest manifest that is read; registries take no longer ones.
const MAX_MANIFEST: usize = 4 << 20;

/// The manifest of what lies beside it in the cache, for a digest that is asked for again.
const KEPT: &str = ".manifest.json";

/// Brings a project here, unless it is here. A tag is looked up each time; a digest says it all.
pub async fn fetch(settings: &Settings, address: &str) -> Result<Fetched, Unfetched> {
    let shown = masked(&format!("oci://{address}")).into_owned();
    let fail = |why: String| Unfetched {
        why: format!("{shown}: {why}"),
        help: None,
    };
    let reference = Reference::canonical(address).map_err(|why| Unfetched {
        why: format!("{shown}: {why}"),
        help: Some("a project in a registry is named oci://[registry/]name[:tag]".into()),
    })?;
    let cache = settings.cache()?;
    let at = |digest: &str| cache.join(digest.split_once(':').map_or(digest, |(_, hex)| hex));
    let fetched = |root: &Path| Fetched {
        file: root.join(MAIN),
        root: root.to_owned(),
        label: format!("{shown}/"),
    };
    if let Some(digest) = &reference.digest
        && is_kept(&at(digest), digest)
    {
        return Ok(fetched(&at(digest)));
    }
    let host = reference.registry().to_owned();
    let explain = |trouble| explain(&shown, &host, trouble);
    let mut registry = Registry::new(&reference, settings.ways.clone(), settings.keyring());
    let name = reference.digest.as_deref().or(reference.tag.as_deref());
    let top = registry
        .manifest(name.unwrap_or("latest"), ACCEPT, MAX_MANIFEST)
        .await
        .map_err(explain)?;
    let digest = reference.digest.unwrap_or_else(|| digest_of(&top));
    if !has_digest(&top, &digest) {
        return Err(fail(
            "the registry sends something else under this digest".into(),
        ));
    }
    let parsed = Manifest::parse(&top).map_err(fail)?;
    let (kept, manifest) = match parsed.in_index().map_err(fail)? {
        None => (top, parsed),
        Some(inner) => {
            let bytes = registry
                .manifest(&inner.digest, ACCEPT, MAX_MANIFEST)
                .await
                .map_err(explain)?;
            if !has_digest(&bytes, &inner.digest) {
                return Err(fail(
                    "its index names another manifest than there is".into(),
                ));
            }
            let manifest = Manifest::parse(&bytes).map_err(fail)?;
            (bytes, manifest)
        }
    };
    let layout = manifest.layout().map_err(|why| Unfetched {
        help: Some("it has to be published with `docker compose publish`".into()),
        ..fail(why)
    })?;
    let root = at(&digest);
    if layout.is_in(&root) {
        return Ok(fetched(&root));
    }
    let mut contents = Vec::new();
    for layer in &layout.layers {
        contents.push(content(&mut registry, layer).await.map_err(explain)?);
    }
    let partial = Partial::new(cache)?;
    let write = || {
        layout.write(&partial.path, &contents)?;
        private::write(&partial.path.join(KEPT), &kept)
    };
    write().map_err(|error| unwritable(&partial.path, &error))?;
    match root.exists() {
        // Containers may keep data beside the files, so what is there only gets what it lacks.
        true => mend(&partial.path, &root).map_err(|error| unwritable(&root, &error))?,
        false => partial.put(&root, |path| layout.is_in(path))?,
    }
    Ok(fetched(&root))
}

/// Moves files over those of an entry that is not whole, or that another program made.
fn mend(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Whether the cache has what a digest names, whole.
fn is_kept(root: &Path, digest: &str) -> bool {
    let layout = || -> Option<Layout> {
        let bytes = fs::read(root.join(KEPT)).ok()?;
        let is_it = has_digest(&bytes, digest);
        is_it.then(|| Manifest::parse(&bytes).ok()?.layout().ok())?
    };
    layout().is_some_and(|layout| layout.is_in(root))
}

/// A layer's bytes: from the manifest itself, or from the registry.
async fn content(registry: &mut Registry, layer: &Descriptor) -> Result<Vec<u8>, Trouble> {
    let inline = layer.data.as_ref().and_then(|data| {
        let engine = base64::engine::general_purpose::STANDARD;
        engine.decode(data).ok()
    });
    if let Some(bytes) = inline.filter(|bytes| layer.names(bytes)) {
        return Ok(bytes);
    }
    let limit = usize::try_from(layer.size).unwrap_or(usize::MAX);
    let bytes = match registry.blob(&layer.digest, limit).await {
        Err(Trouble::NotFound) => {
            let why = format!("lacks {}, which the manifest names", layer.digest);
            return Err(Trouble::Other(why));
        }
        other => other?,
    };
    match layer.names(&bytes) {
        true => Ok(bytes),
        false => Err(Trouble::Other(format!(
            "sends something else for {}",
            layer.digest
        ))),
    }
}

fn explain(shown: &str, host: &str, trouble: Trouble) -> Unfetched {
    let (why, help) = match trouble {
        Trouble::Unreachable(why) => (
            format!("the registry {host} cannot be reached: {why}"),
            "see whether it runs, and whether this machine reaches it; --insecure-registry names one that does not speak TLS".into(),
        ),
        Trouble::Unauthorized(why) => (
            format!("the registry {host} does not let us in: {why}"),
            format!("docker login {host}"),
        ),
        Trouble::NotFound => (
            format!("the registry {host} has no such artifact"),
            "see name and tag; without a tag, `latest` is meant".into(),
        ),
        Trouble::Other(why) => (
            format!("the registry {host} {why}"),
            "see what the registry says of it".into(),
        ),
    };
    Unfetched {
        why: format!("{shown}: {why}"),
        help: Some(help),
    }
}
