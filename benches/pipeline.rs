//! How long reading, loading, printing and planning take, without an engine: `cargo bench --bench
//! pipeline [N…]`.
//!
//! N is the number of services; 100, 1000 and 5000 if none is given. Time is the best of five runs,
//! shown also by service, which should not grow with their number. `yaml` is the reading of the file
//! alone, `canonical` all of a load that `config` needs, `load` that and the types, `print` the YAML
//! that `config` writes.

use regatta::commands::config::{Format, render};
use regatta::load::{self, FileKind, Files, LoadOptions, yaml};
use regatta::observe::Observed;
use regatta::reconcile::{self, reconcile};
use regatta::tree::SourceId;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PLACE: &str = "/bench/compose.yaml";

/// One file, in memory.
struct Text(String);

impl Files for Text {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        match path == Path::new(PLACE) {
            true => Ok(self.0.clone().into_bytes()),
            false => Err(Error::from(ErrorKind::NotFound)),
        }
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        (path == Path::new(PLACE)).then_some(FileKind::File)
    }
    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> Result<Vec<u8>> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

fn project(services: usize) -> String {
    let mut text = String::from(
        "name: bench\nx-logging: &logging\n  driver: json-file\n  options: { max-size: 10m }\nservices:\n",
    );
    for n in 0..services {
        text += &format!(
            "  service-{n}:\n    image: registry.example/team/service-{n}:${{TAG:-1.2.3}}\n    command: [serve, --port, '80']\n    environment:\n      LEVEL: info\n      NUMBER: '{n}'\n    ports:\n      - '127.0.0.1::80'\n    volumes:\n      - data:/data\n    logging: *logging\n    restart: unless-stopped\n"
        );
        if n > 0 {
            text += &format!("    depends_on: [service-{}]\n", n / 2);
        }
    }
    text + "volumes:\n  data:\n"
}

fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let once = |run: &mut dyn FnMut() -> T| {
        let start = Instant::now();
        let made = run();
        (start.elapsed(), made)
    };
    let mut best = once(&mut run);
    for _ in 0..4 {
        let next = once(&mut run);
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

fn main() {
    let sizes: Vec<usize> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![100, 1000, 5000]
    } else {
        sizes
    };
    println!(
        "{:>8} {:>8} | {:>9} {:>9} {:>9} {:>9} {:>9} ms | {:>9} {:>9} µs each",
        "services", "KiB", "yaml", "canonical", "load", "print", "plan", "load", "plan"
    );
    for services in sizes {
        let files = Text(project(services));
        let options = LoadOptions {
            files: vec![PLACE.into()],
            cwd: "/bench".into(),
            ..LoadOptions::default()
        };
        let (yaml_time, _) = best(|| yaml::parse(SourceId(0), &files.0, &mut Vec::new()));
        let (canonical_time, canonical) = best(|| load::load_canonical(&files, &options));
        let Some(canonical) = canonical.project else {
            panic!("the project does not load: {:?}", canonical.findings);
        };
        let mut copies = vec![canonical; 5];
        let (print_time, _) = best(|| {
            let copy = copies.pop().unwrap_or_default();
            render::project(copy, Format::Yaml)
        });
        let (load_time, loaded) = best(|| load::load(&files, &options));
        let Some(project) = loaded.project else {
            panic!("the project does not load: {:?}", loaded.findings);
        };
        let (observed, choices) = (Observed::default(), reconcile::Options::default());
        let (plan_time, _) = best(|| reconcile(&project, &observed, &choices));
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let each = |time: Duration| time.as_micros() as f64 / services as f64;
        println!(
            "{services:>8} {:>8} | {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}    | {:>9.1} {:>9.1}",
            files.0.len() / 1024,
            ms(yaml_time),
            ms(canonical_time),
            ms(load_time),
            ms(print_time),
            ms(plan_time),
            each(load_time),
            each(plan_time),
        );
    }
}
