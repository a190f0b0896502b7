//! Every seed of the fuzzers (inputs that once failed are among them), through the same checks,
//! with the compiler of the ordinary build; then some mutations of each. A panic names its input.
//! `REGATTA_MUTATIONS` sets how many mutations a seed gets, `REGATTA_MUTATION_SEED` (a number) which.
//!
//! This is the short run in CI: always the same, and for nothing but its own seconds. The build that
//! follows coverage takes minutes of CPU; `dev/fuzz` does that, beside the ordinary work.

use crate::chance::Chance;
use crate::fuzz;
use std::path::{Path, PathBuf};

/// Mutations of every seed where nothing else is asked for.
const MUTATIONS: u64 = 12;

/// The same in CI.
const MUTATIONS_IN_CI: u64 = 60;

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let entries = std::fs::read_dir(&folder).expect("every target has seeds");
    let mut seeds: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            (
                path.clone(),
                std::fs::read(path).expect("a seed is readable"),
            )
        })
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// The words of a target's dictionary, without the escapes that only libFuzzer reads.
fn words(target: &str) -> Vec<Vec<u8>> {
    let path = format!(
        "{}/fuzz/dictionaries/{target}.dict",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).expect("every target has a dictionary");
    text.lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'))
        .map(|word| word.replace("\\x0a", "\n"))
        .filter(|word| !word.contains('\\') && !word.is_empty())
        .map(String::into_bytes)
        .collect()
}

fn mutate(chance: &mut Chance, seed: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let to = (at + chance.below(20)).min(bytes.len());
        match chance.below(5) {
            0 => drop(bytes.drain(at..to)),
            1 => {
                let piece = bytes[at..to].to_vec();
                let target = chance.below(bytes.len() + 1);
                bytes.splice(target..target, piece);
            }
            2 if at < bytes.len() => bytes[at] = u8::try_from(chance.below(128)).unwrap_or(0),
            _ => {
                let word = &words[chance.below(words.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn seeds_and_their_mutations_keep_the_laws() {
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let count = number("REGATTA_MUTATIONS").unwrap_or(match std::env::var_os("CI") {
        Some(_) => MUTATIONS_IN_CI,
        None => MUTATIONS,
    });
    let first = number("REGATTA_MUTATION_SEED").filter(|seed| *seed != 0);
    let first = first.unwrap_or(0x9e37_79b9_7f4a_7c15);
    println!("{count} mutations of each seed; REGATTA_MUTATION_SEED={first}");
    let mut chance = Chance(first);
    let mut failed = Vec::new();
    for (target, check) in fuzz::TARGETS {
        let words = words(target);
        for (path, seed) in seeds(target) {
            for round in 0..=count {
                let input = match round {
                    0 => seed.clone(),
                    _ => mutate(&mut chance, &seed, &words),
                };
                // The panic itself says what is wrong.
                if std::panic::catch_unwind(|| check(&input)).is_err() {
                    let input = String::from_utf8_lossy(&input).into_owned();
                    failed.push(format!("{target}, from {}: {input:?}", path.display()));
                    break;
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
