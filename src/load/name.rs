//! The project's name: `-p`, else `COMPOSE_PROJECT_NAME`, else the last `name:` in the files,
//! else that of the project directory.

use crate::diagnostic::{Diagnostic, Findings};
use crate::tree::Node;
use std::collections::BTreeMap;
use std::path::Path;

/// The variable that names the project, and that the loader sets for interpolation.
pub const VARIABLE: &str = "COMPOSE_PROJECT_NAME";

/// Lower case, only letters, digits, `_` and `-`, and not beginning with a sign.
pub fn normalize(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

/// Whether nothing but its directory names the project.
pub fn is_implied(
    flag: Option<&str>,
    environment: &BTreeMap<String, String>,
    declared: Option<&Node>,
) -> bool {
    let says = |name: Option<&str>| name.is_some_and(|n| !n.is_empty());
    !says(flag) && !says(environment.get(VARIABLE).map(String::as_str)) && declared.is_none()
}

/// Settles the name. `declared` is the last `name:` of the files with its variables filled in;
/// it is taken as it is where nothing is to be normalised (`config --no-normalize`).
pub fn settle(
    flag: Option<&str>,
    environment: &BTreeMap<String, String>,
    declared: Option<&Node>,
    as_it_is: bool,
    directory: &Path,
    findings: &mut Findings,
) -> String {
    let given = flag
        .filter(|n| !n.is_empty())
        .map(|n| (n, "-p"))
        .or_else(|| {
            let name = environment.get(VARIABLE).filter(|n| !n.is_empty())?;
            Some((name.as_str(), VARIABLE))
        });
    if let Some((name, from)) = given {
        if normalize(name) != name {
            findings.push(
                Diagnostic::error(
                    "project-name",
                    "",
                    format!(
                        "invalid project name \"{name}\" ({from}): must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"
                    ),
                )
                .help(match normalize(name) {
                    ok if ok.is_empty() => "begin with a letter or a digit".to_owned(),
                    ok => format!("`{ok}` would do"),
                }),
            );
        }
        return name.to_owned();
    }
    let name = match declared {
        Some(node) if as_it_is => node.as_str().unwrap_or_default().to_owned(),
        Some(node) => normalize(node.as_str().unwrap_or_default()),
        None => {
            let name = directory.file_name().unwrap_or_default();
            normalize(&name.to_string_lossy())
        }
    };
    if name.is_empty() {
        let mut finding = Diagnostic::error("project-name", "", "project name must not be empty")
            .help("give one with -p NAME, or with `name:` in the file");
        finding.span = declared.map(|node| node.span);
        if declared.is_some() {
            finding.path = "name".to_owned();
        }
        findings.push(finding);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Span;

    #[test]
    fn names_are_normalised_or_refused() {
        for (name, normal) in [
            ("My.Proj_1 X", "myproj_1x"),
            ("__a-b", "a-b"),
            ("été", "t"),
            ("...", ""),
        ] {
            assert_eq!(normalize(name), normal);
        }
    }

    #[test]
    fn the_first_that_says_anything_counts() {
        let declared = Node::new("From File", Span::default());
        let env = BTreeMap::from([(VARIABLE.to_owned(), "fromenv".to_owned())]);
        let none = BTreeMap::new();
        let dir = Path::new("/srv/My App");
        let mut findings = Findings::default();
        for (flag, env, declared, name) in [
            (Some("flag"), &env, Some(&declared), "flag"),
            (None, &env, Some(&declared), "fromenv"),
            (None, &none, Some(&declared), "fromfile"),
            (None, &none, None, "myapp"),
        ] {
            assert_eq!(settle(flag, env, declared, false, dir, &mut findings), name);
            assert_eq!(is_implied(flag, env, declared), name == "myapp");
        }
        let name = settle(None, &none, Some(&declared), true, dir, &mut findings);
        assert_eq!(name, "From File", "nothing is normalised");
        assert!(findings.is_empty());
        settle(Some("Bad Name"), &none, None, false, dir, &mut findings);
        assert_eq!(findings[0].code, "project-name");
    }
}
