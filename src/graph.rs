//! The order that dependencies put services in.

use crate::project::Project;
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::Topo;
use std::collections::BTreeMap;

/// Active services, each after all it depends on; ties in the order of names.
pub fn dependency_order(project: &Project) -> Vec<&str> {
    dependency_order_with(project, &[])
}

/// The same with more pairs, (earlier, later), of which those count that no dependency and no pair
/// before them contradicts.
pub fn dependency_order_with<'a>(project: &'a Project, pairs: &[(&str, &str)]) -> Vec<&'a str> {
    let mut graph: DiGraph<&str, ()> = DiGraph::new();
    // Topo takes the last of the ready ones first, so the names go in backwards.
    let nodes: BTreeMap<&str, NodeIndex> = project
        .services
        .keys()
        .rev()
        .map(|name| (name.as_str(), graph.add_node(name.as_str())))
        .collect();
    for (name, service) in project.services.iter().rev() {
        for dependency in service.depends_on.keys().rev() {
            if let Some(&node) = nodes.get(dependency.as_str()) {
                graph.add_edge(node, nodes[name.as_str()], ());
            }
        }
    }
    for (earlier, later) in pairs {
        if let (Some(&earlier), Some(&later)) = (nodes.get(earlier), nodes.get(later))
            && !has_path_connecting(&graph, later, earlier, None)
        {
            graph.update_edge(earlier, later, ());
        }
    }
    let mut order = Vec::with_capacity(nodes.len());
    let mut topo = Topo::new(&graph);
    while let Some(node) = topo.next(&graph) {
        order.push(graph[node]);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Dependency, Service};

    fn project(services: &[(&str, &[&str])]) -> Project {
        let mut project = Project::default();
        for (name, dependencies) in services {
            project.services.insert(
                (*name).into(),
                Service {
                    name: (*name).into(),
                    depends_on: dependencies
                        .iter()
                        .map(|d| ((*d).to_owned(), Dependency::default()))
                        .collect(),
                    ..Service::default()
                },
            );
        }
        project
    }

    #[test]
    fn dependencies_come_first() {
        let p = project(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[]), ("d", &[])]);
        let order = dependency_order(&p);
        let at = |name| order.iter().position(|n| *n == name).unwrap();
        assert!(at("c") < at("b") && at("b") < at("a"));
        assert_eq!(order.len(), 4);
    }

    #[test]
    fn pairs_count_as_far_as_nothing_contradicts_them() {
        let p = project(&[("a", &["b"]), ("b", &[]), ("c", &[]), ("d", &[])]);
        assert_eq!(dependency_order(&p), ["b", "a", "c", "d"]);
        let pairs = [("a", "b"), ("d", "b"), ("b", "d"), ("gone", "a")];
        assert_eq!(dependency_order_with(&p, &pairs), ["c", "d", "b", "a"]);
    }

    #[test]
    fn a_dependency_outside_the_selection_does_not_count() {
        let p = project(&[("a", &["gone"])]);
        assert_eq!(dependency_order(&p), ["a"]);
    }
}
