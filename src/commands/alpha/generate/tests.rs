//! Files out of containers.

use super::*;

fn summary(name: &str, labels: &[(&str, &str)]) -> ContainerSummary {
    ContainerSummary {
        id: format!("{name}-id"),
        name: name.into(),
        image: "nginx:alpine".into(),
        labels: labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        ..ContainerSummary::default()
    }
}

fn inspected(port: &str) -> Value {
    json!({
        "Config": {
            "Env": ["PATH=/bin", "PRICE=$5", "UNSET"],
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_500_000_000_i64, "Retries": 3}
        },
        "HostConfig": {"PortBindings": {
            "443/udp": [{"HostIp": "", "HostPort": "8443"}],
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]
        }},
        "Mounts": [
            {"Type": "volume", "Name": "shop_data", "Driver": "local", "Source": "/v", "Destination": "/data", "RW": true},
            {"Type": "bind", "Source": "/srv/shop/site", "Destination": "/site", "RW": false},
            {"Type": "bind", "Source": "/srv/shop/key.txt", "Destination": "/run/secrets/key", "RW": true},
            {"Type": "tmpfs", "Destination": "/tmp"}
        ],
        "NetworkSettings": {"Networks": {"shop_default": {"Aliases": ["web"]}, "bridge": {"Aliases": null}}}
    })
}

#[test]
fn replicas_are_one_service() {
    let labels = [
        (labels::SERVICE, "web"),
        (labels::PROJECT, "shop"),
        (labels::SPEC, "{}"),
        ("x.k", "v"),
    ];
    let mut file = File {
        root: Some("/srv/shop".into()),
        ..File::default()
    };
    file.add(&summary("shop-web-1", &labels), &inspected("8080"));
    file.add(&summary("shop-web-2", &labels), &inspected("8081"));
    let text = render::project(file.project("shop".into()), Format::Yaml);
    assert_eq!(
        text,
        "\
name: shop
services:
  web:
    environment:
      PATH: /bin
      PRICE: $$5
      UNSET: null
    healthcheck:
      test:
        - CMD
        - \"true\"
      interval: 1.5s
      retries: 3
    image: nginx:alpine
    labels:
      x.k: v
    networks:
      bridge: null
      shop_default:
        aliases:
          - web
    ports:
      - host_ip: 127.0.0.1
        target: 80
        published: \"8080\"
        protocol: tcp
      - target: 443
        published: \"8443\"
        protocol: udp
      - host_ip: 127.0.0.1
        target: 80
        published: \"8081\"
        protocol: tcp
    scale: 2
    secrets:
      - source: key
        target: /run/secrets/key
    volumes:
      - type: volume
        source: shop_data
        target: /data
      - type: bind
        source: ./site
        target: /site
        read_only: true
networks:
  bridge: {}
  shop_default: {}
volumes:
  shop_data: {}
secrets:
  key:
    file: ./key.txt
"
    );
}

#[test]
fn containers_are_meant_by_name_pattern_or_id() {
    let container = summary("shop-web-1", &[]);
    for (wanted, expected) in [
        ("shop-web-1", true),
        ("/shop-web-1", true),
        ("shop-web", true),
        ("^web", false),
        ("shop-web-1-i", true),
        ("[", false),
    ] {
        assert_eq!(is_meant(&container, wanted), expected, "{wanted}");
    }
}
