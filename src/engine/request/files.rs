//! Secrets and configs: files of this machine are bound, everything else is copied in; so are
//! files that are to have another owner or mode, which a bind cannot give.

use super::container::API_SOCKET_CONFIG;
use super::placement::{Place, place};
use super::{Refusal, Task, refusal};
use crate::project::Project;
use crate::secret::FileObject;
use crate::service::Service;
use crate::service::mount::FileReference;
use crate::tree::Span;

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
    /// `None` for what the project does not give.
    pub origin: Option<Origin>,
}

/// The secret or config that a file is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `secret` or `config`.
    pub kind: &'static str,
    pub key: String,
    /// Where its content, or what gives it, is named.
    pub span: Span,
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

/// A reference of a service with its object.
struct Use<'a> {
    project: &'a Project,
    service: &'a Service,
    kind: Kind,
    /// In its list.
    index: String,
    reference: &'a FileReference,
    object: &'a FileObject,
}

/// The owner and the mode that a reference asks for.
struct Asked {
    uid: Option<u64>,
    gid: Option<u64>,
    mode: Option<u32>,
}

/// How a container gets a file.
enum Given<'a> {
    /// A file of this machine.
    Bound(&'a str),
    Copied(FileContent),
    /// Compose makes no file of nothing.
    Nothing,
}

/// Every reference of a service, refused where no engine of ours can have it.
fn uses<'a>(project: &'a Project, service: &'a Service) -> Result<Vec<Use<'a>>, Refusal> {
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
            all.push(Use {
                project,
                service,
                kind,
                index,
                reference,
                object,
            });
        }
    }
    Ok(all)
}

impl<'a> Use<'a> {
    fn refuse(&self, message: String) -> Refusal {
        let path = [self.kind.list(), self.index.as_str()];
        refusal(self.service, "file-content", &path, message)
    }

    /// `secret "key"`.
    fn in_words(&self) -> String {
        format!("{} {:?}", self.kind.word(), self.reference.source)
    }

