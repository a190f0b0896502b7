//! Secrets and configs: files of this machine are bound, everything else is copied in.

use super::container::API_SOCKET_CONFIG;
use super::{Refusal, Task, locate, refusal};
use crate::diagnostic::Diagnostic;
use crate::project::Project;
use crate::secret::FileObject;
use crate::service::Service;
use crate::service::mount::FileReference;

/// A file to copy into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Absolute path in the container.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub bytes: Vec<u8>,
}

/// Which of the two lists a reference stands in.
#[derive(Clone, Copy)]
enum Kind {
    Secret,
    Config,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Secret, Kind::Config];

    fn list(self) -> &'static str {
        match self {
            Kind::Secret => "secrets",
            Kind::Config => "configs",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::Config => "config",
        }
    }

    fn references(self, service: &Service) -> &[FileReference] {
        match self {
            Kind::Secret => &service.secrets,
            Kind::Config => &service.configs,
        }
    }

    fn object<'a>(self, project: &'a Project, key: &str) -> Option<&'a FileObject> {
        match self {
            Kind::Secret => project.secrets.get(key),
            Kind::Config => project.configs.get(key),
        }
    }

    /// The path in the container; relative ones lie in the kind's own directory.
    fn target(self, reference: &FileReference) -> String {
        let directory = match self {
            Kind::Secret => "/run/secrets/",
            Kind::Config => "/",
        };
        match reference.target.as_deref().filter(|t| !t.is_empty()) {
            Some(target) if target.starts_with('/') => target.to_string(),
            Some(target) => format!("{directory}{target}"),
            None => format!("{directory}{}", reference.source),
        }
    }
}

/// Every reference of a service with its object, refused where no engine of ours can have it.
fn uses<'a>(
    project: &'a Project,
    service: &'a Service,
) -> Result<Vec<(Kind, String, &'a FileReference, &'a FileObject)>, Refusal> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        for (index, reference) in kind.references(service).iter().enumerate() {
            let index = index.to_string();
            let fail = |message: String| {
                Err(refusal(
                    service,
                    "unsupported",
                    &[kind.list(), &index],
                    message,
                ))
            };
            let (word, source) = (kind.word(), &reference.source);
            let Some(object) = kind.object(project, source) else {
                return fail(format!("{word} {source:?} is not defined"));
            };
            let is_set = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
            if object.external {
                return fail(format!(
                    "{word} {source:?} is external, and external {word}s exist in Swarm only: give a file, environment or content"
                ));
            }
            for (key, given) in [
                ("driver", is_set(&object.driver)),
                ("template_driver", is_set(&object.template_driver)),
            ] {
                if given {
                    return fail(format!(
                        "{word} {source:?} has a {key}, which exists in Swarm only"
                    ));
                }
            }
            all.push((kind, index, reference, object));
        }
    }
    Ok(all)
}

/// Whether the object's content is copied rather than bound.
fn is_copied(object: &FileObject) -> bool {
    object.content.is_some() || object.environment.is_some()
}

impl Task<'_> {
    /// Target and file of every secret and config that is a file of this machine.
    pub(super) fn bound_files(&self) -> Result<Vec<(String, String)>, Refusal> {
        let uses = uses(self.project, self.service)?;
        Ok(uses
            .into_iter()
            .filter(|(_, _, _, object)| !is_copied(object))
            .filter_map(|(kind, _, reference, object)| {
                Some((kind.target(reference), object.file.clone()?))
            })
            .collect())
    }
}

/// The files to copy into a service's containers before each start. `docker_config` is the
/// `config.json` for `use_api_socket`.
///
/// # Errors
/// A variable that is not set, an owner that is no number, a read-only container.
pub fn file_contents(
    project: &Project,
    service: &Service,
    docker_config: Option<&[u8]>,
) -> Result<Vec<FileContent>, Refusal> {
    let mut files = Vec::new();
    for (kind, index, reference, object) in uses(project, service)? {
        if !is_copied(object) {
            continue;
        }
        let (word, source) = (kind.word(), &reference.source);
        let path = [kind.list(), index.as_str()];
        let fail = |message: String| refusal(service, "file-content", &path, message);
        let content = match (&object.content, &object.environment) {
            (Some(content), _) => content,
            (None, Some(variable)) => project.environment.get(variable).ok_or_else(|| {
                fail(format!(
                    "variable {variable:?}, which {word} {source:?} is made from, is not set"
                ))
            })?,
            (None, None) => continue,
        };
        // Compose makes no file of nothing.
        if content.is_empty() {
            continue;
        }
        if service.read_only {
            return Err(fail(format!(
                "{word} {source:?} would have to be copied into a read_only container: use a file instead"
            )));
        }
        let owner = |text: &Option<String>, key: &str| match text.as_deref() {
            None | Some("") => Ok(0),
            Some(text) => text
                .parse()
                .map_err(|_| fail(format!("{key} {text:?} is no number"))),
        };
        let mode = reference.mode.as_deref().filter(|m| !m.is_empty());
        let mode = match mode {
            None => 0o444,
            Some(text) => u32::from_str_radix(text, 8)
                .map_err(|_| fail(format!("mode {text:?} is no octal number")))?,
        };
        files.push(FileContent {
            path: kind.target(reference),
            mode,
            uid: owner(&reference.uid, "uid")?,
            gid: owner(&reference.gid, "gid")?,
            bytes: content.clone().into_bytes(),
        });
    }
    if let Some(config) = docker_config.filter(|_| service.use_api_socket) {
        files.push(FileContent {
            path: format!("{API_SOCKET_CONFIG}/config.json"),
            mode: 0o444,
            uid: 0,
            gid: 0,
            bytes: config.to_vec(),
        });
    }
    Ok(files)
}

/// The files as a tar that unpacks at `/`; they were last changed so many seconds after the epoch.
pub fn archive(files: &[FileContent], changed: u64) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(file.mode);
        header.set_uid(file.uid);
        header.set_gid(file.gid);
        header.set_mtime(changed);
        header.set_entry_type(tar::EntryType::Regular);
        // Writing to memory cannot fail, and the path is relative and without `..` by now.
        let path = file.path.trim_start_matches('/');
        let _ = builder.append_data(&mut header, path, file.bytes.as_slice());
    }
    builder.into_inner().unwrap_or_default()
}

/// Owner and mode mean nothing for a bound file.
pub(super) fn warnings(project: &Project, service: &Service) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        for (index, reference) in kind.references(service).iter().enumerate() {
            let object = kind.object(project, &reference.source);
            let given =
                reference.uid.is_some() || reference.gid.is_some() || reference.mode.is_some();
            if given && object.is_some_and(|o| !is_copied(o)) {
                let (path, node) = locate(service, &[kind.list(), &index.to_string()]);
                let message = format!(
                    "uid, gid and mode do nothing for a {} that is a file: it is bound as it is",
                    kind.word()
                );
                let span = node.map_or(service.span, |n| n.span);
                found.push(Diagnostic::warning("ignored-attribute", path, message).at(span));
            }
        }
    }
    found
}
