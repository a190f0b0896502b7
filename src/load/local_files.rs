//! Files of this machine that are copied into containers: secrets and configs that a service wants
//! with an owner or a mode of its own. All others are bound; of those, small secrets are read so
//! that nothing shows them.

use super::environment::CONTENT;
use super::{CanonicalProject, Files};
use crate::project::Project;
use crate::secret::{FileObject, LocalFile};
use crate::service::Service;
use crate::tree::Node;
use crate::value::secret::Known;
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
    let directory = &project.working_dir;
    let contents = project.secrets.values().filter_map(|secret| {
        let given = secret.content.clone();
        given.or_else(|| content_of(secret.file.as_deref()?, directory, files))
    });
    project.declared_secrets = Known::of(contents);
}

/// What the secrets of a project in canonical form hold.
pub fn declared(project: &CanonicalProject, files: &dyn Files) -> Known {
    let secrets = project.rest.get("secrets").and_then(Node::as_map);
    let contents = secrets
        .into_iter()
        .flat_map(|map| map.iter())
        .filter_map(|(_, secret)| {
            let text = |key: &str| secret.get(key).and_then(Node::as_str);
            let given = text(CONTENT).or_else(|| text("content")).map(str::to_owned);
            given.or_else(|| content_of(text("file")?, &project.working_dir, files))
        });
    Known::of(contents)
}

/// A larger one is no password, and not worth the time.
const LARGEST: usize = 16 << 10;

/// The text in a file of a secret. One that cannot be read shows nowhere else either.
fn content_of(file: &str, directory: &Path, files: &dyn Files) -> Option<String> {
    let path = directory.join(file);
    files.attributes(&path).ok().filter(|a| a.is_regular)?;
    let bytes = files.read(&path).ok().filter(|b| b.len() <= LARGEST)?;
    String::from_utf8(bytes).ok()
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
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::load::disk::DiskFiles;
    use crate::load::{LoadOptions, load};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_files_with_an_owner_or_a_mode_of_their_own_are_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file");
        write(
            "compose.yaml",
            "name: n\nservices:\n  a:\n    image: i\n    secrets:\n    - plain\n    - {source: moded, mode: 0400}\n    \
             - {source: owned, uid: '7'}\n    - {source: folder, mode: 0400}\n    - {source: gone, gid: '7'}\n    \
             - {source: empty, uid: ''}\nsecrets: {plain: {file: a}, moded: {file: a}, owned: {file: ./link}, \
             folder: {file: .}, gone: {file: gone}, empty: {file: a}}\n",
        );
        write("a", "x");
        let mode = fs::Permissions::from_mode(0o640);
        fs::set_permissions(dir.path().join("a"), mode).expect("a mode");
        std::os::unix::fs::symlink("a", dir.path().join("link")).expect("a link");
        let options = LoadOptions {
            cwd: dir.path().to_owned(),
            ..LoadOptions::default()
        };
        let loaded = load(&DiskFiles, &options);
        let project = loaded
            .project
            .unwrap_or_else(|| panic!("{:?}", loaded.findings));
        let got: Vec<String> = ["plain", "moded", "owned", "folder", "gone", "empty"]
            .map(|key| match &project.secrets[key].local {
                None => format!("{key}: not read"),
                Some(Ok(file)) => format!("{key}: {} {:o}", file.bytes.len(), file.mode),
                Some(Err(why)) => format!("{key} {why}"),
            })
            .into();
        assert_eq!(
            got,
            [
                "plain: not read",
                "moded: 1 640",
                "owned: 1 640",
                "folder is not a regular file, and only a file can have another owner or mode",
                "gone does not exist",
                "empty: not read",
            ]
        );
    }
}
