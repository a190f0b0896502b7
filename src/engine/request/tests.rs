//! Our bodies against those that Docker Compose 2.40 sent for the same services, recorded at the
//! engine's socket (zeros and empty values left out, Compose's own labels too, ids shortened).

use super::*;
use crate::network::Network;
use crate::secret::{FileObject, LocalFile};
use crate::volume::Volume;
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Case {
    name: String,
    service: Value,
    body: Value,
}

fn service(name: &str, json: &Value) -> Service {
    let mut service: Service = serde_json::from_value(json.clone()).unwrap();
    service.name = name.into();
    service
}

fn named<T: Default>(set: impl Fn(&mut T)) -> T {
    let mut value = T::default();
    set(&mut value);
    value
}

fn project() -> Project {
    let network = |name: &str| {
        let name = format!("shop_{name}");
        named(|n: &mut Network| n.name = name.clone())
    };
    let volume = |name: &str| {
        let name = format!("shop_{name}");
        named(|v: &mut Volume| v.name = name.clone())
    };
    let file = |path: &str| named(|f: &mut FileObject| f.file = Some(path.into()));
    Project {
        name: "shop".into(),
        working_dir: PathBuf::from("/project"),
        networks: ["front", "back", "default"]
            .map(|n| (n.to_string(), network(n)))
            .into(),
        volumes: [("data".to_string(), volume("data"))].into(),
        secrets: [
            ("s1".to_string(), file("/project/sec.txt")),
            (
                "envs".to_string(),
                named(|f: &mut FileObject| f.environment = Some("HOME".into())),
            ),
        ]
        .into(),
        configs: [
            ("c1".to_string(), file("/project/cfg.txt")),
            (
                "contentc".to_string(),
                named(|f: &mut FileObject| f.content = Some("hello /root".into())),
            ),
        ]
        .into(),
        environment: [("HOME".to_string(), "/root".to_string())].into(),
        ..Project::default()
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    assert_eq!(path, Path::new("/project/./seccomp.json"));
    Ok(b"{ \"defaultAction\": \"SCMP_ACT_ALLOW\" }\n".to_vec())
}

fn resolved() -> Resolved<'static> {
    let one = |id: &str, name: &str| {
        vec![ContainerRef {
            id: id.into(),
            name: name.into(),
        }]
    };
    Resolved {
        number: Some(1),
        containers: [
            ("base".to_string(), one("1111", "shop-base")),
            ("peerless".to_string(), one("2222", "shop-peerless-1")),
        ]
        .into(),
        read: Some(&read),
        ..Resolved::default()
    }
}

fn body(service: &Service) -> Value {
    let project = project();
    let name = project.container_name(service, 1);
    let labels = service.labels.clone();
    container_request(&project, service, &name, labels, &resolved())
        .unwrap()
        .body
}

/// Sorts what the engine takes in any order.
fn in_order(mut body: Value) -> Value {
    let host = &mut body["HostConfig"];
    for (list, key) in [
        ("Mounts", "Target"),
        ("Ulimits", "Name"),
        ("Binds", ""),
        ("ExtraHosts", ""),
    ] {
        if let Some(list) = host.get_mut(list).and_then(Value::as_array_mut) {
            list.sort_by_key(|v| v.get(key).unwrap_or(v).to_string());
        }
    }
    body
}

#[test]
fn bodies_are_those_of_compose() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("tests/containers.json")).unwrap();
    for mut case in cases {
        if case.name == "full" {
            differ_on_purpose(&mut case.body);
        }
        let ours = body(&service(&case.name, &case.service));
        let (ours, theirs) = (in_order(ours), in_order(case.body));
        for part in ["HostConfig", "NetworkingConfig"] {
            let keys: std::collections::BTreeSet<&String> = [&ours, &theirs]
                .iter()
                .filter_map(|v| v[part].as_object())
                .flat_map(|o| o.keys())
                .collect();
            for key in keys {
                assert_eq!(
                    ours[part][key], theirs[part][key],
                    "{}: {part}.{key}",
                    case.name
                );
            }
        }
        assert_eq!(ours, theirs, "{}", case.name);
    }
}

