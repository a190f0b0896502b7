//! What `up` is certain to fail on is told before anything is changed, with its place.

use crate::on_fake::{self, loaded, means, on_virtual_time, options, project, up};
use regatta::change::{Preflight, Prepared, agree_to_nothing, carry_out, prepare};
use regatta::engine::ContainerRequest;
use regatta::engine::Engine;
use regatta::engine::fake::Fake;
use regatta::event::Reporter;
use regatta::image::build::BuildOptions;
use regatta::load::{FileKind, Files};
use regatta::project::Project;
use std::io;
use std::path::{Path, PathBuf};

/// A disk with `/p/here`, and a profile of seccomp.
struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/p/profile.json") => Ok(b"{}".to_vec()),
            Some("/p/broken.json") => Ok(b"{".to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn kind(&self, path: &Path) -> Option<FileKind> {
        let here = ["/p/here", "/p/profile.json", "/p/broken.json"];
        here.contains(&path.to_str()?).then_some(FileKind::File)
    }
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

async fn checked(fake: &Fake, project: &Project) -> Prepared {
    let mut options = options();
    let prepared = prepare(fake, project, &mut options, &mut agree_to_nothing).await;
    let mut prepared = prepared.expect("a snapshot");
    let preflight = Preflight {
        engine: fake,
        files: &Disk,
        build: &BuildOptions::default(),
    };
    preflight
        .check(project, &mut prepared)
        .await
        .expect("an answer");
    prepared
}

/// `code path` of what stands in the way.
fn obstacles(prepared: &Prepared) -> Vec<String> {
    let all = prepared.outcome.obstacles.iter();
    all.map(|o| format!("{} {}", o.code, o.path)).collect()
}

/// The attributes of service `a` (and what else the file says), what is found with an engine on
/// this machine, and what with one elsewhere.
const CASES: &[(&str, &str, &[&str], bool)] = &[
    (
        "security_opt: ['seccomp:./gone.json']",
        "",
        &["seccomp services.a.security_opt[0]"],
        true,
    ),
    (
        "security_opt: ['seccomp=broken.json']",
        "",
        &["seccomp services.a.security_opt[0]"],
        true,
    ),
    (
        "security_opt: ['seccomp=profile.json', 'seccomp=unconfined']",
        "",
        &[],
        true,
    ),
    (
        "security_opt: [no-such]",
        "",
        &["security-opt services.a.security_opt[0]"],
        true,
    ),
    (
        "secrets: [s]",
        "secrets: {s: {external: true}}",
        &["unsupported services.a.secrets[0]"],
        true,
    ),
    (
        "configs: [s]",
        "configs: {s: {external: true}}",
        &["unsupported services.a.configs[0]"],
        true,
    ),
    (
        "credential_spec: {file: x}",
        "",
        &["unsupported services.a.credential_spec"],
        true,
    ),
    (
        "secrets: [s]",
        "secrets: {s: {file: ./gone}}",
        &["missing-file-source secrets.s.file"],
        false,
    ),
    (
        "configs: [s]",
        "configs: {s: {file: ./gone}}",
        &["missing-file-source configs.s.file"],
        false,
    ),
    ("secrets: [s]", "secrets: {s: {file: ./here}}", &[], true),
    (
        "secrets: [s]",
        "secrets: {s: {environment: NOT_SET}}",
        &["file-content services.a.secrets[0]"],
        true,
    ),
    (
        "read_only: true, configs: [c]",
        "configs: {c: {content: x}}",
        &["file-content services.a.configs[0]"],
        true,
    ),
    (
        "volumes: ['v:data']",
        "",
        &["mount-target services.a.volumes[0].target"],
        true,
    ),
    (
        "volumes: ['/srv/caf\u{fffd}:/data']",
        "",
        &["path-not-utf8 services.a.volumes[0].source"],
        true,
    ),
    (
        "volumes: [{type: bind, source: \"/srv/\u{fffd}\", target: /data, bind: {create_host_path: true, propagation: rslave}}]",
        "",
        &["path-not-utf8 services.a.volumes[0].source"],
        true,
    ),
    (
        "volumes: ['C:/data']",
        "",
        &["mount-target services.a.volumes[0].target"],
        true,
    ),
    (
        "volumes: ['data']",
        "",
        &["mount-target services.a.volumes[0].target"],
        true,
    ),
    (
        "volumes: [{type: tmpfs, target: tmp}]",
        "",
        &["mount-target services.a.volumes[0].target"],
        true,
    ),
    (
        "volumes: [{type: bind, source: ./gone, target: /x, bind: {create_host_path: false}}]",
        "",
        &["missing-bind-source services.a.volumes[0].source"],
        false,
    ),
    ("volumes: ['./gone:/x']", "", &[], true),
    (
        "volumes: [{type: bind, source: ./here, target: /x, bind: {create_host_path: false}}]",
        "",
        &[],
        true,
    ),
    (
        "devices: [/dev/gone]",
        "",
        &["missing-device services.a.devices[0]"],
        false,
    ),
    ("devices: ['vendor.com/class=gone']", "", &[], true),
    (
        "runtime: gone",
        "",
        &["unknown-runtime services.a.runtime"],
        true,
    ),
    ("runtime: runc", "", &[], true),
    ("runtime: io.containerd.gone.v1", "", &[], true),
    (
        "network_mode: 'container:gone'",
        "",
        &["missing-container services.a.network_mode"],
        true,
    ),
    (
        "pid: 'container:gone'",
        "",
        &["missing-container services.a.pid"],
        true,
    ),
    ("ipc: 'container:other'", "", &[], true),
    (
        "volumes_from: ['container:gone:ro']",
        "",
        &["missing-container services.a.volumes_from[0]"],
        true,
    ),
    ("volumes_from: ['container:other']", "", &[], true),
    ("network_mode: 'container:shop-b-1'", "", &[], true),
    (
        "network_mode: gone",
        "",
        &["missing-network services.a.network_mode"],
        true,
    ),
    ("network_mode: gone, depends_on: [b]", "", &[], true),
    ("network_mode: shop_default", "", &[], true),
    ("network_mode: bridge", "", &[], true),
    ("network_mode: host", "", &[], true),
];

fn shop(attributes: &str, rest: &str) -> String {
    format!(
        "name: shop\nservices:\n  a: {{image: busybox, {attributes}}}\n  b: {{image: busybox}}\n{rest}\n"
    )
}

async fn engine(is_here: bool) -> Fake {
    let fake = Fake::new();
    if is_here {
        fake.share_files();
    }
    let other = ContainerRequest {
        name: "other".to_owned(),
        platform: None,
        body: serde_json::json!({"Image": "busybox"}),
    };
    fake.create_container(other).await.expect("a container");
    fake
}

#[test]
fn what_is_certain_to_fail_is_found_before() {
    on_virtual_time(async {
        for (attributes, rest, expected, anywhere) in CASES {
            let project = project(&shop(attributes, rest));
            let found = obstacles(&checked(&engine(true).await, &project).await);
            assert_eq!(found, *expected, "{attributes} {rest}");
            let elsewhere: &[&str] = if *anywhere { expected } else { &[] };
            let found = obstacles(&checked(&engine(false).await, &project).await);
            assert_eq!(found, elsewhere, "elsewhere: {attributes} {rest}");
        }
    });
}

#[test]
fn a_program_that_provides_is_looked_for() {
    on_virtual_time(async {
        let text =
            |kind: &str| format!("name: shop\nservices:\n  a: {{provider: {{type: {kind}}}}}\n");
        let fake = engine(true).await;
        let gone = project(&text("no-such-program"));
        let found = obstacles(&checked(&fake, &gone).await);
        assert_eq!(found, ["missing-provider services.a.provider.type"]);
        // Programs are looked for where they would be run from: on the disk of this machine.
        for program in ["/bin/sh", "sh"] {
            let here = project(&text(program));
            assert_eq!(obstacles(&checked(&fake, &here).await), [""; 0]);
        }
    });
}

#[test]
fn a_build_that_is_certain_to_fail_is_found_unless_the_image_can_be_pulled() {
    on_virtual_time(async {
        let fake = engine(true).await;
        let built = project("name: shop\nservices: {a: {build: ./gone}}\n");
        let found = obstacles(&checked(&fake, &built).await);
        assert_eq!(found, ["build services.a.build.context"]);
        let pulled = project("name: shop\nservices: {a: {build: ./gone, image: 'me/app:1'}}\n");
        assert_eq!(obstacles(&checked(&fake, &pulled).await), [""; 0]);
    });
}

#[test]
fn nothing_is_changed_where_something_is_certain_to_fail() {
    on_virtual_time(async {
        let fake = engine(false).await;
        let project = project(&shop("runtime: gone", ""));
        let (reporter, files) = (Reporter::silent(), on_fake::OneFile::empty());
        let means = means(&fake, &reporter, &files);
        let mut options = options();
        let no = &mut agree_to_nothing;
        let prepared = prepare(&fake, &project, &mut options, no).await;
        let prepared = prepared.expect("a snapshot");
        let done = carry_out(&means, &project, prepared, &mut options, no).await;
        let (prepared, done) = done.expect("an answer");
        assert!(done.is_none());
        assert_eq!(obstacles(&prepared), ["unknown-runtime services.a.runtime"]);
        assert_eq!(on_fake::names(&fake).len(), 1, "only the other container");
    });
}

#[test]
fn what_runs_already_needs_none_of_it() {
    on_virtual_time(async {
        let fake = engine(true).await;
        let text = "name: shop\nservices: {a: {image: busybox, secrets: [s]}}\nsecrets: {s: {file: ./gone}}\n";
        let project = loaded(text).project.expect("a project");
        // The file was there, and is gone since.
        fake_up(&fake, &project).await;
        let prepared = checked(&fake, &project).await;
        assert_eq!(obstacles(&prepared), [""; 0]);
        assert!(!prepared.outcome.plan.changes_anything());
    });
}

/// Brings a project up as an engine elsewhere would, which has the files.
async fn fake_up(fake: &Fake, project: &Project) {
    fake.keep_files_apart();
    let done = up(fake, project).await;
    assert!(done.report.is_success(), "{:#?}", done.report.failures);
    fake.share_files();
}
