//! What the fuzzer runs, a module for each grammar of user text, and one for answers of engines. `tests/files/fuzz_seeds.rs` of the
//! main build includes this file, so that the same checks run there on all seeds.

pub mod answer;
pub mod attribute;
pub mod docker_config;
pub mod dotenv;
pub mod endpoint;
pub mod ignore;
pub mod interpolation;
pub mod lane;
pub mod load;
pub mod project;
pub mod short;
pub mod template;
pub mod value;
pub mod words;
pub mod yaml;

/// A target: its name, and what it does with an input. It panics where a law is broken.
pub type Target = (&'static str, fn(&[u8]));

/// All targets; each has a binary in `fuzz_targets` and a folder in `seeds`.
pub const TARGETS: [Target; 14] = [
    ("answer", answer::run),
    ("attribute", attribute::run),
    ("docker_config", docker_config::run),
    ("dotenv", dotenv::run),
    ("endpoint", endpoint::run),
    ("ignore", ignore::run),
    ("interpolation", interpolation::run),
    ("lane", lane::run),
    ("load", load::run),
    ("short", short::run),
    ("template", template::run),
    ("value", value::run),
    ("words", words::run),
    ("yaml", yaml::run),
];

/// The input as text; most grammars are given nothing else.
pub fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