    fn given(&self) -> Result<Given<'a>, Refusal> {
        if !self.object.is_file() {
            return self.content();
        }
        let Some(file) = self.object.file.as_deref() else {
            return Ok(Given::Nothing);
        };
        if !self.reference.asks_for_owner_or_mode() {
            return Ok(Given::Bound(file));
        }
        let target = self.kind.target(self.reference);
        // A mount of the service at the very place goes before, as it does for what is bound.
        if place(self.service, &target) == Place::Taken {
            return Ok(Given::Bound(file));
        }
        let local = match &self.object.local {
            Some(Ok(local)) => local,
            Some(Err(why)) => {
                let what = self.in_words();
                return Err(self.refuse(format!("{what} cannot be copied: {file} {why}")));
            }
            None => return Err(self.refuse(format!("{} was not read", self.in_words()))),
        };
        let Asked { uid, gid, mode } = self.asked()?;
        // What is not said stays as the file has it.
        let fits_owner =
            uid.is_none_or(|id| id == local.uid) && gid.is_none_or(|id| id == local.gid);
        let fits = fits_owner && mode.is_none_or(|mode| mode == local.mode);
        if fits && uid.is_none() && gid.is_none() {
            return Ok(Given::Bound(file));
        }
        if let Some(why) = self.cannot_be_copied(&target) {
            // In the numbers of this machine it is what was asked for.
            if fits {
                return Ok(Given::Bound(file));
            }
            let what = self.in_words();
            let message = format!(
                "{what} cannot have another owner or mode than its file: it would have to be copied, and {why}"
            );
            let help = format!(
                "give {file} itself that owner and mode, or leave out uid, gid and mode here"
            );
            return Err(Box::new(self.refuse(message).help(help)));
        }
        Ok(Given::Copied(FileContent {
            path: target,
            mode: mode.unwrap_or(local.mode),
            uid: uid.unwrap_or(local.uid),
            gid: gid.unwrap_or(local.gid),
            bytes: local.bytes.clone(),
            origin: Some(self.origin("file")),
        }))
    }

    /// `content` and `environment`.
    fn content(&self) -> Result<Given<'a>, Refusal> {
        let (content, attribute) = match (&self.object.content, &self.object.environment) {
            (Some(content), from) => (content, from.as_ref().map_or("content", |_| "environment")),
            (None, Some(variable)) => {
                let content = self.project.environment.get(variable).ok_or_else(|| {
                    let what = self.in_words();
                    self.refuse(format!(
                        "variable {variable:?}, which {what} is made from, is not set"
                    ))
                })?;
                (content, "environment")
            }
            (None, None) => return Ok(Given::Nothing),
        };
        if content.is_empty() {
            return Ok(Given::Nothing);
        }
        let target = self.kind.target(self.reference);
        if let Some(why) = self.cannot_be_copied(&target) {
            let what = self.in_words();
            let message = format!("{what} would have to be copied into the container, and {why}");
            let help = match self.service.read_only {
                true => "give it as a `file`, which is bound",
                false => "give it as a `file`, which is bound, or another target",
            };
            return Err(Box::new(self.refuse(message).help(help)));
        }
        let Asked { uid, gid, mode } = self.asked()?;
        Ok(Given::Copied(FileContent {
            path: target,
            mode: mode.unwrap_or(0o444),
            uid: uid.unwrap_or(0),
            gid: gid.unwrap_or(0),
            bytes: content.clone().into_bytes(),
            origin: Some(self.origin(attribute)),
        }))
    }

    /// What the reference asks for.
    fn asked(&self) -> Result<Asked, Refusal> {
        let owner = |text: &Option<String>, key: &str| match text.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| self.refuse(format!("{key} {text:?} is not a number"))),
        };
        let mode = match self.reference.mode.as_deref() {
            None | Some("") => None,
            Some(text) => {
                let mode = u32::from_str_radix(text, 8).ok().filter(|m| *m <= 0o7777);
                let wrong =
                    || self.refuse(format!("mode {text:?} is not an octal number up to 7777"));
                Some(mode.ok_or_else(wrong)?)
            }
        };
        Ok(Asked {
            uid: owner(&self.reference.uid, "uid")?,
            gid: owner(&self.reference.gid, "gid")?,
            mode,
        })
    }

    /// Why no file can be put there before the container starts.
    fn cannot_be_copied(&self, target: &str) -> Option<String> {
        match place(self.service, target) {
            Place::Taken => Some(format!("something else is mounted at {target}")),
            Place::Tmpfs(at) => Some(format!(
                "the tmpfs at {at} is mounted over it when the container starts"
            )),
            Place::ReadOnly(at) => Some(format!("what is mounted at {at} is read-only")),
            Place::Writable if self.service.read_only => {
                Some("the container is read_only".to_owned())
            }
            Place::Writable => None,
        }
    }

    fn origin(&self, attribute: &str) -> Origin {
        let path = [self.kind.list(), self.object.key.as_str(), attribute];
        let node = self.project.spec.at(&path);
        Origin {
            kind: self.kind.word(),
            key: self.reference.source.clone(),
            span: node.map_or(self.object.span, |node| node.span),
        }
    }
}

impl Task<'_> {
    /// Target and file of every secret and config that is bound.
    pub(super) fn bound_files(&self) -> Result<Vec<(String, String)>, Refusal> {
        let mut bound = Vec::new();
        for one in uses(self.project, self.service)? {
            if one.object.is_file()
                && let Given::Bound(file) = one.given()?
            {
                bound.push((one.kind.target(one.reference), file.to_owned()));
            }
        }
        Ok(bound)
    }
}

/// The files to copy into a service's containers before each start, but those at `mounted` paths:
/// a container that was made before may have them bound. `docker_config` is the `config.json` for
/// `use_api_socket`.
///
/// # Errors
/// A variable that is not set, an owner that is no number, a place that no file can be put at, a
/// file that cannot be read.
pub fn file_contents(
    project: &Project,
    service: &Service,
    docker_config: Option<&[u8]>,
    mounted: &[&str],
) -> Result<Vec<FileContent>, Refusal> {
    let mut files = Vec::new();
    for one in uses(project, service)? {
        let target = one.kind.target(one.reference);
        if one.object.is_file() && mounted.contains(&target.as_str()) {
            continue;
        }
        if let Given::Copied(file) = one.given()? {
            files.push(file);
        }
    }
    if let Some(config) = docker_config.filter(|_| service.use_api_socket) {
        files.push(FileContent {
            path: format!("{API_SOCKET_CONFIG}/config.json"),
            mode: 0o444,
            uid: 0,
            gid: 0,
            bytes: config.to_vec(),
            origin: None,
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
