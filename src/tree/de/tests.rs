use super::*;
use crate::diagnostic::Findings;
use crate::load::yaml;
use crate::network::Network;
use crate::secret::FileObject;
use crate::service::mount::MountKind;
use crate::service::{Condition, Service, Ulimit};
use crate::tree::SourceId;
use crate::value::bytes::Bytes;
use crate::value::duration::Duration;
use crate::volume::Volume;
use serde::Deserialize;

fn tree(text: &str) -> Node {
    let mut findings = Findings::default();
    let root = yaml::parse(SourceId(0), text, &mut findings).remove(0).root;
    assert!(findings.is_empty(), "{findings:?}");
    root
}

#[test]
fn a_full_canonical_service_is_decoded() {
    let root = tree(include_str!("service.yaml"));
    let service = Service::deserialize(&root).expect("decodes");
    assert_eq!(service.command, Some(vec!["sleep".into(), "1".into()]));
    assert_eq!(service.entrypoint, None);
    assert_eq!(service.cpus, 1.5);
    assert_eq!(service.environment["UNSET"], None);
    assert_eq!(service.environment["NUMBER"].as_deref(), Some("1"));
    assert_eq!(service.networks["default"], None);
    assert_eq!(
        service.networks["back"].as_ref().map(|n| n.priority),
        Some(10)
    );
    assert_eq!(service.mem_limit, Some(Bytes(64 << 20)));
    assert_eq!(service.mem_swappiness, Some(Bytes(10)));
    assert_eq!(service.ports[0].target, 80);
    assert_eq!(service.ports[0].published.as_deref(), Some("8080"));
    assert_eq!(service.depends_on["db"].condition, Condition::Healthy);
    assert!(service.depends_on["db"].required);
    assert_eq!(service.ulimits["nofile"], Ulimit { soft: 1, hard: 2 });
    assert_eq!(service.ulimits["nproc"], Ulimit { soft: 5, hard: 5 });
    assert_eq!(service.volumes[0].kind, MountKind::Bind);
    assert!(
        service.volumes[0]
            .bind
            .as_ref()
            .is_some_and(|b| b.create_host_path)
    );
    assert_eq!(
        service.volumes[2].tmpfs.as_ref().and_then(|t| t.mode),
        Some(448)
    );
    assert_eq!(service.stop_grace_period, Some(Duration::from_secs(90)));
    let health = service.healthcheck.as_ref().expect("healthcheck");
    assert_eq!(
        (health.retries, health.interval),
        (Some(3), Some(Duration::from_secs(5)))
    );
    let deploy = service.deploy.as_ref().expect("deploy");
    let limits = deploy.resources.limits.as_ref().expect("limits");
    assert_eq!((limits.cpus, limits.pids), (0.5, 20));
    assert_eq!(
        deploy
            .resources
            .reservations
            .as_ref()
            .map(|r| r.devices[0].count),
        Some(-1)
    );
    let build = service.build.as_ref().expect("build");
    assert_eq!(
        (build.args["A"].as_deref(), &build.args["B"]),
        (Some("1"), &None)
    );
    assert_eq!(service.secrets[0].mode.as_deref(), Some("0440"));
    assert_eq!(
        service
            .blkio_config
            .as_ref()
            .map(|b| b.device_read_bps[0].rate),
        Some(Bytes(1024))
    );
    assert_eq!(service.replicas(), 3);
}

#[test]
fn resources_are_decoded() {
    let network = Network::deserialize(&tree(
        "name: p_n\nipam:\n  config:\n    - subnet: 10.0.0.0/8\ndriver_opts:\n  mtu: 1400\nlabels:\n",
    ));
    let network = network.expect("decodes");
    assert_eq!(network.driver_opts["mtu"], "1400");
    assert_eq!(network.ipam.config[0].subnet.as_deref(), Some("10.0.0.0/8"));
    let volume = Volume::deserialize(&tree("name: x\nexternal: true\n")).expect("decodes");
    assert!(volume.external);
    let secret = FileObject::deserialize(&tree("name: x\nfile: /a\n")).expect("decodes");
    assert_eq!(secret.file.as_deref(), Some("/a"));
}

#[test]
fn errors_carry_path_and_place() {
    let table = [
        ("ports:\n  - target: x\n", "ports[0].target", "x"),
        ("image: [a]\n", "image", "[a]"),
        (
            "depends_on: {a: {condition: never}}\n",
            "depends_on.a.condition",
            "never",
        ),
        ("tty: 3\n", "tty", "3"),
        ("mem_limit: lots\n", "mem_limit", "lots"),
        ("volumes: [{type: floppy}]\n", "volumes[0].type", "floppy"),
        (
            "networks: {a: {priority: high}}\n",
            "networks.a.priority",
            "high",
        ),
        ("scale: -1\n", "scale", "-1"),
    ];
    for (text, path, place) in table {
        let error = Service::deserialize(&tree(text)).expect_err(text);
        let span = error.span.expect("a place");
        let slice = &text[span.start as usize..span.end as usize];
        assert_eq!((error.path.as_str(), slice), (path, place), "{error}");
    }
}
