//! Project files that went through a mangle: no panic, no error without a finding, no finding
//! that points outside its file. The seed is fixed; `REGATTA_MUTATIONS` sets how many there are.

use crate::chance::Chance;
use regatta::diagnostic::Findings;
use regatta::load::{FileKind, Files, LoadOptions, dotenv, load, short};
use regatta::tree::{SourceId, Span};
use regatta::value::words;
use std::io;
use std::path::{Path, PathBuf};

/// One file in memory, the same under every name that ends as it does.
struct Single(Vec<u8>);

impl Files for Single {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.ends_with("compose.yaml") || path.extension().is_some_and(|e| e == "env") {
            true => Ok(self.0.clone()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        path.extension().map(|_| FileKind::File)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.clone())
    }
}

fn any<'a, T>(chance: &mut Chance, items: &'a [T]) -> &'a T {
    &items[chance.below(items.len())]
}

const SCRAPS: &[&str] = &[
    "${",
    "${A:-",
    "}",
    "$",
    "$$",
    "*a",
    "&a ",
    "<<: *a\n",
    "- ",
    ": ",
    "\t",
    "'",
    "\"",
    "!reset ",
    "!override ",
    "!!int ",
    "\0",
    "\u{feff}",
    "é",
    "[",
    "]",
    "{",
    "}",
    "? ",
    "---\n",
    "#",
    "\n",
    "  ",
    "null",
    "-1",
    "99999999999999999999",
    "1e999",
    "~",
    "|",
    ">-\n",
    ",",
    "::",
    "-",
    "/",
    "\\",
    "extends: a\n",
    "include: [compose.yaml]\n",
    "env_file: x.env\n",
    "services:\n",
    "  a:\n",
    "    image: b\n",
    "80-90:80-90",
    "service:a",
];

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/compose")];
    // The conformance cases make good seeds where they stand beside the project.
    folders.extend(std::env::var_os("REGATTA_CONFORMANCE").map(PathBuf::from));
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .map(|dir| dir.flatten().map(|e| e.path()).collect())
            .unwrap_or_default();
        entries.sort();
        for path in entries {
            let is_text = path
                .extension()
                .is_some_and(|e| e == "yaml" || e == "yml" || e == "env");
            if path.is_dir() {
                folders.push(path);
            } else if is_text && let Ok(bytes) = std::fs::read(&path) {
                seeds.push(bytes);
            }
        }
    }
    seeds
}

fn mangle(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = any(chance, seeds).clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let to = (at + chance.below(40)).min(bytes.len());
        match chance.below(6) {
            0 => drop(bytes.drain(at..to)),
            1 => {
                let piece = bytes[at..to].to_vec();
                let target = chance.below(bytes.len() + 1);
                bytes.splice(target..target, piece);
            }
            2 => {
                let other = any(chance, seeds);
                let from = chance.below(other.len());
                let until = (from + chance.below(200)).min(other.len());
                bytes.splice(at..at, other[from..until].iter().copied());
            }
            3 if at < bytes.len() => bytes[at] = u8::try_from(chance.below(256)).unwrap_or(0),
            _ => {
                let scrap = any(chance, SCRAPS);
                bytes.splice(at..at, scrap.bytes());
            }
        }
    }
    bytes
}

#[test]
fn mangled_projects_load_or_say_why_not() {
    let count = std::env::var("REGATTA_MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok());
    let seeds = seeds();
    assert!(!seeds.is_empty());
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let options = LoadOptions {
        cwd: "/p".into(),
        ..LoadOptions::default()
    };
    for round in 0..count.unwrap_or(300) {
        let bytes = mangle(&mut chance, &seeds);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let loaded = load(&Single(bytes), &options);
        let failed = loaded.findings.iter().any(|f| f.is_error());
        assert!(
            loaded.project.is_some() || failed,
            "round {round} says nothing:\n{text}"
        );
        for finding in &loaded.findings {
            for span in finding
                .span
                .iter()
                .chain(finding.related.iter().map(|(s, _)| s))
            {
                assert!(
                    loaded.sources.slice(*span).is_some(),
                    "round {round}: {finding:?}\n{text}"
                );
            }
        }
        let mut vars = dotenv::Vars::new();
        for format in [dotenv::Format::Dotenv, dotenv::Format::Raw] {
            dotenv::parse(
                SourceId(0),
                &text,
                format,
                &|_| None,
                &mut vars,
                &mut Findings::default(),
            );
        }
        for line in text.lines() {
            // Their errors are texts; what counts is that they come back.
            let _ = short::port::parse(line, Span::default());
            let _ = short::volume::parse(line, Span::default());
            let _ = short::device::parse(line, Span::default());
            let _ = words::split(line);
        }
    }
}
