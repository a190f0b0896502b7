//! `extends`: a service over another one of this file or of another.
//!
//! In: a document with its variables filled in. Out: the same without `extends`; what a service
//! inherits from another file has that file's paths, as seen from the project directory.

use super::budget;
use super::discover::is_address;
use super::history::Link as Extension;
use super::model::{Builder, Extended, Scope};
use super::touched::Touched;
use super::yaml::Tag;
use super::{canonical, merge, paths, tags};
use crate::diagnostic::Diagnostic;
use crate::tree::{Map, Node, Span, Value};
use crate::value::similar;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

/// What `extends` says.
struct Target {
    service: String,
    file: Option<(String, Span)>,
    span: Span,
}

/// How many services may extend one another in a row.
const MAX_CHAIN: usize = 100;

/// The code of the finding about a longer chain.
const TOO_LONG: &str = "extends-depth";

/// A service being extended, for the message about a cycle.
type Link = (PathBuf, String, Span);

/// A hidden attribute of services that extend one whose own base was not found: who knows what
/// would have come from there.
pub const UNFOUND: &str = "x-#unfound";

impl Builder<'_> {
    /// Resolves every `extends` of a document.
    pub fn extend_services(&mut self, root: &mut Node, tags: &[Tag], file: &Path, scope: &Scope) {
        let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) else {
            return;
        };
        let extending: Vec<String> = services
            .iter()
            .filter(|(_, s)| s.get("extends").is_some())
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in extending {
            if self.reader.budget.is_spent() {
                return;
            }
            let before = self.findings.len();
            self.extend(&name, services, tags, file, scope, &mut Vec::new());
            // The services of one long chain would all say so.
            if self.findings[before..].iter().any(|f| f.code == TOO_LONG) {
                return;
            }
        }
    }

    /// Resolves one service among the services of its file.
    fn extend(
        &mut self,
        name: &str,
        services: &mut Map,
        tags: &[Tag],
        file: &Path,
        scope: &Scope,
        chain: &mut Vec<Link>,
    ) {
        let Some(target) = services.get(name).and_then(target) else {
            return;
        };
        if self.is_cycle(file, name, target.span, chain) {
            return;
        }
        if chain.len() == MAX_CHAIN {
            let path = format!("services.{name}.extends");
            let message = format!("more than {MAX_CHAIN} services extend one another in a row");
            self.findings
                .push(Diagnostic::error(TOO_LONG, path, message).at(target.span));
            return;
        }
        chain.push((file.to_owned(), name.to_owned(), target.span));
        let base = match &target.file {
            Some((path, span)) => {
                let located = self.locate(path, *span, scope);
                match located {
                    Ok(path) => {
                        self.note(name, file, Some(&path), &target, scope);
                        self.base(&path, *span, &target, name, scope, chain)
                            .map(|base| (*base).clone())
                    }
                    Err(error) => {
                        let at = format!("services.{name}.extends.file");
                        self.findings
                            .push(Diagnostic { path: at, ..error }.at(*span));
                        None
                    }
                }
            }
            None if services.contains_key(&target.service) => {
                self.note(name, file, None, &target, scope);
                self.extend(&target.service, services, tags, file, scope, chain);
                services.get(&target.service).cloned()
            }
            None => {
                self.not_found(name, file, &target, services);
                None
            }
        };
        chain.pop();
        let Some(mut base) = base else {
            return;
        };
        let place = || (format!("services.{name}.extends"), target.span);
        let Builder {
            reader, findings, ..
        } = self;
        if !reader.budget.take(budget::values(&base), findings, place) {
            return;
        }
        if base.is_null() {
            let own = services.get(name).and_then(|own| own.get("extends"));
            self.empty_bases.extend(own.map(|own| own.span));
            return;
        }
        // It is still there where what the base extends was not found, or is empty.
        let unfound = base.as_map_mut().and_then(|m| m.remove_entry("extends"));
        let unfound = unfound.filter(|entry| !self.empty_bases.contains(&entry.node.span));
        tags::below(tags, &["services", name], &mut base);
        if let Some(service) = services.get_mut(name) {
            let over = std::mem::take(service);
            *service = merge::at(["services", name], base, over, &mut self.findings);
            if let Some(map) = service.as_map_mut() {
                map.remove("extends");
                if let Some(unfound) = unfound {
                    map.insert(UNFOUND, unfound.key, unfound.node);
                }
            }
        }
    }

    /// Records which service extends which, where a history is kept.
    fn note(
        &mut self,
        name: &str,
        file: &Path,
        from: Option<&Path>,
        target: &Target,
        scope: &Scope,
    ) {
        if let Some(history) = &mut self.reader.history {
            history.links.push(Extension {
                scope: scope.number,
                file: file.to_owned(),
                service: name.to_owned(),
                from: from.map(Path::to_owned),
                target: target.service.clone(),
                span: target.span,
            });
        }
    }

    /// The file that is extended from, and for a remote one what its paths are joined to: the
    /// top of what was fetched (Compose's rule, also where the file lies deeper).
    fn locate(&mut self, text: &str, span: Span, scope: &Scope) -> Result<PathBuf, Diagnostic> {
        let at = "";
        if !is_address(Path::new(text)) {
            let path = PathBuf::from(paths::clean(&scope.directory.join(text)));
            return match self.reader.strays(&path, Some(span)) {
                true => Err(self.reader.strayed("extended file", &path, at)),
                false => Ok(path),
            };
        }
        let fetched = self.reader.fetch(text).map_err(|e| e.finding(at))?;
        self.tops.insert(fetched.file.clone(), fetched.root);
        Ok(fetched.file)
    }

    /// A service of another file with all that it extends in turn.
    fn base(
        &mut self,
        path: &Path,
        span: Span,
        target: &Target,
        name: &str,
        scope: &Scope,
        chain: &mut Vec<Link>,
    ) -> Option<Rc<Node>> {
        let key = (scope.number, path.to_owned(), target.service.clone());
        if let Some(known) = self.bases.get(&key) {
            return known.clone();
        }
        let before = self.findings.len();
        let extended = self.extended(path, span, name, scope)?;
        if !extended.services.contains_key(&target.service) {
            self.not_found(name, path, target, &extended.services);
            return None;
        }
        let is_plain = extended
            .services
            .get(&target.service)
            .is_some_and(|s| s.get("extends").is_none());
        let base = if is_plain {
            extended.services.get(&target.service).cloned()
        } else {
            let mut services = reaching(&target.service, &extended.services);
            self.extend(
                &target.service,
                &mut services,
                &extended.tags,
                path,
                scope,
                chain,
            );
            services.remove(&target.service)
        };
        let base = base.map(Rc::new);
        if self.findings.len() == before {
            self.bases.insert(key, base.clone());
        }
        base
    }

    /// The services of a file that is extended from, read once per scope.
    fn extended(
        &mut self,
        path: &Path,
        span: Span,
        name: &str,
        scope: &Scope,
    ) -> Option<Rc<Extended>> {
        let key = (scope.number, path.to_owned());
        if let Some(known) = self.extended.get(&key) {
            return known.clone();
        }
        let errors = self.errors();
        let extended = self.read_extended(path, span, name, scope);
        if extended.is_none() && self.errors() == errors && !self.reader.budget.is_spent() {
            let message = format!(
                "cannot extend service \"{name}\" in {}: no services section",
                path.display()
            );
            self.findings.push(
                Diagnostic::error("extends", format!("services.{name}.extends.file"), message)
                    .at(span),
            );
        }
        let extended = extended.map(Rc::new);
        self.extended.insert(key, extended.clone());
        extended
    }

    fn errors(&self) -> usize {
        self.findings.iter().filter(|f| f.is_error()).count()
    }

    fn read_extended(
        &mut self,
        path: &Path,
        span: Span,
        name: &str,
        scope: &Scope,
    ) -> Option<Extended> {
        let mut model: Option<Node> = None;
        let mut last_tags = Vec::new();
        let named = (format!("services.{name}.extends.file"), span);
        for document in self.parse(path, Some(named)).documents {
            let (mut root, tags) = (document.root, document.tags);
            if root.as_map().is_none() {
                continue;
            }
            self.fill_in(&mut root, scope);
            if let Some(history) = &mut self.reader.history {
                history.extended(path, scope.number, &root, &tags);
            }
            let mut merged = match model.take() {
                Some(mut model) => {
                    tags::apply(&tags, &mut model);
                    merge::models(model, root, &mut self.findings)
                }
                None => root,
            };
            merge::unique::enforce(&mut merged, &Touched::All, &mut self.findings);
            canonical::expand(
                &mut merged,
                &Touched::All,
                self.stages.no_interpolate,
                &mut self.reader.budget,
                &mut self.findings,
            );
            merge::unique::enforce(&mut merged, &Touched::All, &mut self.findings);
            model = Some(merged);
            last_tags = tags;
        }
        let mut model = model?;
        let base = match self.tops.get(path) {
            Some(top) => top.clone(),
            None => relative(&scope.directory, path.parent().unwrap_or(Path::new("/"))),
        };
        paths::resolve(
            &mut model,
            paths::Base {
                files: self.reader.files,
                dir: &base,
                home: self.home.as_deref(),
                plain: &self.plain,
            },
        );
        match model.as_map_mut()?.remove("services")?.value {
            Value::Map(services) => Some(Extended {
                services,
                tags: last_tags,
            }),
            _ => None,
        }
    }

    fn is_cycle(&mut self, file: &Path, name: &str, span: Span, chain: &[Link]) -> bool {
        let Some(start) = chain.iter().position(|(f, n, _)| f == file && n == name) else {
            return false;
        };
        let mut message = String::from("Circular reference:");
        let links = &chain[start..];
        for (at, (f, n, _)) in links.iter().enumerate() {
            let word = if at == 0 { "" } else { "extends " };
            message += &format!("\n  {word}{n} in {}", f.display());
        }
        message += &format!("\n  extends {name} in {}", file.display());
        let mut finding =
            Diagnostic::error("extends-cycle", format!("services.{name}.extends"), message)
                .at(span);
        for (_, n, span) in links.iter().skip(1) {
            finding = finding.related(*span, format!("{n} extends further here"));
        }
        self.findings.push(finding);
        true
    }

    fn not_found(&mut self, name: &str, file: &Path, target: &Target, services: &Map) {
        let wanted = &target.service;
        let mut finding = Diagnostic::error(
            "extends",
            format!("services.{name}.extends"),
            format!(
                "cannot extend service \"{name}\": service \"{wanted}\" not found in {}",
                file.display()
            ),
        )
        .at(target.span);
        if self.findings.merit_advice(services.len())
            && let Some(meant) = similar::nearest(wanted, services.keys())
        {
            finding = finding.help(format!("did you mean `{meant}`?"));
        }
        self.findings.push(finding);
    }
}

