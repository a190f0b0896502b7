//! Which paths a service's rules are about, and where they go.

use super::WatchError;
use crate::image::build::{ignored, is_remote};
use crate::image::ignore::Ignore;
use crate::project::Project;
use crate::service::Service;
use crate::service::develop::{Hook, WatchRule};
use crate::service::mount::MountKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a change asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Sync,
    SyncRestart,
    SyncExec,
    Restart,
    Rebuild,
}

impl Action {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "sync" => Action::Sync,
            "sync+restart" => Action::SyncRestart,
            "sync+exec" => Action::SyncExec,
            "restart" => Action::Restart,
            "rebuild" => Action::Rebuild,
            _ => return None,
        })
    }

    /// Whether files go into the container.
    pub fn syncs(self) -> bool {
        matches!(self, Action::Sync | Action::SyncRestart | Action::SyncExec)
    }

    pub fn restarts(self) -> bool {
        matches!(self, Action::SyncRestart | Action::Restart)
    }
}

/// A rule of a service.
#[derive(Debug)]
pub struct Rule {
    pub service: String,
    /// A file, or a directory with all in it.
    pub path: PathBuf,
    pub action: Action,
    /// Where the path is in the container.
    pub target: String,
    /// The command of `sync+exec`.
    pub exec: Option<Hook>,
    /// Its files are to be in the container before anything changes.
    pub is_initial: bool,
    include: Option<Ignore>,
    ignore: Ignore,
    /// The build's context, and what is no part of it.
    context: Option<(PathBuf, Arc<Ignore>)>,
    ephemeral: Arc<Ignore>,
}