/// Where we follow Compose 5.5, or honour what 2.40 loses.
fn differ_on_purpose(body: &mut Value) {
    // A range is so many ports.
    body["ExposedPorts"] = [
        "80/tcp", "81/udp", "82/tcp", "83/tcp", "84/tcp", "9000/tcp", "9001/udp", "9002/udp",
    ]
    .iter()
    .map(|port| (port.to_string(), json!({})))
    .collect::<serde_json::Map<_, _>>()
    .into();
    let host = &mut body["HostConfig"];
    // The mode of volumes_from is kept.
    host["VolumesFrom"] = json!(["2222:ro"]);
    // create_host_path is the default since 5.x, also beside other options.
    for mount in host["Mounts"].as_array_mut().unwrap() {
        if mount["Target"] == "/b4" || mount["Target"] == "/b5" {
            mount["BindOptions"]["CreateMountpoint"] = true.into();
        }
    }
    host["Mounts"]
        .as_array_mut()
        .unwrap()
        .retain(|m| m["Target"] != "/b7");
    host["Binds"]
        .as_array_mut()
        .unwrap()
        .push("/project/bindsrc:/b7:rw,z".into());
}

#[test]
fn resources_are_those_of_compose() {
    #[derive(Deserialize)]
    struct Pair {
        definition: Value,
        body: Value,
    }
    #[derive(Deserialize)]
    struct Pairs {
        networks: Vec<Pair>,
        volumes: Vec<Pair>,
    }
    let pairs: Pairs = serde_json::from_str(include_str!("tests/resources.json")).unwrap();
    let drop_empty_labels = |mut body: Value| {
        if body["Labels"] == json!({}) {
            body.as_object_mut().unwrap().remove("Labels");
        }
        body
    };
    for pair in pairs.networks {
        let network: Network = serde_json::from_value(pair.definition).unwrap();
        let request = network_request(&network, &network.labels);
        assert_eq!(drop_empty_labels(request.body), pair.body);
    }
    for pair in pairs.volumes {
        let volume: Volume = serde_json::from_value(pair.definition).unwrap();
        assert_eq!(volume_request(&volume, &volume.labels).body, pair.body);
    }
    let options = json!({"name": "n", "ipam": {"options": {"a": "b"}}});
    let network: Network = serde_json::from_value(options).unwrap();
    let body = network_request(&network, &BTreeMap::new()).body;
    assert_eq!(body["IPAM"]["Options"], json!({"a": "b"}));
}

#[test]
fn refusals_name_the_attribute() {
    let table = [
        (
            json!({"healthcheck": {"start_interval": "1s"}}),
            "services.s.healthcheck.start_interval",
        ),
        (
            json!({"security_opt": ["apparmor=x", "nonsense"]}),
            "services.s.security_opt[1]",
        ),
        (json!({"expose": ["80", "70000"]}), "services.s.expose[1]"),
        (
            json!({"network_mode": "host", "mac_address": "02:00:00:00:00:01"}),
            "services.s.mac_address",
        ),
        (
            json!({"mac_address": "02:00:00:00:00:01", "networks": {"front": {"mac_address": "02:00:00:00:00:02"}}}),
            "services.s.networks.front.mac_address",
        ),
        (json!({"pid": "service:gone"}), "services.s.pid"),
        (json!({"links": ["gone:x"]}), "services.s.links"),
        (json!({"volumes_from": ["gone"]}), "services.s.volumes_from"),
        (
            json!({"volumes": [{"type": "bind", "target": "/x"}]}),
            "services.s.volumes[0]",
        ),
        (
            json!({"secrets": [{"source": "nope"}]}),
            "services.s.secrets[0]",
        ),
        (
            json!({"networks": {"front": {"interface_name": "a", "driver_opts": {"com.docker.network.endpoint.ifname": "b"}}}}),
            "services.s.networks.front.interface_name",
        ),
    ];
    for (json, path) in table {
        let service = service("s", &json);
        let refused = container_request(&project(), &service, "n", BTreeMap::new(), &resolved());
        assert_eq!(refused.unwrap_err().path, path, "{json}");
    }
}

#[test]
fn seccomp_profiles_that_cannot_be_read() {
    let service = service("s", &json!({"security_opt": ["seccomp=gone.json"]}));
    let gone = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let resolved = Resolved {
        read: Some(&gone),
        ..Resolved::default()
    };
    let refused =
        container_request(&project(), &service, "n", BTreeMap::new(), &resolved).unwrap_err();
    assert_eq!(refused.path, "services.s.security_opt[0]");
    assert!(
        refused.message.contains("/project/gone.json"),
        "{}",
        refused.message
    );
}