/// Reads `extends`; a wrong form of it is the schema's to report.
fn target(service: &Node) -> Option<Target> {
    let extends = service.get("extends")?;
    match &extends.value {
        Value::Str(service) => Some(Target {
            service: service.to_string(),
            file: None,
            span: extends.span,
        }),
        Value::Map(map) => {
            let service = map.get("service")?;
            let file = map
                .get("file")
                .and_then(|file| Some((file.as_str()?.to_owned(), file.span)));
            Some(Target {
                service: service.as_str()?.to_owned(),
                file,
                span: service.span,
            })
        }
        _ => None,
    }
}

/// Of the services of a file one and those that it extends, one by way of the other; all where one
/// of them is not there, as it is looked for among them.
fn reaching(name: &str, services: &Map) -> Map {
    let mut reached = Map::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next.take() {
        let Some(entry) = services.entry(&name) else {
            return services.clone();
        };
        next = target(&entry.node)
            .filter(|t| t.file.is_none())
            .map(|t| t.service);
        let is_new = !reached.contains_key(&name);
        if is_new {
            reached.insert(name, entry.key, entry.node.clone());
        } else {
            next = None;
        }
    }
    reached
}

/// The way from one absolute directory to another, in the shortest terms.
pub fn relative(from: &Path, to: &Path) -> PathBuf {
    let mut from = from.components().peekable();
    let mut to = to.components().peekable();
    while let (Some(a), Some(b)) = (from.peek(), to.peek())
        && a == b
    {
        from.next();
        to.next();
    }
    let up = from.map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to).collect();
    match way.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => way,
    }
}

#[cfg(test)]
mod tests {
    use super::relative;
    use std::path::Path;

    #[test]
    fn ways_between_directories() {
        for (from, to, way) in [
            ("/a/b", "/a/b", "."),
            ("/a/b", "/a/b/c", "c"),
            ("/a/b", "/a", ".."),
            ("/a/b", "/a/c/d", "../c/d"),
            ("/", "/x", "x"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(way));
        }
    }
}
