//! How long reading, loading, printing and planning take, without an engine: `cargo bench --bench
//! pipeline [N…]`.
//!
//! N is the number of services; 100, 1000 and 5000 if none is given. The project is two files, a
//! third that every fifth service extends, and env files. Time is the best of five runs, shown also
//! by service, which should not grow with their number. `events` is the floor: a walk over the
//! two files' events by libyaml (by way of serde, which keeps them, so a bare walk is quicker);
//! `yaml` is our reading of them, `canonical` all of a load that `config` needs, `load` that and the
//! types, `print` the YAML that `config` writes. `ratio` is what `config` takes, `canonical` and
//! `print`, over the floor: it is to stay below 4.

use regatta::commands::config::{Format, render};
use regatta::diagnostic::Findings;
use regatta::load::{self, FileKind, Files, LoadOptions, yaml};
use regatta::observe::Observed;
use regatta::reconcile::{self, reconcile};
use regatta::tree::SourceId;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files in memory, by absolute path.
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let text = self.0.get(path);
        text.map(|text| text.clone().into_bytes())
            .ok_or_else(|| Error::from(ErrorKind::NotFound))
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        self.0.contains_key(path).then_some(FileKind::File)
    }
    fn canonicalize(&self, path: &Path) -> Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> Result<Vec<u8>> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

const HEAD: &str = r#"name: bench
x-logging: &logging
  driver: json-file
  options: {max-size: "10m", max-file: "3"}
x-env: &env
  LOG_LEVEL: "${LEVEL:-debug}"
  REGION: "${REGION}"
x-common: &common
  restart: unless-stopped
  logging: *logging
  stop_grace_period: 5s
services:
"#;

const COMMON: &str = r#"services:
  base:
    image: "busybox:${TAG:-latest}"
    init: true
    labels:
      tier: base
    environment:
      BASE_ONE: "1"
    ulimits:
      nofile: {soft: 1024, hard: 2048}
"#;

fn service(n: usize) -> String {
    let mut text = format!("  service-{n}:\n    <<: *common\n");
    if n.is_multiple_of(5) {
        text += "    extends:\n      file: common.yaml\n      service: base\n";
    }
    if n.is_multiple_of(4) {
        text += "    env_file: [./common.env]\n";
    }
    if n > 0 {
        text += &format!(
            "    depends_on:\n      service-{}:\n        condition: service_healthy\n",
            n / 2
        );
    }
    text + &format!(
        r#"    image: "registry.example/team/service-{n}:${{TAG:-1.2.3}}"
    command: ["sh", "-c", "echo {n} && exec sleep ${{SLEEP:-60}}"]
    environment:
      <<: *env
      NUMBER: "{n}"
      OPT: "${{MISSING:-default-{n}}}"
    ports:
      - "127.0.0.1:{port}:80"
    networks:
      default: {{}}
      net{net}:
        aliases: [alias{n}]
    volumes:
      - data{net}:/data
      - ./conf:/conf:ro
    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://localhost/"]
      interval: 10s
      retries: 3
    deploy:
      resources:
        limits: {{cpus: "0.5", memory: 64M}}
    labels:
      com.example.index: "{n}"
"#,
        port = 20_000 + n,
        net = n % 8
    )
}

fn project(services: usize) -> Memory {
    let mut main: String = HEAD.to_owned();
    main.extend((0..services).map(service));
    main += "networks:\n";
    main.extend((0..8).map(|n| format!("  net{n}: {{driver: bridge}}\n")));
    main += "volumes:\n";
    main.extend((0..8).map(|n| format!("  data{n}: {{}}\n")));
    let mut over = "services:\n".to_owned();
    over.extend((0..services).step_by(3).map(|n| {
        format!(
            "  service-{n}:\n    environment:\n      OVER: \"yes-{n}\"\n    mem_reservation: 16m\n"
        )
    }));
    let variables = (0..20).map(|n| format!("COMMON_{n}=common value {n}\n"));
    let files = [
        ("compose.yaml", main),
        ("override.yaml", over),
        ("common.yaml", COMMON.to_owned()),
        ("common.env", variables.collect()),
        (".env", "TAG=latest\nREGION=north\nLEVEL=info\n".to_owned()),
    ];
    let at = |(name, text): (&str, String)| (Path::new("/bench").join(name), text);
    Memory(files.into_iter().map(at).collect())
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
        "{:>8} {:>8} | {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} ms | {:>9} {:>9} µs each | {:>5}",
        "services",
        "KiB",
        "events",
        "yaml",
        "canonical",
        "load",
        "print",
        "plan",
        "load",
        "plan",
        "ratio"
    );
    for services in sizes {
        let files = project(services);
        let given = ["compose.yaml", "override.yaml"];
        let options = LoadOptions {
            files: given.map(Into::into).to_vec(),
            cwd: "/bench".into(),
            ..LoadOptions::default()
        };
        let texts = given.map(|name| files.0[&Path::new("/bench").join(name)].as_str());
        let size: usize = texts.iter().map(|text| text.len()).sum();
        let (floor_time, _) = best(|| {
            let events = |text| IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(text));
            texts.map(|text| events(text).is_ok())
        });
        let (yaml_time, _) =
            best(|| texts.map(|text| yaml::parse(SourceId(0), text, &mut Findings::default())));
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
            "{services:>8} {:>8} | {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}    | {:>9.1} {:>9.1}         | {:>5.2}",
            size / 1024,
            ms(floor_time),
            ms(yaml_time),
            ms(canonical_time),
            ms(load_time),
            ms(print_time),
            ms(plan_time),
            each(load_time),
            each(plan_time),
            (ms(canonical_time) + ms(print_time)) / ms(floor_time),
        );
    }
}