#[test]
fn volumes_are_inherited() {
    let json = json!({"volumes": [
        {"type": "volume", "target": "/anon"},
        {"type": "volume", "source": "data", "target": "/named"},
    ], "tmpfs": ["/scratch:size=1m"]});
    let service = service("s", &json);
    let mut resolved = resolved();
    resolved.inherited_volumes = ["/anon", "/image", "/named", "/scratch"]
        .map(|target| {
            (
                target.to_string(),
                format!("old{}", target.replace('/', "-")),
            )
        })
        .into();
    let body = container_request(&project(), &service, "n", BTreeMap::new(), &resolved)
        .unwrap()
        .body;
    assert_eq!(
        body["HostConfig"]["Mounts"],
        json!([
            {"Type": "volume", "Source": "old-anon", "Target": "/anon"},
            {"Type": "volume", "Source": "old-image", "Target": "/image"},
        ])
    );
    assert_eq!(body["HostConfig"]["Binds"], json!(["shop_data:/named:rw"]));
}

#[test]
fn one_offs_and_proxies() {
    let service = service(
        "s",
        &json!({"networks": {"front": {"aliases": ["a"]}}, "environment": {"HTTP_PROXY": "own"}}),
    );
    let mut resolved = resolved();
    resolved.without_aliases = true;
    resolved.proxy_environment = [("HTTP_PROXY", "p"), ("http_proxy", "p")]
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .into();
    let body = container_request(&project(), &service, "n", BTreeMap::new(), &resolved)
        .unwrap()
        .body;
    assert_eq!(
        body["NetworkingConfig"]["EndpointsConfig"]["shop_front"]["Aliases"],
        json!(["n"])
    );
    assert_eq!(body["Env"], json!(["HTTP_PROXY=own", "http_proxy=p"]));
}

#[test]
fn files_are_copied() {
    let json = json!({
        "configs": [{"source": "contentc", "target": "cc", "uid": "5", "gid": "6", "mode": "0400"}, {"source": "c1"}],
        "secrets": [{"source": "envs", "target": "home"}],
        "use_api_socket": true,
    });
    let project = project();
    let mut service = service("s", &json);
    let files = file_contents(&project, &service, Some(b"{}"), &[]).unwrap();
    let seen: Vec<_> = files
        .iter()
        .map(|f| (f.path.as_str(), f.mode, f.uid, f.gid, f.bytes.as_slice()))
        .collect();
    assert_eq!(
        seen,
        [
            ("/run/secrets/home", 0o444, 0, 0, &b"/root"[..]),
            ("/cc", 0o400, 5, 6, b"hello /root"),
            ("/run/secrets/docker/config.json", 0o444, 0, 0, b"{}"),
        ]
    );
    let tar = archive(&files, 1_700_000_000);
    let mut unpacked = tar::Archive::new(tar.as_slice());
    let entries: Vec<_> = unpacked
        .entries()
        .unwrap()
        .map(|e| {
            let e = e.unwrap();
            (
                e.path().unwrap().display().to_string(),
                e.header().mode().unwrap(),
                e.header().uid().unwrap(),
                e.header().mtime().unwrap(),
            )
        })
        .collect();
    assert_eq!(entries[1], ("cc".to_string(), 0o400, 5, 1_700_000_000));

    service.read_only = true;
    let refused = file_contents(&project, &service, None, &[]).unwrap_err();
    assert_eq!(refused.path, "services.s.secrets[0]");
    service.read_only = false;
    let mut without = project;
    without.environment.clear();
    let refused = file_contents(&without, &service, None, &[]).unwrap_err();
    assert!(refused.message.contains("\"HOME\""), "{}", refused.message);
}

/// A file of this machine that belongs to 1000:1000 and has mode 0640.
fn local() -> LocalFile {
    LocalFile {
        bytes: b"own".to_vec(),
        mode: 0o640,
        uid: 1000,
        gid: 1000,
    }
}

