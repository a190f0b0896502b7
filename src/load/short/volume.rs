//! `volumes` of a service: `[SOURCE:]TARGET[:OPTIONS]`.

use super::{Fault, Fields};
use crate::tree::{Node, Span};
use crate::value::path::clean;

const PROPAGATIONS: [&str; 6] = [
    "rprivate", "private", "rshared", "shared", "rslave", "slave",
];

/// The parts of a text, as they are written.
struct Parts<'t> {
    source: Option<&'t str>,
    target: &'t str,
    options: &'t str,
    /// Too short for anything but a target.
    is_short: bool,
}

/// The long form of a mount.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str, span: Span) -> Result<Node, Fault> {
    let parts = split(text)?;
    let mut read_only = false;
    let mut bind = Fields::new(span);
    let mut volume = Fields::new(span);
    for option in parts.options.split(',') {
        match option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            "nocopy" => volume.set("nocopy", true),
            "z" | "Z" => bind.set("selinux", option),
            _ if PROPAGATIONS.contains(&option) => bind.set("propagation", option),
            // Compose says nothing about options that it does not know either.
            _ => {}
        }
    }
    let is_bind = parts.source.is_some_and(is_path);
    if is_bind {
        bind.set("create_host_path", true);
    }
    let mut mount = Fields::new(span);
    mount.set("type", if is_bind { "bind" } else { "volume" });
    if let Some(source) = parts.source {
        mount.set("source", source);
    }
    mount.set("target", clean(parts.target));
    if read_only {
        mount.set("read_only", true);
    }
    if !bind.map.is_empty() {
        mount.set("bind", bind.map);
    }
    if !volume.map.is_empty() || (!is_bind && !parts.is_short) {
        mount.set("volume", volume.map);
    }
    Ok(mount.node())
}

/// The first option that means nothing. Those of other systems do no harm here.
pub fn unknown_option(text: &str) -> Option<&str> {
    const KNOWN: [&str; 9] = [
        "",
        "ro",
        "rw",
        "nocopy",
        "z",
        "Z",
        "cached",
        "consistent",
        "delegated",
    ];
    let options = split(text).ok()?.options;
    let is_known = |option: &str| KNOWN.contains(&option) || PROPAGATIONS.contains(&option);
    options.split(',').find(|option| !is_known(option))
}

/// The path in the container, by which mounts are told apart; `None` where the text is wrong.
pub fn target(text: &str) -> Option<String> {
    Some(clean(split(text).ok()?.target))
}

fn split(text: &str) -> Result<Parts<'_>, Fault> {
    if text.is_empty() {
        let what = "invalid empty volume spec".to_owned();
        return Err(Fault { what, part: 0..0 });
    }
    if text.len() <= 2 {
        return Ok(Parts {
            source: None,
            target: text,
            options: "",
            is_short: true,
        });
    }
    let wrong =
        |what: &str, part: &str| Fault::of(text, part, format!("invalid spec: {text}: {what}"));
    let sections = sections(text);
    if let Some(empty) = sections.iter().find(|s| s.is_empty()) {
        // The colons around it are what can be seen.
        let Fault { what, part } = wrong("empty section between colons", empty);
        let part = part.start.saturating_sub(1)..(part.end + 1).min(text.len());
        return Err(Fault { what, part });
    }
    let (source, target, options) = match sections[..] {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, options] => (Some(source), target, options),
        _ => {
            let at = sections[3].as_ptr() as usize - text.as_ptr() as usize;
            return Err(wrong("too many colons", &text[at - 1..]));
        }
    };
    Ok(Parts {
        source,
        target,
        options,
        is_short: false,
    })
}

/// What stands between colons. A colon after a single letter is part of a Windows drive, one
/// inside `${…}` (where nothing is interpolated) part of the variable.
fn sections(text: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let mut start = 0;
    let mut braces = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '$' if text[at + 1..].starts_with('{') => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            ':' if braces == 0 && !is_letter(&text[start..at]) => {
                sections.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    sections.push(&text[start..]);
    sections
}

fn is_letter(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

/// Whether a source is a path of the host, and not the name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~'])
        || source.starts_with(r"\\")
        || source
            .split_once(':')
            .is_some_and(|(drive, _)| is_letter(drive))
}

#[cfg(test)]
mod tests {
    use crate::load::yaml::emit;
    use crate::tree::Span;

    fn show(text: &str) -> String {
        match super::parse(text, Span::default()) {
            Err(error) => error.what,
            Ok(node) => {
                let yaml = emit(&node);
                let lines: Vec<&str> = yaml.lines().map(str::trim).collect();
                lines.join(" ")
            }
        }
    }

    #[test]
    fn volumes() {
        let table = [
            ("a", "type: volume target: a"),
            ("/a", "type: volume target: /a"),
            ("/data", "type: volume target: /data volume: {}"),
            (
                "db:/data/",
                "type: volume source: db target: /data volume: {}",
            ),
            (
                "db:/data:ro,nocopy",
                "type: volume source: db target: /data read_only: true volume: nocopy: true",
            ),
            (
                "./a:/b",
                "type: bind source: ./a target: /b bind: create_host_path: true",
            ),
            (
                "~:/b:ro,rw",
                "type: bind source: \"~\" target: /b bind: create_host_path: true",
            ),
            (
                "/a:/b:Z,rshared",
                "type: bind source: /a target: /b bind: selinux: Z propagation: rshared create_host_path: true",
            ),
            (
                "db:/b:z",
                "type: volume source: db target: /b bind: selinux: z volume: {}",
            ),
            (
                "/a:/b:what",
                "type: bind source: /a target: /b bind: create_host_path: true",
            ),
            ("v:/data", "type: volume target: v:/data volume: {}"),
            (
                r"c:\x:/y",
                r"type: bind source: c:\x target: /y bind: create_host_path: true",
            ),
            (
                r"\\.\pipe\x:/y",
                r"type: bind source: \\.\pipe\x target: /y bind: create_host_path: true",
            ),
            (
                "${A:-x:y}:/b",
                "type: volume source: ${A:-x:y} target: /b volume: {}",
            ),
            ("", "invalid empty volume spec"),
            (
                "a1::/b",
                "invalid spec: a1::/b: empty section between colons",
            ),
            (
                "db:/b:",
                "invalid spec: db:/b:: empty section between colons",
            ),
            ("db:/b:ro:x", "invalid spec: db:/b:ro:x: too many colons"),
        ];
        for (text, expected) in table {
            assert_eq!(show(text), expected, "{text}");
        }
        assert_eq!(super::target("db:/a/../b:ro").as_deref(), Some("/b"));
    }
}
