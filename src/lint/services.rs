//! What single services say.

use super::{Report, Rule, Subject};
use crate::diagnostic::Diagnostic;
use crate::tree::Node;
use crate::value::container_name;
use crate::value::image::Reference;
use crate::value::similar;

pub const RULES: &[Rule] = &[
    Rule::always("bad-container-name", container_name),
    Rule::always("bad-image", image),
    Rule::always("bad-restart", restart),
    Rule::always("tiny-memory-limit", memory),
    Rule::always("unknown-capability", capabilities),
    Rule::checking("healthcheck-form", healthcheck),
    Rule::checking("swarm-only", swarm).on_request(),
    Rule::checking("old-link", links).on_request(),
    Rule::checking("privileged-service", privileged).on_request(),
    Rule::checking("floating-image", floating).on_request(),
];

fn container_name(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((name, at)) = service.text(&["container_name"]) else {
            continue;
        };
        let Some((part, what)) = container_name::fault(name) else {
            continue;
        };
        let path = format!("services.{}.container_name", service.key);
        let message = format!("the engine will refuse this name: {what}");
        report.push(
            Diagnostic::warning("bad-container-name", path, message)
                .at(at)
                .part(name, part)
                .help("a name is made of letters, digits, `_`, `.` and `-`, at least two; the first is a letter or digit"),
        );
    }
}

fn image(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((image, at)) = service.text(&["image"]) else {
            continue;
        };
        if let Err(what) = Reference::canonical(image) {
            report.warn(
                format!("services.{}.image", service.key),
                at,
                format!("the engine will refuse `{image}`: {what}"),
                "an image is written registry/name:tag, in small letters up to the colon",
            );
        }
    }
}

const RESTARTS: [&str; 4] = ["no", "always", "unless-stopped", "on-failure"];

fn restart(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((text, at)) = service.text(&["restart"]) else {
            continue;
        };
        let is_replaced = service.spec.at(&["deploy", "restart_policy"]).is_some();
        let (word, count) = text.split_once(':').unwrap_or((text, "0"));
        let counts = word == "on-failure" || !text.contains(':');
        if is_replaced || RESTARTS.contains(&word) && counts && count.parse::<u32>().is_ok() {
            continue;
        }
        let help = match similar::nearest(word, RESTARTS) {
            Some(meant) if meant != word => format!("did you mean `{meant}`?"),
            _ => "write no, always, unless-stopped, on-failure or on-failure:3".to_owned(),
        };
        report.warn(
            format!("services.{}.restart", service.key),
            at,
            format!("the engine will refuse `{text}`: it is no restart policy"),
            &help,
        );
    }
}

/// The engine's own bound, in bytes.
const LEAST_MEMORY: u64 = 6 << 20;

fn memory(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for path in [
            &["mem_limit"][..],
            &["deploy", "resources", "limits", "memory"],
        ] {
            let Some((text, at)) = service.text(path) else {
                continue;
            };
            let bytes = text.parse::<u64>().unwrap_or(u64::MAX);
            if bytes > 0 && bytes < LEAST_MEMORY {
                report.warn(
                    format!("services.{}.{}", service.key, path.join(".")),
                    at,
                    format!("the engine will refuse a limit of {bytes} bytes: the least is 6 MB"),
                    "a number without a unit is bytes; write e.g. 64m",
                );
                break;
            }
        }
    }
}

/// As `man 7 capabilities` lists them, without `CAP_`.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

fn capabilities(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for list in ["cap_add", "cap_drop"] {
            for (index, node) in service.list(&[list]).iter().enumerate() {
                let text = node.as_str().unwrap_or_default();
                let upper = text.to_uppercase();
                let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
                if CAPABILITIES.contains(&name) || report.counts_only() {
                    continue;
                }
                let help = match similar::nearest(name, CAPABILITIES.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "`man 7 capabilities` lists them".to_owned(),
                };
                report.warn(
                    format!("services.{}.{list}[{index}]", service.key),
                    node.span,
                    format!("the engine will refuse `{text}`: it is no capability"),
                    &help,
                );
            }
        }
    }
}

