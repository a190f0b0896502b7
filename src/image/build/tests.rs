use super::*;
use crate::engine::fake::{Fake, FakeImage};
use serde_json::json;

fn service(build: serde_json::Value) -> Service {
    let mut service: Service = serde_json::from_value(json!({ "build": build })).unwrap();
    service.name = "web".into();
    service
}

fn project() -> Project {
    Project {
        name: "shop".into(),
        environment: [("TOKEN", "t"), ("FROM_ENV", "e")]
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .into(),
        secrets: [
            (
                "file".to_string(),
                crate::secret::FileObject {
                    file: Some("/s".into()),
                    ..Default::default()
                },
            ),
            (
                "env".to_string(),
                crate::secret::FileObject {
                    environment: Some("TOKEN".into()),
                    ..Default::default()
                },
            ),
        ]
        .into(),
        ..Project::default()
    }
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        std::fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

fn way(service: &Service, options: &BuildOptions) -> Result<Way, BuildError> {
    choose(
        &project(),
        service,
        service.build.as_ref().unwrap(),
        options,
    )
}

#[test]
fn what_takes_the_program() {
    let dir = directory(&[("Dockerfile", "FROM busybox\nCOPY . /x")]);
    let context = dir.path().display().to_string();
    let table = [
        (json!({}), None),
        (
            json!({"args": {"A": "b"}, "target": "", "network": "none", "tags": ["x"]}),
            None,
        ),
        (json!({"cache_from": ["a:b", "type=registry,ref=c"]}), None),
        (
            json!({"provenance": "false", "sbom": "false", "isolation": "default"}),
            None,
        ),
        (json!({"platforms": ["linux/amd64"]}), None),
        (
            json!({"cache_from": ["type=local,src=x"]}),
            Some("cache_from"),
        ),
        (json!({"cache_to": ["x"]}), Some("cache_to")),
        (json!({"secrets": [{"source": "env"}]}), Some("secrets")),
        (json!({"ssh": ["default"]}), Some("ssh")),
        (
            json!({"additional_contexts": {"a": "b"}}),
            Some("additional_contexts"),
        ),
        (
            json!({"platforms": ["linux/amd64", "linux/arm64"]}),
            Some("platforms"),
        ),
        (json!({"privileged": true}), Some("privileged")),
        (
            json!({"entitlements": ["network.host"]}),
            Some("entitlements"),
        ),
        (json!({"no_cache_filter": ["x"]}), Some("no_cache_filter")),
        (json!({"provenance": "mode=max"}), Some("provenance")),
        (json!({"sbom": "true"}), Some("sbom")),
    ];
    let with = BuildOptions {
        buildx: Some("/p/docker-buildx".into()),
        ..BuildOptions::default()
    };
    for (mut build, key) in table {
        build["context"] = context.clone().into();
        let service = service(build.clone());
        let without = way(&service, &BuildOptions::default());
        match key {
            None => {
                assert!(matches!(without, Ok(Way::Direct(_))), "{build}");
                assert!(
                    matches!(way(&service, &with), Ok(Way::Direct(_))),
                    "{build}"
                );
            }
            Some(key) => {
                let Err(BuildError::Refused(found)) = without else {
                    panic!("{build} was not refused");
                };
                assert!(
                    found.message.contains("docker-buildx"),
                    "{key}: {}",
                    found.message
                );
                assert!(matches!(way(&service, &with), Ok(Way::Bake(_))), "{build}");
            }
        }
    }
    let windows = service(json!({"context": context, "isolation": "hyperv"}));
    assert!(matches!(way(&windows, &with), Err(BuildError::Refused(_))));
}

#[test]
fn dockerfiles() {
    let dir = directory(&[
        ("Dockerfile", "FROM a"),
        ("Other", "FROM b\nCOPY . /"),
        ("Other.dockerignore", "Other"),
        (".dockerignore", "Dockerfile"),
    ]);
    let outside = directory(&[("Elsewhere", "FROM c\nCOPY src /")]);
    let context = dir.path().display().to_string();
    let elsewhere = outside.path().join("Elsewhere").display().to_string();
    // What is asked for, the base image, and whether the Dockerfile would show.
    let table = [
        (json!({}), "a", false),
        (json!({"dockerfile": "Other"}), "b", true),
        (json!({"dockerfile": elsewhere}), "c", false),
        (json!({"dockerfile_inline": "FROM d\nRUN x"}), "d", false),
        (json!({"dockerfile_inline": "FROM d\nCOPY . /"}), "d", true),
    ];
    for (mut build, base, shows) in table {
        build["context"] = context.clone().into();
        let service = service(build.clone());
        let Ok(Way::Direct(plan)) = way(&service, &BuildOptions::default()) else {
            panic!("{build}");
        };
        assert_eq!(plan.shows_dockerfile(), shows, "{build}");
        assert!(
            format!("{plan:?}").contains(&format!("(\"{base}\", None)")),
            "{plan:?}"
        );
        let with = BuildOptions {
            buildx: Some("/p".into()),
            ..BuildOptions::default()
        };
        assert_eq!(
            matches!(way(&service, &with), Ok(Way::Bake(_))),
            shows,
            "{build}"
        );
    }
    for (build, words) in [
        (
            json!({"context": "/nowhere"}),
            "there is no directory /nowhere",
        ),
        (
            json!({"context": context, "dockerfile": "Gone"}),
            "Gone: does not exist",
        ),
    ] {
        let error = way(&service(build), &BuildOptions::default())
            .err()
            .unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_the_program_would_not_find_is_told_before() {
    let dir = directory(&[("Dockerfile", "FROM busybox"), ("secret", "s")]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let here = at("");
    let with = BuildOptions {
        buildx: Some("/p".into()),
        ..BuildOptions::default()
    };
    let mut project = project();
    let file = |name: &str| crate::secret::FileObject {
        file: Some(at(name)),
        ..Default::default()
    };
    project.secrets.insert("here".into(), file("secret"));
    project.secrets.insert("gone".into(), file("gone"));
    let unset = crate::secret::FileObject {
        environment: Some("UNSET".into()),
        ..Default::default()
    };
    project.secrets.insert("unset".into(), unset);
    let context = |context: &str| json!({"context": here, "additional_contexts": {"x": context}});
    let secret = |name: &str| json!({"context": here, "secrets": [{"source": name}]});
    for (build, words) in [
        (secret("here"), None),
        (secret("env"), None),
        (secret("gone"), Some("gone does not exist")),
        (secret("unset"), Some("\"UNSET\", which is not set")),
        (context(&here), None),
        (context("docker-image://busybox"), None),
        (context("service:web"), None),
        (context("https://example.com/a.git"), None),
        (context(&at("none")), Some("the context x does not exist")),
        (
            json!({"context": at("none"), "ssh": ["default"]}),
            Some("there is no directory"),
        ),
        (
            json!({"context": here, "dockerfile": "None", "ssh": ["default"]}),
            Some("None: does not exist"),
        ),
        (
            json!({"context": here, "dockerfile_inline": "FROM busybox", "ssh": ["default"]}),
            None,
        ),
        (
            json!({"context": "https://example.com/a.git", "ssh": ["default"]}),
            None,
        ),
    ] {
        let service = service(build.clone());
        let found = choose(&project, &service, service.build.as_ref().unwrap(), &with);
        let said = found.err().map(|error| error.to_string());
        match (&said, words) {
            (None, None) => {}
            (Some(said), Some(words)) => assert!(said.contains(words), "{build}: {said}"),
            _ => panic!("{build}: {said:?}"),
        }
    }
}

#[tokio::test]
async fn a_build_on_the_fake() {
    let dir = directory(&[("Dockerfile", "FROM busybox\nFROM private/base:1")]);
    let fake = Fake::new();
    fake.add_remote_image(FakeImage::new("private/base:1"));
    let service = service(json!({
        "context": dir.path().display().to_string(),
        "args": {"FROM_ENV": null, "GONE": null, "A": "file"},
        "labels": {"l": "v"}, "tags": ["extra:1"],
    }));
    let options = BuildOptions {
        args: [("A".to_string(), Some("flag".to_string()))].into(),
        ..BuildOptions::default()
    };
    let args = arguments(&project(), service.build.as_ref().unwrap(), &options);
    let words: Vec<_> = args.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(words, ["A=flag", "FROM_ENV=e"]);
    let reporter = Reporter::silent();
    let id = build(&fake, &project(), &service, &options, &reporter)
        .await
        .unwrap();
    let made = fake.inspect_image("shop-web").await.unwrap();
    assert_eq!(Some(made.id), id);
    assert_eq!(made.tags, ["extra:1", "shop-web:latest"]);
    assert_eq!(made.labels["com.docker.compose.service"], "web");
    assert_eq!(made.labels["l"], "v");
    let pulled: Vec<_> = fake
        .calls()
        .into_iter()
        .filter(|c| c.method == "pull_image")
        .map(|c| c.target)
        .collect();
    assert_eq!(pulled, ["private/base:1"], "only what is missing");
}

#[test]
fn bake_files() {
    let mut service = service(json!({
        "context": "/ctx", "dockerfile": "D", "args": {"A": "x${Y}"},
        "secrets": [{"source": "file", "target": "s"}, {"source": "env"}],
        "ssh": ["default", "other: /a.sock"], "platforms": ["linux/amd64", "linux/arm64"],
        "additional_contexts": {"base": "service:web", "x": "/y"},
        "extra_hosts": ["a=1.1.1.1", "a=2.2.2.2"], "privileged": true,
        "ulimits": {"nofile": {"soft": 1, "hard": 2}}, "provenance": "mode=max", "shm_size": "64",
    }));
    service.platform = Some("linux/amd64".into());
    let mut project = project();
    project.services.insert("web".into(), service.clone());
    let options = BuildOptions::default();
    let (file, variables) = bake::definition(&project, &[&service], &options).unwrap();
    let target = &file["target"]["web"];
    for (key, expected) in [
        ("context", json!("/ctx")),
        ("dockerfile", json!("/ctx/D")),
        ("args", json!({"A": "x$${Y}"})),
        (
            "secret",
            json!(["id=s,type=file,src=/s", "id=env,type=env,env=TOKEN"]),
        ),
        ("ssh", json!(["default", "other=/a.sock"])),
        ("platforms", json!(["linux/amd64", "linux/arm64"])),
        ("contexts", json!({"base": "target:web", "x": "/y"})),
        ("extra-hosts", json!({"a": "1.1.1.1,2.2.2.2"})),
        ("entitlements", json!(["security.insecure"])),
        ("ulimits", json!(["nofile=1:2"])),
        ("attest", json!(["type=provenance,mode=max"])),
        ("shm-size", json!("64")),
        ("output", json!(["type=image,push=false"])),
        ("tags", json!(["shop-web"])),
    ] {
        assert_eq!(target[key], expected, "{key}");
    }
    assert_eq!(variables["TOKEN"], "t");
    let running = BuildOptions {
        for_running: true,
        ..BuildOptions::default()
    };
    let (file, _) = bake::definition(&project, &[&service], &running).unwrap();
    assert_eq!(file["target"]["web"]["platforms"], json!(["linux/amd64"]));
    assert_eq!(file["target"]["web"]["output"], json!(["type=docker"]));
}

#[tokio::test]
async fn what_others_begin_with_comes_first() {
    let dir = directory(&[("Dockerfile", "FROM busybox")]);
    let context = dir.path().display().to_string();
    let fake = Fake::new();
    let mut project = project();
    for name in ["a", "b", "c"] {
        let mut one = service(json!({"context": context, "labels": {"n": name}}));
        one.name = name.into();
        project.services.insert(name.into(), one);
    }
    let all = ["a", "b", "c"].map(String::from).into();
    let (options, reporter) = (BuildOptions::default(), Reporter::silent());
    build_all(&fake, &project, &all, &options, 2, &reporter)
        .await
        .unwrap();
    let built = |fake: &Fake| {
        fake.calls()
            .iter()
            .filter(|c| c.method == "build_image")
            .count()
    };
    assert_eq!(built(&fake), 3);

    // A circle is refused rather than waited for.
    for (name, other) in [("a", "b"), ("b", "a")] {
        let build = project
            .services
            .get_mut(name)
            .unwrap()
            .build
            .as_mut()
            .unwrap();
        build
            .additional_contexts
            .insert("x".into(), format!("service:{other}"));
    }
    let error = build_all(&fake, &project, &all, &options, 2, &reporter)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("begin with the other"),
        "{error}"
    );
}

/// What is said of a build that is refused, and nothing where it is not.
fn refused(build: serde_json::Value, options: &BuildOptions) -> String {
    match way(&service(build), options) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_ignore_file_that_cannot_be_honoured_ends_the_build() {
    let buildx = BuildOptions {
        buildx: Some("/bin/docker-buildx".into()),
        ..BuildOptions::default()
    };
    let dir = directory(&[
        ("Dockerfile", "FROM x"),
        ("id_rsa", "key"),
        (".env", "KEY=1"),
    ]);
    let at = |name: &str| dir.path().join(name);
    let context = dir.path().display().to_string();
    let builds = [
        (json!({"context": context}), BuildOptions::default()),
        (
            json!({"context": context, "dockerfile_inline": "FROM x"}),
            BuildOptions::default(),
        ),
        (
            json!({"context": context, "ssh": ["default"]}),
            buildx.clone(),
        ),
        (
            json!({"context": "https://h.example/a.git", "additional_contexts": {"a": context}}),
            buildx.clone(),
        ),
    ];
    // A byte that is no UTF-8 spoils nothing.
    std::fs::write(at(".dockerignore"), b"# cl\xe9s\nid_rsa\n.env\n").unwrap();
    for (build, options) in &builds {
        assert_eq!(refused(build.clone(), options), "", "{build}");
    }
    let sent = match way(&service(builds[0].0.clone()), &builds[0].1) {
        Ok(Way::Direct(plan)) => direct::request(
            &project(),
            &service(builds[0].0.clone()),
            &serde_json::from_value(builds[0].0.clone()).unwrap(),
            *plan,
            &builds[0].1,
        ),
        other => panic!("{other:?}"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let bytes: Vec<u8> = runtime.block_on(async {
        let pieces: Vec<_> = sent.context.collect().await;
        pieces.into_iter().flat_map(Result::unwrap).collect()
    });
    let mut archive = tar::Archive::new(bytes.as_slice());
    let names = archive.entries().unwrap();
    let names = names.map(|e| e.unwrap().path().unwrap().display().to_string());
    assert_eq!(names.collect::<Vec<_>>(), [".dockerignore", "Dockerfile"]);
    // A pattern that means nothing, a file that cannot be read, a link that leads nowhere.
    std::fs::write(at(".dockerignore"), b"# cl\xe9s\n\nid_rsa[\n").unwrap();
    for (build, options) in &builds {
        let said = refused(build.clone(), options);
        let place = format!(
            "{}:3: syntax error in pattern `id_rsa[`",
            at(".dockerignore").display()
        );
        assert!(said.contains(&place), "{build}: {said}");
    }
    std::fs::remove_file(at(".dockerignore")).unwrap();
    std::fs::create_dir(at(".dockerignore")).unwrap();
    for (build, options) in &builds {
        let said = refused(build.clone(), options);
        assert!(
            said.contains(".dockerignore cannot be read: "),
            "{build}: {said}"
        );
    }
    std::fs::remove_dir(at(".dockerignore")).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", at(".dockerignore")).unwrap();
    for (build, options) in &builds {
        let said = refused(build.clone(), options);
        assert!(
            said.contains("is a link that leads nowhere"),
            "{build}: {said}"
        );
    }
    // One beside the Dockerfile comes first: the other is not read then.
    std::fs::write(at("Dockerfile.dockerignore"), "id_rsa\n").unwrap();
    assert_eq!(refused(builds[0].0.clone(), &builds[0].1), "");
    assert_eq!(refused(builds[2].0.clone(), &builds[2].1), "");
    std::fs::write(at("Dockerfile.dockerignore"), "a\n!\n").unwrap();
    for (build, options) in [&builds[0], &builds[2]] {
        let said = refused(build.clone(), options);
        assert!(
            said.contains("Dockerfile.dockerignore:2: syntax error"),
            "{said}"
        );
    }
}

#[test]
fn a_dockerfile_in_latin_1_is_taken() {
    let dir = directory(&[]);
    let text = b"# caf\xe9\nFROM busybox\nCOPY x y\n";
    std::fs::create_dir(dir.path().join("context")).unwrap();
    for (name, path) in [("Dockerfile", "context/Dockerfile"), ("../Other", "Other")] {
        std::fs::write(dir.path().join(path), text).unwrap();
        let context = dir.path().join("context").display().to_string();
        let build = json!({"context": context, "dockerfile": name});
        let Ok(Way::Direct(plan)) = way(&service(build), &BuildOptions::default()) else {
            panic!("{name} is refused");
        };
        let images: Vec<_> = plan
            .contents
            .images
            .iter()
            .map(|(i, _)| i.as_str())
            .collect();
        assert_eq!(images, ["busybox"]);
        let mut bytes = Vec::new();
        crate::image::context::write(plan.context.as_ref().unwrap(), &mut bytes).unwrap();
        let found = bytes.windows(text.len()).any(|part| part == text);
        assert!(found, "{name}");
    }
}
