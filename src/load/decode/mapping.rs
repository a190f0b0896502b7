//! Attributes that hold texts by name, in any of their spellings.

use super::value::text;
use crate::form::Kind;
use crate::tree::{Items, Map, Node, Text, Value};
use crate::value::number;

/// Reads a mapping of a kind.
///
/// # Errors
/// What is wrong, without the place.
pub fn decode(kind: Kind, node: Node) -> Result<Node, String> {
    let span = node.span;
    let map = match (kind, node.value) {
        (Kind::Hosts, value) => return hosts(Node { value, span }),
        (Kind::Ssh, value) => return ssh(Node { value, span }),
        (Kind::MultiOptions, Value::Map(map)) => lists(map),
        (Kind::Environment | Kind::Labels, Value::Seq(items)) => pairs(kind, &items)?,
        (Kind::Environment, Value::Map(map)) => values(map, true),
        (Kind::Texts, Value::Map(map)) => values(without_fractions(map)?, false),
        (Kind::Labels | Kind::Options, Value::Map(map)) => values(map, false),
        (Kind::Options | Kind::Texts | Kind::MultiOptions, _) => {
            return Err("must be a mapping".into());
        }
        _ => return Err("must be a mapping or a list of `NAME=VALUE`".into()),
    };
    Ok(Node::new(map, span))
}

/// `[A=1, B]`; the last entry of a name stands.
fn pairs(kind: Kind, items: &[Node]) -> Result<Map, String> {
    let mut map = Map::new();
    for item in items {
        let entry = number::text(item);
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (entry.as_str(), None),
        };
        let is_environment = matches!(kind, Kind::Environment);
        if is_environment && name.ends_with(char::is_whitespace) {
            return Err(format!(
                "the name in `{entry}` ends in a space; write it without"
            ));
        }
        let value = match value {
            Some(value) => Value::from(value),
            None if is_environment => Value::Null,
            None => Value::from(""),
        };
        map.insert(name, item.span, Node::new(value, item.span));
    }
    Ok(map)
}

fn without_fractions(map: Map) -> Result<Map, String> {
    for (name, node) in map.iter() {
        // Others are no whole numbers, which the schema says.
        if let Value::Float(x) = node.value
            && x.fract() == 0.0
        {
            let number = number::text(node);
            return Err(format!("`{name}` must be a string; put {number} in quotes"));
        }
    }
    Ok(map)
}

fn values(mut map: Map, keep_null: bool) -> Map {
    for (_, node) in map.iter_mut() {
        let stays = match node.value {
            Value::Str(_) => true,
            Value::Null => keep_null,
            _ => false,
        };
        if !stays {
            node.value = Value::Str(number::text(node));
        }
    }
    map
}

fn lists(mut map: Map) -> Map {
    for (_, node) in map.iter_mut() {
        let items = match &node.value {
            Value::Seq(items) => items.iter().map(as_text).collect(),
            _ => Items::from([as_text(node)]),
        };
        node.value = Value::Seq(items);
    }
    map
}

fn as_text(node: &Node) -> Node {
    Node::new(number::text(node), node.span)
}

/// `host=address` entries, sorted; brackets around an address go.
fn hosts(node: Node) -> Result<Node, String> {
    let span = node.span;
    let mut entries: Vec<(Text, Node)> = Vec::new();
    match node.value {
        Value::Map(map) => {
            for (host, entry) in map.into_entries() {
                match entry.node.value {
                    Value::Seq(items) => {
                        entries.extend(items.iter().map(|i| (host.clone(), as_text(i))));
                    }
                    _ => entries.push((host, text(entry.node)?)),
                }
            }
        }
        Value::Seq(items) => {
            for item in &items {
                let line = number::text(item);
                let (host, addresses) = line
                    .split_once('=')
                    .or_else(|| line.split_once(':'))
                    .ok_or_else(|| format!("`{line}` has no address; write `host=address`"))?;
                entries.extend(
                    addresses
                        .split(',')
                        .map(|a| (Text::from(host), Node::new(a, item.span))),
                );
            }
        }
        _ => return Err("must be a mapping or a list of `host=address`".into()),
    }
    let mut lines = Vec::with_capacity(entries.len());
    for (host, address) in entries {
        if host.is_empty() || host.contains([':', '=']) {
            return Err(format!("`{host}` is not a host name"));
        }
        let text = address.as_str().unwrap_or_default();
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .filter(|t| !t.is_empty())
            .unwrap_or(text);
        lines.push(Node::new(format!("{host}={bare}"), address.span));
    }
    lines.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(Node::new(lines, span))
}

/// Keys by id, each `id` or `id: path`.
fn ssh(node: Node) -> Result<Node, String> {
    let span = node.span;
    let Value::Map(map) = node.value else {
        return Err("must be a mapping or a list of `id=path`".into());
    };
    let mut keys: Vec<Node> = map
        .iter()
        .map(|(id, path)| match number::text(path) {
            path if path.is_empty() => Node::new(id, span),
            text => Node::new(format!("{id}: {text}"), path.span),
        })
        .collect();
    keys.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(Node::new(keys, span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Findings;
    use crate::load::yaml;
    use crate::tree::SourceId;

    #[test]
    fn every_spelling_becomes_the_same() {
        let mut findings = Findings::default();
        let mut tree = |text: &str| yaml::parse(SourceId(0), text, &mut findings).remove(0).root;
        for (kind, from, to) in [
            (Kind::Environment, "[A=1, B, C=]", "{A: '1', B: , C: ''}"),
            (
                Kind::Environment,
                "{A: 1, B: , C: true}",
                "{A: '1', B: , C: 'true'}",
            ),
            (Kind::Labels, "[a=1, b]", "{a: '1', b: ''}"),
            (Kind::Labels, "{a: 1.5, b: }", "{a: '1.5', b: ''}"),
            (
                Kind::MultiOptions,
                "{a: 1, b: [x, 2]}",
                "{a: ['1'], b: [x, '2']}",
            ),
            (
                Kind::Hosts,
                "['b:::1', 'a=[::2],10.0.0.1']",
                "['a=10.0.0.1', 'a=::2', 'b=::1']",
            ),
            (
                Kind::Hosts,
                "{a: 1.1.1.1, b: [2.2.2.2, 3.3.3.3]}",
                "[a=1.1.1.1, b=2.2.2.2, b=3.3.3.3]",
            ),
            (Kind::Ssh, "{default: , key: /k}", "[default, 'key: /k']"),
        ] {
            let (from_tree, to) = (tree(from), tree(to));
            assert_eq!(decode(kind, from_tree), Ok(to), "{from}");
        }
        for (kind, from) in [
            (Kind::Environment, "['A =1']"),
            (Kind::Hosts, "[nohost]"),
            (Kind::Hosts, "['=1']"),
        ] {
            assert!(decode(kind, tree(from)).is_err(), "{from}");
        }
    }
}