fn healthcheck(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let test = service.list(&["healthcheck", "test"]);
        let words: Vec<&str> = test.iter().filter_map(Node::as_str).collect();
        let path = || format!("services.{}.healthcheck.test", service.key);
        let at = |index: usize| test.get(index).map_or(service.place, |n| n.span);
        match words[..] {
            ["CMD", line] if line.trim().contains(' ') => report.warn(
                path(),
                at(1),
                "CMD runs a program of this whole name: its words are not split",
                "write each word as an item of its own, or CMD-SHELL",
            ),
            ["CMD", .., "||", _] | ["CMD", .., "&&" | "|", _] => report.warn(
                path(),
                at(1),
                "CMD has no shell: `||`, `&&` and `|` are handed to the program as they are",
                "write CMD-SHELL and the line as one text",
            ),
            ["CMD-SHELL", line] if line.starts_with("CMD ") || line.starts_with("CMD-SHELL ") => {
                report.warn(
                    path(),
                    at(1),
                    "the shell will look for a program called CMD: this text is the whole command",
                    "leave the first word out, or write a list that begins with it",
                );
            }
            ["CMD-SHELL", _, _, ..] => report.warn(
                path(),
                at(2),
                "CMD-SHELL takes the whole command as one text: what follows is not part of it",
                "write the line as one text, or CMD and a word an item",
            ),
            ["CMD" | "CMD-SHELL"] => report.warn(
                path(),
                at(0),
                "there is no command to run",
                "add the command, or write NONE for no healthcheck",
            ),
            _ => {}
        }
    }
}

fn swarm(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        for (key, what) in [
            ("placement", "places containers on the machines of a swarm"),
            ("endpoint_mode", "chooses how a swarm balances"),
            ("rollback_config", "is about a swarm's rollbacks"),
        ] {
            let deploy = service.spec.get("deploy").and_then(Node::as_map);
            if let Some(entry) = deploy.and_then(|d| d.entry(key)) {
                report.warn(
                    format!("services.{}.deploy.{key}", service.key),
                    entry.key,
                    format!("`{key}` {what}; on one engine it does nothing"),
                    "it may stay for the swarm's sake; nothing here follows it",
                );
            }
        }
    }
}

fn links(subject: &Subject<'_>, report: &mut Report<'_>) {
    each_item(subject, "links", |service, index, node| {
        report.warn(
            format!("services.{service}.links[{index}]"),
            node.span,
            "links are a leftover: services on one network know each other by name",
            "drop it; for another name write `aliases` below `networks`, for the order `depends_on`",
        );
    });
}

fn privileged(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        if let Some(node) = service
            .spec
            .get("privileged")
            .filter(|n| n.as_bool() == Some(true))
        {
            report.warn(
                format!("services.{}.privileged", service.key),
                node.span,
                "the container has the host's rights: an attacker in it controls the machine",
                "name what it needs with cap_add and devices instead",
            );
        }
    }
}

fn floating(subject: &Subject<'_>, report: &mut Report<'_>) {
    for service in &subject.services {
        let Some((image, at)) = service.text(&["image"]) else {
            continue;
        };
        let reference = Reference::parse(image);
        let floats = reference.digest.is_none() && reference.tag.as_deref() == Some("latest");
        if floats && service.spec.get("build").is_none() {
            report.warn(
                format!("services.{}.image", service.key),
                at,
                format!("`{image}` is whatever is the latest when it is pulled"),
                "name a version, or a digest",
            );
        }
    }
}

fn each_item(subject: &Subject<'_>, list: &str, mut each: impl FnMut(&str, usize, &Node)) {
    for service in &subject.services {
        for (index, node) in service.list(&[list]).iter().enumerate() {
            each(service.key, index, node);
        }
    }
}
