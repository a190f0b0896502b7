//! Which images `--rmi` takes away.

use super::{Images, Options};
use crate::engine::ImageSummary;
use crate::labels;
use crate::project::Project;
use crate::value::image::Reference;
use std::collections::BTreeSet;

/// Tags of the images that `--rmi` takes away: those labelled as built for a service that goes
/// down, those under such a service's default name, and with [`Images::All`] every named one; with
/// orphans, also those built for services that are not declared any more.
pub(super) fn images_to_remove(
    project: &Project,
    images: &[ImageSummary],
    mode: Images,
    options: &Options,
) -> BTreeSet<String> {
    let is_meant = |service: &String| match project.services.contains_key(service) {
        true => options.includes(service),
        // Where all goes down, those of inactive profiles go, too, as with Compose.
        false => {
            options.remove_orphans && (options.services.is_empty() || !project.declares(service))
        }
    };
    let services = project.services.values();
    let services: Vec<_> = services.filter(|s| options.includes(&s.name)).collect();
    let mut found = BTreeSet::new();
    for image in images {
        let Some(tag) = image.tags.first() else {
            continue;
        };
        let built = image.labels.get(labels::PROJECT) == Some(&project.name)
            && match image.labels.get(labels::SERVICE) {
                Some(service) => is_meant(service),
                None => options.remove_orphans && options.services.is_empty(),
            };
        if built {
            found.insert(tag.clone());
        }
        for service in &services {
            if service.image.is_some() && mode == Images::Local {
                continue;
            }
            let wanted = Reference::parse(&project.image_name(service));
            found.extend(image.tags.iter().filter(|t| wanted.matches(t)).cloned());
        }
    }
    found
}
