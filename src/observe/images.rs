//! The images of a project that the engine has.

use crate::engine::{Engine, EngineError, ImageSummary};
use crate::image::policy::{PullChoice, pull_choice};
use crate::project::Project;
use crate::service::Service;
use crate::service::mount::MountKind;
use crate::value::image::Reference;
use futures::future::{FutureExt, join_all, try_join};
use std::collections::{BTreeMap, BTreeSet};

/// The local images of the project's services, by the reference the service names.
///
/// One list where it tells enough; the rest is asked for one by one: what only an inspect knows (a
/// platform, an age), what the list does not show under its name (an image by digest or by a
/// shortened id, one that is not there), and everything where the engine looks through several
/// registries for a name.
pub async fn local_images(
    engine: &dyn Engine,
    project: &Project,
) -> Result<BTreeMap<String, ImageSummary>, EngineError> {
    let (listed, single) = references(project);
    let list = list(engine, &listed);
    let (list, mut images) = try_join(list, inspect(engine, &single)).await?;
    let mut unseen = BTreeSet::new();
    for reference in listed {
        let wanted = Reference::parse(&reference);
        let found = list
            .iter()
            .find(|image| image.tags.iter().any(|tag| wanted.matches(tag)));
        match found {
            Some(image) => {
                images.insert(reference, image.clone());
            }
            None => {
                unseen.insert(reference);
            }
        }
    }
    images.extend(inspect(engine, &unseen).await?);
    Ok(images)
}

/// The references that a list is asked for, and those to inspect right away.
fn references(project: &Project) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut listed = BTreeSet::new();
    let mut single = BTreeSet::new();
    for service in project.services.values().filter(|s| s.provider.is_none()) {
        let is_refreshed = matches!(
            pull_choice(service.pull_policy.as_deref()),
            PullChoice::Refresh(_)
        );
        let takes_inspect = is_refreshed || project.platform_of(service).is_some();
        let own = std::iter::once(project.image_name(service));
        let others = hook_images(project, service).chain(mounted_images(project, service));
        for reference in own.chain(others) {
            match takes_inspect || Reference::parse(&reference).is_digest() {
                true => single.insert(reference),
                false => listed.insert(reference),
            };
        }
    }
    listed.retain(|reference| !single.contains(reference));
    if listed.len() == 1 {
        single.append(&mut listed);
    }
    (listed, single)
}

async fn list(
    engine: &dyn Engine,
    references: &BTreeSet<String>,
) -> Result<Vec<ImageSummary>, EngineError> {
    if references.is_empty() || engine.resolves_short_names() {
        return Ok(Vec::new());
    }
    let names = references.iter().map(|r| Reference::parse(r).familiar());
    let list = engine.list_images(names.collect()).await?;
    // Its first answer may be what shows this.
    Ok(match engine.resolves_short_names() {
        true => Vec::new(),
        false => list,
    })
}

/// Those of the references that are there.
async fn inspect(
    engine: &dyn Engine,
    references: &BTreeSet<String>,
) -> Result<BTreeMap<String, ImageSummary>, EngineError> {
    let answers = references
        .iter()
        .map(|reference| engine.inspect_image(reference).map(move |r| (reference, r)));
    let mut images = BTreeMap::new();
    for (reference, answer) in join_all(answers).await {
        match answer {
            Ok(image) => {
                images.insert(reference.clone(), image);
            }
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(images)
}

/// Images of a service's `pre_start` hooks, its own left out.
pub fn hook_images<'a>(
    project: &'a Project,
    service: &'a Service,
) -> impl Iterator<Item = String> + use<'a> {
    let own = project.image_name(service);
    let images = service.pre_start.iter().filter_map(|h| h.image.clone());
    images.filter(move |image| !image.is_empty() && !Reference::is_same(image, &own))
}

/// Images that a service mounts. One of another service goes by that service's name.
pub fn mounted_images<'a>(
    project: &'a Project,
    service: &'a Service,
) -> impl Iterator<Item = String> + use<'a> {
    let mounts = service.volumes.iter();
    let sources = mounts
        .filter(|mount| mount.kind == MountKind::Image)
        .filter_map(|mount| mount.source.as_deref());
    sources.map(|source| project.mounted_image(source))
}
