//! Files of this machine that are copied into containers: secrets and configs that a service wants
//! with an owner or a mode of its own. All others are bound, and nobody reads them here.

use super::Files;
use crate::project::Project;
use crate::secret::{FileObject, LocalFile};
use crate::service::Service;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads them. A file that cannot be read is no finding: many commands do without.
pub fn read(project: &mut Project, files: &dyn Files) {
    let secrets = wanted(&project.services, |service| &service.secrets);
    let configs = wanted(&project.services, |service| &service.configs);
    for (keys, objects) in [
        (secrets, &mut project.secrets),
        (configs, &mut project.configs),
    ] {
        for key in keys {
            let Some(object) = objects.get_mut(&key).filter(|object| object.is_file()) else {
                continue;
            };
            object.local = local(object, &project.working_dir, files);
        }
    }
}

fn wanted(
    services: &BTreeMap<String, Service>,
    list: impl Fn(&Service) -> &[crate::service::mount::FileReference],
) -> Vec<String> {
    let all = services.values().flat_map(|service| list(service).to_vec());
    let mut keys: Vec<String> = all
        .filter(|reference| reference.asks_for_owner_or_mode())
        .map(|reference| reference.source)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn local(
    object: &FileObject,
    working_dir: &Path,
    files: &dyn Files,
) -> Option<Result<LocalFile, String>> {
    let path = working_dir.join(object.file.as_ref()?);
    let attributes = match files.attributes(&path) {
        Ok(attributes) => attributes,
        Err(error) => return Some(Err(in_words(&error))),
    };
    if !attributes.is_regular {
        let why = "is not a regular file, and only a file can have another owner or mode";
        return Some(Err(why.to_owned()));
    }
    let read = files.read(&path).map(|bytes| LocalFile {
        bytes,
        mode: attributes.mode,
        uid: attributes.uid,
        gid: attributes.gid,
    });
    Some(read.map_err(|error| in_words(&error)))
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}
