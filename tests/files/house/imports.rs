//! Which source file imports which, and the circles among them.
//!
//! An import is a path that begins with `crate::` or `super::`, in a `use` line or elsewhere in the code.
//! It leads to the file of the longest module that it names: `crate::engine::docker::Docker` leads to
//! `engine/docker.rs`. A module is made of its children, so what it takes from them is not an import.

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use std::collections::BTreeMap;

/// The files that import one another in a circle, each circle sorted, without files that stand alone.
pub fn circles(sources: &BTreeMap<String, String>) -> Vec<Vec<&str>> {
    let modules: BTreeMap<&str, &str> = sources
        .iter()
        .filter(|(file, _)| *file != "lib.rs" && *file != "main.rs")
        .map(|(file, text)| (file.trim_end_matches(".rs"), text.as_str()))
        .collect();
    let mut graph = DiGraph::<&str, ()>::new();
    let nodes: BTreeMap<&str, _> = modules.keys().map(|m| (*m, graph.add_node(*m))).collect();
    for (module, text) in &modules {
        for path in paths(module, text) {
            let Some(imported) = longest(&modules, &path) else {
                continue;
            };
            let is_child = imported
                .strip_prefix(module)
                .is_some_and(|rest| rest.starts_with('/'));
            if imported != *module && !is_child {
                graph.update_edge(nodes[module], nodes[imported], ());
            }
        }
    }
    let of_several = tarjan_scc(&graph).into_iter().filter(|c| c.len() > 1);
    of_several
        .map(|circle| {
            let mut files: Vec<&str> = circle.into_iter().map(|node| graph[node]).collect();
            files.sort_unstable();
            files
        })
        .collect()
}

/// The longest beginning of a path that is a module.
fn longest<'m>(modules: &BTreeMap<&'m str, &'m str>, path: &[String]) -> Option<&'m str> {
    (1..=path.len()).rev().find_map(|length| {
        let (name, _) = modules.get_key_value(path[..length].join("/").as_str())?;
        Some(*name)
    })
}

/// The paths in a module's code, from the root of the crate. None is empty.
pub fn paths(module: &str, text: &str) -> Vec<Vec<String>> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            // `super::super::` is read once, from its beginning.
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let mut rest = &code[at..];
            let mut base = Vec::new();
            if let Some(after) = rest.strip_prefix("crate::") {
                rest = after;
            } else {
                base = module.split('/').map(str::to_owned).collect();
                while let Some(after) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = after;
                }
            }
            tree(base, rest, &mut paths);
        }
    }
    paths
}

/// Reads one path of a `use` tree behind its base, with its braces, and gives what follows it.
fn tree<'t>(mut base: Vec<String>, mut text: &'t str, paths: &mut Vec<Vec<String>>) -> &'t str {
    loop {
        text = text.trim_start();
        if let Some(mut inner) = text.strip_prefix('{') {
            loop {
                inner = inner.trim_start();
                if let Some(after) = inner.strip_prefix('}') {
                    return after;
                }
                let rest = tree(base.clone(), inner, paths);
                // `a as b` and the comma.
                let next = rest.find([',', '}']).unwrap_or(rest.len());
                inner = rest[next..].strip_prefix(',').unwrap_or(&rest[next..]);
                if inner.is_empty() {
                    return inner;
                }
            }
        }
        let end = text
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.is_empty() && name != "self" {
            base.push(name.to_owned());
        }
        match rest.strip_prefix("::") {
            Some(after) => text = after,
            None => {
                if !base.is_empty() {
                    paths.push(base);
                }
                return rest;
            }
        }
    }
}

#[test]
fn imports_are_read_out_of_code() {
    let sources: BTreeMap<String, String> = [
        ("a.rs", "use crate::{b::{self, X as Y}, c::d::Z};\n"),
        ("b.rs", "fn f() { crate::c::g() }\n// use crate::a;\n"),
        ("c.rs", "use crate::c::d::Z;\n"),
        ("c/d.rs", "use super::super::a;\nuse super::e;\n"),
        ("c/e.rs", "use crate::f::{\n    G,\n};\n"),
        ("f.rs", "use crate::cc::H;\nuse crate::c::e::I;\n"),
    ]
    .map(|(file, text)| (file.to_owned(), text.to_owned()))
    .into();
    let mut found = circles(&sources);
    found.sort();
    assert_eq!(found, [vec!["a", "c/d"], vec!["c/e", "f"]]);
}
