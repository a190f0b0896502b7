use super::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

struct Memory(BTreeMap<PathBuf, String>);

impl Surroundings for Memory {
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.0.get(path).map(|text| text.clone().into_bytes())
    }
    fn exists(&self, path: &Path) -> bool {
        self.0.keys().any(|p| p.starts_with(path))
    }
}

fn memory(files: &[(&str, &str)]) -> Memory {
    Memory(
        files
            .iter()
            .map(|(p, t)| (PathBuf::from(p), t.to_string()))
            .collect(),
    )
}

fn wishes() -> Wishes {
    Wishes {
        config_dir: Some("/home/me/.docker".into()),
        runtime_dir: Some("/run/user/1000".into()),
        home: Some("/home/me".into()),
        ..Wishes::default()
    }
}

fn context(host: &str) -> Memory {
    let id: String = Sha256::digest(b"remote")
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let path = format!("/home/me/.docker/contexts/meta/{id}/meta.json");
    memory(&[
        (
            &path,
            &format!(r#"{{"Name":"remote","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#),
        ),
        ("/var/run/docker.sock", ""),
    ])
}

#[test]
fn explicit_addresses() {
    let sockets = memory(&[("/var/run/docker.sock", "")]);
    let table = [
        ("unix:///tmp/d.sock", Ok("unix:///tmp/d.sock")),
        ("tcp://10.0.0.5:2376", Ok("tcp://10.0.0.5:2376")),
        ("tcp://10.0.0.5", Ok("tcp://10.0.0.5:2375")),
        ("tcp://[::1]:99/", Ok("tcp://[::1]:99")),
        ("tcp://[::1]", Ok("tcp://[::1]:2375")),
        ("127.0.0.1:2375", Ok("tcp://127.0.0.1:2375")),
        ("tcp://:2375", Ok("tcp://127.0.0.1:2375")),
        ("https://10.0.0.5", Ok("tcp://10.0.0.5:2376")),
        ("ssh://host", Ok("ssh://host")),
        (
            "ssh://me@host:22/run/d.sock",
            Ok("ssh://me@host:22/run/d.sock"),
        ),
        ("ssh://me@[fe80::1]:2222/", Ok("ssh://me@[fe80::1]:2222")),
        ("ssh://", Err("it names no host")),
        ("ssh://-oProxyCommand=x", Err("it names no host")),
        ("ssh://-l@host", Err("is no name")),
        (
            "ssh://me:secret@host",
            Err("ssh://me:***@host: a password in it is not supported"),
        ),
        ("ssh://host:x", Err("the port is no number")),
        ("ssh://host?x=1", Err("no query")),
        (
            "npipe:////./pipe/docker_engine",
            Err("a named pipe of Windows, and this is not Windows"),
        ),
        ("tcp://host:99999", Err("expected tcp://HOST:PORT")),
        ("/var/run/docker.sock", Err("unix:///var/run/docker.sock")),
        ("unix://", Err("path of the socket")),
        ("tcp://[::1]x:1", Err("expected tcp://HOST:PORT")),
        ("tcp://a]b:1", Err("expected tcp://HOST:PORT")),
        ("fd://", Err("expected unix:///PATH")),
    ];
    for (host, expected) in table {
        let mut w = wishes();
        w.host = Some(host.into());
        match (resolve(&w, &sockets), expected) {
            (Ok(found), Ok(text)) => assert_eq!(found.to_string(), text),
            (Err(e), Err(text)) => assert!(e.to_string().contains(text), "{host}: {e}"),
            (found, _) => panic!("{host}: {found:?}"),
        }
    }
}

#[test]
fn order_of_precedence() {
    let around = context("unix:///remote.sock");
    let at = |change: &dyn Fn(&mut Wishes)| {
        let mut w = wishes();
        change(&mut w);
        resolve(&w, &around).unwrap().to_string()
    };
    assert_eq!(at(&|_| ()), "unix:///var/run/docker.sock");
    assert_eq!(
        at(&|w| w.docker_context = Some("remote".into())),
        "unix:///remote.sock"
    );
    assert_eq!(
        at(&|w| {
            w.docker_context = Some("remote".into());
            w.docker_host = Some("unix:///env.sock".into());
        }),
        "unix:///env.sock"
    );
    assert_eq!(
        at(&|w| {
            w.context = Some("remote".into());
            w.docker_host = Some("unix:///env.sock".into());
        }),
        "unix:///remote.sock"
    );
    assert_eq!(
        at(&|w| {
            w.context = Some("default".into());
            w.docker_host = Some("unix:///env.sock".into());
        }),
        "unix:///env.sock"
    );
    assert_eq!(
        at(&|w| {
            w.host = Some("unix:///flag.sock".into());
            w.docker_host = Some("unix:///env.sock".into());
        }),
        "unix:///flag.sock"
    );
}

#[test]
fn current_context_of_the_config_file() {
    let mut around = context("ssh://me@host/run/docker.sock");
    around.0.insert(
        "/home/me/.docker/config.json".into(),
        r#"{"auths":{},"currentContext":"remote"}"#.into(),
    );
    let found = resolve(&wishes(), &around).unwrap();
    assert_eq!(found.to_string(), "ssh://me@host/run/docker.sock");
    assert_eq!(found.other_machine(), Some("host"));
    let around = context("npipe:////./pipe/docker_engine");
    let mut w = wishes();
    w.docker_context = Some("remote".into());
    let error = resolve(&w, &around).unwrap_err().to_string();
    assert!(
        error.starts_with("DOCKER_CONTEXT \"remote\": npipe://"),
        "{error}"
    );
}

#[test]
fn engines_of_other_machines() {
    for (address, machine) in [
        ("unix:///run/docker.sock", None),
        ("tcp://127.0.0.1:2375", None),
        ("tcp://localhost", None),
        ("tcp://[::1]:2375", None),
        ("tcp://docker:2375", Some("docker")),
        ("tcp://[fe80::1]:2375", Some("fe80::1")),
        ("ssh://me@10.0.0.5:22", Some("10.0.0.5")),
        ("ssh://localhost", None),
    ] {
        let mut w = wishes();
        w.host = Some(address.into());
        let found = resolve(&w, &memory(&[])).unwrap();
        assert_eq!(found.other_machine(), machine, "{address}");
    }
}

#[test]
fn tls_of_flags_and_variables() {
    let own = "/home/me/.docker";
    let files = |folder: &str, names: &[&str]| {
        let paths: Vec<String> = names.iter().map(|n| format!("{folder}/{n}")).collect();
        memory(&paths.iter().map(|p| (p.as_str(), "")).collect::<Vec<_>>())
    };
    let at = |change: &dyn Fn(&mut TlsWishes), around: &Memory| {
        let mut w = wishes();
        w.docker_host = Some("tcp://h".into());
        change(&mut w.tls);
        resolve(&w, around)
    };
    let all = ["ca.pem", "cert.pem", "key.pem"];
    let verified = |w: &mut TlsWishes| w.is_verified = true;
    // Nothing asks for it: the files alone do not.
    assert_eq!(
        at(&|_| (), &files(own, &all)),
        Ok(Endpoint::Tcp("h:2375".into()))
    );
    let Ok(Endpoint::Tls(address, tls)) = at(&verified, &files(own, &all)) else {
        panic!("no TLS");
    };
    assert_eq!(address, "h:2376");
    assert_eq!(tls.key, Some(PathBuf::from("/home/me/.docker/key.pem")));
    assert!(tls.is_verified);
    // A folder that is named counts instead.
    let named = |w: &mut TlsWishes| {
        w.is_verified = true;
        w.folder = Some("/certs".into());
    };
    let Ok(Endpoint::Tls(_, tls)) = at(&named, &files("/certs", &all)) else {
        panic!("no TLS");
    };
    assert_eq!(tls.authority, Some(PathBuf::from("/certs/ca.pem")));
    // Without a check nothing is needed.
    let unchecked = |w: &mut TlsWishes| w.is_spoken = true;
    let Ok(Endpoint::Tls(_, tls)) = at(&unchecked, &memory(&[])) else {
        panic!("no TLS");
    };
    assert!(!tls.is_verified && tls.certificate.is_none());
    let given = |w: &mut TlsWishes| {
        w.is_verified = true;
        w.certificate = Some("/x/mine.pem".into());
    };
    for (wish, around, words) in [
        (
            &verified as &dyn Fn(&mut TlsWishes),
            memory(&[]),
            "there is no /home/me/.docker/ca.pem",
        ),
        (&named, files(own, &all), "there is no /certs/ca.pem"),
        (
            &verified,
            files(own, &all[..2]),
            "cert.pem has no key beside it",
        ),
        (
            &given,
            files(own, &all),
            "--tlscert: there is no /x/mine.pem",
        ),
    ] {
        let error = at(wish, &around).unwrap_err().to_string();
        assert!(error.starts_with("TLS to the engine: "), "{error}");
        assert!(error.contains(words), "{error}");
    }
    // A socket needs no certificates, whatever is set for other engines.
    let mut w = wishes();
    w.host = Some("unix:///x".into());
    w.tls.is_verified = true;
    assert_eq!(resolve(&w, &memory(&[])), Ok(Endpoint::Unix("/x".into())));
}

#[test]
fn tls_of_contexts() {
    let id: String = Sha256::digest(b"remote")
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut w = wishes();
    w.context = Some("remote".into());
    // Flags and variables are about engines without a context.
    w.tls.is_verified = true;
    assert_eq!(
        resolve(&w, &context("tcp://h")),
        Ok(Endpoint::Tcp("h:2375".into()))
    );
    let mut around = context("tcp://h");
    let folder = format!("/home/me/.docker/contexts/tls/{id}/docker");
    let ca = PathBuf::from(format!("{folder}/ca.pem"));
    around.0.insert(ca.clone(), String::new());
    let Ok(Endpoint::Tls(address, tls)) = resolve(&w, &around) else {
        panic!("no TLS");
    };
    assert_eq!((address.as_str(), tls.authority), ("h:2376", Some(ca)));
    assert!(tls.is_verified && tls.certificate.is_none());
    let meta = PathBuf::from(format!("/home/me/.docker/contexts/meta/{id}/meta.json"));
    let text = r#"{"Endpoints":{"docker":{"Host":"tcp://h:1","SkipTLSVerify":true}}}"#;
    around.0.insert(meta, text.into());
    let Ok(Endpoint::Tls(_, tls)) = resolve(&w, &around) else {
        panic!("no TLS");
    };
    assert!(!tls.is_verified);
}

#[test]
fn a_broken_config_file_stops_nobody() {
    let at = |text: &str| {
        let mut around = context("tcp://10.0.0.5:2375");
        around
            .0
            .insert("/home/me/.docker/config.json".into(), text.into());
        around
            .0
            .insert("/var/run/docker.sock".into(), String::new());
        resolve(&wishes(), &around).map(|endpoint| endpoint.to_string())
    };
    let default = Ok("unix:///var/run/docker.sock".to_owned());
    for text in [
        "",
        "nonsense",
        "[]",
        r#"{"currentContext": null}"#,
        r#"{"auths": {"#,
    ] {
        assert_eq!(at(text), default, "{text}");
    }
    let cut = r#"{"currentContext": "remote", "auths": {"a"#;
    assert_eq!(at(cut), Ok("tcp://10.0.0.5:2375".to_owned()));
}

#[test]
fn default_sockets_in_order() {
    for socket in [
        "/var/run/docker.sock",
        "/run/user/1000/docker.sock",
        "/home/me/.docker/run/docker.sock",
        "/run/podman/podman.sock",
        "/run/user/1000/podman/podman.sock",
    ] {
        let found = resolve(&wishes(), &memory(&[(socket, "")])).unwrap();
        assert_eq!(found, Endpoint::Unix(socket.into()));
    }
    let error = resolve(&wishes(), &memory(&[])).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "no container engine found: tried /var/run/docker.sock, /run/user/1000/docker.sock,"
        ),
        "{error}"
    );
    assert!(error.contains("DOCKER_HOST"), "{error}");
}

#[test]
fn missing_and_contradicting() {
    let mut w = wishes();
    w.context = Some("nope".into());
    let error = resolve(&w, &memory(&[])).unwrap_err();
    assert!(matches!(error, EndpointError::NoContext { .. }), "{error}");
    w.host = Some("unix:///x".into());
    assert_eq!(resolve(&w, &memory(&[])), Err(EndpointError::Contradiction));
}