/// Files that editors and version control make for themselves: nobody wants them in a container.
const EPHEMERAL: &str = "\
**/.git
**/*___jb_old___
**/*___jb_tmp___
**/.idea/**
**/.#*
**/#*#
**/4913
**/*~
**/.*.swp
**/.*.swx
**/.*.swo
**/.*.swn
**/.*.kate-swp
**/*-go-tmp-umask";

/// The rules of all services of the project, and warnings about those that are left out.
///
/// # Errors
/// Where there is none, or one cannot be carried out.
pub fn of(project: &Project, may_build: bool) -> Result<(Vec<Rule>, Vec<String>), WatchError> {
    let ephemeral = Arc::new(Ignore::parse(EPHEMERAL.as_bytes()).unwrap_or_default());
    let (mut rules, mut warnings) = (Vec::new(), Vec::new());
    for service in project.services.values() {
        let Some(develop) = &service.develop else {
            continue;
        };
        let context = context(service)?;
        for rule in &develop.watch {
            let Some(action) = Action::parse(&rule.action) else {
                continue;
            };
            check(service, rule, action, may_build)?;
            let path = PathBuf::from(&rule.path);
            if action.syncs() && is_mounted(service, &path) {
                warnings.push(format!(
                    "path '{}' also declared by a bind mount volume, this path won't be monitored!",
                    rule.path
                ));
                continue;
            }
            rules.push(Rule {
                service: service.name.clone(),
                // Nothing below a link is told under its name.
                path: path.canonicalize().unwrap_or(path),
                action,
                target: rule.target.clone().unwrap_or_default(),
                exec: rule.exec.clone(),
                is_initial: rule.initial_sync && action.syncs(),
                include: match rule.include.is_empty() {
                    true => None,
                    false => Some(patterns(service, "include", &rule.include)?),
                },
                ignore: patterns(service, "ignore", &rule.ignore)?,
                context: context.clone(),
                ephemeral: ephemeral.clone(),
            });
        }
    }
    match rules.is_empty() {
        true => Err(WatchError::Nothing),
        false => Ok((rules, warnings)),
    }
}

fn check(
    service: &Service,
    rule: &WatchRule,
    action: Action,
    may_build: bool,
) -> Result<(), WatchError> {
    let name = || service.name.clone();
    let has_command = rule.exec.as_ref().is_some_and(|e| !e.command.is_empty());
    match action {
        Action::Rebuild if service.build.is_none() => Err(WatchError::NoBuild(name())),
        Action::Rebuild if !may_build => Err(WatchError::MayNotBuild(name())),
        Action::SyncExec if !has_command => Err(WatchError::NoCommand(name())),
        _ => Ok(()),
    }
}

/// What the build of a service leaves out.
fn context(service: &Service) -> Result<Option<(PathBuf, Arc<Ignore>)>, WatchError> {
    let Some(build) = service.build.as_ref().filter(|b| !is_remote(&b.context)) else {
        return Ok(None);
    };
    let directory = Path::new(&build.context);
    let name = build.dockerfile.as_deref().filter(|name| !name.is_empty());
    let dockerfile = directory.join(name.unwrap_or("Dockerfile"));
    let inline = build.dockerfile_inline.is_some();
    let beside = (!inline).then_some(dockerfile.as_path());
    let patterns = ignored::read(service, directory, beside)?.patterns;
    let directory = directory
        .canonicalize()
        .unwrap_or_else(|_| directory.to_owned());
    Ok(Some((directory, Arc::new(patterns))))
}

fn patterns(service: &Service, list: &'static str, lines: &[String]) -> Result<Ignore, WatchError> {
    Ignore::parse(lines.join("\n").as_bytes()).map_err(|bad| WatchError::Pattern {
        service: service.name.clone(),
        list,
        pattern: bad.pattern,
        why: bad.why,
    })
}

/// Whether the container has the path anyhow.
fn is_mounted(service: &Service, path: &Path) -> bool {
    let binds = service
        .volumes
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind);
    binds
        .filter_map(|mount| mount.source.as_deref())
        .any(|source| path.starts_with(source))
}

impl Rule {
    /// The path in the container that a changed path belongs to; `None` where the rule is not about
    /// it.
    pub fn target_of(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(&self.path).ok()?;
        let inside = inside.as_os_str().as_bytes();
        if self.leaves_out(path, inside) {
            return None;
        }
        if let Some(include) = &self.include
            && !inside.is_empty()
            && !include.excludes(inside)
        {
            return None;
        }
        let target = self.target.trim_end_matches('/');
        Some(match inside {
            b"" if target.is_empty() => "/".to_owned(),
            b"" => target.to_owned(),
            inside => format!("{target}/{}", String::from_utf8_lossy(inside)),
        })
    }

    fn leaves_out(&self, path: &Path, inside: &[u8]) -> bool {
        let in_context = || {
            let (directory, ignore) = self.context.as_ref()?;
            let inside = path.strip_prefix(directory).ok()?.as_os_str().as_bytes();
            Some(!inside.is_empty() && ignore.excludes(inside))
        };
        !inside.is_empty() && (self.ignore.excludes(inside) || self.ephemeral.excludes(inside))
            || in_context().unwrap_or_default()
    }

    /// Whether the rule is about nothing in a directory.
    fn skips(&self, directory: &Path) -> bool {
        let Ok(inside) = directory.strip_prefix(&self.path) else {
            return true;
        };
        let takes_back =
            self.ignore.takes_back() || self.context.as_ref().is_some_and(|(_, c)| c.takes_back());
        let inside = inside.as_os_str().as_bytes();
        match takes_back {
            true => !inside.is_empty() && self.ephemeral.excludes(inside),
            false => !inside.is_empty() && self.leaves_out(directory, inside),
        }
    }
}

/// Whether no rule is about anything in a directory: it need not be watched.
pub fn skip(rules: &[Rule], directory: &Path) -> bool {
    rules.iter().all(|rule| rule.skips(directory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::build::Build;
    use crate::service::develop::Develop;

    fn rules(directory: &Path, dockerignore: &str, rule: WatchRule) -> Vec<Rule> {
        std::fs::write(directory.join(".dockerignore"), dockerignore).unwrap();
        let service = Service {
            name: "web".into(),
            build: Some(Build {
                context: directory.display().to_string(),
                ..Build::default()
            }),
            develop: Some(Develop { watch: vec![rule] }),
            ..Service::default()
        };
        let project = Project {
            services: [("web".to_owned(), service)].into(),
            ..Project::default()
        };
        of(&project, true).unwrap().0
    }

    #[test]
    fn what_a_rule_is_about() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        let rule = WatchRule {
            path: root.join("src").display().to_string(),
            action: "sync".into(),
            target: Some("/app/".into()),
            ignore: vec!["node_modules".into(), "*.log".into()],
            ..WatchRule::default()
        };
        let plain = rules(&root, "src/secret\n**/*.tmp\n", rule.clone());
        let only = WatchRule {
            include: vec!["**/*.py".into()],
            ..rule
        };
        let only = rules(&root, "", only);
        for (path, expected, of_py) in [
            ("src/a", Some("/app/a"), None),
            ("src/sub/b.py", Some("/app/sub/b.py"), Some("/app/sub/b.py")),
            ("src", Some("/app"), Some("/app")),
            ("srcs/a", None, None),
            ("a.py", None, None),
            ("src/a.log", None, None),
            ("src/sub/a.log", Some("/app/sub/a.log"), None),
            ("src/node_modules/x/y.py", None, None),
            ("src/secret/key", None, Some("/x")),
            ("src/x.tmp", None, None),
            ("src/.git/HEAD", None, None),
            ("src/sub/.a.py.swp", None, None),
            ("src/4913", None, None),
            ("src/a.py~", None, None),
        ] {
            let path = root.join(path);
            assert_eq!(plain[0].target_of(&path).as_deref(), expected, "{path:?}");
            if of_py != Some("/x") {
                assert_eq!(only[0].target_of(&path).as_deref(), of_py, "{path:?}");
            }
        }
        for (directory, skipped) in [
            ("src", false),
            ("src/sub", false),
            ("src/node_modules", true),
            ("src/node_modules/deep", true),
            ("src/.git", true),
            ("src/secret", true),
            ("other", true),
        ] {
            assert_eq!(skip(&plain, &root.join(directory)), skipped, "{directory}");
        }
    }

    #[test]
    fn what_cannot_be_carried_out_is_refused() {
        let rule = |action: &str| WatchRule {
            path: "/nowhere".into(),
            action: action.into(),
            target: Some("/x".into()),
            ..WatchRule::default()
        };
        let of_rules = |watch: Vec<WatchRule>| {
            let service = Service {
                name: "web".into(),
                develop: Some(Develop { watch }),
                ..Service::default()
            };
            let project = Project {
                services: [("web".to_owned(), service)].into(),
                ..Project::default()
            };
            of(&project, true)
                .map(|(rules, _)| rules.len())
                .map_err(|e| e.to_string())
        };
        let says = |watch, text: &str| {
            let error: String = of_rules(watch).unwrap_err();
            assert!(error.contains(text), "{error}");
        };
        says(
            vec![],
            "none of the selected services is configured for watch",
        );
        says(
            vec![rule("rebuild")],
            "can't watch service \"web\" with action rebuild",
        );
        says(vec![rule("sync+exec")], "without a command");
        let bad = WatchRule {
            ignore: vec!["a[".into()],
            ..rule("sync")
        };
        says(vec![bad], "services.web.develop.watch: ignore: `a[`");
        assert_eq!(of_rules(vec![rule("sync"), rule("restart")]), Ok(2));
    }
}