/// How a service gets the file secret `s1`: bound, copied with mode and owner, or refused.
fn way(service_json: Value, local: Result<LocalFile, String>) -> String {
    let mut project = project();
    project.secrets.get_mut("s1").expect("it").local = Some(local);
    let service = service("s", &service_json);
    let request = container_request(&project, &service, "n", BTreeMap::new(), &resolved());
    let body = match request {
        Ok(request) => request.body,
        Err(refused) => return format!("{}: {}", refused.path, refused.message),
    };
    let files = file_contents(&project, &service, None, &[]).expect("as with the request");
    let bound = body["HostConfig"]["Mounts"]
        .as_array()
        .into_iter()
        .flatten();
    let bound = bound
        .filter(|mount| mount["Source"] == "/project/sec.txt")
        .map(|mount| format!("bound at {}", mount["Target"].as_str().unwrap()));
    let copied = files.iter().map(|f| {
        assert_eq!(f.bytes, b"own");
        format!("copied to {} {:04o} {}:{}", f.path, f.mode, f.uid, f.gid)
    });
    bound.chain(copied).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_file_gets_the_owner_and_the_mode_that_are_asked_for() {
    let with = |reference: Value, rest: Value| {
        let mut json = rest;
        let mut reference = reference;
        reference["source"] = "s1".into();
        json["secrets"] = json!([reference]);
        way(json, Ok(local()))
    };
    let table = [
        (json!({}), json!({}), "bound at /run/secrets/s1"),
        // What is not said stays as the file has it.
        (
            json!({"mode": "0400"}),
            json!({}),
            "copied to /run/secrets/s1 0400 1000:1000",
        ),
        (
            json!({"uid": "7", "target": "/etc/k"}),
            json!({}),
            "copied to /etc/k 0640 7:1000",
        ),
        (
            json!({"mode": "0640"}),
            json!({}),
            "bound at /run/secrets/s1",
        ),
        // An owner is a number in the container, which need not be that of this machine.
        (
            json!({"uid": "1000", "mode": "0640"}),
            json!({}),
            "copied to /run/secrets/s1 0640 1000:1000",
        ),
        (
            json!({"uid": "1000", "mode": "0640"}),
            json!({"read_only": true}),
            "bound at /run/secrets/s1",
        ),
        (
            json!({"uid": "7"}),
            json!({"read_only": true}),
            "services.s.secrets[0]: secret \"s1\" cannot have another owner or mode than its file: it would have to be copied, and the container is read_only",
        ),
        (
            json!({"uid": "7"}),
            json!({"tmpfs": ["/run:size=1m"]}),
            "services.s.secrets[0]: secret \"s1\" cannot have another owner or mode than its file: it would have to be copied, and the tmpfs at /run is mounted over it when the container starts",
        ),
        (
            json!({"uid": "7"}),
            json!({"tmpfs": ["/run"], "volumes": [{"type": "volume", "source": "data", "target": "/run/secrets/"}]}),
            "copied to /run/secrets/s1 0640 7:1000",
        ),
        (
            json!({"uid": "7"}),
            json!({"volumes": [{"type": "bind", "source": "/a", "target": "/run/secrets", "read_only": true}]}),
            "services.s.secrets[0]: secret \"s1\" cannot have another owner or mode than its file: it would have to be copied, and what is mounted at /run/secrets is read-only",
        ),
        // A mount of the service at the very place goes before.
        (
            json!({"uid": "7", "target": "/etc/k"}),
            json!({"volumes": [{"type": "bind", "source": "/a", "target": "/etc/k"}]}),
            "",
        ),
        (
            json!({"uid": "me"}),
            json!({}),
            "services.s.secrets[0]: uid \"me\" is not a number",
        ),
        (
            json!({"mode": "0800"}),
            json!({}),
            "services.s.secrets[0]: mode \"0800\" is not an octal number up to 7777",
        ),
    ];
    for (reference, rest, expected) in table {
        let got = with(reference.clone(), rest.clone());
        assert_eq!(got, expected, "{reference} {rest}");
    }
    let gone = way(
        json!({"secrets": [{"source": "s1", "mode": "0400"}]}),
        Err("does not exist".into()),
    );
    assert_eq!(
        gone,
        "services.s.secrets[0]: secret \"s1\" cannot be copied: /project/sec.txt does not exist"
    );
}

#[test]
fn content_is_not_copied_where_nobody_would_find_it() {
    for (rest, why) in [
        (json!({"read_only": true}), "the container is read_only"),
        (
            json!({"volumes": [{"type": "tmpfs", "target": "/etc/app"}]}),
            "the tmpfs at /etc/app is mounted over it when the container starts",
        ),
        (
            json!({"volumes": [{"type": "volume", "source": "data", "target": "/etc/app/c"}]}),
            "something else is mounted at /etc/app/c",
        ),
    ] {
        let mut json = rest;
        json["configs"] = json!([{"source": "contentc", "target": "/etc/app/c"}]);
        let refused = file_contents(&project(), &service("s", &json), None, &[]).unwrap_err();
        assert_eq!(
            refused.message,
            format!("config \"contentc\" would have to be copied into the container, and {why}")
        );
        assert!(refused.help.is_some());
    }
}

#[test]
fn what_an_old_container_has_bound_is_not_copied_over() {
    let mut project = project();
    project.secrets.get_mut("s1").expect("it").local = Some(Ok(local()));
    let json =
        json!({"secrets": [{"source": "s1", "uid": "7"}, {"source": "envs"}], "read_only": false});
    let files = file_contents(&project, &service("s", &json), None, &["/run/secrets/s1"]);
    let paths: Vec<_> = files.unwrap().into_iter().map(|f| f.path).collect();
    assert_eq!(paths, ["/run/secrets/envs"]);
}
